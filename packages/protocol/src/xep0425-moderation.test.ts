import { expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import { Retracted, Retraction } from "./xep0424-retraction.ts";
import { Moderate, moderatedRetraction, moderatedTombstone, moderationIn } from "./xep0425-moderation.ts";
import { parseElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:message-moderate:1'";
const RETRACT = "xmlns='urn:xmpp:message-retract:1'";
const MODERATOR = parseJid("loft@rooms.example/Mira");

test("XEP-0425 §3: <moderate/>, with a reason and without", () => {
  const xml = `<moderate ${NS} id='s1'><retract ${RETRACT}/><reason>spam &amp; more</reason></moderate>`;
  expect(Moderate.parse(parseElement(xml))).toEqual({ id: "s1", reason: "spam & more" });
  expect(Moderate.build({ id: "s1", reason: "spam & more" })).toEqual(parseElement(xml));
  const plain = `<moderate ${NS} id='s1'><retract ${RETRACT}/></moderate>`;
  expect(Moderate.parse(parseElement(plain))).toEqual({ id: "s1", reason: undefined });
  expect(Moderate.build({ id: "s1" })).toEqual(parseElement(plain));
});

test.each([
  ["bad-request", `<moderate ${NS}><retract ${RETRACT}/></moderate>`],
  ["bad-request", `<moderate ${NS} id=''><retract ${RETRACT}/></moderate>`],
  ["feature-not-implemented", `<moderate ${NS} id='s1'/>`],
  ["feature-not-implemented", `<moderate ${NS} id='s1'><retract/></moderate>`],
])("XEP-0425 §3: %s for %s", (condition, xml) => {
  expect(() => Moderate.parse(parseElement(xml))).toThrow(expect.objectContaining({ condition }));
});

const INSIDE = `<moderated ${NS} by='loft@rooms.example/Mira'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='dd7'/></moderated><reason>spam</reason>`;
const MODERATION = { by: MODERATOR, occupantId: "dd7", reason: "spam" };

test("XEP-0425 §3.1: what a room tells everybody", () => {
  const element = parseElement(`<retract ${RETRACT} id='s1'>${INSIDE}</retract>`);
  expect(moderatedRetraction("s1", MODERATION)).toEqual(element);
  expect(moderationIn(element)).toEqual(MODERATION);
  expect(Retraction.parse(element)).toBe("s1");
});

test("XEP-0425 §4: what an archive keeps, with a moderator who is not named", () => {
  const element = parseElement(`<retracted ${RETRACT} stamp='1970-01-01T00:00:01Z'>${INSIDE}</retracted>`);
  expect(moderatedTombstone({ stamp: 1000 }, MODERATION)).toEqual(element);
  expect(Retracted.parse(element).stamp).toBe(1000);
  const unnamed = parseElement(`<retracted ${RETRACT}><moderated ${NS}/></retracted>`);
  expect(moderatedTombstone({}, {})).toEqual(unnamed);
  expect(moderationIn(unnamed)).toEqual({ by: undefined, occupantId: undefined, reason: undefined });
});

test("XEP-0425 §4: what its sender retracted, no moderator did", () => {
  expect(
    moderationIn(parseElement(`<retract ${RETRACT} id='s1'><moderated/><reason>x</reason></retract>`)),
  ).toBeUndefined();
});

test("XEP-0425 §3.1: a moderator whose address is none", () => {
  const forged = parseElement(`<retract ${RETRACT} id='s1'><moderated ${NS} by='@'/></retract>`);
  expect(() => moderationIn(forged)).toThrow(expect.objectContaining({ condition: "jid-malformed" }));
});
