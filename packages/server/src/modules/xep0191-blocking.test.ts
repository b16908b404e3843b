import { parseJid, type Subscription } from "@kith/protocol";
import { eachFabric, type Open, type Party } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Collection, Store } from "../store/store.ts";
import { createModules } from "./index.ts";
import { blocking, type StoredBlock } from "./xep0191-blocking.ts";
import { ping } from "./xep0199-ping.ts";

const ROMEO = "romeo@example.org/orchard";
const JULIET = "juliet@example.org";
const BALCONY = `${JULIET}/balcony`;
const NS = "urn:xmpp:blocking";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

const items = (jids: readonly string[]) => jids.map((jid) => `<item jid='${jid}'/>`).join("");
const block = (...jids: string[]) => `<iq type='set' id='b'><block xmlns='${NS}'>${items(jids)}</block></iq>`;
const unblock = (...jids: string[]) => `<iq type='set' id='u'><unblock xmlns='${NS}'>${items(jids)}</unblock></iq>`;
const LIST = `<iq type='get' id='l'><blocklist xmlns='${NS}'/></iq>`;
const list = (to: string, ...jids: string[]) =>
  `<iq type='result' to='${to}' id='l'><blocklist xmlns='${NS}'>${items(jids)}</blocklist></iq>`;
const push = (to: string, what: "block" | "unblock", ...jids: string[]) =>
  `<iq type='set' to='${to}' id='*'><${what} xmlns='${NS}'>${items(jids)}</${what}></iq>`;
const done = (id: string, to = BALCONY) => `<iq type='result' to='${to}' id='${id}'/>`;
const refused = (id: string, type: string, condition: string, text = "") =>
  `<iq type='error' to='${BALCONY}' id='${id}'><error type='${type}'><${condition} xmlns='${STANZAS}'/>${text}</error></iq>`;
const TEXT = `<text xmlns='${STANZAS}' xml:lang='en'>*</text>`;
const unavailable = (kind: string, from: string, to: string) =>
  `<${kind} type='error' from='${from}' to='${to}' id='x'><error type='cancel'><service-unavailable xmlns='${STANZAS}'/></error></${kind}>`;
const notAcceptable = (kind: string, from: string) =>
  `<${kind} type='error' from='${from}' to='${BALCONY}' id='x'><error type='cancel'><not-acceptable xmlns='${STANZAS}'/><blocked xmlns='urn:xmpp:blocking:errors'/></error></${kind}>`;
const gone = (from: string, to: string) => `<presence type='unavailable' from='${from}' to='${to}'/>`;

/** Blocks, and takes away what follows. */
const hasBlocked = async (juliet: Party, ...jids: string[]): Promise<void> => {
  await juliet.sends(block(...jids));
  juliet.received();
};

const slowed = (collection: Collection<StoredBlock>): Collection<StoredBlock> => ({
  ...collection,
  all: async (owner) => collection.all(owner),
});

interface Staged {
  readonly roster?: Readonly<Record<string, Subscription>>;
  readonly directed?: Readonly<Record<string, readonly string[]>>;
  readonly limit?: number;
  /** What is stored has to be waited for. */
  readonly slow?: boolean;
}

