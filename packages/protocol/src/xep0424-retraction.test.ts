import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import { type Message, readStanza, writeStanza } from "./stanza.ts";
import { mayRetract, Retracted, Retraction, retractableId, tombstoneOf } from "./xep0424-retraction.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:message-retract:1'";
const SID = "xmlns='urn:xmpp:sid:0'";
const message = (attributes: string, children = "<body>x</body>"): Message =>
  readStanza(parseRaw(toBytes(`<message ${attributes}>${children}</message>`))) as Message;
const retraction = (attributes: string, id = "m1"): Message => message(attributes, `<retract ${NS} id='${id}'/>`);
const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });

test("XEP-0424 §3: <retract/>", () => {
  expect(Retraction.parse(parseElement(`<retract ${NS} id='m&amp;1'/>`))).toBe("m&1");
  expect(Retraction.build("m&1")).toEqual(parseElement(`<retract ${NS} id='m&amp;1'/>`));
  expect(() => Retraction.parse(parseElement(`<retract ${NS}/>`))).toThrow(badRequest);
  expect(() => Retraction.parse(parseElement(`<retract ${NS} id=''/>`))).toThrow(badRequest);
});

test("XEP-0424 §4: <retracted/>", () => {
  const xml = `<retracted ${NS} id='r1' by='loft@rooms.example/Tom' stamp='2031-05-17T09:30:05Z'/>`;
  const value = { id: "r1", by: parseJid("loft@rooms.example/Tom"), stamp: Date.UTC(2031, 4, 17, 9, 30, 5) };
  expect(Retracted.parse(parseElement(xml))).toEqual(value);
  expect(Retracted.build(value)).toEqual(parseElement(xml));
  expect(Retracted.build({ id: "r1" })).toEqual(parseElement(`<retracted ${NS} id='r1'/>`));
  expect(Retracted.parse(parseElement(`<retracted ${NS}/>`))).toEqual({
    id: undefined,
    by: undefined,
    stamp: undefined,
  });
});

test.each(["id=''", "id='r1' stamp=''", "id='r1' stamp='then'"])(
  "XEP-0424 §4: refuses <retracted %s/>",
  (attributes) => {
    expect(() => Retracted.parse(parseElement(`<retracted ${NS} ${attributes}/>`))).toThrow(badRequest);
  },
);

test.each([
  [
    "m1",
    message(
      "from='tom@example.net/pad' id='m1' type='chat'",
      `<origin-id ${SID} id='o'/><stanza-id ${SID} by='tom@example.net' id='s'/>`,
    ),
  ],
  [
    "s",
    message(
      "from='loft@rooms.example/Tom' id='m1' type='groupchat'",
      `<origin-id ${SID} id='o'/><stanza-id ${SID} by='loft@rooms.example' id='s'/>`,
    ),
  ],
  [
    "o",
    message(
      "from='loft@rooms.example/Tom' id='m1' type='groupchat'",
      `<origin-id ${SID} id='o'/><stanza-id ${SID} by='mira@attic.example' id='s'/>`,
    ),
  ],
  ["o", message("id='m1' type='groupchat'", `<origin-id ${SID} id='o'/>`)],
  [undefined, message("from='loft@rooms.example/Tom' id='m1' type='groupchat'")],
  [undefined, message("from='tom@example.net/pad' type='chat'")],
])("XEP-0424 §5.1: by the id %j", (id, original) => {
  expect(retractableId(original)).toBe(id);
});

test("XEP-0424 §5: only its sender retracts a message", () => {
  const original = message("from='tom@example.net/pad' id='m1' type='chat'");
  expect(mayRetract(original, retraction("from='tom@example.net/desk'"), "account")).toBe(true);
  expect(mayRetract(original, retraction("from='tom@example.net/desk'"), "occupant")).toBe(false);
  expect(mayRetract(original, retraction("from='tybalt@example.net/pad'"), "account")).toBe(false);
  expect(mayRetract(original, retraction("from='tom@example.net/pad'", "m2"), "account")).toBe(false);
  expect(mayRetract(original, message("from='tom@example.net/pad'"), "account")).toBe(false);
  expect(mayRetract(original, retraction("from='tom@example.net/pad' type='error'"), "account")).toBe(false);
  expect(mayRetract(message("from='tom@example.net'"), retraction("from='tom@example.net'"), "account")).toBe(false);
});

test("XEP-0424 §4: of a message its envelope and ids are left", () => {
  const original = message(
    "from='tom@example.net/pad' to='mira@attic.example' id='m1' type='chat' xml:lang='sv'",
    `text<body>secret</body><stanza-id ${SID} by='mira@attic.example' id='s'/><x xmlns='urn:example:x'>secret</x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o'/>`,
  );
  const left = tombstoneOf(original, Retracted.build({ id: "r1", stamp: 0 }));
  expect(writeStanza(left)).toBe(
    writeStanza(
      message(
        "from='tom@example.net/pad' to='mira@attic.example' id='m1' type='chat' xml:lang='sv'",
        `<stanza-id xmlns='urn:xmpp:sid:0' by='mira@attic.example' id='s'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='o'/><retracted ${NS} id='r1' stamp='1970-01-01T00:00:00Z'/>`,
      ),
    ),
  );
});
