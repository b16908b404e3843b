import { parseElement, rawOf, readStanza, type Stanza } from "@kith/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeldBack, type HoldLimits } from "./inactivity.ts";

const stanzaOf = (xml: string): Stanza => readStanza(rawOf(parseElement(xml)));
const DESK = "mira@attic.example/desk";
const presence = (from: string, attributes = "", children = ""): string =>
  `<presence from='${from}' to='${DESK}' ${attributes}>${children}</presence>`;
const message = (from: string, attributes: string, children: string): string =>
  `<message from='${from}' to='${DESK}' ${attributes}>${children}</message>`;
const state = (from: string, name: string): string =>
  message(from, "type='chat'", `<${name} xmlns='http://jabber.org/protocol/chatstates'/>`);
const event = (from: string, node: string, items: string): string =>
  message(
    from,
    "type='headline'",
    `<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${node}'>${items}</items></event>`,
  );
const receipt = (id: string): string =>
  message("jonas@attic.example/boat", "", `<received xmlns='urn:xmpp:receipts' id='${id}'/>`);

/** An inactive client as a session would treat it: what left, what was superseded. */
const inactive = (limits?: HoldLimits) => {
  const left: string[] = [];
  const superseded: string[] = [];
  const held = new HeldBack<string>(limits, (item) => superseded.push(item));
  const send = (name: string, xml: string): void => {
    if (held.offer(stanzaOf(xml), name) === "urgent") left.push(...held.release(), name);
  };
  return { held, left, superseded, send };
};

