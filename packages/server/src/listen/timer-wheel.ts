import type { Timer, Timers } from "../session/timer.ts";

/** How finely time is cut, in milliseconds. */
const TICK = 50;
/** Slots of the wheel; a timer further away than one turn stays where it is for several. */
const SLOTS = 512;

interface Slot {
  first: Timer | undefined;
}

/**
 * All timeouts of all connections: arming and disarming cost the same however many there are, and nothing ticks for a
 * timer that is far away. Time is handed in.
 */
export class TimerWheel implements Timers {
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => ({ first: undefined }));
  readonly #read: () => number;
  /** The latest tick that has been let run out. */
  #tick: number;
  #size = 0;
  /** Called when a timer is armed that runs out before any other. */
  onSooner: () => void = () => {};
  #soonest = Number.POSITIVE_INFINITY;

  /** @param read monotonic time in milliseconds */
  constructor(read: () => number) {
    this.#read = read;
    this.#tick = Math.floor(read() / TICK);
  }

  get now(): number {
    return this.#read();
  }

  /** How many timers are armed. */
  get size(): number {
    return this.#size;
  }

  arm(timer: Timer, ms: number): void {
    this.disarm(timer);
    // At the end of the tick it falls into, so never too early; and not in a tick that is over: that would be a turn away.
    timer.due = Math.max(Math.ceil((this.now + ms) / TICK), this.#tick + 1);
    this.#link(timer);
    this.#size++;
    if (timer.due >= this.#soonest) return;
    this.#soonest = timer.due;
    this.onSooner();
  }

  disarm(timer: Timer): void {
    const { previous, next } = timer;
    if (previous === undefined) return;
    const slot = this.#slotOf(timer);
    if (slot.first === timer) slot.first = next;
    else previous.next = next;
    // The first of a slot points back at itself, which is what makes it armed.
    if (next !== undefined) next.previous = slot.first === next ? next : previous;
    timer.next = undefined;
    timer.previous = undefined;
    this.#size--;
  }

  /** Lets everything run out that is due at the time read now. */
  advance(): void {
    const target = Math.floor(this.now / TICK);
    if (target - this.#tick >= SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      this.#expire(this.#slots[this.#tick % SLOTS] as Slot);
    }
    this.#soonest = Number.POSITIVE_INFINITY;
  }

  /** When `advance` is next needed, in the time of `now`; `undefined` while nothing is armed. */
  next(): number | undefined {
    if (this.#size === 0) return undefined;
    for (let tick = this.#tick + 1; tick <= this.#tick + SLOTS; tick++) {
      if (this.#slots[tick % SLOTS]?.first === undefined) continue;
      this.#soonest = tick;
      return tick * TICK;
    }
    return undefined;
  }

  #slotOf(timer: Timer): Slot {
    return this.#slots[timer.due % SLOTS] as Slot;
  }

  #link(timer: Timer): void {
    const slot = this.#slotOf(timer);
    timer.next = slot.first;
    timer.previous = timer;
    if (slot.first !== undefined) slot.first.previous = timer;
    slot.first = timer;
  }

  /** Timers that run out may arm and disarm others, in this slot too. */
  #expire(slot: Slot): void {
    const due: Timer[] = [];
    for (let timer = slot.first; timer !== undefined; timer = timer.next) if (timer.due <= this.#tick) due.push(timer);
    for (const timer of due) {
      if (!timer.isArmed || timer.due > this.#tick) continue;
      this.disarm(timer);
      timer.owner.expired(timer);
    }
  }
}

/** Turns the wheel with real time, waking only when something is due. Does not keep the process alive. */
export const turn = (wheel: TimerWheel): { stop(): void } => {
  let alarm: NodeJS.Timeout | undefined;
  const wind = (): void => {
    clearTimeout(alarm);
    const next = wheel.next();
    alarm = next === undefined ? undefined : setTimeout(ring, Math.max(1, Math.ceil(next - wheel.now))).unref();
  };
  const ring = (): void => {
    wheel.advance();
    wind();
  };
  wheel.onSooner = wind;
  wind();
  return {
    stop: () => {
      wheel.onSooner = () => {};
      clearTimeout(alarm);
    },
  };
};
