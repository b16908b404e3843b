/**
 * XEP-0198 §4: what each end of a stream keeps count of. The same for server and client, without a stream or a clock.
 *
 * Counts are kept in full, as numbers of stanzas since stream management was enabled, and are shortened to 32 bits only
 * for the wire (`onWire`): a count kept with a stored stanza never steps back. Both are classes that change, not values,
 * since a stanza must cost no more than a few additions.
 */

const MODULUS = 0x1_0000_0000;
const HALF = 0x8000_0000;

/** A count as "h" tells it: after 2^32-1 comes 0 (§4). */
export const onWire = (count: number): number => count % MODULUS;

/** Acknowledged items are cut off at the latest when so many lie before the first that is not. */
const SLACK = 32;
const NOTHING: readonly never[] = [];

/** The stanzas that were sent and that the peer has not yet said it has handled, oldest first. */
export class SentQueue<T> {
  /** Those before `#first` are acknowledged; they are overwritten at once, and cut off now and then. */
  #items: (T | undefined)[] = [];
  #first = 0;
  #sequence: number;

  /** `sequence`: how many had been sent and acknowledged before this began. */
  constructor(sequence = 0) {
    this.#sequence = sequence;
  }

  /** How many have been sent since the beginning; also the number of the latest, counted from 1. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How many wait for acknowledgement. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  /** How many have been acknowledged since the beginning. */
  get acknowledged(): number {
    return this.#sequence - this.length;
  }

  /** Notes what is being sent, and gives its number. Amortised, it costs the same however long the queue is. */
  append(item: T): number {
    this.#items.push(item);
    return ++this.#sequence;
  }

  /**
   * What the peer's `h` newly says it has handled, oldest first: nothing where the number is one from before.
   * "too-high" where that many were not sent; then nothing changes (§6).
   */
  acknowledge(h: number): readonly T[] | "too-high" {
    const { acknowledged } = this;
    const ahead = distance(acknowledged, h);
    if (ahead > this.length) {
      const behind = distance(h, acknowledged);
      return behind < HALF && behind <= acknowledged ? NOTHING : "too-high";
    }
    return ahead === 0 ? NOTHING : this.#release(ahead);
  }

  /** What has to be sent again after a resumption (§5). A copy. */
  get unacknowledged(): readonly T[] {
    return this.#items.slice(this.#first) as T[];
  }

  #release(count: number): readonly T[] {
    const items = this.#items;
    const end = this.#first + count;
    const released = items.slice(this.#first, end) as T[];
    if (end === items.length) {
      this.#items = [];
      this.#first = 0;
    } else if (end > SLACK && end * 2 > items.length) {
      this.#items = items.slice(end);
      this.#first = 0;
    } else {
      items.fill(undefined, this.#first, end);
      this.#first = end;
    }
    return released;
  }
}

/** How far `to` is ahead of `from`, both modulo 2^32. */
const distance = (from: number, to: number): number => (to - from) >>> 0;

/**
 * The stanzas that were received. They may be handled in any order, a message when its transaction is committed; but as "h" is one number,
 * it goes only as far as everything before has been handled too.
 */
export class ReceivedCount {
  #begun: number;
  #handled: number;
  /** Handled before something that came earlier is. Made when that first happens. */
  #early: Set<number> | undefined = undefined;

  /** `handled`: how many had been handled before this began. */
  constructor(handled = 0) {
    this.#begun = handled;
    this.#handled = handled;
  }

  /** What goes into an `<a/>` (§4). */
  get h(): number {
    return this.#handled % MODULUS;
  }

  /** How many have been handled since the beginning, without a gap. */
  get handled(): number {
    return this.#handled;
  }

  /** How many have been received since the beginning. */
  get received(): number {
    return this.#begun;
  }

  /** Has everything been handled that was received? */
  get isSettled(): boolean {
    return this.#begun === this.#handled;
  }

  /** One was received: the slot to settle when it is handled, which is its number, counted from 1. */
  begin(): number {
    return ++this.#begun;
  }

  /** It has been handled. Once is enough: what is settled already stays so. */
  settle(slot: number): void {
    if (slot <= this.#handled || slot > this.#begun) return;
    if (slot === this.#handled + 1) {
      this.#handled = slot;
      if (this.#early !== undefined) this.#catchUp(this.#early);
    } else {
      this.#early ??= new Set();
      this.#early.add(slot);
    }
  }

  /** One was received and handled at once. */
  count(): void {
    this.settle(this.begin());
  }

  #catchUp(early: Set<number>): void {
    while (early.delete(this.#handled + 1)) this.#handled++;
    if (early.size === 0) this.#early = undefined;
  }
}
