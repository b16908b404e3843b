import { childOf, childrenOf, type Element, element, NS_MODERATION, textOf } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { noteMoment } from "./room-messages.ts";
import { client, MUC, ROOM, RoomScene, USER, X } from "./test-room.ts";

const say = (words: string, more = ""): string =>
  `<message to='${ROOM}' type='groupchat' id='m1'><body>${words}</body>${more}</message>`;
const about = (subject: string, more = ""): string =>
  `<message to='${ROOM}' type='groupchat' id='s1'><subject>${subject}</subject>${more}</message>`;
const whisper = (nick: string, words: string, type = "chat"): string =>
  `<message to='${ROOM}/${nick}' type='${type}' id='p1'><body>${words}</body></message>`;
const names = (stanza: Element | undefined) =>
  stanza?.children.map((child) => (typeof child === "string" ? child : child.name));

/** Ola owns, Mo moderates, Bo and Vi are nothing; in a moderated room Vi and Bo are visitors. */
const withPeople = (configuration = {}) => {
  const scene = new RoomScene({ configuration });
  scene.enters("ola", "Ola");
  scene.enters("bo", "Bo");
  scene.enters("vi", "Vi");
  return scene;
};

describe("XEP-0045 §7.4: a message to everybody", () => {
  test("goes to everybody from the occupant, with its id, and is kept with who said it", () => {
    const scene = withPeople();
    scene.sends("bo", say("hello", "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"));
    for (const name of ["ola", "bo", "vi"]) {
      const [told] = scene.stanzasFor(name);
      expect(told?.attributes).toEqual({ from: `${ROOM}/Bo`, to: client(name).full, type: "groupchat", id: "m1" });
      expect(names(told)).toEqual(["body", "origin-id", "occupant-id"]);
    }
    expect(scene.said).toMatchObject([{ stamp: scene.now, sender: client("bo"), isArchived: true }]);
  });

  test("without an id it is given one, the same for all", () => {
    const scene = withPeople();
    scene.sends("bo", `<message to='${ROOM}' type='groupchat'><body>hello</body></message>`);
    const given = ["ola", "bo", "vi"].map((name) => scene.stanzasFor(name)[0]?.attributes.id);
    expect(new Set(given).size).toBe(1);
    expect(given[0]).toMatch(/^new-/);
  });

  test("§17.3, XEP-0421 §5, XEP-0359 §3: what only the room may say is taken out", () => {
    const scene = withPeople();
    const forged =
      `<x ${USER}><status code='101'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-ola'/><stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='1'/>` +
      `<delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='1970-01-01T00:00:00Z'/><stanza-id xmlns='urn:xmpp:sid:0' by='other.example' id='1'/>` +
      `<delay xmlns='urn:xmpp:delay' from='bo@host.example/pad' stamp='1970-01-01T00:00:00Z'/><delay xmlns='urn:xmpp:delay' stamp='1970-01-01T00:00:00Z'/>`;
    scene.sends("bo", say("hello", forged));
    const [told] = scene.stanzasFor("vi");
    expect(names(told)).toEqual(["body", "stanza-id", "delay", "delay", "occupant-id"]);
    expect(
      childrenOf(told as Element, "occupant-id", "urn:xmpp:occupant-id:0").map(({ attributes }) => attributes.id),
    ).toEqual(["id-bo"]);
  });

  test("§17.2: chat states and the like go to everybody, visitors too, and are not kept", () => {
    const scene = withPeople({ isModerated: true });
    scene.sends(
      "ola",
      `<message to='${ROOM}' type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    expect(names(scene.stanzasFor("vi")[0])).toEqual(["composing", "occupant-id"]);
    expect(scene.room.history.entries).toEqual([]);
    expect(scene.said[0]?.isArchived).toBe(false);
  });

  test.each([
    ["<no-store xmlns='urn:xmpp:hints'/>", false],
    ["<no-permanent-store xmlns='urn:xmpp:hints'/>", false],
    ["<store xmlns='urn:xmpp:hints'/>", true],
    ["<retract xmlns='urn:xmpp:message-retract:1' id='x'/>", true],
    ["<reactions xmlns='urn:xmpp:reactions:0' id='x'/>", true],
  ])("XEP-0334 §4, XEP-0313 §6.1.2: %s", (hint, isArchived) => {
    const scene = withPeople();
    scene.sends("bo", say("hello", hint));
    scene.sends("bo", `<message to='${ROOM}' type='groupchat'>${hint}</message>`);
    expect(scene.said.map((entry) => entry.isArchived)).toEqual([isArchived, isArchived]);
  });

  test("forbidden for a visitor of a moderated room, chat states included", () => {
    const scene = withPeople({ isModerated: true });
    expect(scene.refusal("vi", say("hello"))).toBe("forbidden");
    expect(
      scene.refusal(
        "vi",
        `<message to='${ROOM}' type='groupchat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>`,
      ),
    ).toBe("forbidden");
    scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Vi' role='participant'/></query>`);
    expect(scene.refusal("vi", say("hello"))).toBe("none");
  });

  test("table 3: a visitor speaks in a room that is moderated no longer, but not one who was silenced", () => {
    const scene = withPeople({ isModerated: true });
    scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Bo' role='visitor'/></query>`);
    scene.carryOut(scene.room.configure({ isModerated: false }));
    expect(scene.refusal("vi", say("hello"))).toBe("none");
    expect(scene.refusal("bo", say("hello"))).toBe("forbidden");
  });

  test("not-acceptable for whoever is not in the room, with whatever client", () => {
    const scene = withPeople();
    expect(scene.refusal("cy", say("hello"))).toBe("not-acceptable");
    expect(scene.refusal("bo/phone", say("hello"))).toBe("not-acceptable");
  });

  test("§17.2: item-not-found while the room is not open", () => {
    const scene = new RoomScene({ locked: true });
    scene.enters("ola", "Ola");
    expect(scene.refusal("ola", say("hello"))).toBe("item-not-found");
    expect(scene.refusal("bo", say("hello"))).toBe("item-not-found");
  });

  test.each(["normal", "chat", "headline"])("§17.2: bad-request for one of type %s", (type) => {
    expect(withPeople().refusal("bo", `<message to='${ROOM}' type='${type}'><body>hello</body></message>`)).toBe(
      "bad-request",
    );
  });

  test("history is bounded in number and in bytes", () => {
    const scene = new RoomScene({ limits: { history: 3, historyBytes: 1_000 } });
    scene.enters("ola", "Ola");
    for (const words of ["one", "two", "three", "four"]) scene.sends("ola", say(words));
    expect(scene.room.history.entries).toHaveLength(3);
    scene.sends("ola", say("x".repeat(800)));
    expect(scene.room.history.entries.length).toBeLessThan(3);
    scene.sends("ola", say("x".repeat(2_000)));
    expect(scene.room.history.entries).toHaveLength(0);
    scene.sends("ola", say("five"));
    expect(scene.room.history.entries).toHaveLength(1);
  });

  test("XEP-0424, XEP-0425: what has been taken back is history no longer", () => {
    const scene = withPeople();
    for (const words of ["one", "two", "three"]) scene.sends("bo", say(words));
    scene.room.history.retract("sid-1");
    scene.room.history.retract("sid-2", element(NS_MODERATION, "moderated"));
    scene.room.history.retract("sid-9");
    scene.quiet();
    scene.sends("cy", `<presence to='${ROOM}/Cy'>${X}</presence>`);
    const told = scene.stanzasFor("cy").filter(({ attributes }) => attributes.id === "m1");
    expect(told.map(names)).toEqual([
      ["moderated", "stanza-id", "delay"],
      ["body", "occupant-id", "stanza-id", "delay"],
    ]);
  });
});

