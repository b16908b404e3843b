import { describe, expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import {
  type ArchiveDefault,
  ArchivePreferences,
  ArchivePreferencesRequest,
  isKept,
} from "./xep0441-archive-preferences.ts";
import { parseElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:mam:2'";

test("XEP-0441 §2.1: asking", () => {
  const xml = `<prefs ${NS}/>`;
  expect(ArchivePreferencesRequest.build(ArchivePreferencesRequest.parse(parseElement(xml)))).toEqual(
    parseElement(xml),
  );
});

test("XEP-0441 §2.1: telling", () => {
  const xml = `<prefs ${NS} default='roster'><always><jid>tom@example.net</jid><jid>spam.example/x</jid></always><never/></prefs>`;
  const value = { default: "roster", always: ["tom@example.net", "spam.example/x"].map(parseJid), never: [] } as const;
  expect(ArchivePreferences.parse(parseElement(xml))).toEqual(value);
  expect(ArchivePreferences.build(value)).toEqual(parseElement(xml));
});

test("XEP-0441 §2.1.2, §2.1.3: lists that are missing are empty, addresses are prepared", () => {
  expect(ArchivePreferences.parse(parseElement(`<prefs ${NS} default='never'/>`))).toEqual({
    default: "never",
    always: [],
    never: [],
  });
  const never = parseElement(`<prefs ${NS} default='always'><never><jid> Tom@EXAMPLE.net\n</jid></never></prefs>`);
  expect(ArchivePreferences.parse(never).never).toEqual([parseJid("tom@example.net")]);
});

test.each([
  ["bad-request", `<prefs ${NS}/>`],
  ["bad-request", `<prefs ${NS} default='sometimes'/>`],
  ["jid-malformed", `<prefs ${NS} default='never'><always><jid/></always></prefs>`],
  ["jid-malformed", `<prefs ${NS} default='never'><never><jid>@</jid></never></prefs>`],
])("XEP-0441 §2.1: %s for %s", (condition, xml) => {
  expect(() => ArchivePreferences.parse(parseElement(xml))).toThrow(expect.objectContaining({ condition }));
});

describe("XEP-0441 §2.3: with this address", () => {
  const kept = (
    otherwise: ArchiveDefault,
    always: readonly string[],
    never: readonly string[],
    target: string,
    contacts: readonly string[] = [],
  ): boolean =>
    isKept(
      { default: otherwise, always: always.map(parseJid), never: never.map(parseJid) },
      parseJid(target),
      (account) => contacts.includes(account),
    );

  test.each([
    [true, "always", [], [], []],
    [false, "never", [], [], []],
    [false, "roster", [], [], []],
    [true, "roster", [], [], ["tom@example.net"]],
    [true, "never", ["tom@example.net"], [], []],
    [true, "never", ["tom@example.net/pad"], [], []],
    [false, "never", ["tom@example.net/desk"], [], []],
    [false, "always", [], ["tom@example.net"], ["tom@example.net"]],
    [true, "always", [], ["tom@example.net/desk"], []],
    [false, "always", ["tom@example.net"], ["tom@example.net"], []],
    [true, "roster", ["tom@example.net/pad"], ["tom@example.net"], []],
    [false, "roster", ["tom@example.net"], ["tom@example.net/pad"], ["tom@example.net"]],
    [false, "roster", ["example.net"], [], ["example.net"]],
  ] as const)("kept: %s (default %s, always %j, never %j, contacts %j)", (is, otherwise, always, never, contacts) => {
    expect(kept(otherwise, always, never, "tom@example.net/pad", contacts)).toBe(is);
  });

  test("what is said of a resource does not hold for the account", () => {
    expect(kept("never", ["tom@example.net/pad"], [], "tom@example.net")).toBe(false);
  });
});
