import { connect } from "node:net";
import { join } from "node:path";
import { atServer, XmppJs } from "@kith/testing/clients";
import { type KithServer, kith, PROGRAM, Program, runtime, startServer } from "@kith/testing/process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const ROOT = join(import.meta.dirname, "../../../..");
const MAIN = join(ROOT, "packages/server/src/main.ts");

describe(`kith start (${runtime})`, () => {
  test("says in one line of JSON what it serves, and nothing else on standard output", async () => {
    await using server = await startServer({ config: { hosts: { localhost: {}, "verona.example": {} } } });
    expect(server.hosts).toEqual(["localhost", "verona.example"]);
    const listeners = [
      { kind: "c2s", address: "127.0.0.1", port: expect.any(Number) },
      { kind: "c2s-tls", address: "127.0.0.1", port: expect.any(Number) },
    ];
    expect(server.output.map((line) => JSON.parse(line))).toEqual([{ ready: true, listeners, hosts: server.hosts }]);
    expect(server.port("c2s")).toBeGreaterThan(0);
    expect(server.port("c2s-tls")).not.toBe(server.port("c2s"));
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "RFC 6120 §4.9.3.20: on %s every stream ends with system-shutdown, and the process with 0",
    async (signal) => {
      await using server = await startServer();
      await server.addUser("romeo@localhost", PASSWORD);
      const login = (tls: "starttls" | "direct"): Promise<XmppJs> =>
        XmppJs.login({ jid: "romeo@localhost", password: PASSWORD }, atServer(server, tls));
      const clients = await Promise.all([login("starttls"), login("direct")]);
      server.kill(signal);
      expect(await Promise.all(clients.map(({ disconnected }) => disconnected))).toEqual([
        "system-shutdown",
        "system-shutdown",
      ]);
      expect(await server.exited).toBe(0);
    },
  );

  test("ends although somebody who is connected never answers", async () => {
    await using server = await startServer({ config: { timeouts: { close: "100 ms" } } });
    const silent = connect({ port: server.port("c2s"), host: "127.0.0.1", allowHalfOpen: true });
    await new Promise((resolve) => silent.once("connect", resolve));
    silent.on("error", () => {
      // It may be reset.
    });
    silent.write("<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' ");
    expect(await server.stop()).toBe(0);
    silent.destroy();
  });

  test("goes on although nobody reads its log any more", async () => {
    await using server = await startServer();
    await server.stop();
    const deaf = new Program(PROGRAM, [MAIN, "start", "--config", server.configFile]);
    await deaf.output.next("the line that says it is ready", (line) => line.includes('"ready":true'));
    deaf.closeErrors();
    for (const name of ["one", "two", "three"]) await server.addUser(`${name}@localhost`, PASSWORD);
    expect((await server.kith(["status"])).code).toBe(0);
    deaf.kill("SIGTERM");
    expect(await deaf.exited).toBe(0);
  });

  test("says in a sentence that its port is taken, and that its data directory is", async () => {
    await using server = await startServer();
    const port = server.port("c2s");
    const listeners = [{ kind: "c2s", address: "127.0.0.1", port }];
    const taken = await startServer({ config: { listeners } }).then(undefined, (error: Error) => error);
    expect(String(taken)).toContain(`port ${port} of 127.0.0.1 is in use`);
    const second = await server.kith(["start"]);
    expect(second.code).toBe(1);
    expect(second.output).toBe("");
    expect(second.errors).toMatch(/in use/);
  });

  test("is what npm start runs, with its arguments, signals and exit code", async () => {
    await using server = await startServer();
    await server.stop();
    const args = [...(runtime === "bun" ? ["--bun"] : []), "--config", server.configFile];
    const npmStart = new Program(process.execPath, [join(ROOT, "scripts/start.mjs"), ...args]);
    await npmStart.output.next("the line that says it is ready", (line) => line.includes('"ready":true'));
    npmStart.kill("SIGTERM");
    expect(await npmStart.exited).toBe(0);
    const help = new Program(process.execPath, [join(ROOT, "scripts/start.mjs"), ...args.slice(0, -2), "--help"]);
    expect(await help.exited).toBe(0);
    const wrong = new Program(process.execPath, [join(ROOT, "scripts/start.mjs"), ...args.slice(0, -2), "--no-such"]);
    expect(await wrong.exited).toBe(2);
  });
});

describe(`the kith command (${runtime})`, () => {
  const COMMANDS = [
    [],
    ["start"],
    ["check"],
    ["status"],
    ["reload"],
    ["user"],
    ["user", "add"],
    ["user", "passwd"],
    ["user", "remove"],
    ["user", "list"],
    ["user", "exists"],
    ["invite"],
    ["invite", "list"],
    ["invite", "revoke"],
  ];
  test.each(COMMANDS.map((command) => ({ command, name: ["kith", ...command].join(" ") })))(
    "$name --help explains it, with exit code 0",
    async ({ command, name }) => {
      const { code, output, errors } = await kith([...command, "--help"]);
      expect(code).toBe(0);
      expect(output).toContain(`Usage: ${name}`);
      expect(errors).toBe("");
    },
  );

  test("knows nothing but its commands and options: exit code 2", async () => {
    for (const args of [["stop"], ["start", "--fast"], ["user", "add"], ["user", "add", "a@localhost", "more"]]) {
      const { code, output, errors } = await kith(args);
      expect(code, args.join(" ")).toBe(2);
      expect(output).toBe("");
      expect(errors).toMatch(/^error: /);
    }
  });
});

describe(`kith check (${runtime})`, () => {
  let server: KithServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  test("says that a configuration is all right", async () => {
    const { code, errors } = await server.kith(["check"]);
    expect(code).toBe(0);
    expect(errors).toContain("all right");
  });

  test("prints every error at once, each with its key, what was found and what is allowed", async () => {
    const missing = join(server.folder, "nothing.pem");
    await server.configure({
      hosts: { "not a domain": {}, localhost: { registration: "sometimes" } },
      timeouts: { close: "soon" },
      limits: { rosterItems: -1, nonsense: 1 },
      log: { level: "loud" },
      colour: "red",
    });
    const { code, output, errors } = await server.kith(["check"]);
    expect(code).toBe(3);
    expect(output).toBe("");
    for (const key of [
      "not a domain",
      "registration",
      "timeouts.close",
      "limits.rosterItems",
      "limits.nonsense",
      "log.level",
      "colour",
    ]) {
      expect(errors).toContain(key);
    }
    for (const found of ["sometimes", "soon", "-1", "loud"]) expect(errors).toContain(found);
    expect(errors).toContain("allowed:");
    expect((await server.kith(["start"])).code).toBe(3);

    await server.configure({ certificate: missing, key: missing });
    const files = await server.kith(["check"]);
    expect(files.code).toBe(3);
    expect(files.errors).toContain(missing);
    await server.configure({});
  });
});
