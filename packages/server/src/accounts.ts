/** Accounts: who exists, what proves that somebody is one, and how an account begins. */
import {
  andThen,
  type BareJid,
  type Crypto,
  deriveScramKeys,
  type Eventually,
  type HashName,
  isPasswordOf,
  type Saslprep,
  type ScramKeys,
  StanzaError,
  toBytes,
  toUint8Array,
} from "@kith/protocol";
import type { Account, Collection, Store, Write } from "./store/store.ts";

/** What a password has to be. Lengths in characters, after SASLprep. */
export interface PasswordPolicy {
  readonly minimumLength: number;
  readonly maximumLength: number;
  /** Never these, in whatever case; and never the account's own localpart or address. */
  readonly forbidden: readonly string[];
}

/** What may be changed while the server runs. */
export interface AccountRules {
  readonly passwords: PasswordPolicy;
  /** Of PBKDF2, for keys made from now on. */
  readonly iterations: number;
  /** How long the address of a removed account cannot be had again, in milliseconds. */
  readonly addressRestMs: number;
}

export interface AccountOptions {
  readonly store: Store;
  readonly crypto: Crypto;
  /** SASLprep for a password that is going to be kept (RFC 5802 §2.2), and for one that is only tried. */
  readonly prepare: { readonly stored: Saslprep; readonly query: Saslprep };
  readonly rules: () => AccountRules;
  readonly now: () => number;
  /** What an old password let in ends with it: stored together with the keys of the new one. */
  readonly passwordChanges?: (jid: BareJid) => readonly Write[];
}

export interface NewAccount {
  /** Written in the same unit: all of it, or nothing. */
  readonly writes?: readonly Write[];
  /** An administrator says that the address of a removed account may be used again. */
  readonly reuseAddress?: boolean;
}

export interface AccountService {
  exists(jid: BareJid): Eventually<boolean>;
  /** SCRAM keys; for an account that does not exist a made-up set that stays the same (RFC 6120 §13.11). */
  scramKeys(jid: BareJid, hash: HashName): Eventually<ScramKeys>;
  /** Takes as long for an account that does not exist. */
  verifyPassword(jid: BareJid, password: string): Promise<boolean>;
  /**
   * Settles when the account is on disk. Rejects with StanzaError: "conflict" where the address is in use, or was until
   * lately; "not-acceptable" by the password policy; "resource-constraint" where it could not be stored.
   */
  create(jid: BareJid, password: string, more?: NewAccount): Promise<Account>;
  /** Settles when the new keys are on disk. Rejects with StanzaError: "item-not-found", "not-acceptable", "resource-constraint". */
  changePassword(jid: BareJid, password: string): Promise<Account>;
}

const HASHES: readonly HashName[] = ["SHA-1", "SHA-256", "SHA-512"];
/** XEP-0438: no shorter than this, of each set of keys alone. */
const SALT_OCTETS = 16;
/** Which keys a password is compared with where the mechanism leaves that to us (XEP-0438). */
const PLAIN_HASH: HashName = "SHA-256";

/** What the server made up once and keeps, to make up keys with. */
export interface StoredSecret {
  readonly secret: string;
  /** Every number of iterations that ever was the rule, oldest first. */
  readonly iterations: readonly number[];
}
const SERVER = "";
const KEY = "made-up keys";
const SECRET_OCTETS = 32;

/** Opens the accounts of a store. Waits until the secret behind made-up keys is on disk. */
export const openAccounts = async (options: AccountOptions): Promise<AccountService> => {
  const secrets = options.store.collection<StoredSecret>("secrets");
  const { iterations } = options.rules();
  const found = await secrets.get(SERVER, KEY);
  const current = found ?? { secret: hexOf(options.crypto.random(SECRET_OCTETS)), iterations: [iterations] };
  const kept =
    current.iterations.at(-1) === iterations
      ? current
      : { ...current, iterations: [...current.iterations, iterations] };
  if (kept !== found) await commit(options.store, [secrets.put(SERVER, KEY, kept)]);
  return new Accounts(options, secrets, kept, await nobodysKeys(options.crypto, textOctets(kept.secret)));
};

