import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import { iq, message, presence, readStanza, type Stanza, writeStanza } from "./stanza.ts";
import { textNamed } from "./stanza-children.ts";
import { Forwarded, forwardedIn, writeForwarded } from "./xep0297-forwarding.ts";
import { element } from "./xml/element.ts";
import { parseElement, parseRaw, readElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const stanza = (xml: string): Stanza => readStanza(parseRaw(toBytes(xml)));
const read = (children: string) => parseElement(`<forwarded xmlns='urn:xmpp:forward:0'>${children}</forwarded>`);

const ORIGINAL =
  "<message from='mira@attic.example/desk' to='tom@example.net' type='chat' id='m&amp;1' xml:lang='sv'><body>H\u00e4lsa &lt;alla&gt;</body>" +
  "<mood xmlns='http://jabber.org/protocol/mood'><calm/></mood></message>";
const STAMP = Date.UTC(2031, 4, 17, 9, 30, 5);

describe("XEP-0297 §3.1: a stanza that is forwarded", () => {
  const inside = `<delay xmlns='urn:xmpp:delay' stamp='2031-05-17T09:30:05Z'/>${ORIGINAL.replace("<message", "<message xmlns='jabber:client'")}`;

  test("is written without being read", () => {
    const bytes = writeForwarded(writeStanza(stanza(ORIGINAL)), { stamp: STAMP });
    expect(readElement(parseRaw(bytes))).toEqual(read(inside));
  });

  test("is read as the stanza it was", () => {
    const value = Forwarded.parse(read(inside));
    expect(value.delay).toEqual({ stamp: STAMP, from: undefined, reason: undefined });
    expect(value.stanza && writeStanza(value.stanza)).toBe(writeStanza(stanza(ORIGINAL)));
    expect(Forwarded.build(value)).toEqual(read(inside));
  });
});

test.each([
  presence({ from: parseJid("mira@attic.example/desk") }),
  presence({}),
  message({}),
  iq({ type: "get", id: "i1" }, [element("urn:xmpp:ping", "ping")]),
  message({ type: "chat" }, [element("", "body", {}, ["x"])]),
])("XEP-0297 §3.2: the namespace is the stanza's own (%#)", (original) => {
  const forwarded = readElement(parseRaw(writeForwarded(writeStanza(original))));
  expect(forwarded.children).toEqual([expect.objectContaining({ name: original.kind, ns: "jabber:client" })]);
  const read = Forwarded.parse(forwarded).stanza;
  expect(read && writeStanza(read)).toBe(writeStanza(original));
});

test("XEP-0297 §3.2: a stanza from between servers is no less one", () => {
  const value = Forwarded.parse(read("<message xmlns='jabber:server' id='s'><body>hello</body></message>"));
  expect(value.stanza && textNamed(value.stanza, "body")).toBe("hello");
});

test("XEP-0297 §3.2: in a stanza that was forwarded inside, namespaces stay", () => {
  const nested =
    "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>inner</body></message></forwarded>";
  const value = Forwarded.parse(read(`<message xmlns='jabber:client'><body>outer</body>${nested}</message>`));
  expect(value.stanza && writeStanza(value.stanza)).toBe(`<message><body>outer</body>${nested}</message>`);
});

test("XEP-0297 §7: the stanza may be gone, and what is wrong with it is told, not thrown", () => {
  expect(Forwarded.parse(read("")).stanza).toBeUndefined();
  expect(Forwarded.build({})).toEqual(read(""));
  const left = { delay: { stamp: STAMP } };
  expect(Forwarded.build(left)).toEqual(read("<delay xmlns='urn:xmpp:delay' stamp='2031-05-17T09:30:05Z'/>"));
  const malformed = Forwarded.parse(read("<message xmlns='jabber:client' from='@'/>"));
  expect(malformed.stanza?.problem?.condition).toBe("jid-malformed");
});

test("XEP-0297 §7: elements in other namespaces are no stanzas", () => {
  const children = "<message/><message xmlns='urn:example:other'/><body xmlns='jabber:client'/>text";
  expect(Forwarded.parse(read(children))).toEqual({ stanza: undefined, delay: undefined });
});

test.each([
  "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>",
  "<message xmlns='jabber:client'/><presence xmlns='jabber:server'/>",
  "<delay xmlns='urn:xmpp:delay'/><message xmlns='jabber:client'/>",
])("XEP-0297 §7: refuses %s", (children) => {
  expect(() => Forwarded.parse(read(children))).toThrow(expect.objectContaining({ condition: "bad-request" }));
  expect(
    forwardedIn(parseElement(`<w xmlns='urn:example:w'>${writeElement(read(children), "urn:example:w")}</w>`)),
  ).toBeUndefined();
});

test("XEP-0297 §3.2: inside another protocol's element", () => {
  const wrapper = (children: string) => parseElement(`<w xmlns='urn:example:w'>${children}</w>`);
  const forwarded = "<forwarded xmlns='urn:xmpp:forward:0'><presence xmlns='jabber:client'/></forwarded>";
  expect(forwardedIn(wrapper(forwarded))?.stanza?.kind).toBe("presence");
  expect(forwardedIn(wrapper("<forwarded/>"))).toBeUndefined();
  expect(forwardedIn(undefined)).toBeUndefined();
});

test("XEP-0297 §3: what is no stanza is not forwarded", () => {
  expect(() => writeForwarded(toBytes("<message"))).toThrow(TypeError);
});
