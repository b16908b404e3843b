/** How fast a peer may send. */
export interface Rate {
  readonly bytesPerSecond: number;
  /** Bytes it may send at once after a time of rest. */
  readonly burstBytes: number;
  readonly stanzasPerSecond: number;
  readonly burstStanzas: number;
}

/**
 * Two token buckets that may be overdrawn: what has come is handled, and whoever is overdrawn is not read from until the
 * debt is paid. Times in milliseconds.
 */
export class Pace {
  readonly #rate: Rate;
  #bytes: number;
  #stanzas: number;
  /** Elements since the last look. */
  #counted = 0;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#bytes = rate.burstBytes;
    this.#stanzas = rate.burstStanzas;
    this.#at = now;
  }

  /** One more element has come. `false`: there may be a rest due. */
  countElement(): boolean {
    return ++this.#counted <= this.#stanzas;
  }

  /** So many bytes have come; how long to rest now, 0 for not at all. */
  rest(bytes: number, now: number): number {
    const { bytesPerSecond, burstBytes, stanzasPerSecond, burstStanzas } = this.#rate;
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#bytes = Math.min(burstBytes, this.#bytes + seconds * bytesPerSecond) - bytes;
    this.#stanzas = Math.min(burstStanzas, this.#stanzas + seconds * stanzasPerSecond) - this.#counted;
    this.#counted = 0;
    if (this.#bytes >= 0 && this.#stanzas >= 0) return 0;
    return 1000 * Math.max(-this.#bytes / bytesPerSecond, -this.#stanzas / stanzasPerSecond);
  }
}
