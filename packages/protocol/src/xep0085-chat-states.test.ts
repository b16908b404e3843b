import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { type Message, readStanza } from "./stanza.ts";
import {
  buildChatState,
  CHAT_STATES,
  chatStateOf,
  isStandaloneChatState,
  saysSomething,
} from "./xep0085-chat-states.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='http://jabber.org/protocol/chatstates'";
const message = (children: string, type = "chat"): Message =>
  readStanza(parseRaw(toBytes(`<message type='${type}'>${children}</message>`))) as Message;

test.each(CHAT_STATES)("XEP-0085 §2: <%s/>", (state) => {
  expect(buildChatState(state)).toEqual(parseElement(`<${state} ${NS}/>`));
  expect(chatStateOf(message(`<body>x</body><${state} ${NS}/>`))).toBe(state);
});

test.each(["", "<active/>", `<asleep ${NS}/>`, `<x xmlns='urn:example:x'><active ${NS}/></x>`])(
  "XEP-0085 §2: no chat state: %s",
  (children) => {
    expect(chatStateOf(message(children))).toBeUndefined();
    expect(isStandaloneChatState(message(children))).toBe(false);
  },
);

test.each([
  `<composing ${NS}/>`,
  `<thread>t</thread><gone ${NS}/>`,
  `<paused ${NS}/><no-store xmlns='urn:xmpp:hints'/><origin-id xmlns='urn:xmpp:sid:0' id='o'/>`,
  `<inactive ${NS}/><delay xmlns='urn:xmpp:delay' stamp='2031-05-17T09:30:05Z'/>`,
])("XEP-0085 §5.6: a standalone notification: %s", (children) => {
  expect(isStandaloneChatState(message(children))).toBe(true);
  expect(saysSomething(message(children))).toBe(false);
});

test.each([
  `<body>x</body><active ${NS}/>`,
  `<active ${NS}/><subject/>`,
  `<active ${NS}/><thread xmlns='urn:example:x'/>`,
  `<received xmlns='urn:xmpp:receipts' id='m'/><active ${NS}/>`,
])("XEP-0085 §5.6: a content message: %s", (children) => {
  expect(isStandaloneChatState(message(children))).toBe(false);
  expect(saysSomething(message(children))).toBe(true);
});

test("XEP-0085 §5.4: an error tells no state", () => {
  expect(isStandaloneChatState(message(`<composing ${NS}/>`, "error"))).toBe(false);
});
