/** Accounts that came from elsewhere with fewer keys than clients may ask for get the rest from their owners' clients (XEP-0480). */
import {
  andThen,
  type BareJid,
  type Crypto,
  type Eventually,
  type HashName,
  SaslError,
  type ScramKeys,
  type ScramSalt,
  scramKeysOfSalted,
} from "@kith/protocol";
import { commit } from "./accounts.ts";
import type { Account, Store } from "./store/store.ts";

export interface KeyUpgradeOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  /** Of PBKDF2, for keys made from now on. */
  readonly iterations: () => number;
}

const HASHES: readonly HashName[] = ["SHA-512", "SHA-256", "SHA-1"];
/** XEP-0438: no shorter than this, of each set of keys alone. */
const SALT_OCTETS = 16;

export class KeyUpgrades {
  readonly #options: KeyUpgradeOptions;

  constructor(options: KeyUpgradeOptions) {
    this.#options = options;
  }

  /** The hashes that an account has no keys for, strongest first; none where there is no such account. */
  missing(account: BareJid): Eventually<readonly HashName[]> {
    return andThen(this.#options.store.accounts.get(account), (found) =>
      found === undefined ? [] : HASHES.filter((hash) => !has(found, hash)),
    );
  }

  /** How the password is to be salted for a new set of keys. */
  salt(): ScramSalt {
    return { salt: this.#options.crypto.random(SALT_OCTETS), iterations: this.#options.iterations() };
  }

  /** What tells whether an account still has the password it had. */
  async stateOf(account: BareJid): Promise<KeyState> {
    return (await this.#options.store.accounts.get(account))?.keys ?? {};
  }

  /**
   * Adds the keys of a password that is salted already; settles when they are on disk. Nothing is changed where the keys are
   * there by now. Rejects with SaslError: "malformed-request" where it is no SaltedPassword, "credentials-expired" where the
   * password has been changed since `state` was told, "temporary-auth-failure" where the keys could not be stored.
   */
  async add(account: BareJid, hash: HashName, salted: Uint8Array, salt: ScramSalt, state: KeyState): Promise<void> {
    const { store, crypto } = this.#options;
    const keys = await scramKeysOfSalted(crypto, hash, salted, salt);
    const found = await store.accounts.get(account);
    if (found === undefined || !isSame(state, found.keys)) throw new SaslError("credentials-expired");
    if (has(found, hash)) return;
    try {
      await commit(store, [store.accounts.put({ ...found, keys: { ...found.keys, [hash]: keys } })]);
    } catch {
      throw new SaslError("temporary-auth-failure", "The keys could not be stored.");
    }
  }
}

/** The keys an account had at some time: as many as there are. */
export type KeyState = Readonly<Partial<Record<HashName, ScramKeys>>>;

const has = ({ keys }: Account, hash: HashName): boolean => (keys as KeyState)[hash] !== undefined;

/** Whatever keys there were are still there. */
const isSame = (before: KeyState, now: KeyState): boolean =>
  HASHES.every((hash) => {
    const one = before[hash];
    const other = now[hash];
    return one === undefined || (other !== undefined && Buffer.compare(one.storedKey, other.storedKey) === 0);
  });
