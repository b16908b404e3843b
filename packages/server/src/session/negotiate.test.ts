import {
  type ChannelBindingType,
  clientMechanism,
  type Offer,
  parseElement,
  readMechanisms,
  StanzaError,
  toBytes,
  toText,
} from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../crypto.ts";
import { GUESS_LIMITS } from "./guess-limiter.ts";
import {
  base64,
  domain,
  HEADER,
  header,
  type MemoryOptions,
  PASSWORD,
  type Peer,
  plainAuth,
  RESPONSE,
  settled,
  streamError,
  World,
  type WorldOptions,
} from "./test-streams.ts";

const STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const TLS_FAILURE = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";
const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const SUCCESS = `<success xmlns='${NS_SASL}'/>`;
const failure = (condition: string, text = ""): string =>
  `<failure xmlns='${NS_SASL}'><${condition}/>${text === "" ? "" : `<text xml:lang='en'>${text}</text>`}</failure>`;
const auth = (mechanism: string, data = ""): string =>
  `<auth xmlns='${NS_SASL}' mechanism='${mechanism}'>${data}</auth>`;
const response = (data = ""): string => `<response xmlns='${NS_SASL}'>${data}</response>`;
const BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const bind = (resource: string, id = "b"): string =>
  `<iq type='set' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;
const boundResult = (jid: string, id = "b"): string =>
  `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`;
const stanzaError = (condition: string, type: string, id = "b"): string =>
  `<iq type='error' id='${id}'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;

/** A stream over TLS that has exchanged headers. */
const secured = async (world: World, options: MemoryOptions = {}, opening = HEADER): Promise<Peer> => {
  const peer = world.connectSecurely(options);
  await peer.sends(opening);
  return peer;
};
/** One that has authenticated, too. */
const authenticated = async (world: World): Promise<Peer> => {
  const peer = await secured(world);
  await peer.sends(plainAuth("juliet", PASSWORD));
  await peer.sends(HEADER);
  peer.received();
  return peer;
};
const featuresOf = (answer: string) => {
  const features = /<stream:features>.*<\/stream:features>/.exec(answer)?.[0] ?? "";
  return parseElement(features.replaceAll("stream:features", "features"));
};
const mechanismsOf = (answer: string): readonly string[] =>
  featuresOf(answer).children.flatMap((child) =>
    typeof child === "object" && child.name === "mechanisms" ? readMechanisms(child) : [],
  );

