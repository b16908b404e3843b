import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ARCHIVED, GROUPCHAT, RECEIVED, SENT, WAITS } from "./kept-message.ts";
import type { Digest } from "./message-disk.ts";
import { type Entry, OWN } from "./message-entries.ts";
import { MessageSeriesWriter } from "./message-series.ts";
import { MessageTexts } from "./message-texts.ts";
import { rows } from "./sqlite-reader.ts";
import type { MessageTable } from "./sqlite-schema.ts";
import { transact } from "./sqlite-transaction.ts";
import type { RowId } from "./store.ts";

const NOT_REMOVED = "row > coalesce((select row from removed_messages where owner = message.recipient), 0)";
const WAITING = `insert or ignore into waiting (owner, row) select recipient, row from message where ${NOT_REMOVED}`;
const MARK =
  "insert into message_mark (name, row) values (?, ?) on conflict do update set row = max(row, excluded.row)";

type Sides = Pick<MessageTable, "row" | "flags" | "sender" | "recipient" | "from_bare" | "to_bare">;

/** Works out in bulk who has which messages and who waits for which. In the writer's thread, between commits. */
export class MessageDigester {
  readonly #database: DatabaseSync;
  readonly #series: MessageSeriesWriter;
  readonly #texts: MessageTexts;
  readonly #sides: StatementSync;
  readonly #waits: StatementSync;
  readonly #allWait: StatementSync;
  readonly #arrived: StatementSync;
  readonly #drop: StatementSync;
  readonly #dropDeliveries: StatementSync;
  readonly #mark: StatementSync;
  readonly #marks: StatementSync;
  readonly #lastRow: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#series = new MessageSeriesWriter(database);
    this.#texts = new MessageTexts(database);
    this.#sides = database.prepare(
      "select row, flags, sender, recipient, from_bare, to_bare from message where row > ? and row <= ? order by row",
    );
    this.#waits = database.prepare(`${WAITING} and row = ?`);
    this.#allWait = database.prepare(`${WAITING} and row > ? and row <= ? and flags & ${WAITS} != 0`);
    this.#arrived = database.prepare("delete from waiting where owner = ? and row = ?");
    this.#drop = database.prepare(
      `delete from message where row = ?1 and (?2 is null or recipient = ?2) and flags & ${ARCHIVED} = 0
       returning sender, recipient`,
    );
    this.#dropDeliveries = database.prepare("delete from delivery where row = ?");
    this.#mark = database.prepare(MARK);
    this.#marks = database.prepare("select row from message_mark where name = ?");
    this.#lastRow = database.prepare("select max(row) as row from message");
  }

  #markOf(name: "digested" | "searchable"): RowId {
    return rows<{ row: RowId }>(this.#marks, name)[0]?.row ?? 0;
  }
  get digested(): RowId {
    return this.#markOf("digested");
  }
  get searchable(): RowId {
    return this.#markOf("searchable");
  }

  /** What nobody can tell any more whether it has arrived still waits: when the server starts. */
  catchUp(): void {
    const last = rows<{ row: RowId | null }>(this.#lastRow)[0]?.row ?? 0;
    const from = this.digested;
    if (last <= from) return;
    transact(this.#database, () => {
      this.#allWait.run(from, last);
      this.#index(from, last);
    });
  }

  digest({ through, waiting, spent, settled }: Digest): void {
    transact(this.#database, () => {
      const from = this.digested;
      for (const row of spent) this.#dropUnused(row, undefined, from);
      for (const row of waiting) if (row > from) this.#waits.run(row);
      if (through > from) this.#index(from, through);
      for (const { account, rows: arrived } of settled) this.#settle(account, arrived);
    });
  }

  #settle(account: string, arrived: readonly RowId[]): void {
    const digested = this.digested;
    for (const row of arrived) {
      this.#arrived.run(account, row);
      this.#dropUnused(row, account, digested);
    }
  }

  /** What no archive has goes once it has arrived. */
  #dropUnused(row: RowId, account: string | undefined, digested: RowId): void {
    const [dropped] = rows<Pick<MessageTable, "sender" | "recipient">>(this.#drop, row, account ?? null);
    if (dropped === undefined) return;
    this.#dropDeliveries.run(row);
    if (row > digested) return;
    for (const owner of new Set([dropped.sender, dropped.recipient]))
      if (owner !== null) this.#series.remove([owner], new Set([row]));
  }

  #index(from: RowId, through: RowId): void {
    const owners = new Map<string, Owned>();
    for (const sides of this.#sides.iterate(from, through)) sort(sides as unknown as Sides, owners);
    // In the order of the index, so that what lies together is written together.
    for (const [owner, { all, peers }] of inOrder(owners)) {
      this.#series.append([owner], all);
      for (const [peer, shown] of inOrder(peers)) this.#series.append([owner, peer], shown);
    }
    this.#mark.run("digested", through);
  }

  get hasMoreTexts(): boolean {
    return this.searchable < this.digested;
  }

  /** Makes the texts of at most so many more messages searchable. */
  makeSearchable(most: number): void {
    const from = this.searchable;
    const through = Math.min(from + most, this.digested);
    if (from >= through) return;
    transact(this.#database, () => {
      this.#texts.index(from, through);
      this.#mark.run("searchable", through);
    });
  }
}

interface Owned {
  readonly all: Entry[];
  /** What the owner's archive shows, by whom it was exchanged with. */
  readonly peers: Map<string, Entry[]>;
}

/** One entry for each side that is ours; a message to oneself has one, as sent. */
const sort = ({ row, flags, sender, recipient, from_bare, to_bare }: Sides, owners: Map<string, Owned>): void => {
  if (sender !== null) {
    const own = sender === recipient ? flags & (ARCHIVED | GROUPCHAT) : flags & (SENT | GROUPCHAT);
    put(owners, sender, to_bare ?? recipient ?? "", { row, flags: own | OWN });
  }
  if (recipient !== null && recipient !== sender)
    put(owners, recipient, from_bare ?? sender ?? "", { row, flags: flags & (RECEIVED | GROUPCHAT) });
};

const put = (owners: Map<string, Owned>, owner: string, peer: string, entry: Entry): void => {
  let owned = owners.get(owner);
  if (owned === undefined) {
    owned = { all: [], peers: new Map() };
    owners.set(owner, owned);
  }
  owned.all.push(entry);
  if ((entry.flags & ARCHIVED) === 0) return;
  const shown = owned.peers.get(peer);
  if (shown === undefined) owned.peers.set(peer, [entry]);
  else shown.push(entry);
};

const inOrder = <T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] =>
  map.size === 1 ? [...map] : [...map].sort(([a], [b]) => (a < b ? -1 : 1));
