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

  /** May somebody at `address` (see `addressKey`) try to log in to `account`? */
  check(address: string, account: BareJid, now: number): GuessVerdict {
    const limits = this.#limits;
    if (limits === undefined) return 0;
    const { freePerAddress, mostPerAddress, freePerAccount, mostPerAccount } = limits;
    const fromHere = this.#verdict(this.#count(this.#addresses, address, now), freePerAddress, mostPerAddress);
    if (fromHere === "refuse" || this.#good.has(pair(address, account))) return fromHere;
    const toThere = this.#verdict(this.#count(this.#accounts, account, now), freePerAccount, mostPerAccount);
    return toThere === "refuse" ? "refuse" : Math.max(fromHere, toThere);
  }

  failed(address: string, account: BareJid | undefined, now: number): void {
    if (this.#limits === undefined) return;
    this.#add(this.#addresses, address, now);
    if (account !== undefined && !this.#good.has(pair(address, account))) this.#add(this.#accounts, account, now);
  }

  succeeded(address: string, account: BareJid): void {
    if (this.#limits === undefined) return;
    const key = pair(address, account);
    this.#good.delete(key);
    this.#good.add(key);
    trim(this.#good, this.#limits.remembered);
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
