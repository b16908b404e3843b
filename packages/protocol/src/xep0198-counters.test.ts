import fc from "fast-check";
import { expect, test } from "vitest";
import { onWire, ReceivedCount, SentQueue } from "./xep0198-counters.ts";

const WRAP = 2 ** 32;

test("XEP-0198 §4: a count is told modulo 2^32", () => {
  expect([0, 1, WRAP - 1, WRAP, WRAP + 1, 3 * WRAP + 7].map(onWire)).toEqual([0, 1, WRAP - 1, 0, 1, 7]);
});

test("XEP-0198 §4: what is acknowledged leaves the queue, oldest first", () => {
  const queue = new SentQueue<string>();
  expect(["a", "b", "c"].map((item) => queue.append(item))).toEqual([1, 2, 3]);
  expect(queue.acknowledge(0)).toEqual([]);
  expect(queue.acknowledge(2)).toEqual(["a", "b"]);
  expect(queue.unacknowledged).toEqual(["c"]);
  expect([queue.sequence, queue.acknowledged, queue.length]).toEqual([3, 2, 1]);
  expect(queue.acknowledge(3)).toEqual(["c"]);
  expect(queue.unacknowledged).toEqual([]);
});

test("XEP-0198 §4: a number from before acknowledges nothing", () => {
  const queue = new SentQueue<string>();
  for (const item of ["a", "b", "c"]) queue.append(item);
  queue.acknowledge(2);
  expect(queue.acknowledge(1)).toEqual([]);
  expect(queue.acknowledge(0)).toEqual([]);
  expect(queue.unacknowledged).toEqual(["c"]);
});

test.each([4, 5, 1000, 2 ** 31, WRAP - 1])("XEP-0198 §6: %d is more than the three that were sent", (h) => {
  const queue = new SentQueue<string>();
  for (const item of ["a", "b", "c"]) queue.append(item);
  queue.acknowledge(1);
  expect(queue.acknowledge(h)).toBe("too-high");
  expect(queue.unacknowledged).toEqual(["b", "c"]);
  expect(queue.acknowledged).toBe(1);
});

test("XEP-0198 §6: an acknowledgement before anything was sent", () => {
  expect(new SentQueue().acknowledge(0)).toEqual([]);
  expect(new SentQueue().acknowledge(1)).toBe("too-high");
  expect(new SentQueue().acknowledge(WRAP - 1)).toBe("too-high");
});

test("XEP-0198 §4: the number goes round after 2^32-1", () => {
  const queue = new SentQueue<string>(WRAP - 2);
  for (const item of ["a", "b", "c", "d"]) queue.append(item);
  expect(queue.sequence).toBe(WRAP + 2);
  expect(queue.acknowledge(WRAP - 1)).toEqual(["a"]);
  expect(queue.acknowledge(1)).toEqual(["b", "c"]);
  expect(queue.acknowledge(WRAP - 3)).toEqual([]);
  expect(queue.acknowledge(3)).toBe("too-high");
  // Half the circle away, ahead and behind cannot be told apart by the number; ahead is what must not pass.
  expect(queue.acknowledge(2 ** 31 + 1)).toBe("too-high");
  expect(queue.acknowledge(2)).toEqual(["d"]);
});

test("XEP-0198 §5: what was not acknowledged is a copy", () => {
  const queue = new SentQueue<string>();
  queue.append("a");
  const { unacknowledged } = queue;
  queue.append("b");
  queue.acknowledge(2);
  expect(unacknowledged).toEqual(["a"]);
});

/** What a queue should be: everything that was sent, and how much of it is acknowledged. */
class SentModel {
  readonly queue: SentQueue<number>;
  readonly #start: number;
  readonly #sent: number[] = [];
  #acknowledged: number;

  constructor(start: number) {
    this.queue = new SentQueue(start);
    this.#start = start;
    this.#acknowledged = start;
  }

  append(count: number): void {
    for (let left = count; left > 0; left--) {
      const number = this.#start + this.#sent.length + 1;
      this.#sent.push(number);
      expect(this.queue.append(number)).toBe(number);
    }
  }

