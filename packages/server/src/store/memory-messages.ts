import { type BareJid, toUint8Array } from "@kith/protocol";
import type { MessageChange } from "./change.ts";
import { RECEIVED, SEARCHABLE, SENT, WAITS } from "./kept-message.ts";
import type { Digest, Expired, IdQuestion, KeysQuestion, MessageDisk, SentKey, Waiting } from "./message-disk.ts";
import { foundById } from "./message-ids.ts";
import { matches, pageOf } from "./message-matching.ts";
import { archivedOf, type DiskMessage, diskMessageOf, isArchived, isShownTo } from "./message-side.ts";
import { hasAllWords, searchTextOf, wordsOf } from "./message-words.ts";
import type {
  ArchiveBounds,
  ArchiveOwner,
  ArchivePage,
  ArchiveQuery,
  Delivery,
  Expiry,
  MessageTraces,
  StoredMessage,
} from "./messages.ts";
import type { RowId } from "./store.ts";

/** Messages in memory, as plainly as can be. */
export class MemoryMessages implements MessageDisk {
  readonly lastRow = 0;
  readonly lastStamp = 0;
  digestedThrough = 0;
  readonly removed = new Map<BareJid, RowId>();
  readonly #messages = new Map<RowId, DiskMessage>();
  /** Rows that are digested and wait. */
  readonly #waiting = new Map<RowId, BareJid>();
  readonly #deliveries: { readonly row: RowId; readonly delivery: Delivery }[] = [];

  get searchableThrough(): RowId {
    return this.digestedThrough;
  }

