import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prepareLocalpart } from "./jid.ts";
import { escapeLocalpart, unescapeLocalpart } from "./xep0106-jid-escaping.ts";

/** [name, localpart] */
const PAIRS: readonly (readonly [string, string])[] = [
  ["lampwick", "lampwick"],
  ["lamp wick", "lamp\\20wick"],
  ['the "lamp"', "the\\20\\22lamp\\22"],
  ["oil&wick co", "oil\\26wick\\20co"],
  ["l'ampoule", "l\\27ampoule"],
  ["/dev/lamp", "\\2fdev\\2flamp"],
  ["::wick::", "\\3a\\3awick\\3a\\3a"],
  ["<lamp>", "\\3clamp\\3e"],
  ["lamp@wick.example", "lamp\\40wick.example"],
  ["c:\\lamp", "c\\3a\\lamp"],
  ["c:\\\\lamp", "c\\3a\\\\lamp"],
  ["c:\\5cents", "c\\3a\\5c5cents"],
  ["c:\\lit lamp", "c\\3a\\lit\\20lamp"],
  ["\\3amp", "\\5c3amp"],
  ["\\5c", "\\5c5c"],
  ["\\2plus\\2is\\4", "\\2plus\\2is\\4"],
  ["lamp\\bright", "lamp\\bright"],
  ["lamp\\41x", "lamp\\41x"],
  ["\\", "\\"],
  ["lampe à pétrole", "lampe\\20à\\20pétrole"],
];

describe("escaping", () => {
  test.each(PAIRS)("XEP-0106 §3.2, §4: %j is written %j", (name, localpart) => {
    expect(escapeLocalpart(name)).toBe(localpart);
    expect(unescapeLocalpart(localpart)).toBe(name);
    expect(prepareLocalpart(localpart)).toBe(localpart);
  });

  test.each([" lamp", "lamp ", " "])(
    "XEP-0106 §4.1: %j has no localpart, since \\20 is never first or last",
    (name) => {
      expect(escapeLocalpart(name)).toBeUndefined();
    },
  );

  test.each(["\\20lamp", "lamp\\20", "\\20"])("XEP-0106 §4.1: %j is no escaped localpart and stays", (localpart) => {
    expect(unescapeLocalpart(localpart)).toBe(localpart);
  });

  test("XEP-0106 §3.1: case is significant; what preparation would turn into an escape is not one before", () => {
    expect(unescapeLocalpart("a\\2Fb")).toBe("a\\2Fb");
    const localpart = escapeLocalpart("a\\2Fb") ?? "";
    expect(unescapeLocalpart(prepareLocalpart(localpart) ?? "")).toBe("a\\2fb");
  });

  test("XEP-0106 §4.2: unescaping takes escaping back, and a prepared name gives a valid localpart", () => {
    const name = fc.string({ unit: fc.constantFrom(..."ab \"&'/:<>@\\0234567cef"), minLength: 1 });
    fc.assert(
      fc.property(name, (text) => {
        const localpart = escapeLocalpart(text);
        if (localpart === undefined) return;
        expect(prepareLocalpart(localpart)).toBe(localpart);
        expect(unescapeLocalpart(localpart)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});
