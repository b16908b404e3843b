import { parseElement, StreamError } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { base64, HEADER, header, PASSWORD, type Peer, plainAuth, settled, World } from "./test-streams.ts";

/** The same numbers for the same seed (mulberry32). */
const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

const SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
const PIECES: readonly string[] = [
  HEADER,
  HEADER,
  header("to='montague.example' from='romeo@montague.example' version='1.0' xml:lang='de'"),
  header("version='9.9'"),
  "<stream:stream",
  "</stream:stream>",
  "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  plainAuth("juliet", PASSWORD),
  plainAuth("juliet", "wrong"),
  `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-1'>${base64("n,,n=juliet,r=abc")}</auth>`,
  `<response xmlns='${SASL}'>${base64("c=biws,r=abc,p=AAAA")}</response>`,
  `<response xmlns='${SASL}'/>`,
  `<abort xmlns='${SASL}'/>`,
  "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
  "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>",
  "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
  "<presence/>",
  "<message to='romeo@montague.example'><body>hi</body></message>",
  "<message from='@' to='@@'/>",
  "<iq/>",
  " ",
  "\n",
  "<a><b>",
  "</b></a>",
  "<!-- -->",
  "&lt;",
  "\u0000",
  "é",
  "x".repeat(11_000),
];

const broken = (text: string, random: (below: number) => number): Buffer => {
  const bytes = Buffer.from(text);
  if (random(6) === 0 && bytes.length > 0) bytes[random(bytes.length)] = random(256);
  return random(8) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
};

type Random = (below: number) => number;

/** In one piece or in several. */
const send = (peer: Peer, bytes: Uint8Array, random: Random): void => {
  for (let at = 0; at < bytes.length; ) {
    const length = random(3) === 0 ? 1 + random(20) : bytes.length;
    peer.stream.received(bytes.subarray(at, at + length));
    at += length;
  }
};

/** What else happens to connections. */
const chance = async (world: World, peer: Peer, random: Random): Promise<void> => {
  if (random(2) === 0) await settled();
  if (peer.transport.handshaking !== undefined) peer.transport.handshake();
  if (random(40) === 0) peer.stream.peerEnded();
  if (random(60) === 0) await world.timers.pass(random(70_000));
  if (random(80) === 0) peer.stream.close(new StreamError("reset"));
};

/** Plays a peer that knows no rules, though half the time it gets far by them first. */
const play = async (world: World, peer: Peer, random: Random): Promise<void> => {
  const rules = random(2) === 0 ? [HEADER, plainAuth("juliet", PASSWORD), HEADER, BIND].slice(0, 1 + random(4)) : [];
  for (const text of rules) await peer.sends(text);
  for (let step = 0; step < 25 && peer.stream.state !== "closed"; step++) {
    send(peer, broken(PIECES[random(PIECES.length)] ?? "", random), random);
    await chance(world, peer, random);
  }
  await settled();
};

/** Each stream of ours is one document as far as it has come: header, elements, and an end if it has ended. */
const checkWritten = (text: string, isOver: boolean): void => {
  for (const stream of text.split("<?xml version='1.0'?>").slice(1)) {
    const ended = stream.endsWith("</stream:stream>");
    const whole = ended ? stream : `${stream}</stream:stream>`;
    expect(() => parseElement(whole)).not.toThrow();
  }
  if (isOver && !text.includes("<proceed")) expect(text).toMatch(/<\/stream:stream>$/);
};

/** One connection, from its beginning to its end; how many sessions it bound. */
const round = async (random: Random): Promise<number> => {
  const world = new World();
  const peer = random(2) === 0 ? world.connect() : world.connectSecurely();
  await play(world, peer, random);
  checkWritten(peer.receivedRaw(), peer.transport.state === "ended");
  peer.stream.lost(undefined);
  for (let turn = 0; turn < 3; turn++) await settled();
  expect(peer.stream.state).toBe("closed");
  expect(world.timers.size).toBe(0);
  for (const session of world.door.sessions) expect(session.ends).toBe(1);
  expect(world.lines.filter(({ level }) => level === "error")).toEqual([]);
  return world.door.sessions.length;
};

describe("peers that know no rules", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "RFC 6120 §4: nothing they send harms: seed %i",
    async (seed) => {
      const random = randomFrom(seed);
      for (let count = 0; count < 10; count++) await round(random);
    },
  );

  test("and some of them get as far as a session", async () => {
    const random = randomFrom(1_000);
    let bound = 0;
    for (let count = 0; count < 60; count++) bound += await round(random);
    expect(bound).toBeGreaterThan(5);
  });

  test("RFC 6120 §13.12: an end is announced to no more than one session, whatever the order of things", async () => {
    const world = new World();
    const peer = await world.login();
    peer.stream.peerEnded();
    peer.stream.stalled();
    peer.stream.close(new StreamError("reset"));
    peer.stream.lost(undefined);
    peer.stream.secured();
    peer.stream.peerEnded();
    await world.timers.pass(100_000);
    expect(world.door.session.ends).toBe(1);
  });
});
