import { type Message, parseRaw, readStanza, toBytes } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { contentOf } from "./xep0313-content.ts";

const message = (content: string, type = "type='chat'"): Message =>
  readStanza(
    parseRaw(toBytes(`<message to='a@example.org' from='b@example.org/x' ${type}>${content}</message>`)),
  ) as Message;
const ALL = { groupchat: true, receipts: true };
const LITTLE = { groupchat: false, receipts: false };
const BODY = "<body>hello</body>";
const hint = (name: string): string => `<${name} xmlns='urn:xmpp:hints'/>`;

describe("XEP-0313 §5.1.1: what an archive keeps", () => {
  test.each([BODY, "<body/>", "<subject>news</subject>", `<x xmlns='urn:example:x'/>${BODY}`])(
    "text: %s",
    (content) => {
      for (const type of ["type='chat'", "type='normal'", ""])
        expect(contentOf(message(content, type), LITTLE)).toBe("text");
    },
  );

  test.each([
    `<active xmlns='http://jabber.org/protocol/chatstates'/>${hint("store")}`,
    `<propose xmlns='urn:xmpp:jingle-message:0' id='c'/>${hint("store")}`,
    "<retract xmlns='urn:xmpp:message-retract:1' id='m'/>",
    "<replace xmlns='urn:xmpp:message-correct:0' id='m'/>",
    "<reactions xmlns='urn:xmpp:reactions:0' id='m'><reaction>👋</reaction></reactions>",
    "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>",
    "<encrypted xmlns='urn:xmpp:omemo:2'/>",
    "<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
    "<openpgp xmlns='urn:xmpp:openpgp:0'>…</openpgp>",
    "<x xmlns='jabber:x:encrypted'>…</x>",
    "<x xmlns='jabber:x:conference' jid='room@rooms.example.org'/>",
    "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@example.org'/></x>",
  ])("what is worth keeping although it has no text: %s", (content) => {
    expect(contentOf(message(content), LITTLE)).toBe("other");
  });

  test.each([
    "<received xmlns='urn:xmpp:receipts' id='m'/>",
    "<displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>",
    "<acknowledged xmlns='urn:xmpp:chat-markers:0' id='m'/>",
  ])("XEP-0184, XEP-0333: receipts and markers where that is wished: %s", (content) => {
    expect(contentOf(message(content), ALL)).toBe("other");
    expect(contentOf(message(content), LITTLE)).toBeUndefined();
  });

  test.each([
    "",
    "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
    "<thread>t</thread><paused xmlns='http://jabber.org/protocol/chatstates'/>",
    "<markable xmlns='urn:xmpp:chat-markers:0'/>",
    "<request xmlns='urn:xmpp:receipts'/>",
    "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
    "<body xmlns='urn:example:x'>not a body</body>",
    "<store xmlns='urn:example:x'/>",
    "<retract xmlns='urn:example:x' id='m'/>",
    "<encrypted xmlns='urn:example:x'/>",
    "words, but in no element",
  ])("not a state, nor what nobody knows: %s", (content) => {
    expect(contentOf(message(content), ALL)).toBeUndefined();
  });
});

describe("XEP-0334 §4: hints", () => {
  test.each(["no-store", "no-permanent-store"])("%s: it is not kept, whatever else is said", (name) => {
    for (const content of [BODY + hint(name), hint(name) + hint("store") + BODY]) {
      expect(contentOf(message(content), ALL)).toBeUndefined();
    }
  });
  test.each(["no-copy", "no-storing"])("%s is none about storing", (name) => {
    expect(contentOf(message(BODY + hint(name)), ALL)).toBe("text");
  });
});

describe("XEP-0313 §5.1.1: by type", () => {
  test.each(["headline", "error"])("%s is never kept", (type) => {
    for (const content of [BODY, BODY + hint("store")])
      expect(contentOf(message(content, `type='${type}'`), ALL)).toBeUndefined();
  });
  test("groupchat is where that is wished", () => {
    expect(contentOf(message(BODY, "type='groupchat'"), ALL)).toBe("text");
    expect(contentOf(message("<subject/>", "type='groupchat'"), ALL)).toBe("text");
    expect(contentOf(message(BODY, "type='groupchat'"), LITTLE)).toBeUndefined();
  });
  test("XEP-0045 §7.2.13: but not what a room tells of the time before", () => {
    const late = "<delay xmlns='urn:xmpp:delay' from='room@rooms.example.org' stamp='2031-05-17T09:00:00Z'/>";
    expect(contentOf(message(BODY + late, "type='groupchat'"), ALL)).toBeUndefined();
    expect(contentOf(message(BODY + late), ALL)).toBe("text");
  });
  test("XEP-0045 §7.5: private messages of a room are messages", () => {
    expect(contentOf(message(`${BODY}<x xmlns='http://jabber.org/protocol/muc#user'/>`), LITTLE)).toBe("text");
  });
});
