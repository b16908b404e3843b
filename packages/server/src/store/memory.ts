import type { BareJid, DomainJid } from "@kith/protocol";
import {
  type Change,
  domainOf,
  isAboutMessages,
  type OwnedChange,
  type RemoveAccount,
  targetKind,
  targetName,
} from "./change.ts";
import type { Row } from "./items.ts";
import { MemoryMessages } from "./memory-messages.ts";
import { type Complete, type Disk, type HandedUnit, OverlayStore } from "./overlay.ts";
import type { Account, RowId, Store, StoredStanza, Target } from "./store.ts";

/** A unit that waits for its writer's decision: it is committed or failed, once. */
export interface MemoryCommit {
  /** Puts it on disk ahead of the news. Must be followed by `commit`, which does the same where it has not been done. */
  store(): void;
  commit(): void;
  fail(): void;
}
/** Decides when units are durable, and whether. Must settle them in the order in which it gets them. */
export interface MemoryWriter {
  write(unit: MemoryCommit): void;
}

export interface MemoryStoreOptions {
  /** By default every unit is committed in a microtask of its own turn. */
  readonly writer?: MemoryWriter;
  /** How many owners' collections are kept beside the data, as a store on disk would. */
  readonly cacheOwners?: number;
  /** Milliseconds since 1970; by default the system's. */
  readonly now?: () => number;
  /** What a listener of a ticket threw. By default an uncaught exception. */
  readonly onDefect?: (error: unknown) => void;
}

/** A store that lasts as long as the process. For tests, and for trying things out. */
export const memoryStore = (options: MemoryStoreOptions = {}): Store => {
  const { writer = promptWriter, onDefect = throwLater, ...overlay } = options;
  return new OverlayStore(new MemoryDisk(writer), { ...overlay, digestAfter: AT_ONCE, onDefect });
};

// There is nothing to be gained by waiting.
const AT_ONCE = { messages: 1, delay: 0 };

const throwLater = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });

const promptWriter: MemoryWriter = { write: (unit) => queueMicrotask(() => unit.commit()) };

/** Holds units open until it is told what becomes of them. */
export interface ManualWriter extends MemoryWriter {
  /** How many units wait. */
  readonly waiting: number;
  /** Commits the oldest that wait: all of them, if not told how many. */
  commit(units?: number): void;
  /** Fails the oldest that wait. */
  fail(units?: number): void;
  /** Those that come next are failed when their turn comes, held or not. */
  failNext(units?: number): void;
  /** Units wait from now on, as they do at first. */
  hold(): void;
  /** Commits what waits; from now on every unit is committed in a microtask, until `hold`. */
  release(): void;
}

export const manualWriter = (): ManualWriter => {
  const waiting: MemoryCommit[] = [];
  let isHolding = true;
  let doomed = 0;
  const each = (units: number, settle: (unit: MemoryCommit) => void): void => {
    // One that is committed from within a listener waits behind these.
    for (const unit of waiting.splice(0, units)) settle(unit);
  };
  const commit = (units = waiting.length): void => each(units, (unit) => unit.commit());
  return {
    get waiting() {
      return waiting.length;
    },
    write: (unit) => {
      waiting.push(doomed > 0 ? { ...unit, commit: unit.fail } : unit);
      if (doomed > 0) doomed--;
      if (!isHolding) queueMicrotask(() => !isHolding && commit());
    },
    commit,
    fail: (units = 1) => each(units, (unit) => unit.fail()),
    failNext: (units = 1) => {
      doomed += units;
    },
    hold: () => {
      isHolding = true;
    },
    release: () => {
      isHolding = false;
      commit();
    },
  };
};

class MemoryDisk implements Disk {
  readonly lastRow = 0;
  readonly messages = new MemoryMessages();
  readonly #writer: MemoryWriter;
  readonly #accounts = new Map<BareJid, Account>();
  readonly #removed = new Map<BareJid, number>();
  /** JSON by collection, owner and key. */
  readonly #items = new Map<string, Map<string, Map<string, string>>>();
  readonly #spools = { account: new Map<string, Rows>(), domain: new Map<string, Rows>() };

