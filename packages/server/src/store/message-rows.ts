import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { archivedOf, type DiskMessage } from "./message-side.ts";
import type { StoredMessage } from "./messages.ts";
import { bytesOf, rows } from "./sqlite-reader.ts";
import type { MessageTable } from "./sqlite-schema.ts";
import type { RowId } from "./store.ts";

export const diskMessage = (m: MessageTable): DiskMessage => ({
  row: m.row,
  stamp: m.stamp,
  stanza: bytesOf(m.stanza),
  sender: m.sender ?? undefined,
  recipient: m.recipient ?? undefined,
  flags: m.flags,
  isArchived: archivedOf(m.flags),
  from: m.from_bare ?? m.sender ?? "",
  to: m.to_bare ?? m.recipient ?? "",
  key: m.key ?? undefined,
  origin: m.origin_stream === null ? undefined : { stream: m.origin_stream, number: m.origin_number ?? 0 },
  deliveries: m.deliveries === null ? [] : JSON.parse(m.deliveries),
});

export const storedOf = ({ row, stanza, stamp, sender, recipient, isArchived }: DiskMessage): StoredMessage => ({
  row,
  stanza,
  stamp,
  sender,
  recipient,
  isArchived,
});

/** So many messages are read at a time. */
const AT_A_TIME = 100;

/** Reads messages by the numbers of their rows. */
export class MessageRows {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #named: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#named = database.prepare("select * from message where row in (select value from json_each(?)) order by row");
  }

  /** Those there are, oldest first. */
  read(wanted: readonly RowId[]): readonly DiskMessage[] {
    return wanted.length === 0 ? [] : rows<MessageTable>(this.#named, JSON.stringify(wanted)).map(diskMessage);
  }

  /** Those there are, in this order; not more than are taken, or a few more. */
  *inOrder(wanted: Iterable<RowId>, atATime = AT_A_TIME): Generator<DiskMessage> {
    let some: RowId[] = [];
    for (const row of wanted) {
      some.push(row);
      if (some.length < atATime) continue;
      yield* this.#inOrder(some);
      some = [];
    }
    yield* this.#inOrder(some);
  }

  *#inOrder(wanted: readonly RowId[]): Generator<DiskMessage> {
    const found = new Map(this.read(wanted).map((message) => [message.row, message]));
    for (const row of wanted) {
      const message = found.get(row);
      if (message !== undefined) yield message;
    }
  }

  /** Any other statement, prepared once. */
  statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
  all<T>(text: string, ...values: readonly SQLInputValue[]): readonly T[] {
    return rows<T>(this.statement(text), ...values);
  }
}
