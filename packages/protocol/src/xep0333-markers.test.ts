import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { type Message, readStanza } from "./stanza.ts";
import { DisplayedMarker, isMarkable, markable } from "./xep0333-markers.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:chat-markers:0'";
const message = (children: string, type = "chat"): Message =>
  readStanza(parseRaw(toBytes(`<message type='${type}' id='m'>${children}</message>`))) as Message;

test("XEP-0333 §4.1: who would like to know", () => {
  expect(markable).toEqual(parseElement(`<markable ${NS}/>`));
  expect(isMarkable(message(`<body>x</body><markable ${NS}/>`))).toBe(true);
  expect(isMarkable(message("<body>x</body><markable/>"))).toBe(false);
  expect(isMarkable(message(`<markable ${NS}/>`, "error"))).toBe(false);
});

test("XEP-0333 §4.2: up to which message", () => {
  expect(DisplayedMarker.parse(parseElement(`<displayed ${NS} id='m&lt;1'/>`))).toBe("m<1");
  expect(DisplayedMarker.build("m<1")).toEqual(parseElement(`<displayed ${NS} id='m&lt;1'/>`));
});

test("XEP-0333 §4.2: a marker is not answered with a marker", () => {
  expect(isMarkable(message(`<displayed ${NS} id='1'/><markable ${NS}/>`))).toBe(false);
});

test.each(["", "id=''"])("XEP-0333 §4.2: refuses <displayed %s/>", (attributes) => {
  expect(() => DisplayedMarker.parse(parseElement(`<displayed ${NS} ${attributes}/>`))).toThrow(StanzaError);
});
