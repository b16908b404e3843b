import { childOf, type Element, FORM_MUC_REGISTER, FORM_MUC_REQUEST, Form, fieldValue } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { ADMIN, client, MUC, ROOM, RoomScene, submitted, USER } from "./test-room.ts";

const withPeople = (configuration = {}, limits = {}) => {
  const scene = new RoomScene({ configuration, limits });
  scene.affiliates({ ada: "admin", mem: "member" });
  for (const [name, nick] of [
    ["ola", "Ola"],
    ["ada", "Ada"],
    ["mem", "Mem"],
  ] as const)
    scene.enters(name, nick);
  return scene;
};

describe("XEP-0045 §7.8.2: invitations through the room", () => {
  const invite = (...names: string[]): string =>
    `<message to='${ROOM}' id='i1'><x ${USER}>${names.map((name) => `<invite to='${name}@host.example'><reason>come</reason><continue thread='t1'/></invite>`).join("")}</x></message>`;

  test("the room invites on behalf of the occupant; to an open room nobody becomes a member", () => {
    const scene = withPeople();
    scene.enters("bo", "Bo");
    scene.sends("bo", invite("cy", "dee"));
    const [told] = scene.stanzasFor("cy@host.example");
    expect(told?.attributes).toMatchObject({ from: ROOM, to: "cy@host.example", type: "normal" });
    const x = childOf(told as Element, "x", `${MUC}#user`) as Element;
    expect(childOf(childOf(x, "invite") as Element, "continue")?.attributes.thread).toBe("t1");
    expect(scene.hears("dee@host.example")).toEqual([`normal ${ROOM} invited by bo@host.example (come)`]);
    expect(scene.unheard).toEqual([]);
    expect(scene.room.affiliationOf(client("cy"))).toBe("none");
  });

  test("with the password where the room asks for one", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.configure({ isPasswordProtected: true, password: "sesame" }));
    scene.sends("ola", invite("cy"));
    expect(scene.hears("cy@host.example")).toEqual([
      `normal ${ROOM} invited by ola@host.example (come) password sesame`,
    ]);
  });

  test("§9.5: to a members-only room by an admin: whoever is invited is a member, and is told once", () => {
    const scene = withPeople({ isMembersOnly: true });
    scene.sends("ada", invite("cy", "mem"));
    expect(scene.hears("cy@host.example")).toEqual([`normal ${ROOM} invited by ada@host.example (come)`]);
    expect(scene.hears("mem@host.example")).toHaveLength(1);
    expect(scene.hears("ola")).toEqual([`normal ${ROOM} member/none cy@host.example`]);
    expect(scene.records.get(client("cy").bare)).toEqual({ affiliation: "member" });
  });

  test("§9.5: forbidden for a mere member, until the configuration says otherwise", () => {
    const scene = withPeople({ isMembersOnly: true });
    expect(scene.refusal("mem", invite("cy"))).toBe("forbidden");
    scene.carryOut(scene.room.configure({ allowInvites: true }));
    expect(scene.refusal("mem", invite("cy"))).toBe("none");
    expect(scene.room.affiliationOf(client("cy"))).toBe("member");
  });

  test("forbidden for whoever is not in the room, and for somebody who is banned", () => {
    const scene = withPeople();
    expect(scene.refusal("cy", invite("dee"))).toBe("forbidden");
    scene.affiliates({ dee: "outcast" });
    expect(scene.refusal("ola", invite("dee"))).toBe("forbidden");
  });

  test.each([
    ["bad-request", "<invite/>"],
    ["jid-malformed", "<invite to='@'/>"],
  ])("%s for %s", (condition, inside) => {
    expect(withPeople().refusal("ola", `<message to='${ROOM}'><x ${USER}>${inside}</x></message>`)).toBe(condition);
  });

  test("policy-violation for too many at once; resource-constraint where the room has no place for them", () => {
    const scene = withPeople({}, { invitations: 2 });
    expect(scene.refusal("ola", invite("a", "b", "c"))).toBe("policy-violation");
    const full = withPeople({ isMembersOnly: true }, { affiliations: 3 });
    expect(full.refusal("ola", invite("a"))).toBe("resource-constraint");
  });

  const decline = (to: string): string =>
    `<message to='${ROOM}'><x ${USER}><decline to='${to}'><reason>later</reason></decline></x></message>`;
  test.each(["ola@host.example", "ola@host.example/pad", `${ROOM}/Ola`])("declined: %s hears of it", (to) => {
    const scene = withPeople();
    scene.sends("cy", decline(to));
    expect(scene.hears("ola")).toEqual([`normal ${ROOM} declined by cy@host.example (later)`]);
    expect(scene.unheard).toEqual([]);
  });
  test("by whoever belongs to the room without being there too; by nobody else, nor from somebody who is banned", () => {
    const scene = withPeople();
    scene.affiliates({ al: "member", spam: "outcast" });
    scene.sends("cy", decline("al@host.example"));
    expect(scene.hears("al@host.example")).toEqual([`normal ${ROOM} declined by cy@host.example (later)`]);
    scene.sends("cy", decline("victim@host.example"));
    scene.sends("cy", decline(`${ROOM}/Nobody`));
    scene.sends("spam", decline("ola@host.example"));
    scene.sends("cy", `<message to='${ROOM}'><x ${USER}><decline/></x></message>`);
    expect(scene.unheard).toEqual([]);
  });
});

