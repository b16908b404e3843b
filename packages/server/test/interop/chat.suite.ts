import { type At, atServer, type ChatClient, type ClientKind, Refused, XmppJs } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";

/**
 * What people do with a client, against a server process over real sockets with TLS. The client under test is one of
 * them; the other is `@xmpp/client`, whose stanzas can be looked at.
 */
export const chatSuite = (kind: ClientKind, tls: At["tls"]): void => {
  const name = `${kind.name} over ${tls === "direct" ? "direct TLS" : "STARTTLS"}`;
  if (kind.missing === undefined) describe(name, () => chatTests(kind, tls));
  else describe.skip(`${name} (${kind.missing})`, () => chatTests(kind, tls));
};

const chatTests = (kind: ClientKind, tls: At["tls"]): void => {
  let server: KithServer;
  const clients: ChatClient[] = [];

  beforeAll(async () => {
    server = await startServer({
      config: { hosts: { localhost: { registration: kind.takesInvitations ? "invitation" : "open" } } },
    });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.kill()));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const at = (): At => atServer(server, tls);
  /** Accounts of this test's own. */
  const accounts = async (...names: string[]): Promise<string[]> => {
    const jids = names.map((localpart) => `${localpart}@localhost`);
    await Promise.all(jids.map((jid) => server.addUser(jid, PASSWORD)));
    return jids;
  };
  const keep = <C extends ChatClient>(client: C): C => {
    clients.push(client);
    return client;
  };
  const login = async (jid: string, password = PASSWORD): Promise<ChatClient> =>
    keep(await kind.login({ jid, password }, at()));
  const loginPeer = async (jid: string): Promise<XmppJs> => keep(await XmppJs.login({ jid, password: PASSWORD }, at()));

  test("RFC 6120 §6.4.6: logs in with the password", async () => {
    const [romeo = ""] = await accounts("login");
    const client = await login(romeo);
    await client.leave();
  });

  test("RFC 6120 §6.5.10: a wrong password is refused, and the right one taken afterwards", async () => {
    const [romeo = ""] = await accounts("wrong");
    const refused = await login(romeo, "not-this-one").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refused);
    expect(refused).toMatchObject({ condition: "not-authorized" });
    await (await login(romeo)).leave();
  });

  test("RFC 6121 §2.3: a contact that is added is on the roster of every resource, and after the next login", async () => {
    const [romeo = "", juliet = ""] = await accounts("adds", "added");
    const contact = { jid: juliet, name: "Giulietta", subscription: "none" } as const;
    const elsewhere = await loginPeer(romeo);
    const client = await login(romeo);
    await client.addContact(juliet, contact.name);
    await elsewhere.whenContact(contact);
    await client.leave();
    await (await login(romeo)).whenContact(contact);
  });

  test("RFC 6121 §3.1, §4: two people subscribe to each other and see each other come and go", async () => {
    const [romeo = "", juliet = ""] = await accounts("romeo", "juliet");
    const client = await login(romeo);
    const peer = await loginPeer(juliet);
    await client.addContact(juliet, "Giulietta");
    await client.askForPresence(juliet);
    await peer.whenAsked(romeo);
    await peer.allowPresence(romeo);
    await client.whenAvailable(juliet);
    await peer.askForPresence(romeo);
    await client.whenAsked(juliet);
    await client.allowPresence(juliet);
    await peer.whenAvailable(romeo);
    await client.whenContact({ jid: juliet, name: "Giulietta", subscription: "both" });
    await peer.whenContact({ jid: romeo, name: undefined, subscription: "both" });

    await peer.leave();
    await client.whenUnavailable(juliet);
    const again = await loginPeer(juliet);
    await again.whenAvailable(romeo);
    await client.leave();
    await again.whenUnavailable(romeo);
  });

  test("RFC 6121 §5: they chat", async () => {
    const [romeo = "", juliet = ""] = await accounts("says", "answers");
    const client = await login(romeo);
    const peer = await loginPeer(juliet);
    await client.say(juliet, "Is the day so young?");
    expect(await peer.whenTold(romeo, "Is the day so young?")).toEqual({ delayed: false });
    await peer.say(romeo, "But new struck nine & <late> – ça va? 🌹");
    expect((await client.whenTold(juliet, "But new struck nine & <late> – ça va? 🌹")).delayed).not.toBe(true);
  });

  test("XEP-0160 §3: what is said while somebody is away arrives at the next login, in order and once", async () => {
    const [romeo = "", juliet = ""] = await accounts("away", "waits");
    const peer = await loginPeer(juliet);
    await peer.say(romeo, "first word");
    await peer.say(romeo, "second word");
    // An answer comes after both were handled.
    expect(await peer.wasTold(romeo, "nothing")).toBe(false);
    const client = await login(romeo);
    expect((await client.whenTold(juliet, "first word")).delayed).not.toBe(false);
    expect((await client.whenTold(juliet, "second word")).delayed).not.toBe(false);
    await client.leave();

    const again = await login(romeo);
    await peer.say(romeo, "third word");
    await again.whenTold(juliet, "third word");
    expect(await again.wasTold(juliet, "first word")).toBe(false);
  });

  test("XEP-0191 §3: somebody who is blocked is not heard, and is heard again afterwards", async () => {
    const [romeo = "", juliet = ""] = await accounts("blocks", "blocked");
    const client = await login(romeo);
    const peer = await loginPeer(juliet);
    await client.block(juliet);
    await peer.say(romeo, "can you hear this");
    await peer.whenRefused(romeo);
    await client.unblock(juliet);
    await peer.say(romeo, "and this");
    await client.whenTold(juliet, "and this");
    expect(await client.wasTold(juliet, "can you hear this")).toBe(false);
  });

  if (!kind.registersOver.includes(tls)) return;
  if (kind.takesInvitations) invitationTests(kind, () => server, at, keep);
  else openRegistrationTests(kind, at, keep);
};

