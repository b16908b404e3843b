/** Base 64 of RFC 4648 §4, strictly: padded, nothing but the alphabet, unused bits zero (RFC 6120 §6.3.5). */

import { latin1 } from "../bytes.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NONE = 255;
const VALUES = new Uint8Array(256).fill(NONE);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

export const encodeBase64 = (data: Uint8Array): string => btoa(latin1(data));

/** The data, or `undefined` where the text is not exactly what `encodeBase64` makes of some data. */
export const decodeBase64 = (text: string): Uint8Array | undefined => {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const data = new Uint8Array((text.length / 4) * 3 - padding);
  const end = text.length - padding;
  let bits = 0;
  let held = 0;
  let length = 0;
  for (let at = 0; at < end; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? NONE;
    if (value === NONE) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    data[length++] = (bits >> held) & 0xff;
  }
  return (bits & ((1 << held) - 1)) === 0 ? data : undefined;
};