/** What every account that does not exist has in common; it is shown to nobody, and no proof fits it. */
type NobodysKeys = Readonly<Record<HashName, Pick<ScramKeys, "storedKey" | "serverKey">>>;

const nobodysKeys = async (crypto: Crypto, secret: Uint8Array): Promise<NobodysKeys> => {
  const made = HASHES.map(async (hash) => {
    const key = (what: string): Eventually<Uint8Array> => crypto.hmac(hash, secret, textOctets(what));
    return [hash, { storedKey: await key("stored key"), serverKey: await key("server key") }] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as NobodysKeys;
};

class Accounts implements AccountService {
  readonly #options: AccountOptions;
  readonly #secrets: Collection<StoredSecret>;
  readonly #nobodys: NobodysKeys;
  readonly #secretOctets: Uint8Array;
  #secret: StoredSecret;
  /** What is being done to an address, so that two who want the same one come one after the other. */
  readonly #underWay = new Map<BareJid, Promise<unknown>>();

  constructor(options: AccountOptions, secrets: Collection<StoredSecret>, secret: StoredSecret, nobodys: NobodysKeys) {
    this.#options = options;
    this.#secrets = secrets;
    this.#secret = secret;
    this.#secretOctets = textOctets(secret.secret);
    this.#nobodys = nobodys;
  }

  exists(jid: BareJid): Eventually<boolean> {
    return this.#options.store.accounts.exists(jid);
  }

  scramKeys(jid: BareJid, hash: HashName): Eventually<ScramKeys> {
    // Made up in any case, so that it takes the same time whether there is an account or not.
    return andThen(this.#madeUpKeys(jid, hash), (madeUp) =>
      andThen(this.#options.store.accounts.get(jid), (account) => account?.keys[hash] ?? madeUp),
    );
  }

  async verifyPassword(jid: BareJid, password: string): Promise<boolean> {
    const { crypto, prepare, store } = this.#options;
    const keys = await this.scramKeys(jid, PLAIN_HASH);
    const isRight = await isPasswordOf(crypto, PLAIN_HASH, keys, password, prepare.query);
    return isRight && (await store.accounts.exists(jid));
  }

  create(jid: BareJid, password: string, { writes = [], reuseAddress = false }: NewAccount = {}): Promise<Account> {
    return this.#inTurn(jid, async () => {
      const { store, now } = this.#options;
      if (await store.accounts.exists(jid)) throw new StanzaError("conflict", { text: "The address is in use." });
      if (!reuseAddress) await this.#refuseResting(jid);
      const account: Account = { jid, keys: await this.#keysOf(jid, password), created: now() };
      await commit(store, [store.accounts.put(account), ...writes]);
      return account;
    });
  }

  changePassword(jid: BareJid, password: string): Promise<Account> {
    return this.#inTurn(jid, async () => {
      const { store } = this.#options;
      const keys = await this.#keysOf(jid, password);
      // Read last: the account may have been removed while its new keys were being derived.
      const account = await store.accounts.get(jid);
      if (account === undefined) throw new StanzaError("item-not-found", { text: "There is no such account." });
      const changed = { ...account, keys };
      await commit(store, [store.accounts.put(changed), ...(this.#options.passwordChanges?.(jid) ?? [])]);
      return changed;
    });
  }

  async #refuseResting(jid: BareJid): Promise<void> {
    const { store, now, rules } = this.#options;
    const removed = await store.accounts.removedAt(jid);
    if (removed === undefined || now() - removed >= rules().addressRestMs) return;
    // What is sent to the old owner must not reach somebody else (RFC 6120 §13.10 in spirit, XEP-0077 §3.2).
    throw new StanzaError("conflict", { text: "The address was in use until lately." });
  }

  /** Keys for each hash, of salts of their own (XEP-0438). */
  async #keysOf(jid: BareJid, password: string): Promise<Account["keys"]> {
    const { crypto, prepare, rules } = this.#options;
    const { passwords, iterations } = rules();
    await this.#noteIterations(iterations);
    const prepared = acceptablePassword(jid, password, passwords, prepare.stored);
    const derived = HASHES.map(async (hash) => {
      const salt = crypto.random(SALT_OCTETS);
      return [hash, await deriveScramKeys(crypto, hash, prepared, salt, iterations, asItIs)] as const;
    });
    return Object.fromEntries(await Promise.all(derived)) as Account["keys"];
  }

  /** A number of iterations that is new is remembered before any account shows it. */
  async #noteIterations(iterations: number): Promise<void> {
    if (this.#secret.iterations.at(-1) === iterations) return;
    const noted = { ...this.#secret, iterations: [...this.#secret.iterations, iterations] };
    await commit(this.#options.store, [this.#secrets.put(SERVER, KEY, noted)]);
    this.#secret = noted;
  }

  /**
   * Keys nobody has the password of, as an account of this name would have them: as old as accounts are here, some
   * having had their password changed since the rule on iterations changed. Only salt and iterations are ever shown.
   */
  #madeUpKeys(jid: BareJid, hash: HashName): Eventually<ScramKeys> {
    const { iterations } = this.#secret;
    return andThen(this.#madeUpAge(jid, iterations.length - 1), (age) =>
      andThen(this.#madeUp(`${age} ${hash} salt ${jid}`), (salt) => ({
        salt: salt.slice(0, SALT_OCTETS),
        iterations: iterations[age] ?? this.#options.rules().iterations,
        ...this.#nobodys[hash],
      })),
    );
  }

  /** Which of the rules on iterations the account would have had its keys by. */
  #madeUpAge(jid: BareJid, latest: number): Eventually<number> {
    if (latest <= 0) return 0;
    return andThen(this.#madeUp(`${latest} changed ${jid}`), ([octet = 0]) =>
      octet % 2 === 1 ? this.#madeUpAge(jid, latest - 1) : latest,
    );
  }

  #madeUp(what: string): Eventually<Uint8Array> {
    return this.#options.crypto.hmac("SHA-512", this.#secretOctets, textOctets(what));
  }

  async #inTurn<T>(jid: BareJid, step: () => Promise<T>): Promise<T> {
    const before = this.#underWay.get(jid) ?? Promise.resolve();
    const result = before.then(step, step);
    this.#underWay.set(jid, result);
    try {
      return await result;
    } finally {
      if (this.#underWay.get(jid) === result) this.#underWay.delete(jid);
    }
  }
}

