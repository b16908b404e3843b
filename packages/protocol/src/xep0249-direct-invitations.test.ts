import { expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import { DirectInvitationPayload } from "./xep0249-direct-invitations.ts";
import { parseElement } from "./xml/read.ts";

const NS = "xmlns='jabber:x:conference'";
const ROOM = parseJid("den@rooms.example");

test("XEP-0249 §2: an invitation with everything in it", () => {
  const x = parseElement(
    `<x ${NS} jid='den@rooms.example' password='pw' reason='tea &amp; talk' continue='true' thread='e0f'/>`,
  );
  const invitation = { room: ROOM, password: "pw", reason: "tea & talk", continues: { thread: "e0f" } };
  expect(DirectInvitationPayload.parse(x)).toEqual(invitation);
  expect(DirectInvitationPayload.build(invitation)).toEqual(x);
});

test("XEP-0249 §2: an invitation and nothing else", () => {
  const x = parseElement(`<x ${NS} jid='den@rooms.example'/>`);
  expect(DirectInvitationPayload.parse(x)).toEqual({
    room: ROOM,
    password: undefined,
    reason: undefined,
    continues: undefined,
  });
  expect(DirectInvitationPayload.build({ room: ROOM })).toEqual(x);
});

test.each([
  ["1", true],
  ["true", true],
  ["0", false],
  ["false", false],
  ["yes", false],
])("XEP-0249 §2: continue='%s'", (value, continues) => {
  const x = parseElement(`<x ${NS} jid='den@rooms.example' continue='${value}' thread='t'/>`);
  expect(DirectInvitationPayload.parse(x).continues).toEqual(continues ? { thread: "t" } : undefined);
});

test("XEP-0249 §2: a room has no resourcepart", () => {
  expect(DirectInvitationPayload.parse(parseElement(`<x ${NS} jid='den@rooms.example/Ana'/>`)).room).toEqual(ROOM);
});

test.each([
  ["bad-request", `<x ${NS}/>`],
  ["jid-malformed", `<x ${NS} jid=''/>`],
  ["jid-malformed", `<x ${NS} jid='@rooms.example'/>`],
])("XEP-0249 §2: %s for %s", (condition, xml) => {
  expect(() => DirectInvitationPayload.parse(parseElement(xml))).toThrow(expect.objectContaining({ condition }));
});
