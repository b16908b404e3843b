import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import { type Message, readStanza, writeStanza } from "./stanza.ts";
import {
  type CarbonDirection,
  carbonOf,
  DisableCarbons,
  EnableCarbons,
  isEligibleForCarbons,
  privateCarbon,
  readCarbon,
} from "./xep0280-carbons.ts";
import { parseElement, parseRaw, readElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:carbons:2'";
const ACCOUNT = parseJid("mira@attic.example");
const PHONE = parseJid("mira@attic.example/phone");
const parse = (xml: string): Message => readStanza(parseRaw(toBytes(xml))) as Message;
const message = (
  children: string,
  type = "normal",
  from = "tom@example.net/pad",
  to = "mira@attic.example/desk",
): Message => parse(`<message from='${from}' to='${to}' type='${type}' id='m'>${children}</message>`);

test("XEP-0280 §4, §5, §9: requests, and the wish for no copies", () => {
  expect(EnableCarbons.build(EnableCarbons.parse(parseElement(`<enable ${NS}/>`)))).toEqual(
    parseElement(`<enable ${NS}/>`),
  );
  expect(DisableCarbons.build(DisableCarbons.parse(parseElement(`<disable ${NS}/>`)))).toEqual(
    parseElement(`<disable ${NS}/>`),
  );
  expect(privateCarbon).toEqual(parseElement(`<private ${NS}/>`));
});

test.each(["received", "sent"] as const)("XEP-0280 §7, §8: a copy of what was %s", (direction) => {
  const original = message("<body>come &amp; see</body><thread>t</thread>", "chat");
  const copy = carbonOf(original, direction, ACCOUNT, PHONE);
  expect(readElement(parseRaw(writeStanza(copy)))).toEqual(
    parseElement(
      `<message from='mira@attic.example' to='mira@attic.example/phone' type='chat'><${direction} ${NS}>
        <forwarded xmlns='urn:xmpp:forward:0'>
          <message xmlns='jabber:client' from='tom@example.net/pad' to='mira@attic.example/desk' type='chat' id='m'><body>come &amp; see</body><thread>t</thread></message>
        </forwarded></${direction}></message>`.replace(/>\s+</g, "><"),
    ),
  );
  const read = readCarbon(parse(writeStanza(copy)), ACCOUNT);
  expect(read?.direction).toBe(direction);
  expect(read && writeStanza(read.stanza)).toBe(writeStanza(original));
});

describe("XEP-0280 §11: a copy is believed only from one's own account", () => {
  const inside = `<received ${NS}><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='tom@example.net/pad'><body>x</body></message></forwarded></received>`;

  test("or from the server, which stands for it", () => {
    expect(readCarbon(parse(`<message from='mira@attic.example'>${inside}</message>`), PHONE)?.stanza.from?.full).toBe(
      "tom@example.net/pad",
    );
    expect(readCarbon(parse(`<message>${inside}</message>`), ACCOUNT)).toBeDefined();
  });

  test.each([
    `<message from='tybalt@example.net'>${inside}</message>`,
    `<message from='mira@attic.example/desk'>${inside}</message>`,
    `<message from='attic.example'>${inside}</message>`,
    `<message from='mira@attic.example' type='error'>${inside}</message>`,
    "<message from='mira@attic.example'><body>x</body></message>",
    `<message from='mira@attic.example'><received ${NS}/></message>`,
    `<message from='mira@attic.example'><received ${NS}><forwarded xmlns='urn:xmpp:forward:0'/></received></message>`,
    `<message from='mira@attic.example'><sent ${NS}><forwarded xmlns='urn:xmpp:forward:0'><presence xmlns='jabber:client'/></forwarded></sent></message>`,
    `<message from='mira@attic.example'><sent ${NS}><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/><message xmlns='jabber:client'/></forwarded></sent></message>`,
  ])("not %s", (xml) => {
    expect(readCarbon(parse(xml), ACCOUNT)).toBeUndefined();
  });
});

const BODY = "<body>x</body>";
const MARK = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
const INVITATION = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@example.net'/></x>";
const OCCUPANT = "loft@rooms.example/Tom";

const eligible = (message: Message): Record<CarbonDirection, boolean> => ({
  received: isEligibleForCarbons(message, "received"),
  sent: isEligibleForCarbons(message, "sent"),
});

test.each([
  ["of type chat", "", "chat"],
  ["of type normal with a body", BODY, "normal"],
  ["with a receipt asked for", "<request xmlns='urn:xmpp:receipts'/>", "normal"],
  ["with a receipt", "<received xmlns='urn:xmpp:receipts' id='1'/>", "headline"],
  ["with a chat state", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", "normal"],
  ["with a marker asked for", "<markable xmlns='urn:xmpp:chat-markers:0'/>", "normal"],
  ["with a marker", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "normal"],
  ["that answers one with a body by an error", `${BODY}<error type='cancel'/>`, "error"],
  [
    "that answers one with a chat state by an error",
    "<active xmlns='http://jabber.org/protocol/chatstates'/><error type='cancel'/>",
    "error",
  ],
  ["that is an error and repeats nothing", "<error type='cancel'/>", "error"],
  ["with a direct invitation", "<x xmlns='jabber:x:conference' jid='loft@rooms.example'/>", "normal"],
  ["with a mediated invitation", INVITATION, "normal"],
])("XEP-0280 §6.1: a message %s is copied", (_, children, type) => {
  expect(eligible(message(children, type))).toEqual({ received: true, sent: true });
});

test.each([
  ["of type normal with nothing", "", "normal"],
  ["of type normal with something else", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", "normal"],
  ["of type headline", BODY, "headline"],
  ["of type groupchat", `${BODY}<active xmlns='http://jabber.org/protocol/chatstates'/>`, "groupchat"],
  [
    "that answers something else by an error",
    "<event xmlns='http://jabber.org/protocol/pubsub#event'/><error type='cancel'/>",
    "error",
  ],
])("XEP-0280 §6.1: a message %s is not copied", (_, children, type) => {
  expect(eligible(message(children, type))).toEqual({ received: false, sent: false });
});

test.each([
  ["chat", `${BODY}<private ${NS}/>`],
  ["chat", `${BODY}<no-copy xmlns='urn:xmpp:hints'/>`],
  ["error", `${BODY}<private ${NS}/><error type='cancel'/>`],
  ["error", `${BODY}<no-copy xmlns='urn:xmpp:hints'/><error type='cancel'/>`],
  ["normal", `${INVITATION}<private ${NS}/>`],
])("XEP-0280 §9: type %s, meant for one client: %s", (type, children) => {
  expect(eligible(message(children, type))).toEqual({ received: false, sent: false });
});

test("XEP-0280 §6.1: a private message to an occupant is copied, one from an occupant the room has copied", () => {
  const sent = message(BODY + MARK, "chat", "mira@attic.example/desk", OCCUPANT);
  const received = message(BODY + MARK, "chat", OCCUPANT);
  expect(isEligibleForCarbons(sent, "sent")).toBe(true);
  expect(isEligibleForCarbons(received, "received")).toBe(false);
});

test("XEP-0280 §6.1: with a room's mark but from the room itself, other rules hold", () => {
  expect(isEligibleForCarbons(message(MARK, "normal", "loft@rooms.example"), "received")).toBe(false);
  expect(isEligibleForCarbons(message(BODY + MARK, "normal", "loft@rooms.example"), "received")).toBe(true);
  expect(isEligibleForCarbons(parse(`<message type='chat'>${MARK}</message>`), "sent")).toBe(true);
});