/** Commits; rejects with StanzaError "resource-constraint" where nothing was stored. */
export const commit = (store: Store, writes: readonly Write[]): Promise<void> => {
  const unit = store.begin();
  for (const write of writes) unit.add(write);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  unit
    .commit()
    .onSettled((committed) =>
      committed ? resolve() : reject(new StanzaError("resource-constraint", { text: "It could not be stored." })),
    );
  return promise;
};

/** The password as it is kept: prepared, and allowed by the policy. Throws StanzaError "not-acceptable" that says why it is not. */
export const acceptablePassword = (
  jid: BareJid,
  password: string,
  policy: PasswordPolicy,
  prepare: Saslprep,
): string => {
  const tooLong = `The password must have at most ${policy.maximumLength} characters.`;
  // Preparation takes its time over very long text, and a character is written with a few code units at most.
  if (password.length > policy.maximumLength * LONGEST_CHARACTER) refuse(tooLong);
  const prepared = preparedPassword(password, prepare);
  const length = [...prepared].length;
  if (length < policy.minimumLength) refuse(`The password must have at least ${policy.minimumLength} characters.`);
  if (length > policy.maximumLength) refuse(tooLong);
  const folded = prepared.toLowerCase();
  const isForbidden = (other: string): boolean => other.toLowerCase() === folded;
  if ([jid, jid.slice(0, Math.max(0, jid.indexOf("@")))].some(isForbidden))
    refuse("The password must not be the name of the account.");
  if (policy.forbidden.some(isForbidden)) refuse("The password is too easy to guess.");
  return prepared;
};

/** In code units, with marks that are composed. */
const LONGEST_CHARACTER = 8;

const preparedPassword = (password: string, prepare: Saslprep): string => {
  try {
    return prepare(password);
  } catch {
    return refuse("The password has characters that passwords cannot have, such as control characters or emoji.");
  }
};

const refuse = (text: string): never => {
  throw new StanzaError("not-acceptable", { text });
};

const asItIs: Saslprep = (text) => text;
const textOctets = (text: string): Uint8Array => toUint8Array(toBytes(text));
const hexOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