describe("XEP-0045 §7.13, §8.6: asking for voice", () => {
  const ask = `<message to='${ROOM}'>${submitted(FORM_MUC_REQUEST, { "muc#role": "participant" })}</message>`;
  const answer = (nick: string, allow: string, jid = "bo@host.example/pad"): string =>
    `<message to='${ROOM}'>${submitted(FORM_MUC_REQUEST, { "muc#role": "participant", "muc#jid": jid, "muc#roomnick": nick, "muc#request_allow": allow })}</message>`;
  const moderated = (configuration = {}) => {
    const scene = withPeople({ isModerated: true, ...configuration });
    scene.enters("bo", "Bo");
    return scene;
  };

  test("moderators are asked, and when one approves everybody sees it", () => {
    const scene = moderated();
    scene.sends("bo", ask);
    for (const name of ["ola", "ada"]) {
      const [asked] = scene.stanzasFor(name);
      const form = Form.parse(childOf(asked as Element, "x", "jabber:x:data") as Element);
      expect([form.type, fieldValue(form, "muc#jid"), fieldValue(form, "muc#roomnick")]).toEqual([
        "form",
        "bo@host.example/pad",
        "Bo",
      ]);
    }
    expect(scene.unheard).toEqual([]);
    scene.sends("ola", answer("Bo", "true"));
    expect(scene.hears("mem")).toEqual(["available Bo none/participant by Ola"]);
    // The other one approves too.
    scene.quiet();
    scene.sends("ada", answer("Bo", "1"));
    expect(scene.unheard).toEqual([]);
  });

  test("nothing happens where it is not granted, the form is cancelled, or the occupant is another one by now", () => {
    const scene = moderated();
    scene.sends("ola", answer("Bo", "0"));
    scene.sends("ola", answer("Nobody", "1"));
    scene.sends("ola", answer("Bo", "1", "cy@host.example"));
    scene.sends("ola", `<message to='${ROOM}'><x xmlns='jabber:x:data' type='cancel'/></message>`);
    expect(scene.unheard).toEqual([]);
    expect(scene.room.occupantOf(client("bo"))?.role).toBe("visitor");
  });

  test("whoever has voice needs none", () => {
    const scene = moderated();
    scene.sends("mem", ask);
    expect(scene.unheard).toEqual([]);
  });

  test("not-allowed where the configuration says so; resource-constraint (wait) for asking again at once", () => {
    expect(moderated({ allowVoiceRequests: false }).refusal("bo", ask)).toBe("not-allowed");
    const scene = moderated({ voiceRequestInterval: 60 });
    expect(scene.refusal("bo", ask)).toBe("none");
    scene.now += 59_999;
    expect(scene.refusal("bo", ask)).toBe("resource-constraint");
    scene.now += 1;
    expect(scene.refusal("bo", ask)).toBe("none");
  });

  test("forbidden to decide for whoever is no moderator, and to ask for whoever is not there; bad-request for another form", () => {
    const scene = moderated();
    expect(scene.refusal("bo", answer("Bo", "1"))).toBe("forbidden");
    expect(scene.refusal("cy", ask)).toBe("forbidden");
    expect(
      scene.refusal(
        "bo",
        `<message to='${ROOM}'>${submitted(FORM_MUC_REQUEST, { "muc#role": "moderator" })}</message>`,
      ),
    ).toBe("bad-request");
    expect(scene.refusal("bo", `<message to='${ROOM}'>${submitted("other", {})}</message>`)).toBe("bad-request");
  });
});

