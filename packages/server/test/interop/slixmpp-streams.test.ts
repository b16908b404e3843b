import { type At, atServer, Mobile, Network, Slixmpp, slixmpp } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { xml } from "@xmpp/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";

const texts = (said: readonly { readonly text: string }[]): readonly string[] => said.map(({ text }) => text);
const named = (said: readonly { readonly text: string; readonly id: unknown }[]): readonly unknown[] =>
  said.map(({ text, id }) => [text, id]);

/** Mira has slixmpp, and a network that comes and goes; Jonas sees her presence. */
const meet = async (server: KithServer, tls: At["tls"], name: string) => {
  const [mira, jonas] = [`mira-${name}@localhost`, `jonas-${name}@localhost`];
  await Promise.all([mira, jonas].map((jid) => server.addUser(jid, PASSWORD)));
  const network = await Network.open(() => atServer(server, tls));
  const other = await Network.open(() => atServer(server, "direct"));
  const phone = await Slixmpp.loginMobile({ jid: mira, password: PASSWORD }, network.at);
  const peer = await Mobile.login({ jid: jonas, password: PASSWORD }, other.at);
  await peer.whenStream("bound");
  await peer.request(xml("iq", { type: "get" }, xml("query", { xmlns: "jabber:iq:roster" })));
  await peer.send(xml("presence"));
  await peer.send(xml("presence", { type: "subscribe", to: mira }));
  await phone.whenAsked(jonas);
  await phone.allowPresence(jonas);
  await peer.whenPresent(mira);
  const bound = await phone.whenStream("bound");
  const close = async (): Promise<void> => {
    peer.kill();
    await phone.kill();
    for (const one of [network, other]) await one[Symbol.asyncDispose]();
  };
  return { mira, jonas, phone, peer, network, other, bound, close };
};

