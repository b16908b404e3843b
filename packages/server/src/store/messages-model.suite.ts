import fc from "fast-check";
import { expect, test } from "vitest";
import { bodyOf, Hand, juliet, newMessage, nurse, type OpenedMessages, queryOf, romeo } from "./messages.suite.ts";
import { settled } from "./store.suite.ts";
import type { RowId, Ticket, Unit } from "./store.ts";

const PEOPLE = [romeo, juliet, nurse];
const choice = fc.nat(1000);
const steps = fc.array(
  fc.record({
    do: fc.constantFrom(
      ...(["keep", "keep", "keep", "commit", "commit", "fail", "settle", "settle", "digest", "read", "read"] as const),
      ...(["remove", "replace", "forgetKey", "expire", "hold", "release"] as const),
    ),
    choice,
  }),
  { minLength: 10, maxLength: 60 },
);
type Step = typeof steps extends fc.Arbitrary<readonly (infer S)[]> ? S : never;

/** Two stores to which the same is done. They have to answer alike; the second is the plain one. */
class Twins {
  readonly #opened: readonly [OpenedMessages, OpenedMessages];
  readonly #hands: readonly [Hand, Hand];
  #units: readonly [Unit, Unit] | undefined;
  #release: (() => void) | undefined;
  readonly #tickets: Ticket[] = [];
  #count = 0;
  /** A key goes with its message; whether it is remembered is chance then. */
  #isLossy = false;

  constructor(opened: readonly [OpenedMessages, OpenedMessages]) {
    this.#opened = opened;
    this.#hands = [new Hand(opened[0]), new Hand(opened[1])];
  }

  async take(step: Step): Promise<void> {
    const { choice } = step;
    const person = PEOPLE[choice % 3] ?? romeo;
    switch (step.do) {
      case "keep":
        return this.#keep(choice);
      case "commit":
        return this.#commit();
      case "fail":
        return this.#fail();
      case "settle":
        return this.#settle(person, choice);
      case "read":
        return this.#read(person, choice);
      case "hold":
        this.#release ??= this.#opened[0].hold();
        return;
      case "release":
        return this.#go();
      default:
        return this.#rarely(step.do, person, choice);
    }
  }

