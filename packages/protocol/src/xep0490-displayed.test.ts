import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import { type Message, readStanza, writeStanza } from "./stanza.ts";
import { Form, fieldValue, formTypeOf } from "./xep0004-data-forms.ts";
import { assistedDisplay, Displayed, displayedPublishOptions, withoutDisplayed } from "./xep0490-displayed.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const message = (attributes: string, children: string): Message =>
  readStanza(parseRaw(toBytes(`<message ${attributes}>${children}</message>`))) as Message;
const STANZA_ID = "<stanza-id xmlns='urn:xmpp:sid:0' by='mira@attic.example' id='0f7'/>";
const DISPLAYED = `<displayed xmlns='urn:xmpp:mds:displayed:0'>${STANZA_ID}</displayed>`;
const MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>";

test("XEP-0490 §4.1: <displayed/>", () => {
  const value = { id: "0f7", by: parseJid("mira@attic.example") };
  expect(Displayed.parse(parseElement(DISPLAYED))).toEqual(value);
  expect(Displayed.build(value)).toEqual(parseElement(DISPLAYED));
});

test.each([
  "",
  STANZA_ID + STANZA_ID,
  "<stanza-id id='0f7' by='mira@attic.example'/>",
  "<stanza-id xmlns='urn:xmpp:sid:0' id='0f7'/>",
  "<stanza-id xmlns='urn:xmpp:sid:0' by='mira@attic.example'/>",
])("XEP-0490 §4.1: refuses <displayed>%s", (children) => {
  const displayed = parseElement(`<displayed xmlns='urn:xmpp:mds:displayed:0'>${children}</displayed>`);
  expect(() => Displayed.parse(displayed)).toThrow(expect.objectContaining({ name: "StanzaError" }));
});

test("XEP-0490 §4.2, §7: how the node has to be", () => {
  const form = Form.parse(Form.build(displayedPublishOptions));
  expect(formTypeOf(form)).toBe("http://jabber.org/protocol/pubsub#publish-options");
  expect(fieldValue(form, "pubsub#access_model")).toBe("whitelist");
  expect(fieldValue(form, "pubsub#max_items")).toBe("max");
});

test("XEP-0490 §4.5.3: the server publishes for a client what it sends along, and strips it", () => {
  const sent = message("from='mira@attic.example/desk' to='tom@example.net' id='1'", MARKER + DISPLAYED);
  const assisted = assistedDisplay(sent);
  expect(assisted?.item).toBe("tom@example.net");
  expect(assisted?.displayed).toEqual(parseElement(DISPLAYED));
  expect(assisted && writeStanza(assisted.message)).toBe(
    writeStanza(message("from='mira@attic.example/desk' to='tom@example.net' id='1'", MARKER)),
  );
});

test("XEP-0490 §5.1, §5.2: the address as it stands is the item, and what is published is not judged", () => {
  const odd = "<displayed xmlns='urn:xmpp:mds:displayed:0'>odd</displayed>";
  const assisted = assistedDisplay(message("to='loft@rooms.example/Tom'", odd + DISPLAYED));
  expect(assisted?.item).toBe("loft@rooms.example/Tom");
  expect(assisted?.displayed).toEqual(parseElement(odd));
  expect(assisted && writeStanza(assisted.message)).toBe("<message to='loft@rooms.example/Tom'/>");
});

test("XEP-0490 §4.5.3: without an address it is the account's own conversation", () => {
  expect(assistedDisplay(message("from='mira@attic.example/desk'", DISPLAYED))?.item).toBe("mira@attic.example");
  expect(assistedDisplay(message("", DISPLAYED))).toBeUndefined();
});

test("XEP-0490 §4.5.3: a message with nothing of it", () => {
  const plain = message("to='tom@example.net'", MARKER);
  expect(assistedDisplay(plain)).toBeUndefined();
  expect(withoutDisplayed(plain)).toBe(plain);
});
