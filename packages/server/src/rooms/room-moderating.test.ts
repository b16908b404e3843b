import { describe, expect, test } from "vitest";
import { ADMIN, client, itemsOf, ROOM, RoomScene } from "./test-room.ts";

const admin = (items: string): string => `<query ${ADMIN}>${items}</query>`;
const role = (nick: string, to: string, reason?: string): string =>
  `<item nick='${nick}' role='${to}'>${reason === undefined ? "" : `<reason>${reason}</reason>`}</item>`;

/** Ola owns, Ada administers, Mo is a moderator by grace, Mem a member, Bo and Vi are nothing. */
const withPeople = (configuration = {}) => {
  const scene = new RoomScene({ configuration });
  scene.affiliates({ ada: "admin", mem: "member" });
  for (const [name, nick] of [
    ["ola", "Ola"],
    ["ada", "Ada"],
    ["mo", "Mo"],
    ["mem", "Mem"],
    ["bo", "Bo"],
    ["vi", "Vi"],
  ] as const)
    scene.enters(name, nick);
  scene.asks("ola", admin(role("Mo", "moderator")));
  scene.quiet();
  return scene;
};

describe("XEP-0045 §8.2: kicking", () => {
  test("the one who is kicked hears of it, then the moderator, then the others (307)", () => {
    const scene = withPeople();
    const outputs = scene.room.receive(
      scene.stanza("mo", `<iq to='${ROOM}' type='set' id='k'>${admin(role("Bo", "none", "noise"))}</iq>`),
      scene.now,
    );
    expect(
      outputs?.map((output) => (output.is === "send" ? output.to.map(({ full }) => full.split("@")[0]) : output.is)),
    ).toEqual(["keep", ["bo"], "route", ["ola", "ada", "mo"], ["mem", "vi"]]);
    scene.carryOut(outputs ?? []);
    expect(scene.hears("bo")).toEqual(["unavailable Bo none/none bo@host.example/pad by Mo (noise) [110 307]"]);
    expect(scene.hears("mo")).toEqual([
      "result k",
      "unavailable Bo none/none bo@host.example/pad by Mo mo@host.example (noise) [307]",
    ]);
    expect(scene.hears("vi")).toEqual(["unavailable Bo none/none by Mo (noise) [307]"]);
    scene.enters("bo", "Bo");
    expect(scene.room.occupantOf(client("bo"))?.nick).toBe("Bo");
  });

  test("with all clients", () => {
    const scene = withPeople();
    scene.enters("bo/phone", "Bo");
    scene.asks("mo", admin(role("Bo", "none")));
    expect(scene.hears("bo")).toEqual(["unavailable Bo none/none bo@host.example/pad by Mo [110 307]"]);
    expect(scene.hears("bo/phone")).toEqual(["unavailable Bo none/none bo@host.example/phone by Mo [110 307]"]);
    expect(scene.hears("vi")).toHaveLength(1);
  });

  test.each([
    ["mo", "Mem", "not-allowed"],
    ["mo", "Ada", "not-allowed"],
    ["mo", "Ola", "not-allowed"],
    ["ada", "Ola", "not-allowed"],
    ["mem", "Bo", "forbidden"],
    ["bo", "Vi", "forbidden"],
    ["cy", "Bo", "forbidden"],
    ["cy", "Nobody", "forbidden"],
    ["mo", "Nobody", "item-not-found"],
    ["ada", "Mo", "none"],
    ["ola", "Ada", "none"],
  ])("%s kicks %s: %s", (who, nick, refusal) => {
    expect(withPeople().refuses(who, admin(role(nick, "none")))).toBe(refusal);
  });

  test("oneself: as an apology", () => {
    const scene = withPeople();
    scene.asks("mo", admin(role("Mo", "none")));
    expect(scene.hears("mo")).toEqual([
      "unavailable Mo none/none mo@host.example/pad by Mo mo@host.example [110 307]",
      "result q",
    ]);
  });

  test("the last ones out of a temporary room: it is no more", () => {
    const scene = new RoomScene({ configuration: { isPersistent: false } });
    scene.enters("ola", "Ola");
    scene.asks("ola", admin(role("Ola", "none")));
    expect(scene.isDestroyed).toBe(true);
  });

  test("§8: forbidden for an admin who is not there", () => {
    const scene = withPeople();
    scene.sends("ada", `<presence to='${ROOM}/Ada' type='unavailable'/>`);
    expect(scene.refuses("ada", admin(role("Bo", "none")))).toBe("forbidden");
    expect(scene.refuses("ada", admin("<item role='participant'/>"), "get")).toBe("forbidden");
  });
});