type Keep = <C extends ChatClient>(client: C) => C;

const invitationTests = (kind: ClientKind, server: () => KithServer, at: () => At, keep: Keep): void => {
  const invite = async (): Promise<string> => {
    const { code, output, errors } = await server().kith(["invite"]);
    const token = /preauth=([^;\s&]+)/.exec(output)?.[1];
    if (code !== 0 || token === undefined) throw new Error(`kith invite ended with ${code}: ${output}${errors}`);
    return decodeURIComponent(token);
  };

  test("XEP-0445 §4: with an invitation somebody makes an account, and nobody a second one with the same", async () => {
    const token = await invite();
    const credentials = { jid: "mercutio@localhost", password: PASSWORD };
    await keep(await kind.register(credentials, at(), token)).leave();
    await keep(await kind.login(credentials, at())).leave();
    const second = kind.register({ jid: "benvolio@localhost", password: PASSWORD }, at(), token);
    await expect(second).rejects.toThrow(Refused);
    await expect(second).rejects.toMatchObject({ condition: "item-not-found" });
  });

  test("XEP-0077 §3.1: without an invitation nobody makes an account", async () => {
    const uninvited = kind.register({ jid: "tybalt@localhost", password: PASSWORD }, at());
    await expect(uninvited).rejects.toThrow(Refused);
  });
};

const openRegistrationTests = (kind: ClientKind, at: () => At, keep: Keep): void => {
  test("XEP-0077 §3.1: where registration is open somebody makes an account, and nobody takes a name that is taken", async () => {
    const credentials = { jid: "mercutio@localhost", password: PASSWORD };
    await keep(await kind.register(credentials, at())).leave();
    await keep(await kind.login(credentials, at())).leave();
    await expect(kind.register(credentials, at())).rejects.toThrow(Refused);
  });
};
