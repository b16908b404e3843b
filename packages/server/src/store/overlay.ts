import type { BareJid, Bytes, DomainJid, Eventually } from "@kith/protocol";
import {
  type Change,
  changeOf,
  domainOf,
  isAboutMessages,
  type MessageChange,
  type OwnedChange,
  type OwnedWrite,
  ownerOf,
  type RemoveAccount,
  targetName,
} from "./change.ts";
import { FewOwners } from "./few-owners.ts";
import { Items, type Row } from "./items.ts";
import type { DigestAfter } from "./message-digests.ts";
import type { MessageDisk } from "./message-disk.ts";
import type { KeptMessage, NewMessage } from "./messages.ts";
import { OverlayMessages } from "./messages-overlay.ts";
import type { Owner } from "./owner.ts";
import { OwnerCache } from "./owner-cache.ts";
import { RecentAccounts } from "./recent-accounts.ts";
import { SpoolChanges } from "./spool-changes.ts";
import type {
  Account,
  Accounts,
  Collection,
  Haste,
  RowId,
  Spool,
  Store,
  StoredStanza,
  Target,
  Ticket,
  Unit,
  Write,
} from "./store.ts";
import { CommitTicket } from "./ticket.ts";

/** A unit on its way to the disk. */
export interface HandedUnit {
  readonly changes: readonly Change[];
  settle(committed: boolean): void;
}

/**
 * What an `OverlayStore` stands on. Synchronous answers tell what is on disk: everything of units settled as committed,
 * possibly of later ones, nothing of failed ones. Those that take longer are handed to `complete` in one sequence with
 * the settling of units: at that moment the answer holds all that has been settled, and what is open can be laid over it.
 */
export interface Disk {
  /** The highest row ever stored, also if it is gone; 0 if none. */
  readonly lastRow: RowId;
  readonly messages: MessageDisk;
  items(collection: string, owner: string): readonly Row[];
  hasAccount(jid: BareJid): boolean;
  account(jid: BareJid): Account | undefined;
  removedAt(jid: BareJid): number | undefined;
  /** Oldest first, after row `after`. */
  spooled(target: Target, after: RowId, limit: number): readonly StoredStanza[];
  /** As `spooled` without a limit, off the main thread. */
  allSpooled(target: Target, after: RowId, complete: Complete<StoredStanza>): Promise<readonly StoredStanza[]>;
  /** How many are pending beside these rows. */
  countSpooled(target: Target, except: readonly RowId[]): number;
  /** How long all those are together. */
  bytesSpooled(target: Target, except: readonly RowId[]): number;
  owners(collection: string, complete: Complete<string>): Promise<readonly string[]>;
  accounts(domain: DomainJid | undefined, complete: Complete<BareJid>): Promise<readonly BareJid[]>;
  /** Never throws. Units are settled in a later turn, in the order of this. */
  write(unit: HandedUnit, haste: Haste): void;
  /** What was to be written soon is written now. */
  hurry(): void;
  /** Called when every unit has been settled. */
  close(): Promise<void>;
}
export type Complete<T> = (found: readonly T[]) => readonly T[];

export interface OverlayOptions {
  /** How many owners are kept in memory. */
  readonly cacheOwners?: number;
  /** Milliseconds since 1970; by default the system's. */
  readonly now?: () => number;
  readonly digestAfter?: DigestAfter;
  /** What a listener of a ticket threw. */
  readonly onDefect: (error: unknown) => void;
}

const CACHE_OWNERS = 20_000;
/** Whose keys are kept in memory, twice so many at most: about two kilobytes each. */
const RECENT_ACCOUNTS = 1_024;
/** Characters of JSON; a bound for those who keep much, such as pictures in vCards. */
const CACHE_WEIGHT = 32 * 1024 * 1024;
/** Answered at once; whoever has more pending without asking for a page waits for another thread to read it. */
const AT_ONCE = 256;

/** A store whose reads see open units: what is on disk with the changes of these units laid over it. */
export class OverlayStore implements Store {
  readonly accounts: Accounts;
  readonly spool: Spool;
  readonly messages: OverlayMessages;
  readonly #disk: Disk;
  readonly #cache: OwnerCache;
  readonly #recentAccounts = new RecentAccounts(RECENT_ACCOUNTS);
  readonly #onDefect: (error: unknown) => void;
  readonly #collections = new Map<string, number>();
  /** Of collections that few have anything in. */
  readonly #few = new Map<string, FewOwners>();
  #last: Ticket | undefined;
  #state: "open" | "closing" | "closed" = "open";
  #closed: Promise<void> | undefined;

  constructor(disk: Disk, options: OverlayOptions) {
    this.#disk = disk;
    this.#cache = new OwnerCache(options.cacheOwners ?? CACHE_OWNERS, CACHE_WEIGHT);
    this.#onDefect = options.onDefect;
    this.messages = new OverlayMessages(disk.messages, {
      ...options,
      cacheOwners: options.cacheOwners ?? CACHE_OWNERS,
      ensureOpen: () => this.#ensureOpen(),
    });
    this.accounts = this.#makeAccounts();
    this.spool = this.#makeSpool();
  }

