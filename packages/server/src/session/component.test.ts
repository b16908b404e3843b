import { type DomainJid, parseRaw, readStanza, StanzaError, toBytes, toText, writeStanza } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { type ComponentServices, ComponentStream } from "./component.ts";
import { STREAM_LIMITS } from "./services.ts";
import { domain, header, MemoryTransport, Peer, settled, sha1Hex, streamError, World } from "./test-streams.ts";

const CONTENT = "jabber:component:accept";
const OPENING = header("to='plays.example'", CONTENT);
const RESPONSE =
  "<stream:stream from='plays.example' id='…' xml:lang='en' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>";
const NAMELESS = RESPONSE.replace("plays.example", "");

interface Stage {
  readonly world: World;
  readonly peer: Peer<ComponentStream>;
}

const connect = (world = new World()): Stage => {
  const components = new Map<DomainJid, { secret: string }>([
    [domain("plays.example"), { secret: "all the world’s a stage" }],
    [domain("sonnets.example"), { secret: "eighteen" }],
  ]);
  const services: ComponentServices = {
    door: world.door,
    components,
    limits: { ...STREAM_LIMITS, rate: undefined },
    backlogs: world.services.backlogs,
    log: world.log,
    timers: world.timers,
  };
  const transport = new MemoryTransport({ address: "127.0.0.1" });
  const stream = new ComponentStream(transport, services);
  transport.listener = stream;
  return { world, peer: new Peer(transport, stream) };
};

const handshake = async ({ peer }: Stage, secret = "all the world’s a stage"): Promise<void> => {
  await peer.sends(OPENING);
  const id = / id='([^']+)'/.exec(peer.receivedRaw())?.[1] ?? "";
  await peer.sends(`<handshake>${sha1Hex(id + secret)}</handshake>`);
};

const trusted = async (world = new World()): Promise<Stage> => {
  const stage = connect(world);
  await handshake(stage);
  stage.peer.received();
  return stage;
};

