import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ARCHIVED, RECEIVED, SENT } from "./kept-message.ts";
import type { Expired, ExpiryPlace } from "./message-disk.ts";
import { MessageSeriesWriter } from "./message-series.ts";
import { MessageTexts } from "./message-texts.ts";
import type { Expiry } from "./messages.ts";
import { limitOf, rows } from "./sqlite-reader.ts";
import type { MessageTable, RemovedMessagesTable } from "./sqlite-schema.ts";
import { transact } from "./sqlite-transaction.ts";
import { rowFrom } from "./stamp-search.ts";
import type { RowId } from "./store.ts";

/** At most so many messages are removed in one transaction. */
const STEP = 500;

interface Owned extends Pick<MessageTable, "row" | "flags" | "sender" | "recipient" | "from_bare" | "to_bare"> {
  /** For its recipient, 0 or 1. */
  readonly waits: number;
}

/** Takes messages out of archives in small steps. A message goes when no archive has it any longer and nobody waits for it. */
export class MessageRemover {
  readonly #database: DatabaseSync;
  readonly #series: MessageSeriesWriter;
  readonly #texts: MessageTexts;
  readonly #owned: StatementSync;
  readonly #nextOwner: StatementSync;
  readonly #setFlags: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeDeliveries: StatementSync;
  readonly #removed: StatementSync;
  readonly #doneRemoving: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#series = new MessageSeriesWriter(database);
    this.#texts = new MessageTexts(database);
    this.#owned = database.prepare(
      `select row, flags, sender, recipient, from_bare, to_bare,
         exists (select 1 from waiting w where w.owner = m.recipient and w.row = m.row) as waits
       from message m where row in (select value from json_each(?)) order by row`,
    );
    this.#nextOwner = database.prepare("select min(owner) as owner from message_of where owner > ?");
    this.#setFlags = database.prepare("update message set flags = ? where row = ?");
    this.#remove = database.prepare("delete from message where row = ?");
    this.#removeDeliveries = database.prepare("delete from delivery where row = ?");
    this.#removed = database.prepare(
      `select owner, row from removed_messages
       where row <= (select row from message_mark where name = 'digested') limit 1`,
    );
    this.#doneRemoving = database.prepare("delete from removed_messages where owner = ? and row = ?");
  }

  get hasMore(): boolean {
    return rows(this.#removed).length > 0;
  }

  /** Some of what a removed account has left behind. */
  removeSome(most: number): void {
    const [removed] = rows<RemovedMessagesTable>(this.#removed);
    if (removed === undefined) return;
    const { owner, row } = removed;
    const taken = this.#rowsOf(owner, 0, row, most);
    transact(this.#database, () => {
      this.#take(owner, taken, this.#read(taken));
      if (taken.length < most) this.#doneRemoving.run(owner, row);
    });
  }

  expire(expiry: Expiry, from: ExpiryPlace | undefined): Expired {
    const place = from ?? this.#startOf(expiry.owner ?? this.#ownerAfter(""), expiry);
    if (place === undefined) return { count: 0, next: undefined };
    const { owner, row, through } = place;
    const candidates = this.#rowsOf(owner, row, through, STEP);
    const old = this.#read(candidates).filter((message) => message.waits === 0 && isShownTo(owner, message));
    if (old.length > 0)
      transact(this.#database, () => {
        const taken = old.map((message) => message.row);
        this.#take(owner, taken, old);
      });
    const last = candidates.at(-1);
    const isMore = last !== undefined && candidates.length === STEP;
    const next = isMore
      ? { owner, row: last, through }
      : this.#startOf(expiry.owner === undefined ? this.#ownerAfter(owner) : undefined, expiry);
    return { count: old.length, next };
  }

  #startOf(owner: string | undefined, expiry: Expiry): ExpiryPlace | undefined {
    return owner === undefined ? undefined : { owner, row: 0, through: this.#oldThrough(owner, expiry) };
  }

  /** What is old of an owner's messages: up to this row. */
  #oldThrough(owner: string, { before, keep }: Expiry): RowId {
    const byAge = before === undefined ? 0 : rowFrom(this.#database, before) - 1;
    if (keep === undefined) return byAge;
    let left = limitOf(keep);
    if (left < 0) return byAge;
    for (const { row, flags } of this.#series.newestFirst([owner], 0, Number.MAX_SAFE_INTEGER)) {
      if ((flags & ARCHIVED) !== 0 && left-- === 0) return Math.max(byAge, row);
    }
    return byAge;
  }

  #rowsOf(owner: string, after: RowId, through: RowId, most: number): readonly RowId[] {
    const found: RowId[] = [];
    for (const { row } of this.#series.oldestFirst([owner], after, through + 1)) {
      found.push(row);
      if (found.length === most) break;
    }
    return found;
  }
  #read(wanted: readonly RowId[]): readonly Owned[] {
    return rows<Owned>(this.#owned, JSON.stringify(wanted));
  }
  #ownerAfter(owner: string): string | undefined {
    return rows<{ owner: string | null }>(this.#nextOwner, owner)[0]?.owner ?? undefined;
  }

  /** They are not this owner's any longer. */
  #take(owner: string, taken: readonly RowId[], messages: readonly Owned[]): void {
    if (taken.length > 0) this.#series.remove([owner], new Set(taken));
    const peers = new Map<string, Set<RowId>>();
    for (const message of messages) {
      const peer = peerOf(owner, message);
      peers.set(peer, (peers.get(peer) ?? new Set()).add(message.row));
      this.#without(owner, message);
    }
    for (const [peer, gone] of peers) this.#series.remove([owner, peer], gone);
  }

  #without(owner: string, { row, flags, sender, recipient, waits }: Owned): void {
    const left = flags & ~(sender === owner ? SENT : 0) & ~(recipient === owner ? RECEIVED : 0);
    if ((left & ARCHIVED) === 0 && (flags & ARCHIVED) !== 0) this.#texts.forget(row);
    if ((left & ARCHIVED) !== 0 || waits !== 0) {
      this.#setFlags.run(left, row);
      return;
    }
    this.#remove.run(row);
    this.#removeDeliveries.run(row);
    const other = sender === owner ? recipient : sender;
    if (other !== null && other !== owner) this.#series.remove([other], new Set([row]));
  }
}

const isShownTo = (owner: string, { flags, sender, recipient }: Owned): boolean =>
  (sender === owner && (flags & SENT) !== 0) || (recipient === owner && (flags & RECEIVED) !== 0);

const peerOf = (owner: string, { sender, recipient, from_bare, to_bare }: Owned): string =>
  (sender === owner ? (to_bare ?? recipient) : (from_bare ?? sender)) ?? "";
