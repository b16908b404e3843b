/** What is told when a timer runs out. */
export interface Expiring {
  expired(timer: Timer): void;
}

/**
 * One deadline, to be armed again and again. It is itself the link in the list it waits in, so arming allocates nothing
 * and an idle connection owns no timer of the runtime.
 */
export class Timer {
  readonly owner: Expiring;
  /** When it runs out, as its `Timers` counts. */
  due = 0;
  next: Timer | undefined = undefined;
  previous: Timer | undefined = undefined;

  constructor(owner: Expiring) {
    this.owner = owner;
  }

  get isArmed(): boolean {
    return this.previous !== undefined;
  }
}

/** Time as streams see it: monotonic, in milliseconds, moved by hand in tests. */
export interface Timers {
  readonly now: number;
  /** Lets `timer` run out `ms` from now, instead of whenever it was going to. */
  arm(timer: Timer, ms: number): void;
  disarm(timer: Timer): void;
}

/** Settles `ms` from now. */
export const elapsed = (timers: Timers, ms: number): Promise<void> =>
  new Promise((resolve) => timers.arm(new Timer({ expired: () => resolve() }), ms));