describe("XEP-0045 §7.10: registering a nickname", () => {
  const register = (nick: string): string =>
    `<query xmlns='jabber:iq:register'>${submitted(FORM_MUC_REGISTER, { "muc#register_roomnick": nick })}</query>`;
  const ASK = "<query xmlns='jabber:iq:register'/>";
  const REMOVE = "<query xmlns='jabber:iq:register'><remove/></query>";
  const answered = (scene: RoomScene, name: string): Element =>
    childOf(scene.stanzasFor(name)[0] as Element, "query", "jabber:iq:register") as Element;

  test("the form, then what is registered", () => {
    const scene = withPeople();
    scene.asks("cy", ASK, "get");
    const query = answered(scene, "cy");
    expect(childOf(query, "registered")).toBeUndefined();
    expect(childOf(query, "x", "jabber:x:data")).toBeDefined();
    scene.asks("cy", register("Cy"));
    expect(scene.hears("cy")).toEqual(["result q"]);
    expect(scene.records.get(client("cy").bare)).toEqual({ affiliation: "member", nick: "Cy" });
    scene.asks("cy", ASK, "get");
    const registered = answered(scene, "cy");
    expect(childOf(registered, "registered")).toBeDefined();
    expect(childOf(registered, "username")?.children).toEqual(["Cy"]);
  });

  test("whoever does it in the room is seen as a member; moderators hear of one who is not there", () => {
    const scene = withPeople();
    scene.enters("bo", "Bo");
    scene.asks("bo", register("Bo"));
    expect(scene.hears("bo")).toEqual(["result q", "available Bo member/participant bo@host.example/pad [110]"]);
    expect(scene.hears("mem")).toEqual(["available Bo member/participant"]);
    scene.quiet();
    scene.asks("cy", register("Cy"));
    expect(scene.hears("ola")).toEqual([`normal ${ROOM} member/none cy@host.example`]);
    expect(scene.hears("cy@host.example")).toEqual([]);
  });

  test("members register another nickname, owners stay owners", () => {
    const scene = withPeople();
    scene.asks("mem", register("Memo"));
    scene.asks("ola", register("Olga"));
    expect(scene.records.get(client("mem").bare)).toEqual({ affiliation: "member", nick: "Memo" });
    expect(scene.records.get(client("ola").bare)).toEqual({ affiliation: "owner", nick: "Olga" });
    scene.asks("ola", REMOVE);
    expect(scene.records.get(client("ola").bare)).toEqual({ affiliation: "owner" });
  });

  test("conflict with a nickname that is reserved or in use", () => {
    const scene = withPeople();
    scene.asks("mem", register("Memo"));
    expect(scene.refuses("cy", register("memo"))).toBe("conflict");
    expect(scene.refuses("cy", register("Ola"))).toBe("conflict");
  });

  test.each([
    ["bad-request", ASK],
    ["bad-request", "<query xmlns='jabber:iq:register'><username>Cy</username></query>"],
    ["bad-request", `<query xmlns='jabber:iq:register'>${submitted("other", {})}</query>`],
    ["bad-request", `<query xmlns='jabber:iq:register'>${submitted(FORM_MUC_REGISTER, {})}</query>`],
    ["bad-request", register("")],
    ["jid-malformed", register("  ")],
    ["not-acceptable", register("x".repeat(129))],
  ])("%s for %.80s", (condition, request) => {
    expect(withPeople().refuses("cy", request)).toBe(condition);
  });

  test("not-allowed where the configuration says so, for a stranger of a members-only room, and for the banned", () => {
    const closed = withPeople({ allowRegistration: false });
    expect(closed.refuses("cy", ASK, "get")).toBe("not-allowed");
    expect(closed.refuses("cy", register("Cy"))).toBe("not-allowed");
    expect(closed.refuses("mem", register("Memo"))).toBe("none");
    expect(withPeople({ isMembersOnly: true }).refuses("cy", register("Cy"))).toBe("not-allowed");
    const scene = withPeople();
    scene.affiliates({ cy: "outcast" });
    expect(scene.refuses("cy", register("Cy"))).toBe("not-allowed");
    const locked = new RoomScene({ locked: true });
    locked.enters("ola", "Ola");
    expect(locked.refuses("ola", register("Ola"))).toBe("not-allowed");
  });

  test("XEP-0077 §3.2: given up: a member is one no longer, and leaves a members-only room", () => {
    const scene = withPeople({ isMembersOnly: true });
    scene.asks("mem", register("Memo"));
    scene.quiet();
    scene.asks("mem", REMOVE);
    expect(scene.hears("mem")).toEqual(["unavailable Mem none/none mem@host.example/pad [110 321]", "result q"]);
    expect(scene.records.has(client("mem").bare)).toBe(false);
    expect(withPeople().refuses("cy", REMOVE)).toBe("registration-required");
  });
});

