/**
 * Prepares a user name or password (RFC 4013). Throws anything at all where the text is prohibited; nothing else.
 * A server hands in a library with the tables of RFC 3454; `saslprep` below does where there is none.
 */
export type Saslprep = (text: string) => string;

/** RFC 3454 table B.1: mapped to nothing. */
const NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g;
/** RFC 3454 table C.1.2: mapped to space. U+200B is in both tables; B.1 comes first. */
const SPACE = /[\p{Zs}--[ ]]/gv;
/** RFC 3454 tables C.2.1, C.2.2, C.3 to C.9, as far as NFKC leaves any. */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** SASLprep by the Unicode data of the JavaScript engine; unassigned code points are allowed, as for a query (RFC 4013 §2.5). */
export const saslprep: Saslprep = (text) => {
  const prepared = text.replace(NOTHING, "").replace(SPACE, " ").normalize("NFKC");
  if (PROHIBITED.test(prepared)) throw new RangeError("prohibited by SASLprep");
  return prepared;
};

/** What `prepare` makes of the text, or `undefined` where it refuses or nothing is left. */
export const prepared = (prepare: Saslprep, text: string): string | undefined => {
  try {
    return prepare(text) || undefined;
  } catch {
    return undefined;
  }
};