describe("RFC 6120 §5: STARTTLS", () => {
  test("RFC 6120 §5.3.1: while TLS is mandatory, nothing else is announced", async () => {
    const peer = new World().connect();
    await peer.sends(HEADER);
    expect(peer.received()).toBe(
      `${RESPONSE}<stream:features>${STARTTLS.replace("/>", "><required/></starttls>")}</stream:features>`,
    );
  });

  test("RFC 6120 §5.4.2.3, §5.4.3.3: proceed, then TLS with the certificate of the host named, then a new stream", async () => {
    const peer = new World().connect();
    await peer.sends(header("to='montague.example' from='romeo@montague.example' version='1.0'"));
    const before = / id='([^']+)'/.exec(peer.receivedRaw())?.[1];
    await peer.sends(STARTTLS);
    expect(peer.received()).toBe(PROCEED);
    expect(peer.transport.handshaking).toEqual({ domain: "montague.example" });
    peer.transport.handshake();
    await peer.sends(HEADER);
    const answer = peer.receivedRaw();
    expect(answer).toContain("<stream:stream from='capulet.example' id='");
    expect(/ id='([^']+)'/.exec(answer)?.[1]).not.toBe(before);
    expect(answer).not.toContain("starttls");
    expect(mechanismsOf(answer)).toContain("SCRAM-SHA-1");
  });

  test("RFC 6120 §5.4.3.3: what was learnt in the clear is forgotten", async () => {
    const world = new World();
    const peer = world.connect();
    await peer.sends(header("to='capulet.example' from='nurse@capulet.example' version='1.0'"));
    await peer.sends(STARTTLS);
    peer.transport.handshake();
    peer.received();
    await peer.sends("<");
    peer.stream.close();
    expect(peer.received()).toBe(`${RESPONSE}</stream:stream>`);
  });

  test.each([
    ["a stanza", "<message to='romeo@montague.example'/>"],
    ["a header", HEADER],
    ["an authentication", plainAuth("juliet", PASSWORD)],
    ["half an element", "<iq type='set"],
    ["a byte", "x"],
    ["another command", STARTTLS],
    ["the start of a handshake", "\u0016\u0003\u0001"],
  ])("RFC 6120 §5.4.3.1: what comes in the clear after the command is never read: %s", async (_, injected) => {
    const world = new World();
    const peer = world.connect();
    await peer.sends(HEADER);
    peer.received();
    await peer.sends(STARTTLS + injected);
    expect(peer.received()).toBe(TLS_FAILURE);
    expect(peer.transport.handshaking).toBeUndefined();
    expect(world.passwordChecks).toBe(0);
  });

  test("RFC 6120 §5.3.3: white space after the command is dropped", async () => {
    const peer = new World().connect();
    await peer.sends(HEADER);
    peer.received();
    await peer.sends(`${STARTTLS}\r\n`);
    expect(peer.received()).toBe(PROCEED);
    peer.transport.handshake();
    await peer.sends(HEADER);
    expect(peer.received()).toContain("<mechanisms");
  });

  test("RFC 6120 §5.4.2.2: a malformed command fails", async () => {
    const peer = new World().connect();
    await peer.sends(HEADER);
    peer.received();
    await peer.sends(STARTTLS.replace("/>", "><please/></starttls>"));
    expect(peer.received()).toBe(TLS_FAILURE);
    expect(peer.transport.state).toBe("ended");
  });

  test("RFC 6120 §5.4.2.2: TLS within TLS fails, whatever the stage", async () => {
    const world = new World();
    for (const peer of [await secured(world), await authenticated(world), await world.login()]) {
      peer.received();
      await peer.sends(STARTTLS);
      expect(peer.received()).toBe(TLS_FAILURE);
    }
  });

  test("RFC 6120 §5.4.3.2: a handshake that fails ends the connection without a word", async () => {
    const world = new World();
    const peer = world.connect();
    await peer.sends(`${HEADER}${STARTTLS}`);
    peer.received();
    peer.stream.peerEnded();
    expect(peer.transport.state).toBe("destroyed");
    expect(peer.received()).toBe("");
    await settled();
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §5.4.3.2: closing during the handshake says nothing either", async () => {
    const peer = new World().connect();
    await peer.sends(`${HEADER}${STARTTLS}`);
    peer.received();
    peer.stream.close();
    expect(peer.transport.state).toBe("destroyed");
    expect(peer.received()).toBe("");
  });

  test("RFC 6120 §4.9.3.12: before TLS stanzas are not read", async () => {
    for (const sent of ["<message/>", "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>"]) {
      const world = new World();
      const peer = world.connect();
      await peer.sends(HEADER);
      peer.received();
      await peer.sends(sent);
      expect(peer.received()).toBe(streamError("not-authorized"));
      expect(world.door.visits).toEqual([]);
    }
  });

  test("RFC 6120 §6.5.4: before TLS no mechanism can be used", async () => {
    const world = new World();
    const peer = world.connect();
    await peer.sends(HEADER);
    peer.received();
    for (const mechanism of ["PLAIN", "SCRAM-SHA-1", "ANONYMOUS"]) {
      await peer.sends(auth(mechanism, "="));
      expect(peer.received()).toBe(failure("encryption-required"));
    }
    await peer.sends(auth("PLAIN", "="));
    expect(peer.received()).toBe(
      failure("encryption-required") + streamError("policy-violation", "too many failed attempts"),
    );
  });

  test("RFC 6120 §5.3.1: a peer on this machine may do without TLS if the configuration says so", async () => {
    const world = new World({ plaintextFromLoopback: true });
    const peer = world.connect({ address: "127.0.0.1" });
    await peer.sends(HEADER);
    const answer = peer.received();
    expect(answer).toContain(`<stream:features>${STARTTLS}`);
    expect(mechanismsOf(answer)).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(SUCCESS);
    await peer.sends(`${HEADER}${bind("balcony")}`);
    expect(peer.received()).toContain(boundResult("juliet@capulet.example/balcony"));
  });

  test("RFC 6120 §5.3.1: ... and may still have TLS", async () => {
    const peer = new World({ plaintextFromLoopback: true }).connect({ address: "::1" });
    peer.transport.state = "open";
    await peer.sends(HEADER);
    peer.received();
    await peer.sends(STARTTLS);
    expect(peer.received()).toBe(PROCEED);
  });

  test("RFC 6120 §5.3.1: a peer elsewhere may not", async () => {
    const peer = new World({ plaintextFromLoopback: true }).connect({ address: "192.0.2.1" });
    await peer.sends(HEADER);
    expect(peer.received()).toContain("<required/>");
  });
});

