import { createHmac } from "node:crypto";
import {
  type ChannelBindingType,
  clientMechanism,
  parseElement,
  readAuthentication,
  readSasl2Server,
} from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../crypto.ts";
import { GUESS_LIMITS } from "./guess-limiter.ts";
import {
  AGENT,
  answerOf,
  authenticate,
  BINDINGS,
  byPassword,
  byToken,
  conditionOf,
  FROM,
  NS,
  newToken,
  opened,
  requestToken,
  sasl2World,
  successOf,
  tokenIn,
  tryToken,
} from "./test-sasl2.ts";
import { base64, domain, HEADER, header, PASSWORD, type Peer, plainAuth, streamError, World } from "./test-streams.ts";

const FEATURES = /^<stream:features>.*<\/stream:features>$/s;
const announcedBy = async (world: World, opening = FROM, options = {}) => {
  const peer = world.connectSecurely({ channelBindings: BINDINGS, ...options });
  await peer.sends(opening);
  const text = peer.received();
  const found = /<authentication .*<\/authentication>/s.exec(text)?.[0];
  return found === undefined ? undefined : readAuthentication(parseElement(found));
};
const NOT_AUTHORIZED = streamError("not-authorized", "an authentication is under way");

describe("XEP-0388 §2.1: the feature", () => {
  test("is announced over TLS, with the mechanisms of SASL and what can be had inline", async () => {
    const { world } = await sasl2World();
    const announced = await announcedBy(world);
    expect(announced?.mechanisms).toEqual([
      "SCRAM-SHA-512-PLUS",
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-1-PLUS",
      "SCRAM-SHA-512",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
    ]);
    expect(announced?.inline.map(({ ns, name }) => `${name} ${ns}`)).toEqual([
      "bind urn:xmpp:bind:0",
      "fast urn:xmpp:fast:0",
    ]);
  });
  test("§6: is not announced in the clear, nor to a peer on this machine without TLS", async () => {
    const { world } = await sasl2World({ plaintextFromLoopback: true });
    for (const address of ["192.0.2.7", "127.0.0.1"]) {
      const peer = world.connect({ address });
      await peer.sends(HEADER);
      expect(peer.received()).not.toContain(NS);
      await peer.sends(byPassword());
      expect(conditionOf(peer)).toBe("encryption-required");
    }
  });
  test("XEP-0484 §3.1: tokens can be had for every binding of the channel, and for none", async () => {
    const { world } = await sasl2World();
    const fastOf = async (options = {}) =>
      (await announcedBy(world, FROM, options))?.inline
        .find(({ name }) => name === "fast")
        ?.children.map((child) => (typeof child === "string" ? child : child.children[0]));
    expect(await fastOf()).toEqual(["HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]);
    expect(await fastOf({ channelBindings: new Map() })).toEqual(["HT-SHA-256-NONE"]);
  });
  test("XEP-0484: without a place for tokens none are announced, and none are taken", async () => {
    const world = new World();
    expect((await announcedBy(world))?.inline.map(({ name }) => name)).toEqual(["bind"]);
    expect(await tryToken(world, "x")).toBe("invalid-mechanism");
  });
  test("RFC 6120 §4.9.3.9: a stream from another domain than it is to is refused", async () => {
    const { world } = await sasl2World();
    const peer = world.connectSecurely();
    await peer.sends(header("to='capulet.example' from='romeo@montague.example' version='1.0'"));
    expect(peer.received()).toContain("<invalid-from ");
  });
});

describe("XEP-0388 §2.3, §2.6.1: success", () => {
  test("names the account, and the features follow without a new stream", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(byPassword());
    const { message, rest } = answerOf(peer);
    expect(message).toMatchObject({ is: "success", data: undefined, results: [] });
    expect(message.is === "success" && message.identity.full).toBe("juliet@capulet.example");
    expect(rest).toMatch(FEATURES);
    expect(rest).toContain("urn:ietf:params:xml:ns:xmpp-bind");
    expect(rest).not.toContain("sasl");
    expect(peer.transport.isVouched).toBe(true);
  });
  test("a resource is bound on the same stream, as RFC 6120 has it", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(byPassword());
    peer.received();
    await peer.sends(
      "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>",
    );
    expect(peer.received()).toContain("<jid>juliet@capulet.example/x</jid>");
    await peer.sends("<message to='romeo@montague.example'/>");
    expect(world.door.session.received).toHaveLength(1);
  });
  test("what a stranger may not send is taken from whoever has logged in: the limits are raised", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(byPassword("<bind xmlns='urn:xmpp:bind:0'/>"));
    await peer.sends(`<message to='romeo@montague.example'><body>${"o".repeat(20_000)}</body></message>`);
    expect(world.door.session.received).toHaveLength(1);
  });
  test("ANONYMOUS is what it is, whatever the stream says it is from", async () => {
    const { world } = await sasl2World({ hosts: [{ domain: domain("capulet.example"), anonymous: true }] });
    const peer = await opened(world);
    await peer.sends(authenticate("ANONYMOUS", "", requestToken()));
    const success = successOf(peer);
    expect(success.identity.full).toMatch(/^[0-9a-f-]{36}@capulet\.example$/);
    expect(success.results).toEqual([]);
  });
  test("EXTERNAL: the stream ends when the certificate does, and no token outlives it", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world, {
      peerCertificate: { xmppAddresses: ["juliet@capulet.example"], expires: world.clock + 60_000 },
    });
    await peer.sends(authenticate("EXTERNAL", "", requestToken()));
    expect(successOf(peer).results).toEqual([]);
    await world.timers.pass(60_001);
    expect(peer.received()).toContain("<reset ");
  });
  test("§5.7: it happens once", async () => {
    const { world } = await sasl2World();
    for (const more of ["", "<bind xmlns='urn:xmpp:bind:0'/>"]) {
      const peer = await opened(world);
      await peer.sends(byPassword(more));
      peer.received();
      await peer.sends(byPassword());
      expect(peer.received()).toContain(streamError("not-authorized", "authenticated already"));
    }
  });
});

