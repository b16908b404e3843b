import { atServer, type ChatClient, profanity, XmppJs } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { chatSuite } from "./chat.suite.ts";

const PASSWORD = "wherefore7";
const MIRA = { jid: "mira@localhost", password: PASSWORD };
const JONAS = { jid: "jonas@localhost", password: PASSWORD };

chatSuite(profanity, "starttls");
chatSuite(profanity, "direct");

/** It enables carbons by itself. */
const besides = (): void => {
  let server: KithServer;
  const clients: ChatClient[] = [];

  beforeAll(async () => {
    server = await startServer();
    for (const { jid } of [MIRA, JONAS]) await server.addUser(jid, PASSWORD);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.kill()));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const keep = <C extends ChatClient>(client: C): C => {
    clients.push(client);
    return client;
  };

  test("XEP-0280 §7: it shows what another device was told", async () => {
    const at = atServer(server, "starttls");
    const terminal = keep(await profanity.login(MIRA, at));
    // The last to become available is the one that gets what is for the account.
    const phone = keep(await XmppJs.login(MIRA, at));
    const peer = keep(await XmppJs.login(JONAS, at));
    await peer.say(MIRA.jid, "The gulls are back.");
    expect(await phone.whenTold(JONAS.jid, "The gulls are back.")).toEqual({ delayed: false });
    await terminal.whenTold(JONAS.jid, "The gulls are back.");
  });
};

if (profanity.missing === undefined) describe("Profanity beside another device", besides);
else describe.skip(`Profanity beside another device (${profanity.missing})`, besides);