describe("RFC 6120 §6: SASL", () => {
  const CHANNEL_BINDINGS = new Map<ChannelBindingType, Uint8Array>([
    ["tls-exporter", new Uint8Array(32).fill(1)],
    ["tls-server-end-point", new Uint8Array(32).fill(2)],
  ]);

  test("XEP-0170 §2.3, XEP-0440 §2: registration, channel bindings and mechanisms, strongest first", async () => {
    const peer = await secured(new World(), { channelBindings: CHANNEL_BINDINGS });
    expect(peer.received().replace(/<authentication .*<\/authentication>/, "")).toBe(
      `${RESPONSE}<stream:features><register xmlns='http://jabber.org/features/iq-register'/>` +
        "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding>" +
        `<mechanisms xmlns='${NS_SASL}'>` +
        [
          "SCRAM-SHA-512-PLUS",
          "SCRAM-SHA-256-PLUS",
          "SCRAM-SHA-1-PLUS",
          "SCRAM-SHA-512",
          "SCRAM-SHA-256",
          "SCRAM-SHA-1",
          "PLAIN",
        ]
          .map((name) => `<mechanism>${name}</mechanism>`)
          .join("") +
        "</mechanisms></stream:features>",
    );
  });

  test("XEP-0440 §2: nothing to bind to, nothing said of it", async () => {
    const peer = await secured(new World());
    const answer = peer.received();
    expect(answer).not.toContain("sasl-channel-binding");
    expect(mechanismsOf(answer)).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
  });

  test.each([
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512-PLUS",
  ] as const)("RFC 6120 §6.4, RFC 5802, XEP-0474: %s with a client that verifies everything", async (name) => {
    const world = new World();
    const peer = await secured(world, { channelBindings: CHANNEL_BINDINGS });
    const offer: Offer = { mechanisms: mechanismsOf(peer.received()), channelBindings: [...CHANNEL_BINDINGS.keys()] };
    const mechanism = clientMechanism(
      {
        name,
        binding: name.endsWith("-PLUS")
          ? { is: "p", type: "tls-exporter", data: new Uint8Array(32).fill(1) }
          : { is: "n" },
      },
      {
        crypto: nodeCrypto,
        credentials: { username: "juliet", password: PASSWORD },
        offer,
        channelBindings: CHANNEL_BINDINGS,
      },
    );
    await peer.sends(auth(name, Buffer.from(await mechanism.initial()).toString("base64")));
    const challenge = /<challenge [^>]*>([^<]+)<\/challenge>/.exec(peer.received())?.[1] ?? "";
    const answer = await mechanism.challenge(Buffer.from(challenge, "base64"));
    await peer.sends(response(Buffer.from(answer).toString("base64")));
    const success = /<success [^>]*>([^<]+)<\/success>/.exec(peer.received())?.[1] ?? "";
    await mechanism.success(Buffer.from(success, "base64"));
    expect(peer.stream.stage).toBe("authenticated");
    expect(peer.transport.isVouched).toBe(true);
    expect(world.lines.find(({ text }) => text === "authenticated")?.fields).toMatchObject({
      jid: "juliet@capulet.example",
      mechanism: name,
    });
  });

  test("RFC 6120 §6.4.3: SCRAM with a wrong password, or an account that does not exist, fails alike", async () => {
    for (const username of ["juliet", "nobody"]) {
      const peer = await secured(new World());
      const offer: Offer = { mechanisms: mechanismsOf(peer.received()), channelBindings: [] };
      const mechanism = clientMechanism(
        { name: "SCRAM-SHA-1", binding: { is: "n" } },
        { crypto: nodeCrypto, credentials: { username, password: "wrong" }, offer, channelBindings: new Map() },
      );
      await peer.sends(auth("SCRAM-SHA-1", Buffer.from(await mechanism.initial()).toString("base64")));
      const challenge = /<challenge [^>]*>([^<]+)<\/challenge>/.exec(peer.received())?.[1] ?? "";
      const answer = await mechanism.challenge(Buffer.from(challenge, "base64"));
      await peer.sends(response(Buffer.from(answer).toString("base64")));
      expect(peer.received()).toBe(failure("not-authorized"));
    }
  });

  test("RFC 6120 §6.4.2: PLAIN, at once or when asked for", async () => {
    const world = new World();
    const quick = await secured(world);
    quick.received();
    await quick.sends(plainAuth("juliet", PASSWORD));
    expect(quick.received()).toBe(SUCCESS);
    const slow = await secured(world);
    slow.received();
    await slow.sends(`<auth xmlns='${NS_SASL}' mechanism='PLAIN'/>`);
    expect(slow.received()).toBe(`<challenge xmlns='${NS_SASL}'/>`);
    await slow.sends(response(base64(`\0juliet\0${PASSWORD}`)));
    expect(slow.received()).toBe(SUCCESS);
  });

  test.each([
    ["invalid-mechanism", auth("CRAM-MD5")],
    ["invalid-mechanism", auth("plain", "=")],
    ["invalid-mechanism", auth("")],
    ["invalid-mechanism", `<auth xmlns='${NS_SASL}'/>`],
    ["invalid-mechanism", auth("ANONYMOUS")],
    ["invalid-mechanism", auth("EXTERNAL", "=")],
    ["invalid-mechanism", auth("SCRAM-SHA-1-PLUS", base64("p=tls-exporter,,n=juliet,r=abc"))],
    ["incorrect-encoding", auth("PLAIN", "AGp1 bGll")],
    ["incorrect-encoding", auth("PLAIN", "AGp1bGlldAB4=")],
    ["incorrect-encoding", auth("PLAIN", "====")],
    ["incorrect-encoding", auth("PLAIN", "\n")],
    ["incorrect-encoding", auth("PLAIN", "AGp1bGlldA&amp;")],
    ["not-authorized", plainAuth("juliet", "a guess")],
    ["not-authorized", plainAuth("nobody", PASSWORD)],
    ["not-authorized", plainAuth("not@allowed", PASSWORD)],
    ["invalid-authzid", plainAuth("juliet", PASSWORD, "nurse@capulet.example")],
    ["invalid-authzid", plainAuth("juliet", PASSWORD, "juliet@montague.example")],
    ["invalid-authzid", plainAuth("juliet", PASSWORD, "juliet@capulet.example/balcony")],
    ["invalid-authzid", plainAuth("juliet", PASSWORD, "capulet.example")],
    ["invalid-authzid", plainAuth("juliet", PASSWORD, "@@")],
    ["aborted", `<abort xmlns='${NS_SASL}'/>`],
  ])("RFC 6120 §6.5: %s for %s, and the stream goes on", async (condition, sent) => {
    const peer = await secured(new World());
    peer.received();
    await peer.sends(sent);
    expect(peer.received()).toBe(failure(condition));
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(SUCCESS);
  });

  test.each([
    [auth("PLAIN", "="), "not the message of PLAIN"],
    [auth("PLAIN", base64("no separators")), "not the message of PLAIN"],
    [auth("PLAIN", base64("\0juliet\0")), "not the message of PLAIN"],
    [auth("SCRAM-SHA-1", base64("n,,n=juliet")), "the first message does not follow the grammar of SCRAM"],
    [response(base64("n,,n=juliet,r=abc")), "no challenge was sent"],
  ])("RFC 6120 §6.5.8: malformed-request for %s", async (sent, text) => {
    const peer = await secured(new World());
    peer.received();
    await peer.sends(sent);
    expect(peer.received()).toBe(failure("malformed-request", text));
  });

  test("RFC 6120 §6.3.8: one's own bare JID is a fine authorization identity", async () => {
    const peer = await secured(new World());
    peer.received();
    await peer.sends(plainAuth("Juliet", PASSWORD, "JULIET@capulet.example"));
    expect(peer.received()).toBe(SUCCESS);
  });

  test("RFC 6120 §6.5.9: PLAIN can be forbidden", async () => {
    const peer = await secured(new World({ hosts: [{ domain: domain("capulet.example"), plain: false }] }));
    expect(mechanismsOf(peer.received())).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]);
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(failure("mechanism-too-weak"));
  });

  test("RFC 6120 §6.5.11: a fault of ours is temporary, and logged", async () => {
    const world = new World();
    world.accountsFail = true;
    const peer = await secured(world);
    peer.received();
    await peer.sends(auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
    expect(peer.received()).toBe(failure("temporary-auth-failure"));
    expect(world.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  test("RFC 6120 §6.4.2: another auth element starts over", async () => {
    const peer = await secured(new World());
    peer.received();
    await peer.sends(auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
    expect(peer.received()).toContain("<challenge ");
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(SUCCESS);
  });

  test("RFC 6120 §6.4.4: abort ends the attempt", async () => {
    const peer = await secured(new World());
    peer.received();
    await peer.sends(auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
    peer.received();
    await peer.sends(`<abort xmlns='${NS_SASL}'/>`);
    expect(peer.received()).toBe(failure("aborted"));
    await peer.sends(response(base64("c=biws,r=abcdef,p=AAAA")));
    expect(peer.received()).toBe(failure("malformed-request", "no challenge was sent"));
  });

  test.each([2, 3, 5])("RFC 6120 §6.4.5: %i retries, then policy-violation", async (saslRetries) => {
    const world = new World({ limits: { saslRetries } });
    const peer = await secured(world);
    peer.received();
    for (let time = 0; time < saslRetries; time++) {
      await peer.sends(plainAuth("juliet", "a guess"));
      expect(peer.received()).toBe(failure("not-authorized"));
    }
    await peer.sends(plainAuth("juliet", "a guess"));
    expect(peer.received()).toBe(
      failure("not-authorized") + streamError("policy-violation", "too many failed attempts"),
    );
    expect(peer.transport.state).toBe("ended");
  });

  test("RFC 6120 §6.4.5: a client that knows no channel binding of ours goes through all it has, until something fits", async () => {
    const world = new World({ limits: { saslRetries: 2 } });
    const peer = await secured(world, { channelBindings: CHANNEL_BINDINGS });
    peer.received();
    for (const hash of ["SHA-512", "SHA-256", "SHA-1"]) {
      await peer.sends(auth(`SCRAM-${hash}-PLUS`, base64("p=tls-unique,,n=juliet,r=abc")));
      expect(peer.received()).toContain("<malformed-request/>");
    }
    for (const hash of ["SHA-512", "SHA-256", "SHA-1"]) {
      await peer.sends(auth(`SCRAM-${hash}`, base64("y,,n=juliet,r=abc")));
      expect(peer.received()).toContain("<not-authorized/>");
    }
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(SUCCESS);
  });

  test("RFC 6120 §6.4.5: what does not fit is borne ten times, and then as often as a wrong password", async () => {
    const peer = await secured(new World({ limits: { saslRetries: 2 } }), { channelBindings: CHANNEL_BINDINGS });
    peer.received();
    for (let time = 0; time < 12; time++) await peer.sends(auth("SCRAM-SHA-1", base64("y,,n=juliet,r=abc")));
    expect(peer.received()).not.toContain("<policy-violation ");
    await peer.sends(auth("SCRAM-SHA-1", base64("y,,n=juliet,r=abc")));
    expect(peer.received()).toContain("<policy-violation ");
  });

  test("RFC 6120 §6.4.6: a header over TLS that names somebody else ends the attempt and the stream", async () => {
    const peer = await secured(
      new World(),
      {},
      header("to='capulet.example' from='nurse@capulet.example' version='1.0'"),
    );
    peer.received();
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(streamError("invalid-from", "not the account that authenticated"));
  });

  test("RFC 6120 §6.4.6: a header that names the account, in whatever form, is fine", async () => {
    const peer = await secured(
      new World(),
      {},
      header("to='capulet.example' from='JULIET@Capulet.example/chamber' version='1.0'"),
    );
    peer.received();
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(SUCCESS);
  });

  test.each([
    ["invalid-from", "to='capulet.example' from='nurse@capulet.example' version='1.0'"],
    ["not-authorized", "to='montague.example' version='1.0'"],
    ["host-unknown", "to='verona.example' version='1.0'"],
  ])("RFC 6120 §6.4.6: after success another identity in the header is %s: %s", async (condition, attributes) => {
    const peer = await secured(new World());
    await peer.sends(plainAuth("juliet", PASSWORD));
    peer.received();
    await peer.sends(header(attributes));
    expect(peer.received()).toContain(`<stream:error><${condition} `);
  });

  test("RFC 6120 §6.4.6: after success a header has to come, not an element of the old stream", async () => {
    const world = new World();
    const peer = await secured(world);
    await peer.sends(plainAuth("juliet", PASSWORD));
    peer.received();
    await peer.sends("<iq type='set' id='1'/>");
    const answer = peer.received();
    expect(answer).toMatch(/^<stream:stream from='capulet\.example' .*<invalid-namespace /);
  });

  test("RFC 6120 §6.3.2: SASL happens once", async () => {
    const peer = await authenticated(new World());
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(streamError("not-authorized", "authenticated already"));
  });

  test("RFC 6120 §4.8.4: an element of SASL that a client never sends", async () => {
    const peer = await secured(new World());
    peer.received();
    await peer.sends(`<success xmlns='${NS_SASL}'/>`);
    expect(peer.received()).toBe(streamError("unsupported-stanza-type"));
  });

  test("RFC 6120 §6.4: a stream that is lost while a password is checked is left alone", async () => {
    const world = new World();
    const peer = await secured(world);
    peer.received();
    peer.sendsNow(plainAuth("juliet", PASSWORD));
    peer.stream.lost(undefined);
    await settled();
    expect(peer.received()).toBe("");
    expect(world.lines.some(({ text }) => text === "authenticated")).toBe(false);
  });
});

describe("RFC 6120 §13.9.4: guessing passwords", () => {
  const GUESSES: WorldOptions = {
    guesses: { ...GUESS_LIMITS, freePerAddress: 1, mostPerAddress: 2 },
    limits: { saslRetries: 5 },
  };
  /** Of the server's first message in a challenge. */
  const nonceOf = (received: string): string => {
    const challenge = /challenge [^>]*>([^<]+)/.exec(received)?.[1] ?? "";
    return /r=([^,]+)/.exec(Buffer.from(challenge, "base64").toString())?.[1] ?? "";
  };

  test("RFC 6120 §13.9.4: the answer to an attempt after too many waits, and nothing is read meanwhile", async () => {
    const world = new World(GUESSES);
    const peer = await secured(world);
    await peer.sends(plainAuth("juliet", "a guess"));
    expect(peer.received()).toContain("<not-authorized/>");
    for (const [password, answer] of [
      ["another", failure("not-authorized")],
      [PASSWORD, SUCCESS],
    ] as const) {
      await peer.sends(plainAuth("juliet", password));
      expect(peer.received()).toBe("");
      expect(peer.transport.isPaused).toBe(true);
      await world.timers.pass(250);
      expect(peer.received()).toBe(answer);
    }
  });

  test("RFC 6120 §13.9.4: hundreds log in at once from one address, by SCRAM and PLAIN, and none waits", async () => {
    const world = new World(GUESSES);
    const peers = await Promise.all(Array.from({ length: 200 }, () => secured(world)));
    for (const [at, peer] of peers.entries())
      peer.sendsNow(at % 2 === 0 ? plainAuth("juliet", PASSWORD) : auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
    await settled();
    for (const [at, peer] of peers.entries())
      expect(peer.received()).toMatch(at % 2 === 0 ? /<success [^>]*>$/ : /<challenge [^>]*>[^<]+<\/challenge>$/);
  });

  test.each(["PLAIN", "SCRAM-SHA-1"] as const)(
    "RFC 6120 §13.9.4: %s guesses begun at the same time get no more answers than one after the other",
    async (mechanism) => {
      const world = new World(GUESSES);
      const peers = await Promise.all(Array.from({ length: 30 }, () => secured(world)));
      for (const peer of peers) peer.received();
      const finals: string[] = [];
      for (const peer of peers) {
        if (mechanism === "PLAIN") {
          finals.push(plainAuth("juliet", "a guess"));
          continue;
        }
        await peer.sends(auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
        finals.push(response(base64(`c=biws,r=${nonceOf(peer.received())},p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=`)));
      }
      for (const [at, peer] of peers.entries()) peer.sendsNow(finals[at] ?? "");
      await settled();
      await world.timers.pass(2_000);
      const answers = peers.map((peer) => peer.received());
      expect(answers.filter((answer) => answer.includes("<not-authorized/>"))).toHaveLength(3);
      expect(answers.filter((answer) => answer.includes("<temporary-auth-failure/>"))).toHaveLength(27);
    },
  );

  test("RFC 6120 §13.9.4: then attempts from that address are refused, the right password's too, on any stream", async () => {
    const world = new World(GUESSES);
    const peer = await secured(world);
    for (let time = 0; time < 3; time++) {
      await peer.sends(plainAuth("juliet", "a guess"));
      await world.timers.pass(2_000);
    }
    const other = await secured(world);
    other.received();
    await other.sends(plainAuth("juliet", PASSWORD));
    expect(other.received()).toBe(failure("temporary-auth-failure", "too many failed attempts; try again later"));
    expect(world.passwordChecks).toBe(3);
    const elsewhere = await secured(world, { address: "192.0.2.99" });
    elsewhere.received();
    await elsewhere.sends(plainAuth("juliet", PASSWORD));
    expect(elsewhere.received()).toBe(SUCCESS);
    await world.timers.pass(60_000);
    const later = await secured(world);
    later.received();
    await later.sends(plainAuth("juliet", PASSWORD));
    expect(later.received()).toBe(SUCCESS);
  });

  test("RFC 6120 §13.9.4: SCRAM and IPv6 neighbours count the same", async () => {
    const world = new World(GUESSES);
    for (let at = 1; at <= 3; at++) {
      const peer = await secured(world, { address: `2001:db8::${at}` });
      await peer.sends(auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
      await peer.sends(response(base64(`c=biws,r=${nonceOf(peer.received())},p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=`)));
      await world.timers.pass(2_000);
      expect(peer.received()).toBe(failure("not-authorized"));
    }
    const peer = await secured(world, { address: "2001:db8::4" });
    peer.received();
    await peer.sends(auth("SCRAM-SHA-1", base64("n,,n=juliet,r=abcdef")));
    expect(peer.received()).toContain("<temporary-auth-failure/>");
  });

  test("a malformed attempt is no guess", async () => {
    const world = new World(GUESSES);
    for (let time = 0; time < 4; time++) {
      const peer = await secured(world);
      await peer.sends(auth("PLAIN", "?"));
    }
    const peer = await secured(world);
    peer.received();
    await peer.sends(plainAuth("juliet", PASSWORD));
    expect(peer.received()).toBe(SUCCESS);
  });
});

describe("XEP-0178: EXTERNAL", () => {
  const certificate = (...xmppAddresses: string[]): MemoryOptions => ({
    peerCertificate: { xmppAddresses, expires: Date.parse("2031-05-17T10:30:00Z") },
  });

  test("RFC 6120 §6.3.4: offered first, to whom a certificate names an account here", async () => {
    const world = new World();
    expect(mechanismsOf((await secured(world, certificate("juliet@capulet.example"))).received())[0]).toBe("EXTERNAL");
    for (const names of [
      [],
      ["romeo@montague.example"],
      ["capulet.example"],
      ["juliet@capulet.example/balcony"],
      ["@@"],
    ]) {
      expect(mechanismsOf((await secured(world, certificate(...names))).received())).not.toContain("EXTERNAL");
    }
  });

  test.each([
    ["without authorization identity", ["juliet@capulet.example"], "="],
    ["with the same one", ["juliet@capulet.example"], base64("juliet@capulet.example")],
    ["with one of several", ["nurse@capulet.example", "juliet@capulet.example"], base64("juliet@capulet.example")],
    ["beside one of another host", ["romeo@montague.example", "juliet@capulet.example"], "="],
    ["in another form", ["JULIET@Capulet.Example"], "="],
  ])("XEP-0178 §2, 11: %s", async (_, names, data) => {
    const world = new World();
    const peer = await secured(world, certificate(...names));
    peer.received();
    await peer.sends(auth("EXTERNAL", data));
    expect(peer.received()).toBe(SUCCESS);
    expect(world.lines.find(({ text }) => text === "authenticated")?.fields).toMatchObject({
      jid: "juliet@capulet.example",
    });
  });

  test("RFC 6120 §13.7.2.2.1: the header's from chooses among several", async () => {
    const names = certificate("nurse@capulet.example", "juliet@capulet.example");
    const peer = await secured(
      new World(),
      names,
      header("to='capulet.example' from='juliet@capulet.example' version='1.0'"),
    );
    peer.received();
    await peer.sends(auth("EXTERNAL", "="));
    expect(peer.received()).toBe(SUCCESS);
  });

  test.each([
    [
      "invalid-authzid",
      ["juliet@capulet.example", "nurse@capulet.example"],
      "=",
      "the certificate names several accounts",
    ],
    ["invalid-authzid", ["juliet@capulet.example"], base64("nurse@capulet.example"), ""],
    ["invalid-authzid", ["juliet@capulet.example"], base64("juliet@capulet.example/balcony"), ""],
    ["not-authorized", ["tybalt@capulet.example"], "=", ""],
    ["malformed-request", ["juliet@capulet.example"], base64("a\0b"), "not an authorization identity"],
  ])("XEP-0178 §2, 11: %s", async (condition, names, data, text) => {
    const peer = await secured(new World(), certificate(...names));
    peer.received();
    await peer.sends(auth("EXTERNAL", data));
    expect(peer.received()).toBe(failure(condition, text));
  });

  test("RFC 6120 §13.7.2.3: the stream is reset when the certificate expires", async () => {
    const world = new World();
    const peer = await secured(world, certificate("juliet@capulet.example"));
    await peer.sends(auth("EXTERNAL", "="));
    await peer.sends(`${HEADER}${bind("balcony")}`);
    peer.received();
    await world.timers.pass(3_599_000);
    expect(peer.received()).toBe("");
    await world.timers.pass(1_100);
    expect(peer.received()).toBe(streamError("reset", "the certificate has expired"));
    expect(world.door.session.ends).toBe(1);
  });

  test("RFC 6120 §13.7.2.3: a stream that ends earlier leaves no timer", async () => {
    const world = new World();
    const peer = await secured(world, certificate("juliet@capulet.example"));
    await peer.sends(auth("EXTERNAL", "="));
    peer.stream.lost(undefined);
    expect(world.timers.size).toBe(0);
  });
});

describe("XEP-0175: ANONYMOUS", () => {
  const OPEN: WorldOptions = { hosts: [{ domain: domain("capulet.example"), anonymous: true }] };

  test("XEP-0175 §3: a temporary account, unlike any other, whatever the trace says", async () => {
    const world = new World(OPEN);
    const accounts = new Set<string>();
    for (const sent of [
      auth("ANONYMOUS"),
      auth("ANONYMOUS", "="),
      auth("ANONYMOUS", base64("juliet@capulet.example")),
    ]) {
      const peer = await secured(world);
      expect(mechanismsOf(peer.received()).at(-1)).toBe("ANONYMOUS");
      await peer.sends(sent);
      if (peer.received().includes("challenge")) {
        await peer.sends(response());
        peer.received();
      }
      await peer.sends(`${HEADER}${bind("here")}`);
      accounts.add(world.door.session.jid.bare);
    }
    expect(accounts.size).toBe(3);
    for (const account of accounts)
      expect(account).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@capulet\.example$/);
  });

  test("XEP-0175 §3: a header's from binds nobody who has no name", async () => {
    const peer = await secured(
      new World(OPEN),
      {},
      header("to='capulet.example' from='juliet@capulet.example' version='1.0'"),
    );
    peer.received();
    await peer.sends(auth("ANONYMOUS", "="));
    expect(peer.received()).toBe(SUCCESS);
  });

  test("RFC 6120 §6.5.8: too long a trace", async () => {
    const peer = await secured(new World(OPEN));
    peer.received();
    await peer.sends(auth("ANONYMOUS", base64("x".repeat(256))));
    expect(peer.received()).toContain("<malformed-request/>");
  });
});

describe("RFC 6120 §4.9.3.12: stanzas before authentication", () => {
  const QUERY = "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>";

  test("XEP-0077 §3.1: an IQ that somebody answers", async () => {
    const world = new World();
    world.door.visitorAnswer = () => toBytes("<iq type='result' id='r'/>");
    const peer = await secured(world);
    peer.received();
    await peer.sends(QUERY);
    expect(peer.received()).toBe("<iq type='result' id='r'/>");
    expect(world.door.visits).toEqual([
      { stream: peer.stream, domain: "capulet.example", address: "192.0.2.7", secure: true },
    ]);
    await peer.sends(QUERY.replace("type='get'", "type='set' to='capulet.example'"));
    expect(peer.received()).toBe("<iq type='result' id='r'/>");
  });

  test.each([
    ["an IQ nobody answers", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"],
    ["a message", "<message to='capulet.example'/>"],
    ["a presence", "<presence/>"],
    ["a result", "<iq type='result' id='1'/>"],
    [
      "an error",
      "<iq type='error' id='1'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    ],
    ["an IQ without id", "<iq type='get'><query xmlns='jabber:iq:register'/></iq>"],
    ["an IQ to somebody", QUERY.replace("type='get'", "type='get' to='romeo@montague.example'")],
    ["an IQ to a malformed address", QUERY.replace("type='get'", "type='get' to='@@'")],
  ])("RFC 6120 §4.9.3.12: not-authorized for %s", async (_, sent) => {
    const world = new World();
    const peer = await secured(world);
    peer.received();
    await peer.sends(`${sent}${sent}`);
    expect(peer.received()).toBe(streamError("not-authorized"));
    expect(world.door.visits.length).toBeLessThanOrEqual(1);
  });

  test("RFC 6120 §13.12: so many and no more", async () => {
    const world = new World({ limits: { visitorIqs: 3 } });
    world.door.visitorAnswer = () => toBytes("<iq type='result' id='r'/>");
    const peer = await secured(world);
    peer.received();
    await peer.sends(QUERY.repeat(4));
    expect(peer.received()).toBe(
      "<iq type='result' id='r'/>".repeat(3) + streamError("policy-violation", "too many requests"),
    );
  });
});

describe("RFC 6120 §7: resource binding", () => {
  test("RFC 6120 §7.4: what is announced after authentication", async () => {
    const peer = await secured(new World());
    await peer.sends(plainAuth("juliet", PASSWORD));
    peer.received();
    await peer.sends(HEADER);
    expect(peer.received()).toBe(
      `${RESPONSE}<stream:features>${BIND}<sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/><session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>` +
        "<ver xmlns='urn:xmpp:features:rosterver'/></stream:features>",
    );
  });

  test("RFC 6120 §7.6.1: a resource of the server's making", async () => {
    const world = new World();
    const peer = await authenticated(world);
    await peer.sends(`<iq type='set' id='b'>${BIND}</iq>`);
    expect(peer.received()).toBe(boundResult("juliet@capulet.example/made-by-server"));
    expect(peer.stream.stage).toBe("bound");
  });

  test("RFC 6120 §7.7.1: a resource of the client's choice", async () => {
    const peer = await authenticated(new World());
    await peer.sends(bind("balcony &amp; chamber"));
    expect(peer.received()).toBe(boundResult("juliet@capulet.example/balcony &amp; chamber"));
  });

  test("RFC 6120 §7.7.1: a request that is addressed to the server is answered by it", async () => {
    const peer = await authenticated(new World());
    await peer.sends(bind("balcony").replace("<iq ", "<iq to='capulet.example' "));
    expect(peer.received()).toBe(
      boundResult("juliet@capulet.example/balcony").replace("<iq ", "<iq from='capulet.example' "),
    );
  });

  test("RFC 6120 §7.7.2: errors, after which the client may try again", async () => {
    const world = new World();
    world.door.taken.add("balcony");
    const peer = await authenticated(world);
    await peer.sends(bind("balcony"));
    expect(peer.received()).toBe(stanzaError("conflict", "modify"));
    await peer.sends(bind(""));
    expect(peer.received()).toBe(stanzaError("bad-request", "modify"));
    await peer.sends(bind("a</resource><resource>b"));
    expect(peer.received()).toBe(stanzaError("bad-request", "modify"));
    await peer.sends(bind("chamber").replace("type='set'", "type='get'"));
    expect(peer.received()).toBe(stanzaError("bad-request", "modify"));
    world.door.bindError = new StanzaError("resource-constraint");
    await peer.sends(bind("chamber"));
    expect(peer.received()).toBe(stanzaError("resource-constraint", "wait"));
    world.door.bindError = undefined;
    await peer.sends(bind("chamber"));
    expect(peer.received()).toBe(boundResult("juliet@capulet.example/chamber"));
  });

  test("RFC 6120 §7.7.3: five retries, then policy-violation", async () => {
    const world = new World();
    world.door.bindError = new StanzaError("not-allowed");
    const peer = await authenticated(world);
    for (let time = 0; time < 5; time++) {
      await peer.sends(bind("balcony"));
      expect(peer.received()).toBe(stanzaError("not-allowed", "cancel"));
    }
    await peer.sends(bind("balcony"));
    expect(peer.received()).toBe(
      stanzaError("not-allowed", "cancel") +
        streamError("policy-violation", "too many failed attempts to bind a resource"),
    );
  });

  test("RFC 6120 §7.6.1: the result comes before anything else, and what follows waits for it", async () => {
    const world = new World();
    const delay = Promise.withResolvers<void>();
    world.door.bindDelay = delay.promise;
    const peer = await authenticated(world);
    await peer.sends(`${bind("balcony")}<presence/>`);
    world.door.session.wire.send(toBytes("<message id='early'/>"));
    expect(peer.received()).toBe("");
    delay.resolve();
    for (let turn = 0; turn < 3; turn++) await settled();
    expect(peer.received()).toBe(`${boundResult("juliet@capulet.example/balcony")}<message id='early'/>`);
    expect(world.door.session.received).toEqual(["<presence/>"]);
  });

  test("RFC 6120 §7: a stream that is lost while it binds ends the session it gets", async () => {
    const world = new World();
    const delay = Promise.withResolvers<void>();
    world.door.bindDelay = delay.promise;
    const peer = await authenticated(world);
    await peer.sends(bind("balcony"));
    peer.stream.lost(undefined);
    delay.resolve();
    await settled();
    expect(world.door.session.ends).toBe(1);
    expect(world.timers.size).toBe(0);
  });

  test("RFC 6120 §7.6.2.2: a stream has one resource", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(bind("chamber", "again"));
    expect(peer.received()).toBe(stanzaError("not-allowed", "cancel", "again"));
    expect(world.door.sessions).toHaveLength(1);
    expect(world.door.session.received).toEqual([]);
  });

  test.each([
    bind("chamber", "1").replace("<iq ", "<iq to='romeo@capulet.example/orchard' "),
    bind("chamber", "1").replace("<iq ", "<iq to='juliet@capulet.example/chamber' "),
    bind("chamber", "1").replace("<iq ", "<iq to='@@' "),
    "<iq to='romeo@capulet.example' type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
  ])("RFC 6120 §10.5.4: once bound, what others are asked goes to them, whatever it is: %s", async (sent) => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(sent);
    expect(peer.received()).toBe("");
    expect(world.door.session.received).toHaveLength(1);
    expect(world.door.session.received[0]).toContain(" id='1'");
  });

  test.each([
    ["<message to='romeo@montague.example'/>"],
    ["<iq type='get' id='1' to='romeo@montague.example/orchard'><ping xmlns='urn:xmpp:ping'/></iq>"],
    [bind("balcony").replace("<iq ", "<iq to='romeo@montague.example' ")],
    [bind("balcony").replace("<iq ", "<iq to='montague.example' ")],
    ["<iq type='set' id='1' to='romeo@capulet.example'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"],
    ["<presence to='@@'/>"],
  ])("RFC 6120 §7.1: before binding nobody else is written to: %s", async (sent) => {
    const peer = await authenticated(new World());
    await peer.sends(sent);
    expect(peer.received()).toBe(streamError("not-authorized", "no resource has been bound"));
    expect(peer.stream.isOver).toBe(true);
  });

  test.each([
    ["", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "iq"],
    [" from='capulet.example'", "<iq type='get' id='1' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>", "iq"],
    [
      " from='juliet@capulet.example'",
      "<message type='chat' id='1' to='juliet@capulet.example'><body>me</body></message>",
      "message",
    ],
    [
      " from='juliet@capulet.example/chamber'",
      "<iq type='get' id='1' to='juliet@capulet.example/chamber'><ping xmlns='urn:xmpp:ping'/></iq>",
      "iq",
    ],
  ])("RFC 6120 §7.1: what goes to the server or oneself comes too early (%s)", async (from, sent, kind) => {
    const peer = await authenticated(new World());
    await peer.sends(sent);
    expect(peer.received()).toBe(
      `<${kind}${from} type='error' id='1'><error type='wait'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>` +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no resource has been bound</text></error>" +
        `</${kind}>`,
    );
    await peer.sends(bind("balcony"));
    expect(peer.received()).toBe(boundResult("juliet@capulet.example/balcony"));
  });

  test("RFC 3921 §3: a session is opened by saying so", async () => {
    const world = new World();
    const peer = await world.login();
    await peer.sends(
      "<iq type='set' id='s' to='capulet.example'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    );
    expect(peer.received()).toBe("<iq from='capulet.example' type='result' id='s'/>");
    await peer.sends("<iq type='get' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    expect(peer.received()).toBe(stanzaError("bad-request", "modify", "s"));
    expect(world.door.session.received).toEqual([]);
  });

  test("RFC 6120 §8: a bound client's stanzas reach its session as they are", async () => {
    const world = new World();
    const peer = await world.login();
    const sent = [
      "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
      "<iq type='result' id='2'/>",
      "<presence><priority>1</priority></presence>",
      "<message to='romeo@montague.example'><body>O &lt;Romeo&gt;</body></message>",
    ];
    await peer.sends(sent.join(""));
    expect(world.door.session.received).toEqual(sent);
    expect(peer.received()).toBe("");
  });

  test("RFC 6120 §8.1.2: what the session sends goes out as it is", async () => {
    const world = new World();
    const peer = await world.login();
    world.door.session.wire.send(toBytes("<message from='romeo@montague.example'><body>né</body></message>"));
    expect(peer.received()).toBe("<message from='romeo@montague.example'><body>né</body></message>");
    expect(toText(toBytes("né"))).toBe("né");
  });
});
