import { childOf, childrenOf, type Element, parseElement, parseJid } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { client, MUC, ROOM, RoomScene, X } from "./test-room.ts";

const join = (nick: string, inside = X): string => `<presence to='${ROOM}/${nick}' id='j1'>${inside}</presence>`;
const ids = (stanzas: readonly Element[]) =>
  stanzas.map((stanza) =>
    childrenOf(stanza, "occupant-id", "urn:xmpp:occupant-id:0").map(({ attributes }) => attributes.id),
  );

const withThree = (configuration = {}) => {
  const scene = new RoomScene({ configuration });
  scene.affiliates({ ada: "admin" });
  scene.enters("ola", "Ola");
  scene.enters("ada", "Ada");
  return scene;
};

describe("XEP-0045 §7.1: order of events", () => {
  test("others, oneself, history, subject, and only then what happens", () => {
    const scene = withThree();
    scene.sends("ola", `<message to='${ROOM}' type='groupchat'><body>hello</body></message>`);
    scene.sends("ola", `<message to='${ROOM}' type='groupchat'><subject>Tea</subject></message>`);
    scene.quiet();
    scene.sends("bo", join("Bo"));
    expect(scene.hears("bo")).toEqual([
      "available Ola owner/moderator",
      "available Ada admin/moderator",
      "available Bo none/participant bo@host.example/pad [110]",
      "groupchat Ola: hello",
      "groupchat Ola about Tea",
    ]);
  });
});

describe("XEP-0045 §4.4: table 1", () => {
  test.each([
    ["owner", "owner/moderator"],
    ["admin", "admin/moderator"],
    ["none", "none/participant"],
  ] as const)("a person of affiliation %s", (affiliation, standing) => {
    const scene = new RoomScene();
    scene.enters("ola", "Ola");
    scene.affiliates({ bo: affiliation });
    scene.sends("bo", join("Bo"));
    expect(scene.hears("bo")).toContain(`available Bo ${standing} bo@host.example/pad [110]`);
  });
});

describe("XEP-0045 §7.2.2: presence broadcast", () => {
  test("XEP-0045 §7.2.4: in a semi-anonymous room moderators see real addresses, others do not, oneself does", () => {
    const scene = withThree();
    scene.enters("cy", "Cy");
    scene.sends("bo", join("Bo", `${X}<show>away</show>`));
    expect(scene.hears("ola")).toEqual(["available Bo none/participant bo@host.example/pad"]);
    expect(scene.hears("ada")).toEqual(["available Bo none/participant bo@host.example/pad"]);
    expect(scene.hears("cy")).toEqual(["available Bo none/participant"]);
    const own = scene.stanzasFor("bo")[3];
    expect(own?.attributes).toMatchObject({ id: "j1", from: `${ROOM}/Bo`, to: "bo@host.example/pad" });
    expect(scene.unheard).toEqual([]);
  });

  test("XEP-0045 §7.2.3: in a non-anonymous room everybody does, and is warned (100)", () => {
    const scene = withThree({ whois: "anyone" });
    scene.enters("cy", "Cy");
    scene.sends("bo", join("Bo"));
    expect(scene.hears("cy")).toEqual(["available Bo none/participant bo@host.example/pad"]);
    expect(scene.hears("bo").slice(0, 4)).toEqual([
      "available Ola owner/moderator ola@host.example/pad",
      "available Ada admin/moderator ada@host.example/pad",
      "available Cy none/participant cy@host.example/pad",
      "available Bo none/participant bo@host.example/pad [100 110]",
    ]);
  });

  test("XEP-0045 §7.2.12: a room that is logged says so (170)", () => {
    const scene = withThree({ isLogged: true, whois: "anyone" });
    scene.sends("bo", join("Bo"));
    expect(scene.hears("bo")).toContain("available Bo none/participant bo@host.example/pad [100 110 170]");
  });

  test("XEP-0045 §17.3: what a room alone may say is not passed on, whatever else is said is", () => {
    const scene = withThree();
    const forged = `<x xmlns='${MUC}#user'><item affiliation='owner' role='moderator'/><status code='110'/></x><hats xmlns='urn:xmpp:hats:0'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='id-ola'/>`;
    scene.sends(
      "bo",
      join("Bo", `${X}<show>dnd</show>${forged}<c xmlns='http://jabber.org/protocol/caps' node='n' ver='v'/>`),
    );
    const [told] = scene.stanzasFor("ola");
    expect(told?.children.map((child) => (typeof child === "string" ? child : child.name))).toEqual([
      "show",
      "c",
      "x",
      "occupant-id",
    ]);
    expect(ids(scene.stanzasFor("bo").slice(0, 3))).toEqual([["id-ola"], ["id-ada"], ["id-bo"]]);
  });

  test("§7.2.2: roles whose presence is not broadcast are seen by nobody but themselves", () => {
    const scene = withThree({ presenceBroadcast: ["moderator"], isModerated: true });
    scene.enters("cy", "Cy");
    scene.sends("bo", join("Bo"));
    expect(scene.hears("ola")).toEqual([]);
    expect(scene.hears("bo").slice(0, 3)).toEqual([
      "available Ola owner/moderator",
      "available Ada admin/moderator",
      "available Bo none/visitor bo@host.example/pad [110]",
    ]);
    scene.sends("bo", `<presence to='${ROOM}/Bo' type='unavailable'/>`);
    expect(scene.hears("ola")).toEqual([]);
  });

  test("the language of a status goes along", () => {
    const scene = withThree();
    scene.sends("bo", `<presence to='${ROOM}/Bo' xml:lang='pt'>${X}<status>já volto</status></presence>`);
    expect(scene.stanzasFor("ola")[0]?.attributes["xml:lang"]).toBe("pt");
  });

  test("a presence that is too long is refused", () => {
    const scene = new RoomScene({ limits: { presence: 200 } });
    scene.enters("ola", "Ola");
    expect(scene.refusal("bo", join("Bo", `${X}<status>${"x".repeat(200)}</status>`))).toBe("policy-violation");
    expect(scene.refusal("ola", `<presence to='${ROOM}/Ola'><status>${"x".repeat(200)}</status></presence>`)).toBe(
      "policy-violation",
    );
  });
});

