/** Values of XML Schema datatypes (Part 2) as they stand in attributes and text. */

const DIGITS = /^\+?\d+$/;

/**
 * xs:unsignedInt, or another whole number that is not negative: the number, or `undefined` where the text is none or one
 * above `max`. White space around it does not count (§4.3.6), nor do leading zeros.
 */
export const parseUnsigned = (text: string, max: number = MAX_UNSIGNED_INT): number | undefined => {
  const digits = text.trim();
  if (!DIGITS.test(digits)) return undefined;
  const number = Number(digits);
  return number <= max ? number : undefined;
};

export const MAX_UNSIGNED_INT = 0xffff_ffff;
