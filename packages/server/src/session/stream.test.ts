import { StreamError, toBytes } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import {
  domain,
  HEADER,
  header,
  PASSWORD,
  plainAuth,
  RESPONSE,
  settled,
  streamError,
  World,
  type WorldOptions,
} from "./test-streams.ts";

const STARTTLS_FEATURES =
  "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
const ONE_HOST: WorldOptions = { hosts: [{ domain: domain("capulet.example") }] };

/** What a server answers to a first header. */
const answerTo = async (opening: string, options: WorldOptions = {}): Promise<string> => {
  const peer = new World(options).connect();
  await peer.sends(opening);
  return peer.received();
};

describe("RFC 6120 §4.2, §4.7: headers", () => {
  test("RFC 6120 §4.3.2: header and features answer a header", async () => {
    expect(await answerTo(HEADER)).toBe(RESPONSE + STARTTLS_FEATURES);
  });

  test("RFC 6120 §11.5: an XML declaration comes first", async () => {
    const peer = new World().connect();
    await peer.sends(HEADER);
    expect(peer.receivedRaw()).toMatch(/^<\?xml version='1\.0'\?><stream:stream /);
  });

  test("RFC 6120 §4.7.1, §4.7.2: from is the host that was named, to the bare JID of the header's from", async () => {
    const answer = await answerTo(header("to='montague.example' from='Romeo@montague.example/orchard' version='1.0'"));
    expect(answer).toContain("<stream:stream from='montague.example' to='romeo@montague.example' ");
  });

  test("RFC 6120 §4.7.2: no from, no to", async () => {
    expect(await answerTo(HEADER)).not.toMatch(/ to='/);
  });

  test("RFC 6120 §4.7.2: a host is named in any form that means it", async () => {
    expect(await answerTo(header("to='CAPULET.example.' version='1.0'"))).toBe(RESPONSE + STARTTLS_FEATURES);
  });

  test("RFC 6120 §4.7.3: stream ids are long, unlike each other, and not the peer's", async () => {
    const world = new World();
    const ids = new Set<string>();
    for (let count = 0; count < 20; count++) {
      const peer = world.connect();
      await peer.sends(header("to='capulet.example' version='1.0' id='mine'"));
      ids.add(/ id='([^']+)'/.exec(peer.receivedRaw())?.[1] ?? "");
    }
    expect(ids.size).toBe(20);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  test.each(["en", "en-GB", "de-CH", "tlh", "x'><y", ""])(
    "RFC 6120 §4.7.4: our language is en, whatever was asked for (%s)",
    async (lang) => {
      const escaped = lang.replace("'", "&apos;").replace("<", "&lt;");
      expect(await answerTo(header(`to='capulet.example' version='1.0' xml:lang='${escaped}'`))).toBe(
        RESPONSE + STARTTLS_FEATURES,
      );
    },
  );

  test.each([
    ["de-CH", "de-CH"],
    ["not a language", undefined],
    ["", undefined],
  ])(
    "RFC 6120 §4.7.4: the client's language %s is remembered for its stanzas if it is one",
    async (lang, remembered) => {
      const world = new World();
      const peer = world.connectSecurely();
      await peer.sends(HEADER);
      await peer.sends(plainAuth("juliet", PASSWORD));
      await peer.sends(header(`to='capulet.example' version='1.0' xml:lang='${lang}'`));
      await peer.sends("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
      expect(world.door.session.lang).toBe(remembered);
    },
  );

  test.each(["1.0", "1.1", "1.13", "01.00", "1.999999999"])(
    "RFC 6120 §4.7.5: version %s is answered with 1.0",
    async (version) => {
      expect(await answerTo(header(`to='capulet.example' version='${version}'`))).toBe(RESPONSE + STARTTLS_FEATURES);
    },
  );

  test("RFC 6120 §4.7.2: without to, the only host there is is meant", async () => {
    expect(await answerTo(header("version='1.0'"), ONE_HOST)).toBe(RESPONSE + STARTTLS_FEATURES);
  });

  test("RFC 6120 §4.7.2: without to, the host that TLS named is meant", async () => {
    const peer = new World().connectSecurely({ serverName: "montague.example" });
    await peer.sends(header("version='1.0'"));
    expect(peer.received()).toContain("from='montague.example'");
  });

  test("RFC 6120 §4.8.2: a client may declare no content namespace and put it on each element", async () => {
    const peer = new World().connect();
    await peer.sends("<stream to='capulet.example' version='1.0' xmlns='http://etherx.jabber.org/streams'>");
    expect(peer.received()).toBe(RESPONSE + STARTTLS_FEATURES);
    await peer.sends("<message xmlns='jabber:client' to='romeo@montague.example'/>");
    expect(peer.received()).toBe(streamError("not-authorized"));
  });

  test("RFC 6120 §4.3.3: after a restart ids are new and features sent again", async () => {
    const peer = new World().connectSecurely();
    await peer.sends(HEADER);
    const first = / id='([^']+)'/.exec(peer.receivedRaw())?.[1];
    await peer.sends(plainAuth("juliet", PASSWORD));
    peer.received();
    await peer.sends(`\n${HEADER}`);
    const answer = peer.receivedRaw();
    expect(answer).toContain("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    expect(/ id='([^']+)'/.exec(answer)?.[1]).not.toBe(first);
  });
});

describe("RFC 6120 §4.9: stream errors", () => {
  const NS = "http://etherx.jabber.org/streams";
  test.each([
    ["host-unknown", header("to='verona.example' version='1.0'"), undefined],
    ["host-unknown", header("version='1.0'"), undefined],
    ["improper-addressing", header("to='not a domain' version='1.0'"), "to is no domain"],
    ["improper-addressing", header("to='' version='1.0'"), "to is no domain"],
    ["improper-addressing", header("to='juliet@capulet.example' version='1.0'"), "to is no domain"],
    ["improper-addressing", header("to='capulet.example' from='@capulet.example' version='1.0'"), "from is no address"],
    ["unsupported-version", header("to='capulet.example' version='2.0'"), undefined],
    ["unsupported-version", header("to='capulet.example' version='11.0'"), undefined],
    ["unsupported-version", header("to='capulet.example' version='newest'"), undefined],
    ["unsupported-version", header("to='capulet.example' version='1'"), undefined],
    ["unsupported-version", header("to='capulet.example' version='-1.0'"), undefined],
    [
      "invalid-namespace",
      `<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://wrong.example/'>`,
      "not the namespace of streams",
    ],
    [
      "invalid-namespace",
      "<stream to='capulet.example' version='1.0' xmlns='jabber:client'>",
      "not the namespace of streams",
    ],
    [
      "invalid-namespace",
      header("to='capulet.example' version='1.0'", "jabber:server"),
      "the content namespace here is jabber:client",
    ],
    [
      "invalid-namespace",
      header("to='capulet.example' version='1.0'", "jabber:component:accept"),
      "the content namespace here is jabber:client",
    ],
    [
      "invalid-namespace",
      header("to='capulet.example' version='1.0'", "urn:example:chess"),
      "the content namespace here is jabber:client",
    ],
    [
      "invalid-namespace",
      header("to='capulet.example' version='1.0' xmlns:x='urn:example:chess'"),
      "a stream header declares nothing but its own namespaces",
    ],
    [
      "bad-namespace-prefix",
      `<flow:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:flow='${NS}'>`,
      "the prefix has to be stream",
    ],
    [
      "bad-format",
      `<stream:brook to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='${NS}'>`,
      "not a stream header",
    ],
  ])("RFC 6120 §4.9.1.2: %s comes inside a stream of our own: %s", async (condition, opening, text) => {
    const peer = new World().connect();
    await peer.sends(opening);
    expect(peer.received()).toBe(RESPONSE + streamError(condition, text));
    expect(peer.transport.state).toBe("ended");
  });

  test.each([undefined, "0.9", "0.1"])(
    "RFC 6120 §4.7.5: version %s is answered with no higher one, and is not supported",
    async (version) => {
      const answer = await answerTo(
        header(`to='capulet.example'${version === undefined ? "" : ` version='${version}'`}`),
      );
      const ours = version === undefined ? "" : ` version='${version}'`;
      expect(answer).toBe(RESPONSE.replace(" version='1.0'", ours) + streamError("unsupported-version"));
    },
  );

  test("RFC 6120 §4.9.1.3: an unknown host is answered in the name of one we have", async () => {
    expect(await answerTo(header("to='verona.example' from='paris@verona.example' version='1.0'"))).toContain(
      "<stream:stream from='capulet.example' to='paris@verona.example' ",
    );
  });

  test.each([
    ["not-well-formed", "GET / HTTP/1.1\r\n\r\n"],
    ["not-well-formed", "<<"],
    ["not-well-formed", "\u0000"],
    ["restricted-xml", "<!-- hello -->"],
    ["restricted-xml", "<?php ?>"],
    ["restricted-xml", "<!DOCTYPE stream>"],
    ["unsupported-encoding", "<?xml version='1.0' encoding='UTF-16'?>"],
  ])("RFC 6120 §4.9.1.2: %s before any header (%s)", async (condition, opening) => {
    const answer = await answerTo(opening);
    expect(answer.startsWith(RESPONSE)).toBe(true);
    expect(answer).toContain(`<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`);
    expect(answer.endsWith("</stream:error></stream:stream>")).toBe(true);
  });

  test("RFC 6120 §11.6: what is not UTF-8 is an unsupported encoding", async () => {
    const peer = new World().connect();
    await peer.sends(HEADER);
    peer.received();
    await peer.sendsBytes(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0xfe));
    expect(peer.received()).toContain("<unsupported-encoding ");
  });

  test.each([
    ["not-well-formed", "<message><body>no end</message>"],
    ["not-well-formed", "<message><foo:body>what is foo</foo:body></message>"],
    ["restricted-xml", "<message><!-- no --></message>"],
    ["restricted-xml", "<message>&nbsp;</message>"],
    ["bad-format", "wherefore"],
    ["bad-namespace-prefix", "<p:message xmlns:p='jabber:client' to='romeo@montague.example'><p:body/></p:message>"],
    ["unsupported-stanza-type", "<pubsub xmlns='jabber:client'/>"],
    ["unsupported-stanza-type", "<message xmlns='urn:example:chess' to='romeo@montague.example'/>"],
    ["unsupported-stanza-type", "<enable xmlns='urn:example:sm'/>"],
    ["invalid-namespace", "<message xmlns='jabber:server' to='romeo@montague.example'/>"],
    ["invalid-namespace", "<handshake xmlns='jabber:component:accept'/>"],
    ["not-authorized", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>"],
  ])("RFC 6120 §4.9.3: %s on a bound stream: %s", async (condition, sent) => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(sent);
    expect(peer.received()).toContain(`<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`);
    expect(peer.transport.state).toBe("ended");
    expect(world.door.session.received).toEqual([]);
    expect(world.door.session.ends).toBe(1);
  });

  test.each(["conflict", "reset", "system-shutdown", "not-authorized", "resource-constraint"] as const)(
    "RFC 6120 §4.9.3: the server closes with %s",
    async (condition) => {
      const world = new World();
      const peer = await world.login();
      world.door.session.wire.close(new StreamError(condition, "so it is"));
      expect(peer.received()).toBe(streamError(condition, "so it is"));
      expect(peer.transport.state).toBe("ended");
    },
  );

  test("RFC 6120 §4.9.4: an application-specific condition stands after the text", async () => {
    const world = new World();
    const peer = await world.login();
    const extra = { ns: "urn:xmpp:errors", name: "too-many-stanzas", attributes: {}, children: [] };
    world.door.session.wire.close(new StreamError("policy-violation", "slower", extra));
    expect(peer.received()).toBe(
      "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>slower</text>" +
        "<too-many-stanzas xmlns='urn:xmpp:errors'/></stream:error></stream:stream>",
    );
  });

  test.each(["invalid-from", "improper-addressing"] as const)(
    "RFC 6120 §4.9.3.9: what the session finds (%s) ends the stream",
    async (condition) => {
      const world = new World();
      const peer = await world.login();
      world.door.session.handle = () => {
        throw new StreamError(condition);
      };
      await peer.sends("<message from='romeo@montague.example'/><message/>");
      expect(peer.received()).toBe(streamError(condition));
      expect(world.door.session.received).toHaveLength(1);
    },
  );

  test("RFC 6120 §4.9.3.8: a fault of ours is internal-server-error, and logged", async () => {
    const world = new World();
    const peer = await world.login();
    world.door.session.handle = () => Promise.reject(new RangeError("a defect"));
    await peer.sends("<message/><message/>");
    expect(peer.received()).toBe(streamError("internal-server-error"));
    expect(world.lines.filter(({ level }) => level === "error").map(({ fields }) => fields.err)).toEqual([
      new RangeError("a defect"),
    ]);
    expect(world.door.session.received).toHaveLength(1);
    expect(world.door.session.ends).toBe(1);
  });

  test("RFC 6120 §4.9.1.1: an error of the peer's is noted, and the stream closed", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(
      "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error><message/></stream:stream>",
    );
    expect(peer.received()).toBe("</stream:stream>");
    expect(world.door.session.received).toEqual([]);
    expect(world.door.session.ends).toBe(1);
    expect(world.lines.map(({ fields }) => fields.condition)).toContain("reset");
  });

  test("RFC 6120 §4.9.1.1: after an error nothing is said nor heard", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends("<pubsub/><message/>");
    peer.received();
    await peer.sends("<message/>");
    world.door.session.wire.send(toBytes("<message/>"));
    world.door.session.wire.close(new StreamError("conflict"));
    expect(peer.received()).toBe("");
    expect(world.door.session.received).toEqual([]);
    expect(world.door.session.ends).toBe(1);
  });
});

