import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BareJid } from "@kith/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { onOneRouter, stage } from "../../test/registration-stage.ts";
import type { Log } from "../router/log.ts";
import { connectControl } from "./control-client.ts";
import { type ControlServer, openControl } from "./control-server.ts";
import { type Operated, OperationError, type Operator, operate } from "./operations.ts";
import { controlPath, Lines, LONGEST_LINE, parseAnswer, parseRequest } from "./protocol.ts";

const ROMEO = "romeo@example.org" as BareJid;

describe("lines", () => {
  test("come in pieces, and several at once", () => {
    const lines = new Lines();
    expect([...lines.take('{"a"')]).toEqual([]);
    expect([...lines.take(':1}\n\n{"b":2}\n{"c"')]).toEqual(['{"a":1}', '{"b":2}']);
    expect([...lines.take(":3}\r\n")]).toEqual(['{"c":3}\r']);
  });

  test("one without end is not waited for", () => {
    const lines = new Lines();
    expect(() => [...lines.take("x".repeat(LONGEST_LINE + 1))]).toThrow(RangeError);
  });
});

describe("requests are checked", () => {
  test("a good one", () => {
    expect(parseRequest('{"do":"user exists","with":{"jid":"romeo@example.org"}}')).toEqual({
      do: "user exists",
      with: { jid: ROMEO },
    });
  });

  test.each([
    "",
    "romeo",
    "null",
    "[]",
    "{}",
    '{"do":"user exists"}',
    '{"do":"toString","with":{}}',
    '{"do":"__proto__","with":{}}',
    '{"do":"user exists","with":{}}',
    '{"do":"user exists","with":{"jid":3}}',
    '{"do":"user exists","with":{"jid":"a@b","more":1}}',
    '{"do":"user exists","with":{"jid":"a@b"},"more":1}',
    '{"do":"invite create","with":{"expireMs":-1}}',
    `{"do":"user exists","with":{"jid":"${"x".repeat(5_000)}"}}`,
  ])("%.60s", (line) => {
    expect(() => parseRequest(line)).toThrow(OperationError);
  });

  test.each(["", "1", "null", '{"what":1}'])("an answer that is none: %j", (line) => {
    expect(() => parseAnswer(line)).toThrow(OperationError);
  });
});

