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

/** How many milliseconds the answer to an attempt waits; `"refuse"`: it is not given, whatever the password was. */
export type GuessVerdict = number | "refuse";

interface Failures {
  count: number;
  at: number;
}

/**
 * Remembers failed logins by address and by account. Guessing gets slower, then stops for a while. An account that is
 * being guessed stays open to the addresses its owner has logged in from, so that nobody can lock somebody else out.
 * Bounded: what was not touched for longest is forgotten first.
 *
 * What a guesser is after is answers, so it is answers that are counted and held back, in the moment in which one is known
 * and before it is given (`judge`): a right one counts nothing, a wrong one counts at once, though it may be told much later.
 * Nothing is counted while it is under way. So thousands who log in at the same time from behind one address neither
 * wait nor are refused, and thousands of guesses begun at the same time get no more answers than as many begun one after the
 * other: each is judged by all that were answered before it, and from the one that reaches the limit on right and
 * wrong are refused with the same word. `admits` spares the work of testing what would be refused anyway.
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

  /** May somebody at `address` (see `addressKey`) have a password of `account` tested now? Counts nothing. */
  admits(address: string, account: BareJid, now: number): boolean {
    return this.#limits === undefined || this.#check(this.#limits, address, account, now) !== "refuse";
  }

  /** A password has been tested: when may the outcome be told? A refused one does not count, so that a pause is enough. */
  judge(address: string, account: BareJid, isRight: boolean, now: number): GuessVerdict {
    if (this.#limits === undefined) return 0;
    const verdict = this.#check(this.#limits, address, account, now);
    if (verdict === "refuse") return verdict;
    if (isRight) this.#remember(this.#limits, pair(address, account));
    else {
      this.failed(address, now);
      if (!this.#good.has(pair(address, account))) this.#add(this.#accounts, account, now);
    }
    return verdict;
  }

  /** An attempt that named no account has failed. */
  failed(address: string, now: number): void {
    if (this.#limits !== undefined) this.#add(this.#addresses, address, now);
  }

  #check(limits: GuessLimits, address: string, account: BareJid, now: number): GuessVerdict {
    const { freePerAddress, mostPerAddress, freePerAccount, mostPerAccount } = limits;
    const fromHere = this.#verdict(this.#count(this.#addresses, address, now), freePerAddress, mostPerAddress);
    if (fromHere === "refuse" || this.#good.has(pair(address, account))) return fromHere;
    const toThere = this.#verdict(this.#count(this.#accounts, account, now), freePerAccount, mostPerAccount);
    return toThere === "refuse" ? "refuse" : Math.max(fromHere, toThere);
  }

  #verdict(count: number, free: number, most: number): GuessVerdict {
    const { delayMs, longestDelayMs } = this.#limits as GuessLimits;
    if (count < free) return 0;
    if (count >= free + most) return "refuse";
    return Math.min(longestDelayMs, delayMs * 2 ** (count - free));
  }

  #remember(limits: GuessLimits, good: string): void {
    this.#good.delete(good);
    this.#good.add(good);
    trim(this.#good, limits.remembered);
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
