import { type At, atServer, Mobile, Network, type Way } from "@kith/testing/clients";
import { type KithServer, startServer } from "@kith/testing/process";
import { xml } from "@xmpp/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const NS_ROSTER = "jabber:iq:roster";

/** What went over the wire until the stream was there again. */
const PASSWORDS = [">auth SCRAM-SHA-1", "<challenge", ">response SCRAM-SHA-1", "<success"];
const RESUMED: Readonly<Record<Way, readonly string[]>> = {
  inline: [">authenticate HT-SHA-256-NONE bind resume", "<success resumed"],
  classic: [...PASSWORDS, ">resume", "<resumed"],
};
const REFUSED: Readonly<Record<Way, readonly string[]>> = {
  inline: [">authenticate HT-SHA-256-NONE bind resume", "<success failed bound"],
  classic: [...PASSWORDS, ">resume", "<failed", ">iq bind", "<iq bind"],
};

/** Stanzas that come before any are counted. */
const UNCOUNTED: Readonly<Record<Way, number>> = { inline: 0, classic: 1 };

const texts = (said: readonly { readonly text: string }[]): readonly string[] => said.map(({ text }) => text);

/** Mira, whose network comes and goes, and Jonas, who sees her presence, as she sees his. */
const meet = async (server: KithServer, tls: At["tls"], way: Way, name: string) => {
  const [mira, jonas] = [`mira-${name}-${tls}-${way}@localhost`, `jonas-${name}-${tls}-${way}@localhost`];
  await Promise.all([mira, jonas].map((jid) => server.addUser(jid, PASSWORD)));
  const [network, other] = [
    await Network.open(() => atServer(server, tls)),
    await Network.open(() => atServer(server, tls)),
  ];
  const phone = await Mobile.login({ jid: mira, password: PASSWORD }, network.at, way);
  const peer = await Mobile.login({ jid: jonas, password: PASSWORD }, other.at, "inline");
  for (const device of [phone, peer]) {
    await device.whenStream("bound");
    await device.request(xml("iq", { type: "get" }, xml("query", { xmlns: NS_ROSTER })));
    await device.send(xml("presence"));
  }
  await subscribe(phone, peer);
  await subscribe(peer, phone);
  const close = async (): Promise<void> => {
    for (const device of [phone, peer]) device.kill();
    for (const one of [network, other]) await one[Symbol.asyncDispose]();
  };
  return { mira, jonas, phone, peer, network, other, close };
};

const subscribe = async (one: Mobile, other: Mobile): Promise<void> => {
  await one.send(xml("presence", { type: "subscribe", to: other.jid }));
  await other.whenPresent(one.jid, "subscribe");
  await other.send(xml("presence", { type: "subscribed", to: one.jid }));
  await one.whenPresent(other.jid);
};