describe("RFC 6120 §4.9.3.14, §13.12: limits of what is read", () => {
  const message = (bytes: number): string => `<message><body>${"x".repeat(bytes - 32)}</body></message>`;

  test("RFC 6120 §13.12: before authentication 10 KiB, at least 10,000 bytes", async () => {
    const world = new World();
    for (const [bytes, condition] of [
      [10_239, "not-authorized"],
      [10_241, "policy-violation"],
    ] as const) {
      const peer = world.connectSecurely();
      await peer.sends(HEADER);
      peer.received();
      await peer.sends(message(bytes));
      expect(peer.received()).toContain(`<${condition} `);
    }
  });

  test("RFC 6120 §13.12: a header that does not end is refused while it comes", async () => {
    const peer = new World().connect();
    await peer.sends(`<stream:stream to='${"x".repeat(10_300)}`);
    expect(peer.received()).toContain("<policy-violation ");
  });

  test("RFC 6120 §13.12: after authentication 256 KiB", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(message(262_143));
    expect(world.door.session.received).toHaveLength(1);
    await peer.sends(message(262_145));
    expect(peer.received()).toContain("<policy-violation ");
  });

  test("RFC 6120 §13.12: deep, wide and many-named stanzas are refused", async () => {
    for (const sent of [
      `<message>${"<a>".repeat(70)}${"</a>".repeat(70)}</message>`,
      `<message>${"<a/>".repeat(1100)}</message>`,
      `<message ${Array.from({ length: 70 }, (_, at) => `a${at}=''`).join(" ")}/>`,
    ]) {
      const world = new World();
      const peer = await world.login();
      await peer.sends(sent);
      expect(peer.received()).toContain("<policy-violation ");
      expect(world.door.session.received).toEqual([]);
    }
  });
});

