import type { DatabaseSync, StatementSync } from "node:sqlite";
import { decodeEntries, type Entry, encodeEntries, hasRoom } from "./message-entries.ts";
import { rows } from "./sqlite-reader.ts";
import type { MessageOfTable } from "./sqlite-schema.ts";
import type { RowId } from "./store.ts";

/** All of an owner's messages, or those exchanged with one address. */
export type SeriesKey = readonly [owner: string] | readonly [owner: string, peer: string];
type Stored = Pick<MessageOfTable, "first" | "entries">;

/** One of the two indexes of messages: its table, and how a series is named in it. */
interface Place {
  readonly table: string;
  readonly columns: string;
  readonly where: string;
}
const OF: Place = { table: "message_of", columns: "owner", where: "owner = ?" };
const WITH: Place = { table: "message_with", columns: "owner, peer", where: "owner = ? and peer = ?" };

/** Prepares a statement for both. */
const forBoth = (prepare: (place: Place) => StatementSync): ((key: SeriesKey) => StatementSync) => {
  const [of, with_] = [prepare(OF), prepare(WITH)];
  return (key) => (key.length === 1 ? of : with_);
};

/** Reads the indexes of messages: entries by row, many in one blob. */
export class MessageSeries {
  readonly #start: (key: SeriesKey) => StatementSync;
  readonly #forward: (key: SeriesKey) => StatementSync;
  readonly #backward: (key: SeriesKey) => StatementSync;

  constructor(database: DatabaseSync) {
    this.#start = forBoth(({ table, where }) =>
      database.prepare(`select max(first) as first from ${table} where ${where} and first <= ?`),
    );
    const between = ({ table, where }: Place): string =>
      `select first, entries from ${table} where ${where} and first >= ? and first < ? order by first`;
    this.#forward = forBoth((place) => database.prepare(between(place)));
    this.#backward = forBoth((place) => database.prepare(`${between(place)} desc`));
  }

  /** Those between these rows, both exclusive. */
  *oldestFirst(key: SeriesKey, low: RowId, high: RowId): Generator<Entry> {
    for (const { entries } of this.blobs(key, low, high, "forward"))
      for (const entry of entries) if (entry.row > low && entry.row < high) yield entry;
  }

  *newestFirst(key: SeriesKey, low: RowId, high: RowId): Generator<Entry> {
    for (const { entries } of this.blobs(key, low, high, "backward"))
      for (const entry of entries.toReversed()) if (entry.row > low && entry.row < high) yield entry;
  }

  /** Whole blobs in which such rows may lie. Their series must not be written to meanwhile. */
  *blobs(
    key: SeriesKey,
    low: RowId,
    high: RowId,
    direction: "forward" | "backward",
  ): Generator<{ readonly first: RowId; readonly entries: Entry[] }> {
    // The blob that a row is in begins with that row, or before it.
    const start = rows<{ first: RowId | null }>(this.#start(key), ...key, low + 1)[0]?.first ?? 0;
    const statement = direction === "forward" ? this.#forward(key) : this.#backward(key);
    for (const stored of statement.iterate(...key, start, high)) {
      const { first, entries } = stored as unknown as Stored;
      yield { first, entries: decodeEntries(first, entries) };
    }
  }
}

/** Writes them, within a transaction of whoever calls. */
export class MessageSeriesWriter extends MessageSeries {
  readonly #last: (key: SeriesKey) => StatementSync;
  readonly #put: (key: SeriesKey) => StatementSync;
  readonly #delete: (key: SeriesKey) => StatementSync;

  constructor(database: DatabaseSync) {
    super(database);
    this.#last = forBoth(({ table, where }) =>
      database.prepare(`select first, entries from ${table} where ${where} order by first desc limit 1`),
    );
    this.#put = forBoth(({ table, columns, where }) => {
      const values = where.replace(/[^?]/g, "").split("").join(", ");
      return database.prepare(`insert or replace into ${table} (${columns}, first, entries) values (${values}, ?, ?)`);
    });
    this.#delete = forBoth(({ table, where }) => database.prepare(`delete from ${table} where ${where} and first = ?`));
  }

  /** `added`: in ascending order, and after all that the series holds. */
  append(key: SeriesKey, added: readonly Entry[]): void {
    const [last] = rows<Stored>(this.#last(key), ...key);
    let first = last?.first;
    let entries = last === undefined ? [] : decodeEntries(last.first, last.entries);
    let isChanged = false;
    for (const entry of added) {
      if (first === undefined || !hasRoom(first, entries.length, entry.row)) {
        if (first !== undefined && isChanged) this.#write(key, first, entries);
        first = entry.row;
        entries = [];
      }
      entries.push(entry);
      isChanged = true;
    }
    if (first !== undefined && isChanged) this.#write(key, first, entries);
  }

  remove(key: SeriesKey, removed: ReadonlySet<RowId>): void {
    const low = Math.min(...removed) - 1;
    const high = Math.max(...removed) + 1;
    for (const { first, entries } of [...this.blobs(key, low, high, "forward")]) {
      const left = entries.filter(({ row }) => !removed.has(row));
      if (left.length === entries.length) continue;
      if (left[0]?.row !== first) this.#delete(key).run(...key, first);
      if (left[0] !== undefined) this.#write(key, left[0].row, left);
    }
  }

  #write(key: SeriesKey, first: RowId, entries: readonly Entry[]): void {
    this.#put(key).run(...key, first, encodeEntries(entries));
  }
}
