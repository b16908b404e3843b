import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { BareJid, Bytes, DomainJid, HashName, ScramKeys } from "@kith/protocol";
import { targetKind, targetName } from "./change.ts";
import type { Row } from "./items.ts";
import type { AccountKeysTable, AccountTable, RemovedAccountTable, SpoolTable } from "./sqlite-schema.ts";
import type { Account, RowId, StoredStanza, Target } from "./store.ts";

/** Reads what is on disk. */
export class SqliteReader {
  readonly #items: StatementSync;
  readonly #hasAccount: StatementSync;
  readonly #account: StatementSync;
  readonly #removedAt: StatementSync;
  readonly #spooled: StatementSync;
  readonly #countSpooled: StatementSync;
  readonly #bytesSpooled: StatementSync;
  readonly #lastRow: StatementSync;
  readonly #owners: StatementSync;
  readonly #accounts: StatementSync;
  readonly #accountsOfDomain: StatementSync;

  constructor(database: DatabaseSync) {
    this.#items = database.prepare("select key, value from item where collection = ? and owner = ?");
    this.#items.setReturnArrays(true);
    this.#hasAccount = database.prepare("select 1 from account where jid = ?");
    this.#account = database.prepare("select * from account left join account_keys using (jid) where jid = ?");
    this.#removedAt = database.prepare("select removed from removed_account where jid = ?");
    this.#spooled = database.prepare(
      "select row, stamp, stanza from spool where target_kind = ? and target = ? and row > ? order by row limit ?",
    );
    // One statement each, so that all of it sees the same commits.
    const spooled = "from spool where target_kind = ? and target = ? and row not in (select value from json_each(?))";
    this.#countSpooled = database.prepare(`select count(*) as number ${spooled}`);
    // Of a blob only the header is read.
    this.#bytesSpooled = database.prepare(`select coalesce(sum(length(stanza)), 0) as number ${spooled}`);
    this.#lastRow = database.prepare("select seq from sqlite_sequence where name = 'spool'");
    this.#owners = database.prepare(OWNERS);
    this.#accounts = database.prepare("select jid from account");
    this.#accountsOfDomain = database.prepare("select jid from account where substr(jid, instr(jid, '@') + 1) = ?");
  }

  items(collection: string, owner: string): readonly Row[] {
    return rows<Row>(this.#items, collection, owner);
  }

  hasAccount(jid: BareJid): boolean {
    return this.#hasAccount.get(jid) !== undefined;
  }

  account(jid: BareJid): Account | undefined {
    const joined = rows<AccountTable & AccountKeysTable>(this.#account, jid);
    const created = joined[0]?.created;
    if (created === undefined) return undefined;
    const keys: Partial<Record<HashName, ScramKeys>> = {};
    // An account without keys is one row without a hash.
    for (const { hash, salt, iterations, stored_key, server_key } of joined)
      if (hash !== null) keys[hash] = { salt, iterations, storedKey: stored_key, serverKey: server_key };
    return { jid, created, keys: keys as Account["keys"] };
  }

  removedAt(jid: BareJid): number | undefined {
    return rows<RemovedAccountTable>(this.#removedAt, jid)[0]?.removed;
  }

  /** Oldest first. */
  spooled(target: Target, after: RowId, limit = Number.POSITIVE_INFINITY): readonly StoredStanza[] {
    const most = Number.isFinite(limit) ? limit : -1;
    return rows<SpoolTable>(this.#spooled, targetKind(target), targetName(target), after, most).map(
      ({ row, stamp, stanza }) => ({ row, stamp, stanza: bytesOf(stanza) }),
    );
  }

  countSpooled(target: Target, except: readonly RowId[]): number {
    return this.#sum(this.#countSpooled, target, except);
  }

  bytesSpooled(target: Target, except: readonly RowId[]): number {
    return this.#sum(this.#bytesSpooled, target, except);
  }

  #sum(statement: StatementSync, target: Target, except: readonly RowId[]): number {
    const [sum] = rows<{ number: number }>(statement, targetKind(target), targetName(target), JSON.stringify(except));
    return sum?.number ?? 0;
  }

  lastRow(): RowId {
    return rows<{ seq: number }>(this.#lastRow)[0]?.seq ?? 0;
  }

  owners(collection: string): readonly string[] {
    return rows<{ owner: string }>(this.#owners, collection).map(({ owner }) => owner);
  }

  accounts(domain: DomainJid | undefined): readonly BareJid[] {
    const found =
      domain === undefined ? rows<AccountTable>(this.#accounts) : rows<AccountTable>(this.#accountsOfDomain, domain);
    return found.map(({ jid }) => jid);
  }
}

// From each owner straight to the next, however many items the owner has.
const OWNERS = `
  with recursive found (collection, owner) as (
    select collection, min(owner) from item where collection = ?1
    union all
    select collection, (select min(owner) from item where item.collection = found.collection and item.owner > found.owner)
    from found where owner is not null
  )
  select owner from found where owner is not null`;

/** The one place where what SQLite answers gets its type, which is the schema's. */
export const rows = <T>(statement: StatementSync, ...values: readonly SQLInputValue[]): readonly T[] =>
  statement.all(...values) as unknown as readonly T[];

export const bufferOf = (array: Uint8Array): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
export const bytesOf = (array: Uint8Array): Bytes => bufferOf(array).toString("latin1") as Bytes;

/** SQLite's way to say that there is no limit is a negative one. */
export const limitOf = (limit: number): number => (Number.isFinite(limit) ? Math.max(0, Math.trunc(limit)) : -1);