describe("XEP-0500: slow mode", () => {
  const slow = () => {
    const scene = withPeople({ slowMode: 20 });
    scene.affiliates({ ada: "admin" });
    scene.enters("ada", "Ada");
    scene.sends("bo", say("one"));
    return scene;
  };
  test("§5: policy-violation (wait) until the time is over", () => {
    const scene = slow();
    scene.now += 19_999;
    expect(scene.refusal("bo", say("two"))).toBe("policy-violation/wait");
    scene.now += 1;
    expect(scene.refusal("bo", say("two"))).toBe("none");
    expect(scene.refusal("bo", say("three"))).toBe("policy-violation/wait");
  });
  test("§7: whatever client and nickname, also after coming back", () => {
    const scene = slow();
    scene.enters("bo/phone", "Bob");
    expect(scene.refusal("bo/phone", say("two"))).toBe("policy-violation/wait");
    scene.sends("bo", `<presence to='${ROOM}/Bo' type='unavailable'/>`);
    scene.enters("bo", "Bo");
    expect(scene.refusal("bo", say("two"))).toBe("policy-violation/wait");
  });
  test("§5: not for admins and owners, others, nor messages without a body", () => {
    const scene = slow();
    for (const name of ["ola", "ada"]) {
      expect(scene.refusal(name, say("one"))).toBe("none");
      expect(scene.refusal(name, say("two"))).toBe("none");
    }
    expect(scene.refusal("vi", say("one"))).toBe("none");
    expect(
      scene.refusal(
        "bo",
        `<message to='${ROOM}' type='groupchat'><paused xmlns='http://jabber.org/protocol/chatstates'/></message>`,
      ),
    ).toBe("none");
  });
});

