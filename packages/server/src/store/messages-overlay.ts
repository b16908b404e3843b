import type { BareJid, Bytes } from "@kith/protocol";
import type { Change, MessageChange, MessageWrite, RemoveAccount } from "./change.ts";
import { ARCHIVED, Kept } from "./kept-message.ts";
import { type DigestAfter, Digests } from "./message-digests.ts";
import type { ExpiryPlace, IdQuestion, MessageDisk, Waiting } from "./message-disk.ts";
import { type MessageOwner, MessageOwners } from "./message-owner.ts";
import type {
  ArchiveBounds,
  ArchiveOwner,
  ArchivePage,
  ArchiveQuery,
  Delivery,
  Expiry,
  Messages,
  MessageTraces,
  NewMessage,
  StoredMessage,
  StreamKey,
} from "./messages.ts";
import { REMEMBERED, SentKeys } from "./sent-keys.ts";
import type { RowId, Ticket } from "./store.ts";

export interface MessagesOptions {
  readonly now?: (() => number) | undefined;
  /** How many accounts and rooms are kept in memory. */
  readonly cacheOwners: number;
  /** After so many messages they are digested, or after so many milliseconds. */
  readonly digestAfter?: DigestAfter;
  /** Throws once the store is closed. */
  readonly ensureOpen: () => void;
}

const DIGEST_AFTER = { messages: 10_000, delay: 1000 };
const NONE: readonly StoredMessage[] = [];

/**
 * Messages on a disk that learns late who has which (`MessageDisk`): what is on disk, with what has been stored since
 * its last digest and what open units change laid over it.
 */
export class OverlayMessages implements Messages {
  readonly #disk: MessageDisk;
  readonly #now: () => number;
  readonly #ensureOpen: () => void;
  readonly #owners: MessageOwners;
  readonly #digests: Digests;
  /** Accounts removed: up to these rows their messages are nobody's. */
  readonly #removed: Map<BareJid, RowId>;
  /** In open units, in the order of adding. */
  #replacements: (MessageWrite & { readonly op: "replace" })[] = [];
  #forgotten: (MessageWrite & { readonly op: "forgetKey" })[] = [];
  /** The last unit handed over that replaces something. */
  #replacing: Ticket | undefined;
  #lastRow: RowId;
  #lastStamp: number;

  constructor(disk: MessageDisk, options: MessagesOptions) {
    this.#disk = disk;
    this.#now = options.now ?? Date.now;
    this.#ensureOpen = options.ensureOpen;
    this.#owners = new MessageOwners(options.cacheOwners);
    this.#digests = new Digests(disk, options.digestAfter ?? DIGEST_AFTER);
    this.#removed = new Map(disk.removed);
    this.#lastRow = disk.lastRow;
    this.#lastStamp = disk.lastStamp;
  }

  get lastRow(): RowId {
    return this.#lastRow;
  }

  get lag(): Messages["lag"] {
    const search = this.#disk.searchableThrough;
    return { index: this.#lastRow - this.#digests.through, search: this.#lastRow - search };
  }

  // Writing, for `OpenUnit`.

  keep(message: NewMessage): Kept {
    const kept = new Kept(message);
    const { sender, recipient, key } = kept;
    if (sender !== undefined) {
      const owner = this.#owners.owner(sender);
      kept.senderOwner = owner;
      owner.open.push(kept);
      if (key !== undefined && owner.keys !== undefined) this.#remember(owner.keys, key, kept);
    }
    if (recipient !== undefined && recipient !== sender) {
      const owner = this.#owners.owner(recipient);
      kept.recipientOwner = owner;
      owner.open.push(kept);
    } else kept.recipientOwner = recipient === undefined ? undefined : kept.senderOwner;
    return kept;
  }

  #remember(keys: SentKeys, key: string, kept: Kept): void {
    const before = keys.size;
    kept.keyNumber = keys.add(key, kept.row, kept.stamp);
    if (keys.size > before) this.#owners.weigh(1);
  }

  added(write: MessageWrite): MessageWrite {
    if (write.op === "replace") this.#replacements.push(write);
    else if (write.op === "forgetKey") {
      this.#forgotten.push(write);
      this.#owners.known(write.account)?.keys?.forget(write.row);
    }
    return write;
  }

