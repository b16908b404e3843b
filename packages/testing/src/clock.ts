import type { Timer, Timers } from "@kith/server";

/** Time that stands still until it is moved; timers run out while it is. */
export class ManualClock {
  #now: number;
  readonly #armed = new Map<Timer, number>();
  readonly timers: Timers;

  constructor(start = Date.parse("2031-05-17T09:30:00Z")) {
    this.#now = start;
    const now = this.now;
    const armed = this.#armed;
    this.timers = {
      get now() {
        return now();
      },
      arm: (timer, ms) => void armed.set(timer, now() + ms),
      disarm: (timer) => void armed.delete(timer),
    };
  }

  /** In milliseconds since 1970. */
  readonly now = (): number => this.#now;

  advance(milliseconds: number): void {
    const target = this.#now + milliseconds;
    for (let next = this.#soonest(target); next !== undefined; next = this.#soonest(target)) {
      this.#now = Math.max(this.#now, this.#armed.get(next) ?? 0);
      this.#armed.delete(next);
      next.owner.expired(next);
    }
    this.#now = target;
  }

  #soonest(target: number): Timer | undefined {
    const due = [...this.#armed].filter(([, at]) => at <= target).sort(([, a], [, b]) => a - b);
    return due[0]?.[0];
  }
}
