import type { DatabaseSync } from "node:sqlite";
import { ARCHIVED, GROUPCHAT } from "./kept-message.ts";
import type { IdQuestion } from "./message-disk.ts";
import type { Entry } from "./message-entries.ts";
import { matches } from "./message-matching.ts";
import { MessageRows, storedOf } from "./message-rows.ts";
import { MessageSeries, type SeriesKey } from "./message-series.ts";
import { type DiskMessage, isSearchable, isShownTo } from "./message-side.ts";
import { ownerWord } from "./message-texts.ts";
import type {
  ArchiveBounds,
  ArchiveOwner,
  ArchivePage,
  ArchiveQuery,
  Delivery,
  MessageTraces,
  StoredMessage,
} from "./messages.ts";
import { rowAfter, rowFrom } from "./stamp-search.ts";
import type { RowId } from "./store.ts";

/** At most so many of the newest messages of a conversation are looked through for an id. */
const IDS_WITHIN = 10_000;
const END = Number.MAX_SAFE_INTEGER;

/** What reads stanzas: loaded when it is needed, for that takes longer than to answer. */
export interface StanzaReading {
  readonly foundById: typeof import("./message-ids.ts")["foundById"];
  readonly searchTextOf: typeof import("./message-words.ts")["searchTextOf"];
  readonly wordsOf: typeof import("./message-words.ts")["wordsOf"];
}
export const loadStanzaReading = async (): Promise<StanzaReading> => ({
  ...(await import("./message-ids.ts")),
  ...(await import("./message-words.ts")),
});

type Direction = ArchiveQuery["from"];

/** What is known of an owner at one moment. */
interface Moment {
  readonly owner: ArchiveOwner;
  /** Up to here nothing is the owner's. */
  readonly gone: RowId;
  /** Up to here the indexes know what is. */
  readonly digested: RowId;
  /** The owner's rows after that. */
  readonly recent: readonly RowId[];
}
/** Where what is asked for may lie, both exclusive. */
interface Range {
  readonly low: RowId;
  readonly high: RowId;
}

