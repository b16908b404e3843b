import { type BrokenPromise, faults } from "../faults.ts";
import type { Ticket } from "../store/store.ts";

interface Waiting<T> {
  readonly item: T;
  readonly after: Ticket | undefined;
}

/**
 * Lets items through in the order they came. One whose commit is still under way holds back everything behind it, so
 * that nothing overtakes what is being stored (RFC 6120 §10.1); one whose commit failed is dropped. While nothing
 * waits, an item passes at once.
 */
export class Gate<T> {
  readonly #pass: (item: T) => void;
  readonly #drop: ((item: T) => void) | undefined;
  #waiting: Waiting<T>[] | undefined;

  /** `drop`: in its turn, for an item whose commit failed. */
  constructor(pass: (item: T) => void, drop?: (item: T) => void) {
    this.#pass = pass;
    this.#drop = drop;
  }

  get isOpen(): boolean {
    return this.#waiting === undefined;
  }

  /** What waits, in order. */
  held(): readonly T[] {
    return this.#waiting?.map(({ item }) => item) ?? [];
  }

  enter(item: T, after: Ticket | undefined): void {
    if (faults?.breaks !== undefined && this.#isBroken(faults.breaks, item, after)) return;
    if (this.#waiting === undefined && (after === undefined || after.state !== "open")) {
      this.#through(item, after);
      return;
    }
    this.#waiting ??= [];
    this.#waiting.push({ item, after });
    if (this.#waiting.length === 1) this.#awaitFirst();
  }

  /** What tests order, to see what would become of it (faults.ts): nothing waits for its commit, or each for its own alone. */
  #isBroken(promise: BrokenPromise, item: T, after: Ticket | undefined): boolean {
    if (promise === "deliver before commit") this.#pass(item);
    else if (promise === "gate off" && after?.state === "open") after.onSettled(() => this.#through(item, after));
    else if (promise === "gate off") this.#through(item, after);
    return promise !== "acknowledge before commit";
  }

  #through(item: T, after: Ticket | undefined): void {
    if (after?.state === "failed") this.#drop?.(item);
    else this.#pass(item);
  }

  #awaitFirst(): void {
    this.#waiting?.[0]?.after?.onSettled(() => this.#advance());
  }

  #advance(): void {
    const waiting = this.#waiting ?? [];
    let passed = 0;
    while (passed < waiting.length && waiting[passed]?.after?.state !== "open") {
      const { item, after } = waiting[passed] as Waiting<T>;
      this.#through(item, after);
      passed++;
    }
    // What was let through may have brought more; it queued behind, so `waiting` is the array as it is now.
    this.#waiting = passed === waiting.length ? undefined : waiting.slice(passed);
    this.#awaitFirst();
  }
}
