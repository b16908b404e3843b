/**
 * What is stored, as interfaces. One suite (`store.suite.ts`) holds for every back end.
 *
 * Writing: a stanza's writes are collected in one `Unit` and committed together or not at all. `commit` never
 * waits: it returns a ticket that settles when the disk has answered, and what the commit decides is shown to
 * nobody before (see ARCHITECTURE.md, "What survives"). Reading: reads see everything that was added to a unit,
 * committed or not, so that a stanza that changes how later ones are treated does so for the very next one.
 */
import type { BareJid, Bytes, DomainJid, Eventually, HashName, ScramKeys } from "@kith/protocol";
import type { Delivery, KeptMessage, Messages, NewMessage, StreamKey } from "./messages.ts";

/** Settles once: when the unit is on disk, or when it is known that it never will be. */
export interface Ticket {
  readonly state: "open" | "committed" | "failed";
  /** Called once, at once if the ticket has settled. Callbacks run in the order they were added, tickets settle in commit order. */
  onSettled(listener: (committed: boolean) => void): void;
}

/** A stored stanza's number; ascending in the order of storing. */
export type RowId = number;

/** What waits for somebody: an account's offline messages, or what a component or remote domain has yet to get. */
export type Target = { readonly account: BareJid } | { readonly domain: DomainJid };

export interface StoredStanza {
  readonly row: RowId;
  /** The whole stanza, as `writeStanza` makes it. */
  readonly stanza: Bytes;
  /** When the server received it, in milliseconds since 1970. */
  readonly stamp: number;
}

export interface Account {
  readonly jid: BareJid;
  /** Never a password (RFC 6120 §13.8); one set of keys for each hash that clients may use. */
  readonly keys: Readonly<Record<HashName, ScramKeys>>;
  /** Milliseconds since 1970. */
  readonly created: number;
}

/** One change. Made by the functions of a `Collection`, `Accounts` or `Spool`, carried out by a `Unit`. Plain data, so that it can go to another thread. */
export type Write =
  | {
      readonly op: "put";
      readonly collection: string;
      readonly owner: string;
      readonly key: string;
      readonly value: unknown;
    }
  | { readonly op: "delete"; readonly collection: string; readonly owner: string; readonly key: string }
  | { readonly op: "clear"; readonly collection: string; readonly owner: string }
  | { readonly op: "account"; readonly account: Account }
  /** Removes the account, every collection it owns and what is pending for it, and remembers that the address was in use. */
  | { readonly op: "removeAccount"; readonly jid: BareJid; readonly at: number | undefined }
  | { readonly op: "spool"; readonly target: Target; readonly stored: StoredStanza }
  | { readonly op: "settle"; readonly target: Target; readonly rows: readonly RowId[] }
  | { readonly op: "delivered"; readonly row: RowId; readonly delivery: Delivery }
  | { readonly op: "forget"; readonly stream: StreamKey; readonly number: number | undefined }
  | { readonly op: "forgetKey"; readonly account: BareJid; readonly row: RowId }
  | { readonly op: "replace"; readonly row: RowId; readonly stanza: Bytes };

/**
 * When a unit is committed. "soon": with the next one that is committed "now", or within a second. For what nobody waits
 * for and a crash may lose, so that it costs no commit of its own.
 */
export type Haste = "now" | "soon";

export interface Unit {
  /**
   * Takes effect for reads at once, and for good unless the unit is committed and fails: a unit that has been added to must
   * be committed. Throws TypeError where a value is not JSON data, or an owner or key is not well-formed text.
   */
  add(write: Write): void;
  /** Adds a message. It waits for its recipient from now on, if it does; its number comes later. */
  keep(message: NewMessage): KeptMessage;
  readonly isEmpty: boolean;
  /** What `commit` answers, to be waited for beforehand. */
  readonly ticket: Ticket;
  /** Gives every message of the unit its number and stamp. The unit must be committed in the same turn of the loop, without another one being numbered between. */
  number(): void;
  /** Hands the unit to the writer; numbers it if it has not been. At most once. */
  commit(haste?: Haste): Ticket;
}

/**
 * What a module keeps: values by key, grouped by owner (nearly always an account's bare JID; a domain or `""` for
 * what belongs to the server). Values are plain JSON data. Owned by an account, they go when the account goes.
 * Answers are shared and must not be changed. What `all` has answered stays as it is, whatever is written afterwards; its
 * order is no promise. A value read is a copy of the one that was put, as JSON tells it.
 */
export interface Collection<T> {
  readonly name: string;
  all(owner: string): Eventually<ReadonlyMap<string, T>>;
  get(owner: string, key: string): Eventually<T | undefined>;
  put(owner: string, key: string, value: T): Write;
  delete(owner: string, key: string): Write;
  clear(owner: string): Write;
  /** Every owner that has something in this collection. Runs off the main thread; only for start and maintenance. */
  owners(): Promise<readonly string[]>;
}

export interface Accounts {
  exists(jid: BareJid): Eventually<boolean>;
  get(jid: BareJid): Eventually<Account | undefined>;
  /** When an account with this address was removed, if one ever was. */
  removedAt(jid: BareJid): Eventually<number | undefined>;
  put(account: Account): Write;
  /** `at`: when, to be remembered; `undefined` where nobody needs to know, as with an account that was temporary. */
  remove(jid: BareJid, at: number | undefined): Write;
  /** In the order of their addresses. Runs off the main thread. */
  list(domain?: DomainJid): Promise<readonly BareJid[]>;
}

export interface Spool {
  /** A new row and the write that stores it for this target. */
  keep(target: Target, stanza: Bytes, stamp: number): { readonly row: RowId; readonly write: Write };
  /**
   * What is pending for a target, oldest first, at most `limit` after row `after`. Sees what is being committed. With a
   * `limit` it is there at once; all of a long queue is read off the main thread.
   */
  pending(target: Target, after?: RowId, limit?: number): Eventually<readonly StoredStanza[]>;
  count(target: Target): Eventually<number>;
  /** How much is pending for a target: the length of all its stanzas, in bytes. */
  bytes(target: Target): Eventually<number>;
  settle(target: Target, rows: readonly RowId[]): Write;
}

export interface Store {
  readonly accounts: Accounts;
  readonly spool: Spool;
  readonly messages: Messages;
  /**
   * Opens a collection. Each name belongs to one module; a second call with the same name throws.
   *
   * "few": nearly everybody has nothing in it, and it is asked for with every stanza. Who may have something is kept in
   * memory, so that the answer for all others costs no more than a look-up among few.
   */
  collection<T>(name: string, owners?: "many" | "few"): Collection<T>;
  begin(): Unit;
  /** Settles when everything committed so far has. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