describe("XEP-0045 §7.2.2: whoever enters is shown everybody as they are now, though others have been shown them before", () => {
  const shownTo = (scene: RoomScene, name: string): string | undefined => {
    scene.sends(name, join(name));
    return scene.hears(name).find((line) => line.startsWith("available B"));
  };
  const BEFORE = "available Bo none/participant";
  test.each<[string, (scene: RoomScene) => void, string]>([
    [
      "a role",
      (scene) => scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Bo' role='visitor'/></query>`),
      "available Bo none/visitor",
    ],
    ["an affiliation", (scene) => scene.affiliates({ bo: "member" }), "available Bo member/participant"],
    [
      "a status",
      (scene) => scene.sends("bo", `<presence to='${ROOM}/Bo'><status>out</status></presence>`),
      'available Bo none/participant "out"',
    ],
    ["a nickname", (scene) => scene.sends("bo", `<presence to='${ROOM}/Bob'/>`), "available Bob none/participant"],
    [
      "another client",
      (scene) => scene.sends("bo/phone", join("Bo", `${X}<status>phone</status>`)),
      'available Bo none/participant "phone"',
    ],
  ])("%s", (_, change, after) => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    expect(shownTo(scene, "cy")).toBe(BEFORE);
    change(scene);
    scene.quiet();
    expect(shownTo(scene, "dee")).toBe(after);
  });

  test("a client that has left", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.enters("bo/phone", "Bo", `${X}<status>phone</status>`);
    expect(shownTo(scene, "cy")).toBe('available Bo none/participant "phone"');
    scene.sends("bo/phone", `<presence to='${ROOM}/Bo' type='unavailable'/>`);
    expect(shownTo(scene, "dee")).toBe(BEFORE);
  });
});

