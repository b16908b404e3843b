/**
 * UTF-8 carried as a latin1 string: one character is one byte.
 *
 * Stanzas are received, routed, stored and sent in this form. Concatenating costs nothing, ASCII
 * addresses serve as map keys as they stand, and writing to a socket allocates no buffer. The brand
 * keeps it apart from text: never print or compare `Bytes` with text, decode first.
 */
declare const brand: unique symbol;
export type Bytes = string & { readonly [brand]: "latin1" };

const NON_ASCII = /[^\0-\x7f]/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text → UTF-8 bytes. No XML escaping. Lone surrogates become U+FFFD. */
export const toBytes = (text: string): Bytes => (NON_ASCII.test(text) ? latin1(encoder.encode(text)) : text) as Bytes;

/** UTF-8 bytes → text. Throws TypeError where the bytes are not UTF-8. */
export const toText = (bytes: Bytes): string => (NON_ASCII.test(bytes) ? decoder.decode(toUint8Array(bytes)) : bytes);

/** How a platform turns the bytes [start, end) of an array into a string that shares no memory with it. */
export type Latin1 = (array: Uint8Array, start: number, end: number) => Bytes;

/**
 * The portable `Latin1`. Node and Bun have a faster one, `Buffer.prototype.latin1Slice`; who has it hands it in.
 * One character a byte, from `start` (inclusive) to `end` (exclusive). The result shares no memory with the array.
 */
export const latin1 = (array: Uint8Array, start = 0, end = array.length): Bytes => {
  if (end - start <= CHUNK)
    return String.fromCharCode.apply(null, array.subarray(start, end) as unknown as number[]) as Bytes;
  let text = "";
  for (let at = start; at < end; at += CHUNK) {
    text += String.fromCharCode.apply(null, array.subarray(at, Math.min(at + CHUNK, end)) as unknown as number[]);
  }
  return text as Bytes;
};
const CHUNK = 8192;

/** The array of bytes that `bytes` stands for. */
export const toUint8Array = (bytes: Bytes): Uint8Array => {
  const array = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) array[at] = bytes.charCodeAt(at);
  return array;
};

/**
 * A copy that pins nothing. Engines represent a substring as a view of its parent; whatever outlives
 * the stanza it was cut from (a cache key, a nickname) goes through here first.
 */
export const detached = <T extends string>(text: T): T => (text.length < 13 ? text : (latin1orText(text) as T));
const latin1orText = (text: string): string => JSON.parse(JSON.stringify(text));