test("XEP-0500 §5: moments that no longer matter are forgotten", () => {
  const moments = new Map([
    ["a", 0],
    ["b", 900],
  ]);
  noteMoment(moments, "c", 1_000, 1_000);
  expect([...moments]).toEqual([
    ["b", 900],
    ["c", 1_000],
  ]);
  noteMoment(moments, "b", 1_100, 1_000);
  expect([...moments.keys()]).toEqual(["c", "b"]);
});

describe("XEP-0045 §8.1: the subject", () => {
  test("is changed by a moderator, told to everybody, archived, and no history", () => {
    const scene = withPeople();
    scene.sends("ola", about("Tea"));
    expect(scene.hears("bo")).toEqual(["groupchat Ola about Tea"]);
    expect(scene.hears("ola")).toEqual(["groupchat Ola about Tea"]);
    expect(scene.room.subject).toMatchObject({ from: `${ROOM}/Ola`, stamp: scene.now });
    expect(scene.said[0]?.isArchived).toBe(true);
    expect(scene.room.history.entries).toEqual([]);
    expect(scene.room.info().forms[0]?.fields.find(({ var: name }) => name === "muc#roominfo_subject")?.values).toEqual(
      ["Tea"],
    );
  });

  test("forbidden for participants, until the configuration says otherwise; for visitors always", () => {
    const scene = withPeople();
    expect(scene.refusal("bo", about("Tea"))).toBe("forbidden");
    scene.carryOut(scene.room.configure({ changeSubject: true }));
    expect(scene.refusal("bo", about("Tea"))).toBe("none");
    scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Vi' role='visitor'/></query>`);
    expect(scene.refusal("vi", about("Tea"))).toBe("forbidden");
  });

  test("is taken away by an empty one", () => {
    const scene = withPeople();
    scene.sends("ola", about("Tea"));
    scene.sends("ola", about(""));
    expect(scene.hears("bo").at(-1)).toBe("groupchat Ola about ");
    expect(scene.room.info().forms[0]?.fields.some(({ var: name }) => name === "muc#roominfo_subject")).toBe(false);
  });

  test.each(["<body>x</body>", "<thread>t</thread>"])("a message with %s changes none", (more) => {
    const scene = withPeople();
    expect(scene.refusal("bo", about("Tea", more))).toBe("none");
    expect(scene.room.subject).toBeUndefined();
    expect(scene.hears("ola")).toHaveLength(1);
  });
});

