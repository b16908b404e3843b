/**
 * Contextual rules for code points that are allowed only beside certain others (RFC 5892 Appendix A), which
 * PRECIS (RFC 8264 §4.2.2, §4.3.2) and IDNA2008 share.
 */

// JavaScript's regular expressions know neither combining classes nor joining types. Unicode 17.
/** Canonical_Combining_Class = Virama (9). */
const VIRAMA = range(
  "94d 9cd a4d acd b4d bcd c4d ccd d3b-d3c d4d dca e3a eba f84 1039-103a 1714-1715 1734 17d2 1a60 1b44 1baa-1bab " +
    "1bf2-1bf3 2d7f a806 a82c a8c4 a953 a9c0 aaf6 abed 10a3f 11046 11070 1107f 110b9 11133-11134 111c0 11235 112ea " +
    "1134d 113ce-113d0 11442 114c2 115bf 1163f 116b6 1172b 11839 1193d-1193e 119e0 11a34 11a47 11a99 11c3f " +
    "11d44-11d45 11d97 11f41-11f42 1612f",
);
/** Joining_Type = Left_Joining or Dual_Joining. */
const JOINS_NEXT = range(
  "620 626 628 62a-62e 633-63f 641-647 649-64a 66e-66f 678-687 69a-6bf 6c1-6c2 6cc 6ce 6d0-6d1 6fa-6fc 6ff 712-714 " +
    "71a-71d 71f-727 729 72b 72d-72e 74e-758 75c-76a 76d-770 772 775-777 77a-77f 7ca-7ea 841-845 848 84a-853 855 860 " +
    "862-865 868 886 889-88d 88f 8a0-8a9 8af-8b0 8b3-8b8 8ba-8c8 1807 1820-1878 1887-18a8 18aa a840-a872 10ac0-10ac4 " +
    "10acd 10ad3-10adc 10ade-10ae0 10aeb-10aee 10b80 10b82 10b86-10b88 10b8a-10b8b 10b8d 10b90 10bad-10bae " +
    "10d00-10d21 10d23 10ec3-10ec4 10ec6-10ec7 10f30-10f32 10f34-10f44 10f51-10f53 10f70-10f73 10f76-10f81 10fb0 " +
    "10fb2-10fb3 10fb8 10fbb-10fbc 10fbe-10fbf 10fc1 10fc4 10fca-10fcb 1e900-1e943",
);
/** Joining_Type = Right_Joining or Dual_Joining. */
const JOINS_PREVIOUS = range(
  "620 622-63f 641-64a 66e-66f 671-673 675-6d3 6d5 6ee-6ef 6fa-6fc 6ff 710 712-72f 74d-77f 7ca-7ea 840-858 860 " +
    "862-865 867-86a 870-882 886 889-88f 8a0-8ac 8ae-8c8 1807 1820-1878 1887-18a8 18aa a840-a871 10ac0-10ac5 10ac7 " +
    "10ac9-10aca 10ace-10ad6 10ad8-10ae1 10ae4 10aeb-10aef 10b80-10b91 10ba9-10bae 10d01-10d23 10ec2-10ec4 " +
    "10ec6-10ec7 10f30-10f44 10f51-10f54 10f70-10f81 10fb0 10fb2-10fb6 10fb8-10fbf 10fc1-10fc4 10fc9-10fca 1e900-1e943",
);
/** Joining_Type = Transparent, as far as the string classes let such code points in. */
const TRANSPARENT = /^[\p{Mn}\p{Me}]$/u;

/** A matcher for one code point out of ranges written in hexadecimal. */
function range(ranges: string): RegExp {
  const codePoint = (hex: string): string => `\\u{${hex}}`;
  return new RegExp(
    `^[${ranges
      .split(" ")
      .map((part) => part.split("-").map(codePoint).join("-"))
      .join("")}]$`,
    "u",
  );
}

const GREEK = /^\p{Script=Greek}$/u;
const HEBREW = /^\p{Script=Hebrew}$/u;
const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;
const ARABIC_INDIC = /[\u0660-\u0669]/;
const EXTENDED_ARABIC_INDIC = /[\u06f0-\u06f9]/;

/** Joiners (CONTEXTJ) and the other code points with a rule (CONTEXTO), as part of a regular expression. */
export const CONTEXTUAL = "[\\u200c\\u200d\\u00b7\\u0375\\u05f3\\u05f4\\u30fb\\u0660-\\u0669\\u06f0-\\u06f9]";
const HAS_CONTEXTUAL = new RegExp(CONTEXTUAL);

/** Does every code point that has a contextual rule obey it? True for text without any. */
export const obeysContextRules = (text: string): boolean => {
  if (!HAS_CONTEXTUAL.test(text)) return true;
  const all = Array.from(text);
  return all.every((_, at) => obeys(all, at, text));
};

const obeys = (all: readonly string[], at: number, text: string): boolean => {
  const before = all[at - 1] ?? "";
  const after = all[at + 1] ?? "";
  switch (all[at]) {
    case "\u200c":
      return VIRAMA.test(before) || isBetweenJoining(all, at); // A.1 zero width non-joiner
    case "\u200d":
      return VIRAMA.test(before); // A.2 zero width joiner
    case "\u00b7":
      return before === "l" && after === "l"; // A.3 middle dot, as Catalan uses it
    case "\u0375":
      return GREEK.test(after); // A.4 Greek keraia
    case "\u05f3": // A.5 Hebrew geresh
    case "\u05f4":
      return HEBREW.test(before); // A.6 Hebrew gershayim
    case "\u30fb":
      return JAPANESE.test(text.replaceAll("\u30fb", "")); // A.7 Katakana middle dot, itself Script=Common
    default:
      return !(ARABIC_INDIC.test(text) && EXTENDED_ARABIC_INDIC.test(text)); // A.8, A.9 two sets of digits
  }
};

/** A.1: (L|D) T* ZWNJ T* (R|D) */
const isBetweenJoining = (all: readonly string[], at: number): boolean => {
  let left = at - 1;
  while (left >= 0 && TRANSPARENT.test(all[left] ?? "")) left--;
  let right = at + 1;
  while (right < all.length && TRANSPARENT.test(all[right] ?? "")) right++;
  return JOINS_NEXT.test(all[left] ?? "") && JOINS_PREVIOUS.test(all[right] ?? "");
};
