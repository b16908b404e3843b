import { atServer, XmppJs } from "@kith/testing/clients";
import { runtime, startServer } from "@kith/testing/process";
import { describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const ROMEO = "romeo@localhost";
const JULIET = "juliet@localhost";

describe(`kill -9 and start again (${runtime})`, () => {
  test("accounts, rosters, blocked addresses and subscription requests are there, without a manual step", async () => {
    await using server = await startServer();
    await Promise.all([ROMEO, JULIET, "tybalt@localhost"].map((jid) => server.addUser(jid, PASSWORD)));
    const login = (jid: string): Promise<XmppJs> =>
      XmppJs.login({ jid, password: PASSWORD }, atServer(server, "direct"));
    const [romeo, juliet, tybalt] = await Promise.all([login(ROMEO), login(JULIET), login("tybalt@localhost")]);
    await romeo.addContact(JULIET, "Giulietta");
    await romeo.askForPresence(JULIET);
    await juliet.whenAsked(ROMEO);
    await juliet.allowPresence(ROMEO);
    await romeo.whenContact({ jid: JULIET, name: "Giulietta", subscription: "to" });
    await romeo.block("tybalt@localhost");
    await juliet.leave();
    await tybalt.askForPresence(JULIET);
    await tybalt.whenContact({ jid: JULIET, name: undefined, subscription: "none" });
    await server.crash();

    await server.start();
    const again = await login(ROMEO);
    await again.whenContact({ jid: JULIET, name: "Giulietta", subscription: "to" });
    const hers = await login(JULIET);
    await hers.whenContact({ jid: ROMEO, name: undefined, subscription: "from" });
    await hers.whenAsked("tybalt@localhost");
    await again.whenAvailable(JULIET);
    const his = await login("tybalt@localhost");
    await his.say(ROMEO, "turn, villain");
    await his.whenRefused(ROMEO);
    expect(await again.wasTold("tybalt@localhost", "turn, villain")).toBe(false);
    expect(await server.stop()).toBe(0);
  });

  test("XEP-0160 §3: every message that was taken for somebody who is away is there, once and in order", async () => {
    await using server = await startServer();
    await Promise.all([ROMEO, JULIET].map((jid) => server.addUser(jid, PASSWORD)));
    const login = (jid: string): Promise<XmppJs> =>
      XmppJs.login({ jid, password: PASSWORD }, atServer(server, "direct"));
    const texts = (round: number): string[] => Array.from({ length: 50 }, (_, index) => `message ${round}.${index}`);
    for (const round of [1, 2, 3]) {
      const romeo = await login(ROMEO);
      for (const text of texts(round)) await romeo.say(JULIET, text);
      // Answered once everything before it has been handled and is on disk.
      await romeo.addContact(JULIET, `round ${round}`);
      await server.crash();
      await server.start();
    }
    const juliet = await login(JULIET);
    await juliet.whenTold(ROMEO, texts(3).at(-1) ?? "");
    const told = juliet.stanzas.all.flatMap((stanza) => stanza.getChildText("body") ?? []);
    expect(told).toEqual([1, 2, 3].flatMap(texts));
    // On disk after what says that the messages have gone out.
    await juliet.addContact(ROMEO, "Romeo");
    await server.crash();

    await server.start();
    const afterwards = await login(JULIET);
    expect(await afterwards.wasTold(ROMEO, "message 3.49")).toBe(false);
  });
});