describe("XEP-0045 §7.2.17: table 9: who is refused, and why", () => {
  test("§7.2.5: not-authorized without the password, or with another", () => {
    const scene = new RoomScene();
    scene.enters("ola", "Ola");
    scene.carryOut(scene.room.configure({ isPasswordProtected: true, password: "sesame" }));
    expect(scene.refusal("bo", join("Bo"))).toBe("not-authorized");
    expect(scene.refusal("bo", join("Bo", `<x xmlns='${MUC}'><password>Sesame</password></x>`))).toBe("not-authorized");
    scene.sends("bo", join("Bo", `<x xmlns='${MUC}'><password>sesame</password></x>`));
    expect(scene.room.occupantCount).toBe(2);
  });

  test("§7.2.7, §9.2: forbidden for whoever is banned, or all of a domain; an account counts before its domain", () => {
    const scene = new RoomScene();
    scene.enters("ola", "Ola");
    scene.affiliates({ bo: "outcast" });
    expect(scene.refusal("bo", join("Bo"))).toBe("forbidden");
    scene.affiliates({ bo: "none", cy: "member" });
    scene.asks("ola", `<query xmlns='${MUC}#admin'><item affiliation='owner' jid='al@host.example'/></query>`);
    expect(
      scene.refuses("ola", `<query xmlns='${MUC}#admin'><item affiliation='outcast' jid='host.example'/></query>`),
    ).toBe("conflict");
    scene.carryOut(scene.room.affiliate([{ account: parseJid("host.example"), affiliation: "outcast" }]));
    expect(scene.refusal("bo", join("Bo"))).toBe("forbidden");
    expect(scene.refusal("cy", join("Cy"))).toBe("none");
  });

  test("§7.2.10: item-not-found while the room waits for its configuration, but for the owner's other clients", () => {
    const scene = new RoomScene({ locked: true });
    scene.enters("ola", "Ola");
    expect(scene.refusal("bo", join("Bo"))).toBe("item-not-found");
    scene.enters("ola/phone", "Ola");
    expect(scene.room.occupantCount).toBe(1);
  });

  test("§7.10: not-acceptable for a nickname that is too long; a registered one is put in place of another where they are locked down", () => {
    const scene = withThree({ locksNicknames: true });
    expect(scene.refusal("bo", join("x".repeat(129)))).toBe("not-acceptable");
    scene.carryOut(scene.room.affiliate([{ account: client("bo").toBare(), affiliation: "member", nick: "Bo" }]));
    scene.quiet();
    scene.sends("bo", join("Robert"));
    expect(scene.hears("bo")).toContain("available Bo member/participant bo@host.example/pad [110 210]");
    expect(scene.refusal("bo", `<presence to='${ROOM}/Robert'/>`)).toBe("not-acceptable/cancel");
  });

  test("§7.2.6: registration-required where one has to be a member", () => {
    const scene = withThree({ isMembersOnly: true });
    expect(scene.refusal("bo", join("Bo"))).toBe("registration-required");
    scene.affiliates({ bo: "member" });
    expect(scene.refusal("bo", join("Bo"))).toBe("none");
  });

  test.each(["Ada", "ADA", "ａｄａ", " Ada", "ada "])(
    "§7.2.8, §14.6: conflict for [%s] where there is an Ada",
    (nick) => {
      expect(withThree().refusal("bo", join(nick))).toBe("conflict");
    },
  );

  test("§7.2.8: conflict for a nickname that is reserved, even for nobody who is there", () => {
    const scene = withThree();
    scene.carryOut(scene.room.affiliate([{ account: client("cy").toBare(), affiliation: "member", nick: "Cy" }]));
    expect(scene.refusal("bo", join("cy"))).toBe("conflict");
    expect(scene.refusal("cy", join("Cy"))).toBe("none");
  });

  test("§7.2.9: service-unavailable (wait) when the room is full, but for admins and owners up to a point", () => {
    const scene = new RoomScene({ configuration: { maxUsers: 1 }, limits: { reservedPlaces: 1 } });
    scene.affiliates({ ada: "admin", al: "admin" });
    scene.enters("ola", "Ola");
    expect(scene.refusal("bo", join("Bo"))).toBe("service-unavailable/wait");
    scene.enters("ada", "Ada");
    expect(scene.refusal("al", join("Al"))).toBe("service-unavailable/wait");
  });

  test("§7.2.1, §17.1: jid-malformed without a nickname, or with one that cannot be seen", () => {
    const scene = withThree();
    expect(scene.refusal("bo", `<presence to='${ROOM}'>${X}</presence>`)).toBe("jid-malformed");
    expect(scene.refusal("bo", join("  "))).toBe("jid-malformed");
  });

  test("a history that means nothing is no reason to be refused", () => {
    const scene = withThree();
    expect(scene.refusal("bo", join("Bo", `<x xmlns='${MUC}'><history maxchars='-'/></x>`))).toBe("none");
  });
});

