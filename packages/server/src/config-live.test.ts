import { describe, expect, test } from "vitest";
import { type Config, type KithConfig, readConfig } from "./config.ts";
import { reconfigure } from "./config-live.ts";

const read = (written: KithConfig): Config => readConfig(written, { file: undefined, directory: "/srv/kith" });

const LIVE: readonly (readonly [string, KithConfig])[] = [
  ["registration", { registration: { reservedNames: ["king"] } }],
  ["invitations", { invitations: { expireAfter: "1 h" } }],
  ["passwords", { passwords: { minimumLength: 12 } }],
  ["clients", { clients: { tokenLifetime: "2 d" } }],
  ["scram", { scram: { iterations: 50_000 } }],
  ["log", { log: { level: "debug" } }],
];
const AT_START: readonly (readonly [string, KithConfig])[] = [
  ["listeners", { listeners: [{ kind: "c2s", port: 1 }] }],
  ["limits", { limits: { outboxBytes: "1 MiB" } }],
  ["timeouts", { timeouts: { close: "1 s" } }],
  ["archive", { archive: { groupchat: true } }],
  ["push", { push: { tell: "sender" } }],
  ["storage", { storage: { directory: "/elsewhere" } }],
  ["files", { certificate: "c", key: "k" }],
  ["clientAuthorities", { clientAuthorities: "ca.pem" }],
  ["plaintextFromLoopback", { plaintextFromLoopback: true }],
  ["resourceConflict", { resourceConflict: "refuse" }],
  ["accounts.sessions", { accounts: { sessions: 3 } }],
];

describe("a configuration that is read again while the server runs", () => {
  test("nothing has changed", () => {
    const running = read({});
    expect(reconfigure(running, read({}))).toEqual({ changed: [], atNextStart: [] });
    expect(running).toEqual(read({}));
  });

  test.each(LIVE)("%s changes at once, in the very object", (key, written) => {
    const running = read({});
    const seen = running;
    expect(reconfigure(running, read(written))).toEqual({ changed: [key], atNextStart: [] });
    expect(seen).toEqual(read(written));
  });

  test("what belongs to a host changes for whoever asks for it", () => {
    const running = read({ hosts: { "example.org": {} } });
    const next = read({
      hosts: {
        "example.org": {
          registration: "open",
          administrators: ["romeo@example.org"],
          contacts: { abuse: "mailto:a@example.org" },
        },
      },
    });
    expect(reconfigure(running, next)).toEqual({ changed: ['hosts["example.org"]'], atNextStart: [] });
    expect(running.hosts).toEqual(next.hosts);
  });

  test.each(AT_START)("%s waits for the next start, and stays as it is", (key, written) => {
    const running = read({});
    expect(reconfigure(running, read(written))).toEqual({ changed: [], atNextStart: [key] });
    expect(running).toEqual(read({}));
  });

  test("hosts that come, go, or have another certificate wait for the next start", () => {
    const running = read({ hosts: { "a.example": {}, "b.example": {} } });
    const next = read({ hosts: { "b.example": { certificate: "c", key: "k" }, "c.example": {} } });
    expect(reconfigure(running, next)).toEqual({
      changed: [],
      atNextStart: ['hosts["a.example"]', 'hosts["b.example"]', 'hosts["c.example"]'],
    });
    expect([...running.hosts.keys()]).toEqual(["a.example", "b.example"]);
    expect(running.hosts.get("b.example" as never)?.files).toBeUndefined();
  });

  test("accounts: the address's rest changes at once, the number of sessions does not", () => {
    const running = read({});
    expect(reconfigure(running, read({ accounts: { addressRest: "1 d", sessions: 7 } }))).toEqual({
      changed: ["accounts.addressRest"],
      atNextStart: ["accounts.sessions"],
    });
    expect(running.accounts).toEqual({ addressRest: 86_400_000, sessions: 50 });
  });

  test("every option is one or the other", () => {
    const known = [
      "hosts",
      "accounts",
      "file",
      "components",
      ...LIVE.map(([key]) => key),
      ...AT_START.map(([key]) => key.split(".")[0]),
    ];
    expect(Object.keys(read({})).filter((key) => !known.includes(key))).toEqual([]);
  });
});
