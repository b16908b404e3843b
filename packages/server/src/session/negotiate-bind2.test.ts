import { type BareJid, element, type FullJid, StanzaError, StreamError, toBytes } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import type { InlineFeature } from "./inline-feature.ts";
import { inlineFeatures } from "./inline-features.ts";
import {
  AGENT,
  answerOf,
  byPassword,
  byToken,
  newToken,
  OTHER_AGENT,
  opened,
  requestToken,
  sasl2World,
  successOf,
} from "./test-sasl2.ts";
import { FakeSession, type Peer, settled, streamError } from "./test-streams.ts";

const bind = (more = "<tag>Lantern</tag>"): string => `<bind xmlns='urn:xmpp:bind:0'>${more}</bind>`;
const resourceOf = (peer: Peer): string => successOf(peer).identity.resource ?? "";

/** A feature that notes what it is asked, and answers as it is told. */
const light = (notes: string[] = [], handle?: () => ReturnType<Handle>): InlineFeature => ({
  at: "bind",
  name: "light",
  feature: "urn:example:light",
  takes: ({ ns, name }) => ns === "urn:example:light" && name === "enable",
  handle: (request, session, login) => {
    notes.push(`${request.name} ${session.jid.full} ${login.mechanism}`);
    return handle === undefined ? undefined : handle();
  },
});
type Handle = Extract<InlineFeature, { at: "bind" }>["handle"];
const ENABLE = "<enable xmlns='urn:example:light'/>";
const LIT = element("urn:example:light", "lit");

describe("XEP-0386 §3.1: the feature", () => {
  test("names what a session can have from the start", async () => {
    const { world } = await sasl2World({ inline: [light()] });
    const peer = world.connectSecurely();
    await peer.sends(
      "<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
    expect(peer.received()).toContain(
      "<inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:example:light'/></inline></bind>",
    );
  });
});

describe("XEP-0386 §3.2: binding", () => {
  test("happens before success, which names the full address", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(byPassword(bind()));
    const { message, rest } = answerOf(peer);
    const { jid } = world.door.session;
    expect(message).toMatchObject({ is: "success", identity: jid, results: [{ name: "bound", children: [] }] });
    // XEP-0388 §2.6.1: what is left to be negotiated.
    expect(rest).toMatch(/^<stream:features>.*<ver xmlns='urn:xmpp:features:rosterver'\/><\/stream:features>$/);
    expect(rest).not.toMatch(/xmpp-bind|xmpp-session|sasl/);
    expect(peer.stream.stage).toBe("bound");
    await peer.sends("<message to='romeo@montague.example'/>");
    expect(world.door.session.received).toEqual(["<message to='romeo@montague.example'/>"]);
  });
  test("the stream's language is the session's", async () => {
    const { world } = await sasl2World();
    const peer = await opened(
      world,
      {},
      "<stream:stream to='capulet.example' xml:lang='it' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
    await peer.sends(byPassword(bind()));
    expect(world.door.session.lang).toBe("it");
  });
  test("a second resource is not bound", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(byPassword(bind()));
    peer.received();
    await peer.sends("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    expect(peer.received()).toContain("<not-allowed ");
  });
  test("what was asked for together with it is not offered once more", async () => {
    const offered = async (more: string): Promise<string> => {
      const { world } = await sasl2World({ inline: inlineFeatures([]) });
      const peer = await opened(world);
      await peer.sends(byPassword(bind(more)));
      return answerOf(peer).rest;
    };
    const feature = "<sm xmlns='urn:xmpp:sm:3'/>";
    expect(await offered("")).toContain(feature);
    expect(await offered("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")).not.toContain(feature);
  });
  test("what the session sends meanwhile follows success and features, in its order", async () => {
    const sent: InlineFeature = {
      ...light(),
      at: "bind",
      handle: (_, session) => {
        (session as FakeSession).wire.send(toBytes("<message id='1'/>"));
        (session as FakeSession).wire.send(toBytes("<message id='2'/>"));
        return LIT;
      },
    } as InlineFeature;
    const { world } = await sasl2World({ inline: [sent] });
    const peer = await opened(world);
    await peer.sends(byPassword(bind(ENABLE)));
    const { message, rest } = answerOf(peer);
    expect(message).toMatchObject({ results: [{ name: "bound", children: [LIT] }] });
    expect(rest).toMatch(/^<stream:features>.*<\/stream:features><message id='1'\/><message id='2'\/>$/);
  });
  test("where the server refuses, the client is in all the same, and may ask in the old way", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    world.door.bindError = new StanzaError("resource-constraint");
    await peer.sends(byPassword(bind()));
    const { message, rest } = answerOf(peer);
    expect(message).toMatchObject({ is: "success", results: [] });
    expect(message.is === "success" && message.identity.full).toBe("juliet@capulet.example");
    expect(rest).toContain("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    await peer.sends("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    expect(peer.received()).toContain("<resource-constraint ");
  });
  test("a fault of the server's own ends the stream", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    world.door.bindError = new TypeError("broken") as never;
    await peer.sends(byPassword(bind()));
    expect(peer.received()).toBe(streamError("internal-server-error"));
    expect(world.lines.some(({ level }) => level === "error")).toBe(true);
  });
  test("a session bound for a stream that is gone by then is ended", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.door.bindDelay = promise;
    await peer.sends(byPassword(bind()));
    peer.stream.close();
    resolve();
    await settled();
    await settled();
    expect(world.door.session.ends).toBe(1);
  });
});