describe("XEP-0045 §7.5: private messages", () => {
  test("go to all clients of one occupant, from the sender's occupant address, with <x/>", () => {
    const scene = withPeople();
    scene.enters("bo/phone", "Bo");
    scene.sends("vi", whisper("Bo", "psst"));
    for (const name of ["bo", "bo/phone"]) {
      const [told] = scene.stanzasFor(name);
      expect(told?.attributes).toEqual({ from: `${ROOM}/Vi`, to: client(name).full, type: "chat", id: "p1" });
      expect(names(told)).toEqual(["body", "occupant-id", "x"]);
    }
    expect(scene.unheard).toEqual([]);
    expect(scene.said).toEqual([]);
  });

  test("an <x/> that says more than that is emptied", () => {
    const scene = withPeople();
    scene.sends(
      "vi",
      `<message to='${ROOM}/Bo' type='chat'><x ${USER}><invite from='ola@host.example'/></x><body>psst</body></message>`,
    );
    const [told] = scene.stanzasFor("bo");
    expect(childOf(told as Element, "x", `${MUC}#user`)?.children).toEqual([]);
    expect(names(told)).toEqual(["body", "occupant-id", "x"]);
  });

  test("bad-request for one of type groupchat", () => {
    expect(withPeople().refusal("vi", whisper("Bo", "psst", "groupchat"))).toBe("bad-request");
  });

  test.each(["Zed", "bo", "BO"])("item-not-found where nobody is called %s", (nick) => {
    expect(withPeople().refusal("vi", whisper(nick, "psst"))).toBe("item-not-found");
  });

  test("not-acceptable for whoever is not in the room", () => {
    expect(withPeople().refusal("cy", whisper("Bo", "psst"))).toBe("not-acceptable");
  });

  test.each([
    ["anyone", "none", "none", "none"],
    ["participants", "none", "none", "forbidden"],
    ["moderators", "none", "forbidden", "forbidden"],
    ["none", "forbidden", "forbidden", "forbidden"],
  ] as const)(
    "by configuration %s: moderator %s, participant %s, visitor %s",
    (privateMessages, moderator, participant, visitor) => {
      const scene = withPeople({ privateMessages });
      scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Vi' role='visitor'/></query>`);
      expect(scene.refusal("ola", whisper("Bo", "psst"))).toBe(moderator);
      expect(scene.refusal("bo", whisper("Ola", "psst"))).toBe(participant);
      expect(scene.refusal("vi", whisper("Bo", "psst"))).toBe(visitor);
    },
  );

  test("that it could not be read comes back to whoever wrote it", () => {
    const scene = withPeople();
    scene.sends(
      "bo",
      `<message to='${ROOM}/Vi' type='error' id='p1'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    );
    expect(scene.stanzasFor("vi")[0]?.attributes).toMatchObject({ from: `${ROOM}/Bo`, type: "error", id: "p1" });
    scene.sends(
      "bo",
      `<message to='${ROOM}/Zed' type='error'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    );
    expect(scene.unheard).toEqual([]);
  });
});

