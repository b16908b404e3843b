/**
 * The Bidi Rule (RFC 5893 §2), which PRECIS (RFC 8265 §3.3.2) and IDNA2008 share: text that runs from right to left
 * must not look like other text.
 *
 * JavaScript's regular expressions do not know Bidi_Class. What can stand in an identifier is letters, digits
 * and marks, and of these the class follows from the block they are in, with few exceptions (Unicode 17).
 */

const HEBREW_TO_ARABIC = "\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufeff\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}";
const ARABIC_NUMBER = "\\u0660-\\u0669\\u{10d30}-\\u{10d39}\\u{10d40}-\\u{10d49}";
const EUROPEAN_NUMBER = "0-9\\u06f0-\\u06f9";
/** Letters that are neutral (class ON). */
const NEUTRAL = "\\u02b9\\u02ba\\u02c6-\\u02cf\\u02ec\\u2e2f\\ua67f\\ua717-\\ua71f\\ua788";
/** Non-spacing marks that are nevertheless of class L. */
const STRONG_MARKS = "\\u0cbf\\u0cc6\\u1b3a\\u1b3c\\u1b42\\u{11a07}\\u{11a08}\\u{11c3f}";

const RIGHT = `[[${HEBREW_TO_ARABIC}]--[\\p{M}${ARABIC_NUMBER}${EUROPEAN_NUMBER}]]`;
const LEFT = `[[\\p{L}\\p{Mc}\\p{Nd}\\p{Nl}${STRONG_MARKS}]--[${HEBREW_TO_ARABIC}${EUROPEAN_NUMBER}${NEUTRAL}]]`;
const MARK = `[[\\p{Mn}\\p{Me}]--[${STRONG_MARKS}]]`;
const of = (pattern: string): RegExp => new RegExp(pattern, "v");

const HAS_RIGHT_TO_LEFT = of(`${RIGHT}|[${ARABIC_NUMBER}]`);
const STARTS_RIGHT = of(`^${RIGHT}`);
const STARTS_LEFT = of(`^${LEFT}`);
const HAS_LEFT = of(LEFT);
const HAS_ARABIC_NUMBER = of(`[${ARABIC_NUMBER}]`);
const HAS_EUROPEAN_NUMBER = of(`[${EUROPEAN_NUMBER}]`);
const ENDS_RIGHT = of(`(?:${RIGHT}|[${ARABIC_NUMBER}${EUROPEAN_NUMBER}])${MARK}*$`);
const ENDS_LEFT = of(`(?:${LEFT}|[${EUROPEAN_NUMBER}])${MARK}*$`);

/** Does the text have any code point of class R, AL or AN, so that the Bidi Rule applies to it? */
export const hasRightToLeft = (text: string): boolean => HAS_RIGHT_TO_LEFT.test(text);

/** RFC 5893 §2, all six conditions, for one label of a domain name (or a localpart). */
export const obeysBidiRule = (label: string): boolean =>
  STARTS_RIGHT.test(label)
    ? !HAS_LEFT.test(label) &&
      ENDS_RIGHT.test(label) &&
      !(HAS_ARABIC_NUMBER.test(label) && HAS_EUROPEAN_NUMBER.test(label))
    : STARTS_LEFT.test(label) && !HAS_RIGHT_TO_LEFT.test(label) && ENDS_LEFT.test(label);
