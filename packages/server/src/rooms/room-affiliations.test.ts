import { parseJid } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { ADMIN, client, itemsOf, ROOM, RoomScene, X } from "./test-room.ts";

const admin = (items: string): string => `<query ${ADMIN}>${items}</query>`;
const item = (name: string, affiliation: string, more = ""): string =>
  `<item jid='${name.includes(".") ? name : `${name}@host.example`}' affiliation='${affiliation}' ${more}/>`;

const withPeople = (configuration = {}, limits = {}) => {
  const scene = new RoomScene({ configuration, limits });
  scene.affiliates({ ada: "admin", al: "admin", mem: "member" });
  for (const [name, nick] of [
    ["ola", "Ola"],
    ["ada", "Ada"],
    ["mem", "Mem"],
  ] as const)
    scene.enters(name, nick);
  if (configuration && !("isMembersOnly" in configuration)) scene.enters("bo", "Bo");
  return scene;
};

describe("XEP-0045 §9.1: banning", () => {
  test("whoever is there is removed (301), and does not come back", () => {
    const scene = withPeople();
    scene.asks("ada", admin("<item jid='bo@host.example/pad' affiliation='outcast'><reason>spam</reason></item>"));
    expect(scene.hears("bo")).toEqual(["unavailable Bo outcast/none bo@host.example/pad by Ada (spam) [110 301]"]);
    expect(scene.hears("ada")).toEqual([
      "result q",
      "unavailable Bo outcast/none bo@host.example/pad by Ada ada@host.example (spam) [301]",
    ]);
    expect(scene.hears("mem")).toEqual(["unavailable Bo outcast/none by Ada (spam) [301]"]);
    expect(scene.records.get(client("bo").bare)).toEqual({ affiliation: "outcast", reason: "spam" });
    expect(scene.refusal("bo", `<presence to='${ROOM}/Bo'>${X}</presence>`)).toBe("forbidden");
    expect(scene.room.mayEnter(client("bo"))).toBe(false);
  });

  test("a registered nickname is free again", () => {
    const scene = withPeople();
    scene.asks("ada", admin(item("cy", "member", "nick='Cy'")));
    expect(scene.room.reservedNick(client("cy").bare)).toBe("Cy");
    scene.asks("ada", admin(item("cy", "outcast")));
    expect(scene.room.reservedNick(client("cy").bare)).toBeUndefined();
    expect(scene.refusal("bo", `<presence to='${ROOM}/Cy'/>`)).toBe("none");
  });

  test.each([
    ["ada", "ola", "not-allowed"],
    ["ada", "al", "not-allowed"],
    ["ada", "ada", "conflict"],
    ["ola", "ola", "conflict"],
    ["ola", "ada", "none"],
    ["ada", "mem", "none"],
    ["mem", "bo", "forbidden"],
    ["bo", "bo", "forbidden"],
    ["cy", "bo", "forbidden"],
    ["ada", "host.example", "conflict"],
  ])("%s bans %s: %s", (who, whom, refusal) => {
    expect(withPeople().refuses(who, admin(item(whom, "outcast")))).toBe(refusal);
  });

  test("§9.2: a domain: all who are nothing else to the room", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.affiliate([{ account: parseJid("host.example"), affiliation: "outcast" }]));
    expect(scene.hears("bo")).toEqual(["unavailable Bo outcast/none bo@host.example/pad [110 301]"]);
    expect(scene.room.occupantCount).toBe(3);
    expect(scene.room.affiliationOf(client("bo"))).toBe("outcast");
    expect(scene.room.affiliationOf(client("mem"))).toBe("member");
    scene.asks("ola", admin(item("host.example", "none")));
    expect(scene.room.affiliationOf(client("bo"))).toBe("none");
  });

  test("§9.2: a domain that nobody is here from is banned all the same", () => {
    const scene = withPeople();
    scene.asks("ada", admin(item("spam.example", "outcast")));
    expect(scene.hears("ada")).toEqual(["result q", `normal ${ROOM} outcast/none spam.example`]);
    expect(scene.unheard).not.toContain("spam.example");
  });

  test("§9.2: several at once, all or none", () => {
    const scene = withPeople();
    expect(scene.refuses("ada", admin(item("x", "outcast") + item("ola", "outcast")))).toBe("not-allowed");
    expect(scene.room.affiliated("outcast")).toEqual([]);
    scene.asks("ada", admin(item("x", "outcast") + item("bo", "outcast") + item("mem", "outcast")));
    expect(scene.room.affiliated("outcast")).toHaveLength(3);
    expect(scene.hears("bo")).toHaveLength(1);
    expect(scene.hears("mem")).toHaveLength(1);
  });
});

