import type { Bytes } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { isNameChar, isNameStart } from "./names.ts";

/** What the scanner checks beyond single bytes, and the errors it throws (RFC 6120 §11). */

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const HASH = 0x23;
const COLON = 0x3a;
const LETTER_X = 0x78;

export const malformed = (text: string): StreamError => new StreamError("not-well-formed", text);
export const restricted = (text: string): StreamError => new StreamError("restricted-xml", text);
const misencoded = (): StreamError => new StreamError("unsupported-encoding", "This is not UTF-8");
export const exceeded = (text: string): StreamError => new StreamError("policy-violation", text);
export const prefixRefused = (): StreamError =>
  new StreamError("bad-namespace-prefix", "The content namespace has no prefix in a stream");

export const disallowed = (): StreamError => malformed("A character that XML does not allow");

/** What is wrong with a byte that is neither white space nor markup, where only those may stand. */
export const strayByte = (byte: number, inStream: boolean): StreamError => {
  if (byte >= 0x80 && (byte < 0xc2 || byte > 0xf4)) return misencoded();
  if (byte < 0x20) return disallowed();
  if (inStream) return new StreamError("bad-format", "Text between the elements of a stream");
  return malformed("Text outside the root element");
};

/** XML §2.8, XMLDecl. The standalone declaration means nothing here and is ignored (RFC 6120 §11.5). */
const XML_DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(['"])(1\.[0-9]+)\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(['"])([A-Za-z][A-Za-z0-9._-]*)\3)?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(['"])(?:yes|no)\5)?[ \t\r\n]*\?>$/;

/** Checks an XML declaration (RFC 6120 §11.5, §11.6, §11.8). */
export const checkDeclaration = (declaration: Bytes): void => {
  const match = XML_DECLARATION.exec(declaration);
  if (match === null) throw malformed("The XML declaration is malformed");
  if (match[2] !== "1.0") throw new StreamError("bad-format", "Only XML 1.0 is understood");
  const encoding = match[4];
  if (encoding !== undefined && encoding.toLowerCase() !== "utf-8") {
    throw new StreamError("unsupported-encoding", "Only UTF-8 is understood");
  }
};

/**
 * Length of the UTF-8 sequence that starts at `at`, or 0 where `stop` cuts it off.
 * Throws where it is not UTF-8 (RFC 6120 §11.6) or stands for no character of XML (XML §2.2).
 */
export const sequence = (bytes: Uint8Array, at: number, stop: number): number => {
  const lead = bytes[at] as number;
  const length = sequenceLength(lead);
  const end = Math.min(at + length, stop);
  for (let next = at + 1; next < end; next++) if (((bytes[next] as number) & 0xc0) !== 0x80) throw misencoded();
  if (end > at + 1 && isMisused(lead, bytes[at + 1] as number)) throw misencoded();
  if (end < at + length) return 0;
  if (lead === 0xef && bytes[at + 1] === 0xbf && (bytes[at + 2] as number) >= 0xbe) throw disallowed();
  return length;
};

const sequenceLength = (lead: number): number => {
  if (lead < 0xc2 || lead > 0xf4) throw misencoded();
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
};

/** RFC 3629 §4: is the sequence overlong, a surrogate, or beyond U+10FFFF? Its first two bytes tell. */
const isMisused = (lead: number, second: number): boolean => {
  switch (lead) {
    case 0xe0:
      return second < 0xa0;
    case 0xed:
      return second > 0x9f;
    case 0xf0:
      return second < 0x90;
    case 0xf4:
      return second > 0x8f;
    default:
      return false;
  }
};

const codePoint = (bytes: Uint8Array, at: number, length: number): number => {
  const lead = bytes[at] as number;
  if (length === 1) return lead;
  let point = lead & (0x7f >> length);
  for (let next = 1; next < length; next++) point = (point << 6) | ((bytes[at + next] as number) & 0x3f);
  return point;
};

/** Checks a name that may hold a colon or no ASCII (Namespaces in XML §4). Gives the position of its colon, or -1. */
export const checkName = (bytes: Uint8Array, start: number, end: number): number => {
  let colon = start;
  while (colon < end && bytes[colon] !== COLON) colon++;
  checkPart(bytes, start, colon);
  if (colon === end) return -1;
  checkPart(bytes, colon + 1, end);
  return colon;
};

/** XML §2.3, Namespaces in XML §3, NCName. */
const checkPart = (bytes: Uint8Array, start: number, end: number): void => {
  if (start === end) throw malformed("A colon is out of place in a name");
  for (let at = start; at < end; ) {
    const length = (bytes[at] as number) < 0x80 ? 1 : sequence(bytes, at, end);
    if (length === 0) throw misencoded();
    const point = codePoint(bytes, at, length);
    if (!(at === start ? isNameStart(point) : isNameChar(point))) {
      throw malformed("A character is out of place in a name");
    }
    at += length;
  }
};

/** Do the bytes at `at` spell this ASCII text? */
export const spells = (bytes: Uint8Array, at: number, text: string): boolean => {
  for (let next = 0; next < text.length; next++) if (bytes[at + next] !== text.charCodeAt(next)) return false;
  return true;
};

/** Checks what stands between `&` and `;` (XML §4.1). Throws for anything but a character of XML and the five entities. */
export const checkReference = (bytes: Uint8Array, start: number, end: number): void => {
  if (bytes[start] === HASH) {
    if (!isChar(referencedPoint(bytes, start + 1, end))) throw malformed("A reference to no character");
  } else if (!isPredefined(bytes, start, end)) {
    if (start === end) throw malformed("A reference without a name");
    checkName(bytes, start, end);
    throw restricted("Only the five predefined entities may be used");
  }
};

const isPredefined = (bytes: Uint8Array, start: number, end: number): boolean => {
  switch (end - start) {
    case 2:
      return spells(bytes, start, "lt") || spells(bytes, start, "gt");
    case 3:
      return spells(bytes, start, "amp");
    case 4:
      return spells(bytes, start, "apos") || spells(bytes, start, "quot");
    default:
      return false;
  }
};

/** The code point of a character reference, -1 where it is none. Any number of digits; beyond Unicode it stays just beyond. */
const referencedPoint = (bytes: Uint8Array, start: number, end: number): number => {
  const hexadecimal = bytes[start] === LETTER_X;
  const base = hexadecimal ? 16 : 10;
  const from = hexadecimal ? start + 1 : start;
  if (from === end) return -1;
  let point = 0;
  for (let at = from; at < end; at++) {
    const digit = digitOf(bytes[at] as number);
    if (digit >= base) return -1;
    point = Math.min(point * base + digit, 0x110000);
  }
  return point;
};

/** The value of a digit, 16 for what is none. */
const digitOf = (byte: number): number => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 16;
};

/** XML §2.2, Char. */
const isChar = (point: number): boolean => {
  if (point < 0x20) return point === TAB || point === LF || point === CR;
  return point <= 0xd7ff || (point >= 0xe000 && point <= 0xfffd) || (point >= 0x10000 && point <= 0x10ffff);
};