/** Reads archives: what is digested by its indexes, what is not by the numbers of its rows. In a thread of its own. */
export class ArchiveReader {
  readonly #database: DatabaseSync;
  readonly #rows: MessageRows;
  readonly #series: MessageSeries;
  /** Has to be there for texts and for ids. */
  reading: StanzaReading | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#rows = new MessageRows(database);
    this.#series = new MessageSeries(database);
  }

  page(query: ArchiveQuery, undigested: readonly RowId[]): ArchivePage {
    return this.#snapshot(query.owner, undigested, (moment) => {
      const range = this.#rangeOf(query, moment.gone);
      const most = Math.min(query.limit, END - 1);
      const { after = 0, before = END } = query.page ?? {};
      const here = { low: Math.max(after, range.low), high: Math.min(before, range.high) };
      const found = [...taken(this.#matching(query, moment, here, query.from, most + 1), most + 1)];
      const isComplete = found.length <= most;
      const messages = found.slice(0, most);
      if (query.from === "newest") messages.reverse();
      const counts = query.counted === true ? this.#counts(query, moment, range, messages[0]) : {};
      return { messages: messages.map(storedOf), isComplete, ...counts };
    });
  }

  #counts(query: ArchiveQuery, moment: Moment, range: Range, first: DiskMessage | undefined): Partial<ArchivePage> {
    const count = this.#count(query, moment, range);
    if (first === undefined) return { count };
    return { count, index: this.#count(query, moment, { low: range.low, high: Math.min(range.high, first.row) }) };
  }

  #count(query: ArchiveQuery, moment: Moment, range: Range): number {
    let count = 0;
    if (query.text === undefined && query.rows === undefined && query.with?.full === undefined) {
      // The index says enough.
      const { digested } = moment;
      for (const _ of this.#entries(query, { ...range, high: Math.min(range.high, digested + 1) }, "oldest")) count++;
      const undigested = { low: Math.max(range.low, digested), high: range.high };
      for (const _ of this.#matching(query, moment, undigested, "oldest")) count++;
    } else for (const _ of this.#matching(query, moment, range, "oldest")) count++;
    return count;
  }

  *#matching(
    query: ArchiveQuery,
    moment: Moment,
    range: Range,
    from: Direction,
    atATime?: number,
  ): Generator<DiskMessage> {
    const candidates =
      query.text === undefined
        ? this.#candidates(query, moment, range, from)
        : this.#withText(query, this.#reading().wordsOf(query.text), moment, range, from);
    for (const message of this.#rows.inOrder(candidates, atATime === undefined ? undefined : Math.min(atATime, 100)))
      if (isShownTo(query.owner, message) && matches(query, message)) yield message;
  }

  *#candidates(query: ArchiveQuery, moment: Moment, range: Range, from: Direction): Generator<RowId> {
    const { digested } = moment;
    const recent = within(moment.recent, range);
    if (from === "newest") yield* recent.toReversed();
    const indexed = { low: range.low, high: Math.min(range.high, digested + 1) };
    if (query.rows === undefined) for (const { row } of this.#entries(query, indexed, from)) yield row;
    else {
      const named = within([...new Set(query.rows)], indexed).toSorted((a, b) => a - b);
      yield* from === "newest" ? named.reverse() : named;
    }
    if (from === "oldest") yield* recent;
  }

  /** What the index knows that the owner's archive shows. */
  *#entries({ owner, with: peer, withGroupchat }: ArchiveQuery, range: Range, from: Direction): Generator<Entry> {
    const key: SeriesKey = peer === undefined ? [owner] : [owner, peer.bare];
    const entries =
      from === "oldest"
        ? this.#series.oldestFirst(key, range.low, range.high)
        : this.#series.newestFirst(key, range.low, range.high);
    for (const entry of entries)
      if ((entry.flags & ARCHIVED) !== 0 && (withGroupchat || (entry.flags & GROUPCHAT) === 0)) yield entry;
  }

  /** By the index of texts; what that does not know yet is read. */
  *#withText(
    query: ArchiveQuery,
    words: readonly string[],
    moment: Moment,
    range: Range,
    from: Direction,
  ): Generator<RowId> {
    if (words.length === 0) return;
    const all = words.map((word) => `"${word}"`).join(" ");
    const searchable = Math.min(moment.digested, this.#mark("searchable"));
    const late = this.#candidates(query, moment, { low: Math.max(range.low, searchable), high: range.high }, "oldest");
    const recent = this.#withWords(all, [...this.#rows.inOrder(late)]);
    if (from === "newest") yield* recent.toReversed();
    const statement = this.#rows.statement(
      `select rowid from message_text where message_text match ? and rowid > ? and rowid < ?
       order by rowid ${from === "newest" ? "desc" : "asc"}`,
    );
    const match = `owners : ${ownerWord(query.owner)} AND words : (${all})`;
    for (const { rowid } of statement.iterate(match, range.low, Math.min(range.high, searchable + 1)))
      yield Number(rowid);
    if (from === "oldest") yield* recent;
  }

  /** Which of these hold all the words, by an index made of them alone. */
  #withWords(all: string, messages: readonly DiskMessage[]): readonly RowId[] {
    const searchable = messages.filter(isSearchable);
    if (searchable.length === 0) return [];
    this.#database.exec(
      `create virtual table if not exists temp.recent_text
       using fts5 (words, content = '', tokenize = "unicode61 remove_diacritics 2")`,
    );
    this.#database.exec("insert into recent_text (recent_text) values ('delete-all')");
    const put = this.#rows.statement("insert into recent_text (rowid, words) values (?, ?)");
    for (const { row, stanza } of searchable) put.run(row, this.#reading().searchTextOf(Buffer.from(stanza, "latin1")));
    const found = "select rowid as row from recent_text where recent_text match ? order by rowid";
    return this.#rows.all<{ row: RowId }>(found, all).map(({ row }) => row);
  }

  bounds(owner: ArchiveOwner, undigested: readonly RowId[]): ArchiveBounds | undefined {
    return this.#snapshot(owner, undigested, (moment) => {
      const query: ArchiveQuery = { owner, withGroupchat: true, from: "oldest", limit: 1 };
      const range = { low: moment.gone, high: END };
      const [oldest] = taken(this.#matching(query, moment, range, "oldest", 1), 1);
      const [newest] = taken(this.#matching(query, moment, range, "newest", 1), 1);
      if (oldest === undefined || newest === undefined) return undefined;
      return { oldest: { row: oldest.row, stamp: oldest.stamp }, newest: { row: newest.row, stamp: newest.stamp } };
    });
  }

  findById(question: IdQuestion, undigested: readonly RowId[]): StoredMessage | undefined {
    const { owner, with: sender } = question;
    return this.#snapshot(owner, undigested, (moment) => {
      const peer = sender === owner ? {} : { with: { bare: sender } };
      const query: ArchiveQuery = { owner, ...peer, withGroupchat: true, from: "newest", limit: IDS_WITHIN };
      const range = { low: moment.gone, high: END };
      const found = this.#reading().foundById(
        question,
        taken(this.#matching(query, moment, range, "newest"), IDS_WITHIN),
      );
      return found === undefined ? undefined : storedOf(found);
    });
  }

  traces(account: ArchiveOwner, after: RowId, undigested: readonly RowId[]): readonly MessageTraces[] {
    return this.#snapshot(account, undigested, ({ gone, digested, recent }) => {
      const low = Math.max(after, gone);
      const indexed = [...this.#series.oldestFirst([account], low, digested + 1)].map(({ row }) => row);
      const found = this.#rows.inOrder([...indexed, ...recent.filter((row) => row > low)]);
      return [...found].map((message) => ({
        ...storedOf(message),
        origin: message.origin,
        deliveries: [...message.deliveries, ...this.#deliveriesOf(message.row)],
      }));
    });
  }

  #deliveriesOf(row: RowId): readonly Delivery[] {
    return this.#rows.all<Delivery>(
      `select stream, number, kind as "as" from delivery where row = ? order by stream, number`,
      row,
    );
  }

  #reading(): StanzaReading {
    if (this.reading === undefined) throw new Error("stanzas cannot be read yet");
    return this.reading;
  }

  /** All that is read is of one moment. */
  #snapshot<T>(owner: ArchiveOwner, undigested: readonly RowId[], read: (moment: Moment) => T): T {
    this.#database.exec("begin");
    try {
      const removed = "select row from removed_messages where owner = ?";
      const gone = this.#rows.all<{ row: RowId }>(removed, owner)[0]?.row ?? 0;
      const digested = this.#mark("digested");
      const recent = undigested.filter((row) => row > digested && row > gone);
      return read({ owner, gone, digested, recent });
    } finally {
      this.#database.exec("commit");
    }
  }

  #mark(name: string): RowId {
    return this.#rows.all<{ row: RowId }>("select row from message_mark where name = ?", name)[0]?.row ?? 0;
  }

  #rangeOf({ after = 0, before = END, start, end }: ArchiveQuery, gone: RowId): Range {
    const from = start === undefined ? 0 : rowFrom(this.#database, start) - 1;
    const to = end === undefined ? END : rowAfter(this.#database, end);
    return { low: Math.max(after, from, gone), high: Math.min(before, to) };
  }
}

const within = (rows: readonly RowId[], { low, high }: Range): RowId[] => rows.filter((row) => row > low && row < high);

/** The first so many. */
function* taken<T>(from: Iterable<T>, most: number): Generator<T> {
  if (most <= 0) return;
  let left = most;
  for (const one of from) {
    yield one;
    if (--left === 0) return;
  }
}