describe("XEP-0045 §9.3, §9.4: membership", () => {
  test("granted to somebody who is there: a new affiliation, and voice where it was missing", () => {
    const scene = withPeople({ isModerated: true });
    scene.asks("ada", admin(item("bo", "member")));
    expect(scene.hears("mem")).toEqual(["available Bo member/participant by Ada"]);
    expect(scene.hears("bo")).toEqual(["available Bo member/participant bo@host.example/pad by Ada [110]"]);
  });

  test("granted to somebody who is not: moderators hear of it (§10.3), and so does the new member (101, §18.1)", () => {
    const scene = withPeople();
    scene.asks("ada", admin(item("cy", "member")));
    expect(scene.hears("ola")).toEqual([`normal ${ROOM} member/none cy@host.example`]);
    expect(scene.hears("ada")).toEqual(["result q", `normal ${ROOM} member/none cy@host.example`]);
    expect(scene.hears("cy@host.example")).toEqual([`normal ${ROOM} member/none [101]`]);
    expect(scene.unheard).toEqual([]);
  });

  test("in a non-anonymous room everybody hears of it", () => {
    const scene = withPeople({ whois: "anyone" });
    scene.asks("ada", admin(item("cy", "member")));
    expect(scene.hears("bo")).toEqual([`normal ${ROOM} member/none cy@host.example`]);
  });

  test("revoked in an open room: the role stays", () => {
    const scene = withPeople();
    scene.asks("ada", admin(item("mem", "none")));
    expect(scene.hears("bo")).toEqual(["available Mem none/participant by Ada"]);
    expect(scene.records.has(client("mem").bare)).toBe(false);
  });

  test("revoked in a members-only room: removed (321), and only that", () => {
    const scene = withPeople({ isMembersOnly: true });
    scene.asks("ada", admin(item("mem", "none")));
    expect(scene.hears("mem")).toEqual(["unavailable Mem none/none mem@host.example/pad by Ada [110 321]"]);
    expect(scene.hears("ola")).toEqual([
      "unavailable Mem none/none mem@host.example/pad by Ada ada@host.example [321]",
    ]);
    expect(scene.room.mayEnter(client("mem"))).toBe(false);
  });

  test("§9.5: who is new to a members-only room is invited, with the password", () => {
    const scene = new RoomScene({
      configuration: { isMembersOnly: true, isPasswordProtected: true, password: "sesame" },
    });
    scene.affiliates({ ada: "admin" });
    expect(scene.room.occupantCount).toBe(0);
    scene.asks("ada", admin(item("cy", "member")));
    expect(scene.hears("cy@host.example")).toEqual([`normal ${ROOM} invited by ada@host.example password sesame`]);
    scene.asks("ola", admin(item("cy", "admin")));
    expect(scene.hears("cy@host.example")).toEqual([`normal ${ROOM} admin/none [101]`]);
    scene.carryOut(scene.room.affiliate([{ account: client("dee").toBare(), affiliation: "member" }]));
    expect(scene.hears("dee@host.example")).toEqual([`normal ${ROOM} invited by ${ROOM} password sesame`]);
  });

  test("§9.3, §9.5: a nickname is reserved, changed and given up", () => {
    const scene = withPeople();
    scene.asks("ada", admin(item("mem", "member", "nick='Memo'")));
    expect(scene.room.reservedNick(client("mem").bare)).toBe("Memo");
    expect(scene.hears("bo")).toEqual([]);
    scene.asks("ada", admin(item("mem", "member")));
    expect(scene.room.reservedNick(client("mem").bare)).toBe("Memo");
    expect(scene.refuses("ada", admin(item("cy", "member", "nick='MEMO'")))).toBe("conflict");
    expect(scene.refuses("ada", admin(item("cy", "member", `nick='${"x".repeat(129)}'`)))).toBe("not-acceptable");
    expect(scene.refuses("ada", admin(item("cy", "member", "nick=' '")))).toBe("jid-malformed");
    expect(scene.refuses("ada", admin(item("cy", "member", "nick='a&#9;b'")))).toBe("jid-malformed");
    scene.asks("ada", admin(item("mem", "member", "nick=''")));
    expect(scene.room.reservedNick(client("mem").bare)).toBeUndefined();
  });

  test("a domain can be no member; there is an end to affiliations", () => {
    expect(withPeople().refuses("ola", admin(item("host2.example", "member")))).toBe("not-acceptable");
    const full = withPeople({}, { affiliations: 5 });
    expect(full.refuses("ola", admin(item("x", "member") + item("y", "member")))).toBe("resource-constraint");
    expect(full.refuses("ola", admin(item("x", "member")))).toBe("none");
  });
});