eachFabric("blocking", (open: Open) => {
  const stage = async ({ roster = {}, directed = {}, limit, slow = false }: Staged = {}) => {
    const contacts = new Map(Object.entries(roster).map(([jid, subscription]) => [jid, { subscription }]));
    const sent = new Map(Object.entries(directed).map(([resource, jids]) => [resource, { directed: jids }]));
    const own = <T>(account: string, map: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
      account === JULIET ? map : new Map();
    const scene = await open({
      modules: (store) => [
        blocking({
          blocklists: slow ? slowed(store.collection("blocklist")) : store.collection("blocklist"),
          contactsOf: (account) => own(account, contacts),
          directedBy: async (account) => own(account, sent),
          ...(limit === undefined ? {} : { limit }),
        }),
        ping(),
      ],
      accounts: ["romeo@example.org", JULIET],
      components: ["rooms.example.net", "example.net"],
    });
    return { scene, juliet: await scene.login(BALCONY), romeo: await scene.login(ROMEO) };
  };
  describe("the list", () => {
    test("XEP-0191 §3.2: is empty at first, then has what was blocked, prepared", async () => {
      const { juliet } = await stage();
      await juliet.sends(LIST);
      await juliet.sends(block("Romeo@Example.org", "rooms.example.net/x", "spam.example"));
      await juliet.sends(LIST);
      const jids = ["romeo@example.org", "rooms.example.net/x", "spam.example"];
      juliet.receives(list(BALCONY), done("b"), push(BALCONY, "block", ...jids), list(BALCONY, ...jids));
    });

    test("XEP-0191 §3.3 to §3.5: changes are pushed to every session that has asked for it, and to no other", async () => {
      const { scene, juliet, romeo } = await stage();
      const chamber = await scene.login(`${JULIET}/chamber`);
      await chamber.sends(LIST);
      await juliet.sends(block("a@example.net", "b@example.net"));
      await juliet.sends(unblock("a@example.net"));
      await juliet.sends(unblock());
      juliet.receives(done("b"), done("u"), done("u"));
      const to = `${JULIET}/chamber`;
      chamber.receives(
        list(to),
        push(to, "block", "a@example.net", "b@example.net"),
        push(to, "unblock", "a@example.net"),
        push(to, "unblock"),
      );
      romeo.receivesNothing();
      await juliet.sends(LIST);
      juliet.receives(list(BALCONY));
    });

    test("XEP-0191 §3.3, §3.4: blocking and unblocking twice is no mistake", async () => {
      const { juliet } = await stage();
      for (const xml of [
        block("a@example.net", "a@example.net"),
        block("a@example.net"),
        LIST,
        unblock("a@example.net"),
        unblock("a@example.net"),
        unblock(),
      ]) {
        await juliet.sends(xml);
      }
      juliet.receives(
        done("b"),
        done("b"),
        list(BALCONY, "a@example.net"),
        done("u"),
        push(BALCONY, "unblock", "a@example.net"),
        done("u"),
        push(BALCONY, "unblock", "a@example.net"),
        done("u"),
        push(BALCONY, "unblock"),
      );
    });

    test.each([
      ["<block xmlns='urn:xmpp:blocking'/>", "modify", "bad-request"],
      ["<block xmlns='urn:xmpp:blocking'><item/></block>", "modify", "bad-request"],
      [
        "<block xmlns='urn:xmpp:blocking'><item jid='a@example.net'/><item jid='@'/></block>",
        "modify",
        "jid-malformed",
      ],
      ["<unblock xmlns='urn:xmpp:blocking'><thing/></unblock>", "modify", "bad-request"],
    ])("XEP-0191 §3.3: %s is refused whole", async (content, type, condition) => {
      const { juliet } = await stage();
      await hasBlocked(juliet, "b@example.net");
      await juliet.sends(`<iq type='set' id='r'>${content}</iq>`);
      const [answer = ""] = juliet.received();
      expect(answer).toContain(`<${condition} `);
      expect(answer).toContain(`type='${type}'`);
      await juliet.sends(LIST);
      juliet.receives(list(BALCONY, "b@example.net"));
    });

    test("so many addresses and no more, whatever is sent at once", async () => {
      const { juliet } = await stage({ limit: 2 });
      await hasBlocked(juliet, "a@example.net");
      await juliet.sends(block(...Array.from({ length: 10_000 }, (_, at) => `n${at}@e.net`)));
      await juliet.sends(block("b@example.net", "c@example.net"));
      await juliet.sends(block("a@example.net", "b@example.net"));
      await juliet.sends(unblock(...Array.from({ length: 10_000 }, (_, at) => `n${at}@e.net`)));
      await juliet.sends(LIST);
      const tooMany = refused("b", "modify", "policy-violation", TEXT);
      juliet.receives(tooMany, tooMany, done("b"), done("u"), list(BALCONY, "a@example.net", "b@example.net"));
    });

    test.each(["romeo@example.org", "nobody@example.org", "example.org"])(
      "somebody else's cannot be seen (%s)",
      async (to) => {
        const { juliet } = await stage();
        await juliet.sends(LIST.replace("<iq", `<iq to='${to}'`));
        juliet.receives(refused("l", "cancel", "service-unavailable").replace("<iq", `<iq from='${to}'`));
      },
    );
  });

  describe("from a blocked address", () => {
    test("XEP-0191 §3.3: messages are answered as by an account that is offline", async () => {
      const { juliet, romeo } = await stage();
      await juliet.sends("<presence/>");
      await hasBlocked(juliet, "romeo@example.org");
      for (const type of ["chat", "normal", "headline"]) {
        for (const to of [JULIET, BALCONY]) {
          await romeo.sends(`<message type='${type}' to='${to}' id='x'><body>o</body></message>`);
          romeo.receives(unavailable("message", to, ROMEO));
        }
      }
      juliet.receivesNothing();
    });

    test("RFC 6120 §8.3.1, XEP-0045 §11.1: errors and room messages are dropped silently", async () => {
      const { juliet, romeo } = await stage();
      await hasBlocked(juliet, "romeo@example.org");
      for (const type of ["error", "groupchat"])
        await romeo.sends(`<message type='${type}' to='${BALCONY}' id='x'><body>o</body></message>`);
      romeo.receivesNothing();
      juliet.receivesNothing();
    });

    test("XEP-0191 §3.3: presence of every type is dropped silently", async () => {
      const { juliet, romeo } = await stage();
      await juliet.sends("<presence/>");
      await hasBlocked(juliet, "romeo@example.org");
      for (const type of [
        "",
        "unavailable",
        "subscribe",
        "subscribed",
        "unsubscribe",
        "unsubscribed",
        "probe",
        "error",
      ]) {
        await romeo.sends(`<presence ${type === "" ? "" : `type='${type}'`} to='${JULIET}' id='x'/>`);
        await romeo.sends(`<presence ${type === "" ? "" : `type='${type}'`} to='${BALCONY}' id='x'/>`);
      }
      romeo.receivesNothing();
      juliet.receivesNothing();
    });

    test("XEP-0191 §3.3: requests are answered service-unavailable, results and errors dropped", async () => {
      const { juliet, romeo } = await stage();
      await hasBlocked(juliet, "romeo@example.org");
      for (const type of ["get", "set"]) {
        for (const to of [JULIET, BALCONY, `${JULIET}/nowhere`]) {
          await romeo.sends(`<iq type='${type}' to='${to}' id='x'><ping xmlns='urn:xmpp:ping'/></iq>`);
          romeo.receives(unavailable("iq", to, ROMEO));
        }
      }
      for (const type of ["result", "error"]) await romeo.sends(`<iq type='${type}' to='${BALCONY}' id='x'/>`);
      romeo.receivesNothing();
      juliet.receivesNothing();
    });
  });

  describe("XEP-0191 §6: matching", () => {
    test.each([
      ["romeo@example.net/orchard", "romeo@example.net/orchard", true],
      ["romeo@example.net/orchard", "romeo@example.net/Orchard", false],
      ["romeo@example.net/orchard", "romeo@example.net", false],
      ["romeo@example.net", "romeo@example.net/orchard", true],
      ["romeo@example.net", "romeo@example.net", true],
      ["romeo@example.net", "paris@example.net/orchard", false],
      ["romeo@example.net", "example.net", false],
      ["example.net/orchard", "example.net/orchard", true],
      ["example.net/orchard", "example.net", false],
      ["example.net/orchard", "romeo@example.net/orchard", false],
      ["example.net", "example.net", true],
      ["example.net", "example.net/orchard", true],
      ["example.net", "romeo@example.net", true],
      ["example.net", "romeo@example.net/orchard", true],
      ["example.net", "verona@rooms.example.net/romeo", false],
      ["net", "romeo@example.net", false],
      ["verona@rooms.example.net/romeo", "verona@rooms.example.net/romeo", true],
      ["verona@rooms.example.net/romeo", "verona@rooms.example.net/paris", false],
      ["verona@rooms.example.net", "verona@rooms.example.net/paris", true],
    ])("%s covers %s: %s", async (blocked, from, covers) => {
      const { scene, juliet } = await stage();
      const outside = scene.component(parseJid(from).domain);
      await hasBlocked(juliet, blocked);
      await outside.sends(`<message from='${from}' to='${BALCONY}' id='x'><body>o</body></message>`);
      await juliet.sends(`<message to='${from}' id='x'><body>o</body></message>`);
      if (covers) {
        outside.receives(unavailable("message", BALCONY, from));
        juliet.receives(notAcceptable("message", from));
      } else {
        outside.receives(`<message from='${BALCONY}' to='${from}' id='x'><body>o</body></message>`);
        juliet.receives(`<message from='${from}' to='${BALCONY}' id='x'><body>o</body></message>`);
      }
    });
  });

  describe("to a blocked address", () => {
    test.each([
      ...["chat", "normal", "headline", "groupchat"].map((type) => ["message", `type='${type}'`, "<body>o</body>"]),
      ...["get", "set"].map((type) => ["iq", `type='${type}'`, "<ping xmlns='urn:xmpp:ping'/>"]),
      ["presence", "", ""],
      ...["unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed"].map((type) => [
        "presence",
        `type='${type}'`,
        "",
      ]),
    ])("XEP-0191 §3.3: <%s %s/> is refused, and it is said why", async (kind = "", type, content) => {
      const { juliet, romeo } = await stage();
      await hasBlocked(juliet, "romeo@example.org");
      for (const to of ["romeo@example.org", ROMEO]) {
        await juliet.sends(`<${kind} ${type} to='${to}' id='x'>${content}</${kind}>`);
        juliet.receives(notAcceptable(kind, to));
      }
      romeo.receivesNothing();
    });

    test("RFC 6120 §8.3.1: results and errors go nowhere, and are not answered", async () => {
      const { juliet, romeo } = await stage();
      await hasBlocked(juliet, "romeo@example.org");
      for (const xml of [
        `<iq type='result' to='${ROMEO}' id='x'/>`,
        `<iq type='error' to='${ROMEO}' id='x'/>`,
        `<message type='error' to='${ROMEO}'/>`,
      ]) {
        await juliet.sends(xml);
      }
      juliet.receivesNothing();
      romeo.receivesNothing();
    });

    test("XEP-0191 §3.3: the server asks before it sends by itself", async () => {
      const { scene, juliet } = await stage();
      await hasBlocked(juliet, "romeo@example.org");
      const module = blocking({
        blocklists: scene.store.collection<StoredBlock>("blocklist"),
        contactsOf: () => new Map(),
        directedBy: () => new Map(),
      });
      expect(await module.isBlocked(parseJid(JULIET).bare, parseJid(ROMEO))).toBe(true);
      expect(await module.isBlocked(parseJid(JULIET).bare, parseJid("paris@example.org"))).toBe(false);
      expect(await module.isBlocked(parseJid(ROMEO).bare, parseJid(JULIET))).toBe(false);
    });
  });

  test("XEP-0191 §5: an account blocks neither itself nor its server, even if it tries", async () => {
    const { scene, juliet, romeo } = await stage();
    const chamber = await scene.login(`${JULIET}/chamber`);
    await hasBlocked(juliet, JULIET, `${JULIET}/chamber`, "example.org");
    await juliet.sends(`<message to='${JULIET}/chamber'><body>note</body></message>`);
    chamber.receives(`<message from='${BALCONY}' to='${JULIET}/chamber'><body>note</body></message>`);
    await juliet.sends("<iq type='get' to='example.org' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
    juliet.receives(`<iq type='result' from='example.org' to='${BALCONY}' id='p'/>`);
    await romeo.sends(`<message to='${BALCONY}' id='x'><body>o</body></message>`);
    romeo.receives(unavailable("message", BALCONY, ROMEO));
  });

  test("XEP-0191 §3.3, §3.4: it makes no difference where the list has to be waited for", async () => {
    const { juliet, romeo } = await stage({ slow: true });
    await romeo.sends(`<message to='${BALCONY}' id='x'><body>o</body></message>`);
    await juliet.sends(block("romeo@example.org"));
    await romeo.sends(`<message to='${BALCONY}' id='x'><body>o</body></message>`);
    await juliet.sends(`<message to='${ROMEO}' id='x'><body>o</body></message>`);
    romeo.receives(unavailable("message", BALCONY, ROMEO));
    juliet.receives(
      `<message from='${ROMEO}' to='${BALCONY}' id='x'><body>o</body></message>`,
      done("b"),
      notAcceptable("message", ROMEO),
    );
  });

  describe("presence", () => {
    const ROSTER = {
      "romeo@example.org": "both",
      "nurse@example.net": "from",
      "paris@example.net": "to",
      "tybalt@example.net": "none",
    } as const satisfies Record<string, Subscription>;
    const online = async (staged: Staged) => {
      const { scene, juliet, romeo } = await stage(staged);
      const chamber = await scene.online(`${JULIET}/chamber`, "<presence id='c'><show>away</show></presence>");
      await juliet.sends("<presence id='b'><priority>1</priority></presence>");
      await romeo.sends("<presence/>");
      for (const party of [juliet, chamber, romeo]) party.received();
      return { scene, juliet, chamber, romeo, outside: scene.component("example.net") };
    };

    test("XEP-0191 §3.3: whoever could see the account is told that every resource has gone", async () => {
      const { juliet, chamber, romeo, outside } = await online({ roster: ROSTER });
      await juliet.sends(block("romeo@example.org", "tybalt@example.net"));
      romeo.receivesInAnyOrder(gone(BALCONY, "romeo@example.org"), gone(`${JULIET}/chamber`, "romeo@example.org"));
      juliet.receives(done("b"), gone("romeo@example.org", BALCONY));
      chamber.receives(gone("romeo@example.org", `${JULIET}/chamber`));
      outside.receivesNothing();
      await juliet.sends(block("romeo@example.org"));
      romeo.receivesNothing();
      juliet.receives(done("b"));
    });

    test("XEP-0191 §3.3, XEP-0016 §2.10: a domain covers all its contacts", async () => {
      const { juliet, chamber, romeo, outside } = await online({ roster: ROSTER });
      await juliet.sends(block("example.net"));
      outside.receivesInAnyOrder(gone(BALCONY, "nurse@example.net"), gone(`${JULIET}/chamber`, "nurse@example.net"));
      juliet.receives(done("b"), gone("paris@example.net", BALCONY));
      chamber.receives(gone("paris@example.net", `${JULIET}/chamber`));
      romeo.receivesNothing();
    });

    test("XEP-0191 §3.3: where one resource of a contact is blocked, that one is told", async () => {
      const { juliet, outside } = await online({ roster: { ...ROSTER, "nurse@example.net": "both" } });
      await juliet.sends(block("nurse@example.net/kitchen", "stranger@example.net/x"));
      outside.receivesInAnyOrder(
        gone(BALCONY, "nurse@example.net/kitchen"),
        gone(`${JULIET}/chamber`, "nurse@example.net/kitchen"),
      );
      juliet.receives(done("b"), gone("nurse@example.net/kitchen", BALCONY));
    });

    test("XEP-0191 §3.3: where the contact as a whole is blocked as well, it is told once", async () => {
      const { juliet, outside } = await online({ roster: { "nurse@example.net": "both" } });
      await juliet.sends(block("nurse@example.net/kitchen", "nurse@example.net"));
      outside.receivesInAnyOrder(gone(BALCONY, "nurse@example.net"), gone(`${JULIET}/chamber`, "nurse@example.net"));
      juliet.receives(done("b"), gone("nurse@example.net", BALCONY));
    });

    test("RFC 6121 §4.6: whoever was sent directed presence is told by the resource that sent it", async () => {
      const { juliet, outside } = await online({
        directed: { balcony: ["verona@rooms.example.net/j", "friar@example.net"], chamber: ["friar@example.net/cell"] },
      });
      await juliet.sends(block("friar@example.net"));
      outside.receivesInAnyOrder(
        gone(BALCONY, "friar@example.net"),
        gone(`${JULIET}/chamber`, "friar@example.net/cell"),
      );
    });

    test("XEP-0191 §3.4: whoever may see the account is sent its presence, and whom it may see is asked for theirs", async () => {
      const { juliet, romeo, outside } = await online({ roster: ROSTER });
      await hasBlocked(juliet, "romeo@example.org", "nurse@example.net", "paris@example.net", "tybalt@example.net");
      romeo.received();
      outside.received();
      await juliet.sends(unblock("romeo@example.org", "nurse@example.net", "paris@example.net", "tybalt@example.net"));
      const [balcony, chamber] = ["id='b'><priority>1</priority></presence>", "id='c'><show>away</show></presence>"];
      romeo.receivesInAnyOrder(
        `<presence from='${BALCONY}' to='romeo@example.org' ${balcony}`,
        `<presence from='${JULIET}/chamber' to='romeo@example.org' ${chamber}`,
        `<presence type='probe' from='${JULIET}' to='romeo@example.org'/>`,
      );
      outside.receivesInAnyOrder(
        `<presence from='${BALCONY}' to='nurse@example.net' ${balcony}`,
        `<presence from='${JULIET}/chamber' to='nurse@example.net' ${chamber}`,
        `<presence type='probe' from='${JULIET}' to='paris@example.net'/>`,
      );
      juliet.receives(done("u"));
    });

    test("XEP-0191 §3.5: unblocking everybody concerns everybody; what is still covered stays hidden", async () => {
      const { juliet, romeo, outside } = await online({ roster: ROSTER });
      await hasBlocked(juliet, "romeo@example.org", "example.net", "nurse@example.net");
      romeo.received();
      outside.received();
      await juliet.sends(unblock("nurse@example.net"));
      outside.receivesNothing();
      await juliet.sends(unblock());
      expect(romeo.received()).toHaveLength(3);
      expect(outside.received()).toHaveLength(3);
    });

    test("XEP-0191 §3.3, §3.4: an account that is offline tells nobody anything", async () => {
      const { juliet, romeo } = await stage({ roster: ROSTER });
      await romeo.sends("<presence/>");
      romeo.received();
      await juliet.sends(block("romeo@example.org"));
      await juliet.sends(unblock());
      juliet.receives(done("b"), done("u"));
      romeo.receivesNothing();
    });
  });

  test("XEP-0191 §3.4, §3.5: once unblocked, everything passes again", async () => {
    const { juliet, romeo } = await stage();
    for (const undo of [unblock("romeo@example.org"), unblock()]) {
      await hasBlocked(juliet, "romeo@example.org");
      await juliet.sends(undo);
      juliet.receives(done("u"));
      await romeo.sends(`<message to='${BALCONY}'><body>o</body></message>`);
      await juliet.sends(`<message to='${ROMEO}'><body>o</body></message>`);
      juliet.receives(`<message from='${ROMEO}' to='${BALCONY}'><body>o</body></message>`);
      romeo.receives(`<message from='${BALCONY}' to='${ROMEO}'><body>o</body></message>`);
    }
  });
});

const MANY = 1000;
const everything = (store: Store) =>
  createModules({
    store,
    software: { name: "Verona", version: "1.0" },
    softwareUri: "https://verona.example",
    sha1: () => "",
    stanzaIds: { idOf: () => "", rowOf: () => undefined },
    fingerprint: (bytes) => bytes,
    recogniseFor: 0,
    archive: undefined,
    push: { services: undefined, browsers: undefined },
    limits: {
      offlineMessages: MANY,
      rosterItems: MANY,
      rosterGroups: MANY,
      recipientsPerMinute: undefined,
      rosterCharacters: 1_000_000,
      offlineBytes: 2_097_152,
      subscriptionRequestBytes: 524_288,
      directedPresenceCharacters: 32_768,
      subscriptionRequests: MANY,
      blockedAddresses: MANY,
      vcardBytes: MANY,
      privateBytes: MANY,
      privateNames: MANY,
    },
    streamLimits: { visitor: {}, authenticated: {} },
    contactAddresses: () => ({}),
    items: () => [],
  });

eachFabric("blocking among all modules", (open: Open) => {
  /** Romeo and Juliet see each other's presence; both are there. */
  const stage = async () => {
    const scene = await open({ modules: everything, accounts: ["romeo@example.org", JULIET] });
    const [juliet, romeo] = [await scene.online(BALCONY), await scene.online(ROMEO)];
    await juliet.sends("<presence type='subscribe' to='romeo@example.org'/>");
    await romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`);
    await romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`);
    await juliet.sends("<presence type='subscribed' to='romeo@example.org'/>");
    juliet.received();
    romeo.received();
    return { scene, juliet, romeo };
  };

  test("XEP-0191 §3.3, §3.4: the two vanish for each other, and come back", async () => {
    const { juliet, romeo } = await stage();
    await juliet.sends(block("romeo@example.org"));
    juliet.receives(done("b"), gone("romeo@example.org", BALCONY));
    romeo.receives(gone(BALCONY, "romeo@example.org"));

    await juliet.sends("<presence id='now'><show>dnd</show></presence>");
    await romeo.sends("<presence><show>away</show></presence>");
    romeo.receives(`<presence from='${ROMEO}' to='${ROMEO}'><show>away</show></presence>`);
    juliet.receives(`<presence id='now' from='${BALCONY}' to='${BALCONY}'><show>dnd</show></presence>`);

    await juliet.sends(unblock());
    juliet.receives(done("u"), `<presence from='${ROMEO}' to='${JULIET}'><show>away</show></presence>`);
    romeo.receives(`<presence id='now' from='${BALCONY}' to='romeo@example.org'><show>dnd</show></presence>`);
  });

  test("XEP-0191 §3.3: logging out and in again tells a blocked contact nothing, nor does a probe", async () => {
    const { scene, juliet, romeo } = await stage();
    await hasBlocked(juliet, "romeo@example.org");
    romeo.received();
    await scene.end(juliet);
    const again = await scene.online(BALCONY);
    romeo.receivesNothing();
    await romeo.sends("<presence type='unavailable'/>");
    await romeo.sends("<presence/>");
    expect(romeo.received().join()).not.toContain(JULIET);
    again.receivesNothing();
  });

  test("XEP-0191 §3.3: directed presence is taken back", async () => {
    const { scene, juliet } = await stage();
    const paris = await scene.online("paris@example.org/church");
    await juliet.sends("<presence to='paris@example.org/church'/>");
    paris.receives(`<presence from='${BALCONY}' to='paris@example.org/church'/>`);
    await juliet.sends(block("paris@example.org"));
    paris.receives(gone(BALCONY, "paris@example.org/church"));
    await scene.end(juliet);
    paris.receivesNothing();
  });

  test("XEP-0191 §3.1: support is advertised", async () => {
    const { juliet } = await stage();
    await juliet.sends(
      "<iq type='get' to='example.org' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    );
    expect(juliet.received().join()).toContain(`<feature var='${NS}'/>`);
  });
});
