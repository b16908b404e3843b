import { type Message, parseElement, rawOf, readStanza } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { isWorthPushing, noticeOf, TELL_LITTLE } from "./push-worth.ts";

const messageOf = (attributes: string, children: string): Message =>
  readStanza(rawOf(parseElement(`<message to='mira@attic.example' ${attributes}>${children}</message>`))) as Message;
const BODY = "<body>The gulls are back.</body>";
const ROOM = "http://jabber.org/protocol/muc#user";

describe("what is worth a push", () => {
  test.each([
    ["a text", "type='chat'", BODY],
    ["a text of type normal", "", BODY],
    ["a text in a room", "type='groupchat'", BODY],
    [
      "a text with a receipt asked for and a chat state",
      "type='chat'",
      `${BODY}<request xmlns='urn:xmpp:receipts'/><active xmlns='http://jabber.org/protocol/chatstates'/>`,
    ],
    ["a text with a marker", "type='chat'", `${BODY}<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>`],
    ["OMEMO", "type='chat'", "<encrypted xmlns='urn:xmpp:omemo:2'><header/><payload>x</payload></encrypted>"],
    [
      "OMEMO as it was",
      "type='chat'",
      "<encrypted xmlns='eu.siacs.conversations.axolotl'><header/><payload>x</payload></encrypted>",
    ],
    ["OpenPGP", "type='chat'", "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>"],
    ["OpenPGP as it was", "type='chat'", "<x xmlns='jabber:x:encrypted'>x</x>"],
    ["a call", "type='chat'", "<propose xmlns='urn:xmpp:jingle-message:0' id='c1'/>"],
    ["an invitation to a call", "", "<invite xmlns='urn:xmpp:call-invites:0'/>"],
    ["an invitation to a room", "", "<x xmlns='jabber:x:conference' jid='pier@rooms.example'/>"],
    ["an invitation to a room, by the room", "", `<x xmlns='${ROOM}'><invite from='jonas@attic.example'/></x>`],
    [
      "a mention",
      "type='groupchat'",
      "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:mira@attic.example'/>",
    ],
    ["a call for attention", "type='headline-of-mine'", "<attention xmlns='urn:xmpp:attention:0'/>"],
  ])("%s", (_, attributes, children) => {
    expect(isWorthPushing(messageOf(attributes, children))).toBe(true);
  });

  test.each([
    ["nothing", "type='chat'", ""],
    ["an empty text", "type='chat'", "<body/>"],
    ["a body of another namespace", "type='chat'", "<body xmlns='urn:example:birds'>x</body>"],
    ["a chat state", "type='chat'", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"],
    ["a receipt", "", "<received xmlns='urn:xmpp:receipts' id='x'/>"],
    ["a marker", "", "<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>"],
    ["an error, though it repeats a text", "type='error'", `${BODY}<error type='cancel'/>`],
    ["a headline", "type='headline'", BODY],
    [
      "what a node was published to",
      "type='headline'",
      "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='x'/></event>",
    ],
    ["a subject of a room", "type='groupchat'", `<subject>Gulls</subject>${BODY}`],
    ["keys that OMEMO exchanges", "type='chat'", "<encrypted xmlns='urn:xmpp:omemo:2'><header/></encrypted>"],
    [
      "a payload of another namespace",
      "type='chat'",
      "<encrypted xmlns='urn:xmpp:omemo:2'><payload xmlns='urn:example:birds'/></encrypted>",
    ],
    ["that a call has ended", "type='chat'", "<finish xmlns='urn:xmpp:jingle-message:0' id='c1'/>"],
    ["an invitation that was declined", "", `<x xmlns='${ROOM}'><decline from='jonas@attic.example'/></x>`],
    [
      "a reference to something else",
      "",
      "<reference xmlns='urn:xmpp:reference:0' type='data' uri='https://example.org'/>",
    ],
    ["what is not understood", "type='chat'", "<feather xmlns='urn:example:birds'/>"],
  ])("not: %s", (_, attributes, children) => {
    expect(isWorthPushing(messageOf(attributes, children))).toBe(false);
  });
});

describe("XEP-0357 §9: what a notification says", () => {
  const ALL = { sender: true, body: true };
  const told = (attributes: string, children: string, waiting = 2, telling = ALL) => {
    const { count, sender, body } = noticeOf(messageOf(attributes, children), waiting, telling);
    return { count, sender: sender?.full, body };
  };

  test("that there is something, unless more is wanted", () => {
    const message = messageOf("from='jonas@attic.example/boat'", BODY);
    expect(noticeOf(message, 3, TELL_LITTLE)).toEqual({ count: 3 });
    expect(noticeOf(message, 0, TELL_LITTLE)).toEqual({ count: 1 });
  });

  test("who speaks, and what, where that is wanted", () => {
    expect(told("from='jonas@attic.example/boat' type='chat'", BODY)).toEqual({
      count: 2,
      sender: "jonas@attic.example",
      body: "The gulls are back.",
    });
    expect(told("from='pier@rooms.example/Gull' type='groupchat'", BODY).sender).toBe("pier@rooms.example/Gull");
    expect(told("from='jonas@attic.example/boat'", BODY, 1, { sender: true, body: false }).body).toBeUndefined();
    expect(told("from='jonas@attic.example/boat'", BODY, 1, { sender: false, body: true }).sender).toBeUndefined();
  });

  test("nothing of the text that stands in for an encrypted one, and no empty one", () => {
    const encrypted = "<encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted>";
    expect(told("", `<body>You got an OMEMO message.</body>${encrypted}`).body).toBeUndefined();
    expect(told("", "<body/>").body).toBeUndefined();
  });

  test("the beginning of a long text, never half a character", () => {
    expect(told("", `<body>${"x".repeat(500)}</body>`).body).toBe("x".repeat(500));
    expect(told("", `<body>${"x".repeat(501)}</body>`).body).toBe(`${"x".repeat(499)}…`);
    const body = told("", `<body>${"x".repeat(498)}🌹🌹</body>`).body ?? "";
    expect(body).toBe(`${"x".repeat(498)}…`);
    expect(body.isWellFormed()).toBe(true);
  });
});