  removing(change: RemoveAccount): void {
    const owner = this.#owners.owner(change.jid);
    owner.removals = [...owner.removals, change];
    owner.keys = undefined;
  }

  number(changes: readonly Change[]): void {
    const before = this.#lastRow;
    for (const change of changes)
      if (change.op === "keep") this.#number(change);
      else if (change.op === "removeAccount") change.through = before;
  }

  #number(kept: Kept): void {
    const stamp = Math.max(this.#now(), this.#lastStamp);
    this.#lastStamp = stamp;
    kept.row = ++this.#lastRow;
    kept.stamp = stamp;
    if (kept.keyNumber >= 0) kept.senderOwner?.keys?.numbered(kept.keyNumber, kept.row, stamp);
  }

  handedOver(change: MessageChange | RemoveAccount, ticket: Ticket): void {
    if (change.op === "keep") {
      if (change.senderOwner !== undefined) change.senderOwner.ticket = ticket;
      if (change.recipientOwner !== undefined) change.recipientOwner.ticket = ticket;
    } else if (change.op === "removeAccount") this.#owners.owner(change.jid).ticket = ticket;
    else this.#replacing = ticket;
  }

  settled(change: MessageChange | RemoveAccount, committed: boolean): void {
    if (change.op === "keep") this.#settledKept(change, committed);
    else if (change.op === "removeAccount") this.#settledRemoval(change, committed);
    else if (change.op === "replace") {
      this.#replacements = this.#replacements.filter((other) => other !== change);
      if (committed) this.#nowReplaced(change.row);
    } else if (change.op === "forgetKey") {
      this.#forgotten = this.#forgotten.filter((other) => other !== change);
      if (!committed) this.#forgetKeys(change.account);
    }
  }