/** A whole exchange with SCRAM, by the library's own client. */
const scram = async (peer: Peer, name: "SCRAM-SHA-256" | "SCRAM-SHA-256-PLUS", more = "", password = PASSWORD) => {
  const channelBindings = new Map([...BINDINGS]) as ReadonlyMap<ChannelBindingType, Uint8Array>;
  const data = BINDINGS.get("tls-exporter") as Uint8Array;
  const offer = {
    mechanisms: [
      ...["SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256"],
      ...["SCRAM-SHA-1", "PLAIN"],
    ],
    channelBindings: ["tls-exporter", "tls-server-end-point"],
  };
  const client = clientMechanism(
    { name, binding: name.endsWith("PLUS") ? { is: "p", type: "tls-exporter", data } : { is: "n" } },
    { crypto: nodeCrypto, credentials: { username: "juliet", password }, offer, channelBindings },
  );
  const encode = (octets: Uint8Array) => Buffer.from(octets).toString("base64");
  await peer.sends(authenticate(name, encode(await client.initial()), more));
  const first = answerOf(peer).message;
  if (first.is !== "challenge") throw new Error(first.is);
  await peer.sends(`<response xmlns='${NS}'>${encode(await client.challenge(first.data))}</response>`);
  return client;
};

describe("XEP-0388 §2.5: challenges", () => {
  test.each(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"] as const)(
    "%s: the server proves itself with success, downgrade protection included",
    async (name) => {
      const { world } = await sasl2World();
      const peer = await opened(world);
      const client = await scram(peer, name);
      await client.success(successOf(peer).data);
    },
  );
  test("a wrong password fails, and the right one is taken afterwards", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await scram(peer, "SCRAM-SHA-256", "", "not this one");
    expect(conditionOf(peer)).toBe("not-authorized");
    await scram(peer, "SCRAM-SHA-256");
    expect(successOf(peer).identity.full).toBe("juliet@capulet.example");
  });
  test.each([
    ["a stanza", "<iq type='get' id='1'/>"],
    ["SASL of RFC 6120", plainAuth("juliet", PASSWORD)],
    ["another authentication", byPassword()],
  ])("§2.4: %s while an exchange is under way ends the stream", async (_, other) => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(authenticate("SCRAM-SHA-256", base64("n,,n=juliet,r=abc")));
    expect(answerOf(peer).message.is).toBe("challenge");
    await peer.sends(other);
    expect(peer.received()).toBe(NOT_AUTHORIZED);
  });
  test.each(["<success xmlns='urn:xmpp:sasl:2'/>", "<mechanisms xmlns='urn:xmpp:sasl:2'/>"])(
    "§2.4: so does %s, at any time",
    async (other) => {
      const { world } = await sasl2World();
      const peer = await opened(world);
      await peer.sends(other);
      expect(peer.received()).toBe(streamError("unsupported-stanza-type"));
    },
  );
  test("§5.5: it can be given up, and begun again", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(authenticate("SCRAM-SHA-256", base64("n,,n=juliet,r=abc")));
    peer.received();
    await peer.sends(`<abort xmlns='${NS}'><text>Not now.</text></abort>`);
    expect(conditionOf(peer)).toBe("aborted");
    await peer.sends(byPassword());
    expect(successOf(peer).identity.full).toBe("juliet@capulet.example");
  });
  test.each([
    [`<response xmlns='${NS}'>eA==</response>`, "malformed-request"],
    [`<next xmlns='${NS}' task='UPGR-SCRAM-SHA-256'/>`, "malformed-request"],
    [`<task-data xmlns='${NS}'/>`, "malformed-request"],
    [`<abort xmlns='${NS}'/>`, "aborted"],
  ])("§2.5: %s out of nothing fails", async (message, condition) => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(message);
    expect(conditionOf(peer)).toBe(condition);
  });
});

