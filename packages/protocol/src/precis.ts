/** PRECIS: string classes (RFC 8264) and the two profiles of them that XMPP uses (RFC 8265). */

import { hasRightToLeft, obeysBidiRule } from "./unicode-bidi.ts";
import { CONTEXTUAL, obeysContextRules } from "./unicode-context.ts";

// RFC 8264 §9, the categories that overrule the rest, in the order of §8.
/** §9.6 Exceptions. */
const EXCEPTIONALLY_VALID = "\\u00df\\u03c2\\u06fd\\u06fe\\u0f0b\\u3007";
const EXCEPTIONALLY_DISALLOWED = "\\u0640\\u07fa\\u302e\\u302f\\u3031-\\u3035\\u303b";
/** §9.9 OldHangulJamo: Hangul_Syllable_Type L, V or T. */
const OLD_HANGUL_JAMO = "\\u1100-\\u11ff\\ua960-\\ua97c\\ud7b0-\\ud7c6\\ud7cb-\\ud7fb";
/** §9.13 PrecisIgnorableProperties, without the noncharacters, which have none of the categories below. */
const IGNORABLE = "\\p{Default_Ignorable_Code_Point}";
/** §9.1 LetterDigits. */
const LETTER_DIGITS = "\\p{Ll}\\p{Lu}\\p{Lo}\\p{Nd}\\p{Lm}\\p{Mn}\\p{Mc}";
/** §9.18 OtherLetterDigits, §9.14 Spaces, §9.15 Symbols, §9.16 Punctuation. */
const FREE_ONLY = "\\p{Lt}\\p{Nl}\\p{No}\\p{Me}\\p{Zs}\\p{S}\\p{P}";

const VALID = `\\u0021-\\u007e${EXCEPTIONALLY_VALID}`;
const NEVER = `[${EXCEPTIONALLY_DISALLOWED}${OLD_HANGUL_JAMO}${IGNORABLE}]`;

const IDENTIFIER = new RegExp(`^[[[${LETTER_DIGITS}]--${NEVER}][${VALID}]${CONTEXTUAL}]+$`, "v");
const FREEFORM = new RegExp(`^[[[${LETTER_DIGITS}${FREE_ONLY}]--${NEVER}][${VALID}]${CONTEXTUAL}]+$`, "v");
/** §9.17 HasCompat: has a compatibility equivalent. */
const NON_ASCII = /[^\0-\x7f]/gu;
const hasCompatible = (text: string): boolean =>
  text.match(NON_ASCII)?.some((codePoint) => codePoint.normalize("NFKC") !== codePoint) ?? false;

// Code points with a contextual rule are let in first and judged by their context once all mapping is done: "L·L" is fine.
const mayBecomeIdentifier = (text: string): boolean => IDENTIFIER.test(text) && !hasCompatible(text);
const mayBecomeFreeform = (text: string): boolean => FREEFORM.test(text);

/** IdentifierClass (RFC 8264 §4.2): letters, digits, printable ASCII. False for empty text. */
export const isIdentifier = (text: string): boolean => mayBecomeIdentifier(text) && obeysContextRules(text);

/** FreeformClass (RFC 8264 §4.3): also spaces, symbols, punctuation. False for empty text. */
export const isFreeform = (text: string): boolean => mayBecomeFreeform(text) && obeysContextRules(text);

/** Fullwidth and halfwidth forms and the ideographic space, which have wide or narrow decompositions. */
const WIDE_OR_NARROW = /[\u3000\uff01-\uffee]/g;
const CASED = /\p{Changes_When_Lowercased}/gu;
const NON_ASCII_SPACE = /[\p{Zs}--[ ]]/gv;

/** RFC 8265 §3.3.2: fullwidth and halfwidth code points become what they are decomposed to. */
const mapWidth = (text: string): string => text.replace(WIDE_OR_NARROW, (codePoint) => codePoint.normalize("NFKC"));
/** One code point at a time: PRECIS knows no final sigma that depends on where it stands (RFC 7622 §3.5). */
const lowerCase = (text: string): string => text.replace(CASED, (codePoint) => codePoint.toLowerCase());

/**
 * UsernameCaseMapped (RFC 8265 §3.3): prepares a localpart or user name for use and comparison, or `undefined` where it
 * is not allowed. Lengths are the caller's business.
 */
export const usernameCaseMapped = (text: string): string | undefined => untilStable(text, enforceUsername);
const enforceUsername = (text: string): string | undefined => {
  const wide = mapWidth(text);
  if (!mayBecomeIdentifier(wide)) return undefined;
  const mapped = lowerCase(wide).normalize("NFC");
  return isIdentifier(mapped) && (!hasRightToLeft(mapped) || obeysBidiRule(mapped)) ? mapped : undefined;
};

/** OpaqueString (RFC 8265 §4.2): prepares a resourcepart or password, or `undefined` where it is not allowed. */
export const opaqueString = (text: string): string | undefined => untilStable(text, enforceOpaque);
const enforceOpaque = (text: string): string | undefined => {
  if (!mayBecomeFreeform(text)) return undefined;
  const mapped = text.replace(NON_ASCII_SPACE, " ").normalize("NFC");
  return isFreeform(mapped) ? mapped : undefined;
};

/** RFC 8264 §7: the rules are applied until nothing changes, at most three times more, else the text is refused. */
const untilStable = (text: string, enforce: (text: string) => string | undefined): string | undefined => {
  let current = enforce(text);
  for (let again = 0; again < 3 && current !== undefined; again++) {
    const next = enforce(current);
    if (next === current) return current;
    current = next;
  }
  return undefined;
};
