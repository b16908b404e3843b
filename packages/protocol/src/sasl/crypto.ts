import type { Eventually } from "../eventually.ts";

/** Hash functions by the names the IANA registry of hash function textual names gives them. */
export type HashName = "SHA-1" | "SHA-256" | "SHA-512";

/**
 * The cryptography SASL needs, handed in: `node:crypto` on a server, WebCrypto in a browser.
 * Nothing here may fail on account of the data it is given.
 */
export interface Crypto {
  hash(hash: HashName, data: Uint8Array): Eventually<Uint8Array>;
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Eventually<Uint8Array>;
  /** PBKDF2 (RFC 8018 §5.2) with HMAC of this hash; gives as many octets as the hash does. */
  pbkdf2(hash: HashName, password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array>;
  /** So many unpredictable octets. */
  random(octets: number): Uint8Array;
  /** Compares in a time that does not depend on the content. Given arrays of equal length only. */
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text → UTF-8. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** UTF-8 → text, or `undefined` where it is not UTF-8. */
export const textOfUtf8 = (data: Uint8Array): string | undefined => {
  try {
    return decoder.decode(data);
  } catch {
    return undefined;
  }
};

export const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

/** Equal, told in constant time; arrays of different lengths are not. */
export const sameOctets = (crypto: Crypto, a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && crypto.timingSafeEqual(a, b);

export const NO_DATA = new Uint8Array(0);
