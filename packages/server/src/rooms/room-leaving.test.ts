import { childOf, type Element } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { client, MUC, ROOM, RoomScene, X } from "./test-room.ts";

const leave = (nick: string, inside = ""): string =>
  `<presence to='${ROOM}/${nick}' type='unavailable'>${inside}</presence>`;
const error = (kind: string, condition: string, to = ROOM): string =>
  `<${kind} to='${to}' type='error' id='e'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></${kind}>`;

const withPeople = (configuration = {}) => {
  const scene = new RoomScene({ configuration });
  scene.enters("ola", "Ola");
  scene.enters("bo", "Bo");
  scene.enters("vi", "Vi");
  return scene;
};

describe("XEP-0045 §7.6: another nickname", () => {
  const rename = (nick: string, inside = ""): string => `<presence to='${ROOM}/${nick}' id='n1'>${inside}</presence>`;

  test("everybody sees the old one go (303) and the new one come", () => {
    const scene = withPeople();
    scene.sends("bo", rename("Bob", "<show>chat</show>"));
    expect(scene.hears("ola")).toEqual([
      "unavailable Bo none/participant bo@host.example/pad ->Bob [303]",
      "available Bob none/participant bo@host.example/pad",
    ]);
    expect(scene.hears("vi")).toEqual([
      "unavailable Bo none/participant ->Bob [303]",
      "available Bob none/participant",
    ]);
    const own = scene.stanzasFor("bo");
    expect(own.map(({ attributes: { id } }) => id)).toEqual([undefined, "n1"]);
    expect(childOf(own[1] as Element, "show", "")).toBeDefined();
    expect(scene.room.occupantOf(client("bo"))).toMatchObject({ nick: "Bob", occupantId: "id-bo" });
  });

  test("§7.2.8: all clients under a nickname go along", () => {
    const scene = withPeople();
    scene.enters("bo/phone", "Bo");
    scene.sends("bo", rename("Bob"));
    expect(scene.hears("bo/phone")).toEqual([
      "unavailable Bo none/participant bo@host.example/phone ->Bob [110 303]",
      "available Bob none/participant bo@host.example/pad [110]",
    ]);
    expect(scene.room.clientsAt("Bob").map(({ full }) => full)).toEqual([
      "bo@host.example/pad",
      "bo@host.example/phone",
    ]);
    expect(scene.room.clientsAt("Bo")).toEqual([]);
  });

  test("conflict with somebody's nickname, with a reserved one, with another one of one's own", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.affiliate([{ account: client("cy").toBare(), affiliation: "member", nick: "Cy" }]));
    scene.enters("bo/phone", "Bobby");
    expect(scene.refusal("bo", rename("Vi"))).toBe("conflict");
    expect(scene.refusal("bo", rename("VI"))).toBe("conflict");
    expect(scene.refusal("bo", rename("Cy"))).toBe("conflict");
    expect(scene.refusal("bo", rename("Bobby"))).toBe("conflict");
  });

  test("one's own nickname may be written another way", () => {
    const scene = withPeople();
    scene.sends("bo", rename("BO"));
    expect(scene.hears("vi")).toEqual(["unavailable Bo none/participant ->BO [303]", "available BO none/participant"]);
  });

  test("not-acceptable where nicknames are locked down, or for one too long; jid-malformed for one that cannot be seen", () => {
    const scene = withPeople({ locksNicknames: true });
    expect(scene.refusal("bo", rename("x".repeat(200)))).toBe("not-acceptable");
    expect(scene.refusal("bo", rename(" "))).toBe("jid-malformed");
    scene.carryOut(scene.room.affiliate([{ account: client("bo").toBare(), affiliation: "member", nick: "Bo" }]));
    expect(scene.refusal("bo", rename("Bob"))).toBe("not-acceptable/cancel");
    expect(scene.refusal("vi", rename("Viv"))).toBe("none");
  });

  test("table 3: not-allowed for visitors where the configuration says so", () => {
    const scene = withPeople({ isModerated: true, allowVisitorNickChange: false });
    expect(scene.refusal("bo", rename("Bob"))).toBe("not-allowed");
    expect(scene.refusal("ola", rename("Olga"))).toBe("none");
  });

  test("somebody whose presence is not shown changes nicknames unseen", () => {
    const scene = withPeople({ isModerated: true, presenceBroadcast: ["moderator"] });
    scene.sends("bo", rename("Bob"));
    expect(scene.hears("ola")).toEqual([]);
    expect(scene.hears("bo")).toHaveLength(2);
  });
});