describe("XEP-0114 §3: the handshake", () => {
  test("XEP-0114 §3: a header in the component's name, without version or features", async () => {
    const { peer } = connect();
    await peer.sends(OPENING);
    expect(peer.received()).toBe(RESPONSE);
  });

  test("XEP-0114 §3: the right secret is acknowledged and the domain taken", async () => {
    const stage = connect();
    await handshake(stage);
    expect(stage.peer.received()).toBe("<handshake/>");
    expect(stage.world.door.domains.has(domain("plays.example"))).toBe(true);
    expect(stage.peer.transport.isVouched).toBe(true);
  });

  test("XEP-0114 §3: it may take its time from then on", async () => {
    const { world, peer } = await trusted();
    await world.timers.pass(86_400_000);
    expect(peer.transport.state).toBe("open");
  });

  test.each([
    ["not-authorized", "<handshake>0123456789abcdef0123456789abcdef01234567</handshake>"],
    ["not-authorized", "<handshake/>"],
    ["not-authorized", "<handshake>é</handshake>"],
    ["not-authorized", `<handshake xmlns='urn:example'/>`],
    ["not-authorized", "<message from='plays.example' to='juliet@capulet.example'/>"],
    ["not-authorized", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
  ])("XEP-0114 §3: %s for %s", async (condition, sent) => {
    const { world, peer } = connect();
    await peer.sends(OPENING);
    peer.received();
    await peer.sends(sent);
    expect(peer.received()).toBe(streamError(condition));
    expect(peer.transport.state).toBe("ended");
    expect(world.door.domains.size).toBe(0);
    expect(world.door.remote).toEqual([]);
  });

  test("XEP-0114 §3: another component's secret is a wrong one", async () => {
    const stage = connect();
    await handshake(stage, "eighteen");
    expect(stage.peer.received()).toBe(streamError("not-authorized"));
    expect(JSON.stringify(stage.world.lines)).not.toContain("eighteen");
  });

  test.each([
    ["host-unknown", header("to='operas.example'", CONTENT), undefined],
    ["host-unknown", header("to='capulet.example'", CONTENT), undefined],
    ["host-unknown", header("to='not a domain'", CONTENT), undefined],
    ["improper-addressing", header("", CONTENT), "the header has to name the component"],
  ])("XEP-0114 §3: %s inside a stream of our own", async (condition, opening, text) => {
    const { peer } = connect();
    await peer.sends(opening);
    expect(peer.received()).toBe(NAMELESS + streamError(condition, text));
  });

  test.each(["jabber:client", "jabber:server", "jabber:component:connect"])(
    "XEP-0114 §3: invalid-namespace for %s",
    async (ns) => {
      const { peer } = connect();
      await peer.sends(header("to='plays.example'", ns));
      expect(peer.received()).toBe(
        RESPONSE + streamError("invalid-namespace", "the content namespace here is jabber:component:accept"),
      );
    },
  );

  test("RFC 6120 §4.9.3.3: one stream for a domain", async () => {
    const first = await trusted();
    const second = connect(first.world);
    await handshake(second);
    expect(second.peer.received()).toBe(streamError("conflict"));
    expect(first.peer.transport.state).toBe("open");
    expect(first.world.door.domains.size).toBe(1);
  });

  test("RFC 6120 §4.9.3.4: a component that never shakes hands", async () => {
    const { world, peer } = connect();
    await peer.sends(OPENING);
    peer.received();
    await world.timers.pass(60_100);
    expect(peer.received()).toBe(streamError("connection-timeout", "negotiation took too long"));
  });

  test("RFC 6120 §13.12: before the handshake little is read", async () => {
    const { peer } = connect();
    await peer.sends(`${OPENING}<handshake>${"0".repeat(11_000)}</handshake>`);
    expect(peer.received()).toContain("<policy-violation ");
  });
});

describe("XEP-0114 §3: stanzas", () => {
  test("RFC 6120 §4.8.3: stanzas of anybody at its domain, in the namespace of streams at large", async () => {
    const { world, peer } = await trusted();
    await peer.sends(
      "<message from='hamlet@plays.example/castle' to='juliet@capulet.example'><body>words</body></message>" +
        "<presence from='plays.example' to='juliet@capulet.example' xmlns='jabber:component:accept'/>" +
        "<iq from='ophelia@plays.example' to='capulet.example' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    expect(world.door.remote.map((stanza) => toText(writeStanza(stanza)))).toEqual([
      "<message from='hamlet@plays.example/castle' to='juliet@capulet.example'><body>words</body></message>",
      "<presence from='plays.example' to='juliet@capulet.example'/>",
      "<iq from='ophelia@plays.example' to='capulet.example' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    ]);
    expect(peer.received()).toBe("");
  });

  test("RFC 6120 §4.8.3: stanzas to it arrive in its namespace", async () => {
    const { world, peer } = await trusted();
    const sent =
      "<message from='juliet@capulet.example/balcony' to='hamlet@plays.example' type='chat' id='7'><body>O</body></message>";
    world.door.domains.get(domain("plays.example"))?.(readStanza(parseRaw(toBytes(sent))));
    expect(peer.received()).toBe(sent);
  });

  test.each([
    ["improper-addressing", "<message to='juliet@capulet.example'/>"],
    ["improper-addressing", "<message from='hamlet@plays.example'/>"],
    ["improper-addressing", "<message from='' to='juliet@capulet.example'/>"],
    ["improper-addressing", "<message from='hamlet@plays.example' to='@@'/>"],
    ["improper-addressing", "<message from='ham let@plays.example' to='juliet@capulet.example'/>"],
    ["invalid-from", "<message from='hamlet@sonnets.example' to='juliet@capulet.example'/>"],
    ["invalid-from", "<message from='juliet@capulet.example' to='romeo@montague.example'/>"],
    ["invalid-from", "<message from='hamlet@sub.plays.example' to='juliet@capulet.example'/>"],
    ["unsupported-stanza-type", "<log from='plays.example' to='capulet.example'/>"],
    ["invalid-namespace", "<message xmlns='jabber:client' from='plays.example' to='juliet@capulet.example'/>"],
    ["unsupported-stanza-type", "<handshake/>"],
    ["not-well-formed", "<message from='plays.example' to='juliet@capulet.example'></presence>"],
  ])("XEP-0114 §3, RFC 6120 §8.1.2.2: %s for %s", async (condition, sent) => {
    const { world, peer } = await trusted();
    await peer.sends(sent);
    expect(peer.received()).toContain(`<stream:error><${condition} `);
    expect(world.door.remote).toEqual([]);
    expect(world.door.domains.size).toBe(0);
  });

  test("a stanza that is wrong in itself is answered by the router, not by an end", async () => {
    const { world, peer } = await trusted();
    await peer.sends("<iq from='plays.example' to='capulet.example' type='get'/>");
    expect(world.door.remote[0]?.problem).toBeInstanceOf(StanzaError);
    expect(peer.received()).toBe("");
  });

  test("RFC 6120 §10.1: in order: a stanza waits for the one before", async () => {
    const { world, peer } = await trusted();
    const delay = Promise.withResolvers<void>();
    world.door.acceptDelay = delay.promise;
    await peer.sends("<presence from='plays.example' to='juliet@capulet.example'/>".repeat(2));
    expect(world.door.remote).toHaveLength(1);
    expect(peer.transport.isPaused).toBe(true);
    delay.resolve();
    await settled();
    expect(world.door.remote).toHaveLength(2);
  });

  test("RFC 6120 §13.12: after the handshake large stanzas are read", async () => {
    const { world, peer } = await trusted();
    await peer.sends(
      `<message from='plays.example' to='juliet@capulet.example'><body>${"x".repeat(200_000)}</body></message>`,
    );
    expect(world.door.remote).toHaveLength(1);
  });

  test("RFC 6120 §4.4: closing gives the domain back", async () => {
    const { world, peer } = await trusted();
    await peer.sends("</stream:stream>");
    expect(peer.received()).toBe("</stream:stream>");
    expect(world.door.domains.size).toBe(0);
    const again = await trusted(world);
    expect(world.door.domains.size).toBe(1);
    again.peer.stream.lost(undefined);
    expect(world.door.domains.size).toBe(0);
    expect(world.timers.size).toBe(1); // the first one's, until its peer has closed
  });
});
