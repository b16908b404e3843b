import type { OwnedChange } from "./change.ts";

/** A key and its value as JSON. */
export type Row = readonly [key: string, json: string];

/** One collection of one owner, in memory. What `all` has answered never changes afterwards. */
export class Items {
  #values: Map<string, unknown>;
  #isShared = false;

  private constructor(values: Map<string, unknown>) {
    this.#values = values;
  }

  /** Most owners have nothing in most collections; they share this, which is never written to. */
  static readonly none = new Items(new Map());

  static of(rows: readonly Row[]): Items {
    if (rows.length === 0) return Items.none;
    const values = new Map<string, unknown>();
    for (const [key, json] of rows) values.set(key, JSON.parse(json));
    return new Items(values);
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }
  get(key: string): unknown {
    return this.#values.get(key);
  }
  all(): ReadonlyMap<string, unknown> {
    this.#isShared = true;
    return this.#values;
  }

  /** These items with a change made to them: themselves where it is about another collection. */
  with(change: OwnedChange, collection: string): Items {
    if (change.op === "removeAccount") return Items.none;
    if (!("collection" in change) || change.collection !== collection) return this;
    if (change.op === "put") return this.#with(change.key, change.json);
    return change.op === "clear" ? Items.none : this.#without(change.key);
  }

  #with(key: string, json: string): Items {
    const items = this === Items.none ? new Items(new Map()) : this;
    items.#own().set(key, JSON.parse(json));
    return items;
  }
  #without(key: string): Items {
    if (!this.#values.has(key)) return this;
    this.#own().delete(key);
    return this.isEmpty ? Items.none : this;
  }

  #own(): Map<string, unknown> {
    if (this.#isShared) {
      this.#values = new Map(this.#values);
      this.#isShared = false;
    }
    return this.#values;
  }
}
