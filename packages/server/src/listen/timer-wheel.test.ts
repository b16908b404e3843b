import { describe, expect, test } from "vitest";
import { type Expiring, Timer } from "../session/timer.ts";
import { TimerWheel, turn } from "./timer-wheel.ts";

class Noting implements Expiring {
  readonly fired: [Timer, number][] = [];
  readonly wheel: TimerWheel;
  now = 0;
  onExpired: (timer: Timer) => void = () => {};
  constructor(start = 0) {
    this.now = start;
    this.wheel = new TimerWheel(() => this.now);
  }
  expired(timer: Timer): void {
    this.fired.push([timer, this.now]);
    this.onExpired(timer);
  }
  /** Moves time in steps, as a loop with nothing else to do would. */
  pass(ms: number, step = 10): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += Math.min(step, end - this.now);
      this.wheel.advance();
    }
  }
}

describe("timer wheel", () => {
  test.each([0, 1, 49, 50, 51, 999, 25_600, 25_601, 60_000, 3_600_000])(
    "a timer of %i ms is never early and at most a tick late",
    (ms) => {
      for (const start of [0, 12_345.6]) {
        const time = new Noting(start);
        const timer = new Timer(time);
        time.wheel.arm(timer, ms);
        time.pass(ms + 100);
        expect(time.fired).toHaveLength(1);
        const late = (time.fired[0]?.[1] ?? 0) - (start + ms);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(60);
        expect(timer.isArmed).toBe(false);
        expect(time.wheel.size).toBe(0);
      }
    },
  );

  test("arming again puts it off, disarming calls it off", () => {
    const time = new Noting();
    const [kept, dropped] = [new Timer(time), new Timer(time)];
    time.wheel.arm(kept, 100);
    time.wheel.arm(dropped, 100);
    time.pass(90);
    time.wheel.arm(kept, 500);
    time.wheel.disarm(dropped);
    time.wheel.disarm(dropped);
    time.pass(400);
    expect(time.fired).toEqual([]);
    time.pass(200);
    expect(time.fired.map(([timer]) => timer)).toEqual([kept]);
  });

  test("any number of timers in one slot, disarmed in any order", () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 2, 0, 3],
      [2, 0, 3, 1],
    ]) {
      const time = new Noting();
      const timers = Array.from({ length: 4 }, () => new Timer(time));
      for (const timer of timers) time.wheel.arm(timer, 100);
      for (const at of order.slice(0, 3)) time.wheel.disarm(timers[at] as Timer);
      expect(time.wheel.size).toBe(1);
      time.pass(200);
      expect(time.fired.map(([timer]) => timer)).toEqual([timers[order[3] as number]]);
    }
  });

  test("a timer that runs out may arm itself and call off another of the same moment", () => {
    const time = new Noting();
    const [first, second] = [new Timer(time), new Timer(time)];
    time.wheel.arm(first, 100);
    time.wheel.arm(second, 100);
    time.onExpired = (timer) => {
      time.wheel.disarm(timer === first ? second : first);
      if (time.fired.length < 3) time.wheel.arm(timer, 0);
    };
    time.pass(1_000);
    expect(time.fired).toHaveLength(3);
    expect(time.wheel.size).toBe(0);
  });

  test("time that jumps lets everything run out once", () => {
    const time = new Noting();
    const timers = Array.from({ length: 50 }, () => new Timer(time));
    for (const [at, timer] of timers.entries()) time.wheel.arm(timer, at * 1_000);
    time.now = 86_400_000;
    time.wheel.advance();
    expect(time.fired).toHaveLength(50);
    time.wheel.advance();
    expect(time.fired).toHaveLength(50);
  });

  test("time that steps back stops nothing for ever", () => {
    const time = new Noting(100_000);
    const timer = new Timer(time);
    time.now = 50_000;
    time.wheel.arm(timer, 100);
    time.pass(60_000);
    expect(time.fired).toHaveLength(1);
  });

  test("it knows when it is needed next, and is told apart from never", () => {
    const time = new Noting();
    expect(time.wheel.next()).toBeUndefined();
    const timer = new Timer(time);
    time.wheel.arm(timer, 1_234);
    expect(time.wheel.next()).toBe(1_250);
    time.wheel.disarm(timer);
    expect(time.wheel.next()).toBeUndefined();
  });

  test("against a plain list, at random", () => {
    const time = new Noting();
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    const timers = Array.from({ length: 40 }, () => new Timer(time));
    const due = new Map<Timer, number>();
    time.onExpired = (timer) => {
      const expected = due.get(timer) ?? Number.NaN;
      expect(time.now - expected).toBeGreaterThanOrEqual(0);
      expect(time.now - expected).toBeLessThanOrEqual(60);
      due.delete(timer);
    };
    for (let step = 0; step < 5_000; step++) {
      const timer = timers[random(timers.length)] as Timer;
      if (random(3) === 0) {
        time.wheel.disarm(timer);
        due.delete(timer);
      } else {
        const ms = random(40_000);
        time.wheel.arm(timer, ms);
        due.set(timer, time.now + ms);
      }
      time.pass(random(100));
      expect(time.wheel.size).toBe(due.size);
    }
  });
});

test("turned by real time, it runs out by itself, the sooner the first", async () => {
  const wheel = new TimerWheel(() => performance.now());
  const turning = turn(wheel);
  const fired: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const noting = (name: string): Expiring => ({ expired: () => void (fired.push(name) === 2 && resolve()) });
  wheel.arm(new Timer(noting("later")), 120);
  wheel.arm(new Timer(noting("sooner")), 10);
  // Nothing but this keeps the process: the wheel does not.
  const keeping = setInterval(() => {}, 1_000);
  await promise;
  clearInterval(keeping);
  turning.stop();
  expect(fired).toEqual(["sooner", "later"]);
});
