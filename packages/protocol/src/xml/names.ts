/** Names of XML 1.0, fifth edition (§2.3) and of Namespaces in XML 1.0 (§3, §4). */

const START_RANGES: readonly (readonly [number, number])[] = [
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
  [0x10000, 0xeffff],
];
const OTHER_RANGES: readonly (readonly [number, number])[] = [
  [0x2d, 0x2e],
  [0x30, 0x39],
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040],
];
const within = (ranges: readonly (readonly [number, number])[], point: number): boolean =>
  ranges.some(([first, last]) => point >= first && point <= last);

/** May a name without a colon start with this code point? */
export const isNameStart = (point: number): boolean => within(START_RANGES, point);

/** May this code point stand in a name without a colon? */
export const isNameChar = (point: number): boolean => within(START_RANGES, point) || within(OTHER_RANGES, point);

const ASCII_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Is this text a name without a colon (NCName)? */
export const isName = (text: string): boolean => {
  if (ASCII_NAME.test(text)) return true;
  let first = true;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    if (!(first ? isNameStart(point) : isNameChar(point))) return false;
    first = false;
  }
  return !first;
};
