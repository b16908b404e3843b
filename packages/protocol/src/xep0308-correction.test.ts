import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { type Message, readStanza } from "./stanza.ts";
import { Correction, haveSameSender, mayCorrect } from "./xep0308-correction.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:message-correct:0'";
const message = (attributes: string, children = "<body>x</body>"): Message =>
  readStanza(parseRaw(toBytes(`<message ${attributes}>${children}</message>`))) as Message;
const correction = (attributes: string, id = "m1"): Message =>
  message(attributes, `<body>y</body><replace ${NS} id='${id}'/>`);
const ORIGINAL = message("from='tom@example.net/pad' id='m1' type='chat'");

test("XEP-0308 §3: <replace/>", () => {
  expect(Correction.parse(parseElement(`<replace ${NS} id='m&amp;1'/>`))).toBe("m&1");
  expect(Correction.build("m&1")).toEqual(parseElement(`<replace ${NS} id='m&amp;1'/>`));
});

test.each(["", "id=''"])("XEP-0308 §3: refuses <replace %s/>", (attributes) => {
  expect(() => Correction.parse(parseElement(`<replace ${NS} ${attributes}/>`))).toThrow(StanzaError);
});

test("XEP-0308 §4: an account corrects what any of its clients sent", () => {
  expect(mayCorrect(ORIGINAL, correction("from='tom@example.net/desk' id='m2' type='chat'"), "account")).toBe(true);
});

test("XEP-0308 §4: of a room, the same occupant", () => {
  const original = message("from='loft@rooms.example/Tom' id='m1' type='groupchat'");
  expect(mayCorrect(original, correction("from='loft@rooms.example/Tom' type='groupchat'"), "occupant")).toBe(true);
  expect(mayCorrect(original, correction("from='loft@rooms.example/Mira' type='groupchat'"), "occupant")).toBe(false);
});

test.each([
  ["somebody else's", ORIGINAL, correction("from='tybalt@example.net/pad' type='chat'")],
  ["another", ORIGINAL, correction("from='tom@example.net/pad' type='chat'", "m2")],
  ["one of another kind", ORIGINAL, correction("from='tom@example.net/pad' type='normal'")],
  ["with what is none", ORIGINAL, message("from='tom@example.net/pad' type='chat'")],
  ["with an error", ORIGINAL, correction("from='tom@example.net/pad' type='error'")],
  ["with nobody's", ORIGINAL, correction("type='chat'")],
  ["nobody's", message("id='m1' type='chat'"), correction("from='tom@example.net/pad' type='chat'")],
  ["one without id", message("from='tom@example.net' type='chat'"), correction("from='tom@example.net' type='chat'")],
  [
    "a correction",
    message("from='tom@example.net' id='m1' type='chat'", `<replace ${NS} id='m0'/>`),
    correction("from='tom@example.net' type='chat'"),
  ],
])("XEP-0308 §4: nobody may correct %s", (_, original, by) => {
  expect(mayCorrect(original, by, "account")).toBe(false);
});

test("XEP-0308 §4: an error has no sender of its own", () => {
  const error = message("from='tom@example.net/pad' type='error'");
  expect(haveSameSender(error, ORIGINAL, "account")).toBe(false);
  expect(haveSameSender(ORIGINAL, error, "account")).toBe(false);
  expect(haveSameSender(ORIGINAL, ORIGINAL, "occupant")).toBe(true);
});
