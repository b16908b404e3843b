import type { BareJid } from "@kith/protocol";
import type { RemoveAccount } from "./change.ts";
import type { Kept } from "./kept-message.ts";
import type { Waiting } from "./message-disk.ts";
import type { SentKeys } from "./sent-keys.ts";
import type { RowId, Ticket } from "./store.ts";

/** What is known in memory of the messages of one account or room. */
export class MessageOwner {
  readonly name: BareJid;
  /** Of units that have not settled, in the order of adding. */
  open: Kept[] = [];
  /** Removals of the account in units that have not settled. */
  removals: readonly RemoveAccount[] = NO_REMOVALS;
  /** The last unit handed over that is about its messages. */
  ticket: Ticket | undefined = undefined;
  /** Rows that are stored and not digested, in ascending order: those that are being digested, then those after them. */
  digesting: readonly RowId[] = NO_ROWS;
  tail: RowId[] = [];
  /** Those among them that wait, in ascending order, and how long their stanzas are; negative where no archive has them. */
  readonly waiting = new Map<RowId, number>();
  /** Digested ones that wait no longer, though the disk says so; `unsaid`: that no digest has been told yet. */
  readonly settled = new Set<RowId>();
  unsaid: RowId[] = [];
  /** What waits among the digested ones; `undefined` if that is not known. */
  stored: Waiting | undefined = undefined;
  /** Of what it has sent; `undefined` if that is not known. */
  keys: SentKeys | undefined = undefined;

  constructor(name: BareJid) {
    this.name = name;
  }

  /** Something is known here that is not on disk, or that the disk does not tell in time. */
  get isBusy(): boolean {
    return (
      this.open.length > 0 ||
      this.tail.length > 0 ||
      this.digesting.length > 0 ||
      this.settled.size > 0 ||
      this.removals.length > 0 ||
      this.ticket?.state === "open"
    );
  }

  get undigested(): readonly RowId[] {
    return this.digesting.length === 0 ? this.tail.slice() : [...this.digesting, ...this.tail];
  }

  /** Takes away one whose unit has settled. */
  close(kept: Kept): void {
    const { open } = this;
    if (open[0] === kept) open.shift();
    else {
      const at = open.indexOf(kept);
      if (at >= 0) open.splice(at, 1);
    }
  }

  /** Those of open units in the order of the archive; what has no number comes last. */
  inOrder(): readonly Kept[] {
    if (this.open.length < 2) return this.open;
    return this.open.toSorted((a, b) => (a.row || Number.POSITIVE_INFINITY) - (b.row || Number.POSITIVE_INFINITY) || 0);
  }
}

/** In each generation; some 100 bytes each. */
const MOST_KEYS = 250_000;

const NO_REMOVALS: readonly RemoveAccount[] = [];
/** Shared by all that have none. */
export const NO_ROWS: readonly RowId[] = [];

/**
 * Owners seen lately, bounded in number: two generations, as in `OwnerCache`. Those that know what is not on disk are
 * kept whatever their age.
 */
export class MessageOwners {
  #young = new Map<BareJid, MessageOwner>();
  #old = new Map<BareJid, MessageOwner>();
  #keys = 0;
  readonly #most: number;

  constructor(owners: number) {
    this.#most = Math.max(1, Math.ceil(owners / 2));
  }

  /** So many keys were taken in. */
  weigh(keys: number): void {
    this.#keys += keys;
    if (this.#keys > MOST_KEYS) this.#rotate();
  }

  owner(name: BareJid): MessageOwner {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const owner = this.#old.get(name) ?? new MessageOwner(name);
    if (this.#young.size >= this.#most) this.#rotate();
    this.#young.set(name, owner);
    return owner;
  }

  known(name: BareJid): MessageOwner | undefined {
    return this.#young.get(name) ?? this.#old.get(name);
  }

  #rotate(): void {
    const young = new Map<BareJid, MessageOwner>();
    for (const [name, owner] of this.#old) if (owner.isBusy && !this.#young.has(name)) young.set(name, owner);
    this.#old = this.#young;
    this.#young = young;
    this.#keys = 0;
  }
}