  collection<T>(name: string, owners: "many" | "few" = "many"): Collection<T> {
    if (this.#collections.has(name)) throw new Error(`the collection "${name}" has been opened before`);
    const number = this.#collections.size;
    this.#collections.set(name, number);
    const few = owners === "few" ? new FewOwners(this.#disk.owners(name, (found) => found)) : undefined;
    if (few !== undefined) this.#few.set(name, few);
    const items = (owner: string): Items =>
      few?.lacks(owner) === true && this.#state !== "closed" ? Items.none : this.#items(number, name, owner);
    return {
      name,
      all: (owner) => items(owner).all() as ReadonlyMap<string, T>,
      get: (owner, key) => items(owner).get(key) as T | undefined,
      put: (owner, key, value) => ({ op: "put", collection: name, owner, key, value }),
      delete: (owner, key) => ({ op: "delete", collection: name, owner, key }),
      clear: (owner) => ({ op: "clear", collection: name, owner }),
      owners: () => this.#owners(number, name),
    };
  }

  begin(): Unit {
    return new OpenUnit(this);
  }

  flush(): Promise<void> {
    const last = this.#last;
    if (last === undefined || last.state !== "open") return Promise.resolve();
    this.#disk.hurry();
    return new Promise((resolve) => last.onSettled(() => resolve()));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }
  async #close(): Promise<void> {
    this.#state = "closing";
    await this.flush();
    this.#state = "closed";
    await this.messages.close();
    await this.#disk.close();
  }

  /** For `OpenUnit`: takes effect for reads at once. */
  added(write: OwnedWrite): { readonly change: OwnedChange; readonly owner: Owner } {
    const change = changeOf(write);
    const owner = this.#cache.owner(ownerOf(change));
    if (!owner.isTouched) this.#cache.touch(owner);
    owner.add(change, "collection" in change ? this.#collections.get(change.collection) : undefined);
    if (change.op === "put") {
      this.#cache.weigh(change.json.length);
      this.#few.get(change.collection)?.add(change.owner);
    } else if (change.op === "account" || change.op === "removeAccount")
      this.#recentAccounts.forget(owner.name as BareJid);
    if (change.op === "removeAccount") this.messages.removing(change);
    return { change, owner };
  }

  /** For `OpenUnit`. */
  committed(unit: OpenUnit, haste: Haste): void {
    if (this.#state === "open") this.#disk.write(unit, haste);
    else void this.flush().then(() => unit.settle(false));
    this.#last = unit.ticket;
  }

  /** For `OpenUnit`. Reads change first, then those are told who wait. */
  settled(unit: OpenUnit, committed: boolean): void {
    for (const owner of unit.owners) if (owner !== undefined && !owner.isTouched) this.#cache.untouch(owner);
    unit.ticket.settle(committed, this.#onDefect);
  }

  #ensureOpen(): void {
    if (this.#state === "closed") throw new Error("the store is closed");
  }

  #items(number: number, name: string, owner: string): Items {
    this.#ensureOpen();
    return this.#cache.owner(owner).collection(number, name, this.#collections.size, () => {
      const rows = this.#disk.items(name, owner);
      let weight = 0;
      for (const [key, json] of rows) weight += key.length + json.length;
      this.#cache.weigh(weight);
      return rows;
    });
  }

  async #owners(number: number, name: string): Promise<readonly string[]> {
    this.#ensureOpen();
    return this.#disk.owners(name, (found) => {
      const owners = new Set(found);
      for (const { name: owner } of [...this.#cache.touched]) {
        if (this.#items(number, name, owner).isEmpty) owners.delete(owner);
        else owners.add(owner);
      }
      return [...owners].sort();
    });
  }