describe("XEP-0045 §10.3 to §10.8: owners and admins", () => {
  test("somebody who is there becomes an admin: a moderator, who is shown everybody's address", () => {
    const scene = withPeople();
    scene.asks("ola", admin(item("bo", "admin")));
    expect(scene.hears("bo")).toEqual([
      "available Bo admin/moderator bo@host.example/pad by Ola ola@host.example [110]",
      "available Ola owner/moderator ola@host.example/pad",
      "available Ada admin/moderator ada@host.example/pad",
      "available Mem member/participant mem@host.example/pad",
    ]);
    expect(scene.hears("mem")).toEqual(["available Bo admin/moderator by Ola"]);
  });

  test.each([
    ["member", "member/participant", {}],
    ["none", "none/participant", {}],
    ["none", "none/visitor", { isModerated: true }],
    ["owner", "owner/moderator", {}],
  ] as const)("an admin becomes %s: %s", (affiliation, standing, configuration) => {
    const scene = withPeople(configuration);
    scene.asks("ola", admin(item("ada", affiliation)));
    expect(scene.hears("bo")).toEqual([`available Ada ${standing} by Ola`]);
  });

  test("§10.4: an owner makes another one an admin", () => {
    const scene = withPeople();
    scene.asks("ola", admin(item("bo", "owner")));
    scene.quiet();
    scene.asks("bo", admin(item("ola", "admin")));
    expect(scene.hears("mem")).toEqual(["available Ola admin/moderator by Bo"]);
  });

  test("§10.4: conflict where the last owner goes; not where there is another", () => {
    const scene = withPeople();
    expect(scene.refuses("ola", admin(item("ola", "admin")))).toBe("conflict");
    expect(scene.refuses("ola", admin(item("ola", "none") + item("bo", "owner")))).toBe("none");
    expect(scene.room.affiliated("owner").map(({ jid }) => jid.bare)).toEqual(["bo@host.example"]);
    expect(() => scene.room.affiliate([{ account: client("bo").toBare(), affiliation: "none" }])).toThrow(
      expect.objectContaining({ condition: "conflict" }),
    );
  });

  test.each([
    ["ada", "bo", "admin", "forbidden"],
    ["ada", "bo", "owner", "forbidden"],
    ["ada", "al", "none", "forbidden"],
    ["ada", "ola", "member", "forbidden"],
    ["ada", "ada", "none", "forbidden"],
    ["mem", "mem", "admin", "forbidden"],
    ["cy", "cy", "owner", "forbidden"],
    ["ada", "bo", "member", "none"],
  ])("%s makes %s %s: %s", (who, whom, affiliation, refusal) => {
    expect(withPeople().refuses(who, admin(item(whom, affiliation)))).toBe(refusal);
  });

  test("§10.3: a full address stands for the bare one", () => {
    const scene = withPeople();
    scene.asks("ola", admin("<item jid='bo@host.example/pad' affiliation='owner'/>"));
    expect(scene.records.get(client("bo").bare)).toEqual({ affiliation: "owner" });
  });
});

