import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ArchiveQuery, Delivery, KeptMessage, Messages, NewMessage, StoredMessage } from "./messages.ts";
import { bytes, jid, type Opened, settled } from "./store.suite.ts";
import type { RowId, Store, Unit, Write } from "./store.ts";

export const romeo = jid("romeo@example.org");
export const juliet = jid("juliet@example.org");
export const nurse = jid("nurse@example.org");

/** What a message is unless told otherwise: from Romeo to Juliet, in both archives, waiting for her. */
export const newMessage = (body: string, more: Partial<NewMessage> = {}): NewMessage => {
  const { sender = romeo, recipient = juliet } = more;
  const from = more.from ?? sender;
  const to = more.to ?? recipient;
  return {
    stanza: bytes(`<message from='${from}/orchard' to='${to}' type='chat' id='${body}'><body>${body}</body></message>`),
    sender,
    recipient,
    isArchived: { sent: true, received: true },
    waits: true,
    from,
    to,
    isGroupchat: false,
    isSearchable: false,
    origin: undefined,
    key: undefined,
    ...more,
  };
};
const NEITHER = { isArchived: { sent: false, received: false } };

export interface OpenedMessages extends Opened {
  /** What time it is in the store. */
  readonly clock: { now: number };
}

/** What is done with a store of messages, over and over. */
export class Hand {
  readonly store: Store;
  readonly messages: Messages;
  readonly clock: { now: number };
  readonly #opened: OpenedMessages;

  constructor(opened: OpenedMessages) {
    this.#opened = opened;
    this.store = opened.store;
    this.messages = opened.store.messages;
    this.clock = opened.clock;
  }

