import {
  childOf,
  DEFAULT_ROOM_CONFIGURATION,
  type Element,
  FORM_ROOM_CONFIG,
  Form,
  fieldValue,
  fieldValues,
} from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { Room } from "./index.ts";
import { client, OWNER, ROOM, RoomScene, submitted, X } from "./test-room.ts";

const owner = (inside: string): string => `<query ${OWNER}>${inside}</query>`;
const configure = (fields: Readonly<Record<string, string | readonly string[]>>): string =>
  owner(
    submitted(
      FORM_ROOM_CONFIG,
      Object.fromEntries(Object.entries(fields).map(([name, value]) => [`muc#roomconfig_${name}`, value])),
    ),
  );
const INSTANT = owner("<x xmlns='jabber:x:data' type='submit'/>");
const CANCEL = owner("<x xmlns='jabber:x:data' type='cancel'/>");

const withPeople = (configuration = {}) => {
  const scene = new RoomScene({ configuration });
  scene.affiliates({ ada: "admin", mem: "member" });
  for (const [name, nick] of [
    ["ola", "Ola"],
    ["ada", "Ada"],
    ["mem", "Mem"],
    ["bo", "Bo"],
    ["vi", "Vi"],
  ] as const)
    scene.enters(name, nick);
  return scene;
};
const locked = () => {
  const scene = new RoomScene({ locked: true });
  scene.enters("ola", "Ola");
  return scene;
};
const formOf = (stanza: Element | undefined) => {
  const query = childOf(stanza as Element, "query", "http://jabber.org/protocol/muc#owner") as Element;
  return Form.parse(childOf(query, "x", "jabber:x:data") as Element);
};

describe("XEP-0045 §10.1.2: an instant room", () => {
  test("an empty form opens it with what is the default", () => {
    const scene = locked();
    scene.asks("ola", INSTANT);
    expect(scene.hears("ola")).toEqual(["result q"]);
    expect(scene.room.isLocked).toBe(false);
    expect(scene.settings).toEqual({
      isLocked: false,
      subject: undefined,
      configuration: { ...DEFAULT_ROOM_CONFIGURATION, isPersistent: true },
    });
    expect(scene.refusal("bo", `<presence to='${ROOM}/Bo'>${X}</presence>`)).toBe("none");
  });

  test("§10.1.1: nobody has configured it for long enough", () => {
    const scene = locked();
    expect(scene.room.isLocked).toBe(true);
    scene.carryOut(scene.room.unlock());
    expect(scene.room.isLocked).toBe(false);
    expect(scene.room.unlock()).toEqual([]);
  });
});

describe("XEP-0045 §10.1.3: a reserved room", () => {
  test("the form as it is, filled in and submitted: the room is open", () => {
    const scene = locked();
    scene.asks("ola", owner(""), "get");
    const form = formOf(scene.stanzasFor("ola")[0]);
    expect(fieldValue(form, "muc#roomconfig_persistentroom")).toBe("1");
    expect(fieldValues(form, "muc#roomconfig_roomowners")).toEqual(["ola@host.example"]);
    scene.asks("ola", configure({ roomname: "Den", membersonly: "1", roomadmins: ["ada@host.example"] }));
    expect(scene.room).toMatchObject({ isLocked: false, configuration: { name: "Den", isMembersOnly: true } });
    expect(scene.room.affiliationOf(client("ada"))).toBe("admin");
    expect(scene.room.info()).toMatchObject({ identities: [{ category: "conference", type: "text", name: "Den" }] });
  });

  test("not-acceptable: it stays as it was, and locked", () => {
    const scene = locked();
    expect(scene.refuses("ola", configure({ passwordprotectedroom: "1" }))).toBe("not-acceptable");
    expect(scene.refuses("ola", configure({ maxusers: "many" }))).toBe("not-acceptable");
    expect(scene.room.isLocked).toBe(true);
  });

  test("cancelled: it is no more", () => {
    const scene = locked();
    scene.asks("ola", CANCEL);
    expect(scene.hears("ola")).toEqual(["unavailable Ola none/none ola@host.example/pad destroyed [110]", "result q"]);
    expect(scene.isDestroyed).toBe(true);
  });
});

