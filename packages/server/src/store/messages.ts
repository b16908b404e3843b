/**
 * Messages as they are stored: each once, whoever's archive shows it, whoever waits for it and whatever streams it was
 * sent on (ARCHITECTURE.md, "What survives"). One suite (`messages.suite.ts`) holds for every back end.
 */
import type { BareJid, Bytes, Eventually } from "@kith/protocol";
import type { RowId, Write } from "./store.ts";

/** Who keeps archives: an account or a room. */
export type ArchiveOwner = BareJid;

/** Which of its two sides a message is seen from. A message to oneself has both, and one place in the archive: as sent. */
export type MessageSide = "sent" | "received";

/** A stream that outlives its connection (XEP-0198), as what is stored refers to it: its name and how often it has been renumbered. */
export type StreamKey = string;

/** A place in a stream: the stream's how-manieth stanza, from 1, not reduced modulo 2^32. */
export interface StreamPlace {
  readonly stream: StreamKey;
  readonly number: number;
}

/** A stanza's place among those sent on a stream, and what it looked like there. */
export interface Delivery extends StreamPlace {
  /** "plain": as stored, addressed as it was; "carbon": as a carbon of the side that the stream's account has in it (XEP-0280). */
  readonly as: "plain" | "carbon";
}

/** A message that is to be stored. */
export interface NewMessage {
  /** Whole, as `writeStanza` makes it: `from` a full JID, no stanza-id of ours. */
  readonly stanza: Bytes;
  /** The local account that sent it, if it is one. */
  readonly sender: BareJid | undefined;
  /** The local account, or room, it is for, if it is one. */
  readonly recipient: BareJid | undefined;
  /** Whose archives show it. */
  readonly isArchived: { readonly sent: boolean; readonly received: boolean };
  /** Does it wait for the recipient until it has arrived (`settle`)? */
  readonly waits: boolean;
  /** The bare JIDs of `from` and `to`: whom each side exchanges it with. */
  readonly from: string;
  readonly to: string;
  /** Of type groupchat: user archives show these only on demand (XEP-0313 §5.1.2). */
  readonly isGroupchat: boolean;
  /** May a full-text search find it (XEP-0431)? By what its bodies and subjects say; the background job reads them out of the stanza, so that storing costs nothing. */
  readonly isSearchable: boolean;
  /** The place it has among the stanzas its sender's stream has sent us. */
  readonly origin: StreamPlace | undefined;
  /** What a second sending of the same message is recognised by; see `sentBefore`. */
  readonly key: string | undefined;
}

/**
 * A message in a unit. It gets its number and its stamp when the unit does (`Unit.number`): in the order in which units are
 * committed, so that nobody is shown a message before one that comes earlier in their archive (XEP-0313 §3).
 */
export interface KeptMessage extends NewMessage {
  /** 0 until it is numbered. */
  readonly row: RowId;
  /** In milliseconds since 1970; 0 until it is numbered. Never less than that of an earlier row. */
  readonly stamp: number;
  /** To be added to until the unit is committed. */
  readonly deliveries: Delivery[];
}

/** A message as it is read back. */
export interface StoredMessage {
  readonly row: RowId;
  readonly stanza: Bytes;
  readonly stamp: number;
  readonly sender: BareJid | undefined;
  readonly recipient: BareJid | undefined;
  readonly isArchived: { readonly sent: boolean; readonly received: boolean };
}

/** What streams need of a message after a restart. */
export interface MessageTraces extends StoredMessage {
  readonly origin: StreamPlace | undefined;
  readonly deliveries: readonly Delivery[];
}

export interface ArchiveQuery {
  readonly owner: ArchiveOwner;
  /** Exchanged with this address; a full JID finds only what was exchanged with that resource (XEP-0313 §4.1.1). */
  readonly with?: { readonly bare: string; readonly full?: string };
  /** Milliseconds since 1970, both inclusive. */
  readonly start?: number;
  readonly end?: number;
  /** Rows, exclusive. */
  readonly after?: RowId;
  readonly before?: RowId;
  /** These rows only. */
  readonly rows?: readonly RowId[];
  /** Words that all have to be in it, as people type them; never a query language. */
  readonly text?: string;
  /** With messages of type groupchat. */
  readonly withGroupchat: boolean;
  /** The first that match, or the last; the page itself is always oldest first. */
  readonly from: "oldest" | "newest";
  readonly limit: number;
  /** Where among what matches the page lies (XEP-0059 §2.2, §2.3), rows exclusive. Changes nothing about what is counted. */
  readonly page?: { readonly after?: RowId; readonly before?: RowId };
  /** Count all that match, and how many of them come before the page (XEP-0059 §2.6). Costs more the more there are. */
  readonly counted?: boolean;
}

