import { type Bytes, toBytes, toText } from "../bytes.ts";

/**
 * The escaped form is canonical: one text has one escaped form, so escaped attribute values can be
 * compared as bytes. What XML cannot carry (control characters, U+FFFE, U+FFFF, lone surrogates) becomes U+FFFD.
 */
const TEXT_SPECIAL = /[&<>]|[^\t\n -\ufffd]/g;
const ATTRIBUTE_SPECIAL = /[&<']|[^ -\ufffd]/g;

/** ASCII that is the same escaped and not, in text and between quotes. */
const PLAIN: readonly boolean[] = Array.from(
  { length: 0x80 },
  (_, code) => code >= 0x20 && !"&<>'".includes(String.fromCharCode(code)),
);
const isPlain = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (PLAIN[text.charCodeAt(at)] !== true) return false;
  return true;
};

/** Text → the bytes of character data. `>` is always escaped, so that `]]>` cannot arise; CR would be read as LF (XML §2.11). */
export const escapeText = (text: string): Bytes =>
  isPlain(text) ? (text as Bytes) : toBytes(text.replace(TEXT_SPECIAL, escaped));

/**
 * Text → the bytes of an attribute value that stands between single quotes. Tab, LF and CR become references,
 * because a reader turns literal ones into spaces (XML §3.3.3).
 */
export const escapeAttribute = (text: string): Bytes =>
  isPlain(text) ? (text as Bytes) : toBytes(text.replace(ATTRIBUTE_SPECIAL, escaped));

const escaped = (char: string): string => {
  switch (char) {
    case "&":
      return "&amp;";
    case "<":
      return "&lt;";
    case ">":
      return "&gt;";
    case "'":
      return "&apos;";
    case "\t":
      return "&#9;";
    case "\n":
      return "&#10;";
    case "\r":
      return "&#13;";
    default:
      return "\ufffd";
  }
};

const REFERENCE = /&(?:#([0-9]+)|#x([0-9a-fA-F]+)|(amp|lt|gt|apos|quot));/g;
const PREDEFINED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", apos: "'", quot: '"' };

/** Escaped bytes → text: the inverse of both. Knows the five entities and character references; leaves anything else as it is. */
export const unescaped = (bytes: Bytes): string => dereference(toText(bytes));

/** The bytes between two tags → text: line ends become LF (XML §2.11), references what they stand for. No CDATA sections. */
export const decodeText = (bytes: Bytes): string => {
  const text = toText(bytes);
  return dereference(text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text);
};

/** The bytes between two quotes, as received → text: literal white space becomes spaces (XML §3.3.3), references what they stand for. */
export const decodeAttribute = (bytes: Bytes): string => {
  const text = toText(bytes);
  return dereference(WHITE_SPACE.test(text) ? text.replace(/\r\n|[\t\n\r]/g, " ") : text);
};
const WHITE_SPACE = /[\t\n\r]/;

const dereference = (text: string): string => (text.includes("&") ? text.replace(REFERENCE, referent) : text);

const referent = (reference: string, decimal?: string, hexadecimal?: string, name?: string): string => {
  if (name !== undefined) return PREDEFINED[name] ?? reference;
  const point = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number.parseInt(decimal, 10);
  return point <= 0x10ffff ? String.fromCodePoint(point) : reference;
};
