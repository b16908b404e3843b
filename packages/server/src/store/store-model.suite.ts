import type { BareJid, Bytes, DomainJid } from "@kith/protocol";
import fc from "fast-check";
import { expect } from "vitest";
import type { Account, Collection, RowId, Store, StoredStanza, Target, Ticket, Unit, Write } from "./store.ts";

/** What is done to a store and to its model. Everything is chosen by number. */
export type Step =
  | { readonly do: "add"; readonly unit: number; readonly what: (typeof WHAT)[number]; readonly choice: number }
  | { readonly do: "commit"; readonly unit: number; readonly fails: boolean }
  | { readonly do: "read"; readonly choice: number }
  | { readonly do: "hold" | "release" | "flush" };

const WHAT = ["put", "put", "put", "delete", "clear", "account", "remove", "keep", "keep", "settle"] as const;
const unit = fc.nat(2);
const choice = fc.nat(1000);
export const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("add" as const), unit, what: fc.constantFrom(...WHAT), choice }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit" as const), unit, fails: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), choice }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("hold" as const, "release" as const, "flush" as const) }) },
);

interface Hand {
  readonly store: Store;
  hold(): () => void;
  commitFailing(unit: Unit): Ticket;
}

/** Plainly what reads must show: every write that has not failed, by committed units first, carried out one by one. */
interface View {
  readonly items: Map<string, Map<string, unknown>>;
  readonly accounts: Map<BareJid, Account>;
  readonly removed: Map<BareJid, number>;
  readonly spools: Map<string, Map<RowId, StoredStanza>>;
}

interface Collecting {
  readonly unit: Unit;
  readonly writes: Write[];
}

const COLLECTIONS = ["books", "films"] as const;
const KEYS = ["a", "b"];

/** Three units at a time on a few owners and keys, beside a model of them. */
export class Model {
  readonly #hand: Hand;
  readonly #collections: readonly Collection<unknown>[];
  readonly #owners: readonly BareJid[];
  readonly #targets: readonly Target[];
  readonly #rows: RowId[] = [];
  #collecting: (Collecting | undefined)[] = [];
  /** Those of units handed over, in that order. */
  readonly #committed: { readonly writes: readonly Write[]; failed: boolean }[] = [];
  /** Those of units being collected, in the order of adding. */
  #added: Write[] = [];
  #release: (() => void) | undefined;
  #counter = 0;

  /** `name` keeps the owners apart from those of other models on the same store. */
  constructor(hand: Hand, collections: readonly Collection<unknown>[], name: string) {
    this.#hand = hand;
    this.#collections = collections;
    this.#owners = [`${name}-romeo@example.org`, `${name}-juliet@example.org`] as BareJid[];
    const domains = this.#owners.map((owner): Target => ({ domain: owner as string as DomainJid }));
    this.#targets = [...this.#owners.map((owner): Target => ({ account: owner })), ...domains];
  }