export interface ArchivePage {
  readonly messages: readonly StoredMessage[];
  /** Nothing that matches lies beyond the page in the direction of the query. */
  readonly isComplete: boolean;
  readonly count?: number;
  /** How many that match come before the page; none where the page is empty. */
  readonly index?: number;
}

export interface ArchiveBounds {
  readonly oldest: { readonly row: RowId; readonly stamp: number };
  readonly newest: { readonly row: RowId; readonly stamp: number };
}

export interface Expiry {
  /** Whose archive; `undefined`: everybody's. */
  readonly owner?: ArchiveOwner;
  /** What is older than this, in milliseconds since 1970. */
  readonly before?: number;
  /** And all but the newest so many of each owner. */
  readonly keep?: number;
}

export interface Messages {
  // What waits for an account. Its messages wait from when they are stored until they are settled. Reads see open units.

  /** Oldest first, at most `limit` after row `after`. There at once. */
  waiting(account: BareJid, after?: RowId, limit?: number): Eventually<readonly StoredMessage[]>;
  /** How many wait, and how long their stanzas are together, in bytes; what an open unit replaces counts as it was. */
  countWaiting(account: BareJid): Eventually<{ readonly count: number; readonly bytes: number }>;
  /**
   * These wait no longer. Takes effect for reads at once, is written with the next commit or within a second, and costs no
   * row of its own for a message in an archive: what a crash forgets of it is delivered once more.
   */
  settle(account: BareJid, rows: readonly RowId[]): void;

  // What was sent on streams.

  /** Notes that a stored message has been sent on a stream after its unit was committed. One in an open unit is noted in `deliveries`. */
  delivered(row: RowId, delivery: Delivery): Write;
  /** Forgets what `delivered` noted of a stream, up to and with this number; all of it without one. */
  forget(stream: StreamKey, number?: number): Write;
  /**
   * Everything after row `after` that an account sent or was sent, oldest first, as restarted streams need it; what `delivered`
   * noted among it. Off the main thread.
   */
  traces(account: BareJid, after: RowId): Promise<readonly MessageTraces[]>;
  /** The highest number there is: whatever is stored from now on gets a higher one. */
  readonly lastRow: RowId;

  /**
   * The row of the message that this account has stored with this key since `since` (milliseconds since 1970), if it has. There at once, from
   * what is kept in memory of accounts that send now; sees open units. Of an account's messages the newest `REMEMBERED` are known.
   */
  sentBefore(account: BareJid, key: string, since: number): Eventually<RowId | undefined>;
  /** An error came back for it: sent again, it is a new message. */
  forgetKey(account: BareJid, row: RowId): Write;

  // Archives. Off the main thread; sees everything that was committed, and what was being committed, when it was called.

  page(query: ArchiveQuery): Promise<ArchivePage>;
  /** `undefined`: the archive is empty. */
  bounds(owner: ArchiveOwner): Promise<ArchiveBounds | undefined>;
  /** Those of these rows that the owner's archive has, oldest first. There at once. */
  find(owner: ArchiveOwner, rows: readonly RowId[]): Eventually<readonly StoredMessage[]>;
  /** The newest message of the archive that `with` sent with this origin-id or, for rooms, any that has this stanza id attribute. For retraction and correction. */
  findById(owner: ArchiveOwner, with_: string, id: string): Promise<StoredMessage | undefined>;
  /** Something else stands in its place from now on: a tombstone. Nothing of the old text is found any longer. */
  replace(row: RowId, stanza: Bytes): Write;
  /** Removes what is old, in small steps that others come between; never what waits. Answers how many messages are gone. */
  expire(expiry: Expiry): Promise<number>;

  /** Work in the background that reads catch up with by themselves. */
  readonly lag: { readonly index: number; readonly search: number };
}
