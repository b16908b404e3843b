import type { BareJid } from "@kith/protocol";
import type {
  ArchiveBounds,
  ArchiveOwner,
  ArchivePage,
  ArchiveQuery,
  Expiry,
  MessageTraces,
  StoredMessage,
} from "./messages.ts";
import type { RowId } from "./store.ts";

/**
 * What an `OverlayMessages` stands on. Committing only appends messages; who has which, and who waits for which, is
 * worked out later by `digest`, in bulk. Until then the overlay knows it.
 */
export interface MessageDisk {
  /** The highest row and stamp there are on disk, also if they are gone; 0 if none. */
  readonly lastRow: RowId;
  readonly lastStamp: number;
  /** So far messages have been digested. */
  readonly digestedThrough: RowId;
  /** So far their texts can be found by the index of texts. */
  readonly searchableThrough: RowId;
  /** Accounts removed whose messages have not all gone from disk: those up to these rows are nobody's any more. */
  readonly removed: ReadonlyMap<BareJid, RowId>;

  // There at once. Of the digested ones only those up to row `through`.

  /** Those of these rows that there are, oldest first. */
  messages(rows: readonly RowId[]): readonly StoredMessage[];
  /** What waits for an account, oldest first, after row `after`. */
  waiting(account: BareJid, after: RowId, through: RowId, limit: number): readonly StoredMessage[];
  countWaiting(account: BareJid, through: RowId, except: readonly RowId[]): Waiting;
  sentKeys(question: KeysQuestion): readonly SentKey[];

  // Off the main thread. `undigested`: those of the owner's rows that had not been digested when it was asked.

  page(query: ArchiveQuery, undigested: readonly RowId[]): Promise<ArchivePage>;
  bounds(owner: ArchiveOwner, undigested: readonly RowId[]): Promise<ArchiveBounds | undefined>;
  findById(question: IdQuestion, undigested: readonly RowId[]): Promise<StoredMessage | undefined>;
  traces(account: BareJid, after: RowId, undigested: readonly RowId[]): Promise<readonly MessageTraces[]>;
  /** Some of what is to go; where it stopped, to be called with again, unless it is done. */
  expire(expiry: Expiry, from: ExpiryPlace | undefined): Promise<Expired>;

  /** `done` is called in one sequence with the settling of units. A digest that failed may be tried again with more. */
  digest(digest: Digest, done: (digested: boolean) => void): void;
}

/** Oldest first, what has become of messages since the last one. */
export interface Digest {
  /** All up to this row have been settled. */
  readonly through: RowId;
  /** Those after the last digest that still wait. */
  readonly waiting: readonly RowId[];
  /** Those after the last digest that waited, wait no longer, and are in no archive. */
  readonly spent: readonly RowId[];
  /** Those of the last digest and before that wait no longer, by account. */
  readonly settled: readonly { readonly account: BareJid; readonly rows: readonly RowId[] }[];
}

export interface Waiting {
  readonly count: number;
  readonly bytes: number;
}
/** What keys are on the newest messages that an account has sent, newest first. */
export interface KeysQuestion {
  readonly account: BareJid;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly after: RowId;
  readonly through: RowId;
  /** Those that are not digested. */
  readonly undigested: readonly RowId[];
  readonly limit: number;
}
export interface SentKey {
  readonly row: RowId;
  readonly stamp: number;
  readonly key: string;
}
export interface IdQuestion {
  readonly owner: ArchiveOwner;
  readonly with: string;
  readonly id: string;
}
/** Where an expiry goes on: with this owner's rows after this one, up to that one. */
export interface ExpiryPlace {
  readonly owner: string;
  readonly row: RowId;
  readonly through: RowId;
}
export interface Expired {
  readonly count: number;
  readonly next: ExpiryPlace | undefined;
}
