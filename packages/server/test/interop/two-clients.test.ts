import { atServer, type ChatClient, type ClientKind, profanity, slixmpp, xmppJs } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";

/** Two people who have nothing in common but the server. */
const pairTest = (one: ClientKind, other: ClientKind): void => {
  const missing = [one, other].flatMap((kind) => kind.missing ?? []);
  const name = `${one.name} and ${other.name}`;
  if (missing.length === 0) describe(name, () => pairTests(one, other));
  else describe.skip(`${name} (${missing.join("; ")})`, () => pairTests(one, other));
};

const pairTests = (one: ClientKind, other: ClientKind): void => {
  let server: KithServer;
  const clients: ChatClient[] = [];

  beforeAll(async () => {
    server = await startServer({ config: { hosts: { localhost: { registration: "open" } } } });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.kill()));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const keep = (client: ChatClient): ChatClient => {
    clients.push(client);
    return client;
  };

  test("RFC 6121: they make accounts, add each other, see each other, and chat online and offline", async () => {
    const at = atServer(server, "starttls");
    const romeo = { jid: "romeo@localhost", password: PASSWORD };
    const juliet = { jid: "juliet@localhost", password: PASSWORD };
    const hers = keep(await other.register(juliet, at));
    const his = keep(await one.register(romeo, at));

    await his.addContact(juliet.jid, "Giulietta");
    await his.askForPresence(juliet.jid);
    await hers.whenAsked(romeo.jid);
    await hers.allowPresence(romeo.jid);
    await his.whenAvailable(juliet.jid);
    await hers.askForPresence(romeo.jid);
    await his.whenAsked(juliet.jid);
    await his.allowPresence(juliet.jid);
    await hers.whenAvailable(romeo.jid);

    await his.say(juliet.jid, "Good morrow, and good night");
    await hers.whenTold(romeo.jid, "Good morrow, and good night");
    await hers.say(romeo.jid, "’Tis almost morning");
    await his.whenTold(juliet.jid, "’Tis almost morning");

    await hers.leave();
    await his.whenUnavailable(juliet.jid);
    await his.say(juliet.jid, "Sleep dwell upon thine eyes");
    // An answer comes after it was handled.
    expect(await his.wasTold(juliet.jid, "nothing")).toBe(false);
    const again = keep(await other.login(juliet, at));
    await again.whenTold(romeo.jid, "Sleep dwell upon thine eyes");
    await again.whenContact({ jid: romeo.jid, name: undefined, subscription: "both" });
    await his.whenAvailable(juliet.jid);
  });
};

pairTest(profanity, slixmpp);
pairTest(slixmpp, xmppJs);
pairTest(xmppJs, profanity);
