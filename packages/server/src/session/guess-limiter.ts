import type { BareJid } from "@kith/protocol";

/** How password guessing is slowed down and stopped. Times in milliseconds. */
export interface GuessLimits {
  /** Failures from one address that cost nothing … */
  readonly freePerAddress: number;
  /** … and how many more are let through, each later than the one before, until attempts are refused. */
  readonly mostPerAddress: number;
  /** The same for one account, from addresses from which it has not been logged in to. */
  readonly freePerAccount: number;
  readonly mostPerAccount: number;
  /** How long it takes until one failure is forgotten. */
  readonly forgetMs: number;
  /** The delay of the first attempt that costs something; it doubles with each, up to the longest. */
  readonly delayMs: number;
  readonly longestDelayMs: number;
  /** How many addresses, accounts and good pairs are remembered at most. */
  readonly remembered: number;
}

export const GUESS_LIMITS: GuessLimits = {
  freePerAddress: 5,
  mostPerAddress: 30,
  freePerAccount: 10,
  mostPerAccount: 100,
  forgetMs: 20_000,
  delayMs: 100,
  longestDelayMs: 1_500,
  remembered: 20_000,
};

/** `"refuse"`: not now, whatever the password. A number: so many milliseconds later. */
export type GuessVerdict = number | "refuse";

interface Failures {
  count: number;
  at: number;
}

/**
 * Remembers failed logins by address and by account. Guessing gets slower, then stops for a while. An account that is
 * being guessed stays open to the addresses its owner has logged in from, so that nobody can lock somebody else out.
 * Bounded: what was not touched for longest is forgotten first.
 */
export class GuessLimiter {
  readonly #limits: GuessLimits | undefined;
  readonly #addresses = new Map<string, Failures>();
  readonly #accounts = new Map<string, Failures>();
  readonly #good = new Set<string>();

  /** `undefined`: nothing is limited. */
  constructor(limits: GuessLimits | undefined) {
    this.#limits = limits;
  }

  /**
   * Somebody at `address` (see `addressKey`) is about to try to log in to `account`. Counts as a failure at once, so that
   * many attempts at the same time are no way around; `succeeded` and `forgiven` take it back. What is refused does not count.
   */
  attempt(address: string, account: BareJid, now: number): GuessVerdict {
    if (this.#limits === undefined) return 0;
    const verdict = this.#check(this.#limits, address, account, now);
    if (verdict === "refuse") return verdict;
    this.failed(address, now);
    if (!this.#good.has(pair(address, account))) this.#add(this.#accounts, account, now);
    return verdict;
  }

  #check(limits: GuessLimits, address: string, account: BareJid, now: number): GuessVerdict {
    const { freePerAddress, mostPerAddress, freePerAccount, mostPerAccount } = limits;
    const fromHere = this.#verdict(this.#count(this.#addresses, address, now), freePerAddress, mostPerAddress);
    if (fromHere === "refuse" || this.#good.has(pair(address, account))) return fromHere;
    const toThere = this.#verdict(this.#count(this.#accounts, account, now), freePerAccount, mostPerAccount);
    return toThere === "refuse" ? "refuse" : Math.max(fromHere, toThere);
  }

  /** An attempt that named no account has failed. */
  failed(address: string, now: number): void {
    if (this.#limits !== undefined) this.#add(this.#addresses, address, now);
  }

  succeeded(address: string, account: BareJid): void {
    if (this.#limits === undefined) return;
    this.forgiven(address, account);
    const key = pair(address, account);
    this.#good.delete(key);
    this.#good.add(key);
    trim(this.#good, this.#limits.remembered);
  }

  /** An attempt has failed through no fault of whoever made it. */
  forgiven(address: string, account: BareJid): void {
    take(this.#addresses, address);
    if (!this.#good.has(pair(address, account))) take(this.#accounts, account);
  }

  #verdict(count: number, free: number, most: number): GuessVerdict {
    const { delayMs, longestDelayMs } = this.#limits as GuessLimits;
    if (count < free) return 0;
    if (count >= free + most) return "refuse";
    return Math.min(longestDelayMs, delayMs * 2 ** (count - free));
  }

  /** Failures not forgotten yet, the one that is on its way out among them. */
  #count(failures: ReadonlyMap<string, Failures>, key: string, now: number): number {
    const found = failures.get(key);
    return found === undefined ? 0 : Math.ceil(this.#left(found, now));
  }

  #left({ count, at }: Failures, now: number): number {
    return Math.max(0, count - Math.max(0, now - at) / (this.#limits as GuessLimits).forgetMs);
  }

  #add(failures: Map<string, Failures>, key: string, now: number): void {
    const found = failures.get(key);
    const count = (found === undefined ? 0 : this.#left(found, now)) + 1;
    failures.delete(key);
    failures.set(key, { count, at: now });
    trim(failures, (this.#limits as GuessLimits).remembered);
  }
}

/** One failure less. */
const take = (failures: Map<string, Failures>, key: string): void => {
  const found = failures.get(key);
  if (found === undefined) return;
  found.count--;
  if (found.count <= 0) failures.delete(key);
};

const pair = (address: string, account: BareJid): string => `${address} ${account}`;

/** Both keep their keys in the order of insertion. */
const trim = (
  keys: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean },
  most: number,
): void => {
  if (keys.size <= most) return;
  const oldest = keys.keys().next();
  if (oldest.done !== true) keys.delete(oldest.value);
};