describe("XEP-0045 §9.2, §9.5, §10.5, §10.8: lists by affiliation", () => {
  const lists = (scene: RoomScene, who: string, of: string): string =>
    scene.refuses(who, admin(`<item affiliation='${of}'/>`), "get");

  test("each with bare addresses and reserved nicknames, and no role (§17.4)", () => {
    const scene = withPeople();
    scene.asks("ada", admin(item("mem", "member", "nick='Memo'")));
    scene.quiet();
    scene.asks("ada", admin("<item affiliation='member'/>"), "get");
    expect(itemsOf(scene.stanzasFor("ada")[0])).toEqual(["member Memo mem@host.example"]);
    scene.asks("ola", admin("<item affiliation='owner'/>"), "get");
    expect(itemsOf(scene.stanzasFor("ola")[0])).toEqual(["owner ola@host.example"]);
  });

  test.each([
    // who, list, in a semi-anonymous room, in a non-anonymous one
    ["ola", "outcast", "none", "none"],
    ["ada", "outcast", "none", "none"],
    ["mem", "outcast", "forbidden", "forbidden"],
    ["bo", "outcast", "forbidden", "forbidden"],
    ["ada", "member", "none", "none"],
    ["mem", "member", "forbidden", "none"],
    ["bo", "member", "forbidden", "none"],
    ["cy", "member", "forbidden", "forbidden"],
    ["ola", "admin", "none", "none"],
    ["ada", "admin", "forbidden", "none"],
    ["bo", "admin", "forbidden", "none"],
    ["cy", "admin", "forbidden", "forbidden"],
    ["ola", "owner", "none", "none"],
    ["ada", "owner", "forbidden", "none"],
    ["al", "owner", "forbidden", "none"],
    ["cy", "owner", "forbidden", "forbidden"],
    ["ola", "none", "bad-request", "bad-request"],
  ])("%s asks for %s: %s, or %s where addresses are seen", (who, of, semi, non) => {
    expect(lists(withPeople(), who, of)).toBe(semi);
    expect(lists(withPeople({ whois: "anyone" }), who, of)).toBe(non);
  });

  test("§16.5.3: who may see the members is for the configuration to say; those who see addresses", () => {
    const scene = withPeople({ whois: "anyone", memberList: ["moderator"] });
    expect(lists(scene, "bo", "member")).toBe("forbidden");
    expect(lists(scene, "mem", "member")).toBe("none");
    const semi = withPeople();
    semi.asks("ola", admin("<item nick='Bo' role='moderator'/>"));
    expect(lists(semi, "bo", "member")).toBe("none");
    semi.affiliates({ bo: "outcast" });
    expect(lists(semi, "bo", "member")).toBe("forbidden");
  });
});

describe("by whoever runs the server", () => {
  test("affiliations are changed without a name", () => {
    const scene = withPeople();
    scene.carryOut(
      scene.room.affiliate([{ account: client("bo").toBare(), affiliation: "owner", reason: "handed over" }]),
    );
    expect(scene.hears("mem")).toEqual(["available Bo owner/moderator (handed over)"]);
    expect(scene.room.affiliate([])).toEqual([]);
  });
});
