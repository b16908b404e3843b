import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import { type Message, readStanza, type Stanza } from "./stanza.ts";
import { carbonOf } from "./xep0280-carbons.ts";
import { clientStateOf, csiFeature, deferrableAs, writeClientState } from "./xep0352-csi.ts";
import { parseElement, parseRaw, readElement } from "./xml/read.ts";

const stanza = (xml: string): Stanza => readStanza(parseRaw(toBytes(xml)));
const ACCOUNT = parseJid("mira@attic.example");
const PHONE = "mira@attic.example/phone";
const message = (children: string, from = "tom@example.net/pad", type = "chat", to = PHONE): Message =>
  stanza(`<message from='${from}' to='${to}' type='${type}'>${children}</message>`) as Message;
const presence = (attributes = "", children = "", from = "tom@example.net/pad"): Stanza =>
  stanza(`<presence from='${from}' to='${PHONE}' ${attributes}>${children}</presence>`);
const STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
const PAUSED = "<paused xmlns='http://jabber.org/protocol/chatstates'/>";
const event = (inside: string): string => `<event xmlns='http://jabber.org/protocol/pubsub#event'>${inside}</event>`;
const items = (node: string, ...ids: readonly string[]): string =>
  event(`<items node='${node}'>${ids.map((id) => `<item id='${id}'/>`).join("")}</items>`);

test("XEP-0352 §4.1: the stream feature", () => {
  expect(csiFeature).toEqual(parseElement("<csi xmlns='urn:xmpp:csi:0'/>"));
});

test.each(["active", "inactive"] as const)("XEP-0352 §4.2: <%s/>", (state) => {
  const raw = parseRaw(writeClientState(state));
  expect(readElement(raw)).toEqual(parseElement(`<${state} xmlns='urn:xmpp:csi:0'/>`));
  expect(clientStateOf(raw)).toBe(state);
});

test.each(["<active/>", "<inactive xmlns='urn:xmpp:csi:1'/>", "<csi xmlns='urn:xmpp:csi:0'/>"])(
  "XEP-0352 §4.2: %s tells no state",
  (xml) => {
    expect(clientStateOf(parseRaw(toBytes(xml)))).toBeUndefined();
  },
);

test.each([
  ["a message with a body", message("<body>x</body>")],
  ["one with a body and a state", message(`<body>x</body>${STATE}`)],
  ["one with a body and an event", message(`<body>x</body>${items("n", "1")}`)],
  ["an encrypted one", message("<encrypted xmlns='eu.siacs.conversations.axolotl'/>")],
  ["a room's new subject", message("<subject>x</subject>", "loft@rooms.example/Tom", "groupchat")],
  ["an error", message(`${STATE}<error type='cancel'/>`, "tom@example.net/pad", "error")],
  ["news of a node itself", message(event("<delete node='n'/>"))],
  ["news without an id", message(event("<items node='n'><item><tune xmlns='urn:example:tune'/></item></items>"))],
  ["an IQ", stanza("<iq id='1' type='get' from='tom@example.net/pad'><ping xmlns='urn:xmpp:ping'/></iq>")],
  ["a request for subscription", presence("type='subscribe'")],
  ["an error of presence", presence("type='error'")],
  [
    "one's own presence in a room",
    presence(
      "",
      "<x xmlns='http://jabber.org/protocol/muc#user'><item/><status code='110'/></x>",
      "loft@rooms.example/Mira",
    ),
  ],
])("XEP-0352 §3.2: %s cannot wait", (_, urgent) => {
  expect(deferrableAs(urgent)).toBeUndefined();
});

describe("XEP-0352 §3.2: what can wait, and which of it takes another's place", () => {
  test.each([
    ["presence of the same resource", presence(), presence("type='unavailable'")],
    ["presence of the same occupant", presence("", "<x xmlns='http://jabber.org/protocol/muc#user'/>"), presence()],
    ["presence of nobody", stanza("<presence/>"), stanza("<presence type='unavailable'/>")],
    ["chat states of the same client", message(STATE), message(PAUSED)],
    [
      "chat states, to whichever of one's resources",
      message(STATE),
      message(PAUSED, undefined, undefined, "mira@attic.example"),
    ],
    [
      "the same item, published and published again",
      message(items("n", "1")),
      message(items("n", "1"), undefined, "headline"),
    ],
    [
      "the same item, published and retracted",
      message(items("n", "1")),
      message(event("<items node='n'><retract id='1'/></items>")),
    ],
    [
      "items that have no id",
      message(event("<items node='n'><item/></items>")),
      message(event("<items node='n'><item/></items>")),
    ],
    [
      "the same receipt",
      message("<received xmlns='urn:xmpp:receipts' id='1'/>"),
      message("<received xmlns='urn:xmpp:receipts' id='1'/>"),
    ],
    [
      "copies of chat states of the same client",
      carbonOf(message(STATE), "received", ACCOUNT, parseJid(PHONE)),
      carbonOf(message(PAUSED), "received", ACCOUNT, parseJid(PHONE)),
    ],
  ])("%s", (_, earlier, later) => {
    expect(deferrableAs(earlier)).toBeTypeOf("string");
    expect(deferrableAs(later)).toBe(deferrableAs(earlier));
  });

  test("nothing else takes anything's place", () => {
    const apart = [
      presence(),
      presence("", "", "tom@example.net/desk"),
      presence("", "", "tom@example.net"),
      message(STATE),
      message(STATE, "tom@example.net/desk"),
      message(STATE, "loft@rooms.example/Tom", "groupchat"),
      message(items("n", "1")),
      message(items("n", "2")),
      message(items("n", "1", "2")),
      message(items("n", "1 2")),
      message(items("n", "1&quot; &quot;2")),
      message(items("n&quot; &quot;1", "")),
      message(items("m", "1")),
      message(items("n", "1"), "tom@example.net"),
      message("<received xmlns='urn:xmpp:receipts' id='1'/>"),
      message("<received xmlns='urn:xmpp:receipts' id='2'/>"),
      message("<received xmlns='urn:xmpp:receipts'/>"),
      message("<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"),
      message("<displayed xmlns='urn:xmpp:chat-markers:0' id='2'/>"),
      carbonOf(message(STATE), "received", ACCOUNT, parseJid(PHONE)),
      carbonOf(message(STATE), "sent", ACCOUNT, parseJid(PHONE)),
      carbonOf(message(STATE, "mira@attic.example/desk", "chat", "a@example.net"), "sent", ACCOUNT, parseJid(PHONE)),
      carbonOf(message(STATE, "mira@attic.example/desk", "chat", "b@example.net"), "sent", ACCOUNT, parseJid(PHONE)),
    ].map(deferrableAs);
    expect(apart).not.toContain(undefined);
    expect(new Set(apart).size).toBe(apart.length);
  });
});

test("XEP-0352 §3.2: a copy of what cannot wait cannot either", () => {
  const copy = carbonOf(message("<body>x</body>"), "received", ACCOUNT, parseJid(PHONE));
  expect(deferrableAs(copy)).toBeUndefined();
});

test.each([
  ["from somebody else", "from='tybalt@example.net' to='mira@attic.example/phone'"],
  ["to nobody", "from='mira@attic.example'"],
])("XEP-0280 §11: what is no copy, %s, is not taken for one", (_, addresses) => {
  const inside = `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='tom@example.net/pad' type='chat'>${STATE}</message></forwarded>`;
  const forged = stanza(
    `<message ${addresses} type='chat'><received xmlns='urn:xmpp:carbons:2'>${inside}</received></message>`,
  );
  expect(deferrableAs(forged)).toBeUndefined();
});