describe("XEP-0352 §3.2: what waits", () => {
  test.each([
    ["presence", presence("jonas@attic.example/boat")],
    ["presence with a status", presence("jonas@attic.example/boat", "", "<show>away</show><status>at sea</status>")],
    ["unavailable presence", presence("jonas@attic.example/boat", "type='unavailable'")],
    [
      "presence of an occupant",
      presence("pier@rooms.example/gull", "", "<x xmlns='http://jabber.org/protocol/muc#user'><item/></x>"),
    ],
    ["a chat state", state("jonas@attic.example/boat", "composing")],
    [
      "a chat state with a thread and a hint",
      message(
        "jonas@attic.example/boat",
        "type='chat'",
        "<paused xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread><no-store xmlns='urn:xmpp:hints'/>",
      ),
    ],
    ["what a node was published to", event("jonas@attic.example", "urn:example:mood", "<item id='current'/>")],
    ["a receipt", receipt("m1")],
    ["a marker", message("jonas@attic.example/boat", "", "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>")],
    [
      "the copy of a chat state",
      `<message from='mira@attic.example' to='${DESK}' type='chat'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='mira@attic.example/phone' to='jonas@attic.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message></forwarded></sent></message>`,
    ],
  ])("%s", (_, xml) => {
    expect(new HeldBack<number>().offer(stanzaOf(xml), 1)).toBe("held");
  });

  test.each([
    ["a message with a body", message("jonas@attic.example/boat", "type='chat'", "<body>Ahoy</body>")],
    [
      "a chat state with a body",
      message(
        "jonas@attic.example/boat",
        "type='chat'",
        "<body>Ahoy</body><active xmlns='http://jabber.org/protocol/chatstates'/>",
      ),
    ],
    ["a message of a room", message("pier@rooms.example/gull", "type='groupchat'", "<body>Fish!</body>")],
    ["the subject of a room", message("pier@rooms.example/gull", "type='groupchat'", "<subject>Fish</subject>")],
    ["what is not understood", message("jonas@attic.example/boat", "", "<feather xmlns='urn:example:birds'/>")],
    [
      "an encrypted message",
      message("jonas@attic.example/boat", "type='chat'", "<encrypted xmlns='urn:xmpp:omemo:2'/>"),
    ],
    ["an error", message("jonas@attic.example/boat", "type='error'", "<error type='cancel'/>")],
    [
      "an error about a chat state",
      message(
        "jonas@attic.example/boat",
        "type='error'",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/><error type='cancel'/>",
      ),
    ],
    [
      "a node that was deleted",
      message(
        "jonas@attic.example",
        "type='headline'",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='urn:example:mood'/></event>",
      ),
    ],
    ["a request to subscribe", presence("jonas@attic.example", "type='subscribe'")],
    ["a subscription that is allowed", presence("jonas@attic.example", "type='subscribed'")],
    ["a subscription that has ended", presence("jonas@attic.example", "type='unsubscribed'")],
    ["one that is given up", presence("jonas@attic.example", "type='unsubscribe'")],
    ["a presence error", presence("pier@rooms.example/gull", "type='error'", "<error type='cancel'/>")],
    [
      "one's own presence in a room",
      presence(
        "pier@rooms.example/mira",
        "",
        "<x xmlns='http://jabber.org/protocol/muc#user'><item/><status code='110'/></x>",
      ),
    ],
    [
      "a request",
      `<iq type='get' id='x' from='jonas@attic.example/boat' to='${DESK}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    ],
    ["a result", `<iq type='result' id='x' from='attic.example' to='${DESK}'/>`],
  ])("not: %s", (_, xml) => {
    const held = new HeldBack<number>();
    expect(held.offer(stanzaOf(xml), 1)).toBe("urgent");
    expect(held.isEmpty).toBe(true);
  });
});

describe("XEP-0352 §3.2: of what tells the same, the later", () => {
  test("presence of one resource; others' stand for themselves", () => {
    const { held, superseded, send } = inactive();
    send("boat 1", presence("jonas@attic.example/boat"));
    send("cafe", presence("jonas@attic.example/cafe"));
    send("boat 2", presence("jonas@attic.example/boat", "", "<show>away</show>"));
    send("boat 3", presence("jonas@attic.example/boat", "type='unavailable'"));
    expect(held.release()).toEqual(["cafe", "boat 3"]);
    expect(superseded).toEqual(["boat 1", "boat 2"]);
    expect(held.release()).toEqual([]);
  });

  test("chat states of one sender, but not presence for a chat state", () => {
    const { held, send } = inactive();
    send("composing", state("jonas@attic.example/boat", "composing"));
    send("presence", presence("jonas@attic.example/boat"));
    send("other", state("petra@attic.example/mill", "composing"));
    send("paused", state("jonas@attic.example/boat", "paused"));
    expect(held.release()).toEqual(["presence", "other", "paused"]);
  });

  test("the same item of a node; other items and other nodes stand for themselves", () => {
    const { held, send } = inactive();
    send("mood 1", event("jonas@attic.example", "mood", "<item id='current'>1</item>"));
    send("tune", event("jonas@attic.example", "tune", "<item id='current'/>"));
    send("mood of another", event("petra@attic.example", "mood", "<item id='current'/>"));
    send("bookmark a", event("mira@attic.example", "bookmarks", "<item id='a'/>"));
    send("bookmark b", event("mira@attic.example", "bookmarks", "<item id='b'/>"));
    send("mood 2", event("jonas@attic.example", "mood", "<item id='current'>2</item>"));
    expect(held.release()).toEqual(["tune", "mood of another", "bookmark a", "bookmark b", "mood 2"]);
  });

  test("receipts stand for themselves, each being about a message of its own", () => {
    const { held, send } = inactive();
    send("one", receipt("m1"));
    send("two", receipt("m2"));
    expect(held.release()).toEqual(["one", "two"]);
  });
});

describe("RFC 6120 §10.1: in order", () => {
  test("what waits leaves before anything urgent", () => {
    const { left, send, held } = inactive();
    send("presence", presence("jonas@attic.example/boat"));
    send("composing", state("jonas@attic.example/boat", "composing"));
    send("ahoy", message("jonas@attic.example/boat", "type='chat'", "<body>Ahoy</body>"));
    send("gone", presence("jonas@attic.example/boat", "type='unavailable'"));
    expect(left).toEqual(["presence", "composing", "ahoy"]);
    expect(held.release()).toEqual(["gone"]);
  });

  test("whatever comes: all that leaves leaves as it came, and what does not is superseded by something later", () => {
    const stanzas: readonly string[] = [
      presence("jonas@attic.example/boat"),
      presence("jonas@attic.example/cafe"),
      presence("jonas@attic.example/boat", "type='unavailable'"),
      state("jonas@attic.example/boat", "composing"),
      state("jonas@attic.example/boat", "paused"),
      event("jonas@attic.example", "mood", "<item id='current'/>"),
      receipt("m1"),
      message("jonas@attic.example/boat", "type='chat'", "<body>Ahoy</body>"),
      presence("jonas@attic.example", "type='subscribe'"),
    ];
    const limits = fc.record({ items: fc.integer({ min: 0, max: 5 }), bytes: fc.integer({ min: 0, max: 2_000 }) });
    fc.assert(
      fc.property(fc.array(fc.nat(stanzas.length - 1), { maxLength: 60 }), limits, (which, bound) => {
        const { held, left, superseded, send } = inactive(bound);
        for (const [at, index] of which.entries()) {
          send(String(at), stanzas[index] as string);
          expect(which.length === 0 || left.length + superseded.length).toBeLessThanOrEqual(at + 1);
        }
        left.push(...held.release());
        const order = left.map(Number);
        expect(order).toEqual(order.toSorted((one, other) => one - other));
        expect([...order, ...superseded.map(Number)].toSorted((one, other) => one - other)).toEqual([...which.keys()]);
      }),
    );
  });
});

describe("bounds", () => {
  test("no more than so many; what would be one too many takes the others with it", () => {
    const { held, left, send } = inactive({ items: 2, bytes: 10_000 });
    send("boat", presence("jonas@attic.example/boat"));
    send("cafe", presence("jonas@attic.example/cafe"));
    send("cafe again", presence("jonas@attic.example/cafe"));
    expect(left).toEqual([]);
    send("mill", presence("petra@attic.example/mill"));
    expect(left).toEqual(["boat", "cafe again", "mill"]);
    expect(held.isEmpty).toBe(true);
    send("boat", presence("jonas@attic.example/boat"));
    expect(held.release()).toEqual(["boat"]);
  });

  test("no more bytes than so many; what takes another's place takes its bytes too", () => {
    const long = `<status>${"x".repeat(600)}</status>`;
    const { held, left, send } = inactive({ items: 100, bytes: 2_000 });
    for (let round = 0; round < 20; round++) send(`boat ${round}`, presence("jonas@attic.example/boat", "", long));
    send("cafe", presence("jonas@attic.example/cafe", "", long));
    expect(left).toEqual([]);
    send("mill", presence("petra@attic.example/mill", "", long));
    expect(left).toEqual(["boat 19", "cafe", "mill"]);
    send("huge", presence("jonas@attic.example/boat", "", `<status>${"x".repeat(5_000)}</status>`));
    expect(left.at(-1)).toBe("huge");
    expect(held.isEmpty).toBe(true);
  });
});