describe.each([
  ["inline", "direct"],
  ["classic", "starttls"],
] as const)("@xmpp/client resuming, %s over %s", (way, tls) => {
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
    const met = await meet(server, tls, way, name);
    open.push(met.close);
    return met;
  };

  test("XEP-0198 §5: a device whose connection breaks goes on with its stream by itself, and its contacts see nothing", async () => {
    const { mira, jonas, phone, peer, network } = await scene("breaks");
    const { fullJid } = phone;
    await peer.say(mira, "before");
    await phone.whenTold(jonas, "before");
    await peer.settle();
    const seen = peer.presence(mira);
    network.cut();
    await phone.whenStream("lost");
    for (const text of ["one", "two", "three"]) await peer.say(mira, text);
    await peer.settle();
    network.mend();
    expect(await phone.whenStream("resumed")).toMatchObject({ jid: fullJid, elements: RESUMED[way] });
    await peer.say(mira, "four");
    await phone.whenTold(jonas, "four");
    expect(texts(phone.heard(jonas))).toEqual(["before", "one", "two", "three", "four"]);
    await phone.say(jonas, "still here");
    await peer.whenTold(mira, "still here");
    await peer.settle();
    expect(peer.presence(mira)).toEqual(seen);
  });

  test("XEP-0359 §3.1: what is sent at once, what waits for a stream, and the archive name a message the same", async () => {
    const { mira, jonas, phone, peer, network } = await scene("names");
    await peer.say(mira, "at once");
    await phone.whenTold(jonas, "at once");
    network.cut();
    await phone.whenStream("lost");
    await peer.say(mira, "later");
    await peer.settle();
    network.mend();
    await phone.whenTold(jonas, "later");
    const heard = phone.heard(jonas);
    expect(heard.map(({ stanzaId }) => typeof stanzaId)).toEqual(["string", "string"]);
    const archive = await phone.archive();
    expect(archive.map(({ text, stanzaId }) => [text, stanzaId])).toEqual(
      heard.map(({ text, stanzaId }) => [text, stanzaId]),
    );
  });

  test("XEP-0198 §5: what a device said and nobody acknowledged is delivered once, wherever it got lost", async () => {
    const { mira, jonas, phone, peer, network } = await scene("says");
    await phone.say(jonas, "acknowledged");
    await phone.whenAcknowledged("acknowledged");
    // It reaches the server, and the acknowledgement gets lost.
    network.lose("down");
    await phone.say(jonas, "arrives");
    await peer.whenTold(mira, "arrives");
    // This does not even reach it.
    network.lose("up");
    for (const text of ["gets lost", "gets lost too"]) await phone.say(jonas, text);
    network.cut();
    await phone.whenStream("lost");
    network.mend();
    await phone.whenAcknowledged("gets lost too");
    expect(phone.textsOf("acknowledged")).toEqual(["acknowledged", "arrives", "gets lost", "gets lost too"]);
    expect(phone.textsOf("given up")).toEqual([]);
    await peer.whenTold(mira, "gets lost too");
    await peer.settle();
    expect(texts(peer.heard(mira))).toEqual(["acknowledged", "arrives", "gets lost", "gets lost too"]);
    expect(texts(await peer.archive())).toEqual(["acknowledged", "arrives", "gets lost", "gets lost too"]);
  });

  test("XEP-0198 §5: a device comes back before the server knows that its connection is lost, again and again", async () => {
    const { mira, jonas, phone, peer, network } = await scene("unnoticed");
    const seen = peer.presence(mira);
    const { fullJid } = phone;
    const said = ["1", "2", "3", "4"];
    for (const text of said) {
      network.cutUnnoticed();
      await peer.say(mira, text);
      expect(await phone.whenStream("resumed")).toMatchObject({ jid: fullJid, elements: RESUMED[way] });
      await phone.whenTold(jonas, text);
    }
    await phone.settle();
    await peer.settle();
    expect(texts(phone.heard(jonas))).toEqual(said);
    expect(peer.presence(mira)).toEqual(seen);
  });

  test("XEP-0198 §4: both sides say how much they have got", async () => {
    const { mira, jonas, phone, peer } = await scene("acks");
    const said = Array.from({ length: 25 }, (_, index) => `number ${index}`);
    for (const text of said) await phone.say(jonas, text);
    await phone.whenAcknowledged("number 24");
    expect(phone.textsOf("acknowledged")).toEqual(said);
    const { length } = phone.stanzas.all;
    for (const text of said) await peer.say(mira, text);
    await phone.whenTold(jonas, "number 24");
    await phone.acknowledged.next("that it has got all", (h) => h === length - UNCOUNTED[way] + said.length);
    expect(texts(phone.heard(jonas))).toEqual(said);
  });

  test("XEP-0198 §5: streams survive a server that is killed, and people see nothing of it", async () => {
    const { mira, jonas, phone, peer, network, other } = await scene("killed");
    const { fullJid } = phone;
    await peer.say(mira, "before");
    await phone.whenTold(jonas, "before");
    network.lose("down");
    await phone.say(jonas, "arrives");
    await peer.whenTold(mira, "arrives");
    network.lose("up");
    await phone.say(jonas, "gets lost");
    network.cut();
    await phone.whenStream("lost");
    for (const text of ["one", "two"]) await peer.say(mira, text);
    await peer.whenAcknowledged("two");
    const seen = [peer.presence(mira), phone.presence(jonas)];
    await server.crash();
    other.cut();
    await peer.whenStream("lost");
    await server.start();
    other.mend();
    await peer.whenStream("resumed");
    await peer.say(mira, "three");
    await peer.whenAcknowledged("three");
    network.mend();
    expect(await phone.whenStream("resumed")).toMatchObject({ jid: fullJid, elements: RESUMED[way] });
    await phone.whenTold(jonas, "three");
    await peer.whenTold(mira, "gets lost");
    for (const device of [phone, peer]) await device.settle();
    expect(texts(phone.heard(jonas))).toEqual(["before", "one", "two", "three"]);
    expect(texts(peer.heard(mira))).toEqual(["arrives", "gets lost"]);
    expect([peer.presence(mira), phone.presence(jonas)]).toEqual(seen);
    const all = ["before", "arrives", "one", "two", "three", "gets lost"];
    for (const device of [phone, peer]) expect(texts(await device.archive())).toEqual(all);
  });

  test("XEP-0198 §5: who stays away too long begins anew, and still gets everything once", async () => {
    await server.stop();
    await server.configure({ timeouts: { resume: "1 s" } });
    await server.start();
    const { mira, jonas, phone, peer, network } = await scene("late");
    await peer.say(mira, "before");
    await phone.whenTold(jonas, "before");
    const [last] = phone.heard(jonas);
    await phone.acknowledged.next("that it has got this", (h) => h === phone.stanzas.all.length - UNCOUNTED[way]);
    await phone.settle();
    network.lose("up");
    await phone.say(jonas, "gets lost");
    network.cut();
    await phone.whenStream("lost");
    await peer.say(mira, "while it may come back");
    await peer.whenPresent(mira, "unavailable");
    await peer.say(mira, "when it may not");
    await peer.settle();
    network.mend();
    expect(await phone.whenStream("bound")).toMatchObject({ elements: REFUSED[way] });
    expect(phone.textsOf("given up")).toEqual(["gets lost"]);
    await phone.send(xml("presence"));
    await peer.whenPresent(mira);
    await phone.settle();
    const missed = ["while it may come back", "when it may not"];
    // XEP-0386 §4: to whoever binds with XEP-0388 nothing is sent that the archive has.
    expect(texts(phone.heard(jonas))).toEqual(way === "inline" ? ["before"] : ["before", ...missed]);
    expect(texts(await phone.archive(last?.stanzaId))).toEqual(missed);
    expect(texts(await phone.archive())).toEqual(["before", ...missed]);
    await phone.say(jonas, "gets lost");
    await peer.whenTold(mira, "gets lost");
    await peer.settle();
    expect(texts(peer.heard(mira))).toEqual(["gets lost"]);
  });
});