describe("RFC 6120 §10.1: in order", () => {
  test("RFC 6120 §10.1: an element waits until the one before has been dealt with, and nothing is read meanwhile", async () => {
    const world = new World();
    const peer = await world.login();
    const first = Promise.withResolvers<void>();
    world.door.session.handle = () => first.promise;
    await peer.sends("<message id='1'/><message id='2'/>");
    expect(world.door.session.received).toEqual(["<message id='1'/>"]);
    expect(peer.transport.isPaused).toBe(true);
    await peer.sends("<message id='3'/>");
    expect(world.door.session.received).toHaveLength(1);
    world.door.session.handle = () => {};
    first.resolve();
    await settled();
    expect(world.door.session.received).toEqual(["<message id='1'/>", "<message id='2'/>", "<message id='3'/>"]);
    expect(peer.transport.isPaused).toBe(false);
  });

  test("RFC 6120 §8: one byte at a time", async () => {
    const world = new World();
    const peer = world.connectSecurely();
    const bytes = Buffer.from(
      `${HEADER}${plainAuth("juliet", PASSWORD)}${HEADER}<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>` +
        "<presence/><message to='romeo@montague.example'><body>Ô Roméo</body></message>",
    );
    for (const byte of bytes) peer.stream.received(Uint8Array.of(byte));
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(world.door.session.received).toEqual([
      "<presence/>",
      "<message to='romeo@montague.example'><body>Ô Roméo</body></message>",
    ]);
  });

  test("RFC 6120 §6.4.6: a client that sends everything in one piece is understood", async () => {
    const world = new World();
    const peer = world.connectSecurely();
    await peer.sends(
      `${HEADER}${plainAuth("juliet", PASSWORD)}${HEADER}<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><presence/>`,
    );
    expect(world.door.session.received).toEqual(["<presence/>"]);
  });

  test("RFC 6120 §11.7: white space between elements is no element", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(" \n<presence/>\t \r\n");
    expect(world.door.session.received).toEqual(["<presence/>"]);
    expect(peer.received()).toBe("");
  });
});

