import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isAboutMessages, type OwnedChange, type RemoveAccount, targetKind, targetName } from "./change.ts";
import type { PackedChange } from "./packed-message.ts";
import { SqliteMessageWriter } from "./sqlite-message-writer.ts";
import { transact } from "./sqlite-transaction.ts";
import type { Account, RowId, StoredStanza, Target } from "./store.ts";

/** The changes of one unit. */
export type UnitChanges = readonly PackedChange[];

/** A unit that is not on disk, and never will be. */
export interface FailedUnit {
  /** Its place among the units committed with it. */
  readonly at: number;
  readonly reason: string;
}

/** Makes units durable: as many as possible in one transaction, each whole or not at all, in order. */
export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #messages: SqliteMessageWriter;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #clear: StatementSync;
  readonly #putAccount: StatementSync;
  readonly #putKeys: StatementSync;
  readonly #deleteKeys: StatementSync;
  readonly #deleteAccount: StatementSync;
  readonly #deleteItems: StatementSync;
  readonly #deleteSpool: StatementSync;
  readonly #putRemoved: StatementSync;
  readonly #spool: StatementSync;
  readonly #settle: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#messages = new SqliteMessageWriter(database);
    this.#put = database.prepare(
      "insert into item (collection, owner, key, value) values (?, ?, ?, ?) on conflict do update set value = excluded.value",
    );
    this.#delete = database.prepare("delete from item where collection = ? and owner = ? and key = ?");
    this.#clear = database.prepare("delete from item where collection = ? and owner = ?");
    this.#putAccount = database.prepare(
      "insert into account (jid, created) values (?, ?) on conflict do update set created = excluded.created",
    );
    this.#putKeys = database.prepare(
      "insert into account_keys (jid, hash, salt, iterations, stored_key, server_key) values (?, ?, ?, ?, ?, ?)",
    );
    this.#deleteKeys = database.prepare("delete from account_keys where jid = ?");
    this.#deleteAccount = database.prepare("delete from account where jid = ?");
    this.#deleteItems = database.prepare(DELETE_ITEMS);
    this.#deleteSpool = database.prepare("delete from spool where target_kind = 'account' and target = ?");
    this.#putRemoved = database.prepare(
      "insert into removed_account (jid, removed) values (?, ?) on conflict do update set removed = excluded.removed",
    );
    this.#spool = database.prepare(
      "insert or replace into spool (row, target_kind, target, stamp, stanza) values (?, ?, ?, ?, ?)",
    );
    this.#settle = database.prepare("delete from spool where row = ? and target_kind = ? and target = ?");
  }

  /**
   * Where a transaction fails its units are tried again in two halves, so that one that cannot be stored keeps none
   * of the others from it.
   */
  commit(units: readonly UnitChanges[]): readonly FailedUnit[] {
    const failed: FailedUnit[] = [];
    this.#commit(units, 0, units.length, failed);
    return failed;
  }

  #commit(units: readonly UnitChanges[], start: number, end: number, failed: FailedUnit[]): void {
    if (start === end) return;
    try {
      this.#transact(units, start, end);
    } catch (error) {
      const middle = (start + end) >> 1;
      if (middle === start) failed.push({ at: start, reason: reasonOf(error) });
      else {
        this.#commit(units, start, middle, failed);
        this.#commit(units, middle, end, failed);
      }
    }
  }

  #transact(units: readonly UnitChanges[], start: number, end: number): void {
    transact(this.#database, () => {
      for (let at = start; at < end; at++) for (const change of units[at] ?? []) this.#apply(change);
    });
  }

  #apply(change: PackedChange): void {
    if (change.op === "keep") this.#messages.keep(change);
    else if (isAboutMessages(change)) this.#messages.apply(change);
    else this.#applyOwned(change);
  }

  #applyOwned(change: OwnedChange): void {
    switch (change.op) {
      case "put":
        this.#put.run(change.collection, change.owner, change.key, change.json);
        break;
      case "delete":
        this.#delete.run(change.collection, change.owner, change.key);
        break;
      case "clear":
        this.#clear.run(change.collection, change.owner);
        break;
      case "account":
        this.#applyAccount(change.account);
        break;
      case "removeAccount":
        this.#removeAccount(change);
        break;
      case "spool":
        this.#applySpool(change.target, change.stored);
        break;
      case "settle":
        this.#applySettle(change.target, change.rows);
    }
  }

  #applyAccount({ jid, created, keys }: Account): void {
    this.#putAccount.run(jid, created);
    this.#deleteKeys.run(jid);
    for (const [hash, { salt, iterations, storedKey, serverKey }] of Object.entries(keys))
      this.#putKeys.run(jid, hash, salt, iterations, storedKey, serverKey);
  }

  #removeAccount({ jid, at, through }: RemoveAccount): void {
    this.#messages.removeAccount(jid, through);
    this.#deleteAccount.run(jid);
    this.#deleteKeys.run(jid);
    this.#deleteItems.run(jid);
    this.#deleteSpool.run(jid);
    if (at !== undefined) this.#putRemoved.run(jid, at);
  }

  #applySpool(target: Target, { row, stamp, stanza }: StoredStanza): void {
    this.#spool.run(row, targetKind(target), targetName(target), stamp, Buffer.from(stanza, "latin1"));
  }

  #applySettle(target: Target, rows: readonly RowId[]): void {
    const kind = targetKind(target);
    const name = targetName(target);
    for (const row of rows) this.#settle.run(row, kind, name);
  }
}

// Collections are few: from each name straight to the next, then to what the owner has there.
const DELETE_ITEMS = `
  delete from item where owner = ?1 and collection in (
    with recursive found (collection) as (
      select min(collection) from item
      union all
      select (select min(collection) from item where item.collection > found.collection)
      from found where collection is not null
    )
    select collection from found where collection is not null
  )`;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