describe("the control socket", () => {
  let directory: string;
  let server: ControlServer | undefined;
  const logged: unknown[] = [];
  const log: Log = {
    error: (fields, text) => logged.push([text, fields]),
    warn: () => undefined,
    info: (fields, text) => logged.push([text, fields]),
    debug: () => undefined,
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kith-control-"));
    logged.length = 0;
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  /** A server with romeo's account, and a client of it. */
  const opened = async (change: (on: Operated) => Operated = (on) => on): Promise<Operator> => {
    const { config, store, accounts, invitations, scene } = await stage(onOneRouter, { users: [ROMEO] });
    const app = {
      accounts,
      invitations,
      perform: async () => undefined,
      removeAccount: (account: BareJid) => scene.removeAccount(account),
    };
    server = await openControl(directory, change({ config, store, app }), log);
    return reached();
  };
  const reached = async (): Promise<Operator> => {
    const operator = await connectControl(directory);
    if (operator === undefined) throw new Error("nobody answers");
    return operator;
  };

  test("only its owner can open it", async () => {
    const operator = await opened();
    expect((await stat(controlPath(directory))).mode & 0o777).toBe(0o600);
    await operator.close();
  });

  test("operations, one after the other and all at once", async () => {
    const operator = await opened();
    expect(await operator.run("user exists", { jid: "Romeo@example.org" })).toEqual({ jid: ROMEO, exists: true });
    const [added, listed] = await Promise.all([
      operator.run("user add", { jid: "juliet@example.org", password: "under the balcony", reuseAddress: false }),
      operator.run("user list", {}),
    ]);
    expect([added, listed]).toEqual([{ jid: "juliet@example.org" }, { users: ["juliet@example.org", ROMEO] }]);
    await operator.close();
  });

  test("a refusal is a sentence, and the connection goes on", async () => {
    const operator = await opened();
    const refused = operator.run("user add", { jid: ROMEO, password: "under the balcony", reuseAddress: false });
    await expect(refused).rejects.toEqual(new OperationError("romeo@example.org is in use"));
    expect((await operator.run("user exists", { jid: ROMEO })).exists).toBe(true);
    await operator.close();
  });

  test("passwords are not logged", async () => {
    const operator = await opened();
    await operator.run("user passwd", { jid: ROMEO, password: "correct horse" });
    expect(JSON.stringify(logged)).toContain("user passwd");
    expect(JSON.stringify(logged)).not.toContain("correct horse");
    await operator.close();
  });

  test("a defect is logged, and told as one", async () => {
    const operator = await opened((on) => ({
      ...on,
      store: { accounts: { list: () => Promise.reject(new Error("boom")) } as never },
    }));
    await expect(operator.run("user list", {})).rejects.toThrow("the server failed; its log says more");
    expect(logged).toContainEqual(["defect", { err: expect.objectContaining({ message: "boom" }) }]);
    await operator.close();
  });

  /** What is sent as it stands, and what came back until the other side ended. */
  const raw = (send: (socket: Socket) => void): Promise<string> =>
    new Promise((resolve, reject) => {
      let received = "";
      const socket = connect(controlPath(directory), () => send(socket));
      socket.setEncoding("utf8");
      socket.on("data", (text: string) => {
        received += text;
        if (received.endsWith("\n")) socket.end();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(received));
    });

  test("garbage is answered, or the connection ends; the server does not mind", async () => {
    const operator = await opened();
    expect(await raw((socket) => socket.write("garbage\n"))).toBe('{"error":"not JSON","refused":true}\n');
    expect(await raw((socket) => socket.write("x".repeat(LONGEST_LINE + 1)))).toBe("");
    expect(await raw((socket) => socket.write(Buffer.from([0xff, 0xfe, 0x0a])))).toContain('"error"');
    expect(await raw((socket) => socket.destroy())).toBe("");
    expect((await operator.run("user exists", { jid: ROMEO })).exists).toBe(true);
    await operator.close();
  });

  test("who goes away before the answer is not waited for", async () => {
    const operator = await opened();
    await raw((socket) => socket.end('{"do":"user list","with":{}}\n', () => socket.destroy()));
    expect((await operator.run("user exists", { jid: ROMEO })).exists).toBe(true);
    await operator.close();
  });

  test("closing answers what is under way, then ends connections", async () => {
    const operator = await opened();
    const asked = operator.run("user add", {
      jid: "juliet@example.org",
      password: "under the balcony",
      reuseAddress: false,
    });
    await operator.run("user exists", { jid: ROMEO }).catch(() => undefined);
    await server?.close();
    server = undefined;
    expect(await asked).toEqual({ jid: "juliet@example.org" });
    await expect(operator.run("user list", {})).rejects.toThrow("the server went away");
    await operator.close();
    expect(await connectControl(directory)).toBeUndefined();
  });

  test("a socket that was left behind is not in the way", async () => {
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(join(directory, "control.sock"), resolve));
    const holder = await connectControl(directory);
    expect(holder).toBeDefined();
    await holder?.close();
    await new Promise((resolve) => stale.close(resolve));
    await writeFile(join(directory, "control.sock"), "");
    const operator = await opened();
    expect((await operator.run("user exists", { jid: ROMEO })).exists).toBe(true);
    await operator.close();
  });

  test("nobody there", async () => {
    expect(await connectControl(directory)).toBeUndefined();
    expect(await connectControl(join(directory, "nowhere"))).toBeUndefined();
  });

  test("a server that answers with something else", async () => {
    const strange = createServer((socket) => socket.on("data", () => socket.write("hello\n")));
    await new Promise<void>((resolve) => strange.listen(controlPath(directory), resolve));
    const operator = await reached();
    await expect(operator.run("user list", {})).rejects.toThrow(OperationError);
    await operator.close();
    await new Promise((resolve) => strange.close(resolve));
  });

  test("a server that goes away without an answer", async () => {
    const rude = createServer((socket) => socket.on("data", () => socket.destroy()));
    await new Promise<void>((resolve) => rude.listen(controlPath(directory), resolve));
    const operator = await reached();
    await expect(operator.run("user list", {})).rejects.toThrow("the server went away");
    await new Promise((resolve) => rude.close(resolve));
  });

  test("a directory whose name is too long for a socket is told as what it is", async () => {
    const long = join(directory, "d".repeat(100));
    await mkdir(long);
    expect(() => controlPath(long)).toThrow(/^storage\.directory: found a name of \d+ bytes; allowed: up to 90/);
    await expect(connectControl(long)).rejects.toThrow(OperationError);
  });
});

describe("operations", () => {
  const on = async (options: Parameters<typeof stage>[1] = {}) => {
    const staged = await stage(onOneRouter, { users: [ROMEO], ...options });
    const performed: unknown[] = [];
    const operated: Operated = {
      config: staged.config,
      store: staged.store,
      app: {
        accounts: staged.accounts,
        invitations: staged.invitations,
        perform: async (effects) => void performed.push(...effects()),
        removeAccount: (account) => staged.scene.removeAccount(account),
      },
    };
    return { ...staged, performed, run: ((name, request) => operate(name, request, operated)) as Operator["run"] };
  };

  test.each([
    ["romeo", '"romeo" is not the address of an account; it would look like romeo@example.org'],
    ["example.org", '"example.org" is not the address of an account; it would look like romeo@example.org'],
    [
      "romeo@example.org/x",
      '"romeo@example.org/x" is not the address of an account; it would look like romeo@example.org',
    ],
    ["a b@example.org", '"a b@example.org" is not the address of an account; it would look like romeo@example.org'],
    ["romeo@example.net", 'there is no host "example.net" here; there is example.org'],
    ["", '"" is not the address of an account; it would look like romeo@example.org'],
  ])("an address that is none here: %j", async (jid, message) => {
    const { run } = await on();
    await expect(run("user add", { jid, password: "under the balcony", reuseAddress: false })).rejects.toEqual(
      new OperationError(message),
    );
    await expect(run("user exists", { jid })).rejects.toEqual(new OperationError(message));
  });

  test("a user is added, and may have a name that strangers may not take", async () => {
    const { run, accounts } = await on();
    await run("user add", { jid: "admin@example.org", password: "under the balcony", reuseAddress: false });
    expect(await accounts.verifyPassword("admin@example.org" as BareJid, "under the balcony")).toBe(true);
  });

  test("a password that the policy refuses", async () => {
    const { run } = await on();
    const added = run("user add", { jid: "juliet@example.org", password: "abcd", reuseAddress: false });
    await expect(added).rejects.toEqual(new OperationError("The password must have at least 5 characters."));
  });

  test("the address of a removed account: how to have it all the same", async () => {
    const { run } = await on();
    await run("user remove", { jid: ROMEO });
    const order = { jid: ROMEO, password: "under the balcony" };
    await expect(run("user add", { ...order, reuseAddress: false })).rejects.toThrow(
      '"--reuse" gives it away all the same',
    );
    await run("user add", { ...order, reuseAddress: true });
  });

  test("a name that is kept for somebody", async () => {
    const { run } = await on();
    await run("invite create", { account: "juliet@example.org" });
    const added = run("user add", { jid: "juliet@example.org", password: "under the balcony", reuseAddress: false });
    await expect(added).rejects.toThrow("juliet@example.org is kept for somebody who has been invited");
  });

  test("a changed password ends the account's sessions", async () => {
    const { run, performed, accounts } = await on();
    await run("user passwd", { jid: ROMEO, password: "in the tomb" });
    expect(performed).toEqual([expect.objectContaining({ do: "endSessions", account: ROMEO, condition: "reset" })]);
    expect(await accounts.verifyPassword(ROMEO, "in the tomb")).toBe(true);
    await expect(run("user passwd", { jid: "juliet@example.org", password: "in the tomb" })).rejects.toThrow(
      "There is no such account.",
    );
  });

  test("an account that is not there cannot be removed", async () => {
    const { run } = await on();
    await expect(run("user remove", { jid: "juliet@example.org" })).rejects.toEqual(
      new OperationError("there is no account juliet@example.org"),
    );
  });

  test("the users of one host", async () => {
    const { run } = await on({ hosts: { "example.org": {}, "example.net": {} }, users: [ROMEO, "juliet@example.net"] });
    expect(await run("user list", { host: "EXAMPLE.net" })).toEqual({ users: ["juliet@example.net"] });
    expect((await run("user list", {})).users).toHaveLength(2);
    await expect(run("user list", { host: "example.com" })).rejects.toThrow("there is example.org, example.net");
  });

  test("invitations are made, listed and withdrawn", async () => {
    const { run, clock } = await on();
    const plain = await run("invite create", {});
    const named = await run("invite create", { account: "Juliet@example.org", contact: ROMEO, expireMs: 3_600_000 });
    const contact = await run("invite create", { contact: ROMEO });
    expect([plain.uri, named.uri, contact.uri]).toEqual([
      expect.stringMatching(/^xmpp:example\.org\?register;preauth=/),
      expect.stringMatching(/^xmpp:juliet@example\.org\?register;preauth=/),
      expect.stringMatching(/^xmpp:romeo@example\.org\?roster;preauth=.*;ibr=y$/),
    ]);
    expect(named.expires).toBe(clock.now() + 3_600_000);
    const { invitations } = await run("invite list", {});
    expect(invitations.map(({ to, account, contact: inviter }) => [to, account, inviter])).toEqual(
      expect.arrayContaining([
        ["account", undefined, undefined],
        ["account", "juliet@example.org", ROMEO],
        ["contact", undefined, ROMEO],
      ]),
    );
    await run("invite revoke", { id: named.id.slice(0, 10) });
    expect((await run("invite list", { host: "example.org" })).invitations).toHaveLength(2);
    await expect(run("invite revoke", { id: named.id })).rejects.toThrow(OperationError);
    await expect(run("invite revoke", { id: "" })).rejects.toThrow(OperationError);
  });

  test.each([
    [{ contact: "juliet@example.org" }, "there is no account juliet@example.org"],
    [{ account: ROMEO }, "romeo@example.org is in use"],
    [{ host: "example.com" }, "there is no host"],
    [{}, "say which host with --host; there is example.org, example.net"],
    [{ host: "example.net", contact: ROMEO }, "have to be at one host"],
    [{ account: "juliet@example.net", contact: ROMEO }, "have to be at one host"],
    [{ account: "juliet@example.net" }, 'nobody can register at example.net: "registration" is "closed" there'],
  ])("an invitation that cannot be: %o", async (request, message) => {
    const { run } = await on({ hosts: { "example.org": {}, "example.net": { registration: "closed" } } });
    await expect(run("invite create", request)).rejects.toThrow(message);
  });

  test("a server that does not run has no status", async () => {
    const { run } = await on();
    await expect(run("status", {})).rejects.toThrow("the server is not running");
    await expect(run("reload", {})).rejects.toThrow("the server is not running");
  });

  test("what is not refused but broken stays what it is", async () => {
    const staged = await on();
    staged.writer.failNext();
    await expect(staged.run("user passwd", { jid: ROMEO, password: "in the tomb" })).rejects.toThrow(
      "It could not be stored.",
    );
  });
});
