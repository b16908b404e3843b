/** The cryptography and the text tables that `@kith/protocol` asks for, by Node and two libraries. */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Crypto, HashName, Idna, Saslprep } from "@kith/protocol";
import library from "@mongodb-js/saslprep";
import { toASCII } from "tr46";

const NAMES: Readonly<Record<HashName, string>> = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" };
const OCTETS: Readonly<Record<HashName, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 };
const derive = promisify(pbkdf2);

/** `Crypto` by `node:crypto`. PBKDF2, the only slow one, runs in libuv's thread pool, off the main thread. */
export const nodeCrypto: Crypto = {
  hash: (hash, data) => createHash(NAMES[hash]).update(data).digest(),
  hmac: (hash, key, data) => createHmac(NAMES[hash], key).update(data).digest(),
  pbkdf2: (hash, password, salt, iterations) => derive(password, salt, iterations, OCTETS[hash], NAMES[hash]),
  random: (octets) => randomBytes(octets),
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