describe("XEP-0388 §2.6.2: failure", () => {
  test.each([
    ["an unknown mechanism", authenticate("X-LUTE", ""), "invalid-mechanism"],
    ["no mechanism", `<authenticate xmlns='${NS}'/>`, "invalid-mechanism"],
    ["bad base 64", authenticate("PLAIN", "?"), "incorrect-encoding"],
    ["a wrong password", byPassword("", AGENT, "guess"), "not-authorized"],
    [
      "somebody else's authorization identity",
      authenticate("PLAIN", base64(`romeo@montague.example\0juliet\0${PASSWORD}`)),
      "invalid-authzid",
    ],
    ["bind twice", byPassword("<bind xmlns='urn:xmpp:bind:0'/><bind xmlns='urn:xmpp:bind:0'/>"), "malformed-request"],
    [
      "a bind that cannot be read",
      byPassword("<bind xmlns='urn:xmpp:bind:0'><tag>a</tag><tag>b</tag></bind>"),
      "malformed-request",
    ],
    ["a token for no mechanism", byPassword("<request-token xmlns='urn:xmpp:fast:0'/>"), "malformed-request"],
    ["a password as a token", byPassword("<fast xmlns='urn:xmpp:fast:0'/>"), "malformed-request"],
    ["a count that is none", byToken("x", { fast: "count='-1'" }), "malformed-request"],
    ["a token without a user agent", byToken("x", { agent: "" }), "malformed-request"],
    ["a token that is not announced as one", authenticate("HT-SHA-256-NONE", base64("juliet\0x")), "invalid-mechanism"],
    [
      "a token by a mechanism that was not offered",
      byToken("x", { mechanism: "HT-SHA-512-NONE" }),
      "invalid-mechanism",
    ],
  ])("%s", async (_, message, condition) => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(message);
    expect(conditionOf(peer)).toBe(condition);
    // §2.6.2: nothing that was asked for has been done.
    expect(world.door.sessions).toEqual([]);
    await peer.sends(byPassword());
    expect(successOf(peer).identity.full).toBe("juliet@capulet.example");
  });
  test("§2.3: the stream is from somebody else than the one who authenticates", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world, {}, header("to='capulet.example' from='nurse@capulet.example' version='1.0'"));
    await peer.sends(byPassword("<bind xmlns='urn:xmpp:bind:0'/>"));
    expect(conditionOf(peer)).toBe("invalid-authzid");
    expect(world.door.sessions).toEqual([]);
  });
  test("§2.3: a stream that says nothing is from whoever authenticates", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world, {}, HEADER);
    await peer.sends(byPassword());
    expect(successOf(peer).identity.full).toBe("juliet@capulet.example");
  });
  test("PLAIN is refused where the host does not take it", async () => {
    const { world } = await sasl2World({ hosts: [{ domain: domain("capulet.example"), plain: false }] });
    const peer = await opened(world);
    await peer.sends(byPassword());
    expect(conditionOf(peer)).toBe("mechanism-too-weak");
  });
  test("RFC 6120 §6.4.5: too many of them end the stream, those of either SASL together", async () => {
    const { world } = await sasl2World({ limits: { saslRetries: 2 } });
    const peer = await opened(world);
    await peer.sends(byPassword("", AGENT, "guess 1"));
    await peer.sends(plainAuth("juliet", "guess 2"));
    peer.received();
    await peer.sends(byPassword("", AGENT, "guess 3"));
    expect(peer.received()).toContain(streamError("policy-violation", "too many failed attempts"));
  });
  test("guesses are counted with those of the other SASL, tokens too", async () => {
    const { world } = await sasl2World({
      guesses: { ...GUESS_LIMITS, freePerAddress: 2, mostPerAddress: 0, freePerAccount: 9 },
    });
    const peer = await opened(world);
    await peer.sends(byToken("guess 1"));
    expect(conditionOf(peer)).toBe("not-authorized");
    await peer.sends(byPassword("", AGENT, "guess 2"));
    expect(conditionOf(peer)).toBe("not-authorized");
    expect(await tryToken(world, "guess 3")).toBe("temporary-auth-failure");
    const late = await opened(world);
    await late.sends(byPassword());
    expect(conditionOf(late)).toBe("temporary-auth-failure");
  });
  test("a fault of the server's own is not the client's", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    world.accountsFail = true;
    await peer.sends(authenticate("SCRAM-SHA-256", base64("n,,n=juliet,r=abc")));
    expect(conditionOf(peer)).toBe("temporary-auth-failure");
    expect(world.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("XEP-0484: tokens", () => {
  test("§3.2 to §3.4: a token is given for the asking, and lets its client in the next time, in one flight", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const peer = await opened(world);
    await peer.sends(byToken(token, { more: "<bind xmlns='urn:xmpp:bind:0'/>" }));
    const success = successOf(peer);
    expect(success.identity.full).toMatch(/^juliet@capulet\.example\/.+/);
    const mac = createHmac("sha256", token).update("Responder").digest();
    expect(Buffer.from(success.data ?? [])).toEqual(mac);
    expect(tokenIn(success)).toBeUndefined();
  });
  test.each(["HT-SHA-256-EXPR", "HT-SHA-256-ENDP"])("§3.4: %s is bound to the channel", async (mechanism) => {
    const { world } = await sasl2World();
    const token = await newToken(world, mechanism);
    expect(await tryToken(world, token, { mechanism })).toBe("success");
    const peer = await opened(world, {
      channelBindings: new Map([...BINDINGS].map(([type]) => [type, new Uint8Array(32)])),
    });
    await peer.sends(byToken(token, { mechanism }));
    expect(conditionOf(peer)).toBe("not-authorized");
  });
  test("§3.4: a token is of use with its own mechanism only", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world, "HT-SHA-256-EXPR");
    expect(await tryToken(world, token)).toBe("not-authorized");
    expect(await tryToken(world, token, { mechanism: "HT-SHA-256-ENDP" })).toBe("not-authorized");
    expect(await tryToken(world, token, { mechanism: "HT-SHA-256-EXPR" })).toBe("success");
  });
  test("§3.2: what was not announced is not given", async () => {
    const { world } = await sasl2World();
    for (const [mechanism, agent] of [
      ["HT-SHA-512-NONE", AGENT],
      ["SCRAM-SHA-1", AGENT],
      ["HT-SHA-256-NONE", ""],
      ["HT-SHA-256-NONE", "no UUID"],
    ]) {
      const peer = await opened(world);
      await peer.sends(byPassword(requestToken(mechanism), agent));
      expect(tokenIn(successOf(peer))).toBeUndefined();
    }
  });
  test("§4.1: a token is of use to its own client and account only", async () => {
    const { world } = await sasl2World({ accounts: ["juliet@capulet.example", "nurse@capulet.example"] });
    const token = await newToken(world);
    expect(await tryToken(world, token, { agent: "7d0a4c1e-9b57-4d53-b1f5-5a4c3b2a1908" })).toBe("not-authorized");
    expect(await tryToken(world, token, { user: "nurse" })).toBe("not-authorized");
    expect(await tryToken(world, token, { user: "nobody" })).toBe("not-authorized");
    expect(await tryToken(world, `${token}x`)).toBe("not-authorized");
    expect(await tryToken(world, token)).toBe("success");
  });
  test("§4.2: one that has expired says so, and the password is taken instead", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    world.clock += 21 * 86_400_000 + 1000;
    const peer = await opened(world);
    await peer.sends(byToken(token));
    expect(conditionOf(peer)).toBe("credentials-expired");
    await peer.sends(byPassword(requestToken()));
    expect(tokenIn(successOf(peer))).toBeDefined();
  });
  test("§3.5: one that is due is replaced when it is used, and good until the new one has been used", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    world.clock += 86_400_000;
    const peer = await opened(world);
    // The first use makes it the current one.
    await peer.sends(byToken(token));
    const next = tokenIn(successOf(peer)) ?? "";
    expect(next).not.toBe("");
    expect(await tryToken(world, token)).toBe("success");
    expect(await tryToken(world, next)).toBe("not-authorized");
  });
  test("§3.5: what was given anew and not used ends when something newer is given", async () => {
    const { world } = await sasl2World();
    const first = await newToken(world);
    expect(await tryToken(world, first)).toBe("success");
    const lost = await newToken(world);
    const kept = await newToken(world);
    expect(await tryToken(world, lost)).toBe("not-authorized");
    expect(await tryToken(world, first)).toBe("success");
    expect(await tryToken(world, kept)).toBe("success");
    expect(await tryToken(world, first)).toBe("not-authorized");
    expect(await tryToken(world, kept)).toBe("success");
  });
  test("§3.6: one that is given up is of no use any more, and none comes instead", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    world.clock += 2 * 86_400_000;
    const peer = await opened(world);
    await peer.sends(byToken(token, { fast: "invalidate='true'" }));
    expect(successOf(peer).results).toEqual([]);
    expect(await tryToken(world, token)).toBe("not-authorized");
  });
  test("§3.6: one is given instead where that is asked for", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    const peer = await opened(world);
    await peer.sends(byToken(token, { fast: "invalidate='1'", more: requestToken() }));
    const next = tokenIn(successOf(peer)) ?? "";
    expect(await tryToken(world, token)).toBe("not-authorized");
    expect(await tryToken(world, next)).toBe("success");
  });
  test("§3.4: a count that has been there before is a repetition", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    expect(await tryToken(world, token, { fast: "count='3'" })).toBe("success");
    expect(await tryToken(world, token, { fast: "count='3'" })).toBe("not-authorized");
    expect(await tryToken(world, token, { fast: "count='2'" })).toBe("not-authorized");
    expect(await tryToken(world, token, { fast: "count='4'" })).toBe("success");
  });
  test("where none can be stored, the client is in without one", async () => {
    const scene = await sasl2World();
    scene.breakStore();
    const peer = await opened(scene.world);
    await peer.sends(byPassword(requestToken()));
    expect(successOf(peer).results).toEqual([]);
    expect(scene.world.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
  test("one whose use cannot be stored does not let its client in", async () => {
    const scene = await sasl2World();
    const token = await newToken(scene.world);
    scene.breakStore();
    expect(await tryToken(scene.world, token)).toBe("temporary-auth-failure");
  });
  test("what is asked for is not done for a stream that is gone by then", async () => {
    const { world } = await sasl2World();
    const token = await newToken(world);
    const peer = await opened(world);
    peer.sendsNow(byToken(token, { more: "<bind xmlns='urn:xmpp:bind:0'/>" }));
    peer.stream.close();
    await peer.sends("");
    expect(peer.received()).toBe("</stream:stream>");
    expect(world.door.sessions).toEqual([]);
  });
  test("§6: a new password ends every token", async () => {
    const { world, store, access } = await sasl2World();
    const token = await newToken(world);
    const unit = store.begin();
    for (const write of access.forgetting("juliet@capulet.example" as never)) unit.add(write);
    unit.commit();
    expect(await tryToken(world, token)).toBe("not-authorized");
  });
  test("§6: no token is had by a password that is changed at the same moment", async () => {
    const { world, access } = await sasl2World();
    const peer = await opened(world);
    peer.sendsNow(byPassword(requestToken()));
    access.forgetting("juliet@capulet.example" as never);
    await peer.sends("");
    expect(tokenIn(successOf(peer))).toBeUndefined();
  });
});

test("XEP-0388 §2.3: what is sent of a user agent is shown to nobody", async () => {
  const { world } = await sasl2World();
  const peer = await opened(world);
  await peer.sends(byPassword("<bind xmlns='urn:xmpp:bind:0'><tag>Balcony</tag></bind>"));
  const text = peer.received();
  expect(text).not.toContain(AGENT);
  expect(text).not.toContain("Tower");
  expect(readSasl2Server(parseElement(/^<success.*<\/success>/s.exec(text)?.[0] ?? ""))?.is).toBe("success");
});
