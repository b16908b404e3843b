import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandLine, type Ended, Folder, realParts } from "../../test/command-line.ts";
import { VARIABLES } from "../config-environment.ts";
import { issueCertificate } from "../listen/x509.ts";
import type { Store } from "../store/store.ts";

// As few iterations as are allowed, ports of their own, and nothing written to a disk that would have to be waited for.
const ENVIRONMENT = {
  KITH_C2S_PORT: "0",
  KITH_C2S_TLS_PORT: "0",
  KITH_ADDRESS: "127.0.0.1",
  KITH_SCRAM_ITERATIONS: "4096",
  KITH_SYNCHRONOUS: "NORMAL",
};

describe("help", () => {
  let folder: Folder;
  beforeAll(async () => {
    folder = await Folder.make();
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  test("kith --help: commands, examples, exit codes, every environment variable", async () => {
    const { code, out, err } = await folder.run(["--help"]);
    expect([code, err]).toEqual([0, ""]);
    for (const command of ["start", "check", "user", "invite", "status", "reload"])
      expect(out).toMatch(new RegExp(`^ {2}${command} `, "m"));
    expect(out).toMatch(/^Examples:/m);
    expect(out).toMatch(/^Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 /m);
    for (const { name } of VARIABLES) expect(out).toContain(name);
  });

  test.each([
    ["start"],
    ["check"],
    ["user"],
    ["user", "add"],
    ["user", "passwd"],
    ["user", "remove"],
    ["user", "list"],
    ["user", "exists"],
    ["invite"],
    ["invite", "list"],
    ["invite", "revoke"],
    ["status"],
    ["reload"],
  ])("kith %s %s --help", async (...words) => {
    const args = words.filter((word) => word !== undefined);
    const { code, out } = await folder.run([...args, "--help"]);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: kith ${args.join(" ")}`);
  });

  test("kith --version", async () => {
    expect(await folder.run(["--version"])).toEqual({ code: 0, out: "1.2.3\n", err: "" });
  });

  test.each<readonly [readonly string[], RegExp]>([
    [[], /Usage: kith/],
    [["fly"], /unknown command 'fly'/],
    [["start", "--fast"], /unknown option '--fast'/],
    [["user"], /Usage: kith user/],
    [["user", "add"], /missing required argument 'jid'/],
    [["user", "add", "a@localhost", "b@localhost"], /too many arguments/],
    [["start", "--config"], /argument missing/],
    ...["soon", "2 fortnights", "1 s", ""].map(
      (time) => [["invite", "--expires", time], /argument '.*' is invalid\. Allowed: a time such as "30 s"/] as const,
    ),
  ])("a command line that is wrong is 2: %j", async (args, message) => {
    const { code, out, err } = await folder.run(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });
});

describe("kith check", () => {
  let folder: Folder;
  beforeAll(async () => {
    folder = await Folder.make();
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  test("without a file", async () => {
    expect(await folder.run(["check"])).toEqual({
      code: 0,
      out: "",
      err: "The default configuration is all right: localhost.\n",
    });
  });

  test("a file that is not there is 3", async () => {
    const { code, err } = await folder.run(["check", "--config", "nowhere.ts"]);
    expect([code, err]).toEqual([3, `${join(folder.path, "nowhere.ts")} cannot be used:\n  there is no such file\n`]);
  });

  test("everything that is wrong, at once, is 3; other commands say the same", async () => {
    await folder.write("wrong.mjs", `export default { listners: [], log: { level: "loud" } };`);
    const environment = { KITH_REGISTRATION: "maybe" };
    for (const command of [["check"], ["start"], ["user", "list"], ["status"]]) {
      const { code, err } = await folder.run([...command, "-c", "wrong.mjs"], { environment });
      expect(code).toBe(3);
      expect(err.split("\n").slice(1, -1)).toEqual([
        '  KITH_REGISTRATION (registration.mode): found "maybe"; allowed: "closed", "invitation" or "open"',
        '  log.level: found "loud"; allowed: "silent", "error", "warn", "info" or "debug"',
        '  listners: there is no such option; did you mean "listeners"?',
      ]);
    }
  });

  test("certificates that are not there, are none, or have another key", async () => {
    const valid = {
      commonName: "localhost",
      ipAddresses: [],
      from: new Date(Date.now() - 1_000),
      to: new Date(Date.now() + 60_000),
    };
    const issued = issueCertificate({ ...valid, dnsNames: ["localhost", "xn--bcher-kva.example"] });
    await folder.write("good.pem", issued.certificate);
    await folder.write("good.key", issued.key);
    await folder.write("other.key", issueCertificate({ ...valid, dnsNames: ["localhost"] }).key);
    await folder.write("text.pem", "hello");
    let configs = 0;
    const checked = async (config: object): Promise<Ended> => {
      const name = `certificates-${++configs}.mjs`;
      await folder.write(name, `export default ${JSON.stringify(config)};`);
      return folder.run(["check", "-c", name]);
    };
    const absent = await checked({ certificate: "absent.pem", key: "text.pem" });
    expect(absent.code).toBe(3);
    expect(absent.err).toContain(
      `  certificate: found "${join(folder.path, "absent.pem")}", which cannot be read (ENOENT); allowed: a PEM file`,
    );
    expect(absent.err).toContain(
      `  key: found "${join(folder.path, "text.pem")}", which has something else in it; allowed: a PEM file`,
    );
    const several = await checked({ certificate: "absent.pem", key: "text.pem", log: { level: "loud" } });
    expect(several.err.split("\n").slice(1, -1)).toEqual([
      expect.stringContaining("  log.level: "),
      expect.stringContaining("  certificate: "),
      expect.stringContaining("  key: "),
    ]);
    const other = await checked({ hosts: { localhost: { certificate: "good.pem", key: "other.key" } } });
    expect(other.err).toContain(
      '  hosts["localhost"].key: found the key of another certificate; allowed: the one that belongs to ',
    );
    const good = await checked({
      certificate: "good.pem",
      key: "good.key",
      hosts: { localhost: {}, "bücher.example": {}, "example.org": {} },
    });
    expect([good.code, good.err]).toEqual([
      0,
      expect.stringMatching(
        /^Note: .*good\.pem is not for example\.org\.\n.* is all right: localhost, bücher\.example, example\.org\.\n$/,
      ),
    ]);
  });
});

describe("accounts, whether the server runs or not", () => {
  describe.each(["on the store", "by the running server"])("%s", (where) => {
    let folder: Folder;
    let server: CommandLine | undefined;
    beforeAll(async () => {
      folder = await Folder.make();
      if (where === "on the store") return;
      server = folder.start(["start"], { environment: ENVIRONMENT });
      await server.until(({ out }) => out.includes("\n"));
    });
    afterAll(async () => {
      server?.signal("SIGTERM");
      await server?.ended;
      await folder[Symbol.asyncDispose]();
    });
    const kith = (args: readonly string[], input?: string): Promise<Ended> =>
      folder.run(args, { environment: ENVIRONMENT, ...(input === undefined ? {} : { input }) });

    test("add, list, exists, passwd, remove", async () => {
      expect(await kith(["user", "add", "Romeo@localhost", "--password-stdin"], "under the balcony\n")).toEqual({
        code: 0,
        out: "",
        err: "romeo@localhost can log in.\n",
      });
      expect(await kith(["user", "exists", "romeo@localhost"])).toEqual({
        code: 0,
        out: "",
        err: "romeo@localhost exists.\n",
      });
      expect(await kith(["user", "exists", "juliet@localhost"])).toEqual({
        code: 1,
        out: "",
        err: "There is no account juliet@localhost.\n",
      });
      const generated = await kith(["user", "add", "juliet@localhost", "--generate"]);
      expect([generated.code, generated.out]).toEqual([0, expect.stringMatching(/^[A-Za-z0-9]{20}\n$/)]);
      expect((await kith(["user", "list"])).out).toBe("juliet@localhost\nromeo@localhost\n");
      expect((await kith(["user", "list", "localhost"])).out).toBe("juliet@localhost\nromeo@localhost\n");
      expect((await kith(["user", "passwd", "juliet@localhost", "--password-stdin"], "another one")).err).toBe(
        "juliet@localhost has a new password.\n",
      );
      expect((await kith(["user", "remove", "juliet@localhost"])).err).toBe("juliet@localhost is removed.\n");
      expect((await kith(["user", "list"])).out).toBe("romeo@localhost\n");
    });

    test.each([
      [["user", "add", "romeo@localhost", "--password-stdin"], "a good one", "kith: romeo@localhost is in use\n"],
      [
        ["user", "add", "short@localhost", "--password-stdin"],
        "abcd",
        "kith: The password must have at least 5 characters.\n",
      ],
      [["user", "add", "x@localhost", "--password-stdin"], "", "kith: there is no password on standard input\n"],
      [["user", "add", "x@localhost", "--password-stdin"], "\n", "kith: there is no password on standard input\n"],
      [["user", "add", "x@localhost", "--password-stdin"], "two\nlines\n", "kith: a password has one line only\n"],
      [
        ["user", "add", "x@localhost", "--password-stdin"],
        "x".repeat(9_000),
        "kith: what comes on standard input is too long for a password\n",
      ],
      [
        // Said before a password is asked for.
        ["user", "add", "foo"],
        "a good one",
        'kith: "foo" is not the address of an account; it would look like romeo@localhost\n',
      ],
      [
        ["user", "passwd", "romeo@example.net"],
        "a good one",
        'kith: there is no host "example.net" here; there is localhost\n',
      ],
      [
        ["user", "add", "x@localhost"],
        "a good one",
        "kith: no password: use --password-stdin or --generate, or a terminal\n",
      ],
      [
        ["user", "add", "x@example.net", "--generate"],
        "",
        'kith: there is no host "example.net" here; there is localhost\n',
      ],
      [
        ["user", "add", "x", "--generate"],
        "",
        'kith: "x" is not the address of an account; it would look like romeo@localhost\n',
      ],
      [["user", "passwd", "nobody@localhost", "--generate"], "", "kith: There is no such account.\n"],
      [["user", "remove", "nobody@localhost"], "", "kith: there is no account nobody@localhost\n"],
      [["user", "list", "example.net"], "", 'kith: there is no host "example.net" here; there is localhost\n'],
      [
        ["user", "add", "juliet@localhost", "--generate"],
        "",
        'kith: juliet@localhost was somebody\'s until lately; "--reuse" gives it away all the same\n',
      ],
    ])("what cannot be done is 1, and says why: %j", async (args, input, message) => {
      // A password that was made up for nothing is not shown.
      expect(await kith(args, input)).toEqual({ code: 1, out: "", err: message });
    });

    test("an invitation: the link alone on standard output", async () => {
      const made = await kith([
        "invite",
        "--account",
        "mercutio@localhost",
        "--contact",
        "romeo@localhost",
        "--expires",
        "2 d",
      ]);
      expect([made.code, made.out]).toEqual([
        0,
        expect.stringMatching(/^xmpp:mercutio@localhost\?register;preauth=[0-9a-z]{24}\n$/),
      ]);
      const id = /"kith invite revoke (\w+)"/.exec(made.err)?.[1] ?? "";
      const listed = await kith(["invite", "list"]);
      expect(listed.out).toMatch(
        new RegExp(
          `^${id} {2}mercutio@localhost {2}contact romeo@localhost {2}until \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC\n$`,
        ),
      );
      expect(await kith(["invite", "revoke", id])).toEqual({
        code: 0,
        out: "",
        err: `The invitation ${id} is withdrawn.\n`,
      });
      expect((await kith(["invite", "list", "localhost"])).out).toBe("");
      expect((await kith(["invite", "revoke", id])).code).toBe(1);
    });
  });
});

describe("a password at a terminal", () => {
  let folder: Folder;
  beforeAll(async () => {
    folder = await Folder.make();
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const typed = async (jid: string, first: string, second: string): Promise<Ended & { readonly line: CommandLine }> => {
    const line = folder.start(["user", "add", jid], {
      environment: { ...ENVIRONMENT, KITH_LOG_LEVEL: "silent" },
      terminal: true,
    });
    await line.until(({ err }) => err.includes("Password: "));
    line.input.write(first);
    if (second !== "") {
      await line.until(({ err }) => err.includes("Once more: "));
      line.input.write(second);
    }
    return { ...(await line.ended), line };
  };

  test("is asked for twice, and not shown", async () => {
    const { code, out, err, line } = await typed("romeo@localhost", "balcony\r", "balcony\n");
    expect([code, out]).toEqual([0, ""]);
    expect(err).toBe("Password: \nOnce more: \nromeo@localhost can log in.\n");
    expect(line.input.modes).toEqual([true, false, true, false]);
  });

  test("may be corrected", async () => {
    const { code } = await typed("juliet@localhost", "xxx\u0015bal\u0008\u007fxlcony\r", "bxlcony\r");
    expect(code).toBe(0);
  });

  test("two that are not the same", async () => {
    const { code, err } = await typed("tybalt@localhost", "balcony\r", "balconies\r");
    expect([code, err]).toEqual([1, expect.stringContaining("kith: the two are not the same\n")]);
  });

  test.each(["\u0003", "bal\u0004"])("given up (%j): the terminal is as it was", async (key) => {
    const { code, err, line } = await typed("tybalt@localhost", key, "");
    expect([code, err]).toEqual([1, expect.stringContaining("kith: given up\n")]);
    expect(line.input.modes.at(-1)).toBe(false);
  });
});

interface ReadyLine {
  readonly ready: boolean;
  readonly listeners: readonly { readonly kind: string; readonly address: string; readonly port: number }[];
  readonly hosts: readonly string[];
}

describe("kith start", () => {
  const started = async (options: Parameters<Folder["start"]>[1] = {}, args: readonly string[] = []) => {
    const folder = await Folder.make();
    const server = folder.start(["start", ...args], { environment: ENVIRONMENT, ...options });
    await Promise.race([server.until(({ out }) => out.includes("\n")), server.ended]);
    const stop = async (): Promise<Ended> => {
      server.signal("SIGTERM");
      const ended = await server.ended;
      await folder[Symbol.asyncDispose]();
      return ended;
    };
    return { folder, server, stop };
  };
  const readyLine = ({ out }: CommandLine): ReadyLine => JSON.parse(out) as ReadyLine;

  test("prints one line of JSON on standard output when it accepts streams; logs go elsewhere", async () => {
    const { server, stop } = await started();
    const ready = readyLine(server);
    expect(ready).toEqual({
      ready: true,
      listeners: [
        { kind: "c2s", address: "127.0.0.1", port: expect.any(Number) },
        { kind: "c2s-tls", address: "127.0.0.1", port: expect.any(Number) },
      ],
      hosts: ["localhost"],
    });
    const socket = connect(ready.listeners[0]?.port ?? 0, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.destroy();
    const { code, out, err } = await stop();
    expect([code, out.split("\n")]).toEqual([0, [expect.any(String), ""]]);
    for (const line of err.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
  });

  test("tells somebody at a terminal what to connect to and how to make an account", async () => {
    const { server, stop } = await started({
      terminal: true,
      environment: { ...ENVIRONMENT, KITH_LOG_LEVEL: "silent" },
    });
    const { listeners } = readyLine(server);
    expect(server.err).toContain("Kith serves localhost.");
    expect(server.err).toContain(
      `Connect a client to:  localhost, port ${listeners[0]?.port} (STARTTLS) or port ${listeners[1]?.port} (TLS)`,
    );
    expect(server.err).toMatch(/Make an account: +kith user add you@localhost/);
    expect(server.err).toMatch(/Invite somebody: +kith invite/);
    expect(server.err).toContain("certificate is one of the server's own making");
    await stop();
  });

  test("a program that starts it reads nothing but the log on standard error", async () => {
    const { server, stop } = await started({ environment: { ...ENVIRONMENT, npm_lifecycle_event: "test" } });
    expect(
      server.err
        .trimEnd()
        .split("\n")
        .map((text) => typeof JSON.parse(text)),
    ).not.toContain("string");
    await stop();
  });

  test("started by npm it says so wherever it writes to, and names the command as npm finds it", async () => {
    const { server, stop } = await started({
      environment: { ...ENVIRONMENT, npm_lifecycle_event: "start" },
    });
    expect(server.err).toContain("npx kith user add you@localhost");
    await stop();
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s: open streams end with system-shutdown, and the command with 0",
    async (signal) => {
      const { folder, server } = await started();
      const socket = connect(readyLine(server).listeners[0]?.port ?? 0, "127.0.0.1");
      let received = "";
      const closed = new Promise((resolve) => socket.once("close", resolve));
      const greeted = new Promise<void>((resolve) => {
        socket.on("data", (bytes: Buffer) => {
          received += bytes.toString();
          if (received.includes("</stream:features>")) resolve();
          if (received.includes("</stream:stream>")) socket.end("</stream:stream>");
        });
      });
      socket.write(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>",
      );
      await greeted;
      server.signal(signal);
      await closed;
      expect(received).toContain("<system-shutdown ");
      expect((await server.ended).code).toBe(0);
      expect(existsSync(join(folder.path, "data", "control.sock"))).toBe(false);
      await folder[Symbol.asyncDispose]();
    },
  );

  test("a second signal ends it at once", async () => {
    const { server, stop } = await started();
    server.signal("SIGINT");
    server.signal("SIGINT");
    expect(server.exits).toEqual([1]);
    await stop();
  });

  test("something that nobody caught: it is logged, and the process ends with 1", async () => {
    const { server, stop } = await started();
    server.defect(new TypeError("the moon is full"));
    expect(server.exits).toEqual([1]);
    expect(server.err).toContain("the moon is full");
    await stop();
  });

  test("the data is in use by another server", async () => {
    const { folder, stop } = await started();
    const second = await folder.run(["start"], { environment: ENVIRONMENT });
    expect([second.code, second.out, second.err]).toEqual([
      1,
      "",
      expect.stringMatching(/^kith: the data in .*data is in use by process \d+\n$/),
    ]);
    await stop();
  });

  test("a port that is in use: a sentence, and nothing stays open", async () => {
    const { server, stop } = await started();
    const { port } = readyLine(server).listeners[0] ?? {};
    const other = await Folder.make();
    const second = await other.run(["start"], { environment: { ...ENVIRONMENT, KITH_C2S_PORT: String(port) } });
    expect([second.code, second.out]).toEqual([1, ""]);
    expect(second.err).toContain(`kith: port ${port} of 127.0.0.1 is in use by another program\n`);
    // Its data is free again.
    expect((await other.run(["user", "list"], { environment: ENVIRONMENT })).code).toBe(0);
    await other[Symbol.asyncDispose]();
    await stop();
  });

  test("an address that is not this machine's", async () => {
    const { server, stop } = await started({ environment: { ...ENVIRONMENT, KITH_ADDRESS: "192.0.2.1" } });
    const { code, err } = await server.ended;
    expect([code, err]).toEqual([1, expect.stringContaining("kith: 192.0.2.1 is no address of this machine\n")]);
    await stop();
  });

  test("a store that cannot be opened", async () => {
    const parts = { ...realParts, openStore: () => Promise.reject(new Error("the disk is on fire")) };
    const { server, stop } = await started({ parts });
    const { code, err } = await server.ended;
    expect([code, err]).toEqual([1, expect.stringContaining("kith: Error: the disk is on fire")]);
    await stop();
  });

  test("streams that do not end in time do not keep it", async () => {
    const stores: Store[] = [];
    const parts: typeof realParts = {
      ...realParts,
      openStore: async (config, log) => {
        const store = await realParts.openStore(config, log);
        stores.push(store);
        return store;
      },
      createApp: async (...args) => {
        const app = await realParts.createApp(...args);
        const stop = app.stop.bind(app);
        return Object.assign(app, { stop: () => stop().then(() => new Promise<void>(() => undefined)) });
      },
    };
    const folder = await Folder.make();
    await folder.write("kith.config.mjs", "export default { timeouts: { shutdown: 100 } };");
    const server = folder.start(["start", "-c", "kith.config.mjs"], { environment: ENVIRONMENT, parts });
    await server.until(({ out }) => out.includes("\n"));
    server.signal("SIGTERM");
    const { code, err } = await server.ended;
    expect([code, err]).toEqual([0, expect.stringContaining("some streams did not end in time")]);
    // The process would end here.
    await stores[0]?.close();
    await folder[Symbol.asyncDispose]();
  });
});

describe("a running server is asked", () => {
  let folder: Folder;
  let server: CommandLine;
  const environment = { ...ENVIRONMENT, KITH_LOG_LEVEL: "" };
  beforeAll(async () => {
    folder = await Folder.make();
    await folder.write(
      "kith.config.json.mjs",
      "import { readFileSync } from 'node:fs';\nexport default JSON.parse(readFileSync(new URL('./options.json', import.meta.url)));",
    );
    await folder.write("options.json", "{}");
    server = folder.start(["start", "-c", "kith.config.json.mjs"], { environment });
    await server.until(({ out }) => out.includes("\n"));
  });
  afterAll(async () => {
    server.signal("SIGTERM");
    await server.ended;
    await folder[Symbol.asyncDispose]();
  });
  const kith = (...args: string[]): Promise<Ended> =>
    folder.run([...args, "-c", "kith.config.json.mjs"], { environment });

  test("kith status", async () => {
    const { code, out } = await kith("status");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      pid: process.pid,
      version: "1.2.3",
      since: expect.any(Number),
      hosts: ["localhost"],
      listeners: expect.any(Array),
      streams: 0,
      timers: expect.any(Number),
      resources: expect.any(Object),
    });
  });

  test("kith reload, SIGHUP: what can change does, what cannot is named", async () => {
    expect((await kith("reload")).err).toBe("Nothing has changed.\n");
    await folder.write(
      "options.json",
      JSON.stringify({ passwords: { minimumLength: 30 }, limits: { rosterItems: 7 }, log: { level: "debug" } }),
    );
    expect((await kith("reload")).err).toBe("Changed: passwords, log.\nAt the next start: limits.\n");
    const refused = await folder.run(["user", "add", "x@localhost", "--password-stdin", "-c", "kith.config.json.mjs"], {
      environment,
      input: "long enough before",
    });
    expect(refused.err).toContain("at least 30 characters");
    await folder.write("options.json", "{}");
    const before = server.err.length;
    server.signal("SIGHUP");
    await server.until(({ err }) => err.slice(before).includes("configuration read again"));
    expect((await kith("reload")).err).toBe("Nothing has changed.\n");
  });

  test("a configuration that cannot be used changes nothing; each problem is logged", async () => {
    await folder.write("options.json", JSON.stringify({ log: { level: "loud" }, lgo: {} }));
    const before = server.err.length;
    server.signal("SIGHUP");
    await server.until(({ err }) => err.slice(before).split("the old one stays").length > 2);
    expect(server.err.slice(before)).toContain("log.level: found");
    await folder.write("options.json", "{}");
    expect((await kith("reload")).code).toBe(0);
  });

  test("a server that does not run is not asked", async () => {
    const other = await Folder.make();
    for (const command of ["status", "reload"]) {
      expect(await other.run([command])).toEqual({ code: 1, out: "", err: "kith: the server is not running\n" });
    }
    expect(existsSync(join(other.path, "data"))).toBe(false);
    await other[Symbol.asyncDispose]();
  });
});