  /** By how much more than before; less than nothing repeats what was said before. */
  acknowledge(more: number): void {
    const upTo = Math.max(0, this.#acknowledged + more);
    const got = this.queue.acknowledge(upTo % WRAP);
    if (upTo > this.#start + this.#sent.length) {
      expect(got).toBe("too-high");
    } else {
      const before = this.#acknowledged;
      this.#acknowledged = Math.max(before, upTo);
      expect(got).toEqual(this.#sent.slice(before - this.#start, this.#acknowledged - this.#start));
    }
  }

  check(): void {
    const { queue } = this;
    expect(queue.unacknowledged).toEqual(this.#sent.slice(this.#acknowledged - this.#start));
    expect([queue.sequence, queue.acknowledged]).toEqual([this.#start + this.#sent.length, this.#acknowledged]);
  }
}

test("XEP-0198 §4: a queue is a list of which the beginning is acknowledged", () => {
  const starts = fc.oneof(fc.nat(5), fc.integer({ min: WRAP - 200, max: WRAP + 200 }), fc.constant(5 * WRAP - 40));
  const appending = fc.nat(70).map((count) => (model: SentModel) => model.append(count));
  const acknowledging = fc.integer({ min: -3, max: 80 }).map((more) => (model: SentModel) => model.acknowledge(more));
  fc.assert(
    fc.property(starts, fc.array(fc.oneof(appending, acknowledging), { maxLength: 60 }), (start, steps) => {
      const model = new SentModel(start);
      for (const step of steps) {
        step(model);
        model.check();
      }
    }),
  );
});

test("XEP-0198 §4: a long queue is not copied for every acknowledgement", () => {
  const queue = new SentQueue<number>();
  const size = 200_000;
  for (let item = 1; item <= size; item++) queue.append(item);
  let next = 1;
  for (let h = 1; h <= size; h++) {
    queue.append(size + h);
    const [item] = queue.acknowledge(h) as readonly number[];
    if (item === next) next++;
  }
  expect(next).toBe(size + 1);
  expect(queue.length).toBe(size);
});

test("XEP-0198 §4: the number goes up as stanzas are handled", () => {
  const received = new ReceivedCount();
  expect([received.h, received.isSettled]).toEqual([0, true]);
  received.count();
  const slot = received.begin();
  expect([received.h, received.isSettled, received.received]).toEqual([1, false, 2]);
  received.settle(slot);
  expect([received.h, received.isSettled, received.handled]).toEqual([2, true, 2]);
});

test("XEP-0198 §4: it does not go past one that is not handled yet", () => {
  const received = new ReceivedCount();
  const [first, second, third] = [received.begin(), received.begin(), received.begin()];
  received.count();
  received.settle(third);
  expect(received.h).toBe(0);
  received.settle(first);
  expect(received.h).toBe(1);
  received.settle(second);
  expect([received.h, received.isSettled]).toEqual([4, true]);
});

test("XEP-0198 §4: what is settled again, or never began, changes nothing", () => {
  const received = new ReceivedCount();
  const first = received.begin();
  const second = received.begin();
  received.settle(second);
  received.settle(second);
  received.settle(3);
  received.settle(first);
  received.settle(first);
  received.settle(0);
  expect([received.h, received.received]).toEqual([2, 2]);
  received.settle(3);
  expect([received.h, received.received]).toEqual([2, 2]);
});

test("XEP-0198 §4, §5: it goes on from a number that was kept, and round after 2^32-1", () => {
  const received = new ReceivedCount(WRAP - 1);
  expect(received.h).toBe(WRAP - 1);
  received.count();
  expect([received.h, received.handled]).toEqual([0, WRAP]);
  received.count();
  expect([received.h, received.handled]).toEqual([1, WRAP + 1]);
});

/** What a count should be: the stanzas, each handled or not. */
class ReceivedModel {
  readonly count: ReceivedCount;
  readonly #start: number;
  readonly #handled: boolean[] = [];

  constructor(start: number) {
    this.count = new ReceivedCount(start);
    this.#start = start;
  }

  begin(): void {
    expect(this.count.begin()).toBe(this.#start + this.#handled.push(false));
  }

  countOne(): void {
    this.count.count();
    this.#handled.push(true);
  }

  /** One of those that are open, if any. */
  settle(which: number): void {
    const open = this.#handled.flatMap((done, at) => (done ? [] : [at]));
    const at = open[which % open.length];
    if (at === undefined) return;
    this.#handled[at] = true;
    this.count.settle(this.#start + at + 1);
  }

  check(): void {
    const beginning = [...this.#handled, false].indexOf(false);
    expect(this.count.handled).toBe(this.#start + beginning);
    expect(this.count.h).toBe((this.#start + beginning) % WRAP);
    expect(this.count.isSettled).toBe(beginning === this.#handled.length);
  }
}

test("XEP-0198 §4: in whatever order stanzas are handled, the number is the length of the handled beginning", () => {
  const step = fc.oneof(
    fc.constant((model: ReceivedModel) => model.begin()),
    fc.constant((model: ReceivedModel) => model.countOne()),
    fc.nat(12).map((which) => (model: ReceivedModel) => model.settle(which)),
  );
  fc.assert(
    fc.property(fc.constantFrom(0, 9, WRAP - 5), fc.array(step, { maxLength: 80 }), (start, steps) => {
      const model = new ReceivedModel(start);
      for (const step of steps) {
        step(model);
        model.check();
      }
    }),
  );
});
