import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { readStanza, type Stanza, writeStanza } from "./stanza.ts";
import { hasChild, textNamed } from "./stanza-children.ts";
import {
  OriginId,
  originIdOf,
  ReferencedStanza,
  StanzaId,
  stanzaIdBy,
  withoutStanzaIds,
  withStanzaId,
} from "./xep0359-stanza-ids.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:sid:0'";
const stanza = (children: string): Stanza => readStanza(parseRaw(toBytes(`<message id='m'>${children}</message>`)));
const ACCOUNT = parseJid("mira@attic.example");
const ROOM = parseJid("loft@rooms.example");
const isOurs = (by: Jid): boolean => by.domain === "attic.example";

test("XEP-0359 §2.1: <stanza-id/>", () => {
  const xml = `<stanza-id ${NS} by='mira@attic.example' id='7f&amp;3'/>`;
  expect(StanzaId.parse(parseElement(xml))).toEqual({ id: "7f&3", by: ACCOUNT });
  expect(StanzaId.build({ id: "7f&3", by: ACCOUNT })).toEqual(parseElement(xml));
});

test("XEP-0359 §2.2: <origin-id/>", () => {
  const xml = `<origin-id ${NS} id='mine'/>`;
  expect(OriginId.parse(parseElement(xml))).toBe("mine");
  expect(OriginId.build("mine")).toEqual(parseElement(xml));
});

test("XEP-0359 §4: <referenced-stanza/>", () => {
  const xml = `<referenced-stanza ${NS} by='loft@rooms.example' id='7'/>`;
  expect(ReferencedStanza.parse(parseElement(xml))).toEqual({ id: "7", by: ROOM });
  expect(ReferencedStanza.build({ id: "7", by: ROOM })).toEqual(parseElement(xml));
  expect(ReferencedStanza.parse(parseElement(`<referenced-stanza ${NS} id='7'/>`)).by).toBeUndefined();
  expect(ReferencedStanza.build({ id: "7" })).toEqual(parseElement(`<referenced-stanza ${NS} id='7'/>`));
});

test.each(["", "by='a.example'", "id=''  by='a.example'", "id='x'", "id='x' by=''", "id='x' by='@'"])(
  "XEP-0359 §3: refuses <stanza-id %s/>",
  (attributes) => {
    expect(() => StanzaId.parse(parseElement(`<stanza-id ${NS} ${attributes}/>`))).toThrow(StanzaError);
  },
);

test("XEP-0359 §3: refuses other elements without an id", () => {
  expect(() => OriginId.parse(parseElement(`<origin-id ${NS}/>`))).toThrow("an id is missing");
  expect(() => ReferencedStanza.parse(parseElement(`<referenced-stanza ${NS} id=''/>`))).toThrow("an id is missing");
});

test("XEP-0359 §3: whose id it is, is told by the address as prepared", () => {
  const given = stanza(
    `<body>hi</body><stanza-id ${NS} by='loft@rooms.example' id='r1'/><x xmlns='urn:example:x'/><stanza-id ${NS} by='Mira@ATTIC.example' id='a&apos;1'/>`,
  );
  expect(stanzaIdBy(given, ACCOUNT)).toBe("a'1");
  expect(stanzaIdBy(given, ROOM)).toBe("r1");
  expect(stanzaIdBy(given, parseJid("rooms.example"))).toBeUndefined();
  expect(stanzaIdBy(given, parseJid("mira@attic.example/desk"))).toBeUndefined();
  expect(stanzaIdBy(stanza("<body>hi</body>"), ACCOUNT)).toBeUndefined();
});

test.each([
  "<stanza-id by='mira@attic.example' id='x'/>",
  `<stanza-id ${NS} id='x'/>`,
  `<stanza-id ${NS} by='mira@attic.example'/>`,
  `<stanza-id ${NS} by='mira@attic.example' id=''/>`,
  `<stanza-id ${NS} by='@@' id='x'/>`,
  `<x xmlns='urn:example:x'><stanza-id ${NS} by='mira@attic.example' id='x'/></x>`,
])("XEP-0359 §3: no id of an account's: %s", (xml) => {
  expect(stanzaIdBy(stanza(xml), ACCOUNT)).toBeUndefined();
});

test("XEP-0359 §2.2: the id that its sender gave it", () => {
  expect(originIdOf(stanza(`<origin-id ${NS} id='&#x1F98A;'/>`))).toBe("🦊");
  expect(originIdOf(stanza(`<origin-id ${NS} id=''/>`))).toBeUndefined();
  expect(originIdOf(stanza(`<origin-id ${NS}/>`))).toBeUndefined();
  expect(originIdOf(stanza("<origin-id id='x'/>"))).toBeUndefined();
});

test("XEP-0359 §2.1: an id is added as it would be built", () => {
  const added = withStanzaId(stanza("<body>hi</body>"), "7'<3", ACCOUNT);
  expect(stanzaIdBy(added, ACCOUNT)).toBe("7'<3");
  expect(textNamed(added, "body")).toBe("hi");
  expect(readStanza(parseRaw(writeStanza(added))).index).toEqual(added.index);
});

test("XEP-0359 §3: ids that claim to be ours go, all others stay", () => {
  const mine = `<stanza-id ${NS} by='ATTIC.example' id='1'/>`;
  const others = `<stanza-id ${NS} by='loft@rooms.example' id='2'/><stanza-id ${NS} by='@' id='3'/><stanza-id ${NS} id='4'/><stanza-id by='attic.example'/>`;
  const body = "<body>é</body>";
  const rest = `<origin-id ${NS} id='5'/>`;
  const cleared = withoutStanzaIds(stanza(mine + body + others + mine + rest + mine), isOurs);
  expect(writeStanza(cleared)).toBe(writeStanza(stanza(body + others + rest)));
  expect(cleared.index).toEqual(stanza(body + others + rest).index);
  expect(hasChild(cleared, "urn:xmpp:sid:0", "origin-id")).toBe(true);
});

test("XEP-0359 §3: a stanza that claims nothing is the same stanza", () => {
  for (const kept of [stanza("<body>x</body>"), stanza(`<stanza-id ${NS} by='loft@rooms.example' id='2'/>`)])
    expect(withoutStanzaIds(kept, isOurs)).toBe(kept);
});