  unit(...parts: readonly (NewMessage | Write)[]): { unit: Unit; kept: KeptMessage[] } {
    const unit = this.store.begin();
    const kept: KeptMessage[] = [];
    for (const part of parts) {
      if ("op" in part) unit.add(part);
      else kept.push(unit.keep(part));
    }
    return { unit, kept };
  }
  /** Commits them together; their rows. */
  async commit(...parts: readonly (NewMessage | Write)[]): Promise<RowId[]> {
    const { unit, kept } = this.unit(...parts);
    expect(await settled(unit.commit())).toBe(true);
    return kept.map(({ row }) => row);
  }
  async fail(...parts: readonly (NewMessage | Write)[]): Promise<void> {
    expect(await settled(this.#opened.commitFailing(this.unit(...parts).unit))).toBe(false);
  }
  async store1(body: string, more?: Partial<NewMessage>): Promise<RowId> {
    const [row] = await this.commit(newMessage(body, more));
    return row ?? Number.NaN;
  }
  /** Everything is digested: what `expire` does first. */
  async digest(): Promise<void> {
    await this.messages.expire({ before: 0 });
  }
  async waiting(account = juliet, after?: RowId, limit?: number): Promise<string[]> {
    return (await this.messages.waiting(account, after, limit)).map(bodyOf);
  }
  async page(query: Partial<ArchiveQuery> = {}): Promise<string[]> {
    return (await this.messages.page(queryOf(query))).messages.map(bodyOf);
  }
}
export const queryOf = (query: Partial<ArchiveQuery>): ArchiveQuery => ({
  owner: juliet,
  withGroupchat: false,
  from: "oldest",
  limit: 100,
  ...query,
});
export const bodyOf = ({ stanza }: StoredMessage): string => /<body>([^<]*)/.exec(stanza)?.[1] ?? stanza;

/** What every store keeps to about messages. `open` gives an empty one each time; the suite closes it. */
export const messagesSuite = (name: string, open: () => Promise<OpenedMessages>): void => {
  describe(`messages: ${name}`, () => {
    let opened: OpenedMessages;
    let hand: Hand;
    let messages: Messages;
    beforeEach(async () => {
      opened = await open();
      hand = new Hand(opened);
      messages = hand.messages;
    });
    afterEach(() => opened.store.close());
    const context: Context = { hand: () => hand, hold: () => opened.hold(), messages: () => messages };
    describe("numbers", () => numbers(context));
    describe("what waits", () => waits(context));
    describe("what waits beside open units", () => waitsOpen(context));
    describe("keys", () => keys(context));
    describe("streams", () => streams(context));
    describe("pages", () => pages(context));
    describe("pages, filtered", () => filters(context));
    describe("texts", () => texts(context));
    describe("single messages", () => single(context));
    describe("expiry", () => expiry(context));
    describe("accounts that are removed", () => removal(context));
  });
};

interface Context {
  hand(): Hand;
  messages(): Messages;
  hold(): () => void;
}

const numbers = ({ hand, hold, messages }: Context): void => {
  test("are given in the order of committing, whatever was begun first", async () => {
    const first = hand().unit(newMessage("a"), newMessage("b"));
    const second = hand().unit(newMessage("c"));
    expect([first.kept[0]?.row, first.kept[0]?.stamp]).toEqual([0, 0]);
    second.unit.commit();
    await settled(first.unit.commit());
    const rows = [second.kept[0]?.row, first.kept[0]?.row, first.kept[1]?.row];
    expect(rows).toEqual([1, 2, 3]);
    expect(messages().lastRow).toBe(3);
    expect(await hand().page()).toEqual(["c", "a", "b"]);
  });

  test("are there once the unit is numbered, ahead of its commit", async () => {
    const { unit, kept } = hand().unit(newMessage("a"));
    unit.number();
    expect(kept[0]?.row).toBe(1);
    expect(kept[0]?.stamp).toBe(hand().clock.now);
    await settled(unit.commit());
    expect(kept[0]?.row).toBe(1);
  });

  test("those of failed units are not given again", async () => {
    await hand().fail(newMessage("a"));
    expect(await hand().store1("b")).toBe(2);
  });

  test("XEP-0313 §3: stamps never step back, though the clock may", async () => {
    const { clock } = hand();
    clock.now = 5000;
    await hand().store1("a");
    clock.now = 4000;
    await hand().store1("b");
    clock.now = 6000;
    await hand().store1("c");
    const { messages: found } = await messages().page(queryOf({}));
    expect(found.map(({ stamp }) => stamp)).toEqual([5000, 5000, 6000]);
  });

  test("a message is read back as it was stored", async () => {
    const stanza = bytes(
      "<message from='romeo@example.org/orchard' to='juliet@example.org'><body>\xc3\xa9\x00</body></message>",
    );
    const row = await hand().store1("", { stanza, isArchived: { sent: false, received: true } });
    const expected: StoredMessage = {
      row,
      stanza,
      stamp: hand().clock.now,
      sender: romeo,
      recipient: juliet,
      isArchived: { sent: false, received: true },
    };
    for (let round = 0; round < 2; round++) {
      expect((await messages().page(queryOf({}))).messages).toEqual([expected]);
      expect(await messages().find(juliet, [row])).toEqual([expected]);
      expect(await messages().waiting(juliet)).toEqual([expected]);
      await hand().digest();
    }
  });

  test("lag is what has not been digested, and nothing once it is", async () => {
    const release = hold();
    const ticket = hand().unit(newMessage("a"), newMessage("b")).unit.commit();
    expect(messages().lag.index).toBe(2);
    release();
    await settled(ticket);
    await hand().digest();
    expect(messages().lag.index).toBe(0);
  });
};

const waits = ({ hand, messages }: Context): void => {
  test("waits from when it is stored until it is settled", async () => {
    const rows = [await hand().store1("a"), await hand().store1("b"), await hand().store1("c", { waits: false })];
    for (const digested of [false, true]) {
      expect(await hand().waiting(), String(digested)).toEqual(["a", "b"]);
      expect(await hand().waiting(romeo)).toEqual([]);
      await hand().digest();
    }
    messages().settle(juliet, [rows[0] ?? 0]);
    expect(await hand().waiting()).toEqual(["b"]);
    await hand().digest();
    expect(await hand().waiting()).toEqual(["b"]);
    messages().settle(juliet, rows);
    expect(await hand().waiting()).toEqual([]);
    await hand().digest();
    expect(await hand().waiting()).toEqual([]);
    expect(await hand().page()).toEqual(["a", "b", "c"]);
  });

  test("a page of what waits", async () => {
    const rows: RowId[] = [];
    for (const body of ["a", "b", "c"]) rows.push(await hand().store1(body));
    await hand().digest();
    for (const body of ["d", "e"]) rows.push(await hand().store1(body));
    const { kept } = hand().unit(newMessage("f"));
    expect(await hand().waiting(juliet, 0, 2)).toEqual(["a", "b"]);
    expect(await hand().waiting(juliet, rows[1], 2)).toEqual(["c", "d"]);
    expect(await hand().waiting(juliet, rows[2], 1)).toEqual(["d"]);
    expect(await hand().waiting(juliet, rows[3])).toEqual(["e", "f"]);
    expect(await hand().waiting(juliet, rows[4])).toEqual(["f"]);
    messages().settle(juliet, [rows[0] ?? 0, rows[3] ?? 0]);
    expect(await hand().waiting(juliet, 0, 2)).toEqual(["b", "c"]);
    expect(await hand().waiting(juliet, 0, 3)).toEqual(["b", "c", "e"]);
    expect(await hand().waiting(juliet, 0, 0)).toEqual([]);
    expect(kept[0]?.row).toBe(0);
  });

  test("is counted with its length", async () => {
    const count = async (): Promise<unknown> => messages().countWaiting(juliet);
    const length = newMessage("a").stanza.length;
    expect(await count()).toEqual({ count: 0, bytes: 0 });
    const rows = [await hand().store1("a"), await hand().store1("b")];
    await hand().digest();
    rows.push(await hand().store1("c", NEITHER));
    hand().unit(newMessage("d"));
    expect(await count()).toEqual({ count: 4, bytes: 4 * length });
    messages().settle(juliet, [rows[0] ?? 0, rows[2] ?? 0]);
    expect(await count()).toEqual({ count: 2, bytes: 2 * length });
    await hand().digest();
    expect(await count()).toEqual({ count: 2, bytes: 2 * length });
  });

  test("settling what does not wait, is somebody else's or no row at all changes nothing", async () => {
    const row = await hand().store1("a", NEITHER);
    for (const digested of [false, true]) {
      messages().settle(romeo, [row]);
      messages().settle(nurse, [row]);
      messages().settle(juliet, [0, -1, row + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]);
      expect(await hand().waiting(), String(digested)).toEqual(["a"]);
      await hand().digest();
    }
    expect(await hand().waiting()).toEqual(["a"]);
  });

  test("what no archive has is gone once it is settled", async () => {
    const rows = [await hand().store1("a", NEITHER), await hand().store1("b", NEITHER)];
    messages().settle(juliet, [rows[0] ?? 0]);
    await hand().digest();
    expect((await messages().traces(juliet, 0)).map(bodyOf)).toEqual(["b"]);
    messages().settle(juliet, [rows[1] ?? 0]);
    await hand().digest();
    expect(await messages().traces(juliet, 0)).toEqual([]);
    expect(await messages().traces(romeo, 0)).toEqual([]);
  });

  test("a message to oneself waits, and has one place in the archive", async () => {
    const row = await hand().store1("note", { recipient: romeo, to: romeo });
    for (let round = 0; round < 2; round++) {
      expect(await hand().waiting(romeo)).toEqual(["note"]);
      expect(await hand().page({ owner: romeo })).toEqual(["note"]);
      expect(await hand().page({ owner: romeo, with: { bare: romeo } })).toEqual(["note"]);
      expect((await messages().traces(romeo, 0)).length).toBe(1);
      await hand().digest();
    }
    messages().settle(romeo, [row]);
    expect(await hand().waiting(romeo)).toEqual([]);
  });

  test("nobody waits for what is for nobody here", async () => {
    await hand().store1("a", { recipient: undefined, to: "friend@elsewhere.example" });
    await hand().store1("b", { sender: undefined, from: "friend@elsewhere.example" });
    expect(await hand().waiting()).toEqual(["b"]);
    expect(await hand().page({ owner: romeo, with: { bare: "friend@elsewhere.example" } })).toEqual(["a"]);
    expect(await hand().page({ with: { bare: "friend@elsewhere.example" } })).toEqual(["b"]);
  });

  test("a thousand at once", async () => {
    const rows = await hand().commit(...Array.from({ length: 1000 }, (_, at) => newMessage(String(at))));
    await hand().digest();
    messages().settle(
      juliet,
      rows.filter((row) => row % 10 !== 0),
    );
    expect((await hand().waiting()).length).toBe(100);
    await hand().digest();
    expect(await hand().waiting(juliet, 500, 3)).toEqual(["509", "519", "529"]);
  });
};

const waitsOpen = ({ hand, hold, messages }: Context): void => {
  test("open messages wait; failed ones are taken back", async () => {
    const { unit, kept } = hand().unit(newMessage("a"));
    expect(await hand().waiting()).toEqual(["a"]);
    expect((await messages().waiting(juliet))[0]).toBe(kept[0]);
    await settled(unit.commit());
    await hand().fail(newMessage("b"));
    expect(await hand().waiting()).toEqual(["a"]);
    expect(await hand().page()).toEqual(["a"]);
    await hand().digest();
    expect(await hand().waiting()).toEqual(["a"]);
  });

  test("what is committed first comes first, though it was added later", async () => {
    const release = hold();
    const first = hand().unit(newMessage("a"));
    const second = hand().unit(newMessage("b"));
    const third = hand().unit(newMessage("c"));
    third.unit.commit();
    expect(await hand().waiting()).toEqual(["c", "a", "b"]);
    second.unit.commit();
    expect(await hand().waiting()).toEqual(["c", "b", "a"]);
    const ticket = first.unit.commit();
    expect(await hand().waiting()).toEqual(["c", "b", "a"]);
    release();
    await settled(ticket);
    expect(await hand().waiting()).toEqual(["c", "b", "a"]);
  });

  test("what has arrived before it is stored does not wait then", async () => {
    const release = hold();
    const { unit, kept } = hand().unit(newMessage("a"), newMessage("b", NEITHER), newMessage("c"));
    const ticket = unit.commit();
    messages().settle(juliet, [kept[0]?.row ?? 0, kept[1]?.row ?? 0]);
    messages().settle(romeo, [kept[2]?.row ?? 0]);
    expect(await hand().waiting()).toEqual(["c"]);
    release();
    await settled(ticket);
    expect(await hand().waiting()).toEqual(["c"]);
    await hand().digest();
    expect(await hand().waiting()).toEqual(["c"]);
    expect((await messages().traces(juliet, 0)).map(bodyOf)).toEqual(["a", "c"]);
  });

  test("what is replaced is shown so at once, and not if that fails", async () => {
    const row = await hand().store1("a");
    const { unit } = hand().unit(messages().replace(row, newMessage("tombstone").stanza));
    expect(await hand().waiting()).toEqual(["tombstone"]);
    expect((await messages().find(juliet, [row])).map(bodyOf)).toEqual(["tombstone"]);
    await settled(unit.commit());
    await hand().fail(messages().replace(row, newMessage("other").stanza));
    expect(await hand().waiting()).toEqual(["tombstone"]);
    expect(await hand().page()).toEqual(["tombstone"]);
  });

  test("units that are written soon are in order with the others", async () => {
    const soon = hand().unit(newMessage("a"));
    soon.unit.commit("soon");
    await hand().store1("b");
    expect(await hand().page()).toEqual(["a", "b"]);
  });
};

const keys = ({ hand, hold, messages }: Context): void => {
  const before = async (key: string, account = romeo, since = 0): Promise<RowId | undefined> =>
    messages().sentBefore(account, key, since);

  test("a message is recognised by its key, for its sender alone", async () => {
    expect(await before("k")).toBeUndefined();
    const row = await hand().store1("a", { key: "k" });
    for (let round = 0; round < 2; round++) {
      expect(await before("k")).toBe(row);
      expect(await before("K")).toBeUndefined();
      expect(await before("k", juliet)).toBeUndefined();
      await hand().digest();
      await forgetKeys(hand());
    }
  });

  test("an open one is known, with its row once it has one; a failed one is not", async () => {
    const release = hold();
    await before("k");
    const { unit, kept } = hand().unit(newMessage("a", { key: "k" }));
    expect(await before("k")).toBe(0);
    const ticket = unit.commit();
    expect(await before("k")).toBe(kept[0]?.row);
    release();
    await settled(ticket);
    await hand().fail(newMessage("b", { key: "failed" }));
    expect(await before("failed")).toBeUndefined();
    expect(await before("k")).toBe(kept[0]?.row);
  });

  test("only since a time", async () => {
    const { clock } = hand();
    clock.now = 1000;
    const row = await hand().store1("a", { key: "k" });
    clock.now = 9000;
    expect(await before("k", romeo, 1001)).toBeUndefined();
    expect(await before("k", romeo, 1000)).toBe(row);
    const again = await hand().store1("b", { key: "k" });
    expect(await before("k", romeo, 1001)).toBe(again);
    expect(await before("k", romeo, 10)).toBe(again);
  });

  test("a key that is forgotten is new again, unless forgetting failed", async () => {
    const row = await hand().store1("a", { key: "k" });
    await hand().fail(messages().forgetKey(romeo, row));
    expect(await before("k")).toBe(row);
    await hand().commit(messages().forgetKey(juliet, row));
    await forgetKeys(hand());
    expect(await before("k")).toBe(row);
    const { unit } = hand().unit(messages().forgetKey(romeo, row));
    expect(await before("k")).toBeUndefined();
    await forgetKeys(hand());
    expect(await before("k")).toBeUndefined();
    await settled(unit.commit());
    await forgetKeys(hand());
    expect(await before("k")).toBeUndefined();
  });

  test("of each sender the newest are known", async () => {
    const rows = await hand().commit(
      ...Array.from({ length: 300 }, (_, at) => newMessage(String(at), { key: `k${at}` })),
    );
    for (let round = 0; round < 2; round++) {
      expect(await before("k299")).toBe(rows[299]);
      expect(await before("k44")).toBe(rows[44]);
      expect(await before("k43")).toBeUndefined();
      await hand().digest();
      await forgetKeys(hand());
    }
  });

  test("any text is a key", async () => {
    for (const key of ["", "'", "\0", "k".repeat(10_000), "__proto__", "é"]) {
      expect(await before(key), key.slice(0, 9)).toBeUndefined();
      const row = await hand().store1("a", { key });
      expect(await before(key)).toBe(row);
      await forgetKeys(hand());
      expect(await before(key)).toBe(row);
    }
  });
};
/** What is known of the sender's keys is read again. */
const forgetKeys = (hand: Hand): Promise<void> => hand.fail(newMessage("gone", { key: "gone", waits: false }));

const streams = ({ hand, hold, messages }: Context): void => {
  const place = (number: number, stream = "s1"): Delivery => ({ stream, number, as: "plain" });
  const traces = async (account = juliet, after = 0): Promise<unknown[]> =>
    (await messages().traces(account, after)).map((trace) => [bodyOf(trace), trace.origin, trace.deliveries]);

  test("what was sent on streams is told with each message", async () => {
    const origin = { stream: "o1", number: 2 ** 33 };
    const { unit, kept } = hand().unit(newMessage("a", { origin }), newMessage("b", NEITHER));
    kept[0]?.deliveries.push(place(1), { stream: "s2", number: 7, as: "carbon" });
    await settled(unit.commit());
    await hand().commit(messages().delivered(kept[1]?.row ?? 0, place(2)));
    for (let round = 0; round < 2; round++) {
      const expected = [
        ["a", origin, [place(1), { stream: "s2", number: 7, as: "carbon" }]],
        ["b", undefined, [place(2)]],
      ];
      expect(await traces()).toEqual(expected);
      expect(await traces(romeo)).toEqual(expected);
      expect(await traces(nurse)).toEqual([]);
      expect(await traces(juliet, kept[0]?.row)).toEqual(expected.slice(1));
      expect(await traces(juliet, kept[1]?.row)).toEqual([]);
      await hand().digest();
    }
  });

  test("a stream's places are forgotten up to a number, or all of them", async () => {
    const row = await hand().store1("a");
    await hand().commit(...[1, 2, 3].map((number) => messages().delivered(row, place(number))));
    await hand().commit(messages().delivered(row, place(1, "s2")));
    await hand().commit(messages().forget("s1", 2));
    expect(await traces()).toEqual([["a", undefined, [place(3), place(1, "s2")]]]);
    await hand().fail(messages().forget("s1"));
    await hand().commit(messages().forget("s1"), messages().forget("s0"));
    expect(await traces()).toEqual([["a", undefined, [place(1, "s2")]]]);
  });

  test("a place that is given again is the new message's; a row that is none has none", async () => {
    const rows = [await hand().store1("a"), await hand().store1("b")];
    await hand().commit(messages().delivered(rows[0] ?? 0, place(1)), messages().delivered(99, place(2)));
    await hand().commit(messages().delivered(rows[1] ?? 0, place(1)));
    expect(await traces()).toEqual([
      ["a", undefined, []],
      ["b", undefined, [place(1)]],
    ]);
  });

  test("wait for what was being committed when they were asked for", async () => {
    const release = hold();
    hand().unit(newMessage("a")).unit.commit();
    const asked = traces();
    release();
    expect(await asked).toEqual([["a", undefined, []]]);
  });
};

const pages = ({ hand, hold, messages }: Context): void => {
  const BODIES = Array.from({ length: 10 }, (_, at) => `m${at}`);
  const rows: RowId[] = [];
  beforeEach(async () => {
    rows.length = 0;
    rows.push(...(await hand().commit(...BODIES.slice(0, 4).map((body) => newMessage(body)))));
    await hand().digest();
    rows.push(...(await hand().commit(...BODIES.slice(4, 8).map((body) => newMessage(body)))));
    for (const body of BODIES.slice(8)) rows.push(await hand().store1(body));
  });

  test.each([1, 3, 4, 5, 9, 10, 11])("from either end, %d at a time, each message once and in order", async (limit) => {
    const forward: string[] = [];
    let after = 0;
    for (let isComplete = false; !isComplete; ) {
      const page = await messages().page(queryOf({ limit, page: { after } }));
      forward.push(...page.messages.map(bodyOf));
      after = page.messages.at(-1)?.row ?? after;
      isComplete = page.isComplete;
    }
    expect(forward).toEqual(BODIES);
    const backward: string[] = [];
    let before = Number.MAX_SAFE_INTEGER;
    for (let isComplete = false; !isComplete; ) {
      const page = await messages().page(queryOf({ owner: romeo, from: "newest", limit, page: { before } }));
      backward.unshift(...page.messages.map(bodyOf));
      before = page.messages[0]?.row ?? before;
      isComplete = page.isComplete;
    }
    expect(backward).toEqual(BODIES);
  });

  test("counted: all that match, and those before the page", async () => {
    for (const limit of [1, 3, 10, 20]) {
      const first = await messages().page(queryOf({ limit, counted: true }));
      expect([first.count, first.index, first.isComplete]).toEqual([10, 0, limit >= 10]);
      const last = await messages().page(queryOf({ limit, counted: true, from: "newest" }));
      expect([last.count, last.index]).toEqual([10, Math.max(0, 10 - limit)]);
      const middle = await messages().page(queryOf({ limit, counted: true, page: { after: rows[4] ?? 0 } }));
      expect([middle.count, middle.index]).toEqual([10, 5]);
      const filtered = await messages().page(queryOf({ limit, counted: true, after: rows[4] ?? 0 }));
      expect([filtered.count, filtered.index]).toEqual([5, 0]);
    }
    const none = await messages().page(queryOf({ limit: 0, counted: true }));
    expect(none).toEqual({ messages: [], isComplete: false, count: 10 });
    const nobody = await messages().page(queryOf({ owner: nurse, counted: true }));
    expect(nobody).toEqual({ messages: [], isComplete: true, count: 0 });
  });

  test("wait for what was being committed when they were asked for, and show nothing of what fails", async () => {
    const release = hold();
    hand().unit(newMessage("late")).unit.commit();
    const asked = hand().page({ from: "newest", limit: 1 });
    release();
    expect(await asked).toEqual(["late"]);
  });

  test("bounds are the oldest and the newest", async () => {
    const [oldest, newest] = [rows[0] ?? 0, rows[9] ?? 0];
    const { now } = hand().clock;
    expect(await messages().bounds(juliet)).toEqual({
      oldest: { row: oldest, stamp: now },
      newest: { row: newest, stamp: now },
    });
    expect(await messages().bounds(nurse)).toBeUndefined();
    await hand().store1("x", { isArchived: { sent: true, received: false } });
    expect((await messages().bounds(juliet))?.newest.row).toBe(newest);
    expect((await messages().bounds(romeo))?.newest.row).toBe(newest + 1);
  });

  test("hostile numbers select nothing, or everything, and break nothing", async () => {
    const count = async (query: Partial<ArchiveQuery>): Promise<number> => (await hand().page(query)).length;
    for (const far of [Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(await count({ after: far })).toBe(0);
      expect(await count({ before: far, end: far })).toBe(10);
      expect(await count({ start: far })).toBe(0);
      expect(await count({ limit: far })).toBe(10);
    }
    for (const low of [-1, 0, -(2 ** 60), Number.NEGATIVE_INFINITY]) {
      expect(await count({ after: low, start: low })).toBe(10);
      expect(await count({ before: low })).toBe(0);
      expect(await count({ end: low })).toBe(0);
      expect(await count({ limit: low })).toBe(0);
    }
    for (const query of [{ after: Number.NaN }, { before: Number.NaN }, { start: Number.NaN }, { end: Number.NaN }])
      expect(await count(query), JSON.stringify(Object.keys(query))).toBe(0);
    expect(await count({ rows: [Number.NaN, -1, 0.5, 2 ** 60, rows[3] ?? 0, rows[3] ?? 0] })).toBe(1);
  });
};

const filters = ({ hand, messages }: Context): void => {
  const both = async (query: Partial<ArchiveQuery>): Promise<string[]> => {
    const fresh = await hand().page(query);
    expect((await messages().page(queryOf({ ...query, counted: true }))).count).toBe(fresh.length);
    await hand().digest();
    expect(await hand().page(query)).toEqual(fresh);
    expect(await hand().page({ ...query, from: "newest" })).toEqual(fresh);
    expect((await messages().page(queryOf({ ...query, counted: true }))).count).toBe(fresh.length);
    return fresh;
  };

  test("each archive shows what it has, and no other", async () => {
    await hand().store1("both");
    await hand().store1("sent", { isArchived: { sent: true, received: false } });
    await hand().store1("received", { isArchived: { sent: false, received: true } });
    await hand().store1("neither", NEITHER);
    expect(await both({ owner: romeo })).toEqual(["both", "sent"]);
    expect(await both({ owner: juliet })).toEqual(["both", "received"]);
    expect(await both({ owner: nurse })).toEqual([]);
  });

  test("XEP-0313 §4.1.1: with an address, either way", async () => {
    await hand().store1("to juliet");
    await hand().store1("from juliet", { sender: juliet, recipient: romeo });
    await hand().store1("to nurse", { recipient: nurse });
    const contact = "tybalt@elsewhere.example";
    await hand().store1("from tybalt", { sender: undefined, from: contact, recipient: romeo });
    expect(await both({ owner: romeo, with: { bare: juliet } })).toEqual(["to juliet", "from juliet"]);
    expect(await both({ owner: romeo, with: { bare: nurse } })).toEqual(["to nurse"]);
    expect(await both({ owner: romeo, with: { bare: contact } })).toEqual(["from tybalt"]);
    expect(await both({ owner: romeo, with: { bare: "" } })).toEqual([]);
    expect(await both({ owner: nurse, with: { bare: romeo } })).toEqual(["to nurse"]);
  });

  test("XEP-0313 §4.1.1: with a resource, only what was exchanged with that", async () => {
    const stanza = (from: string, to: string, body: string): Partial<NewMessage> => ({
      stanza: bytes(`<message from='${from}' to='${to}'><body>${body}</body></message>`),
    });
    await hand().store1("", stanza("romeo@example.org/orchard", "juliet@example.org/a&apos;b", "a"));
    await hand().store1("", stanza("romeo@example.org/orchard", "juliet@example.org", "b"));
    const back = { sender: juliet, recipient: romeo };
    await hand().store1("", { ...back, ...stanza("juliet@example.org/a&apos;b", "romeo@example.org/orchard", "c") });
    await hand().store1("", { ...back, ...stanza("juliet@example.org/chamber", "romeo@example.org", "d") });
    const full = (resource: string): NonNullable<ArchiveQuery["with"]> => ({
      bare: juliet,
      full: `juliet@example.org/${resource}`,
    });
    expect(await both({ owner: romeo, with: full("a'b") })).toEqual(["a", "c"]);
    expect(await both({ owner: romeo, with: full("chamber") })).toEqual(["d"]);
    expect(await both({ owner: romeo, with: full("a") })).toEqual([]);
    expect(await hand().page({ owner: romeo, with: full("a'b"), limit: 1, from: "newest" })).toEqual(["c"]);
  });

  test("from and up to a time, both inclusive", async () => {
    const { clock } = hand();
    for (const [body, now] of [
      ["a", 1000],
      ["b", 2000],
      ["c", 2000],
      ["d", 3000],
    ] as const) {
      clock.now = now;
      await hand().store1(body);
    }
    expect(await both({ start: 2000 })).toEqual(["b", "c", "d"]);
    expect(await both({ end: 2000 })).toEqual(["a", "b", "c"]);
    expect(await both({ start: 2000, end: 2000 })).toEqual(["b", "c"]);
    expect(await both({ start: 1000.5, end: 2999.5 })).toEqual(["b", "c"]);
    expect(await both({ start: 3001 })).toEqual([]);
    expect(await both({ start: 2000, end: 1000 })).toEqual([]);
  });

  test("rows: after, before, and those named", async () => {
    const rows: RowId[] = [];
    for (const body of ["a", "b", "c", "d"]) rows.push(await hand().store1(body));
    const at = (place: number): RowId => rows[place] ?? 0;
    expect(await both({ after: at(0), before: at(3) })).toEqual(["b", "c"]);
    expect(await both({ rows: [at(2), at(0), 77] })).toEqual(["a", "c"]);
    expect(await both({ rows: [] })).toEqual([]);
    expect(await both({ rows: rows, after: at(1), with: { bare: romeo } })).toEqual(["c", "d"]);
  });

  test("XEP-0313 §5.1.2: groupchat only on demand", async () => {
    await hand().store1("a");
    await hand().store1("b", { isGroupchat: true });
    expect(await both({})).toEqual(["a"]);
    expect(await both({ withGroupchat: true })).toEqual(["a", "b"]);
    expect(await both({ withGroupchat: true, with: { bare: romeo } })).toEqual(["a", "b"]);
    expect(await both({ with: { bare: romeo } })).toEqual(["a"]);
  });
};

const texts = ({ hand, messages }: Context): void => {
  const store1 = (body: string, more: Partial<NewMessage> = {}): Promise<RowId> =>
    hand().store1(body, { isSearchable: true, ...more });
  const found = async (text: string, query: Partial<ArchiveQuery> = {}): Promise<string[]> =>
    hand().page({ text, ...query });
  /** Until the index of texts is complete, and once it is. */
  const indexed = async (): Promise<void> => {
    await hand().digest();
    while (messages().lag.search > 0) await new Promise((resolve) => setImmediate(resolve));
  };

  test("all words have to be in it, in any order, without case and accents", async () => {
    await store1("Wherefore art thou, Romeo?");
    await store1("What\xe2\x80\x99s in a name? Caf\xc3\xa9");
    await store1("Romeo, Romeo!", { isSearchable: false });
    for (let round = 0; round < 2; round++) {
      expect(await found("romeo ART")).toEqual(["Wherefore art thou, Romeo?"]);
      expect(await found("cafe name")).toEqual(["What\xe2\x80\x99s in a name? Caf\xc3\xa9"]);
      expect(await found("CAFÉ")).toEqual(["What\xe2\x80\x99s in a name? Caf\xc3\xa9"]);
      expect(await found("romeo name")).toEqual([]);
      expect(await found("rome")).toEqual([]);
      expect(await found("body message orchard")).toEqual([]);
      expect((await messages().page(queryOf({ text: "romeo", counted: true }))).count).toBe(1);
      await indexed();
    }
  });

  test("of one's own archive only", async () => {
    await store1("secret", { recipient: nurse });
    await store1("secret too", { isArchived: { sent: true, received: false } });
    for (let round = 0; round < 2; round++) {
      expect(await found("secret")).toEqual([]);
      expect(await found("secret", { owner: nurse })).toEqual(["secret"]);
      expect(await found("secret", { owner: romeo })).toEqual(["secret", "secret too"]);
      expect(await found("secret", { owner: romeo, with: { bare: juliet } })).toEqual(["secret too"]);
      await indexed();
    }
  });

  test("by pages, from either end", async () => {
    for (const body of ["x a", "y b", "x c", "x d"]) await store1(body);
    await indexed();
    for (const body of ["y e", "x f"]) await store1(body);
    expect(await found("x", { limit: 2 })).toEqual(["x a", "x c"]);
    expect(await found("x", { limit: 2, from: "newest" })).toEqual(["x d", "x f"]);
    expect(await found("x", { limit: 10, from: "newest" })).toEqual(["x a", "x c", "x d", "x f"]);
    const page = await messages().page(queryOf({ text: "x", limit: 1, page: { after: 3 }, counted: true }));
    expect([page.messages.map(bodyOf), page.count, page.index]).toEqual([["x d"], 4, 2]);
  });

  test("subjects and every language's body are searched, nothing else", async () => {
    const stanza = bytes(
      "<message from='romeo@example.org/orchard' to='juliet@example.org' id='attribute'><subject>Balcony</subject>" +
        "<body>Night</body><body xml:lang='de'>Nacht &amp; Nebel</body><body xmlns='urn:example:other'>Foreign</body>" +
        "<x xmlns='urn:example:x'><body>Nested</body></x></message>",
    );
    await store1("", { stanza });
    for (let round = 0; round < 2; round++) {
      for (const word of ["balcony", "night", "nacht nebel", "balcony nacht"])
        expect(await found(word), word).toEqual(["Night"]);
      for (const word of ["foreign", "nested", "attribute", "amp", "orchard"])
        expect(await found(word), word).toEqual([]);
      await indexed();
    }
  });

  test("what people type is never a query language", async () => {
    await store1("to be OR not to be");
    const hostile = [
      '"',
      '""',
      "'",
      "be*",
      "b*",
      "be OR romeo",
      "NEAR(be, 2)",
      "be NOT romeo",
      "words : be",
      "owners : be",
      "(be",
      "^be",
      "-romeo",
      "be + or",
      "{a b} : be",
      "\0",
      "\ud83d",
      "*",
      "AND",
      "   ",
      "",
      "x".repeat(100_000),
      "be ".repeat(50_000),
      `o${Buffer.from(juliet).toString("hex")}`,
    ];
    for (let round = 0; round < 2; round++) {
      for (const text of hostile) expect(Array.isArray(await found(text)), text.slice(0, 20)).toBe(true);
      expect(await found("b*")).toEqual([]);
      expect(await found("be OR romeo")).toEqual([]);
      expect(await found("be not romeo")).toEqual([]);
      expect(await found("NOT be")).toEqual(["to be OR not to be"]);
      expect(await found('"to-be" (or) be*')).toEqual(["to be OR not to be"]);
      expect(await found("?!")).toEqual([]);
      expect(await found("")).toEqual([]);
      expect(await found("be ".repeat(50_000))).toEqual(["to be OR not to be"]);
      await indexed();
    }
  });

  test("nothing of what was replaced is found, and its tombstone is not", async () => {
    const rows = [await store1("alpha beta"), await store1("alpha gamma")];
    const early = messages().replace(rows[0] ?? 0, newMessage("tombstone").stanza);
    await hand().commit(early);
    expect(await found("alpha")).toEqual(["alpha gamma"]);
    await indexed();
    expect(await found("alpha")).toEqual(["alpha gamma"]);
    await hand().commit(messages().replace(rows[1] ?? 0, newMessage("tombstone").stanza));
    await hand().commit(messages().replace(rows[1] ?? 0, newMessage("tombstone two").stanza));
    for (let round = 0; round < 2; round++) {
      for (const word of ["alpha", "gamma", "tombstone"]) expect(await found(word), word).toEqual([]);
      await indexed();
    }
    expect(await hand().page()).toEqual(["tombstone", "tombstone two"]);
  });
};

const single = ({ hand, messages }: Context): void => {
  test("rows of the owner's archive are found, oldest first", async () => {
    const rows = [
      await hand().store1("a"),
      await hand().store1("b", { isArchived: { sent: true, received: false } }),
      await hand().store1("c"),
    ];
    const { unit, kept } = hand().unit(newMessage("d"));
    unit.number();
    const find = async (owner = juliet): Promise<string[]> =>
      (await messages().find(owner, [kept[0]?.row ?? 0, 99, -1, Number.NaN, 0.5, ...rows.toReversed(), 1, 1])).map(
        bodyOf,
      );
    expect(await find()).toEqual(["a", "c", "d"]);
    expect(await find(romeo)).toEqual(["a", "b", "c", "d"]);
    expect(await find(nurse)).toEqual([]);
    expect(await messages().find(juliet, [])).toEqual([]);
    await settled(unit.commit());
    await hand().digest();
    expect(await find()).toEqual(["a", "c", "d"]);
  });

  const origin = (id: string): string => `<origin-id xmlns='urn:xmpp:sid:0' id='${id}'/>`;
  const identified = (
    body: string,
    id: string,
    originId?: string,
    more: Partial<NewMessage> = {},
  ): Partial<NewMessage> => {
    const { sender = romeo, recipient = juliet } = more;
    const type = more.isGroupchat === true ? "groupchat" : "chat";
    const rest = originId === undefined ? "" : origin(originId);
    return {
      stanza: bytes(
        `<message from='${sender}/r' to='${recipient}' type='${type}' id='${id}'><body>${body}</body>${rest}</message>`,
      ),
      ...more,
    };
  };
  const byId = async (owner: typeof romeo, with_: string, id: string): Promise<string | undefined> => {
    const found = await messages().findById(owner, with_, id);
    return found === undefined ? undefined : bodyOf(found);
  };

  test("XEP-0424 §5.1: the newest that somebody sent with an id, or else with that origin-id", async () => {
    await hand().store1("", identified("one", "x1"));
    await hand().store1("", identified("two", "x2", "x1"));
    await hand().store1("", identified("three", "x3", "o3"));
    await hand().store1("", identified("four", "x3", "o4", { sender: juliet, recipient: romeo }));
    await hand().store1("", identified("five", "a&apos;&amp;", undefined));
    for (let round = 0; round < 2; round++) {
      for (const owner of [juliet, romeo]) {
        expect(await byId(owner, romeo, "x1")).toBe("one");
        expect(await byId(owner, romeo, "x3")).toBe("three");
        expect(await byId(owner, romeo, "o3")).toBe("three");
        expect(await byId(owner, juliet, "x3")).toBe("four");
        expect(await byId(owner, juliet, "o3")).toBeUndefined();
        expect(await byId(owner, romeo, "a'&")).toBe("five");
        expect(await byId(owner, nurse, "x1")).toBeUndefined();
        for (const id of ["", "x", "one", "'", "%", "\ud83d"]) expect(await byId(owner, romeo, id), id).toBeUndefined();
      }
      expect(await byId(nurse, romeo, "x1")).toBeUndefined();
      await hand().digest();
    }
  });

  test("in a room anybody's id is found", async () => {
    const room = jid("garden@rooms.example.org");
    await hand().store1("", identified("hello", "g1", undefined, { recipient: room, to: room, isGroupchat: true }));
    for (let round = 0; round < 2; round++) {
      expect(await byId(room, romeo, "g1")).toBe("hello");
      await hand().digest();
    }
  });
};

const expiry = ({ hand, messages }: Context): void => {
  test("what is old goes from every archive, or from one; what waits stays", async () => {
    const { clock } = hand();
    const rows: RowId[] = [];
    for (const [body, now] of [
      ["a", 1000],
      ["b", 2000],
      ["c", 3000],
    ] as const) {
      clock.now = now;
      rows.push(await hand().store1(body));
    }
    messages().settle(juliet, [rows[0] ?? 0, rows[2] ?? 0]);
    expect(await messages().expire({ owner: juliet, before: 3000 })).toBe(1);
    expect(await hand().page()).toEqual(["b", "c"]);
    expect(await hand().page({ with: { bare: romeo } })).toEqual(["b", "c"]);
    expect(await hand().page({ owner: romeo })).toEqual(["a", "b", "c"]);
    expect(await messages().expire({ before: 2000 })).toBe(1);
    expect(await hand().page({ owner: romeo })).toEqual(["b", "c"]);
    expect(await hand().waiting()).toEqual(["b"]);
    messages().settle(juliet, [rows[1] ?? 0]);
    expect(await messages().expire({ before: 3001 })).toBe(4);
    expect(await messages().expire({ before: 3001 })).toBe(0);
    for (const owner of [romeo, juliet]) {
      expect(await messages().bounds(owner)).toBeUndefined();
      expect(await messages().traces(owner, 0)).toEqual([]);
      expect(await messages().find(owner, rows)).toEqual([]);
    }
    expect(messages().lastRow).toBe(3);
  });

  test("all but the newest of each owner", async () => {
    for (const body of ["a", "b", "c", "d"]) await hand().store1(body, { waits: false });
    await hand().store1("e", { recipient: nurse, waits: false });
    expect(await messages().expire({ keep: 3 })).toBe(3);
    expect(await hand().page({ owner: romeo })).toEqual(["c", "d", "e"]);
    expect(await hand().page({ owner: juliet })).toEqual(["b", "c", "d"]);
    expect(await hand().page({ owner: nurse })).toEqual(["e"]);
    expect(await messages().expire({ owner: juliet, keep: 1 })).toBe(2);
    expect(await hand().page({ owner: juliet })).toEqual(["d"]);
    expect(await messages().expire({ keep: 0 })).toBe(5);
    expect(await messages().expire({})).toBe(0);
  });

  test("many, in steps that others come between; the words go too", async () => {
    hand().clock.now = 1000;
    await hand().commit(
      ...Array.from({ length: 1300 }, (_, at) => newMessage(`old ${at}`, { waits: false, isSearchable: true })),
    );
    await hand().digest();
    hand().clock.now = 2000;
    const gone = messages().expire({ before: 2000 });
    await hand().store1("new", { isSearchable: true });
    expect(await gone).toBe(2600);
    expect(await hand().page()).toEqual(["new"]);
    expect(await hand().page({ text: "old" })).toEqual([]);
    expect(await hand().page({ text: "new" })).toEqual(["new"]);
  });

  test("a message that one archive still shows can be found there by its words", async () => {
    await hand().store1("lark", { waits: false, isSearchable: true });
    await hand().digest();
    await messages().expire({ owner: juliet, keep: 0 });
    expect(await hand().page({ text: "lark" })).toEqual([]);
    expect(await hand().page({ owner: romeo, text: "lark" })).toEqual(["lark"]);
    await messages().expire({ keep: 0 });
    expect(await hand().page({ owner: romeo, text: "lark" })).toEqual([]);
  });
};

const removal = ({ hand, messages }: Context): void => {
  const remove = (): Write => hand().store.accounts.remove(juliet, 7);

  test("have nothing any more, at once and for good; others keep what is theirs", async () => {
    await hand().store1("a", { key: "k", isSearchable: true });
    await hand().store1("b", { sender: juliet, recipient: romeo, key: "k" });
    await hand().digest();
    const last = await hand().store1("c", { sender: juliet, recipient: nurse });
    await hand().commit(remove());
    for (let round = 0; round < 2; round++) {
      expect(await hand().waiting()).toEqual([]);
      expect(await messages().countWaiting(juliet)).toEqual({ count: 0, bytes: 0 });
      expect(await hand().page()).toEqual([]);
      expect(await hand().page({ with: { bare: romeo } })).toEqual([]);
      expect(await hand().page({ text: "a" })).toEqual([]);
      expect(await messages().bounds(juliet)).toBeUndefined();
      expect(await messages().traces(juliet, 0)).toEqual([]);
      expect(await messages().find(juliet, [1, 2, 3])).toEqual([]);
      expect(await messages().findById(juliet, romeo, "a")).toBeUndefined();
      expect(await messages().sentBefore(juliet, "k", 0)).toBeUndefined();
      expect(await hand().page({ owner: romeo })).toEqual(["a", "b"]);
      expect(await hand().page({ owner: nurse })).toEqual(["c"]);
      expect(await hand().waiting(romeo)).toEqual(["b"]);
      expect(await hand().waiting(nurse)).toEqual(["c"]);
      await hand().digest();
    }
    messages().settle(nurse, [last]);
    await hand().digest();
    expect(await hand().page({ owner: nurse })).toEqual(["c"]);
  });

  test("an account with the same address begins anew", async () => {
    await hand().store1("a");
    await hand().commit(remove());
    await hand().store1("b");
    for (let round = 0; round < 2; round++) {
      expect(await hand().waiting()).toEqual(["b"]);
      expect(await hand().page()).toEqual(["b"]);
      await hand().digest();
    }
  });

  test("open removals hide it, failed ones give it back", async () => {
    await hand().store1("a", { sender: juliet, recipient: juliet, key: "k" });
    await hand().digest();
    await hand().store1("b", { key: "k" });
    const { unit } = hand().unit(remove());
    expect(await hand().waiting()).toEqual([]);
    expect(await messages().countWaiting(juliet)).toEqual({ count: 0, bytes: 0 });
    expect(await messages().find(juliet, [1, 2])).toEqual([]);
    expect(await messages().sentBefore(juliet, "k", 0)).toBeUndefined();
    unit.add({ op: "put", collection: "books", owner: "x", key: "k", value: 1 });
    await hand().fail(remove());
    expect(await hand().waiting()).toEqual([]);
    await settled(unit.commit());
    expect(await hand().waiting()).toEqual([]);
    await hand().store1("c");
    await hand().fail(remove());
    expect(await hand().waiting()).toEqual(["c"]);
    expect(await hand().page()).toEqual(["c"]);
  });
};
