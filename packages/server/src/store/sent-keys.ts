import type { SentKey } from "./message-disk.ts";
import type { RowId } from "./store.ts";

/** How many of an account's messages are known by their key. */
export const REMEMBERED = 256;

/** A message that was stored with a key. Row and stamp are 0 until it is numbered. */
export interface Sent {
  readonly key: string;
  row: RowId;
  stamp: number;
}

/** By what keys an account has stored its newest messages. */
export class SentKeys {
  /** What is older was not looked for, in milliseconds since 1970. */
  readonly since: number;
  readonly #byKey = new Map<string, Sent>();
  /** A ring; the place to come next holds the oldest. */
  readonly #ring: Sent[] = [];
  #next = 0;

  constructor(since: number, newestFirst: readonly SentKey[]) {
    this.since = since;
    for (const { key, row, stamp } of newestFirst.slice(0, REMEMBERED).reverse()) this.add({ key, row, stamp });
  }

  get(key: string, since: number): RowId | undefined {
    const sent = this.#byKey.get(key);
    return sent === undefined || (sent.row !== 0 && sent.stamp < since) ? undefined : sent.row;
  }

  get size(): number {
    return this.#ring.length;
  }

  add(sent: Sent): void {
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined && this.#byKey.get(oldest.key) === oldest) this.#byKey.delete(oldest.key);
    this.#ring[this.#next] = sent;
    this.#next = (this.#next + 1) % REMEMBERED;
    this.#byKey.set(sent.key, sent);
  }

  forget(row: RowId): void {
    for (const { key } of this.#ring.filter((sent) => sent.row === row))
      if (this.#byKey.get(key)?.row === row) this.#byKey.delete(key);
  }
}
