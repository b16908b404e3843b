import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { BareJid } from "@kith/protocol";
import type { ArchiveReaderThread } from "./archive-reader-thread.ts";
import { RECEIVED, SENT } from "./kept-message.ts";
import type {
  Digest,
  Expired,
  ExpiryPlace,
  IdQuestion,
  KeysQuestion,
  MessageDisk,
  SentKey,
  Waiting,
} from "./message-disk.ts";
import { OWN } from "./message-entries.ts";
import { MessageSeries } from "./message-series.ts";
import type {
  ArchiveBounds,
  ArchiveOwner,
  ArchivePage,
  ArchiveQuery,
  Expiry,
  MessageTraces,
  StoredMessage,
} from "./messages.ts";
import { bytesOf, limitOf, rows } from "./sqlite-reader.ts";
import type { MessageTable } from "./sqlite-schema.ts";
import type { RowId } from "./store.ts";
import type { WriterThread } from "./writer-thread.ts";

type StoredColumns = Pick<MessageTable, "row" | "stamp" | "flags" | "sender" | "recipient" | "stanza">;
const STORED = "m.row, m.stamp, m.flags, m.sender, m.recipient, m.stanza";

/** How far back an account's keys are looked for, in messages that it has sent or was sent. */
const KEYS_WITHIN = 20_000;

/** Messages in SQLite: point reads on the main thread's connection, pages in a thread of their own, digests by the writer. */
export class SqliteMessages implements MessageDisk {
  readonly lastRow: RowId;
  readonly lastStamp: number;
  readonly digestedThrough: RowId;
  readonly removed: ReadonlyMap<BareJid, RowId>;
  readonly #writer: WriterThread;
  readonly #archives: ArchiveReaderThread;
  readonly #messages: StatementSync;
  readonly #waiting: StatementSync;
  readonly #countWaiting: StatementSync;
  readonly #series: MessageSeries;
  readonly #sentKeys: StatementSync;

  constructor(database: DatabaseSync, writer: WriterThread, archives: ArchiveReaderThread) {
    this.#writer = writer;
    this.#archives = archives;
    this.#messages = database.prepare(
      `select ${STORED} from message m where m.row in (select value from json_each(?)) order by m.row`,
    );
    this.#waiting = database.prepare(
      `select ${STORED} from waiting w join message m on m.row = w.row
       where w.owner = ? and w.row > ? and w.row <= ? order by w.row limit ?`,
    );
    this.#countWaiting = database.prepare(
      `select count(*) as count, coalesce(sum(length(m.stanza)), 0) as bytes from waiting w join message m on m.row = w.row
       where w.owner = ? and w.row <= ? and w.row not in (select value from json_each(?))`,
    );
    this.#series = new MessageSeries(database);
    this.#sentKeys = database.prepare(SENT_KEYS);
    const last = rows<{ row: RowId; stamp: number }>(
      database.prepare("select row, stamp from message order by row desc limit 1"),
    )[0];
    const marks = rows<{ row: RowId }>(database.prepare("select row from message_mark where name = 'digested'"));
    this.digestedThrough = marks[0]?.row ?? 0;
    this.lastRow = Math.max(last?.row ?? 0, this.digestedThrough);
    this.lastStamp = last?.stamp ?? 0;
    const removed = rows<{ owner: BareJid; row: RowId }>(database.prepare("select owner, row from removed_messages"));
    this.removed = new Map(removed.map(({ owner, row }) => [owner, row]));
  }

  get searchableThrough(): RowId {
    return this.#writer.searchableThrough;
  }

  messages(wanted: readonly RowId[]): readonly StoredMessage[] {
    return rows<StoredColumns>(this.#messages, JSON.stringify(wanted)).map(storedMessage);
  }
  waiting(account: BareJid, after: RowId, through: RowId, limit: number): readonly StoredMessage[] {
    return rows<StoredColumns>(this.#waiting, account, after, through, limitOf(limit)).map(storedMessage);
  }
  countWaiting(account: BareJid, through: RowId, except: readonly RowId[]): Waiting {
    const [sum] = rows<Waiting>(this.#countWaiting, account, through, JSON.stringify(except));
    return { count: sum?.count ?? 0, bytes: sum?.bytes ?? 0 };
  }
  sentKeys({ account, since, after, through, undigested, limit }: KeysQuestion): readonly SentKey[] {
    const sent = undigested.filter((row) => row > after);
    let left = KEYS_WITHIN;
    for (const { row, flags } of this.#series.newestFirst([account], after, through + 1)) {
      if ((flags & OWN) !== 0) sent.push(row);
      if (sent.length >= limit + undigested.length || --left === 0) break;
    }
    return rows<SentKey>(this.#sentKeys, JSON.stringify(sent), account, since, limit).map((key) => ({ ...key }));
  }

  page(query: ArchiveQuery, undigested: readonly RowId[]): Promise<ArchivePage> {
    return this.#archives.ask({ ask: "page", query, undigested });
  }
  bounds(owner: ArchiveOwner, undigested: readonly RowId[]): Promise<ArchiveBounds | undefined> {
    return this.#archives.ask({ ask: "bounds", owner, undigested });
  }
  findById(question: IdQuestion, undigested: readonly RowId[]): Promise<StoredMessage | undefined> {
    return this.#archives.ask({ ask: "findById", question, undigested });
  }
  traces(account: BareJid, after: RowId, undigested: readonly RowId[]): Promise<readonly MessageTraces[]> {
    return this.#archives.ask({ ask: "traces", account, after, undigested });
  }

  expire(expiry: Expiry, from: ExpiryPlace | undefined): Promise<Expired> {
    return this.#writer.ask({ ask: "expire", expiry, from }, (expired) => expired);
  }
  digest(digest: Digest, done: (digested: boolean) => void): void {
    this.#writer.ask({ ask: "digest", digest }, () => done(true)).catch(() => done(false));
  }
}

const SENT_KEYS = `
  select row, stamp, key from message
  where row in (select value from json_each(?)) and key is not null and sender = ? and stamp >= ? order by row desc limit ?`;

export const storedMessage = ({ row, stamp, flags, sender, recipient, stanza }: StoredColumns): StoredMessage => ({
  row,
  stanza: bytesOf(stanza),
  stamp,
  sender: sender ?? undefined,
  recipient: recipient ?? undefined,
  isArchived: { sent: (flags & SENT) !== 0, received: (flags & RECEIVED) !== 0 },
});
