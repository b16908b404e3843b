/**
 * For tests alone: a server that is started with `KITH_FAULTS` kills itself at a named point, or breaks one of its promises, so that
 * `npm run chaos` can show that nothing is lost, and that it would notice if something were. Without the variable there is nothing here:
 * `faults` is `undefined`, which is decided once, when the process starts.
 */

/** Where a server can be killed most unfortunately. */
export const FAULT_POINTS = ["between read and commit", "after commit, before the write", "after the write"] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

/** A promise that can be broken. */
export const BROKEN_PROMISES = ["acknowledge before commit", "deliver before commit", "gate off"] as const;
export type BrokenPromise = (typeof BROKEN_PROMISES)[number];

/** What `KITH_FAULTS` says, as JSON. */
export interface FaultOrder {
  /** Where the process kills itself with SIGKILL: at the passage with this number, counted from 1, after SIGUSR2 has come. */
  readonly kill?: { readonly at: FaultPoint; readonly passage: number };
  readonly breaks?: BrokenPromise;
  /** A slow disk: how long everything waits before it is committed, in milliseconds. */
  readonly commitsAfter?: number;
}

export class Faults {
  readonly breaks: BrokenPromise | undefined;
  readonly commitsAfter: number | undefined;
  readonly #at: FaultPoint | undefined;
  readonly #kill: () => void;
  #left: number;
  #isArmed = false;

  constructor({ kill, breaks, commitsAfter }: FaultOrder, die: () => void) {
    this.breaks = breaks;
    this.commitsAfter = commitsAfter;
    this.#at = kill?.at;
    this.#left = kill?.passage ?? 0;
    this.#kill = die;
  }

  /** From now on passages count. */
  arm(): void {
    this.#isArmed = true;
  }

  passes(point: FaultPoint): void {
    if (this.#isArmed && point === this.#at && --this.#left === 0) this.#kill();
  }
}

const ordered = (order: string | undefined): Faults | undefined => {
  if (order === undefined) return undefined;
  const ours = new Faults(JSON.parse(order) as FaultOrder, () => process.kill(process.pid, "SIGKILL"));
  process.on("SIGUSR2", () => ours.arm());
  return ours;
};

export const faults: Faults | undefined = ordered(process.env.KITH_FAULTS);