describe("XEP-0386 §3.2.1: the resource", () => {
  const bound = async (world: Awaited<ReturnType<typeof sasl2World>>["world"], more = bind(), agent = AGENT) => {
    const peer = await opened(world);
    await peer.sends(byPassword(more, agent));
    return resourceOf(peer);
  };
  test("is the client's tag and what is the same for the same client, and tells nothing of it", async () => {
    const { world } = await sasl2World();
    const resource = await bound(world);
    expect(resource).toMatch(/^Lantern\/[A-Za-z0-9_-]{12}$/);
    expect(await bound(world)).toBe(resource);
    expect(await bound(world, bind("<tag>Lamp</tag>"))).toBe(resource.replace("Lantern", "Lamp"));
    expect(await bound(world, bind(""))).toBe(resource.slice("Lantern/".length));
    const other = await bound(world, bind(), OTHER_AGENT);
    expect(other).toMatch(/^Lantern\//);
    expect(other).not.toBe(resource);
  });
  test("is another one every time for a client that does not say which it is", async () => {
    const { world } = await sasl2World();
    const resources = [
      await bound(world, bind(), ""),
      await bound(world, bind(), ""),
      await bound(world, bind(), "not a UUID"),
    ];
    expect(new Set(resources).size).toBe(3);
    for (const resource of resources) expect(resource).toMatch(/^Lantern\/[A-Za-z0-9_-]{12}$/);
  });
  test.each([
    ["empty", ""],
    ["too long", "t".repeat(1023)],
    ["what cannot stand in an address", "lamp\u00ad\u{e0001}post"],
  ])("goes without a tag that is %s", async (_, tag) => {
    const { world } = await sasl2World();
    expect(await bound(world, bind(`<tag>${tag}</tag>`))).toMatch(/^[A-Za-z0-9_-]{12}$/);
  });
});

describe("XEP-0386 §3.2: the earlier session of the same client", () => {
  test("is ended, whatever its tag was, and before the new one is bound; others stay", async () => {
    const { world, access } = await sasl2World();
    for (const [tag, agent] of [
      ["<tag>Lantern</tag>", AGENT],
      ["<tag>Lamp</tag>", OTHER_AGENT],
    ]) {
      const peer = await opened(world);
      await peer.sends(byPassword(bind(tag), agent));
    }
    const [first] = world.door.sessions;
    let bound = -1;
    world.door.whenEnded = async () => {
      bound = world.door.sessions.length;
      access.ended("juliet@capulet.example" as BareJid, first?.jid.full as FullJid);
    };
    const peer = await opened(world);
    await peer.sends(byPassword(bind("<tag>New</tag>")));
    expect(resourceOf(peer)).toMatch(/^New\//);
    expect(world.door.ended).toEqual([`${first?.jid.full} conflict`]);
    expect(bound).toBe(2);
  });
  test("is known as the client's though it was bound in the old way", async () => {
    const { world } = await sasl2World();
    const peer = await opened(world);
    await peer.sends(byPassword());
    await peer.sends(
      "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>old</resource></bind></iq>",
    );
    const again = await opened(world);
    await again.sends(byPassword(bind()));
    expect(world.door.ended).toEqual(["juliet@capulet.example/old conflict"]);
  });
});

describe("XEP-0386 §3.2: what is asked for besides", () => {
  test("is done once the resource is bound; its answer is in the answer", async () => {
    const notes: string[] = [];
    const { world } = await sasl2World({ inline: [light(notes, async () => LIT)] });
    const token = await newToken(world);
    const peer = await opened(world);
    await peer.sends(byToken(token, { more: bind(ENABLE) }));
    const success = successOf(peer);
    expect(success.results).toMatchObject([{ name: "bound", children: [LIT] }]);
    expect(notes).toEqual([`enable ${success.identity.full} HT-SHA-256-NONE`]);
  });
  test("is not done unless it is asked for, nor for a stranger", async () => {
    const notes: string[] = [];
    const { world } = await sasl2World({ inline: [light(notes)] });
    const peer = await opened(world);
    await peer.sends(byPassword(bind(ENABLE), AGENT, "wrong"));
    await peer.sends(byPassword(bind("<disable xmlns='urn:example:light'/><enable xmlns='urn:example:dark'/>")));
    expect(notes).toEqual([]);
  });
  test("follows the server's order; what fails is left out, and the rest is done", async () => {
    const report: InlineFeature = {
      at: "bound",
      name: "archive",
      report: () => element("urn:example:archive", "metadata"),
    };
    const broken = light([], () => {
      throw new TypeError("broken");
    });
    const { world } = await sasl2World({ inline: [report, broken, light([], () => LIT)] });
    const peer = await opened(world);
    await peer.sends(byPassword(bind(ENABLE)));
    expect(successOf(peer).results).toMatchObject([{ name: "bound", children: [{ name: "metadata" }, LIT] }]);
    expect(world.lines.filter(({ level }) => level === "error").map(({ fields }) => fields.feature)).toEqual(["light"]);
  });
  test("that the client got wrong is left out, and is no defect", async () => {
    const refusing = light([], () => {
      throw new StanzaError("bad-request");
    });
    const { world } = await sasl2World({ inline: [refusing] });
    const peer = await opened(world);
    await peer.sends(byPassword(bind(ENABLE)));
    expect(successOf(peer).results).toMatchObject([{ name: "bound", children: [] }]);
    expect(world.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
  test("may end the stream; the session just bound ends with it", async () => {
    const { world } = await sasl2World({
      inline: [
        light([], () => {
          throw new StreamError("policy-violation", "no light");
        }),
      ],
    });
    const peer = await opened(world);
    await peer.sends(byPassword(bind(ENABLE)));
    expect(peer.received()).toMatch(/^<stream:error><policy-violation /);
    expect(world.door.session.ends).toBe(1);
  });
});

describe("XEP-0198 §9: resumption", () => {
  const RESUME = "<resume xmlns='urn:xmpp:sm:3' previd='p' h='3'/>";
  const resumption = (answer: Extract<InlineFeature, { at: "resume" }>["resume"]): InlineFeature => ({
    at: "resume",
    name: "stream management",
    announced: element("urn:xmpp:sm:3", "sm"),
    takes: ({ ns, name }) => ns === "urn:xmpp:sm:3" && name === "resume",
    resume: answer,
  });
  const FAILED = element("urn:xmpp:sm:3", "failed");
  const RESUMED = element("urn:xmpp:sm:3", "resumed");

  test("is announced beside bind", async () => {
    const { world } = await sasl2World({ inline: [resumption(() => ({ result: FAILED, session: undefined }))] });
    const peer = world.connectSecurely();
    await peer.sends(
      "<stream:stream to='capulet.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
    expect(peer.received()).toContain("<inline><bind xmlns='urn:xmpp:bind:0'/><sm xmlns='urn:xmpp:sm:3'/>");
  });
  test("comes instead of binding: no features, nothing bound, and what was missed follows", async () => {
    const asked: string[] = [];
    const { world } = await sasl2World({
      inline: [
        resumption((request, { account }, client) => {
          asked.push(`${request.attributes.previd} ${account.full}`);
          client.send(toBytes("<message id='missed'/>"));
          return { result: RESUMED, session: new FakeSession(account.withResource("before"), client, undefined) };
        }),
      ],
    });
    const peer = await opened(world);
    await peer.sends(byPassword(RESUME + bind() + requestToken()));
    const { message, rest } = answerOf(peer);
    expect(message.is === "success" && message.identity.full).toBe("juliet@capulet.example/before");
    expect(message).toMatchObject({ results: [RESUMED, { name: "token" }] });
    expect(rest).toBe("<message id='missed'/>");
    expect(asked).toEqual(["p juliet@capulet.example"]);
    expect(world.door.sessions).toEqual([]);
    expect(peer.stream.stage).toBe("bound");
  });
  test("that fails says so, and a resource is bound", async () => {
    const { world } = await sasl2World({
      inline: [resumption(async () => ({ result: FAILED, session: undefined }))],
    });
    const peer = await opened(world);
    await peer.sends(byPassword(RESUME + bind()));
    const success = successOf(peer);
    expect(success.results).toMatchObject([FAILED, { name: "bound" }]);
    expect(success.identity.full).toBe(world.door.session.jid.full);
  });
  test("that fails without a request to bind leaves that for later", async () => {
    const { world } = await sasl2World({ inline: [resumption(() => ({ result: FAILED, session: undefined }))] });
    const peer = await opened(world);
    await peer.sends(byPassword(RESUME));
    const { message, rest } = answerOf(peer);
    expect(message).toMatchObject({ results: [FAILED] });
    expect(rest).toContain("urn:ietf:params:xml:ns:xmpp-bind");
  });
  test("that breaks is as if it had not been asked for", async () => {
    const { world } = await sasl2World({
      inline: [
        resumption(() => {
          throw new TypeError("broken");
        }),
      ],
    });
    const peer = await opened(world);
    await peer.sends(byPassword(RESUME + bind()));
    expect(successOf(peer).results).toMatchObject([{ name: "bound" }]);
  });
  test("of a stream that is gone by then ends", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sessions: FakeSession[] = [];
    const { world } = await sasl2World({
      inline: [
        resumption(async (_, { account }, client) => {
          await promise;
          const session = new FakeSession(account.withResource("before"), client, undefined);
          sessions.push(session);
          return { result: RESUMED, session };
        }),
      ],
    });
    const peer = await opened(world);
    await peer.sends(byPassword(RESUME));
    peer.stream.close();
    resolve();
    await settled();
    await settled();
    expect(sessions.map(({ ends }) => ends)).toEqual([1]);
  });
});
