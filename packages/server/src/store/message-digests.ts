import type { Digest, MessageDisk } from "./message-disk.ts";
import { type MessageOwner, NO_ROWS } from "./message-owner.ts";
import type { RowId } from "./store.ts";

/** When to digest: after so many messages, or so many milliseconds after the first. */
export interface DigestAfter {
  readonly messages: number;
  readonly delay: number;
}

/** What the disk has yet to be told about messages that are stored: one digest at a time. */
export class Digests {
  readonly #disk: MessageDisk;
  readonly #after: DigestAfter;
  /** All messages up to this row have been digested. */
  through: RowId;
  /** The digest under way goes up to here. */
  #underWay: RowId | undefined;
  /** The last row whose unit has settled. */
  #last: RowId;
  #count = 0;
  /** Owners that have rows in their `tail`, and those that have rows in `unsaid`. */
  #tailed: MessageOwner[] = [];
  #unsaid = new Set<MessageOwner>();
  #spent: RowId[] = [];
  #timer: NodeJS.Timeout | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(disk: MessageDisk, after: DigestAfter) {
    this.#disk = disk;
    this.#after = after;
    this.through = disk.digestedThrough;
    this.#last = this.through;
  }

  /** One of its messages is stored; rows come in ascending order. */
  add(owner: MessageOwner, row: RowId): void {
    if (owner.tail.push(row) === 1) this.#tailed.push(owner);
  }

  /** The unit of this message has settled, and so have all before it. */
  settled(row: RowId): void {
    this.#last = row;
    if (++this.#count >= this.#after.messages && this.#underWay === undefined) this.#digest();
    else this.#soon();
  }

  spent(row: RowId): void {
    this.#spent.push(row);
    this.#soon();
  }

  /** A stored message waits no longer for its recipient. */
  arrived(owner: MessageOwner, row: RowId): void {
    const length = owner.waiting.get(row);
    if (length === undefined) {
      const isOnDisk = row > 0 && row <= this.through;
      if (!isOnDisk || owner.stored?.count === 0 || owner.settled.has(row)) return;
      owner.stored = undefined;
      this.#tell(owner, row);
    } else {
      owner.waiting.delete(row);
      // A digest under way says that it waits.
      if (this.#underWay !== undefined && row <= this.#underWay) this.#tell(owner, row);
      else if (length < 0) this.spent(row);
    }
  }

  #tell(owner: MessageOwner, row: RowId): void {
    owner.settled.add(row);
    owner.unsaid.push(row);
    this.#unsaid.add(owner);
    this.#soon();
  }

  /** Digests what has settled so far; settles when that is done, or has failed. */
  async catchUp(): Promise<void> {
    if (this.#underWay !== undefined) await this.#idle();
    this.#digest();
    if (this.#underWay !== undefined) await this.#idle();
  }

  async close(): Promise<void> {
    await this.catchUp();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#digest();
    }, this.#after.delay).unref();
  }

  #digest(): void {
    if (this.#underWay !== undefined) return;
    if (this.#last === this.through && this.#unsaid.size === 0 && this.#spent.length === 0) return;
    const owners = this.#tailed;
    const telling = [...this.#unsaid];
    const digest: Digest = {
      through: this.#last,
      waiting: owners.flatMap((owner) => [...owner.waiting.keys()]),
      spent: this.#spent,
      settled: telling.map((owner) => ({ account: owner.name, rows: owner.unsaid })),
    };
    this.#underWay = digest.through;
    this.#count = 0;
    this.#tailed = [];
    this.#unsaid = new Set();
    this.#spent = [];
    for (const owner of owners) {
      owner.digesting = owner.tail;
      owner.tail = [];
    }
    for (const owner of telling) owner.unsaid = [];
    this.#disk.digest(digest, (digested) => {
      if (digested) this.#digested(digest, owners, telling);
      else this.#failed(digest, owners, telling);
      this.#underWay = undefined;
      for (const idle of this.#whenIdle.splice(0)) idle();
      if (this.#tailed.length > 0 || this.#unsaid.size > 0 || this.#spent.length > 0) this.#soon();
    });
  }

  #digested(digest: Digest, owners: readonly MessageOwner[], telling: readonly MessageOwner[]): void {
    this.through = digest.through;
    for (const owner of owners) {
      owner.digesting = NO_ROWS;
      moveToStored(owner, digest.through);
    }
    for (let at = 0; at < telling.length; at++)
      for (const row of digest.settled[at]?.rows ?? []) telling[at]?.settled.delete(row);
  }

  /** Nothing has changed on disk: all of it is told once more, with what has come since. */
  #failed(digest: Digest, owners: readonly MessageOwner[], telling: readonly MessageOwner[]): void {
    for (const owner of owners) {
      if (owner.tail.length === 0) this.#tailed.push(owner);
      owner.tail = [...owner.digesting, ...owner.tail];
      owner.digesting = NO_ROWS;
    }
    for (let at = 0; at < telling.length; at++) {
      const owner = telling[at] as MessageOwner;
      owner.unsaid = [...(digest.settled[at]?.rows ?? []), ...owner.unsaid];
      this.#unsaid.add(owner);
    }
    this.#spent = [...digest.spent, ...this.#spent];
  }
}

/** What still waits of the rows up to `through` is on disk now as such. */
const moveToStored = (owner: MessageOwner, through: RowId): void => {
  let { count, bytes } = owner.stored ?? { count: 0, bytes: 0 };
  for (const [row, length] of owner.waiting) {
    if (row > through) break;
    owner.waiting.delete(row);
    count++;
    bytes += Math.abs(length);
  }
  if (owner.stored !== undefined) owner.stored = { count, bytes };
};
