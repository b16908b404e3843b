import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Crypto, HashName } from "../src/sasl/crypto.ts";

const NAMES: Readonly<Record<HashName, string>> = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" };
const OCTETS: Readonly<Record<HashName, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 };
const derive = promisify(pbkdf2);
const plain = (buffer: Uint8Array): Uint8Array => Uint8Array.from(buffer);

/** The `Crypto` of tests, by Node's library. */
export const nodeCrypto: Crypto = {
  hash: (hash, data) => plain(createHash(NAMES[hash]).update(data).digest()),
  hmac: (hash, key, data) => plain(createHmac(NAMES[hash], key).update(data).digest()),
  pbkdf2: async (hash, password, salt, iterations) =>
    plain(await derive(password, salt, iterations, OCTETS[hash], NAMES[hash])),
  random: (octets) => plain(randomBytes(octets)),
  timingSafeEqual,
};
