import { message as buildMessage, element, parseJid } from "@kith/protocol";
import { eachFabric, type Open, type Party, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Context, Module } from "../module.ts";
import { offline } from "./xep0160-offline.ts";

const ROMEO = "romeo@example.org/orchard";
const JULIET = "juliet@example.org";
const body = (text: string) => `<body>${text}</body>`;
const message = (content: string, attributes = "type='chat'", to = JULIET) =>
  `<message to='${to}' ${attributes}>${content}</message>`;
const STAMP = "2031-05-17T09:30:00Z";
const delivered = (content: string, attributes = "type='chat'", stamp = STAMP, to = JULIET) =>
  `<message from='${ROMEO}' to='${to}' ${attributes}>${content}<delay xmlns='urn:xmpp:delay' from='example.org' stamp='${stamp}'>Offline Storage</delay></message>`;
const refused = (attributes = "") =>
  `<message type='error' from='${JULIET}' to='${ROMEO}' ${attributes}><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;

const keepAll: Module = {
  name: "keeps all",
  xeps: [],
  sending: { archive: () => ({ isArchived: true }) },
  receiving: { archive: () => ({ isArchived: true }) },
};

/** Without its own presence and that of others. */
const messagesOf = (party: Party): string[] => party.received().filter((xml) => xml.startsWith("<message"));

eachFabric("offline", (open: Open) => {
  /** `isKept`: everything is in everybody's archive. */
  const stage = async (limit?: number, blocked: ReadonlySet<string> = new Set(), maxBytes?: number, isKept = false) => {
    const scene = await open({
      modules: (store) => [
        offline({
          messages: store.messages,
          isBlocked: (_, { bare }) => blocked.has(bare),
          ...(limit === undefined ? {} : { limit }),
          ...(maxBytes === undefined ? {} : { maxBytes }),
        }),
        ...(isKept ? [keepAll] : []),
      ],
      accounts: ["romeo@example.org", "paris@example.org", JULIET],
    });
    return { scene, romeo: await scene.login(ROMEO) };
  };
  const comes = async (scene: Scene, resource = "balcony", priority = 0): Promise<Party> => {
    const party = await scene.login(`${JULIET}/${resource}`);
    await party.sends(`<presence><priority>${priority}</priority></presence>`);
    return party;
  };

  test("XEP-0160 §2: what was sent meanwhile comes in order, each with the time it was received", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(message(`${body("one")}<thread>t</thread>`, "type='chat' id='m1' xml:lang='it'"));
    scene.clock.advance(61_250);
    await romeo.sends(message("<subject>two</subject>", "id='m2'"));
    romeo.receivesNothing();

    const juliet = await comes(scene);
    juliet.receives(
      delivered(`${body("one")}<thread>t</thread>`, "type='chat' id='m1' xml:lang='it'"),
      delivered("<subject>two</subject>", "id='m2'", "2031-05-17T09:31:01.250Z"),
    );
  });

  test("XEP-0160 §2: what has been delivered is not delivered again", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(message(body("once")));
    const juliet = await comes(scene);
    expect(messagesOf(juliet)).toHaveLength(1);
    await juliet.sends("<presence type='unavailable'/>");
    await juliet.sends("<presence/>");
    expect(messagesOf(juliet)).toEqual([]);
    expect(messagesOf(await comes(scene, "chamber"))).toEqual([]);
    expect(await scene.store.messages.countWaiting(parseJid(JULIET).bare)).toEqual({ count: 0, bytes: 0 });
  });

  test("RFC 6120 §13.12: no more bytes wait than may, whoever sent them; what is too much is refused", async () => {
    const { scene, romeo } = await stage(undefined, undefined, 3_000);
    const paris = await scene.login("paris@example.org/church");
    const long = body("x".repeat(1_300));
    await romeo.sends(message(long, "type='chat' id='1'"));
    await paris.sends(message(long, "type='chat' id='2'"));
    await romeo.sends(message(long, "type='chat' id='3'"));
    romeo.receives(refused("id='3'"));
    await romeo.sends(message(body("short"), "type='chat' id='4'"));
    romeo.receivesNothing();
    const juliet = await comes(scene);
    expect(messagesOf(juliet)).toHaveLength(3);
    // There is room again, once it is known that they have arrived.
    await juliet.livens();
    await romeo.sends(message(long, "type='chat' id='5'"));
    expect(romeo.received()).toEqual([]);
  });

  describe("XEP-0160 §3: by type", () => {
    test.each(["type='chat'", "type='normal'", "", "type='unheard of'"])("%s is kept", async (type) => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(body("hello"), type));
      expect(messagesOf(await comes(scene))).toHaveLength(1);
    });
    test("groupchat is refused", async () => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(body("hello"), "type='groupchat' id='g'"));
      romeo.receives(refused("id='g'"));
      expect(messagesOf(await comes(scene))).toEqual([]);
    });
    test.each(["type='headline'", "type='error'"])("%s is ignored", async (type) => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(`${body("hello")}<store xmlns='urn:xmpp:hints'/>`, type));
      romeo.receivesNothing();
      expect(messagesOf(await comes(scene))).toEqual([]);
    });
  });

  describe("XEP-0160 §3, XEP-0085 §5.8: what says nothing is not kept, and nobody is bothered", () => {
    test.each([
      "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
      "<active xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread><no-store xmlns='urn:xmpp:hints'/>",
      "<gone xmlns='http://jabber.org/protocol/chatstates'/><origin-id xmlns='urn:xmpp:sid:0' id='o'/>",
      "",
    ])("%s", async (content) => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(content));
      romeo.receivesNothing();
      expect(messagesOf(await comes(scene))).toEqual([]);
    });
    test.each([
      `${body("hello")}<active xmlns='http://jabber.org/protocol/chatstates'/>`,
      "<received xmlns='urn:xmpp:receipts' id='r'/>",
      "<encrypted xmlns='urn:example:sealed'>…</encrypted>",
      "<composing xmlns='urn:example:symphony'/>",
    ])("but %s is", async (content) => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(content));
      expect(messagesOf(await comes(scene))).toHaveLength(1);
    });
  });

  describe("XEP-0334 §4: hints", () => {
    test("no-store: not kept, and the sender is told", async () => {
      const { scene, romeo } = await stage();
      await romeo.sends(
        message(
          `${body("off the record")}<no-store xmlns='urn:xmpp:hints'/><store xmlns='urn:xmpp:hints'/>`,
          "type='chat' id='n'",
        ),
      );
      romeo.receives(refused("id='n'"));
      expect(messagesOf(await comes(scene))).toEqual([]);
    });
    test("no-permanent-store: kept until it is delivered", async () => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(`${body("hush")}<no-permanent-store xmlns='urn:xmpp:hints'/>`));
      expect(messagesOf(await comes(scene))).toHaveLength(1);
    });
    test("store: kept although it says nothing", async () => {
      const { scene, romeo } = await stage();
      await romeo.sends(
        message("<active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>"),
      );
      expect(messagesOf(await comes(scene))).toHaveLength(1);
    });
  });

  test("XEP-0160 §2: when the queue is full the sender is told, and what came before is kept", async () => {
    const { scene, romeo } = await stage(2);
    for (const text of ["one", "two", "three"]) await romeo.sends(message(body(text), "type='chat' id='f'"));
    romeo.receives(refused("id='f'"));
    const juliet = await comes(scene);
    juliet.receives(delivered(body("one"), "type='chat' id='f'"), delivered(body("two"), "type='chat' id='f'"));
    await juliet.livens();
    await scene.end(juliet);
    await romeo.sends(message(body("four")));
    romeo.receivesNothing();
  });

  test("RFC 6121 §8.5.3.2.1: a chat message to a resource that is gone is kept, with the address it had", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(message(body("are you there"), "type='chat'", `${JULIET}/tomb`));
    (await comes(scene)).receives(delivered(body("are you there"), "type='chat'", STAMP, `${JULIET}/tomb`));
  });

  test("XEP-0160 §2: neither initial presence with negative priority nor directed presence delivers", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(message(body("later")));
    const juliet = await comes(scene, "balcony", -1);
    await juliet.sends(`<presence to='${ROMEO}'><priority>5</priority></presence>`);
    await juliet.sends("<presence type='unavailable'/>");
    await juliet.sends("<presence><priority>-1</priority></presence>");
    expect(messagesOf(juliet)).toEqual([]);
    await juliet.sends("<presence/>");
    expect(messagesOf(juliet)).toHaveLength(1);
  });

  test("XEP-0160 §2: a resource with negative priority gets nothing until it changes its mind", async () => {
    const { scene, romeo } = await stage();
    const juliet = await comes(scene, "balcony", -1);
    await romeo.sends(message(body("later")));
    await juliet.sends("<presence><priority>-128</priority></presence>");
    expect(messagesOf(juliet)).toEqual([]);
    await juliet.sends("<presence><show>chat</show><priority>0</priority></presence>");
    juliet.receives(delivered(body("later")));
    await romeo.sends(message(body("now")));
    juliet.receives(`<message from='${ROMEO}' to='${JULIET}' type='chat'>${body("now")}</message>`);
  });

  test.each(["500", "x"])("RFC 6121 §4.7.2.3: a priority of %s changes nothing", async (priority) => {
    const { scene, romeo } = await stage();
    const juliet = await comes(scene, "balcony", -1);
    await romeo.sends(message(body("later")));
    await juliet.sends(`<presence id='p'><priority>${priority}</priority></presence>`);
    expect(messagesOf(juliet)).toEqual([]);
    await juliet.sends("<presence/>");
    expect(messagesOf(juliet)).toHaveLength(1);
  });

  test("XEP-0160 §2: directed presence, and presence that is none, deliver nothing", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(message(body("later")));
    const juliet = await scene.login(`${JULIET}/balcony`);
    await juliet.sends(`<presence to='${ROMEO}'/>`);
    await juliet.sends("<presence type='unavailable'/>");
    expect(messagesOf(juliet)).toEqual([]);
  });

  test("two resources that come at once get each message once, together", async () => {
    const { scene, romeo } = await stage();
    const texts = Array.from({ length: 20 }, (_, at) => `m${at}`);
    for (const text of texts) await romeo.sends(message(body(text)));
    const [balcony, chamber] = [await scene.login(`${JULIET}/balcony`), await scene.login(`${JULIET}/chamber`)];
    await Promise.all([balcony.sendsUnsettled("<presence/>"), chamber.sendsUnsettled("<presence/>")]);
    await scene.settled();
    const got = [...messagesOf(balcony), ...messagesOf(chamber)].map((xml) => /<body>(.*)<.body>/.exec(xml)?.[1]);
    expect(got).toEqual(texts);
  });

  test("RFC 6120 §10.1: however many there are, they come in order, and before what is sent then", async () => {
    const { scene, romeo } = await stage();
    const texts = Array.from({ length: 450 }, (_, at) => `m${at}`);
    for (const text of texts) await romeo.sendsUnsettled(message(body(text)));
    await scene.settled();
    const juliet = await scene.login(`${JULIET}/balcony`);
    await Promise.all([juliet.sendsUnsettled("<presence/>"), romeo.sendsUnsettled(message(body("now")))]);
    await scene.settled();
    const got = messagesOf(juliet).map((xml) => /<body>(.*)<.body>/.exec(xml)?.[1]);
    expect(got).toEqual([...texts, "now"]);
  });

  describe("RFC 6120 §4.6: what has been written has not arrived before the client shows that it is there", () => {
    const waiting = async (scene: Scene): Promise<number> =>
      (await scene.store.messages.countWaiting(parseJid(JULIET).bare)).count;

    test("what a lost stream did not get goes to another resource", async () => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(body("one")));
      const lost = await comes(scene);
      expect(messagesOf(lost)).toHaveLength(1);
      const other = await comes(scene, "garden");
      expect(messagesOf(other)).toEqual([]);
      expect(await waiting(scene)).toBe(1);
      await scene.end(lost);
      expect(messagesOf(other).join()).toBe(delivered(body("one")));
      await other.livens();
      expect(await waiting(scene)).toBe(0);
    });

    test("or waits for the next, where there is none", async () => {
      const { scene, romeo } = await stage();
      await romeo.sends(message(body("one")));
      await scene.end(await comes(scene));
      const shy = await comes(scene, "garden", -1);
      expect(messagesOf(shy)).toEqual([]);
      expect(messagesOf(await comes(scene, "chamber"))).toEqual([delivered(body("one"))]);
    });

    test("what came while it was there waits like anything else, if it is stored", async () => {
      const { scene, romeo } = await stage(undefined, undefined, undefined, true);
      const juliet = await comes(scene);
      await romeo.sends(message(body("one")));
      expect(messagesOf(juliet)).toHaveLength(1);
      expect(await waiting(scene)).toBe(1);
      await scene.end(juliet);
      const next = await comes(scene, "chamber");
      expect(messagesOf(next).join()).toContain("<body>one</body><delay ");
      await next.livens();
      await scene.end(next);
      expect(messagesOf(await comes(scene, "garden"))).toEqual([]);
    });

    test("another resource that has it already is not sent it again", async () => {
      const { scene, romeo } = await stage(undefined, undefined, undefined, true);
      const [balcony, garden] = [await comes(scene), await comes(scene, "garden", 1)];
      await romeo.sends(message(body("one")));
      expect(messagesOf(balcony)).toEqual([]);
      expect(messagesOf(garden)).toHaveLength(1);
      await balcony.sends("<presence type='unavailable'/>");
      await balcony.sends("<presence/>");
      expect(messagesOf(balcony)).toEqual([]);
      await scene.end(garden);
      expect(messagesOf(balcony).join()).toContain("<body>one</body>");
    });

    test("and nothing is stored for somebody who is there, where no archive wants it", async () => {
      const { scene, romeo } = await stage();
      const juliet = await comes(scene);
      await romeo.sends(message(body("one")));
      expect(messagesOf(juliet)).toHaveLength(1);
      expect(scene.store.messages.lastRow).toBe(0);
    });
  });

  test("XEP-0334 §4.1: what is not to be kept for good is gone once it has arrived", async () => {
    const { scene, romeo } = await stage();
    const account = parseJid(JULIET).bare;
    await romeo.sends(message(`${body("hush")}<no-permanent-store xmlns='urn:xmpp:hints'/>`));
    const [stored] = await scene.store.messages.waiting(account);
    expect(stored?.isArchived).toEqual({ sent: false, received: false });
    const juliet = await comes(scene);
    expect(messagesOf(juliet)).toHaveLength(1);
    await juliet.livens();
    expect(await scene.store.messages.waiting(account)).toEqual([]);
    // What waits no longer is written down with the next commit.
    await scene.end(juliet);
    await romeo.sends(message(body("next")));
    const traces = await scene.store.messages.traces(account, 0);
    expect(traces.map(({ stanza }) => /<body>(.*)<.body>/.exec(stanza)?.[1])).toEqual(["next"]);
  });

  test("XEP-0191 §3.3: what somebody sent who has been blocked since waits until that is undone", async () => {
    const blocked = new Set(["romeo@example.org"]);
    const { scene, romeo } = await stage(undefined, blocked);
    await romeo.sends(message(body("one")));
    const paris = await scene.login("paris@example.org/church");
    await paris.sends(message(body("two")));
    const juliet = await comes(scene);
    expect(messagesOf(juliet).join()).toMatch(/^<message from='paris@example.org.church'[^,]*$/);
    expect(messagesOf(await comes(scene, "chamber"))).toEqual([]);
    blocked.clear();
    (await comes(scene, "garden")).receives(delivered(body("one")));
  });

  test("XEP-0203 §2: there is one delay; one that is there already says when it was sent", async () => {
    const { scene, romeo } = await stage();
    const late = `${body("late")}<delay xmlns='urn:xmpp:delay' from='${ROMEO}' stamp='2031-05-01T00:00:00Z'/>`;
    await romeo.sends(message(late));
    (await comes(scene)).receives(`<message from='${ROMEO}' to='${JULIET}' type='chat'>${late}</message>`);
  });

  test("what one may send may be kept: the largest, the deepest, in every script", async () => {
    const { scene, romeo } = await stage();
    const deep = `${"<d>".repeat(60)}${"</d>".repeat(60)}`;
    const large = `${body(`ünïcödé \u{1f339} &lt;${"x".repeat(250_000)}`)}<deep xmlns='urn:example:deep'>${deep}</deep>`;
    await romeo.sends(message(large));
    (await comes(scene)).receives(delivered(large));
  });

  test("XEP-0160 §3: what is of no type to be kept is left to others, however it comes here", async () => {
    const { scene } = await stage();
    const { undelivered } = offline({ messages: scene.store.messages, isBlocked: () => false });
    for (const type of ["groupchat", "headline", "error"] as const) {
      const stanza = buildMessage({ type, to: parseJid(JULIET) }, [element("", "body", {}, ["hello"])]);
      expect(await undelivered?.(stanza, parseJid(JULIET).bare, {} as Context)).toBeUndefined();
    }
  });

  test("XEP-0160 §4: support is advertised", async () => {
    const { scene } = await stage();
    expect(offline({ messages: scene.store.messages, isBlocked: () => false }).features).toEqual(["msgoffline"]);
  });
});