  static readonly collections = COLLECTIONS;

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "add":
        return this.#add(step.unit, step.what, step.choice);
      case "commit":
        return this.#commit(step.unit, step.fails);
      case "read":
        return this.#read(step.choice);
      case "hold":
        this.#release ??= this.#hand.hold();
        return;
      case "release":
        return this.#go();
      case "flush":
        this.#go();
        await this.#hand.store.flush();
    }
  }

  /** Commits what is left, and compares all there is. */
  async end(): Promise<void> {
    for (let at = 0; at < 3; at++) this.#commit(at, false);
    await this.#readAll();
    this.#go();
    await this.#hand.store.flush();
    await this.#readAll();
    await this.#readMaintenance();
  }

  #go(): void {
    this.#release?.();
    this.#release = undefined;
  }

  #add(at: number, what: (typeof WHAT)[number], choice: number): void {
    const write = this.#write(what, choice);
    const collecting = this.#collecting[at] ?? { unit: this.#hand.store.begin(), writes: [] };
    this.#collecting[at] = collecting;
    collecting.unit.add(write);
    collecting.writes.push(write);
    this.#added.push(write);
  }

  #commit(at: number, fails: boolean): void {
    const collecting = this.#collecting[at];
    if (collecting === undefined) return;
    this.#collecting[at] = undefined;
    const entry = { writes: collecting.writes, failed: false };
    this.#committed.push(entry);
    this.#added = this.#added.filter((write) => !collecting.writes.includes(write));
    const ticket = fails ? this.#hand.commitFailing(collecting.unit) : collecting.unit.commit();
    ticket.onSettled((committed) => {
      expect(committed).toBe(!fails);
      entry.failed = !committed;
    });
  }

  #write(what: (typeof WHAT)[number], choice: number): Write {
    const owner = pick(this.#owners, choice);
    const collection = pick(this.#collections, choice >> 1);
    const key = pick(KEYS, choice >> 2);
    const target = pick(this.#targets, choice);
    const number = ++this.#counter;
    switch (what) {
      case "put":
        return collection.put(owner, key, { number });
      case "delete":
        return collection.delete(owner, key);
      case "clear":
        return collection.clear(owner);
      case "account":
        return this.#hand.store.accounts.put({ jid: owner, created: number, keys: {} as Account["keys"] });
      case "remove":
        return this.#hand.store.accounts.remove(owner, number % 3 === 0 ? undefined : number);
      case "keep": {
        const { row, write } = this.#hand.store.spool.keep(target, `<message n='${number}'/>` as Bytes, number);
        this.#rows.push(row);
        return write;
      }
      case "settle":
        return this.#hand.store.spool.settle(
          target,
          this.#rows.filter((row) => (row + choice) % 3 === 0),
        ); // at random
    }
  }

  #view(): View {
    const view: View = { items: new Map(), accounts: new Map(), removed: new Map(), spools: new Map() };
    for (const { writes, failed } of this.#committed) if (!failed) for (const write of writes) carryOut(view, write);
    for (const write of this.#added) carryOut(view, write);
    return view;
  }

  async #read(choice: number): Promise<void> {
    const view = this.#view();
    const owner = pick(this.#owners, choice);
    const collection = pick(this.#collections, choice >> 1);
    const target = pick(this.#targets, choice);
    if (choice % 5 < 2) await this.#readItems(view, collection, owner);
    else if (choice % 5 === 2) await this.#readAccount(view, owner);
    else await this.#readSpool(view, target, choice % 4);
  }

  async #readAll(): Promise<void> {
    const view = this.#view();
    for (const owner of this.#owners) {
      for (const collection of this.#collections) await this.#readItems(view, collection, owner);
      await this.#readAccount(view, owner);
    }
    for (const target of this.#targets) await this.#readSpool(view, target, 2);
  }

  /** Nothing is held or open here, so that an answer that comes later means the same. */
  async #readMaintenance(): Promise<void> {
    const view = this.#view();
    const ours = (names: readonly string[]): string[] => names.filter((name) => this.#owners.includes(name as BareJid));
    for (const collection of this.#collections) {
      const owners = this.#owners.filter((owner) => (view.items.get(itemsKey(collection.name, owner))?.size ?? 0) > 0);
      expect(ours(await collection.owners())).toEqual(owners.toSorted());
    }
    expect(ours(await this.#hand.store.accounts.list())).toEqual([...view.accounts.keys()].sort());
  }

  async #readItems(view: View, collection: Collection<unknown>, owner: BareJid): Promise<void> {
    const expected = view.items.get(itemsKey(collection.name, owner)) ?? new Map();
    expect(await collection.all(owner)).toEqual(expected);
    for (const key of KEYS) expect(await collection.get(owner, key)).toEqual(expected.get(key));
  }

  async #readAccount(view: View, owner: BareJid): Promise<void> {
    const { accounts } = this.#hand.store;
    expect(await accounts.exists(owner)).toBe(view.accounts.has(owner));
    expect(await accounts.get(owner)).toEqual(view.accounts.get(owner));
    expect(await accounts.removedAt(owner)).toBe(view.removed.get(owner));
  }

  async #readSpool(view: View, target: Target, limit: number): Promise<void> {
    const { spool } = this.#hand.store;
    const all = [...(view.spools.get(JSON.stringify(target))?.values() ?? [])].sort((a, b) => a.row - b.row);
    expect(await spool.pending(target)).toEqual(all);
    expect(await spool.count(target)).toBe(all.length);
    expect(await spool.bytes(target)).toBe(all.reduce((sum, { stanza }) => sum + stanza.length, 0));
    expect(await spool.pending(target, all[0]?.row, limit)).toEqual(all.slice(1, 1 + limit));
  }
}

const pick = <T>(from: readonly T[], choice: number): T => from[choice % from.length] as T;
const itemsKey = (collection: string, owner: string): string => `${collection} ${owner}`;

const carryOut = (view: View, write: Write): void => {
  const within = <K, V>(maps: Map<string, Map<K, V>>, key: string): Map<K, V> => {
    const map = maps.get(key) ?? new Map<K, V>();
    maps.set(key, map);
    return map;
  };
  switch (write.op) {
    case "put":
      within(view.items, itemsKey(write.collection, write.owner)).set(write.key, write.value);
      break;
    case "delete":
      view.items.get(itemsKey(write.collection, write.owner))?.delete(write.key);
      break;
    case "clear":
      view.items.delete(itemsKey(write.collection, write.owner));
      break;
    case "account":
      view.accounts.set(write.account.jid, write.account);
      break;
    case "removeAccount":
      view.accounts.delete(write.jid);
      if (write.at !== undefined) view.removed.set(write.jid, write.at);
      for (const collection of COLLECTIONS) view.items.delete(itemsKey(collection, write.jid));
      view.spools.delete(JSON.stringify({ account: write.jid }));
      break;
    case "spool":
      within(view.spools, JSON.stringify(write.target)).set(write.stored.row, write.stored);
      break;
    case "settle":
      for (const row of write.rows) view.spools.get(JSON.stringify(write.target))?.delete(row);
  }
};