  constructor(writer: MemoryWriter) {
    this.#writer = writer;
  }

  items(collection: string, owner: string): readonly Row[] {
    return [...(this.#items.get(collection)?.get(owner) ?? [])];
  }
  hasAccount(jid: BareJid): boolean {
    return this.#accounts.has(jid);
  }
  account(jid: BareJid): Account | undefined {
    return this.#accounts.get(jid);
  }
  removedAt(jid: BareJid): number | undefined {
    return this.#removed.get(jid);
  }
  spooled(target: Target, after: RowId, limit: number): readonly StoredStanza[] {
    const stored = [...(this.#spoolOf(target)?.values() ?? [])].filter(({ row }) => row > after);
    return stored.sort((a, b) => a.row - b.row).slice(0, limit);
  }
  async allSpooled(target: Target, after: RowId, complete: Complete<StoredStanza>): Promise<readonly StoredStanza[]> {
    return complete(this.spooled(target, after, Number.POSITIVE_INFINITY));
  }
  countSpooled(target: Target, except: readonly RowId[]): number {
    const rows = new Set(this.#spoolOf(target)?.keys());
    for (const row of except) rows.delete(row);
    return rows.size;
  }
  bytesSpooled(target: Target, except: readonly RowId[]): number {
    const rows = new Map(this.#spoolOf(target));
    for (const row of except) rows.delete(row);
    return [...rows.values()].reduce((bytes, { stanza }) => bytes + stanza.length, 0);
  }
  async owners(collection: string, complete: Complete<string>): Promise<readonly string[]> {
    return complete([...(this.#items.get(collection)?.keys() ?? [])]);
  }
  async accounts(domain: DomainJid | undefined, complete: Complete<BareJid>): Promise<readonly BareJid[]> {
    return complete([...this.#accounts.keys()].filter((jid) => domain === undefined || domainOf(jid) === domain));
  }

  write(unit: HandedUnit): void {
    let isStored = false;
    const store = (): void => {
      if (!isStored) for (const change of unit.changes) this.#apply(change);
      isStored = true;
    };
    this.#writer.write({
      store,
      commit: () => {
        store();
        unit.settle(true);
      },
      fail: () => unit.settle(false),
    });
  }
  hurry(): void {
    // Nothing is held back: the writer decides when.
  }
  async close(): Promise<void> {}

  #spoolOf(target: Target): Rows | undefined {
    return this.#spools[targetKind(target)].get(targetName(target));
  }

  #apply(change: Change): void {
    if (change.op === "keep" || isAboutMessages(change)) this.messages.apply(change);
    else this.#applyOwned(change);
  }

  #applyOwned(change: OwnedChange): void {
    switch (change.op) {
      case "put":
        within(within(this.#items, change.collection), change.owner).set(change.key, change.json);
        break;
      case "delete":
        this.#delete(change.collection, change.owner, change.key);
        break;
      case "clear":
        this.#items.get(change.collection)?.delete(change.owner);
        break;
      case "account":
        this.#accounts.set(change.account.jid, change.account);
        break;
      case "removeAccount":
        this.#remove(change);
        break;
      case "spool": {
        const { target, stored } = change;
        within(this.#spools[targetKind(target)], targetName(target)).set(stored.row, stored);
        break;
      }
      case "settle":
        for (const row of change.rows) this.#spoolOf(change.target)?.delete(row);
    }
  }

  #delete(collection: string, owner: string, key: string): void {
    const values = this.#items.get(collection)?.get(owner);
    values?.delete(key);
    if (values?.size === 0) this.#items.get(collection)?.delete(owner);
  }

  #remove({ jid, at, through }: RemoveAccount): void {
    this.#accounts.delete(jid);
    this.messages.removeAccount(jid, through);
    if (at !== undefined) this.#removed.set(jid, at);
    for (const owners of this.#items.values()) owners.delete(jid);
    this.#spools.account.delete(jid);
  }
}

type Rows = Map<RowId, StoredStanza>;

const within = <K, V, W>(map: Map<K, Map<V, W>>, key: K): Map<V, W> => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Map<V, W>();
  map.set(key, made);
  return made;
};