describe("XEP-0045 §7.2.8: several clients under one nickname", () => {
  test("the second is told everything, and nobody else anything while the first stands for both", () => {
    const scene = withThree();
    scene.enters("bo", "Bo", `${X}<priority>5</priority>`);
    scene.sends("bo/phone", join("Bo"));
    expect(scene.hears("bo/phone")).toContain("available Bo none/participant bo@host.example/phone [110]");
    expect(scene.unheard).toEqual([]);
    expect(scene.room.occupantCount).toBe(3);
  });

  test("of equals the later one stands for both, and others see it change", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.sends("bo/phone", join("Bo", `${X}<show>away</show>`));
    expect(scene.hears("ola")).toEqual(["available Bo none/participant bo@host.example/phone"]);
    scene.sends("bo/phone", `<presence to='${ROOM}/Bo' type='unavailable'/>`);
    expect(scene.hears("ola")).toEqual(["available Bo none/participant bo@host.example/pad"]);
    scene.sends("bo", `<presence to='${ROOM}/Bo' type='unavailable'/>`);
    expect(scene.hears("ola")).toEqual(["unavailable Bo none/none bo@host.example/pad"]);
  });

  test("a priority that is none counts as 0", () => {
    const scene = withThree();
    scene.enters("bo", "Bo", `${X}<priority>1</priority>`);
    scene.enters("bo/phone", "Bo", `${X}<priority>999</priority>`);
    expect(scene.room.sessionsSnapshot().map(({ priority }) => priority)).toEqual([0, 0, 1, 0]);
  });

  test("everybody's messages go to both, and both may speak", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.enters("bo/phone", "Bo");
    scene.sends("bo/phone", `<message to='${ROOM}' type='groupchat'><body>hi</body></message>`);
    expect(scene.hears("bo")).toEqual(["groupchat Bo: hi"]);
    expect(scene.hears("bo/phone")).toEqual(["groupchat Bo: hi"]);
  });

  test("there is an end to it", () => {
    const scene = new RoomScene({ limits: { sessionsPerNick: 2 } });
    for (const name of ["ola", "ola/b"]) scene.enters(name, "Ola");
    expect(scene.refusal("ola/c", join("Ola"))).toBe("resource-constraint");
    const many = new RoomScene({ limits: { nicksPerAccount: 1 } });
    many.enters("ola", "Ola");
    expect(many.refusal("ola/b", join("Olga"))).toBe("resource-constraint");
  });

  test("§7.12: one may also go by several nicknames", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.enters("bo/phone", "Bo (phone)");
    expect(scene.room.occupantCount).toBe(4);
    expect(scene.refusal("bo/tv", join("bO"))).toBe("conflict");
  });
});

describe("XEP-0045 §7.2.1, §17.3: entering once more", () => {
  test("everything is sent again, and nothing to others where nothing is new", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.sends("bo", join("Bo"));
    expect(scene.hears("bo")).toEqual([
      "available Ola owner/moderator",
      "available Ada admin/moderator",
      "available Bo none/participant bo@host.example/pad [110]",
      `groupchat ${ROOM} about `,
    ]);
    expect(scene.unheard).toEqual([]);
  });

  test("others hear of what is new", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.sends("bo", join("Bo", `${X}<show>xa</show>`));
    expect(scene.hears("ola")).toEqual(["available Bo none/participant bo@host.example/pad"]);
    expect(scene.hears("bo")).toHaveLength(4);
  });

  test("under another nickname: it is changed, and everything is sent", () => {
    const scene = withThree();
    scene.enters("bo", "Bo");
    scene.sends("bo", join("Bob"));
    expect(scene.hears("bo").slice(0, 2)).toEqual([
      "unavailable Bo none/participant bo@host.example/pad ->Bob [110 303]",
      "available Bob none/participant bo@host.example/pad [110]",
    ]);
    expect(scene.hears("ola")).toHaveLength(2);
  });
});

describe("XEP-0045 §7.2.18: groupchat 1.0", () => {
  test("presence without <x/> of somebody who is not there is answered with a kick", () => {
    const scene = withThree();
    scene.sends("bo", `<presence to='${ROOM}/Bo'/>`);
    expect(scene.hears("bo")).toEqual(["unavailable Bo none/none (You are not in the room.) [110 307 333]"]);
    expect(scene.unheard).toEqual([]);
    expect(scene.room.occupantCount).toBe(2);
  });
});

