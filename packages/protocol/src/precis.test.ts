import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFreeform, isIdentifier, opaqueString, usernameCaseMapped } from "./precis.ts";
import { hasRightToLeft, obeysBidiRule } from "./unicode-bidi.ts";
import { obeysContextRules } from "./unicode-context.ts";

const ZWNJ = "\u200c";
const ZWJ = "\u200d";
const VIRAMA = "\u094d"; // Devanagari
const BEH = "\u0628"; // joins on both sides
const ALEF = "\u0627"; // joins to the right only
const FATHA = "\u064e"; // transparent
const KA = "\u0915"; // Devanagari, joins nothing

/** What belongs to which class: [text, in IdentifierClass, in FreeformClass, category of RFC 8264 §9]. */
const CLASSES: readonly (readonly [string, boolean, boolean, string])[] = [
  ["lantern7", true, true, "LetterDigits"],
  ["!#$%*+-.?^_`{|}~", true, true, "ASCII7"],
  ["", false, false, "nothing at all"],
  ["a b", false, true, "Spaces, ASCII"],
  ["a\u00a0b", false, true, "Spaces, no-break"],
  ["a\u3000b", false, true, "Spaces, ideographic"],
  ["ø", true, true, "LetterDigits, Ll"],
  ["Ж", true, true, "LetterDigits, Lu"],
  ["灯", true, true, "LetterDigits, Lo"],
  ["\u0967", true, true, "LetterDigits, Nd"],
  ["\u02d0", true, true, "LetterDigits, Lm"],
  ["e\u0301", true, true, "LetterDigits, Mn"],
  ["ǅ", false, true, "OtherLetterDigits, Lt"],
  ["\u16ee", false, true, "OtherLetterDigits, Nl"],
  ["\u2776", false, true, "OtherLetterDigits, No"],
  ["a\u0488", false, true, "OtherLetterDigits, Me"],
  ["Ⅳ", false, true, "HasCompat"],
  ["ﬁ", false, true, "HasCompat, ligature"],
  ["\u212b", false, true, "HasCompat, canonical singleton"],
  ["🏮", false, true, "Symbols, So"],
  ["€", false, true, "Symbols, Sc"],
  ["∑", false, true, "Symbols, Sm"],
  ["…", false, true, "Punctuation with HasCompat"],
  ["«", false, true, "Punctuation, Pi"],
  ["ß", true, true, "Exceptions, PVALID"],
  ["ς", true, true, "Exceptions, PVALID"],
  ["〇", true, true, "Exceptions, PVALID"],
  ["\u0640", false, false, "Exceptions, DISALLOWED: tatweel"],
  ["\u303b", false, false, "Exceptions, DISALLOWED"],
  ["\u1100", false, false, "OldHangulJamo, L"],
  ["\u1161", false, false, "OldHangulJamo, V"],
  ["\ud7cb", false, false, "OldHangulJamo, T"],
  ["\u00ad", false, false, "PrecisIgnorableProperties: soft hyphen"],
  ["a\u200b", false, false, "PrecisIgnorableProperties: zero width space"],
  ["❤\ufe0f", false, false, "PrecisIgnorableProperties: variation selector"],
  ["\ufeff", false, false, "PrecisIgnorableProperties: byte order mark"],
  ["\ufdd0", false, false, "PrecisIgnorableProperties: noncharacter"],
  ["\u{1ffff}", false, false, "PrecisIgnorableProperties: noncharacter"],
  ["\0", false, false, "Controls"],
  ["a\n", false, false, "Controls"],
  ["\x7f", false, false, "Controls"],
  ["\u0085", false, false, "Controls"],
  ["\u202e", false, false, "format: right-to-left override"],
  ["\u2028", false, false, "line separator"],
  ["\ue000", false, false, "private use"],
  ["\ud800", false, false, "lone surrogate"],
  ["a\udc00b", false, false, "lone surrogate"],
  ["\u{e0041}", false, false, "tag character"],
  ["\u{40000}", false, false, "Unassigned"],
];

describe("string classes", () => {
  test.each(CLASSES)(
    "RFC 8264 §8: %j is in IdentifierClass: %s, in FreeformClass: %s (%s)",
    (text, identifier, freeform) => {
      expect(isIdentifier(text)).toBe(identifier);
      expect(isFreeform(text)).toBe(freeform);
    },
  );

  test("RFC 8264 §4.2: IdentifierClass has exactly the printable ones of ASCII", () => {
    const allowed = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code)).filter(isIdentifier);
    expect(allowed.join("")).toBe(Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at)).join(""));
  });

  test("RFC 8264 §8: every code point of IdentifierClass is in FreeformClass", () => {
    const odd: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      const text = String.fromCodePoint(code);
      if (isIdentifier(text) && !isFreeform(text)) odd.push(text);
    }
    expect(odd).toEqual([]);
  });
});

