import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { type Message, readStanza, writeStanza } from "./stanza.ts";
import { Receipt, receiptFor, receiptRequest } from "./xep0184-receipts.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:receipts'";
const message = (xml: string): Message => readStanza(parseRaw(toBytes(xml))) as Message;

test("XEP-0184 §7: what asks, and what answers", () => {
  expect(receiptRequest).toEqual(parseElement(`<request ${NS}/>`));
  expect(Receipt.parse(parseElement(`<received ${NS} id='m&gt;1'/>`))).toBe("m>1");
  expect(Receipt.build("m>1")).toEqual(parseElement(`<received ${NS} id='m&gt;1'/>`));
});

test.each(["", "id=''"])("XEP-0184 §7: refuses <received %s/>", (attributes) => {
  expect(() => Receipt.parse(parseElement(`<received ${NS} ${attributes}/>`))).toThrow(StanzaError);
});

test("XEP-0184 §7: the receipt for a message is of its type and names its id", () => {
  const got = receiptFor(
    message(
      `<message from='mira@attic.example/desk' to='tom@example.net/pad' id='a&amp;1' type='chat'><body>x</body><request ${NS}/></message>`,
    ),
  );
  expect(got && writeStanza(got)).toBe(
    `<message to='mira@attic.example/desk' type='chat'><received ${NS} id='a&amp;1'/></message>`,
  );
});

test("XEP-0184 §7: in a room it goes to the room", () => {
  const got = receiptFor(
    message(`<message from='loft@rooms.example/Mira' id='1' type='groupchat'><request ${NS}/></message>`),
  );
  expect(got?.to?.full).toBe("loft@rooms.example");
});

test.each([
  ["§7: one that asks for none", "<message from='a@example.net' id='1'><body/></message>"],
  ["§7: one without id", `<message from='a@example.net'><request ${NS}/></message>`],
  ["§7: one with an empty id", `<message from='a@example.net' id=''><request ${NS}/></message>`],
  ["§7: one from nobody", `<message id='1'><request ${NS}/></message>`],
  ["§5: an error", `<message from='a@example.net' id='1' type='error'><request ${NS}/></message>`],
  ["§5.4: a receipt", `<message from='a@example.net' id='1'><received ${NS} id='0'/><request ${NS}/></message>`],
])("XEP-0184 %s gets no receipt", (_, xml) => {
  expect(receiptFor(message(xml))).toBeUndefined();
});