describe("XEP-0045 §7.2.14: table 8: how much of what was said", () => {
  const talked = () => {
    const scene = withThree();
    for (const [index, words] of ["one", "two", "three"].entries()) {
      scene.now = 1_000_000 + index * 60_000;
      scene.sends("ola", `<message to='${ROOM}' id='m${index}' type='groupchat'><body>${words}</body></message>`);
    }
    scene.quiet();
    return scene;
  };
  const shown = (scene: RoomScene, history: string): readonly string[] => {
    scene.sends("bo", join("Bo", `<x xmlns='${MUC}'><history ${history}/></x>`));
    return scene
      .hears("bo")
      .filter((line) => line.includes(": "))
      .map((line) => line.slice(line.indexOf(": ") + 2));
  };
  test("without a wish: as much as the room gives, stamped by the room, with ids", () => {
    const scene = talked();
    scene.sends("bo", join("Bo"));
    const [first, second] = scene.stanzasFor("bo").filter((stanza) => hasBody(stanza));
    expect(first).toMatchObject({
      attributes: { from: `${ROOM}/Ola`, to: "bo@host.example/pad", type: "groupchat", id: "m0" },
    });
    expect(childOf(first as Element, "delay", "urn:xmpp:delay")).toEqual(
      parseElement(`<delay xmlns='urn:xmpp:delay' from='${ROOM}' stamp='1970-01-01T00:16:40Z'/>`),
    );
    expect(childOf(second as Element, "stanza-id", "urn:xmpp:sid:0")?.attributes).toEqual({ by: ROOM, id: "sid-2" });
    expect(ids([first as Element])).toEqual([["id-ola"]]);
  });
  test("maxstanzas", () => expect(shown(talked(), "maxstanzas='2'")).toEqual(["two", "three"]));
  test("maxstanzas 0", () => expect(shown(talked(), "maxstanzas='0'")).toEqual([]));
  test("maxchars 0: none", () => expect(shown(talked(), "maxchars='0'")).toEqual([]));
  test("maxchars: whole stanzas only", () => {
    expect(shown(talked(), "maxchars='450'")).toEqual(["three"]);
    expect(shown(talked(), "maxchars='10000'")).toEqual(["one", "two", "three"]);
  });
  test("seconds", () => expect(shown(talked(), "seconds='61'")).toEqual(["two", "three"]));
  test("since", () => expect(shown(talked(), "since='1970-01-01T00:17:40Z'")).toEqual(["two", "three"]));
  test("whatever is least", () =>
    expect(shown(talked(), "seconds='600' maxstanzas='1' since='1970-01-01T00:00:00Z'")).toEqual(["three"]));
  test("no more than the room gives", () => {
    const scene = talked();
    scene.carryOut(scene.room.configure({ maxHistory: 1 }));
    scene.quiet();
    expect(shown(scene, "since='1970-01-01T00:00:00Z'")).toEqual(["three"]);
  });
});
const hasBody = (stanza: Element): boolean => childOf(stanza, "body", "") !== undefined;

describe("XEP-0045 §7.2.15: the subject", () => {
  test("an empty one by the room where there never was any, without a stamp", () => {
    const scene = withThree();
    scene.sends("bo", join("Bo"));
    const last = scene.stanzasFor("bo").at(-1) as Element;
    expect(last).toMatchObject({
      attributes: { from: ROOM, type: "groupchat" },
      children: [{ name: "subject", children: [] }],
    });
  });

  test("as it was set, by whom, stamped with when; also one that was taken away", () => {
    const scene = withThree();
    scene.sends(
      "ola",
      `<message to='${ROOM}' type='groupchat' xml:lang='en'><subject>Tea</subject><subject xml:lang='pt'>Chá</subject></message>`,
    );
    scene.enters("ola", "Olga", "");
    scene.now += 60_000;
    scene.sends("bo", join("Bo"));
    const set = scene.stanzasFor("bo").at(-1) as Element;
    expect(set.attributes).toMatchObject({ from: `${ROOM}/Ola`, "xml:lang": "en" });
    expect(childrenOf(set, "subject", "")).toHaveLength(2);
    expect(childOf(set, "delay", "urn:xmpp:delay")?.attributes).toEqual({ from: ROOM, stamp: "1970-01-01T00:16:40Z" });
    expect(ids([set])).toEqual([["id-ola"]]);
    scene.sends("ola", `<message to='${ROOM}' type='groupchat'><subject/></message>`);
    scene.enters("cy", "Cy");
    scene.sends("cy", join("Cy"));
    expect(childOf(scene.stanzasFor("cy").at(-1) as Element, "delay", "urn:xmpp:delay")).toBeDefined();
  });
});

describe("XEP-0045 §10.1: a room is made by entering it", () => {
  test("its creator owns it and is told so (201)", () => {
    const scene = new RoomScene({ locked: true });
    scene.sends("ola", join("Ola"));
    expect(scene.hears("ola")).toEqual([
      "available Ola owner/moderator ola@host.example/pad [110 201]",
      `groupchat ${ROOM} about `,
    ]);
    expect(scene.settings?.isLocked).toBe(true);
    expect(scene.records.get(client("ola").bare)).toEqual({ affiliation: "owner" });
    scene.sends("ola/phone", join("Ola"));
    expect(scene.hears("ola/phone")[0]).toContain("[110]");
  });

  test("a room that need not be configured is open at once", () => {
    const scene = new RoomScene();
    scene.sends("ola", join("Ola"));
    expect(scene.hears("ola")[0]).toContain("[110 201]");
    expect(scene.settings?.isLocked).toBe(false);
    expect(scene.refusal("bo", join("Bo"))).toBe("none");
  });
});
