import type { SentKey } from "./message-disk.ts";
import type { RowId } from "./store.ts";

/** How many of an account's messages are known by their key. */
export const REMEMBERED = 256;
/** Room for so many at first; most accounts send little. */
const FIRST_ROOM = 16;

/**
 * By what keys an account has stored its newest messages.
 *
 * A ring that is searched from end to end: every message is looked for here, of accounts in no order, so that what counts
 * is how many places in memory are touched. The hashes of all keys lie in one; a map would touch a dozen.
 */
export class SentKeys {
  /** What is older was not looked for, in milliseconds since 1970. */
  readonly since: number;
  #hashes = new Int32Array(FIRST_ROOM);
  #rows = new Float64Array(FIRST_ROOM);
  #stamps = new Float64Array(FIRST_ROOM);
  /** `undefined` where it was forgotten. */
  readonly #keys: (string | undefined)[] = [];
  #added = 0;

  constructor(since: number, newestFirst: readonly SentKey[]) {
    this.since = since;
    for (const { key, row, stamp } of newestFirst.slice(0, REMEMBERED).reverse()) this.add(key, row, stamp);
  }

  get size(): number {
    return this.#keys.length;
  }

  /** The newest row with this key; 0 if it has no number yet. */
  get(key: string, since: number): RowId | undefined {
    const place = this.#find(key);
    if (place < 0) return undefined;
    const row = this.#rows[place] ?? 0;
    return row !== 0 && (this.#stamps[place] ?? 0) < since ? undefined : row;
  }

  /** Its number for `numbered`. Row and stamp are 0 until then. */
  add(key: string, row: RowId, stamp: number): number {
    const number = this.#added++;
    const place = number % REMEMBERED;
    if (place >= this.#hashes.length) this.#grow();
    this.#hashes[place] = hashOf(key);
    this.#keys[place] = key;
    this.#rows[place] = row;
    this.#stamps[place] = stamp;
    return number;
  }

  numbered(number: number, row: RowId, stamp: number): void {
    if (number < this.#added - REMEMBERED) return;
    this.#rows[number % REMEMBERED] = row;
    this.#stamps[number % REMEMBERED] = stamp;
  }

  forget(row: RowId): void {
    for (let place = 0; place < this.#keys.length; place++)
      if (this.#rows[place] === row) this.#keys[place] = undefined;
  }

  /** The place of the newest with this key. */
  #find(key: string): number {
    const hash = hashOf(key);
    const hashes = this.#hashes;
    let newest = -1;
    for (let place = hashes.indexOf(hash); place >= 0; place = hashes.indexOf(hash, place + 1))
      if (this.#keys[place] === key && (newest < 0 || this.#age(place) < this.#age(newest))) newest = place;
    return newest;
  }

  /** How many have been added after it. */
  #age(place: number): number {
    return (this.#added - 1 - place) % REMEMBERED;
  }

  #grow(): void {
    const room = this.#hashes.length * 2;
    const [hashes, rows, stamps] = [new Int32Array(room), new Float64Array(room), new Float64Array(room)];
    hashes.set(this.#hashes);
    rows.set(this.#rows);
    stamps.set(this.#stamps);
    this.#hashes = hashes;
    this.#rows = rows;
    this.#stamps = stamps;
  }
}

/** Of at most so many characters, from all over the key. */
const MOST_HASHED = 64;

// A key is nearly always looked for right before it is added.
let lastKey = "";
let lastHash = 0;
const hashOf = (key: string): number => {
  if (key === lastKey) return lastHash;
  const step = Math.max(1, Math.ceil(key.length / MOST_HASHED));
  let hash = key.length;
  for (let at = 0; at < key.length; at += step) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  lastKey = key;
  lastHash = hash;
  return hash;
};