describe("XEP-0045 §8.3, §8.4: voice", () => {
  test("granted: everybody sees it, with the reason", () => {
    const scene = withPeople({ isModerated: true });
    scene.asks("mo", admin(role("Bo", "participant", "worthy")));
    expect(scene.hears("mo")).toEqual([
      "result q",
      "available Bo none/participant bo@host.example/pad by Mo mo@host.example (worthy)",
    ]);
    expect(scene.hears("bo")).toEqual(["available Bo none/participant bo@host.example/pad by Mo (worthy) [110]"]);
    expect(scene.hears("vi")).toEqual(["available Bo none/participant by Mo (worthy)"]);
  });

  test("revoked", () => {
    const scene = withPeople();
    scene.asks("mo", admin(role("Bo", "visitor")));
    expect(scene.hears("vi")).toEqual(["available Bo none/visitor by Mo"]);
  });

  test.each([
    ["mo", "Bo", "none"],
    ["mo", "Mem", "not-allowed"],
    ["mo", "Ada", "not-allowed"],
    ["ada", "Mem", "none"],
    ["ada", "Ola", "not-allowed"],
    ["ola", "Ada", "not-allowed"],
    ["ola", "Ola", "not-allowed"],
    ["bo", "Vi", "forbidden"],
  ])("%s revokes the voice of %s: %s", (who, nick, refusal) => {
    expect(withPeople().refuses(who, admin(role(nick, "visitor")))).toBe(refusal);
  });

  test("what is so already is told to nobody", () => {
    const scene = withPeople();
    scene.asks("mo", admin(role("Bo", "participant")));
    expect(scene.hears("mo")).toEqual(["result q"]);
    expect(scene.unheard).toEqual([]);
  });
});

describe("XEP-0045 §8.5, §9.8: lists by role", () => {
  const list = (scene: RoomScene, who: string, of: string): readonly string[] => {
    scene.asks(who, admin(`<item role='${of}'/>`), "get");
    return itemsOf(scene.stanzasFor(who)[0]);
  };
  test("the voice list, with nick, role, affiliation and the full address (§17.4)", () => {
    expect(list(withPeople(), "mo", "participant")).toEqual([
      "member participant Mem mem@host.example/pad",
      "none participant Bo bo@host.example/pad",
      "none participant Vi vi@host.example/pad",
    ]);
  });
  test("the visitors", () => expect(list(withPeople({ isModerated: true }), "mo", "visitor")).toHaveLength(2));
  test("the moderators, for admins", () => {
    expect(list(withPeople(), "ada", "moderator")).toEqual([
      "owner moderator Ola ola@host.example/pad",
      "admin moderator Ada ada@host.example/pad",
      "none moderator Mo mo@host.example/pad",
    ]);
  });
  test.each([
    ["mo", "moderator", "forbidden"],
    ["mem", "participant", "forbidden"],
    ["cy", "visitor", "forbidden"],
    ["ola", "none", "bad-request"],
  ])("%s asks for the list of %s: %s", (who, of, refusal) => {
    expect(withPeople().refuses(who, admin(`<item role='${of}'/>`), "get")).toBe(refusal);
  });

  test("changed by several at once: all or none", () => {
    const scene = withPeople();
    expect(scene.refuses("mo", admin(role("Bo", "visitor") + role("Vi", "visitor") + role("Ada", "visitor")))).toBe(
      "not-allowed",
    );
    scene.asks("mo", admin(role("Bo", "visitor") + role("Vi", "visitor")));
    expect(scene.hears("mem")).toEqual(["available Bo none/visitor by Mo", "available Vi none/visitor by Mo"]);
  });

  test("whoever is kicked after another one does not see that one go", () => {
    const scene = withPeople();
    scene.asks("mo", admin(role("Bo", "none") + role("Vi", "none") + role("Bo", "none")));
    expect(scene.hears("bo")).toHaveLength(1);
    expect(scene.hears("vi")).toHaveLength(1);
    expect(scene.hears("mem")).toHaveLength(2);
  });

  test("§17.4: bad-request for role and affiliation of one item", () => {
    expect(
      withPeople().refuses("ola", admin("<item nick='Bo' role='none' affiliation='outcast' jid='bo@host.example'/>")),
    ).toBe("bad-request");
  });
});

