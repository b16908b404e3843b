import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { StreamError, toBytes } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { STREAM_LIMITS } from "../session/services.ts";
import { domain, HEADER, header, PASSWORD, plainAuth, sha1Hex, streamError } from "../session/test-streams.ts";
import { openListeners } from "./listeners.ts";
import { type Caller, RealWorld, until } from "./test-listen.ts";

const BIND = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
const bound = async (caller: Caller): Promise<void> => {
  caller.send(HEADER);
  await caller.until("</stream:features>");
  caller.send(plainAuth("juliet", PASSWORD));
  await caller.until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  caller.send(`${HEADER}${BIND}`);
  await caller.until("</iq>");
};

describe("RFC 6120 §5, XEP-0368: clients over real sockets", () => {
  test("RFC 6120 §9.1: STARTTLS, SASL, binding, stanzas both ways, an end on both sides", async () => {
    const world = await RealWorld.open();
    const caller = await world.dial();
    caller.send(HEADER);
    await caller.until("</stream:features>");
    await caller.secure({ servername: "capulet.example" });
    await bound(caller);
    const { session } = world.door;
    session.handle = () =>
      session.wire.send(toBytes("<message from='romeo@montague.example'><body>né</body></message>"));
    caller.send("<message to='romeo@montague.example'><body>Ô</body></message>");
    expect(await caller.until("</message>")).toBe("<message from='romeo@montague.example'><body>né</body></message>");
    expect(session.received).toEqual(["<message to='romeo@montague.example'><body>Ô</body></message>"]);
    caller.send("</stream:stream>");
    await caller.until("</stream:stream>");
    await caller.closed();
    expect(session.ends).toBe(1);
    await until(() => world.listeners.count === 0);
  });

  test("XEP-0368 §3: TLS first, with our protocol offered or with none", async () => {
    const world = await RealWorld.open();
    for (const options of [{}, { ALPNProtocols: ["xmpp-client"] }, { ALPNProtocols: ["h2", "xmpp-client"] }]) {
      const caller = await world.dialTls(options);
      await bound(caller);
      expect(caller.tls.alpnProtocol).toBe("ALPNProtocols" in options ? "xmpp-client" : false);
    }
  });

  test("XEP-0368 §3: who offers protocols, but not ours, is refused", async () => {
    const world = await RealWorld.open();
    await expect(world.dialTls({ ALPNProtocols: ["h2", "http/1.1"] })).rejects.toThrow(
      /no application protocol|ALERT/i,
    );
    await until(() => world.listeners.count === 0);
  });

  test("RFC 6120 §5.4.2.2: STARTTLS within direct TLS fails", async () => {
    const world = await RealWorld.open();
    const caller = await world.dialTls();
    caller.send(HEADER);
    expect(await caller.until("</stream:features>")).not.toContain("starttls");
    caller.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await caller.until("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    await caller.closed();
  });

  test("RFC 6120 §5.4.3.1: what is sent in the clear after the command is never read", async () => {
    const world = await RealWorld.open();
    const caller = await world.dial();
    caller.send(HEADER);
    await caller.until("</stream:features>");
    caller.send(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${HEADER}${plainAuth("juliet", PASSWORD)}`);
    await caller.until("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    await caller.closed();
    expect(world.passwordChecks).toBe(0);
  });

  test("RFC 6120 §5.4.3.1: and not if it comes in a later piece either: it is no handshake", async () => {
    const world = await RealWorld.open();
    const caller = await world.dial();
    caller.send(HEADER);
    await caller.until("</stream:features>");
    caller.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await caller.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    caller.send(`${HEADER}${plainAuth("juliet", PASSWORD)}`);
    await caller.closed();
    expect(caller.received).not.toContain("stream:features");
    expect(world.passwordChecks).toBe(0);
    await until(() => world.listeners.count === 0);
  });

  test("RFC 6120 §4.4: a client that just ends its direction gets the rest and the end", async () => {
    const world = await RealWorld.open();
    const caller = await world.dialTls();
    await bound(caller);
    caller.socket.end();
    await caller.until("</stream:stream>");
    await caller.closed();
    expect(world.door.session.ends).toBe(1);
  });

  test("RFC 6120 §4.6.1: a connection that breaks ends the session", async () => {
    const world = await RealWorld.open();
    const caller = await world.dialTls();
    await bound(caller);
    caller.socket.destroy();
    await until(() => world.door.session.ends === 1 && world.listeners.count === 0);
    expect(world.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("RFC 6120 §6: one byte at a time over TLS", async () => {
    const world = await RealWorld.open();
    const caller = await world.dialTls();
    for (const character of `${HEADER}${plainAuth("juliet", PASSWORD)}${HEADER}${BIND}`) caller.socket.write(character);
    await caller.until("</iq>");
    expect(world.door.sessions).toHaveLength(1);
  });
});

describe("RFC 6120 §3: addresses", () => {
  test("RFC 6120 §3: IPv6, and several addresses for each kind of port", async () => {
    const world = await RealWorld.open({
      listeners: {
        starttls: [
          { host: "127.0.0.1", port: 0 },
          { host: "::1", port: 0 },
        ],
        directTls: [{ host: "::1", port: 0 }],
      },
    });
    const { starttls, directTls } = world.listeners.addresses;
    expect(starttls.map(({ address }) => address)).toEqual(["127.0.0.1", "::1"]);
    expect(directTls.map(({ family }) => family)).toEqual(["IPv6"]);
    const caller = await world.dialTls();
    await bound(caller);
    expect(world.lines.find(({ text }) => text === "authenticated")?.fields).toMatchObject({ address: "::1" });
  });

  test("without a host: every address, IPv4 and IPv6", async () => {
    const world = await RealWorld.open({ listeners: { starttls: [{ port: 0 }], directTls: [] } });
    const { port } = world.address("starttls");
    for (const host of ["127.0.0.1", "::1"]) {
      const socket = connect({ host, port });
      await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
      socket.destroy();
    }
  });

  test("an address that is taken: opening fails, and nothing stays open", async () => {
    const world = await RealWorld.open();
    const taken = world.address("starttls").port;
    const opening = openListeners({
      starttls: [
        { host: "127.0.0.1", port: 0 },
        { host: "127.0.0.1", port: taken },
      ],
      directTls: [],
      component: [],
      clients: world.services,
      certificates: world.certificates,
      admission: { strangersPerAddress: undefined, strangers: undefined, connectsPerMinute: undefined },
      writeStallMs: 1_000,
    });
    await expect(opening).rejects.toMatchObject({ code: "EADDRINUSE", port: taken });
  });
});

describe("XEP-0114: components over real sockets", () => {
  test("XEP-0114 §3: handshake, stanzas both ways", async () => {
    const components = new Map([[domain("plays.example"), { secret: "stage" }]]);
    const world = await RealWorld.open({ listeners: { component: [] } });
    await world.shutDown();
    world.listeners = await openListeners({
      starttls: [],
      directTls: [],
      component: [{ host: "127.0.0.1", port: 0 }],
      clients: world.services,
      certificates: world.certificates,
      components: {
        door: world.door,
        components,
        limits: STREAM_LIMITS,
        backlogs: world.services.backlogs,
        log: world.log,
        timers: world.timers,
      },
      admission: { strangersPerAddress: undefined, strangers: undefined, connectsPerMinute: undefined },
      writeStallMs: 1_000,
    });
    const caller = await world.dial("component");
    caller.send(header("to='plays.example'", "jabber:component:accept"));
    const id = / id='([^']+)'/.exec(await caller.until("streams'>"))?.[1];
    caller.send(`<handshake>${sha1Hex(`${id}stage`)}</handshake>`);
    await caller.until("<handshake/>");
    caller.send("<presence from='hamlet@plays.example' to='juliet@capulet.example'/>");
    await until(() => world.door.remote.length === 1);
    caller.send("</stream:stream>");
    await caller.until("</stream:stream>");
    await caller.closed();
    expect(world.door.domains.size).toBe(0);
  });
});

describe("RFC 6120 §13.12: strangers", () => {
  test("RFC 6120 §13.12: an address has so many connections that have not authenticated", async () => {
    const world = await RealWorld.open({
      listeners: { admission: { strangersPerAddress: 2, strangers: undefined, connectsPerMinute: undefined } },
    });
    const [first, second] = [await world.dialTls(), await world.dial()];
    const third = await world.dial();
    await third.closed();
    expect(third.received).toBe("");
    // Another address of the same machine is another matter.
    const elsewhere = await world.dial("starttls", "127.0.0.2");
    elsewhere.send(HEADER);
    await elsewhere.until("</stream:features>");
    // Who has authenticated is no stranger.
    await bound(first);
    const fourth = await world.dial();
    fourth.send(HEADER);
    await fourth.until("</stream:features>");
    // Who is gone makes room.
    second.socket.destroy();
    await until(() => world.listeners.count === 3);
    const fifth = await world.dial();
    fifth.send(HEADER);
    await fifth.until("</stream:features>");
  });

  test("RFC 6120 §13.12: when there are too many in all, the newcomer is served and an old one of the crowd dropped", async () => {
    const world = await RealWorld.open({
      listeners: { admission: { strangersPerAddress: undefined, strangers: 3, connectsPerMinute: undefined } },
    });
    const crowd = [await world.dial("starttls", "127.0.0.2"), await world.dial("starttls", "127.0.0.2")];
    const honest = await world.dial("starttls", "127.0.0.3");
    await until(() => world.listeners.count === 3);
    const newcomer = await world.dial("starttls", "127.0.0.4");
    newcomer.send(HEADER);
    await newcomer.until("</stream:features>");
    await crowd[0]?.closed();
    expect([crowd[1]?.isClosed, honest.isClosed]).toEqual([false, false]);
  });

  test("RFC 6120 §5.4.3.2: who connects for TLS and says nothing, or half of it, is dropped in time", async () => {
    const world = await RealWorld.open();
    const { port } = world.address("directTls");
    const silent = await world.dial("directTls");
    const half = await world.dial("directTls");
    half.socket.write(Buffer.from("160301020001000", "hex"));
    const wrong = await world.dial("directTls");
    wrong.send("GET / HTTP/1.1\r\n\r\n");
    await wrong.closed();
    const gone = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    gone.on("error", () => {});
    gone.once("secureConnect", () => gone.destroy());
    await until(() => world.listeners.count === 2);
    await world.timers.pass(14_900);
    expect(silent.isClosed).toBe(false);
    await world.timers.pass(200);
    await silent.closed();
    await half.closed();
    await until(() => world.listeners.count === 0);
  });

  test("RFC 6120 §13.12: a header that trickles in is ended in time", async () => {
    const world = await RealWorld.open();
    const caller = await world.dial();
    caller.send("<stream:stream to='cap");
    await until(() => world.listeners.count === 1);
    await world.timers.pass(60_100);
    expect(await caller.until("</stream:stream>")).toContain("<connection-timeout ");
    await caller.closed();
  });
});

describe("RFC 6120 §4.9.3.20: closing", () => {
  test("RFC 6120 §4.9.3.20: everybody is told, and it is over when all are gone", async () => {
    const world = await RealWorld.open();
    const callers = [await world.dialTls(), await world.dialTls()];
    for (const caller of callers) await bound(caller);
    const visitor = await world.dial();
    visitor.send(HEADER);
    await visitor.until("</stream:features>");
    const handshaking = await world.dial("directTls");
    await until(() => world.listeners.count === 4);
    await world.listeners.close(new StreamError("system-shutdown"));
    for (const caller of [...callers, visitor])
      expect(await caller.until("</stream:stream>")).toBe(streamError("system-shutdown"));
    await handshaking.closed();
    expect(handshaking.received).toBe("");
    expect(world.door.sessions.map(({ ends }) => ends)).toEqual([1, 1]);
    expect(world.listeners.count).toBe(0);
    await expect(world.dial()).rejects.toThrow("ECONNREFUSED");
  });

  test("RFC 6120 §4.4: who does not answer holds it up no longer than it may", async () => {
    const world = await RealWorld.open();
    const { port } = world.address("starttls");
    const deaf = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    deaf.write(HEADER);
    await until(() => world.listeners.count === 1);
    let isClosed = false;
    const closing = world.listeners.close(new StreamError("system-shutdown")).then(() => {
      isClosed = true;
    });
    await world.timers.pass(4_900);
    expect(isClosed).toBe(false);
    await world.timers.pass(200);
    await closing;
    deaf.destroy();
    expect(world.timers.size).toBe(0);
  });
});

describe("RFC 6120 §13.12: bound clients that do harm", () => {
  test("RFC 6120 §13.12: a reader that does not read is ended, and what waited for it is let go", async () => {
    const world = await RealWorld.open({ backlogs: { each: 3_000_000, all: 30_000_000 } });
    const caller = await world.dialTls();
    await bound(caller);
    const { session } = world.door;
    caller.socket.pause();
    const message = toBytes(`<message><body>${"x".repeat(50_000)}</body></message>`);
    for (let count = 0; count < 5_000 && session.ends === 0; count++) {
      session.wire.send(message);
      if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(session.ends).toBe(1);
    expect(session.wire.backlog).toBeLessThan(3_200_000);
    await world.timers.pass(5_100);
    await until(() => world.listeners.count === 0);
    expect(world.lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ condition: "policy-violation" }) }),
    );
  });

  test("RFC 6120 §13.12: a sender that is too fast is slowed down, and loses nothing", async () => {
    const rate = { bytesPerSecond: 100_000, burstBytes: 100_000, stanzasPerSecond: 1_000, burstStanzas: 1_000 };
    const world = await RealWorld.open({ limits: { rate } });
    const caller = await world.dialTls();
    await bound(caller);
    const { session } = world.door;
    const sent = Array.from(
      { length: 300 },
      (_, at) => `<message id='${at}'><body>${"x".repeat(2_000)}</body></message>`,
    );
    for (const message of sent) caller.send(message);
    await until(() => session.received.length > 10);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(session.received.length).toBeLessThan(200);
    for (let second = 0; second < 20 && session.received.length < sent.length; second++) {
      await world.timers.pass(1_000);
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => session.received.length === sent.length);
    expect(session.received).toEqual(sent);
  });
});