describe("XEP-0045 §17.4, §6.6: IQs between occupants", () => {
  const iq = (to: string, inside: string, type = "get", id = "q1"): string =>
    `<iq to='${ROOM}/${to}' type='${type}' id='${id}'>${inside}</iq>`;
  const VERSION = "<query xmlns='jabber:iq:version'/>";

  test("a request goes to the leading client, its answer back, and neither sees the other's address", () => {
    const scene = withPeople();
    scene.enters("bo/phone", "Bo", `${X}<priority>-1</priority>`);
    scene.sends("vi", iq("Bo", VERSION));
    const [asked] = scene.stanzasFor("bo");
    expect(asked?.attributes).toMatchObject({ from: `${ROOM}/Vi`, type: "get" });
    scene.sends(
      "bo",
      iq("Vi", "<query xmlns='jabber:iq:version'><name>Pad</name></query>", "result", asked?.attributes.id),
    );
    const [answer] = scene.stanzasFor("vi");
    expect(answer?.attributes).toEqual({ from: `${ROOM}/Bo`, to: client("vi").full, type: "result", id: "q1" });
    expect(textOf(childOf(answer?.children[0] as Element, "name"))).toBe("Pad");
    // Answered once.
    scene.sends("bo", iq("Vi", "", "result", asked?.attributes.id));
    expect(scene.unheard).toEqual([]);
  });

  test("a set and an error likewise", () => {
    const scene = withPeople();
    scene.sends("vi", iq("Bo", VERSION, "set"));
    const [asked] = scene.stanzasFor("bo");
    expect(asked?.attributes.type).toBe("set");
    scene.sends(
      "bo",
      iq(
        "Vi",
        "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        "error",
        asked?.attributes.id,
      ),
    );
    expect(scene.stanzasFor("vi")[0]?.attributes).toMatchObject({ type: "error", id: "q1" });
    expect(scene.room.occupantCount).toBe(3);
  });

  test.each(["vcard-temp", "http://jabber.org/protocol/pubsub"])(
    "what is kept for an account (%s) is asked of the account",
    (ns) => {
      const scene = withPeople();
      scene.sends("vi", iq("Bo", `<q xmlns='${ns}'/>`));
      expect(scene.stanzasFor("bo@host.example")).toHaveLength(1);
    },
  );

  test("an answer by somebody who was not asked, or to somebody who has left, is dropped", () => {
    const scene = withPeople();
    scene.sends("vi", iq("Bo", VERSION));
    const id = scene.stanzasFor("bo")[0]?.attributes.id ?? "";
    scene.sends("ola", iq("Vi", "", "result", id));
    scene.sends("ola", iq("Vi", "", "result", "other"));
    expect(scene.unheard).toEqual([]);
    scene.sends("vi", `<presence to='${ROOM}/Vi' type='unavailable'/>`);
    scene.quiet();
    scene.sends("bo", iq("Vi", "", "result", id));
    expect(scene.unheard).toEqual([]);
  });

  test("of requests that are never answered the oldest are forgotten", () => {
    const scene = new RoomScene({ limits: { requests: 2 } });
    scene.enters("ola", "Ola");
    scene.enters("bo", "Bo");
    for (const id of ["a", "b", "c"]) scene.sends("ola", iq("Bo", VERSION, "get", id));
    const asked = scene.stanzasFor("bo").map(({ attributes }) => attributes.id ?? "");
    for (const id of asked) scene.sends("bo", iq("Ola", "", "result", id));
    expect(scene.hears("ola")).toEqual(["result b", "result c"]);
  });

  test("§6.6: bad-request for disco by whoever is not in the room, not-acceptable for anything else", () => {
    const scene = withPeople();
    expect(scene.refusal("cy", iq("Bo", "<query xmlns='http://jabber.org/protocol/disco#info'/>"))).toBe("bad-request");
    expect(scene.refusal("cy", iq("Bo", "<query xmlns='http://jabber.org/protocol/disco#items'/>"))).toBe(
      "bad-request",
    );
    expect(scene.refusal("cy", iq("Bo", VERSION))).toBe("not-acceptable/cancel");
  });

  test("item-not-found where there is nobody", () => {
    expect(withPeople().refusal("vi", iq("Zed", VERSION))).toBe("item-not-found");
  });
});

describe("XEP-0410: pings to oneself", () => {
  const ping = (nick: string): string =>
    `<iq to='${ROOM}/${nick}' type='get' id='s2c'><ping xmlns='urn:xmpp:ping'/></iq>`;
  test("§3.3: a client that is in the room is answered by the room", () => {
    const scene = withPeople();
    scene.sends("bo", ping("Bo"));
    expect(scene.stanzasFor("bo")[0]?.attributes).toEqual({
      from: `${ROOM}/Bo`,
      to: client("bo").full,
      type: "result",
      id: "s2c",
    });
    expect(scene.unheard).toEqual([]);
  });
  test("§3.2: not-acceptable (cancel) for one that is not, though another of the same account is", () => {
    const scene = withPeople();
    expect(scene.refusal("cy", ping("Cy"))).toBe("not-acceptable/cancel");
    expect(scene.refusal("bo/phone", ping("Bo"))).toBe("not-acceptable/cancel");
  });
  test("a ping to somebody else is for them to answer", () => {
    const scene = withPeople();
    scene.sends("bo", ping("Vi"));
    expect(scene.stanzasFor("vi")).toHaveLength(1);
  });
  test("item-not-found for a nickname that one has no longer", () => {
    const scene = withPeople();
    scene.enters("bo", "Bob", "");
    expect(scene.refusal("bo", ping("Bo"))).toBe("item-not-found");
  });
});

test("an IQ that is none of a room's is the service's; answers to nobody are dropped", () => {
  const scene = withPeople();
  const asked = scene.stanza(
    "bo",
    `<iq to='${ROOM}' type='get' id='d'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
  );
  expect(scene.room.receive(asked, scene.now)).toBeUndefined();
  expect(scene.room.receive(scene.stanza("bo", `<iq to='${ROOM}' type='result' id='d'/>`), scene.now)).toEqual([]);
});
