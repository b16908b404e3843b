/** The cryptography and the text tables that `@kith/protocol` asks for, by Node and two libraries. */
import { createHmac, hash, pbkdf2, randomFillSync, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Crypto, HashName, Idna, Saslprep } from "@kith/protocol";
import library from "@mongodb-js/saslprep";
import { toASCII } from "tr46";

const NAMES: Readonly<Record<HashName, string>> = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" };
const OCTETS: Readonly<Record<HashName, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 };
const derive = promisify(pbkdf2);

/** Asking the system for a few random octets costs as much as asking for many, and every login asks several times. */
const pool = Buffer.alloc(4096);
let used = pool.length;
const take = (octets: number): number => {
  if (used + octets > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += octets;
  return used - octets;
};

/** Unguessable text of so many random octets, in Base64 that may stand in a URL. At most 4096 octets. */
export const randomToken = (octets: number): string => {
  const at = take(octets);
  const token = pool.toString("base64url", at, at + octets);
  pool.fill(0, at, at + octets);
  return token;
};

const randomOctets = (octets: number): Uint8Array => {
  const at = take(octets);
  const random = new Uint8Array(pool.subarray(at, at + octets));
  pool.fill(0, at, at + octets);
  return random;
};

/** A digest that comes as text lands in Node's pool of small buffers; as a buffer it costs several times the hashing. */
const octetsOf = (latin1: string): Uint8Array => Buffer.from(latin1, "latin1");

/** `Crypto` by `node:crypto`. PBKDF2, the only slow one, runs in libuv's thread pool, off the main thread. */
export const nodeCrypto: Crypto = {
  hash: (name, data) => octetsOf(hash(NAMES[name], data, "latin1")),
  hmac: (name, key, data) => octetsOf(createHmac(NAMES[name], key).update(data).digest("latin1")),
  pbkdf2: (hash, password, salt, iterations) => derive(password, salt, iterations, OCTETS[hash], NAMES[hash]),
  random: randomOctets,
  timingSafeEqual,
};

/** SASLprep of what a client sends: code points that Unicode 3.2 does not know are let through (RFC 4013 §2.5, a query). */
export const saslprepOfQuery: Saslprep = (text) => library(text, { allowUnassigned: true });

/** SASLprep of what is going to be kept: nothing unassigned (RFC 4013 §2.5, a stored string). */
export const saslprepOfStored: Saslprep = (text) => library(text);

/** UTS 46 as RFC 7622 §3.2 needs it: for `useIdna` of `@kith/protocol`. */
export const idna: Idna = (domain) =>
  toASCII(domain, {
    checkBidi: true,
    checkHyphens: false,
    checkJoiners: true,
    ignoreInvalidPunycode: false,
    transitionalProcessing: false,
    useSTD3ASCIIRules: true,
    verifyDNSLength: false,
  }) ?? undefined;