describe("XEP-0045 §10.2: configuring it again", () => {
  test.each(["ada", "mem", "bo", "cy"])("forbidden for %s", (name) => {
    const scene = withPeople();
    expect(scene.refuses(name, owner(""), "get")).toBe("forbidden");
    for (const request of [INSTANT, CANCEL, owner("<destroy/>")])
      expect(scene.refuses(name, request)).toBe("forbidden");
  });

  test("bad-request for what is no form", () => {
    expect(withPeople().refuses("ola", owner(""))).toBe("bad-request");
    expect(withPeople().refuses("ola", owner(submitted("jabber:iq:search", {})))).toBe("bad-request");
  });

  test("cancelled: nothing changes and nobody hears of it", () => {
    const scene = withPeople();
    scene.asks("ola", CANCEL);
    expect(scene.hears("ola")).toEqual(["result q"]);
    expect(scene.unheard).toEqual([]);
  });

  test("nothing new: nobody hears of it", () => {
    const scene = withPeople();
    scene.asks("ola", configure({ roomname: "" }));
    expect(scene.hears("ola")).toEqual(["result q"]);
    expect(scene.unheard).toEqual([]);
  });

  test.each([
    [{ roomname: "Den" }, "104"],
    [{ moderatedroom: "1" }, "104"],
    [{ maxusers: "50" }, "104"],
    [{ presencebroadcast: ["moderator"] }, "104"],
    [{ roomsecret: "x", passwordprotectedroom: "1" }, "104"],
    [{ enablelogging: "1" }, "170"],
    [{ whois: "anyone" }, "172"],
    [{ whois: "anyone", enablelogging: "1", roomname: "Den" }, "104 170 172"],
  ])("§10.2.1: %j tells everybody %s", (fields, codes) => {
    const scene = withPeople();
    scene.asks("ola", configure(fields));
    expect(scene.hears("ola")).toEqual(["result q", `groupchat ${ROOM} [${codes}]`]);
    expect(scene.hears("bo")).toEqual([`groupchat ${ROOM} [${codes}]`]);
  });

  test("§10.2.1: no longer logged (171), semi-anonymous (173)", () => {
    const scene = withPeople({ isLogged: true, whois: "anyone" });
    scene.asks("ola", configure({ enablelogging: "0", whois: "moderators" }));
    expect(scene.hears("bo")).toEqual([`groupchat ${ROOM} [171 173]`]);
    scene.sends("vi", `<presence to='${ROOM}/Vi'/>`);
    expect(scene.hears("bo")).toEqual(["available Vi none/participant"]);
  });

  test("made members-only: everybody who is none goes (322), and sees no other one go", () => {
    const scene = withPeople();
    scene.asks("ola", configure({ membersonly: "1" }));
    expect(scene.hears("bo")).toEqual(["unavailable Bo none/none bo@host.example/pad [110 322]"]);
    expect(scene.hears("vi")).toEqual(["unavailable Vi none/none vi@host.example/pad [110 322]"]);
    expect(scene.hears("mem")).toEqual([
      "unavailable Bo none/none [322]",
      "unavailable Vi none/none [322]",
      `groupchat ${ROOM} [104]`,
    ]);
    expect(scene.hears("ola")).toEqual([
      "result q",
      "unavailable Bo none/none bo@host.example/pad [322]",
      "unavailable Vi none/none vi@host.example/pad [322]",
      `groupchat ${ROOM} [104]`,
    ]);
    expect(scene.room.occupantCount).toBe(3);
  });

  test("the whole list of admins: who is not on it is one no longer", () => {
    const scene = withPeople();
    scene.asks("ola", configure({ roomadmins: ["bo@host.example"] }));
    expect(scene.hears("mem")).toEqual([
      "available Bo admin/moderator by Ola",
      "available Ada none/participant by Ola",
    ]);
    const members = withPeople({});
    members.asks("ola", configure({ membersonly: "1", roomadmins: [] }));
    expect(members.room.affiliationOf(client("ada"))).toBe("member");
  });

  test("the whole list of owners: who is not on it is an admin", () => {
    const scene = withPeople();
    scene.asks("ola", configure({ roomowners: ["ola@host.example", "bo@host.example"] }));
    expect(scene.hears("mem")).toEqual(["available Bo owner/moderator by Ola"]);
    scene.asks(
      "bo",
      configure({ roomowners: ["bo@host.example"], roomadmins: ["bo@host.example", "ada@host.example"] }),
    );
    expect(scene.hears("mem")).toEqual(["available Ola admin/moderator by Bo"]);
    expect(scene.room.affiliationOf(client("bo"))).toBe("owner");
  });

  test("conflict where no owner would be left", () => {
    const scene = withPeople();
    expect(scene.refuses("ola", configure({ roomowners: [] }))).toBe("conflict");
    expect(scene.refuses("ola", configure({ roomowners: [], roomadmins: ["ola@host.example"] }))).toBe("conflict");
  });

  test("whoever runs the server configures it too", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.configure({ description: "Tea" }));
    expect(scene.hears("bo")).toEqual([`groupchat ${ROOM} [104]`]);
    expect(() => scene.room.configure({ isPasswordProtected: true })).toThrow(
      expect.objectContaining({ condition: "not-acceptable" }),
    );
    scene.carryOut(scene.room.announce([104]));
    expect(scene.hears("bo")).toEqual([`groupchat ${ROOM} [104]`]);
  });

  test("a temporary room that loses everybody by it is no more", () => {
    const scene = new RoomScene();
    scene.enters("ola", "Ola");
    scene.enters("bo", "Bo");
    scene.sends("ola", `<presence to='${ROOM}/Ola' type='unavailable'/>`);
    scene.asks("ola", configure({ membersonly: "1", persistentroom: "0" }));
    expect(scene.isDestroyed).toBe(true);
  });
});

