import { addressKey } from "../session/address.ts";

/** A connection that has not authenticated. */
export interface Stranger {
  readonly address: string;
  destroy(): void;
}

export interface AdmissionLimits {
  /** Unauthenticated connections from one address (IPv6: one /64), `undefined` for any number. */
  readonly strangersPerAddress: number | undefined;
  /** Unauthenticated connections in all. */
  readonly strangers: number | undefined;
  /** New connections a minute from one address. */
  readonly connectsPerMinute: number | undefined;
}

export const ADMISSION_LIMITS: AdmissionLimits = {
  strangersPerAddress: 100,
  strangers: 1_000,
  connectsPerMinute: undefined,
};

interface Recent {
  tokens: number;
  at: number;
}
const REMEMBERED = 10_000;
const MINUTE = 60_000;

/**
 * Counts connections that have not authenticated (RFC 6120 §13.12, XEP-0205). An address with too many gets no more. When
 * there are too many in all, a newcomer is let in and the oldest connection of the address that has most is dropped: a
 * crowd from few addresses crowds out itself, not the one honest client.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  /** In the order they came. */
  readonly #strangers = new Map<string, Set<Stranger>>();
  readonly #recent = new Map<string, Recent>();
  #count = 0;

  constructor(limits: AdmissionLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Connections that have not authenticated, in all. */
  get count(): number {
    return this.#count;
  }

  /** `false`: it has to go. */
  admit(stranger: Stranger): boolean {
    const { strangersPerAddress, strangers } = this.#limits;
    const key = addressKey(stranger.address);
    const group = this.#strangers.get(key);
    if (strangersPerAddress !== undefined && (group?.size ?? 0) >= strangersPerAddress) return false;
    if (!this.#isSlowEnough(key)) return false;
    if (strangers !== undefined && this.#count >= strangers) this.#makeRoom();
    const joined = this.#strangers.get(key);
    if (joined === undefined) this.#strangers.set(key, new Set([stranger]));
    else joined.add(stranger);
    this.#count++;
    return true;
  }

  /** It has authenticated or is gone. Any number of times. */
  leave(stranger: Stranger): void {
    const key = addressKey(stranger.address);
    const group = this.#strangers.get(key);
    if (group?.delete(stranger) !== true) return;
    this.#count--;
    if (group.size === 0) this.#strangers.delete(key);
  }

  #makeRoom(): void {
    let largest: Set<Stranger> | undefined;
    for (const group of this.#strangers.values()) if (group.size > (largest?.size ?? 0)) largest = group;
    const [oldest] = largest ?? [];
    if (oldest === undefined) return;
    this.leave(oldest);
    oldest.destroy();
  }

  #isSlowEnough(key: string): boolean {
    const most = this.#limits.connectsPerMinute;
    if (most === undefined) return true;
    const now = this.#now();
    const before = this.#recent.get(key);
    const tokens =
      before === undefined ? most : Math.min(most, before.tokens + (Math.max(0, now - before.at) * most) / MINUTE);
    this.#recent.delete(key);
    this.#recent.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    if (this.#recent.size > REMEMBERED) this.#forgetOldest();
    return tokens >= 1;
  }

  #forgetOldest(): void {
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined) this.#recent.delete(oldest);
  }
}