describe("RFC 6120 §4.4: closing", () => {
  test("RFC 6120 §4.4: a closing tag is answered once what is due has been sent", async () => {
    const world = new World();
    const peer = await world.login();
    const due = Promise.withResolvers<void>();
    const { session } = world.door;
    session.whenEnded = () => due.promise;
    await peer.sends("</stream:stream>");
    expect(session.ends).toBe(1);
    expect(peer.received()).toBe("");
    session.wire.send(toBytes("<message/>"));
    due.resolve();
    await settled();
    expect(peer.received()).toBe("<message/></stream:stream>");
    expect(peer.transport.state).toBe("ended");
    expect(session.ends).toBe(1);
  });

  test("RFC 6120 §4.4: what is due and does not come holds nobody up for long", async () => {
    const world = new World();
    const peer = await world.login();
    world.door.session.whenEnded = () => new Promise(() => {});
    await peer.sends("</stream:stream>");
    await world.timers.pass(5_050);
    expect(peer.received()).toBe("</stream:stream>");
  });

  test("RFC 6120 §4.4: a fault while ending is logged and holds nobody up", async () => {
    for (const whenEnded of [
      () => Promise.reject(new Error("a defect")),
      (): void => {
        throw new Error("a defect");
      },
    ]) {
      const world = new World();
      const peer = await world.login();
      world.door.session.whenEnded = whenEnded;
      await peer.sends("</stream:stream>");
      expect(peer.received()).toBe("</stream:stream>");
      expect(world.lines.filter(({ level }) => level === "error")).toHaveLength(1);
    }
  });

  test("RFC 6120 §4.4: a closing tag before authentication is answered", async () => {
    const peer = new World().connect();
    await peer.sends(`${HEADER}</stream:stream>`);
    expect(peer.received()).toBe(`${RESPONSE}${STARTTLS_FEATURES}</stream:stream>`);
  });

  test("RFC 6120 §4.4: what comes after the closing tag is nothing", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends("</stream:stream><message/>");
    expect(world.door.session.received).toEqual([]);
    expect(peer.received()).toBe("</stream:stream>");
  });

  test("RFC 6120 §4.4: a peer that does not close its own direction is dropped after a while", async () => {
    const world = new World();
    const peer = await world.login();
    world.door.session.wire.close();
    expect(peer.received()).toBe("</stream:stream>");
    await world.timers.pass(4_900);
    expect(peer.transport.state).toBe("ended");
    await world.timers.pass(200);
    expect(peer.transport.state).toBe("destroyed");
    expect(peer.stream.state).toBe("closed");
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §4.4: a peer that ends its direction of TCP has ended its stream", async () => {
    const world = new World();
    const peer = await world.login();
    peer.stream.peerEnded();
    expect(world.door.session.ends).toBe(1);
    expect(peer.received()).toBe("</stream:stream>");
  });

  test("XEP-0198 §7: a stream is closed by its closing tag, and unfinished where the connection is closed alone", async () => {
    const world = new World();
    await (await world.login()).sends("</stream:stream>");
    expect(world.door.session.how).toBe("closed");
    const other = new World();
    (await other.login()).stream.peerEnded();
    expect(other.door.session.how).toBe("lost");
  });

  test("RFC 6120 §4.6.1: a lost connection ends the session, once", async () => {
    const world = new World();
    const peer = await world.login();
    peer.stream.lost(new Error("ECONNRESET"));
    peer.stream.lost(undefined);
    world.door.session.wire.close();
    world.door.session.wire.send(toBytes("<message/>"));
    expect(world.door.session.ends).toBe(1);
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §4.4: closing from inside a stanza stops at that stanza", async () => {
    const world = new World();
    const peer = await world.login();
    world.door.session.handle = () => world.door.session.wire.close(new StreamError("conflict"));
    await peer.sends("<message id='1'/><message id='2'/>");
    expect(world.door.session.received).toEqual(["<message id='1'/>"]);
    expect(peer.received()).toBe(streamError("conflict"));
  });
});