describe("XEP-0045 §7.7: availability", () => {
  test("everybody sees it, the sender with its id", () => {
    const scene = withPeople();
    scene.sends("bo", `<presence to='${ROOM}/Bo' id='a1'><show>xa</show><status>out</status></presence>`);
    expect(scene.hears("ola")).toEqual(['available Bo none/participant bo@host.example/pad "out"']);
    expect(scene.hears("vi")).toEqual(['available Bo none/participant "out"']);
    const [own] = scene.stanzasFor("bo");
    expect(own?.attributes.id).toBe("a1");
  });

  test("§7.2.8: of a client that does not stand for its occupant, it alone", () => {
    const scene = withPeople();
    scene.enters("bo/phone", "Bo", `${X}<priority>-1</priority>`);
    scene.sends("bo/phone", `<presence to='${ROOM}/Bo'><priority>-1</priority><show>xa</show></presence>`);
    expect(scene.hears("bo/phone")).toHaveLength(1);
    expect(scene.unheard).toEqual([]);
    scene.sends("bo/phone", `<presence to='${ROOM}/Bo'><priority>5</priority></presence>`);
    expect(scene.hears("vi")).toHaveLength(1);
    expect(scene.hears("bo")).toEqual(["available Bo none/participant bo@host.example/phone [110]"]);
  });

  test("table 3: a visitor's status is not shown where the configuration says so", () => {
    const scene = withPeople({ isModerated: true, allowVisitorStatus: false });
    scene.sends("bo", `<presence to='${ROOM}/Bo'><show>away</show><status>buy!</status></presence>`);
    expect(scene.hears("vi")).toEqual(["available Bo none/visitor"]);
    scene.sends("bo", leave("Bo", "<status>buy!</status>"));
    expect(scene.hears("vi")).toEqual(["unavailable Bo none/none"]);
  });

  test("what is no longer to be shown ends for the others, and may begin again", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.configure({ presenceBroadcast: ["moderator"] }));
    scene.quiet();
    scene.sends("bo", `<presence to='${ROOM}/Bo'><show>away</show></presence>`);
    expect(scene.hears("vi")).toEqual(["unavailable Bo none/none"]);
    expect(scene.hears("bo")).toEqual(["available Bo none/participant bo@host.example/pad [110]"]);
    scene.carryOut(scene.room.configure({ presenceBroadcast: ["moderator", "participant"] }));
    scene.quiet();
    scene.sends("bo", `<presence to='${ROOM}/Bo'/>`);
    expect(scene.hears("vi")).toEqual(["available Bo none/participant"]);
  });
});

