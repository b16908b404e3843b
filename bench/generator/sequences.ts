/**
 * Exact accounts of numbered stanzas. A stream is what one receiver gets of one sender: XMPP promises it in order
 * (RFC 6120 §10.1), so that each number should be the next one.
 */
export class Sequences {
  /** Different stanzas that have arrived. */
  delivered = 0;
  /** Arrivals of what had arrived before. */
  doubled = 0;
  /** Arrivals later than a stanza that was sent after them. */
  reordered = 0;
  readonly #next: Uint32Array;
  /** By stream, what was skipped and has not come since. */
  readonly #missing = new Map<number, Set<number>>();

  constructor(streams: number) {
    this.#next = new Uint32Array(streams);
  }

  /** Takes an arrival to account; `false` if it is one too many. */
  arrived(stream: number, number: number): boolean {
    if (number !== this.#next[stream]) return this.#unexpected(stream, number);
    this.#next[stream] = number + 1;
    this.delivered++;
    return true;
  }

  #unexpected(stream: number, number: number): boolean {
    const missing = this.#missingOf(stream);
    const next = this.#next[stream] ?? 0;
    if (number > next) {
      for (let skipped = next; skipped < number; skipped++) missing.add(skipped);
      this.#next[stream] = number + 1;
    } else if (missing.delete(number)) {
      this.reordered++;
    } else {
      this.doubled++;
      return false;
    }
    this.delivered++;
    return true;
  }

  #missingOf(stream: number): Set<number> {
    const known = this.#missing.get(stream);
    if (known !== undefined) return known;
    const missing = new Set<number>();
    this.#missing.set(stream, missing);
    return missing;
  }
}
