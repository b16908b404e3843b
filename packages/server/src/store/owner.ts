import type { Change, OwnedChange } from "./change.ts";
import { Items, type Row } from "./items.ts";
import type { Account } from "./store.ts";

/**
 * What is known in memory of one owner: the collections that were read, and the changes of units that are still open.
 *
 * A read answers what is on disk with the open changes made to it once more, in order. The disk may already hold the
 * first of them (the news is on its way); making them again changes nothing, as the last change of a key decides.
 */
export class Owner {
  readonly name: string;
  /** By number of the collection; `undefined` where it has not been read. */
  #collections: (Items | undefined)[] | undefined;
  #exists: boolean | undefined;
  /** First those handed to the writer, in that order; then those of units being collected, in the order of adding. */
  #open: OwnedChange[] = NO_CHANGES;
  #handedOver = 0;

  constructor(name: string) {
    this.name = name;
  }

  get open(): readonly OwnedChange[] {
    return this.#open;
  }
  get isTouched(): boolean {
    return this.#open.length > 0;
  }

  /** `rows` reads the disk; `total` is how many collections there are. */
  collection(number: number, name: string, total: number, rows: () => readonly Row[]): Items {
    const known = this.#collections?.[number];
    if (known !== undefined) return known;
    let items = Items.of(rows());
    for (const change of this.#open) items = items.with(change, name);
    // Sized exactly: an array that grows keeps room for many more.
    this.#collections ??= new Array<Items | undefined>(total);
    this.#collections[number] = items;
    return items;
  }

  exists(onDisk: () => boolean): boolean {
    if (this.#exists !== undefined) return this.#exists;
    const account = this.account();
    this.#exists = account === undefined ? onDisk() : account !== null;
    return this.#exists;
  }

  /** The account as open units leave it: `null` if they remove it, `undefined` if they say nothing. */
  account(): Account | null | undefined {
    const last = this.#open.findLast((change) => change.op === "account" || change.op === "removeAccount");
    if (last === undefined) return undefined;
    return last.op === "account" ? last.account : null;
  }

  /** When open units remove the account, if they do. */
  removedAt(): number | undefined {
    const last = this.#open.findLast((change) => change.op === "removeAccount" && change.at !== undefined);
    return last?.op === "removeAccount" ? last.at : undefined;
  }

  /** Takes effect for reads at once. `number`: the collection's, if it has been opened. */
  add(change: OwnedChange, number: number | undefined): void {
    if (this.#open === NO_CHANGES) this.#open = [change];
    else this.#open.push(change);
    if (change.op === "account") this.#exists = true;
    else if (change.op === "removeAccount") {
      this.#exists = false;
      this.#collections?.fill(Items.none);
    } else if (number !== undefined && "collection" in change) this.#change(change, number);
  }

  #change(change: OwnedChange & { readonly collection: string }, number: number): void {
    const collections = this.#collections;
    const known = collections?.[number];
    if (collections !== undefined && known !== undefined) collections[number] = known.with(change, change.collection);
  }

  /**
   * These of its changes go to the writer. The disk will see them after those handed over before, and ahead of those
   * still being collected; where that is not the order in which they were added, reads follow the disk.
   */
  handOver(changes: readonly Change[]): void {
    if (this.#open.length - this.#handedOver === 1) {
      this.#handedOver++;
      return;
    }
    const own = new Set<Change>(changes);
    const collected = this.#open.splice(this.#handedOver);
    const ours = collected.filter((change) => own.has(change));
    const others = collected.filter((change) => !own.has(change));
    this.#open.push(...ours, ...others);
    this.#handedOver += ours.length;
    if (ours.some((change, at) => change !== collected[at])) this.#forget();
  }

  /** A change handed over is on disk, or never will be: then what is known comes from disk again. */
  settle(change: OwnedChange, committed: boolean): void {
    if (this.#open.length === 1) this.#open = NO_CHANGES;
    else this.#open.splice(this.#open.indexOf(change), 1);
    this.#handedOver--;
    if (!committed) this.#forget();
  }

  #forget(): void {
    this.#collections = undefined;
    this.#exists = undefined;
  }
}

// Shared by all that have none, and never written to.
const NO_CHANGES: OwnedChange[] = [];
