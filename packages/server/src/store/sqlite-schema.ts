/**
 * The tables as they are after the last migration. Kysely's migrations make them, prepared statements read and write
 * them; both use these types, and every later back end has the same columns.
 */
import type { BareJid, HashName } from "@kith/protocol";
import type { TargetKind } from "./change.ts";

/** The version that this code reads and writes: how many migrations there are. */
export const SCHEMA_VERSION = 2;

export interface Database {
  readonly account: AccountTable;
  readonly account_keys: AccountKeysTable;
  readonly removed_account: RemovedAccountTable;
  readonly item: ItemTable;
  readonly spool: SpoolTable;
  readonly message: MessageTable;
  readonly delivery: DeliveryTable;
  readonly message_of: MessageOfTable;
  readonly message_with: MessageWithTable;
  readonly waiting: WaitingTable;
  readonly message_mark: MessageMarkTable;
  readonly removed_messages: RemovedMessagesTable;
}

export interface AccountTable {
  jid: BareJid;
  /** Milliseconds since 1970. */
  created: number;
}

/** SCRAM keys, one row for each hash. */
export interface AccountKeysTable {
  jid: BareJid;
  hash: HashName;
  salt: Uint8Array;
  iterations: number;
  stored_key: Uint8Array;
  server_key: Uint8Array;
}

/** Addresses that were in use once. */
export interface RemovedAccountTable {
  jid: BareJid;
  /** Milliseconds since 1970. */
  removed: number;
}

/** What modules keep. */
export interface ItemTable {
  collection: string;
  owner: string;
  key: string;
  /** JSON. */
  value: string;
}

/** Stanzas that wait for somebody. A row's number is never given twice, also after the row is gone. */
export interface SpoolTable {
  row: number;
  target_kind: TargetKind;
  target: string;
  /** Milliseconds since 1970. */
  stamp: number;
  stanza: Uint8Array;
}

/** Messages, in the order of storing. Written once; only `flags` change, `key`, and the stanza where it is replaced. */
export interface MessageTable {
  row: number;
  /** Milliseconds since 1970. */
  stamp: number;
  /** See `kept-message.ts`. */
  flags: number;
  /** Local accounts and rooms. */
  sender: BareJid | null;
  recipient: BareJid | null;
  /** Bare addresses; null where that is the sender's, or the recipient's. */
  from_bare: string | null;
  to_bare: string | null;
  origin_stream: string | null;
  origin_number: number | null;
  key: string | null;
  /** JSON: what was sent in the unit that stored it. */
  deliveries: string | null;
  stanza: Uint8Array;
}

/** Places in streams of messages that were sent on them later. */
export interface DeliveryTable {
  stream: string;
  number: number;
  row: number;
  kind: "plain" | "carbon";
}

/** Whose messages are, many in one row; see `message-entries.ts`. Made by digests. */
export interface MessageOfTable {
  owner: BareJid;
  /** The row of the first of them. */
  first: number;
  entries: Uint8Array;
}
/** The same by whom it was exchanged with. Only what the owner's archive shows. */
export interface MessageWithTable extends MessageOfTable {
  peer: string;
}

/** What waits, as digests leave it. */
export interface WaitingTable {
  owner: BareJid;
  row: number;
}

/** How far work in the background has come. */
export interface MessageMarkTable {
  name: "digested" | "searchable";
  row: number;
}

/** Accounts removed whose messages up to this row have not all gone yet. */
export interface RemovedMessagesTable {
  owner: BareJid;
  row: number;
}
