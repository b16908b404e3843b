/**
 * The tables as they are after the last migration. Kysely's migrations make them, prepared statements read and write
 * them; both use these types, and every later back end has the same columns.
 */
import type { BareJid, HashName } from "@kith/protocol";
import type { TargetKind } from "./change.ts";

/** The version that this code reads and writes: how many migrations there are. */
export const SCHEMA_VERSION = 1;

export interface Database {
  readonly account: AccountTable;
  readonly account_keys: AccountKeysTable;
  readonly removed_account: RemovedAccountTable;
  readonly item: ItemTable;
  readonly spool: SpoolTable;
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