describe("XEP-0317: hats", () => {
  const HAT = { uri: "urn:example:host", title: "Host", hue: 10 };
  test("are in presence, for those who come later too, and last", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.setHats(client("mem").bare, [HAT]));
    const hats = (stanza: Element | undefined) => stanza && childOf(stanza, "hats", "urn:xmpp:hats:0")?.children.length;
    expect(hats(scene.stanzasFor("ola")[0])).toBe(1);
    expect(hats(scene.stanzasFor("mem")[0])).toBe(1);
    scene.sends("mem", `<presence to='${ROOM}/Mem' type='unavailable'/>`);
    expect(hats(scene.stanzasFor("ola")[0])).toBeUndefined();
    scene.enters("mem", "Mem");
    scene.sends("bo", `<presence to='${ROOM}/Bo'><x xmlns='${MUC}'/></presence>`);
    expect(scene.stanzasFor("bo").map(hats)).toEqual([undefined, undefined, 1, undefined, undefined]);
    expect(scene.room.hatsOf(client("mem").bare)).toEqual([HAT]);
    expect(scene.room.hatsOf(client("bo").bare)).toEqual([]);
  });

  test("stay when an affiliation changes, go with the last of them, and are worn by somebody who is nothing to the room", () => {
    const scene = withPeople();
    scene.carryOut(scene.room.setHats(client("cy").bare, [HAT]));
    scene.asks("ada", `<query ${ADMIN}><item jid='cy@host.example' affiliation='member'/></query>`);
    expect(scene.records.get(client("cy").bare)).toEqual({ affiliation: "member", hats: [HAT] });
    scene.asks("ada", `<query ${ADMIN}><item jid='cy@host.example' affiliation='none'/></query>`);
    expect(scene.records.get(client("cy").bare)).toEqual({ affiliation: "none", hats: [HAT] });
    scene.carryOut(scene.room.setHats(client("cy").bare, []));
    expect(scene.records.has(client("cy").bare)).toBe(false);
  });
});
