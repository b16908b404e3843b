import { atServer, type ChatClient, Slixmpp, slixmpp, XmppJs } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { xml } from "@xmpp/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const NS_CARBONS = "urn:xmpp:carbons:2";

/** Two devices of one person that run slixmpp, and somebody else, whose stanzas can be made by hand. */
const several = (): void => {
  let server: KithServer;
  const clients: ChatClient[] = [];

  beforeAll(async () => {
    server = await startServer();
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
  const open = async (name: string) => {
    const [mira, jonas] = [`mira-${name}@localhost`, `jonas-${name}@localhost`];
    for (const jid of [mira, jonas]) await server.addUser(jid, PASSWORD);
    const at = atServer(server, "direct");
    const phone = keep(await Slixmpp.login({ jid: mira, password: PASSWORD }, at));
    // The last to become available is the one that gets what is for the account.
    const desk = keep(await Slixmpp.login({ jid: mira, password: PASSWORD }, at));
    const peer = keep(await XmppJs.login({ jid: jonas, password: PASSWORD }, at));
    return { mira, jonas, phone, desk, peer };
  };

  test("XEP-0280 §7, §8: what one device gets or sends, the other is shown once", async () => {
    const { mira, jonas, phone, desk, peer } = await open("carbons");
    for (const device of [phone, desk]) await device.enableCarbons();
    await peer.say(mira, "The gulls are back.");
    await desk.whenTold(jonas, "The gulls are back.");
    await phone.whenCopied("received", jonas, "The gulls are back.");
    await desk.say(jonas, "Möwen & <Krähen> 🌹");
    await phone.whenCopied("sent", jonas, "Möwen & <Krähen> 🌹");
    await peer.whenTold(mira, "Möwen & <Krähen> 🌹");
    expect(await phone.timesShown("The gulls are back.")).toEqual({ told: 0, copied: 1 });
    expect(await desk.timesShown("The gulls are back.")).toEqual({ told: 1, copied: 0 });
    expect(await phone.timesShown("Möwen & <Krähen> 🌹")).toEqual({ told: 0, copied: 1 });
    expect(await desk.timesShown("Möwen & <Krähen> 🌹")).toEqual({ told: 0, copied: 0 });
  });

  test("XEP-0280 §9, §11: private messages and forged copies are shown to nobody as copies", async () => {
    const { mira, jonas, phone, desk, peer } = await open("forged");
    for (const device of [phone, desk]) await device.enableCarbons();
    const body = xml("body", {}, "for one device");
    await peer.send(xml("message", { to: mira, type: "chat" }, body, xml("private", { xmlns: NS_CARBONS })));
    const forged = xml(
      "message",
      { xmlns: "jabber:client", from: "abbess@localhost", to: mira },
      xml("body", {}, "Come at once."),
    );
    const forwarded = xml("forwarded", { xmlns: "urn:xmpp:forward:0" }, forged);
    await peer.send(xml("message", { to: mira, type: "chat" }, xml("received", { xmlns: NS_CARBONS }, forwarded)));
    await peer.say(mira, "afterwards");
    await phone.whenCopied("received", jonas, "afterwards");
    expect(await phone.timesShown("for one device")).toEqual({ told: 0, copied: 0 });
    expect(await desk.timesShown("for one device")).toEqual({ told: 1, copied: 0 });
    expect((await desk.timesShown("Come at once.")).copied).toBe(0);
  });

  test("XEP-0352 §3.2: a device that nobody looks at is told where somebody is before it is told what they say, and once", async () => {
    const { mira, jonas, desk, peer } = await open("inactive");
    await desk.addContact(jonas, "Jonas");
    await desk.askForPresence(jonas);
    await peer.whenAsked(mira);
    await peer.allowPresence(mira);
    await desk.whenAvailable(jonas);
    const before = desk.timesAvailable(jonas);
    await desk.setActive(false);
    // Answered after the state has been heard: requests of one stream are handled in order.
    expect(await desk.wasTold(jonas, "nothing")).toBe(false);
    for (const status of ["at sea", "at anchor", "ashore"])
      await peer.send(xml("presence", {}, xml("status", {}, status)));
    await peer.say(mira, "Landed.");
    await desk.whenTold(jonas, "Landed.");
    expect(desk.timesAvailable(jonas)).toBe(before + 1);
    await peer.send(xml("presence", {}, xml("status", {}, "at home")));
    expect(await peer.wasTold(mira, "nothing")).toBe(false);
    await desk.setActive(true);
    await desk.whenAvailable(jonas);
    expect(await desk.wasTold(jonas, "nothing")).toBe(false);
    expect(desk.timesAvailable(jonas)).toBe(before + 2);
  });
};

if (slixmpp.missing === undefined) describe("slixmpp on several devices", several);
else describe.skip(`slixmpp on several devices (${slixmpp.missing})`, several);
