/** SCRAM-SHA-1 (RFC 5802), the client's part, with salted passwords kept as §3 lets a client do. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

interface Keys {
  readonly salt: string;
  readonly iterations: number;
  /** Base64, as is what follows. */
  readonly clientKey: string;
  readonly serverKey: string;
}

const HASH = "sha1";
const OCTETS = 20;

const hmac = (key: Buffer, text: string): Buffer => createHmac(HASH, key).update(text).digest();

/** Keys by user name, kept in a file between runs. */
export class KeyCache {
  readonly #file: string;
  readonly #keys: Map<string, Keys>;
  #isChanged = false;

  constructor(file: string) {
    this.#file = file;
    const stored = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Keys>) : {};
    this.#keys = new Map(Object.entries(stored));
  }

  /** Derives keys only for a salt that is new. */
  keysOf(user: string, password: string, salt: string, iterations: number): Keys {
    const known = this.#keys.get(user);
    if (known?.salt === salt && known.iterations === iterations) return known;
    const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), iterations, OCTETS, HASH);
    const keys = {
      salt,
      iterations,
      clientKey: hmac(salted, "Client Key").toString("base64"),
      serverKey: hmac(salted, "Server Key").toString("base64"),
    };
    this.#keys.set(user, keys);
    this.#isChanged = true;
    return keys;
  }

  save(): void {
    if (this.#isChanged) writeFileSync(this.#file, JSON.stringify(Object.fromEntries(this.#keys)));
    this.#isChanged = false;
  }
}

/** One authentication. Messages are base64, as they stand in the stream. */
export class ScramExchange {
  readonly #user: string;
  readonly #password: string;
  readonly #cache: KeyCache;
  readonly #clientFirstBare: string;
  #expected = "";

  constructor(user: string, password: string, cache: KeyCache, nonce = randomBytes(18).toString("base64")) {
    this.#user = user;
    this.#password = password;
    this.#cache = cache;
    this.#clientFirstBare = `n=${user},r=${nonce}`;
  }

  /** client-first-message */
  first(): string {
    return base64Of(`n,,${this.#clientFirstBare}`);
  }

  /** client-final-message, in answer to the server's first. Throws where that makes no sense. */
  final(challenge: string): string {
    const serverFirst = Buffer.from(challenge, "base64").toString();
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst) ?? [];
    if (nonce === undefined || salt === undefined) throw new Error(`a SCRAM challenge was "${serverFirst}"`);
    const keys = this.#cache.keysOf(this.#user, this.#password, salt, Number(iterations));
    const clientKey = Buffer.from(keys.clientKey, "base64");
    const withoutProof = `c=biws,r=${nonce}`;
    const authMessage = `${this.#clientFirstBare},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash(HASH).update(clientKey).digest(), authMessage);
    const proof = signature.map((octet, at) => octet ^ (clientKey[at] ?? 0));
    this.#expected = base64Of(`v=${hmac(Buffer.from(keys.serverKey, "base64"), authMessage).toString("base64")}`);
    return base64Of(`${withoutProof},p=${Buffer.from(proof).toString("base64")}`);
  }

  /** Has the server proved that it knows the password's keys? */
  isProved(success: string): boolean {
    return success.trim() === this.#expected;
  }
}

const base64Of = (text: string): string => Buffer.from(text).toString("base64");