  #makeAccounts(): Accounts {
    return {
      exists: (jid) => {
        this.#ensureOpen();
        return this.#cache.owner(jid).exists(() => this.#disk.hasAccount(jid));
      },
      get: (jid) => {
        this.#ensureOpen();
        const account = this.#cache.touchedOwner(jid)?.account();
        if (account !== undefined) return account ?? undefined;
        return this.#recentAccounts.get(jid, () => this.#disk.account(jid));
      },
      removedAt: (jid) => {
        this.#ensureOpen();
        return this.#cache.touchedOwner(jid)?.removedAt() ?? this.#disk.removedAt(jid);
      },
      put: (account) => ({ op: "account", account }),
      remove: (jid, at) => ({ op: "removeAccount", jid, at }),
      list: (domain) => this.#list(domain),
    };
  }

  async #list(domain: DomainJid | undefined): Promise<readonly BareJid[]> {
    this.#ensureOpen();
    return this.#disk.accounts(domain, (found) => {
      const accounts = new Set(found);
      for (const owner of this.#cache.touched) {
        const jid = owner.name as BareJid;
        const account = owner.account();
        if (account === null) accounts.delete(jid);
        else if (account !== undefined && (domain === undefined || domainOf(jid) === domain)) accounts.add(jid);
      }
      return [...accounts].sort();
    });
  }

  #makeSpool(): Spool {
    let lastRow = this.#disk.lastRow;
    return {
      keep: (target, stanza: Bytes, stamp) => {
        const row = ++lastRow;
        return { row, write: { op: "spool", target, stored: { row, stanza, stamp } } };
      },
      pending: (target, after = 0, limit) => this.#pending(target, after, limit),
      count: (target) => {
        this.#ensureOpen();
        const changes = this.#spoolChanges(target);
        if (changes === undefined) return this.#disk.countSpooled(target, []);
        const { isWiped, settled, kept } = changes;
        return kept.size + (isWiped ? 0 : this.#disk.countSpooled(target, [...settled, ...kept.keys()]));
      },
      bytes: (target) => {
        this.#ensureOpen();
        const changes = this.#spoolChanges(target);
        if (changes === undefined) return this.#disk.bytesSpooled(target, []);
        const { isWiped, settled, kept } = changes;
        let bytes = isWiped ? 0 : this.#disk.bytesSpooled(target, [...settled, ...kept.keys()]);
        for (const { stanza } of kept.values()) bytes += stanza.length;
        return bytes;
      },
      settle: (target, rows) => ({ op: "settle", target, rows }),
    };
  }

  #pending(target: Target, after: RowId, limit: number | undefined): Eventually<readonly StoredStanza[]> {
    this.#ensureOpen();
    const overlay = (stored: readonly StoredStanza[]): readonly StoredStanza[] =>
      this.#spoolChanges(target)?.laidOver(stored, after) ?? stored;
    if (limit !== undefined) {
      const room = limit + (this.#spoolChanges(target)?.settled.size ?? 0);
      return overlay(this.#disk.spooled(target, after, room)).slice(0, limit);
    }
    const stored = this.#disk.spooled(target, after, AT_ONCE);
    return stored.length < AT_ONCE ? overlay(stored) : this.#disk.allSpooled(target, after, overlay);
  }

  #spoolChanges(target: Target): SpoolChanges | undefined {
    const owner = this.#cache.touchedOwner(targetName(target));
    return owner === undefined ? undefined : SpoolChanges.of(target, owner.open);
  }
}

const isOfMessages = (change: Change): change is MessageChange | RemoveAccount =>
  change.op === "keep" || change.op === "removeAccount" || isAboutMessages(change);

/** Collects changes, then waits for the disk. */
class OpenUnit implements Unit, HandedUnit {
  readonly changes: Change[] = [];
  /** Whose the changes are, one for each; nobody's where they are about messages. */
  readonly owners: (Owner | undefined)[] = [];
  readonly ticket = new CommitTicket();
  readonly #store: OverlayStore;
  #isNumbered = false;
  #isCommitted = false;

  constructor(store: OverlayStore) {
    this.#store = store;
  }

  get isEmpty(): boolean {
    return this.changes.length === 0;
  }

  add(write: Write): void {
    this.#ensureCollecting();
    if (isAboutMessages(write)) this.#push(this.#store.messages.added(write), undefined);
    else {
      const { change, owner } = this.#store.added(write);
      this.#push(change, owner);
    }
  }

  keep(message: NewMessage): KeptMessage {
    this.#ensureCollecting();
    const kept = this.#store.messages.keep(message);
    this.#push(kept, undefined);
    return kept;
  }

  #push(change: Change, owner: Owner | undefined): void {
    this.changes.push(change);
    this.owners.push(owner);
  }

  #ensureCollecting(): void {
    if (this.#isCommitted) throw new Error("a unit takes no more writes once it is committed");
  }

  number(): void {
    this.#isNumbered = true;
    this.#store.messages.number(this.changes);
  }

  commit(haste: Haste = "now"): Ticket {
    if (this.#isCommitted) throw new Error("a unit is committed at most once");
    this.#isCommitted = true;
    if (!this.#isNumbered) this.number();
    const { owners } = this;
    if (owners.length === 1) owners[0]?.handOver(this.changes);
    else for (const owner of new Set(owners)) owner?.handOver(this.changes);
    for (const change of this.changes) if (isOfMessages(change)) this.#store.messages.handedOver(change, this.ticket);
    this.#store.committed(this, haste);
    return this.ticket;
  }

  settle(committed: boolean): void {
    const { changes, owners } = this;
    for (let at = 0; at < changes.length; at++) {
      const change = changes[at] as Change;
      owners[at]?.settle(change as OwnedChange, committed);
      if (isOfMessages(change)) this.#store.messages.settled(change, committed);
    }
    this.#store.settled(this, committed);
  }
}