/** [text, obeys, rule] */
const CONTEXTS: readonly (readonly [string, boolean, string])[] = [
  [KA + VIRAMA + ZWNJ + KA, true, "A.1 after a virama"],
  [BEH + ZWNJ + BEH, true, "A.1 between joining letters"],
  [BEH + FATHA + ZWNJ + FATHA + ALEF, true, "A.1 marks between are transparent"],
  [ALEF + ZWNJ + BEH, false, "A.1 after a letter that does not join it"],
  [`a${ZWNJ}b`, false, "A.1 between Latin letters"],
  [BEH + ZWNJ, false, "A.1 at the end"],
  [ZWNJ + BEH, false, "A.1 at the beginning"],
  [BEH + ZWNJ + ZWNJ + BEH, false, "A.1 twice"],
  [KA + VIRAMA + ZWJ + KA, true, "A.2 after a virama"],
  [BEH + ZWJ + BEH, false, "A.2 between joining letters"],
  [ZWJ, false, "A.2 alone"],
  ["👩\u200d🚒", false, "A.2 in an emoji"],
  ["col·lecció", true, "A.3 between two l"],
  ["col·a", false, "A.3 before another letter"],
  ["a·l", false, "A.3 after another letter"],
  ["·l", false, "A.3 at the beginning"],
  ["l·", false, "A.3 at the end"],
  ["\u0375α", true, "A.4 before Greek"],
  ["\u0375a", false, "A.4 before Latin"],
  ["α\u0375", false, "A.4 at the end"],
  ["\u05d0\u05f3", true, "A.5 after Hebrew"],
  ["a\u05f3", false, "A.5 after Latin"],
  ["\u05d0\u05f4\u05d1", true, "A.6 between Hebrew"],
  ["\u05f4", false, "A.6 alone"],
  ["カ・メ", true, "A.7 with Katakana"],
  ["・ひ", true, "A.7 with Hiragana"],
  ["漢・a", true, "A.7 with Han"],
  ["a・b", false, "A.7 with Latin only"],
  ["・", false, "A.7 alone"],
  ["\u0661\u0662", true, "A.8 one set of digits"],
  ["\u0661\u06f2", false, "A.8 both sets of digits"],
  ["\u06f1\u06f2", true, "A.9 one set of digits"],
  ["\u06f1a\u0662", false, "A.9 both sets of digits"],
  ["ordinary", true, "no rule applies"],
];

describe("contextual rules", () => {
  test.each(CONTEXTS)("RFC 5892 Appendix A: %j obeys: %s (%s)", (text, obeys) => {
    expect(obeysContextRules(text)).toBe(obeys);
  });
});

/** [label, obeys, condition of RFC 5893 §2] */
const BIDI: readonly (readonly [string, boolean, string])[] = [
  ["\u05d0\u05d1\u05d2", true, "all R"],
  ["\u0628\u064e\u0628", true, "AL with a mark inside"],
  ["\u05d05", true, "3: ends with EN"],
  ["\u05d0\u05b0", true, "3: ends with NSM after R"],
  ["\u0628\u0661", true, "3: ends with AN"],
  ["5\u05d0", false, "1: begins with EN"],
  ["\u0661\u0628", false, "1: begins with AN"],
  ["_\u05d0", false, "1: begins with ON"],
  ["\u05d0a\u05d0", false, "2: L inside"],
  ["\u05d0-", false, "3: ends with ES"],
  ["\u06285\u0661", false, "4: EN and AN"],
  ["a\u05d0", false, "5: R in a label from left to right"],
  ["a\u0661", false, "5: AN in a label from left to right"],
  ["a5", true, "6: ends with EN"],
  ["a\u0301", true, "6: ends with NSM after L"],
  ["a-", false, "6: ends with ES"],
  ["a-b", true, "5: ES inside"],
];

describe("Bidi Rule", () => {
  test.each(BIDI)("RFC 5893 §2: %j obeys: %s (%s)", (label, obeys) => {
    expect(obeysBidiRule(label)).toBe(obeys);
  });

  test("RFC 5893 §1.4: only R, AL and AN make text right-to-left", () => {
    expect(["\u05d0", "\u0628", "\u0661", "a\u07ca", "\u{1e922}"].every(hasRightToLeft)).toBe(true);
    expect(["a", "5", "\u06f5", "ж", "\u0301", "-", ""].some(hasRightToLeft)).toBe(false);
  });
});