describe("RFC 6120 §4.6: silence and time", () => {
  test("RFC 6120 §4.9.3.4: negotiation that takes too long ends, header or none", async () => {
    for (const opening of ["", HEADER, "<stream:stream to='capulet"]) {
      const world = new World();
      const peer = world.connect();
      await peer.sends(opening);
      peer.received();
      await world.timers.pass(59_900);
      expect(peer.transport.state).toBe("open");
      await world.timers.pass(200);
      expect(peer.received()).toBe(
        (opening === HEADER ? "" : RESPONSE) + streamError("connection-timeout", "negotiation took too long"),
      );
    }
  });

  test("RFC 6120 §4.9.3.4: activity does not prolong negotiation", async () => {
    const world = new World();
    const peer = world.connectSecurely();
    await peer.sends(HEADER);
    for (let second = 0; second < 59; second++) {
      await world.timers.pass(1_000);
      await peer.sends(" ");
    }
    peer.received();
    await world.timers.pass(1_100);
    expect(peer.received()).toContain("connection-timeout");
  });

  test("RFC 6120 §5.4.3.2: a TLS handshake that takes too long is dropped without a word", async () => {
    const world = new World();
    const peer = world.connect();
    await peer.sends(`${HEADER}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
    peer.received();
    await world.timers.pass(15_050);
    expect(peer.transport.state).toBe("destroyed");
    expect(peer.received()).toBe("");
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §4.6.3: a bound client may be silent for ever", async () => {
    const world = new World();
    const peer = await world.login();
    await world.timers.pass(86_400_000);
    expect(peer.transport.state).toBe("open");
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §4.6.1: a keep-alive is sent to the silent, and to them only", async () => {
    const world = new World({ limits: { keepAliveMs: 300_000 } });
    const peer = await world.login();
    await world.timers.pass(300_000);
    await peer.sends("<presence/>");
    await world.timers.pass(300_000);
    expect(peer.received()).toBe("");
    await world.timers.pass(300_000);
    expect(peer.received()).toBe(" ");
    await world.timers.pass(300_000);
    expect(peer.received()).toBe(" ");
  });

  test("RFC 6120 §4.9.3.4: a peer that takes nothing is told so and dropped", async () => {
    const world = new World();
    const peer = await world.login();
    peer.stream.stalled();
    await settled();
    expect(peer.received()).toBe(streamError("connection-timeout", "the peer does not read"));
    expect(peer.transport.state).toBe("destroyed");
    expect(world.door.session.ends).toBe(1);
  });
});

describe("RFC 6120 §13.12: too fast, too slow", () => {
  test("RFC 6120 §13.12: too many bytes slow the reader down, and cut nothing off", async () => {
    const rate = { bytesPerSecond: 1_000, burstBytes: 3_000, stanzasPerSecond: 1_000, burstStanzas: 1_000 };
    const world = new World({ limits: { rate } });
    const peer = await world.login();
    await world.timers.pass(60_000);
    await peer.sends(`<message><body>${"x".repeat(4_969)}</body></message>`); // 5,001 bytes
    expect(world.door.session.received).toHaveLength(1);
    expect(peer.transport.isPaused).toBe(true);
    await world.timers.pass(1_950);
    expect(peer.transport.isPaused).toBe(true);
    await world.timers.pass(100);
    expect(peer.transport.isPaused).toBe(false);
    await peer.sends("<presence/>");
    expect(world.door.session.received).toHaveLength(2);
  });

  test("RFC 6120 §13.12: too many stanzas slow the reader down", async () => {
    const rate = { bytesPerSecond: 1e6, burstBytes: 1e6, stanzasPerSecond: 10, burstStanzas: 20 };
    const world = new World({ limits: { rate } });
    const peer = await world.login();
    await world.timers.pass(60_000);
    await peer.sends("<presence/>".repeat(30));
    // The one too many is the last; what came with it waits.
    expect(world.door.session.received).toHaveLength(21);
    expect(peer.transport.isPaused).toBe(true);
    await world.timers.pass(1_050);
    expect(world.door.session.received).toHaveLength(30);
    expect(peer.transport.isPaused).toBe(false);
  });

  test("RFC 6120 §13.12: what takes long is dealt with in turns, so that others have theirs", async () => {
    const world = new World({ limits: { rate: undefined } });
    const peer = await world.login();
    const { session } = world.door;
    session.handle = () => void world.timers.pass(2);
    peer.sendsNow("<presence/>".repeat(100));
    expect(session.received).toHaveLength(8);
    await settled();
    expect(session.received.length).toBeLessThan(100);
    while (session.received.length < 100) await settled();
    expect(peer.transport.isPaused).toBe(false);
  });

  test("RFC 6120 §13.12: whose answers are many is read from as fast as they are taken, and not cut off", async () => {
    const world = new World({ limits: { readAheadBytes: 5_000 }, backlogs: { each: 20_000, all: 100_000 } });
    const peer = await world.login();
    const { session } = world.door;
    peer.transport.isReading = false;
    session.handle = () => session.wire.send(toBytes(`<message>${"x".repeat(1_000)}</message>`));
    peer.sendsNow("<presence/>".repeat(100));
    expect(session.received.length).toBeLessThan(10);
    while (session.received.length < 100) {
      peer.transport.read();
      await settled();
    }
    expect(session.ends).toBe(0);
  });

  test("RFC 6120 §13.12: a slowed reader whose stream ends leaves no timer", async () => {
    const rate = { bytesPerSecond: 1, burstBytes: 1, stanzasPerSecond: 1, burstStanzas: 1 };
    const world = new World({ limits: { rate } });
    const peer = world.connect();
    await peer.sends(HEADER);
    expect(peer.transport.isPaused).toBe(true);
    peer.stream.lost(undefined);
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §4.9.3.14: an outbox that is full ends the stream", async () => {
    const world = new World({ backlogs: { each: 10_000, all: 100_000 } });
    const peer = await world.login();
    peer.transport.isReading = false;
    const { session } = world.door;
    for (let count = 0; count < 12; count++) {
      session.wire.send(toBytes(`<message>${"x".repeat(1_000)}</message>`));
      await settled();
    }
    expect(session.wire.backlog).toBeLessThan(11_500);
    expect(session.ends).toBe(1);
    peer.transport.read();
    expect(peer.received()).toMatch(/<stream:error><policy-violation .*<\/stream:error><\/stream:stream>$/);
  });

  test("RFC 6120 §13.12: who does not read is not read from", async () => {
    const world = new World({ limits: { readAheadBytes: 500 } });
    const peer = await world.login();
    peer.transport.isReading = false;
    world.door.session.handle = () => world.door.session.wire.send(toBytes(`<message>${"x".repeat(1_000)}</message>`));
    await peer.sends("<presence/>");
    expect(peer.transport.isPaused).toBe(true);
    peer.transport.read();
    await settled();
    expect(peer.transport.isPaused).toBe(false);
  });
});

describe("logging", () => {
  test("no line holds a password or a body", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends("<message><body>parting is such sweet sorrow</body></message>");
    await peer.sends("</stream:stream>");
    const stranger = world.connectSecurely();
    await stranger.sends(`${HEADER}${plainAuth("juliet", "a wrong guess")}`);
    const text = JSON.stringify(world.lines);
    expect(text).toContain("juliet@capulet.example");
    expect(text).not.toMatch(/wherefore|sorrow|guess|balcony/);
  });
});
