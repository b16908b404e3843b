import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { prepared, type Saslprep, saslprep } from "./saslprep.ts";

const library = (createRequire(import.meta.url)("@mongodb-js/saslprep") as { saslprep: Saslprep }).saslprep;

describe("SASLprep", () => {
  test.each([
    ["I\u00adX", "IX", "soft hyphen mapped to nothing"],
    ["user", "user", "nothing to do"],
    ["USER", "USER", "case stays"],
    ["\u00aa", "a", "NFKC"],
    ["\u2168", "IX", "NFKC"],
    ["pen\u00a0cil", "pen cil", "no-break space"],
    ["p\u00eatre", "p\u00eatre", "NFKC has nothing to do"],
    ["pe\u0302tre", "p\u00eatre", "composed"],
    ["a\u200bb", "ab", "zero width space is mapped to nothing first"],
    ["🏮", "🏮", "emoji, unassigned in Unicode 3.2"],
  ])("RFC 4013 §2, §3: %j becomes %j (%s)", (given, expected) => {
    expect(saslprep(given)).toBe(expected);
  });

  test.each(["\x07", "a\0", "\x7f", "\ue000", "\ufffd", "\ud800", "\u202e", "\ufdd0", "\u2ff0", "\u{e0041}"])(
    "RFC 4013 §2.3: %j is prohibited",
    (given) => {
      expect(() => saslprep(given)).toThrow();
      expect(prepared(saslprep, given)).toBeUndefined();
    },
  );

  test("RFC 5802 §5.1: what is left empty counts as refused", () => {
    expect(prepared(saslprep, "\u00ad")).toBeUndefined();
    expect(prepared(saslprep, "")).toBeUndefined();
    expect(prepared(saslprep, "x")).toBe("x");
  });

  test.each(["I\u00adX", "\u00aa", "\u2168", "pe\u0302tre", "plain text", "ﬀ", "Ｆ", "π"])(
    "RFC 4013 §3: %j becomes what the library of servers makes of it",
    (given) => {
      expect(saslprep(given)).toBe(library(given));
    },
  );
});