describe("XEP-0045 §9.6, §9.7: moderators", () => {
  test("somebody who becomes one sees real addresses from then on, and is shown everybody", () => {
    const scene = withPeople();
    scene.asks("ada", admin(role("Bo", "moderator")));
    expect(scene.hears("bo")).toEqual([
      "available Bo none/moderator bo@host.example/pad by Ada ada@host.example [110]",
      "available Ola owner/moderator ola@host.example/pad",
      "available Ada admin/moderator ada@host.example/pad",
      "available Mo none/moderator mo@host.example/pad",
      "available Mem member/participant mem@host.example/pad",
      "available Vi none/participant vi@host.example/pad",
    ]);
    expect(scene.room.isModerator(client("bo"))).toBe(true);
    expect(scene.room.maySeeJids(client("bo"))).toBe(true);
    expect(scene.room.maySeeJids(client("vi"))).toBe(false);
    scene.asks("ada", admin(role("Bo", "participant")));
    expect(scene.hears("vi").at(-1)).toBe("available Bo none/participant by Ada");
  });

  test("by an admin who is not there: no nickname, and no address for those who see none", () => {
    const scene = withPeople();
    scene.sends("ada", `<presence to='${ROOM}/Ada' type='unavailable'/>`);
    scene.quiet();
    scene.asks("ada", admin(role("Mo", "participant")));
    expect(scene.hears("vi")).toEqual(["available Mo none/participant"]);
    expect(scene.hears("ola")).toEqual(["available Mo none/participant mo@host.example/pad by ada@host.example"]);
  });

  test("§8.4: nobody is made an admin and silenced in one request", () => {
    const scene = withPeople();
    const both = `${role("Bo", "visitor")}<item jid='bo@host.example' affiliation='admin'/>`;
    expect(scene.refuses("ola", admin(both))).toBe("not-allowed");
  });

  test("in a non-anonymous room there is nothing more to be shown", () => {
    const scene = withPeople({ whois: "anyone" });
    scene.asks("ada", admin(role("Bo", "moderator")));
    expect(scene.hears("bo")).toHaveLength(1);
  });

  test.each([
    ["mo", "Bo", "moderator", "forbidden"],
    ["bo", "Bo", "moderator", "forbidden"],
    ["ada", "Mo", "participant", "none"],
    ["ada", "Ola", "participant", "not-allowed"],
    ["ada", "Ada", "participant", "not-allowed"],
    ["mo", "Ada", "participant", "not-allowed"],
    ["mo", "Mo", "participant", "forbidden"],
  ])("%s makes %s a %s: %s", (who, nick, to, refusal) => {
    expect(withPeople().refuses(who, admin(role(nick, to)))).toBe(refusal);
  });
});