describe("XEP-0045 §7.14: leaving", () => {
  test("oneself first (110), then the others, with a last word", () => {
    const scene = withPeople();
    scene.sends("bo", leave("Bo", "<status>bye</status>"));
    expect(scene.hears("bo")).toEqual(['unavailable Bo none/none bo@host.example/pad [110] "bye"']);
    expect(scene.hears("ola")).toEqual(['unavailable Bo none/none bo@host.example/pad "bye"']);
    expect(scene.hears("vi")).toEqual(['unavailable Bo none/none "bye"']);
    expect(scene.room.occupantOf(client("bo"))).toBeUndefined();
  });

  test("§17.3: of somebody who is not there it is not minded", () => {
    const scene = withPeople();
    scene.sends("cy", leave("Bo"));
    scene.sends("bo/phone", leave("Bo"));
    expect(scene.unheard).toEqual([]);
    expect(scene.room.occupantCount).toBe(3);
  });

  test.each(["probe", "subscribe", "subscribed", "unsubscribe", "unsubscribed"])(
    "§17.3: %s neither enters nor leaves",
    (type) => {
      const scene = withPeople();
      for (const name of ["bo", "cy"]) scene.sends(name, `<presence to='${ROOM}/Bo' type='${type}'>${X}</presence>`);
      expect(scene.unheard).toEqual([]);
      expect(scene.room.occupantCount).toBe(3);
    },
  );

  test("a temporary room ends with its last occupant, a persistent one does not", () => {
    for (const isPersistent of [true, false]) {
      const scene = new RoomScene({ configuration: { isPersistent } });
      scene.enters("ola", "Ola");
      scene.enters("ola/phone", "Ola");
      scene.sends("ola", leave("Ola"));
      expect(scene.isDestroyed).toBe(false);
      scene.sends("ola/phone", leave("Ola"));
      expect(scene.isDestroyed).toBe(!isPersistent);
      expect(scene.room.isDestroyed).toBe(!isPersistent);
      expect(scene.room.isEmpty).toBe(true);
    }
  });

  test("§10.1.3: a room whose owner leaves before it was configured is no more, and the owner is told so", () => {
    const scene = new RoomScene({ locked: true });
    scene.enters("ola", "Ola");
    scene.sends("ola", leave("Ola"));
    expect(scene.hears("ola")).toEqual(["unavailable Ola owner/none ola@host.example/pad destroyed [110]"]);
    expect(scene.isDestroyed).toBe(true);
    expect(scene.room.receive(scene.stanza("ola", leave("Ola")), 0)).toEqual([]);
  });

  test("§5.1: a voice that was given or taken is the same on coming back", () => {
    const scene = withPeople({ isModerated: true });
    scene.affiliates({ mo: "member" });
    scene.enters("mo", "Mo");
    scene.asks(
      "ola",
      `<query xmlns='${MUC}#admin'><item nick='Bo' role='participant'/><item nick='Mo' role='visitor'/></query>`,
    );
    for (const [name, nick] of [
      ["bo", "Bo"],
      ["mo", "Mo"],
    ] as const) {
      scene.sends(name, leave(nick));
      scene.enters(name, nick);
    }
    expect(scene.room.occupantOf(client("bo"))?.role).toBe("participant");
    expect(scene.room.occupantOf(client("mo"))?.role).toBe("visitor");
    scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='Mo' role='participant'/></query>`);
    expect(scene.records.get(client("mo").bare)).not.toHaveProperty("voice", "revoked");
  });

  test("of strangers not everything is remembered", () => {
    const scene = new RoomScene({ configuration: { isModerated: true }, limits: { remembered: 2 } });
    scene.enters("ola", "Ola");
    for (const name of ["a", "b", "c"]) {
      scene.enters(name, name);
      scene.asks("ola", `<query xmlns='${MUC}#admin'><item nick='${name}' role='participant'/></query>`);
    }
    expect([...scene.records.keys()]).toEqual(["ola@host.example", "b@host.example", "c@host.example"]);
  });
});

describe("XEP-0045 §18.1.2, §11.1: ghosts", () => {
  const GHOSTLY = [
    "gone",
    "item-not-found",
    "recipient-unavailable",
    "redirect",
    "remote-server-not-found",
    "remote-server-timeout",
  ];
  test.each(GHOSTLY)("a client whose server answers %s to a message is removed (333)", (condition) => {
    const scene = withPeople();
    scene.sends("bo", error("message", condition));
    expect(scene.hears("vi")).toEqual(["unavailable Bo none/none [333]"]);
    expect(scene.hears("bo")).toEqual(["unavailable Bo none/none bo@host.example/pad [110 333]"]);
  });
  test.each(GHOSTLY)("and to presence: %s", (condition) => {
    const scene = withPeople();
    scene.sends("bo", error("presence", condition, `${ROOM}/Vi`));
    expect(scene.hears("ola")).toEqual(["unavailable Bo none/none bo@host.example/pad [333]"]);
  });
  test.each(["not-allowed", "service-unavailable", "forbidden", "nonsense"])("not for %s", (condition) => {
    const scene = withPeople();
    scene.sends("bo", error("message", condition));
    scene.sends("bo", error("presence", condition));
    expect(scene.unheard).toEqual([]);
    expect(scene.room.occupantCount).toBe(3);
  });
  test("of somebody who is not there nothing is minded", () => {
    const scene = withPeople();
    scene.sends("cy", error("message", "gone"));
    scene.sends("cy", error("presence", "gone"));
    scene.sends("bo/phone", error("message", "gone", `${ROOM}/Vi`));
    expect(scene.room.occupantCount).toBe(3);
  });
  test("by the service: a client is gone, or cannot be reached", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.remove(client("bo").full, "gone"));
    expect(scene.hears("vi")).toEqual(["unavailable Bo none/none"]);
    scene.carryOut(scene.room.remove(client("vi").full, "error"));
    expect(scene.hears("ola")).toEqual([
      "unavailable Bo none/none bo@host.example/pad",
      "unavailable Vi none/none vi@host.example/pad [333]",
    ]);
    expect(scene.room.remove(client("vi").full, "gone")).toEqual([]);
  });
});

test("XEP-0045 §11.2: when the service ends everybody is told of themselves (332)", () => {
  const scene = withPeople();
  scene.enters("bo/phone", "Bo");
  scene.carryOut(scene.room.shutDown());
  expect(scene.hears("ola")).toEqual(["unavailable Ola owner/none ola@host.example/pad [110 332]"]);
  expect(scene.hears("bo")).toEqual(["unavailable Bo none/none bo@host.example/pad [110 332]"]);
  expect(scene.hears("bo/phone")).toEqual(["unavailable Bo none/none bo@host.example/phone [110 332]"]);
  expect(scene.room.isEmpty).toBe(true);
});
