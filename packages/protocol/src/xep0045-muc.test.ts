import { expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import { type HistoryRequest, MucJoin } from "./xep0045-muc.ts";
import { AdminGet, AdminResult, AdminSet, MAX_CHANGES } from "./xep0045-muc-admin.ts";
import { OwnerGet, OwnerResult, OwnerSet } from "./xep0045-muc-owner.ts";
import { type MucUser, MucUserPayload } from "./xep0045-muc-user.ts";
import { isStatusCode, MUC_STATUS } from "./xep0045-status.ts";
import { parseElement } from "./xml/read.ts";

const JOIN = "xmlns='http://jabber.org/protocol/muc'";
const USER = "xmlns='http://jabber.org/protocol/muc#user'";
const ADMIN = "xmlns='http://jabber.org/protocol/muc#admin'";
const OWNER = "xmlns='http://jabber.org/protocol/muc#owner'";
const bad = (condition = "bad-request") => expect.objectContaining({ condition });

test("XEP-0045 §7.2.1, §7.2.5: <x/> by which a room is entered, with a password and without", () => {
  const empty = parseElement(`<x ${JOIN}/>`);
  expect(MucJoin.parse(empty)).toEqual({ password: undefined, history: undefined });
  expect(MucJoin.build({})).toEqual(empty);
  const secret = parseElement(`<x ${JOIN}><password>open &amp; sesame</password></x>`);
  expect(MucJoin.parse(secret).password).toBe("open & sesame");
  expect(MucJoin.build({ password: "open & sesame" })).toEqual(secret);
});

test.each<[string, string, HistoryRequest]>([
  ["maxchars", "maxchars='65000'", { maxChars: 65_000 }],
  ["maxchars, none at all", "maxchars='0'", { maxChars: 0 }],
  ["maxstanzas", "maxstanzas='20'", { maxStanzas: 20 }],
  ["seconds", "seconds='180'", { seconds: 180 }],
  ["since", "since='2002-10-13T23:58:37Z'", { since: Date.UTC(2002, 9, 13, 23, 58, 37) }],
  [
    "all of them",
    "maxchars='1' maxstanzas='2' seconds='3' since='1970-01-01T00:00:00Z'",
    { maxChars: 1, maxStanzas: 2, seconds: 3, since: 0 },
  ],
])("XEP-0045 §7.2.14: table 8: %s", (_, attributes, history) => {
  const x = parseElement(`<x ${JOIN}><history ${attributes}/></x>`);
  expect(MucJoin.parse(x).history).toEqual({
    maxChars: undefined,
    maxStanzas: undefined,
    seconds: undefined,
    since: undefined,
    ...history,
  });
  expect(MucJoin.build({ history })).toEqual(x);
});

test.each(["-1", "", "1e3", "9999999999", "0x10", "many", "1".repeat(5000)])(
  "XEP-0045 §7.2.14: a limit of %s is none",
  (value) => {
    const x = parseElement(
      `<x ${JOIN}><history maxchars='${value}' maxstanzas='${value}' seconds='${value}' since='${value}'/></x>`,
    );
    expect(MucJoin.parse(x).history).toEqual({
      maxChars: undefined,
      maxStanzas: undefined,
      seconds: undefined,
      since: undefined,
    });
  },
);

test("XEP-0045 §7.2.2, §7.6, §8.2: an item with everything in it, and statuses", () => {
  const x = parseElement(
    `<x ${USER}><item affiliation='member' role='none' jid='ana@host.example/pad' nick='Ana2'><actor jid='bo@host.example' nick='Bo'/>` +
      `<continue thread='t1'/><reason>no &lt;noise/&gt;</reason></item><status code='110'/><status code='307'/><status code='999'/></x>`,
  );
  const value: MucUser = {
    items: [
      {
        affiliation: "member",
        role: "none",
        jid: parseJid("ana@host.example/pad"),
        nick: "Ana2",
        actor: { jid: parseJid("bo@host.example"), nick: "Bo" },
        continues: { thread: "t1" },
        reason: "no <noise/>",
      },
    ],
    statuses: [110, 307, 999],
  };
  expect(MucUserPayload.parse(x)).toEqual({
    ...value,
    invites: [],
    decline: undefined,
    destroy: undefined,
    password: undefined,
  });
  expect(MucUserPayload.build(value)).toEqual(x);
});

test("XEP-0045 §7.2.2: an item that says little, and one with an actor of whom nothing is said", () => {
  const x = parseElement(`<x ${USER}><item role='visitor'/><item nick=''><actor/><continue/></item></x>`);
  expect(MucUserPayload.parse(x).items).toMatchObject([
    {
      affiliation: undefined,
      role: "visitor",
      jid: undefined,
      actor: undefined,
      reason: undefined,
      continues: undefined,
    },
    { nick: "", actor: { jid: undefined, nick: undefined }, continues: { thread: undefined } },
  ]);
  expect(MucUserPayload.build({ items: [{ role: "visitor" }, { nick: "", actor: {}, continues: {} }] })).toEqual(x);
});

test("XEP-0045 §7.8.2, §7.9: invitations, to the room and from it", () => {
  const x = parseElement(
    `<x ${USER}><invite to='cy@host.example'><reason>come</reason><continue thread='e0f'/></invite>` +
      `<invite from='ana@host.example/pad'><continue/></invite><invite/><password>pw</password></x>`,
  );
  const value: MucUser = {
    invites: [
      { to: parseJid("cy@host.example"), reason: "come", continues: { thread: "e0f" } },
      { from: parseJid("ana@host.example/pad"), continues: {} },
      {},
    ],
    password: "pw",
  };
  expect(MucUserPayload.build(value)).toEqual(x);
  expect(MucUserPayload.parse(x)).toMatchObject({
    invites: [
      { to: parseJid("cy@host.example"), from: undefined, reason: "come", continues: { thread: "e0f" } },
      { to: undefined, from: parseJid("ana@host.example/pad"), continues: { thread: undefined } },
      { to: undefined, from: undefined, reason: undefined, continues: undefined },
    ],
    password: "pw",
  });
});

test("XEP-0045 §7.8.2, §10.9: a refusal, and a room that is no more", () => {
  const declined = parseElement(`<x ${USER}><decline to='ana@host.example'><reason>later</reason></decline></x>`);
  expect(MucUserPayload.parse(declined).decline).toEqual({
    to: parseJid("ana@host.example"),
    from: undefined,
    reason: "later",
  });
  expect(MucUserPayload.build({ decline: { to: parseJid("ana@host.example"), reason: "later" } })).toEqual(declined);
  const gone = parseElement(
    `<x ${USER}><destroy jid='den@rooms.example'><password>pw</password><reason>moved</reason></destroy></x>`,
  );
  const destroy = { alternate: parseJid("den@rooms.example"), password: "pw", reason: "moved" };
  expect(MucUserPayload.parse(gone).destroy).toEqual(destroy);
  expect(MucUserPayload.build({ destroy })).toEqual(gone);
  expect(MucUserPayload.build({ destroy: {} })).toEqual(parseElement(`<x ${USER}><destroy/></x>`));
});

test.each([
  ["bad-request", "<item affiliation='king'/>"],
  ["bad-request", "<item affiliation=''/>"],
  ["bad-request", "<item role='Moderator'/>"],
  ["bad-request", "<status/>"],
  ["bad-request", "<status code='99'/>"],
  ["bad-request", "<status code='1000'/>"],
  ["bad-request", "<status code='11O'/>"],
  ["jid-malformed", "<item jid='@'/>"],
  ["jid-malformed", "<item><actor jid='a@@b'/></item>"],
  ["jid-malformed", "<invite to=''/>"],
  ["jid-malformed", "<decline from='/'/>"],
  ["jid-malformed", "<destroy jid=' '/>"],
])("XEP-0045 §19.2: %s for %s", (condition, inside) => {
  expect(() => MucUserPayload.parse(parseElement(`<x ${USER}>${inside}</x>`))).toThrow(bad(condition));
});

test("XEP-0045 §16.6: every code that is registered, and none that is not", () => {
  const registered = [
    100, 101, 102, 103, 104, 110, 170, 171, 172, 173, 174, 201, 210, 301, 303, 307, 321, 322, 332, 333,
  ];
  expect(Object.keys(MUC_STATUS).map(Number)).toEqual(registered);
  for (const code of registered) expect(isStatusCode(code)).toBe(true);
  for (const code of [0, 99, 105, 200, 999, Number.NaN]) expect(isStatusCode(code)).toBe(false);
});

test("XEP-0045 §8.5, §9.2: a list is asked for", () => {
  const voices = parseElement(`<query ${ADMIN}><item role='participant'/></query>`);
  expect(AdminGet.parse(voices)).toEqual({ of: "role", role: "participant" });
  expect(AdminGet.build({ of: "role", role: "participant" })).toEqual(voices);
  const bans = parseElement(`<query ${ADMIN}><item affiliation='outcast'/></query>`);
  expect(AdminGet.parse(bans)).toEqual({ of: "affiliation", affiliation: "outcast" });
  expect(AdminGet.build({ of: "affiliation", affiliation: "outcast" })).toEqual(bans);
});

test.each([
  "",
  "<item/>",
  "<item role='visitor' affiliation='member'/>",
  "<item role='visitor'/><item role='moderator'/>",
])("XEP-0045 §8.5: no list is asked for by [%s]", (inside) => {
  expect(() => AdminGet.parse(parseElement(`<query ${ADMIN}>${inside}</query>`))).toThrow(bad());
});

test("XEP-0045 §8.2, §9.1, §9.5: changes of roles and affiliations", () => {
  const set = parseElement(
    `<query ${ADMIN}><item nick='Bo' role='none'><reason>out</reason></item><item affiliation='member' jid='cy@host.example' nick=''/></query>`,
  );
  const changes = [
    { of: "role" as const, nick: "Bo", role: "none" as const, reason: "out" },
    {
      of: "affiliation" as const,
      jid: parseJid("cy@host.example"),
      affiliation: "member" as const,
      nick: "",
      reason: undefined,
    },
  ];
  expect(AdminSet.parse(set)).toEqual(changes);
  expect(AdminSet.build(changes)).toEqual(set);
});

test.each([
  ["bad-request", ""],
  ["bad-request", "<item/>"],
  ["bad-request", "<item nick='Bo' role='none' affiliation='outcast'/>"],
  ["bad-request", "<item role='none'/>"],
  ["bad-request", "<item affiliation='outcast'/>"],
  ["bad-request", "<item nick='Bo' role='boss'/>"],
  ["jid-malformed", "<item jid='' affiliation='outcast'/>"],
  ["policy-violation", "<item nick='Bo' role='none'/>".repeat(MAX_CHANGES + 1)],
])("XEP-0045 §17.4: %s for a change that is none", (condition, inside) => {
  expect(() => AdminSet.parse(parseElement(`<query ${ADMIN}>${inside}</query>`))).toThrow(bad(condition));
});

test("XEP-0045 §9.5: a list is answered", () => {
  const items = [
    { affiliation: "member" as const, jid: parseJid("cy@host.example"), nick: "Cy" },
    { affiliation: "outcast" as const, jid: parseJid("host.example"), reason: "spam" },
  ];
  const result = parseElement(
    `<query ${ADMIN}><item affiliation='member' jid='cy@host.example' nick='Cy'/><item affiliation='outcast' jid='host.example'><reason>spam</reason></item></query>`,
  );
  expect(AdminResult.build(items)).toEqual(result);
  expect(AdminResult.parse(result)).toMatchObject(items);
  expect(AdminResult.parse(AdminResult.build([]))).toEqual([]);
});

test("XEP-0045 §10.1.3: the form is asked for and answered, or there is none", () => {
  const empty = parseElement(`<query ${OWNER}/>`);
  expect(OwnerGet.build(undefined)).toEqual(empty);
  expect(OwnerGet.parse(empty)).toBeUndefined();
  expect(OwnerResult.build(undefined)).toEqual(empty);
  expect(OwnerResult.parse(empty)).toBeUndefined();
  const form = { type: "form" as const, title: "Room", instructions: [], fields: [] };
  expect(OwnerResult.parse(OwnerResult.build(form))).toEqual(form);
});

test("XEP-0045 §10.1.2, §10.1.3, §10.9: an owner configures, cancels or destroys", () => {
  const instant = parseElement(`<query ${OWNER}><x xmlns='jabber:x:data' type='submit'/></query>`);
  const form = { type: "submit" as const, title: undefined, instructions: [], fields: [] };
  expect(OwnerSet.parse(instant)).toEqual({ do: "configure", form });
  expect(OwnerSet.build({ do: "configure", form })).toEqual(instant);
  const cancel = parseElement(`<query ${OWNER}><x xmlns='jabber:x:data' type='cancel'/></query>`);
  expect(OwnerSet.parse(cancel)).toEqual({ do: "cancel" });
  expect(OwnerSet.build({ do: "cancel" })).toEqual(cancel);
  const destroy = parseElement(
    `<query ${OWNER}><destroy jid='den@rooms.example'><password>pw</password><reason>moved</reason></destroy></query>`,
  );
  const destruction = { alternate: parseJid("den@rooms.example"), password: "pw", reason: "moved" };
  expect(OwnerSet.parse(destroy)).toEqual({ do: "destroy", destruction });
  expect(OwnerSet.build({ do: "destroy", destruction })).toEqual(destroy);
});

test.each([
  "",
  "<x/>",
  "<x xmlns='jabber:x:data' type='form'/>",
  "<x xmlns='jabber:x:data' type='result'/>",
  "<x xmlns='jabber:x:data'/>",
  "<destroy/><x xmlns='jabber:x:data' type='submit'/>",
])("XEP-0045 §10: nothing an owner could want: [%s]", (inside) => {
  expect(() => OwnerSet.parse(parseElement(`<query ${OWNER}>${inside}</query>`))).toThrow(bad());
});
