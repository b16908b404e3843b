import { describe, expect, test } from "vitest";
import { type Config, ConfigError, defineConfig, type KithConfig, readConfig } from "./config.ts";
import { VARIABLES } from "./config-environment.ts";

const ORIGIN = { file: "/etc/kith/kith.config.ts", directory: "/etc/kith" };
const read = (written: unknown, environment = {}): Config => readConfig(written, { ...ORIGIN, environment });

/** What is wrong with a configuration, line by line. */
const problems = (written: unknown, environment = {}): readonly string[] => {
  try {
    read(written, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
};

describe("without a file", () => {
  const config = readConfig({}, { file: undefined, directory: "/home/romeo" });

  test("localhost is served, with data in ./data and a certificate of the server's own making", () => {
    expect([...config.hosts.keys()]).toEqual(["localhost"]);
    expect(config.storage).toEqual({ directory: "/home/romeo/data", synchronous: "FULL" });
    expect(config.files).toBeUndefined();
    expect(config.listeners).toEqual([
      { kind: "c2s", port: 5222, addresses: [] },
      { kind: "c2s-tls", port: 5223, addresses: [] },
    ]);
  });

  test("defaults are safe: TLS before passwords, accounts by invitation, no components, limits on", () => {
    expect(config.plaintextFromLoopback).toBe(false);
    expect(config.hosts.get("localhost" as never)).toMatchObject({ registration: "invitation", anonymous: false });
    expect(config.components.size).toBe(0);
    expect(config.limits).toMatchObject({
      visitor: { stanzaBytes: 10_240 },
      authenticated: { stanzaBytes: 262_144 },
      guessing: true,
    });
    expect(config.limits.rate).toEqual({
      bytesPerSecond: 131_072,
      burstBytes: 1_048_576,
      stanzasPerSecond: 200,
      burstStanzas: 1_000,
    });
    expect(config.passwords.minimumLength).toBe(5);
    expect(config.scram.iterations).toBeGreaterThanOrEqual(10_000);
  });
});

describe("what is written", () => {
  test("defineConfig types it and gives it back", () => {
    const written: KithConfig = { hosts: { "example.org": {} } };
    expect(defineConfig(written)).toBe(written);
    // @ts-expect-error no such option
    defineConfig({ host: {} });
    // @ts-expect-error no such unit
    defineConfig({ timeouts: { close: "5 parsecs" } });
  });

  test("hosts: prepared, with their own options before the server's", () => {
    const config = read({
      hosts: {
        "Example.ORG.": {
          registration: "open",
          contacts: { abuse: "mailto:abuse@example.org" },
          administrators: ["Romeo@example.org"],
        },
        "bücher.example": { certificate: "books.pem", key: "/keys/books.pem", anonymous: true },
      },
      administrators: ["juliet@bücher.example"],
      registration: { mode: "closed" },
      contacts: { admin: ["xmpp:juliet@example.org", "https://example.org/help"] },
      certificate: "all.pem",
      key: "all.key",
    });
    expect([...config.hosts.values()]).toEqual([
      {
        domain: "example.org",
        files: undefined,
        registration: "open",
        anonymous: false,
        plain: true,
        administrators: new Set(["juliet@bücher.example", "romeo@example.org"]),
        contacts: { abuse: ["mailto:abuse@example.org"] },
      },
      {
        domain: "bücher.example",
        files: { certificate: "/etc/kith/books.pem", key: "/keys/books.pem" },
        registration: "closed",
        anonymous: true,
        plain: true,
        administrators: new Set(["juliet@bücher.example"]),
        contacts: { admin: ["xmpp:juliet@example.org", "https://example.org/help"] },
      },
    ]);
    expect(config.files).toEqual({ certificate: "/etc/kith/all.pem", key: "/etc/kith/all.key" });
  });

  test("listeners: ports by kind, 0 for any, one address or several", () => {
    const config = read({
      listeners: [
        { kind: "c2s" },
        { kind: "c2s-tls", port: 0, address: "::1" },
        { kind: "component", address: ["10.0.0.5", "127.0.0.1"] },
      ],
    });
    expect(config.listeners).toEqual([
      { kind: "c2s", port: 5222, addresses: [] },
      { kind: "c2s-tls", port: 0, addresses: ["::1"] },
      { kind: "component", port: 5347, addresses: ["10.0.0.5", "127.0.0.1"] },
    ]);
  });

  test("components: a listener for them, on this machine alone", () => {
    const config = read({ components: { "Rooms.example.org": { secret: "correct horse" } } });
    expect(config.components).toEqual(new Map([["rooms.example.org", { secret: "correct horse" }]]));
    expect(config.listeners.at(-1)).toEqual({ kind: "component", port: 5347, addresses: ["127.0.0.1"] });
  });

  test("times and sizes: with units or as numbers", () => {
    const config = read({
      timeouts: { close: "2 s", negotiation: 5_000, keepAlive: "3 min" },
      limits: { outboxBytes: "1.5 MiB", readAheadBytes: 20_000 },
      invitations: { expireAfter: "2 d" },
    });
    expect(config.timeouts).toMatchObject({ close: 2_000, negotiation: 5_000, keepAlive: 180_000 });
    expect(config.limits).toMatchObject({ outboxBytes: 1_572_864, readAheadBytes: 20_000 });
    expect(config.invitations.expireAfter).toBe(172_800_000);
  });

  test("what may be switched off", () => {
    const config = read({
      registration: { perAddress: false },
      limits: {
        rate: false,
        guessing: false,
        unauthenticated: false,
        unauthenticatedPerAddress: false,
        connectsPerMinute: false,
      },
      timeouts: { keepAlive: false },
    });
    expect(config.registration.perAddress).toBeUndefined();
    expect(config.limits).toMatchObject({
      rate: undefined,
      guessing: false,
      unauthenticated: undefined,
      unauthenticatedPerAddress: undefined,
      connectsPerMinute: undefined,
    });
    expect(config.timeouts.keepAlive).toBeUndefined();
  });

  test("a part of a group leaves the rest as it is", () => {
    expect(read({ limits: { rate: { stanzasPerSecond: 9 } } }).limits.rate).toMatchObject({
      stanzasPerSecond: 9,
      burstStanzas: 1_000,
    });
    expect(read({ registration: { perAddress: { accounts: 9 } } }).registration.perAddress).toEqual({
      accounts: 9,
      within: 3_600_000,
    });
  });
});

describe("an error names the key, what was found and what is allowed", () => {
  test.each<readonly [string, unknown, string]>([
    ["an unknown option", { listners: [] }, 'listners: there is no such option; did you mean "listeners"?'],
    [
      "an unknown option that is like no other",
      { log: { colour: 1 } },
      "log.colour: there is no such option; allowed: level, format",
    ],
    [
      "one within a host",
      { hosts: { "example.org": { admins: [] } } },
      'hosts["example.org"].admins: there is no such option; allowed: certificate, key, registration, anonymous, plain, administrators, contacts',
    ],
    [
      "one within a list",
      { listeners: [{ kind: "c2s", ports: 1 }] },
      'listeners[0].ports: there is no such option; did you mean "port"?',
    ],
    [
      "one of several",
      { registration: { mode: "opne" } },
      'registration.mode: found "opne"; allowed: "closed", "invitation" or "open"',
    ],
    ["another type", { plaintextFromLoopback: "yes" }, 'plaintextFromLoopback: found "yes"; allowed: true or false'],
    ["null", { registration: null }, "registration: found null; allowed: an object, { … }"],
    ["a list where an object is", { limits: [] }, "limits: found a list; allowed: an object, { … }"],
    ["an object where a list is", { listeners: {} }, "listeners: found a value of type object; allowed: a list, [ … ]"],
    [
      "a number out of range",
      { listeners: [{ kind: "c2s", port: 65_536 }] },
      "listeners[0].port: found 65536; allowed: a whole number, 0 to 65535",
    ],
    [
      "a fraction",
      { limits: { rosterItems: 1.5 } },
      "limits.rosterItems: found 1.5; allowed: a whole number, 1 or more",
    ],
    [
      "NaN",
      { limits: { rosterItems: Number.NaN } },
      "limits.rosterItems: found NaN; allowed: a whole number, 1 or more",
    ],
    [
      "a function",
      { limits: { rosterItems: () => 3 } },
      "limits.rosterItems: found a value of type function; allowed: a whole number, 1 or more",
    ],
    [
      "a time",
      { timeouts: { close: "5 parsecs" } },
      'timeouts.close: found "5 parsecs"; allowed: a time such as "30 s", "10 min", "7 d" or a number of milliseconds, 100 ms or more',
    ],
    [
      "a unit that only objects have",
      { timeouts: { close: "5 constructor" } },
      'timeouts.close: found "5 constructor"; allowed: a time such as "30 s", "10 min", "7 d" or a number of milliseconds, 100 ms or more',
    ],
    [
      "a size that is too small (RFC 6120 §13.12)",
      { limits: { authenticated: { stanzaBytes: "9 KiB" } } },
      'limits.authenticated.stanzaBytes: found "9 KiB"; allowed: a size such as "256 KiB", "4 MiB" or a number of bytes, 10000 B or more',
    ],
    [
      "what may be switched off",
      { limits: { unauthenticated: 0 } },
      "limits.unauthenticated: found 0; allowed: a whole number, 1 or more, or false",
    ],
    [
      "a part of what may be switched off",
      { limits: { rate: { burstStanzas: "many" } } },
      'limits.rate.burstStanzas: found "many"; allowed: a whole number, 1 or more',
    ],
    [
      "true for what may be switched off",
      { limits: { rate: true } },
      "limits.rate: found true; allowed: an object, { … }",
    ],
    [
      "a host's name",
      { hosts: { "exa mple": {} } },
      'hosts["exa mple"]: found "exa mple"; allowed: a domain name such as "example.org", or an IP address (IPv6 in brackets)',
    ],
    ["no host", { hosts: {} }, 'hosts: found no domain; allowed: one or more, such as { "example.org": {} }'],
    [
      "an administrator",
      { administrators: ["romeo"] },
      'administrators[0]: found "romeo"; allowed: the address of an account, such as "romeo@example.org"',
    ],
    [
      "an administrator with a resource",
      { administrators: ["romeo@localhost/x"] },
      'administrators[0]: found "romeo@localhost/x"; allowed: the address of an account, such as "romeo@example.org"',
    ],
    [
      "an administrator from elsewhere",
      { administrators: ["romeo@example.net"] },
      'administrators[0]: found "romeo@example.net"; allowed: an account at one of the hosts (localhost)',
    ],
    [
      "a key without certificate",
      { key: "k.pem" },
      'certificate: found nothing; allowed: the name of a file, since "key" is given',
    ],
    [
      "a certificate without key",
      { hosts: { localhost: { certificate: "c.pem" } } },
      'hosts.localhost.key: found nothing; allowed: the name of a file, since "certificate" is given',
    ],
    [
      "an address",
      { listeners: [{ kind: "c2s", address: "localhost" }] },
      'listeners[0].address: found "localhost"; allowed: an IP address such as "127.0.0.1" or "::1"',
    ],
    [
      "an address of a list",
      { listeners: [{ kind: "c2s", address: ["::1", "1.2.3"] }] },
      'listeners[0].address[1]: found "1.2.3"; allowed: an IP address such as "127.0.0.1" or "::1"',
    ],
    [
      "two at one port",
      { listeners: [{ kind: "c2s" }, { kind: "c2s-tls", port: 5222 }] },
      "listeners[1].port: found 5222; allowed: a port of its own, since listeners[0] has this one",
    ],
    [
      "two at one port, of which one has it everywhere",
      { listeners: [{ kind: "c2s" }, { kind: "c2s-tls", port: 5222, address: "127.0.0.1" }] },
      "listeners[1].port: found 5222; allowed: a port of its own, since listeners[0] has this one at all addresses",
    ],
    [
      "two at one port, the other way round",
      { listeners: [{ kind: "c2s-tls", port: 5222, address: "::1" }, { kind: "c2s" }] },
      "listeners[1].port: found 5222; allowed: a port of its own, since listeners[0] has this one",
    ],
    [
      "a short secret",
      { components: { "rooms.localhost": { secret: "s3cret" } } },
      'components["rooms.localhost"].secret: found one of 6 characters; allowed: 8 or more',
    ],
    [
      "a component at a host's domain",
      { components: { localhost: { secret: "long enough" } } },
      "components.localhost: found the domain of a host; allowed: a domain of its own",
    ],
    [
      "components that nobody can reach",
      { components: { "rooms.localhost": { secret: "long enough" } }, listeners: [{ kind: "c2s" }] },
      'listeners: found none for components; allowed: one of kind "component" as well, since there are components',
    ],
    [
      "a contact",
      { contacts: { abuse: "romeo" } },
      'contacts.abuse: found "romeo"; allowed: a URI such as "mailto:admin@example.org", "xmpp:admin@example.org" or "https://example.org/help"',
    ],
    [
      "a contact that is code",
      { contacts: { abuse: "javascript:alert(1)" } },
      'contacts.abuse: found "javascript:alert(1)"; allowed: a URI such as "mailto:admin@example.org", "xmpp:admin@example.org" or "https://example.org/help"',
    ],
    [
      "a redirect that is no web address",
      { registration: { redirect: { url: "ftp://example.org" } } },
      'registration.redirect.url: found "ftp://example.org"; allowed: a web address that begins with "https://" or "http://"',
    ],
    [
      "a shortest password longer than the longest",
      { passwords: { minimumLength: 30, maximumLength: 20 } },
      "passwords.minimumLength: found 30; allowed: no more than passwords.maximumLength, 20",
    ],
    [
      "too few iterations (RFC 7677 §4)",
      { scram: { iterations: 1_000 } },
      "scram.iterations: found 1000; allowed: a whole number, 4096 to 10000000",
    ],
    [
      "a reserved name that is none",
      { registration: { reservedNames: ["a b"] } },
      'registration.reservedNames[0]: found "a b"; allowed: the part of an address before the "@", such as "admin"',
    ],
    [
      "a log level",
      { log: { level: "verbose" } },
      'log.level: found "verbose"; allowed: "silent", "error", "warn", "info" or "debug"',
    ],
    [
      "something very long",
      { log: { level: "x".repeat(500) } },
      `log.level: found "${"x".repeat(79)}…; allowed: "silent", "error", "warn", "info" or "debug"`,
    ],
  ])("%s", (_, written, line) => {
    expect(problems(written)).toEqual([line]);
  });

  test("a secret is never shown", () => {
    const lines = problems({
      components: { "rooms.localhost": { secret: 12_345_678 } },
      passwords: { forbidden: [9_876] },
    });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toMatch(/12345678|9876/);
  });

  test.each([undefined, null, [], "hosts", 3, () => ({})])("something else than an object (%s)", (written) => {
    expect(problems(written)).toEqual(["it has to export an object: export default defineConfig({ … })"]);
  });

  test("all of them at once, those that are about several options too", () => {
    expect(
      problems({
        log: { level: "x" },
        hosts: { "example.org": { plain: 1 } },
        key: "k.pem",
        components: { "example.org": { secret: "long enough" } },
      }),
    ).toEqual([
      'hosts["example.org"].plain: found 1; allowed: true or false',
      'log.level: found "x"; allowed: "silent", "error", "warn", "info" or "debug"',
      'certificate: found nothing; allowed: the name of a file, since "key" is given',
      'components["example.org"]: found the domain of a host; allowed: a domain of its own',
    ]);
  });

  test("also where what cannot be read was needed", () => {
    expect(
      problems({
        listeners: [{ kind: "c2s", port: 99_999 }, { kind: "web" }],
        components: { "rooms.example.org": {} },
        administrators: ["romeo@verona.example"],
        passwords: { minimumLength: 0 },
      }),
    ).toEqual([
      "listeners[0].port: found 99999; allowed: a whole number, 0 to 65535",
      'listeners[1].kind: found "web"; allowed: "c2s", "c2s-tls" or "component"',
      "passwords.minimumLength: found 0; allowed: a whole number, 1 to 1024",
      'components["rooms.example.org"].secret: found nothing; allowed: a secret of at least 8 characters',
      'administrators[0]: found "romeo@verona.example"; allowed: an account at one of the hosts (localhost)',
    ]);
  });

  test("nothing is said that only follows from another error", () => {
    expect(problems({ listeners: [{ kind: "web" }, { kind: "c2s" }, { kind: "c2s" }] })).toHaveLength(1);
    expect(problems({ hosts: { "a b": {} }, administrators: ["romeo@a.example"] })).toHaveLength(1);
    expect(problems({ certificate: 3, key: "k.pem" })).toHaveLength(1);
    expect(problems({ hosts: 3, administrators: ["romeo@a.example"] })).toHaveLength(1);
  });

  test("the message names the file and has every problem", () => {
    expect(() => read({ a: 1, b: 2 })).toThrow(/^\/etc\/kith\/kith\.config\.ts cannot be used:\n {2}a: .*\n {2}b: .*$/);
  });
});

describe("the environment replaces single values", () => {
  test.each<readonly [Record<string, string>, object]>([
    [{ KITH_DATA_DIRECTORY: "/var/lib/kith" }, { storage: { directory: "/var/lib/kith" } }],
    [{ KITH_SYNCHRONOUS: "NORMAL" }, { storage: { synchronous: "NORMAL" } }],
    [{ KITH_LOG_LEVEL: "debug", KITH_LOG_FORMAT: "json" }, { log: { level: "debug", format: "json" } }],
    [{ KITH_PLAINTEXT_FROM_LOOPBACK: "true" }, { plaintextFromLoopback: true }],
    [{ KITH_REGISTRATION: "open" }, { registration: { mode: "open" } }],
    [{ KITH_SCRAM_ITERATIONS: "20000" }, { scram: { iterations: 20_000 } }],
    [
      { KITH_CERTIFICATE: "c.pem", KITH_KEY: "k.pem" },
      { files: { certificate: "/etc/kith/c.pem", key: "/etc/kith/k.pem" } },
    ],
    [
      { KITH_C2S_PORT: "0", KITH_ADDRESS: "127.0.0.1, ::1" },
      {
        listeners: [
          { kind: "c2s", port: 0, addresses: ["127.0.0.1", "::1"] },
          { kind: "c2s-tls", port: 5223, addresses: ["127.0.0.1", "::1"] },
        ],
      },
    ],
    [{ KITH_C2S_TLS_PORT: "443" }, { listeners: [{ port: 5222 }, { port: 443 }] }],
    [
      { KITH_COMPONENT_PORT: "8888", KITH_COMPONENT_ADDRESS: "10.0.0.5" },
      {
        listeners: [{ kind: "c2s" }, { kind: "c2s-tls" }, { kind: "component", port: 8888, addresses: ["10.0.0.5"] }],
      },
    ],
    [{ KITH_LOG_LEVEL: "" }, { log: { level: "info" } }],
  ])("%o", (environment, expected) => {
    expect(read({}, environment)).toMatchObject(expected);
  });

  test("hosts, which keep the options that the file has for them", () => {
    const config = read(
      { hosts: { "example.org": { anonymous: true }, "example.com": {} } },
      { KITH_HOSTS: "example.org,example.net", KITH_ADMINISTRATORS: "romeo@example.net" },
    );
    expect([...config.hosts.keys()]).toEqual(["example.org", "example.net"]);
    expect(config.hosts.get("example.org" as never)?.anonymous).toBe(true);
    expect(config.hosts.get("example.net" as never)?.administrators).toEqual(new Set(["romeo@example.net"]));
  });

  test("the listeners of the file, where it has some", () => {
    const listeners = [
      { kind: "c2s", port: 1 },
      { kind: "c2s", port: 2, address: "::1" },
    ];
    expect(read({ listeners }, { KITH_C2S_PORT: "0" }).listeners.map(({ port }) => port)).toEqual([0, 0]);
  });

  test("an error names the variable", () => {
    expect(problems({}, { KITH_C2S_PORT: "x", KITH_REGISTRATION: "maybe", KITH_KEY: "k.pem" })).toEqual([
      'KITH_C2S_PORT (listeners[0].port): found "x"; allowed: a whole number, 0 to 65535',
      'KITH_REGISTRATION (registration.mode): found "maybe"; allowed: "closed", "invitation" or "open"',
      'certificate: found nothing; allowed: the name of a file, since "key" is given',
    ]);
  });

  test("what the file has in its way is found, not overwritten silently", () => {
    expect(problems({ log: "loud" }, { KITH_LOG_LEVEL: "debug" })).toEqual(
      ['KITH_LOG_LEVEL (log): found "loud"; allowed: an object, { … }'].map((line) =>
        line.replace(/^KITH_LOG_LEVEL \(log\)/, "log"),
      ),
    );
  });

  test("every variable does what its example says", () => {
    const needs: Record<string, Record<string, string>> = {
      KITH_ADMINISTRATORS: { KITH_HOSTS: "example.org" },
      KITH_CERTIFICATE: { KITH_KEY: "k" },
      KITH_KEY: { KITH_CERTIFICATE: "c" },
    };
    const before = read({});
    for (const { name, example } of VARIABLES) {
      expect(read({}, { ...needs[name], [name]: example }), name).not.toEqual(before);
    }
  });
});