/** [given, prepared or undefined, reason] */
const USERNAMES: readonly (readonly [string, string | undefined, string])[] = [
  ["Lampwick", "lampwick", "case"],
  ["ＬＡＭＰ７", "lamp7", "width, then case"],
  ["ﾗﾝﾌﾟ", "ランプ", "halfwidth Katakana, then NFC"],
  ["e\u0301gide", "égide", "NFC"],
  ["É", "é", "case beyond ASCII"],
  ["Σίσυφος", "σίσυφος", "final sigma is left alone"],
  ["ΣΙΣΥΦΟΣ", "σισυφοσ", "capital sigma never becomes a final one"],
  ["STRAẞE", "straße", "capital sharp s"],
  ["straße", "straße", "sharp s is not ss"],
  ["İ", "i̇", "capital dotted I"],
  ["COL·LECCIÓ", "col·lecció", "context after case"],
  ["\u{10400}", "\u{10428}", "case beyond the BMP"],
  ["henry Ⅷ", undefined, "space and compatibility equivalent"],
  ["henryⅧ", undefined, "compatibility equivalent"],
  ["\u212a", undefined, "Kelvin sign, a compatibility equivalent"],
  ["lamp🏮", undefined, "symbol"],
  ["lamp\u3000wick", undefined, "a space after width mapping"],
  ["5\u05d0", undefined, "Bidi Rule"],
  ["lamp\u05d0", undefined, "Bidi Rule"],
  ["\u05d0\u05d1", "\u05d0\u05d1", "right to left"],
  ["lamp\u200bwick", undefined, "zero width space"],
  ["lamp\u202ewick", undefined, "override"],
  ["", undefined, "empty"],
];

/** [given, prepared or undefined, reason] */
const OPAQUE: readonly (readonly [string, string | undefined, string])[] = [
  ["Lamp Wick", "Lamp Wick", "case and space stay"],
  [" lamp ", " lamp ", "spaces first and last stay"],
  ["lamp\u00a0wick\u3000", "lamp wick ", "other spaces become U+0020"],
  ["e\u0301", "é", "NFC"],
  ["\u212b", "Å", "NFC of a singleton"],
  ["ＬＡＭＰ", "ＬＡＭＰ", "no width mapping"],
  ["Ⅷ🏮♚", "Ⅷ🏮♚", "symbols and compatibility equivalents"],
  ["5\u05d0a", "5\u05d0a", "no Bidi Rule"],
  ["l·l", "l·l", "contextual rule obeyed"],
  ["a·b", undefined, "contextual rule broken"],
  ["tab\tbed", undefined, "control"],
  ["\0", undefined, "NUL"],
  ["\ud800", undefined, "lone surrogate"],
  ["\u200b", undefined, "zero width space"],
  ["", undefined, "empty"],
];

describe("profiles", () => {
  test.each(USERNAMES)("RFC 8265 §3.3: UsernameCaseMapped makes %j %j (%s)", (given, expected) => {
    expect(usernameCaseMapped(given)).toBe(expected);
  });
  test.each(OPAQUE)("RFC 8265 §4.2: OpaqueString makes %j %j (%s)", (given, expected) => {
    expect(opaqueString(given)).toBe(expected);
  });

  const anyText = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary-ascii" }),
  );
  test.each([
    ["UsernameCaseMapped", usernameCaseMapped, isIdentifier],
    ["OpaqueString", opaqueString, isFreeform],
  ] as const)("RFC 8264 §7: %s prepared again stays the same, and is in its class", (_, prepare, isInClass) => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = prepare(text);
        if (once === undefined) return;
        expect(prepare(once)).toBe(once);
        expect(isInClass(once)).toBe(true);
        expect(once.normalize("NFC")).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });

  test("RFC 8264 §7: every code point, prepared again, stays the same", () => {
    const odd: string[] = [];
    for (let code = 0x80; code <= 0x2ffff; code++) {
      const text = `a${String.fromCodePoint(code)}`;
      const [username, opaque] = [usernameCaseMapped(text), opaqueString(text)];
      if (username !== undefined && usernameCaseMapped(username) !== username) odd.push(text);
      if (opaque !== undefined && opaqueString(opaque) !== opaque) odd.push(text);
    }
    expect(odd).toEqual([]);
  });

  test("RFC 8264 §12.5: long hostile text is refused in time that grows with its length", () => {
    const long = 20_000;
    for (const unit of ["\u064e", "\u200c", BEH + ZWNJ, "・", "\u0661\u06f1", "a\u0301\u0302"]) {
      expect(usernameCaseMapped(`${unit.repeat(long)}\0`)).toBeUndefined();
      expect(opaqueString(`${unit.repeat(long)}\0`)).toBeUndefined();
    }
  });
});