describe("XEP-0045 §10.9: destroying it", () => {
  test("everybody hears of their own removal, why, and where to go; then the owner", () => {
    const scene = withPeople();
    scene.enters("bo/phone", "Bo");
    scene.asks(
      "ola",
      owner("<destroy jid='attic@rooms.example'><password>pw</password><reason>moved</reason></destroy>"),
    );
    expect(scene.hears("ola")).toEqual([
      "unavailable Ola none/none ola@host.example/pad destroyed attic@rooms.example pw moved [110]",
      "result q",
    ]);
    expect(scene.hears("bo")).toEqual([
      "unavailable Bo none/none bo@host.example/pad destroyed attic@rooms.example pw moved [110]",
    ]);
    expect(scene.hears("bo/phone")).toEqual([
      "unavailable Bo none/none bo@host.example/phone destroyed attic@rooms.example pw moved [110]",
    ]);
    expect(scene.isDestroyed).toBe(true);
  });

  test("without a word, and by whoever runs the server", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.destroy());
    expect(scene.hears("vi")).toEqual(["unavailable Vi none/none vi@host.example/pad destroyed [110]"]);
    expect(scene.room.isDestroyed).toBe(true);
  });
});

test("XEP-0045 §6.4: what a room says of itself", () => {
  const { features, forms } = withPeople({ description: "Tea", language: "en", slowMode: 5 }).room.info();
  expect(features).toEqual(
    expect.arrayContaining([
      "http://jabber.org/protocol/muc",
      "http://jabber.org/protocol/muc#stable_id",
      "urn:xmpp:occupant-id:0",
      "http://jabber.org/protocol/muc#self-ping-optimization",
      "jabber:iq:register",
    ]),
  );
  const value = (name: string) => forms[0] && fieldValue(forms[0], name);
  expect(value("muc#roominfo_description")).toBe("Tea");
  expect(value("muc#roominfo_occupants")).toBe("5");
  expect(value("muc#roominfo_lang")).toBe("en");
  expect(value("muc#roominfo_slow_mode_duration")).toBe("5");
  expect(new RoomScene().room.info().identities).toEqual([{ category: "conference", type: "text" }]);
});

test("a room that is made without anybody in it: opened, kept, and had back", () => {
  const scene = new RoomScene({ configuration: { name: "Den" }, locked: true });
  scene.carryOut(scene.room.unlock().slice(1));
  const room = Room.restore(scene.options, JSON.parse(JSON.stringify(scene.room.snapshot())));
  expect(room).toMatchObject({ isLocked: false, isEmpty: true, occupantCount: 0, configuration: { name: "Den" } });
  expect(room.affiliationOf(client("ola"))).toBe("owner");
});