  apply(change: MessageChange): void {
    switch (change.op) {
      case "keep":
        this.#messages.set(change.row, diskMessageOf(change));
        break;
      case "delivered":
        this.#forget(
          ({ delivery }) => delivery.stream === change.delivery.stream && delivery.number === change.delivery.number,
        );
        if (this.#messages.has(change.row)) this.#deliveries.push(change);
        break;
      case "forget":
        this.#forget(
          ({ delivery: { stream, number } }) => stream === change.stream && number <= (change.number ?? number),
        );
        break;
      case "forgetKey":
        this.#change(change.row, (message) =>
          message.sender === change.account ? { ...message, key: undefined } : message,
        );
        break;
      case "replace":
        this.#change(change.row, (message) => ({
          ...message,
          stanza: change.stanza,
          flags: message.flags & ~SEARCHABLE,
        }));
    }
  }

  #change(row: RowId, change: (message: DiskMessage) => DiskMessage): void {
    const message = this.#messages.get(row);
    if (message !== undefined) this.#messages.set(row, change(message));
  }

  #forget(isForgotten: (noted: { readonly row: RowId; readonly delivery: Delivery }) => boolean): void {
    const kept = this.#deliveries.filter((noted) => !isForgotten(noted));
    this.#deliveries.splice(0, this.#deliveries.length, ...kept);
  }

  removeAccount(account: BareJid, through: RowId): void {
    this.removed.set(account, Math.max(through, this.removed.get(account) ?? 0));
    for (const [row, recipient] of this.#waiting)
      if (recipient === account && row <= through) this.#waiting.delete(row);
    for (const { row } of this.#owned(account, 0))
      if (row <= through) this.#change(row, (message) => withoutOwner(message, account));
    for (const message of [...this.#messages.values()])
      if (message.row <= this.digestedThrough) this.#dropUnused(message.row);
  }

  #dropUnused(row: RowId): void {
    const message = this.#messages.get(row);
    if (message === undefined || isArchived(message) || this.#waiting.has(row)) return;
    this.#messages.delete(row);
    this.#forget((noted) => noted.row === row);
  }

  digest(digest: Digest, done: (digested: boolean) => void): void {
    for (const row of digest.waiting) this.#nowWaits(row);
    for (const { account, rows } of digest.settled)
      for (const row of rows) if (this.#messages.get(row)?.recipient === account) this.#arrived(row);
    for (const row of digest.spent) this.#dropUnused(row);
    this.digestedThrough = Math.max(this.digestedThrough, digest.through);
    queueMicrotask(() => done(true));
  }

  #nowWaits(row: RowId): void {
    const recipient = this.#messages.get(row)?.recipient;
    if (recipient !== undefined && row > (this.removed.get(recipient) ?? 0)) this.#waiting.set(row, recipient);
  }
  #arrived(row: RowId): void {
    this.#waiting.delete(row);
    this.#dropUnused(row);
  }

  messages(rows: readonly RowId[]): readonly StoredMessage[] {
    const found = [...new Set(rows)].map((row) => this.#messages.get(row)).filter((message) => message !== undefined);
    return found.sort(byRow).map(storedOf);
  }

  waiting(account: BareJid, after: RowId, through: RowId, limit: number): readonly StoredMessage[] {
    return this.messages(this.#waitingRows(account, through).filter((row) => row > after)).slice(0, limit);
  }
  countWaiting(account: BareJid, through: RowId, except: readonly RowId[]): Waiting {
    const found = this.messages(this.#waitingRows(account, through).filter((row) => !except.includes(row)));
    return { count: found.length, bytes: found.reduce((sum, { stanza }) => sum + stanza.length, 0) };
  }
  #waitingRows(account: BareJid, through: RowId): readonly RowId[] {
    return [...this.#waiting].filter(([row, whose]) => whose === account && row <= through).map(([row]) => row);
  }

  sentKeys({ account, since, after, limit }: KeysQuestion): readonly SentKey[] {
    return this.#owned(account, after)
      .filter(({ sender, stamp }) => sender === account && stamp >= since)
      .flatMap(({ row, stamp, key }) => (key === undefined ? [] : [{ row, stamp, key }]))
      .reverse()
      .slice(0, limit);
  }

  async page(query: ArchiveQuery): Promise<ArchivePage> {
    const words = query.text === undefined ? undefined : wordsOf(query.text);
    const found = this.#shown(query.owner).filter(
      (message) => matches(query, message) && (words === undefined || hasWords(message, words)),
    );
    return pageOf(query, found, storedOf);
  }

  async bounds(owner: ArchiveOwner): Promise<ArchiveBounds | undefined> {
    const shown = this.#shown(owner);
    const [oldest, newest] = [shown[0], shown.at(-1)];
    if (oldest === undefined || newest === undefined) return undefined;
    return { oldest: { row: oldest.row, stamp: oldest.stamp }, newest: { row: newest.row, stamp: newest.stamp } };
  }

  async findById(question: IdQuestion): Promise<StoredMessage | undefined> {
    const found = foundById(question, this.#shown(question.owner).toReversed());
    return found === undefined ? undefined : storedOf(found);
  }

  async traces(account: BareJid, after: RowId): Promise<readonly MessageTraces[]> {
    return this.#owned(account, after).map((message) => ({
      ...storedOf(message),
      origin: message.origin,
      deliveries: [
        ...message.deliveries,
        ...this.#deliveries.filter(({ row }) => row === message.row).map(({ delivery }) => delivery),
      ],
    }));
  }

  async expire(expiry: Expiry): Promise<Expired> {
    const owners = expiry.owner === undefined ? this.#allOwners() : [expiry.owner];
    const old = owners.flatMap((owner) => this.#old(owner, expiry).map((row) => ({ owner, row })));
    for (const { owner, row } of old) {
      this.#change(row, (message) => withoutOwner(message, owner));
      this.#dropUnused(row);
    }
    return { count: old.length, next: undefined };
  }

  #old(owner: BareJid, { before = 0, keep = Number.POSITIVE_INFINITY }: Expiry): readonly RowId[] {
    const shown = this.#shown(owner);
    const isOld = ({ stamp }: DiskMessage, at: number): boolean => stamp < before || at < shown.length - keep;
    return shown
      .filter(isOld)
      .map(({ row }) => row)
      .filter((row) => row <= this.digestedThrough && !this.#waiting.has(row));
  }

  #allOwners(): readonly BareJid[] {
    const owners = new Set<BareJid>();
    for (const { sender, recipient } of this.#messages.values()) {
      if (sender !== undefined) owners.add(sender);
      if (recipient !== undefined) owners.add(recipient);
    }
    return [...owners];
  }

  #owned(owner: BareJid, after: RowId): readonly DiskMessage[] {
    const from = Math.max(after, this.removed.get(owner) ?? 0);
    const owned = [...this.#messages.values()].filter(
      ({ row, sender, recipient }) => row > from && (sender === owner || recipient === owner),
    );
    return owned.sort(byRow);
  }
  #shown(owner: BareJid): readonly DiskMessage[] {
    return this.#owned(owner, 0).filter((message) => isShownTo(owner, message));
  }
}

const hasWords = ({ flags, stanza }: DiskMessage, words: readonly string[]): boolean =>
  (flags & SEARCHABLE) !== 0 && hasAllWords(searchTextOf(toUint8Array(stanza)), words);

const byRow = (a: DiskMessage, b: DiskMessage): number => a.row - b.row;

const withoutOwner = (message: DiskMessage, owner: BareJid): DiskMessage => {
  let { flags } = message;
  if (message.sender === owner) flags &= ~SENT;
  if (message.recipient === owner) flags &= ~(RECEIVED | WAITS);
  return { ...message, flags, isArchived: archivedOf(flags) };
};

const storedOf = ({ row, stanza, stamp, sender, recipient, isArchived }: DiskMessage): StoredMessage => ({
  row,
  stanza,
  stamp,
  sender,
  recipient,
  isArchived,
});