const streams = (tls: At["tls"]): void => {
  let server: KithServer;
  const open: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    server = await startServer();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((close) => close()));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const scene = async (name: string) => {
    const met = await meet(server, tls, name);
    open.push(met.close);
    return met;
  };
  const another = async (jid: string): Promise<Slixmpp> => {
    const device = await Slixmpp.loginMobile({ jid, password: PASSWORD }, atServer(server, tls));
    open.push(() => device.kill());
    return device;
  };

  test("XEP-0198 §5: a client whose connection breaks goes on with its stream, and its contacts see nothing", async () => {
    const { mira, jonas, phone, peer, network, bound } = await scene("breaks");
    await peer.say(mira, "before");
    await phone.whenTold(jonas, "before");
    await peer.settle();
    const seen = peer.presence(mira);
    for (const [first, second] of [
      ["one", "two"],
      ["three", "four"],
    ] as const) {
      network.cut();
      await phone.whenStream("lost");
      for (const text of [first, second]) await peer.say(mira, text);
      await phone.say(jonas, `after ${second}`);
      await peer.settle();
      network.mend();
      expect(await phone.whenStream("resumed")).toBe(bound);
      await phone.whenTold(jonas, second);
      await phone.whenAcknowledged(`after ${second}`);
    }
    await phone.settle();
    await peer.settle();
    expect(texts(phone.heard(jonas))).toEqual(["before", "one", "two", "three", "four"]);
    expect(texts(peer.heard(mira))).toEqual(["after two", "after four"]);
    expect(peer.presence(mira)).toEqual(seen);
  });

  test("XEP-0198 §5: a stream survives a server that is killed, and people see nothing of it", async () => {
    const { mira, jonas, phone, peer, network, other, bound } = await scene("killed");
    await phone.say(jonas, "before");
    await phone.whenAcknowledged("before");
    network.cut();
    await phone.whenStream("lost");
    for (const text of ["one", "two"]) await peer.say(mira, text);
    await peer.whenAcknowledged("two");
    const seen = peer.presence(mira);
    await server.crash();
    other.cut();
    await peer.whenStream("lost");
    await server.start();
    other.mend();
    await peer.whenStream("resumed");
    await peer.say(mira, "three");
    await peer.whenAcknowledged("three");
    network.mend();
    expect(await phone.whenStream("resumed")).toBe(bound);
    await phone.whenTold(jonas, "three");
    await phone.say(jonas, "after");
    await peer.whenTold(mira, "after");
    await peer.settle();
    await phone.settle();
    expect(texts(phone.heard(jonas))).toEqual(["one", "two", "three"]);
    expect(texts(peer.heard(mira))).toEqual(["before", "after"]);
    expect(peer.presence(mira)).toEqual(seen);
    expect(texts(await phone.archive())).toEqual(["before", "one", "two", "three", "after"]);
  });

  test("XEP-0280 §10, XEP-0198 §5: a stream that goes on still gets copies, once, of what the other device did meanwhile", async () => {
    const { mira, jonas, phone, peer, network } = await scene("copies");
    const desk = await another(mira);
    for (const device of [phone, desk]) await device.enableCarbons();
    network.cut();
    await phone.whenStream("lost");
    await peer.say(mira, "To whoever is there.");
    await desk.whenTold(jonas, "To whoever is there.");
    await desk.say(jonas, "I am.");
    await desk.whenAcknowledged("I am.");
    network.mend();
    await phone.whenStream("resumed");
    await phone.whenCopied("sent", jonas, "I am.");
    await desk.say(jonas, "Both of us.");
    await phone.whenCopied("sent", jonas, "Both of us.");
    await phone.settle();
    expect(phone.copies().map(({ direction, text }) => [direction, text])).toEqual([
      ["received", "To whoever is there."],
      ["sent", "I am."],
      ["sent", "Both of us."],
    ]);
    expect(phone.heard(jonas)).toEqual([]);
    // XEP-0359 §3.1: one id, live, in copies and in the archive, which both devices share.
    const archive = await desk.archive();
    expect(named(phone.copies())).toEqual(named(archive));
    expect(named(desk.heard(jonas))).toEqual(named(archive.slice(0, 1)));
    expect(await phone.archive()).toEqual(archive);
  });

  test("XEP-0313 §4: an archive is read in pages, forwards and backwards, of one conversation, and between two instants", async () => {
    const { mira, jonas, phone, peer } = await scene("archive");
    const elena = "elena-archive@localhost";
    await server.addUser(elena, PASSWORD);
    const third = await Mobile.login({ jid: elena, password: PASSWORD }, atServer(server, tls));
    open.push(async () => third.kill());
    const said = Array.from({ length: 12 }, (_, index) => `number ${index}`);
    for (const [index, text] of said.entries()) {
      const speaker = index % 3 === 0 ? third : peer;
      if (index % 4 === 1) {
        await phone.say(jonas, text);
        await phone.whenAcknowledged(text);
      } else {
        await speaker.say(mira, text);
        await phone.whenTold(speaker.jid, text);
      }
    }
    const all = await phone.archive();
    expect(texts(all)).toEqual(said);
    expect(await phone.archive({ page: 5 })).toEqual(all);
    expect(await phone.archive({ page: 5, reverse: true })).toEqual(all.toReversed());
    expect(await phone.archive({ page: 1, reverse: true })).toEqual(all.toReversed());
    expect(new Set(all.map(({ id }) => id)).size).toBe(12);

    const withJonas = all.filter(({ jid, text }) => jid === jonas || (jid === mira && text !== ""));
    expect(await phone.archive({ with: jonas, page: 3 })).toEqual(withJonas);
    const withElena = all.filter(({ jid }) => jid === elena);
    expect(await phone.archive({ with: elena, page: 2, reverse: true })).toEqual(withElena.toReversed());
    expect(await phone.archive({ with: "nobody@localhost" })).toEqual([]);

    const [start, end] = [all[3]?.stamp ?? "", all[8]?.stamp ?? ""];
    const between = all.filter(({ stamp }) => stamp >= start && stamp <= end);
    expect(between.length).toBeGreaterThanOrEqual(6);
    expect(await phone.archive({ start, end, page: 4 })).toEqual(between);
    expect(await phone.archive({ start, end, page: 4, reverse: true })).toEqual(between.toReversed());
    expect(await phone.archive({ start, with: jonas })).toEqual(withJonas.filter(({ stamp }) => stamp >= start));
    expect(await phone.archive({ end: "2020-01-01T00:00:00+00:00" })).toEqual([]);

    const live = [...phone.heard(jonas), ...phone.heard(elena)].map(({ id }) => id);
    const received = all.filter(({ jid }) => jid !== mira).map(({ id }) => id);
    expect(live.toSorted()).toEqual(received.toSorted());
  });

  test("XEP-0198 §5, XEP-0160 §3: who stays away too long begins anew, and gets what was said meanwhile, once", async () => {
    await server.stop();
    await server.configure({ timeouts: { resume: "1 s" } });
    await server.start();
    const { mira, jonas, phone, peer, network } = await scene("late");
    network.cut();
    await phone.whenStream("lost");
    await peer.say(mira, "while she may come back");
    await peer.whenPresent(mira, "unavailable");
    await peer.say(mira, "when she may not");
    await peer.settle();
    network.mend();
    await phone.whenStream("refused");
    await phone.whenStream("bound");
    await peer.whenPresent(mira);
    await phone.whenTold(jonas, "when she may not");
    await phone.settle();
    const heard = phone.heard(jonas);
    expect(heard.map(({ text, delayed }) => [text, delayed])).toEqual([
      ["while she may come back", true],
      ["when she may not", true],
    ]);
    expect(named(await phone.archive())).toEqual(named(heard));
  });
};

for (const tls of ["starttls", "direct"] as const) {
  if (slixmpp.missing === undefined) describe(`slixmpp and its stream, over ${tls}`, () => streams(tls));
  else describe.skip(`slixmpp and its stream, over ${tls} (${slixmpp.missing})`, () => streams(tls));
}
