import type { StreamError } from "@kith/protocol";
import { expect, test } from "vitest";
import { Backlogs, type Waited } from "./backlogs.ts";

const KIB = 1_024;
const LIMITS = { each: 1_000 * KIB, all: 4_000 * KIB };

/** Somebody who reads when told to. */
class Reader implements Waited {
  backlog = 0;
  readonly ended: string[] = [];
  isDestroyed = false;
  readonly transport = {
    destroy: (): void => {
      this.isDestroyed = true;
    },
  };
  close(error: StreamError): void {
    this.ended.push(error.condition);
  }
}

/** Turns of the loop that are moved by hand. */
class Loop {
  readonly backlogs: Backlogs;
  #looks: (() => void)[] = [];
  constructor(limits = LIMITS) {
    this.backlogs = new Backlogs(limits, (look) => this.#looks.push(look));
  }
  append(reader: Reader, bytes: number): void {
    reader.backlog += bytes;
    this.backlogs.grew(reader, bytes);
  }
  /** The kernel has been asked to take what waits. */
  turn(): void {
    const looks = this.#looks;
    this.#looks = [];
    for (const look of looks) look();
  }
  get isWaiting(): boolean {
    return this.#looks.length > 0;
  }
}

test("RFC 6120 §4.9.3.14: too much that the kernel was offered and has not taken ends the stream", () => {
  const loop = new Loop();
  const reader = new Reader();
  loop.append(reader, 900 * KIB);
  loop.turn();
  expect(reader.ended).toEqual([]);
  loop.append(reader, 200 * KIB);
  expect(reader.ended).toEqual([]);
  loop.turn();
  expect(reader.ended).toEqual(["policy-violation"]);
  // What waits may still be read for a while.
  expect(reader.isDestroyed).toBe(false);
});

test("more than may wait, appended in one turn, is no fault of somebody who reads it", () => {
  const loop = new Loop();
  const reader = new Reader();
  loop.append(reader, 1_900 * KIB);
  reader.backlog = 0;
  loop.turn();
  expect([reader.ended, loop.backlogs.size]).toEqual([[], 0]);
});

test("whoever makes progress has as long as it takes, and is judged again when nothing more is taken", () => {
  const loop = new Loop();
  const reader = new Reader();
  loop.append(reader, 1_900 * KIB);
  for (let turn = 0; turn < 5; turn++) {
    reader.backlog -= 100 * KIB;
    loop.turn();
  }
  expect(reader.ended).toEqual([]);
  loop.turn();
  expect(reader.ended).toEqual(["policy-violation"]);
});

test("RFC 6120 §13.12: twice what may wait is too much at once", () => {
  const loop = new Loop();
  const reader = new Reader();
  for (let at = 0; at < 21; at++) loop.append(reader, 100 * KIB);
  expect(reader.ended).toEqual(["policy-violation"]);
});

test("RFC 6120 §13.12: too much for all together ends those for whom most is waiting, at once, and no others", () => {
  const loop = new Loop();
  const readers = Array.from({ length: 10 }, () => new Reader());
  for (const [at, reader] of readers.entries()) loop.append(reader, (900 - 100 * at) * KIB);
  loop.turn();
  // 4,500 KiB in all; an eighth of 4,000 is to be left over.
  expect(readers.map(({ isDestroyed }) => isDestroyed).indexOf(false)).toBe(2);
  expect(readers.slice(2).flatMap(({ ended }) => ended)).toEqual([]);
  const late = new Reader();
  loop.append(late, 400 * KIB);
  loop.turn();
  expect(readers.slice(2).flatMap(({ ended }) => ended)).toEqual([]);
});

test("RFC 6120 §13.12: one turn in which everybody gets a lot ends nobody, where it is taken", () => {
  const loop = new Loop();
  const readers = Array.from({ length: 60 }, () => new Reader());
  for (const reader of readers) loop.append(reader, 100 * KIB);
  for (const reader of readers) reader.backlog = 0;
  loop.turn();
  expect(readers.flatMap(({ ended }) => ended)).toEqual([]);
  for (const reader of readers) loop.append(reader, 10 * KIB);
  expect(loop.backlogs.size).toBe(0);
});

test("what waits now and then is not looked at, and whoever is gone is not held", () => {
  const loop = new Loop();
  const reader = new Reader();
  loop.append(reader, 64 * KIB);
  expect([loop.isWaiting, loop.backlogs.size]).toEqual([false, 0]);
  loop.append(reader, 1);
  expect([loop.isWaiting, loop.backlogs.size]).toEqual([true, 1]);
  loop.backlogs.forget(reader);
  loop.turn();
  expect([reader.ended, loop.backlogs.size]).toEqual([[], 0]);
});