  async #rarely(what: string, person: typeof romeo, choice: number): Promise<void> {
    const { lastRow } = this.#hands[0].messages;
    const row = 1 + (choice % Math.max(1, lastRow));
    if (what === "digest") {
      await this.#go();
      await this.#each((hand) => hand.digest());
    } else if (what === "expire") {
      this.#isLossy = true;
      await this.#go();
      const expiry = choice % 2 === 0 ? { keep: choice % 5 } : { owner: person, keep: choice % 3 };
      await this.#same((hand) => hand.messages.expire(expiry));
    } else if (lastRow === 0) return;
    else if (what === "replace") this.#add(({ messages }) => messages.replace(row, newMessage("replaced").stanza));
    else if (what === "forgetKey") this.#add(({ messages }) => messages.forgetKey(person, row));
    else this.#add(({ store }) => store.accounts.remove(person, undefined));
  }

  #begun(): readonly [Unit, Unit] {
    this.#units ??= [this.#hands[0].store.begin(), this.#hands[1].store.begin()];
    return this.#units;
  }
  #add(write: (hand: Hand) => Parameters<Unit["add"]>[0]): void {
    const units = this.#begun();
    this.#hands.forEach((hand, at) => {
      units[at]?.add(write(hand));
    });
  }

  #keep(choice: number): void {
    const body = `m${++this.#count} w${choice % 4}`;
    const sender = PEOPLE[choice % 3] ?? romeo;
    const recipient = PEOPLE[(choice >> 2) % 3] ?? romeo;
    const isArchived = { sent: choice % 2 === 0, received: choice % 5 < 3 };
    const key = isArchived.sent ? `k${choice % 7}` : undefined;
    for (const unit of this.#begun())
      unit.keep(
        newMessage(body, { sender, recipient, isArchived, key, waits: choice % 11 < 8, isSearchable: choice % 13 < 6 }),
      );
  }

  #commit(): void {
    const units = this.#units;
    this.#units = undefined;
    for (const unit of units ?? []) this.#tickets.push(unit.commit());
  }
  /** Until when a failing unit is seen is chance, so that its end is waited for. */
  async #fail(): Promise<void> {
    const units = this.#units;
    this.#units = undefined;
    units?.forEach((unit, at) => {
      const ticket = this.#opened[at]?.commitFailing(unit);
      if (ticket !== undefined) this.#tickets.push(ticket);
    });
    await this.#go();
  }

  async #settle(person: typeof romeo, choice: number): Promise<void> {
    // What an account has seen is what is stored, and everything that was begun before has been stored.
    await this.#go();
    const rows: RowId[] = (await this.#hands[1].messages.waiting(person)).map(({ row }) => row);
    const some = rows.filter((row) => row > 0 && (row + choice) % 3 !== 0);
    for (const { messages } of this.#hands) messages.settle(person, some);
  }

  async #read(person: typeof romeo, choice: number): Promise<void> {
    await this.#same((hand) => hand.waiting(person));
    await this.#same(async (hand) => (await hand.messages.countWaiting(person)).count);
    await this.#same(async (hand) => hand.waiting(person, choice % 20, choice % 4));
    if (!this.#isLossy) await this.#same(async (hand) => hand.messages.sentBefore(person, `k${choice % 7}`, 0));
    const rows = Array.from({ length: 8 }, (_, at) => (choice % 30) + at);
    await this.#same(async (hand) => (await hand.messages.find(person, rows)).map(bodyOf));
  }

  /** Everything there is, when nothing is open. */
  async end(): Promise<void> {
    this.#commit();
    await this.#go();
    for (let round = 0; round < 2; round++) {
      for (const owner of PEOPLE) {
        await this.#read(owner, 999);
        await this.#same(async (hand) => hand.messages.countWaiting(owner));
        await this.#archive(owner);
      }
      await this.#each((hand) => hand.digest());
    }
  }

  async #archive(owner: typeof romeo): Promise<void> {
    // Whether another's archive has a message is told late when that other has been removed.
    const page = (query: Parameters<typeof queryOf>[0]) => async (hand: Hand) => {
      const { messages, ...rest } = await hand.messages.page(queryOf({ owner, limit: 5, counted: true, ...query }));
      return { ...rest, messages: messages.map(({ row, stanza, stamp }) => [row, stanza, stamp]) };
    };
    await this.#same(page({ limit: 1000 }));
    await this.#same(page({ from: "newest" }));
    await this.#same(page({ with: { bare: juliet }, page: { after: 3 } }));
    await this.#same(page({ text: "W1", limit: 1000 }));
    await this.#same(page({ text: "w2", from: "newest", with: { bare: romeo } }));
    await this.#same((hand) => hand.messages.bounds(owner));
    await this.#same(async (hand) => (await hand.messages.findById(owner, romeo, "m1 w1"))?.row);
  }

  release(): void {
    this.#release?.();
    this.#release = undefined;
  }
  async #go(): Promise<void> {
    this.release();
    await Promise.all(this.#tickets.splice(0).map(settled));
  }
  async #each(act: (hand: Hand) => Promise<unknown>): Promise<void> {
    for (const hand of this.#hands) await act(hand);
  }
  async #same(read: (hand: Hand) => unknown): Promise<void> {
    expect(await read(this.#hands[0])).toEqual(await read(this.#hands[1]));
  }
}

/** Does the same to a store and to the store in memory, and compares. */
export const messagesModel = (
  name: string,
  open: () => Promise<OpenedMessages>,
  plain: () => Promise<OpenedMessages>,
  runs: number,
): void => {
  test(`messages: ${name}: whatever is done in whatever order, it answers as the plain one does`, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const opened = [await open(), await plain()] as const;
        const twins = new Twins(opened);
        try {
          for (const step of taken) await twins.take(step);
          await twins.end();
        } finally {
          twins.release();
          for (const { store } of opened) await store.close();
        }
      }),
      // To make a failure smaller takes long where every try opens a database.
      { numRuns: runs, endOnFailure: runs < 100 },
    );
  }, 120_000);
};
