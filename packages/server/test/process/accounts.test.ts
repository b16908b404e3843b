import { atServer, Refused, XmppJs } from "@kith/testing/clients";
import { type KithServer, runtime, startServer } from "@kith/testing/process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";

describe(`kith user, while the server runs and while it does not (${runtime})`, () => {
  let server: KithServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  const login = (jid: string, password = PASSWORD): Promise<XmppJs> =>
    XmppJs.login({ jid, password }, atServer(server, "starttls"));

  test("an account that is added can log in at once; a second one of the name is refused", async () => {
    await server.addUser("romeo@localhost", PASSWORD);
    await (await login("romeo@localhost")).leave();
    const again = await server.kith(["user", "add", "Romeo@LOCALHOST", "--password-stdin"], PASSWORD);
    expect(again.code).toBe(1);
    expect(again.errors).toContain("in use");
  });

  test("the password is read from standard input only, and kept to the policy", async () => {
    const short = await server.kith(["user", "add", "short@localhost", "--password-stdin"], "abcd");
    expect(short.code).toBe(1);
    const none = await server.kith(["user", "add", "none@localhost", "--password-stdin"], "");
    expect(none.code).toBe(1);
    const elsewhere = await server.kith(["user", "add", "a@elsewhere.example", "--password-stdin"], PASSWORD);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.errors).toContain("elsewhere.example");
    expect((await server.kith(["user", "list"])).output).not.toMatch(/short|none|elsewhere/);
  });

  test("exists and list tell who there is", async () => {
    await server.addUser("benvolio@localhost", PASSWORD);
    expect((await server.kith(["user", "exists", "benvolio@localhost"])).code).toBe(0);
    expect((await server.kith(["user", "exists", "nobody@localhost"])).code).toBe(1);
    expect((await server.kith(["user", "list"])).output.split("\n")).toContain("benvolio@localhost");
  });

  test("a changed password ends the account's sessions, and only the new one opens it", async () => {
    await server.addUser("tybalt@localhost", PASSWORD);
    const client = await login("tybalt@localhost");
    const changed = await server.kith(["user", "passwd", "tybalt@localhost", "--password-stdin"], "prince of cats");
    expect(changed.code).toBe(0);
    expect(await client.disconnected).toBeDefined();
    await expect(login("tybalt@localhost")).rejects.toThrow(Refused);
    await (await login("tybalt@localhost", "prince of cats")).leave();
  });

  test("an account that is removed is out at once, with not-authorized", async () => {
    await server.addUser("paris@localhost", PASSWORD);
    const client = await login("paris@localhost");
    expect((await server.kith(["user", "remove", "paris@localhost"])).code).toBe(0);
    expect(await client.disconnected).toBe("not-authorized");
    await expect(login("paris@localhost")).rejects.toMatchObject({ condition: "not-authorized" });
    expect((await server.kith(["user", "exists", "paris@localhost"])).code).toBe(1);
  });

  test("what is done while the server is stopped is there when it starts", async () => {
    await server.stop();
    await server.addUser("rosaline@localhost", PASSWORD);
    expect((await server.kith(["user", "list"])).output.split("\n")).toContain("rosaline@localhost");
    await server.start();
    await (await login("rosaline@localhost")).leave();
  });

  test("neither password nor message is in the log", async () => {
    await server.stop();
    await server.configure({ log: { level: "debug" } });
    await server.start();
    await server.addUser("nurse@localhost", "a most secret password");
    const client = await login("nurse@localhost", "a most secret password");
    await client.say("nurse@localhost", "a most private message");
    await client.whenTold("nurse@localhost", "a most private message");
    await expect(login("nurse@localhost", "another secret word")).rejects.toThrow(Refused);
    await client.leave();
    await server.stop();
    const log = server.log.join("\n");
    expect(log).toContain("nurse@localhost");
    expect(log).not.toMatch(/secret password|private message|another secret/);
  });
});