  #settledKept(kept: Kept, committed: boolean): void {
    const { senderOwner, recipientOwner, row } = kept;
    senderOwner?.close(kept);
    if (recipientOwner !== senderOwner) recipientOwner?.close(kept);
    if (committed) this.#nowStored(kept);
    else if (kept.key !== undefined && senderOwner !== undefined) senderOwner.keys = undefined;
    this.#digests.settled(row);
  }

  #nowStored(kept: Kept): void {
    const { senderOwner, recipientOwner, row } = kept;
    if (senderOwner !== undefined) this.#digests.add(senderOwner, row);
    if (recipientOwner === undefined) return;
    if (recipientOwner !== senderOwner) this.#digests.add(recipientOwner, row);
    if (kept.waits) this.#nowWaits(recipientOwner, kept);
  }

  /** What waits may have another length now. */
  #nowReplaced(row: RowId): void {
    const [message] = this.#disk.messages([row]);
    const owner = message?.recipient === undefined ? undefined : this.#owners.known(message.recipient);
    if (message === undefined || owner === undefined) return;
    owner.stored = undefined;
    const length = owner.waiting.get(row);
    if (length !== undefined) owner.waiting.set(row, Math.sign(length) * message.stanza.length);
  }

  #nowWaits(owner: MessageOwner, kept: Kept): void {
    const isInArchive = (kept.flags & ARCHIVED) !== 0;
    if (!kept.hasArrived) owner.waiting.set(kept.row, isInArchive ? kept.stanza.length : -kept.stanza.length);
    else if (!isInArchive) this.#digests.spent(kept.row);
  }

  #settledRemoval(change: RemoveAccount, committed: boolean): void {
    const owner = this.#owners.owner(change.jid);
    owner.removals = owner.removals.filter((other) => other !== change);
    owner.keys = undefined;
    if (!committed) return;
    this.#removed.set(change.jid, change.through);
    owner.stored = undefined;
    for (const row of owner.waiting.keys()) if (row <= change.through) owner.waiting.delete(row);
  }

  #forgetKeys(account: BareJid): void {
    const owner = this.#owners.known(account);
    if (owner !== undefined) owner.keys = undefined;
  }

  /** Everything the disk has to be told is told. Called when all units have settled. */
  close(): Promise<void> {
    return this.#digests.close();
  }

  // What waits.

  waiting(account: BareJid, after: RowId = 0, limit: number = Number.POSITIVE_INFINITY): readonly StoredMessage[] {
    this.#ensureOpen();
    const owner = this.#owners.owner(account);
    const from = Math.max(after, this.#goneThrough(owner));
    const found = owner.removals.length > 0 ? [] : this.#storedWaiting(owner, from, limit);
    for (const kept of owner.inOrder())
      if (waitsFor(kept, account) && (kept.row === 0 ? from < Number.POSITIVE_INFINITY : kept.row > from))
        found.push(kept);
    return this.#replaced(found.slice(0, limit));
  }

  #storedWaiting(owner: MessageOwner, after: RowId, limit: number): StoredMessage[] {
    const { settled } = owner;
    const isEmpty = this.#countStored(owner).count === 0;
    const room = limit + settled.size;
    const stored = isEmpty ? NONE : this.#disk.waiting(owner.name, after, this.#digests.through, room);
    const found = settled.size === 0 ? [...stored] : stored.filter(({ row }) => !settled.has(row));
    if (owner.waiting.size > 0 && found.length < limit) {
      const rows = [...owner.waiting.keys()].filter((row) => row > after);
      found.push(...this.#disk.messages(rows.slice(0, limit - found.length)));
    }
    return found;
  }

  /** Not for an account that is being removed. */
  #countStored(owner: MessageOwner): Waiting {
    owner.stored ??= this.#disk.countWaiting(owner.name, this.#digests.through, [...owner.settled]);
    return owner.stored;
  }

  countWaiting(account: BareJid): Waiting {
    this.#ensureOpen();
    const owner = this.#owners.owner(account);
    const isGone = owner.removals.length > 0;
    let { count, bytes } = isGone ? { count: 0, bytes: 0 } : this.#countStored(owner);
    if (!isGone)
      for (const length of owner.waiting.values()) {
        count++;
        bytes += Math.abs(length);
      }
    const from = this.#goneThrough(owner);
    for (const kept of owner.open)
      if (waitsFor(kept, account) && (kept.row === 0 ? from < Number.POSITIVE_INFINITY : kept.row > from)) {
        count++;
        bytes += kept.stanza.length;
      }
    return { count, bytes };
  }

  settle(account: BareJid, rows: readonly RowId[]): void {
    const owner = this.#owners.owner(account);
    for (const row of rows) {
      const kept = owner.open.length === 0 ? undefined : owner.open.find((open) => open.row === row);
      if (kept === undefined) this.#digests.arrived(owner, row);
      else if (kept.recipient === account) kept.hasArrived = true;
    }
  }

  /** Up to this row nothing is the owner's any longer, as open units leave it; infinite while a removal has no number. */
  #goneThrough(owner: MessageOwner): RowId {
    let through = this.#removed.get(owner.name) ?? 0;
    for (const removal of owner.removals) through = Math.max(through, removal.through);
    return through;
  }

  #replaced(messages: readonly StoredMessage[]): readonly StoredMessage[] {
    if (this.#replacements.length === 0) return messages;
    return messages.map((message) => {
      const last = this.#replacements.findLast(({ row }) => row === message.row);
      return last === undefined ? message : { ...message, stanza: last.stanza };
    });
  }

  // Streams and keys.

  delivered(row: RowId, delivery: Delivery): MessageWrite {
    return { op: "delivered", row, delivery };
  }
  forget(stream: StreamKey, number?: number): MessageWrite {
    return { op: "forget", stream, number };
  }
  forgetKey(account: BareJid, row: RowId): MessageWrite {
    return { op: "forgetKey", account, row };
  }
  replace(row: RowId, stanza: Bytes): MessageWrite {
    return { op: "replace", row, stanza };
  }

  async traces(account: BareJid, after: RowId): Promise<readonly MessageTraces[]> {
    await this.#handedOver(account);
    return this.#disk.traces(account, after, this.#undigested(account));
  }

  sentBefore(account: BareJid, key: string, since: number): RowId | undefined {
    this.#ensureOpen();
    const owner = this.#owners.owner(account);
    let { keys } = owner;
    if (keys === undefined || since < keys.since) {
      keys = this.#keysOf(owner, since);
      owner.keys = keys;
      this.#owners.weigh(keys.size);
    }
    return keys.get(key, since);
  }

  #keysOf(owner: MessageOwner, since: number): SentKeys {
    const { name: account, undigested } = owner;
    const after = this.#goneThrough(owner);
    const through = this.#digests.through;
    const isGone = owner.removals.length > 0;
    const stored = isGone ? [] : this.#disk.sentKeys({ account, since, after, through, undigested, limit: REMEMBERED });
    const keys = new SentKeys(since, stored);
    for (const kept of owner.inOrder())
      if (kept.sender === account && kept.key !== undefined && (kept.row === 0 || kept.row > after))
        kept.keyNumber = keys.add(kept.key, kept.row, kept.stamp);
    for (const { account: whose, row } of this.#forgotten) if (whose === account) keys.forget(row);
    return keys;
  }

  // Archives.

  async page(query: ArchiveQuery): Promise<ArchivePage> {
    await this.#handedOver(query.owner);
    const { start, end, after, before, page } = query;
    // What is no number is neither before nor after anything.
    const isNowhere = [start, end, after, before, page?.after, page?.before].some(Number.isNaN);
    const limit = isNowhere ? 0 : Math.max(0, Math.floor(query.limit) || 0);
    return this.#disk.page({ ...query, limit, ...(isNowhere ? { rows: [] } : {}) }, this.#undigested(query.owner));
  }

  async bounds(owner: ArchiveOwner): Promise<ArchiveBounds | undefined> {
    await this.#handedOver(owner);
    return this.#disk.bounds(owner, this.#undigested(owner));
  }

  async findById(owner: ArchiveOwner, with_: string, id: string): Promise<StoredMessage | undefined> {
    await this.#handedOver(owner);
    const question: IdQuestion = { owner, with: with_, id };
    return this.#disk.findById(question, this.#undigested(owner));
  }

  find(owner: ArchiveOwner, rows: readonly RowId[]): readonly StoredMessage[] {
    this.#ensureOpen();
    const known = this.#owners.known(owner);
    const from = known === undefined ? (this.#removed.get(owner) ?? 0) : this.#goneThrough(known);
    const wanted = new Set(rows.filter((row) => row > from));
    if (wanted.size === 0) return NONE;
    const found = this.#disk.messages([...wanted]).filter((message) => isShownTo(owner, message));
    const stored = new Set(found.map(({ row }) => row));
    for (const kept of known?.inOrder() ?? [])
      if (wanted.has(kept.row) && !stored.has(kept.row) && isShownTo(owner, kept)) found.push(kept);
    return this.#replaced(found.sort((a, b) => a.row - b.row));
  }

  async expire(expiry: Expiry): Promise<number> {
    this.#ensureOpen();
    await this.#digests.catchUp();
    let gone = 0;
    let from: ExpiryPlace | undefined;
    do {
      this.#ensureOpen();
      const { count, next } = await this.#disk.expire(expiry, from);
      gone += count;
      from = next;
    } while (from !== undefined);
    return gone;
  }

  #undigested(owner: BareJid): readonly RowId[] {
    return this.#owners.known(owner)?.undigested ?? [];
  }

  /** Settles when the units have that are about this owner's messages and were handed over before. */
  async #handedOver(name: BareJid): Promise<void> {
    this.#ensureOpen();
    await Promise.all([settling(this.#owners.known(name)?.ticket), settling(this.#replacing)]);
    this.#ensureOpen();
  }
}

const settling = (ticket: Ticket | undefined): Promise<void> | undefined =>
  ticket?.state === "open" ? new Promise((resolve) => ticket.onSettled(() => resolve())) : undefined;

const waitsFor = (kept: Kept, account: BareJid): boolean =>
  kept.waits && !kept.hasArrived && kept.recipient === account;

const isShownTo = (owner: ArchiveOwner, { sender, recipient, isArchived }: StoredMessage): boolean =>
  (isArchived.sent && sender === owner) || (isArchived.received && recipient === owner);
