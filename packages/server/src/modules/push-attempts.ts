import type { BareJid } from "@kith/protocol";

/** Times in milliseconds. */
export interface AttemptLimits {
  /** An attempt that has not been answered for so long has failed. */
  readonly patience: number;
  /** How long nothing is tried after the first failure; twice as long after each further one, */
  readonly pause: number;
  /** up to this. */
  readonly longestPause: number;
  /** So many failures in a row, and it is given up. */
  readonly failures: number;
}

/** Ten hours of trying, then a service that is away is given up (XEP-0357 §7.1 leaves it to the server). */
export const ATTEMPT_LIMITS: AttemptLimits = {
  patience: 60_000,
  pause: 30_000,
  longestPause: 3_600_000,
  failures: 16,
};

interface Course<Notice> {
  /** When the attempt under way began, if there is one. */
  since: number | undefined;
  /** The latest there is to tell after the attempt under way. */
  next: Notice | undefined;
  failures: number;
  /** Nothing is tried before this. */
  from: number;
}

/**
 * How it goes with telling services that something has come: one attempt at a time for each, what comes meanwhile is told together after
 * it, and one that fails is left alone for a while. Pure: it knows no time but what it is told. In memory only; a restart begins anew.
 */
export class Attempts<Notice> {
  readonly #limits: AttemptLimits;
  readonly #courses = new Map<BareJid, Map<string, Course<Notice>>>();

  constructor(limits: AttemptLimits = ATTEMPT_LIMITS) {
    this.#limits = limits;
  }

  /** "now": it is under way from now on. "later": something is under way, or is not to be tried. "hopeless": given up. */
  begin(account: BareJid, service: string, notice: Notice, now: number): "now" | "later" | "hopeless" {
    const course = this.#course(account, service);
    if (course.since !== undefined && now - course.since < this.#limits.patience) {
      course.next = notice;
      return "later";
    }
    if (course.since !== undefined && this.failed(account, service, now) === "hopeless") return "hopeless";
    if (now < course.from) return "later";
    course.since = now;
    return "now";
  }

  /** Answers what has come meanwhile and is to be told now. */
  succeeded(account: BareJid, service: string): Notice | undefined {
    const next = this.#courses.get(account)?.get(service)?.next;
    this.forget(account, service);
    return next;
  }

  failed(account: BareJid, service: string, now: number): "later" | "hopeless" {
    const course = this.#course(account, service);
    course.since = undefined;
    course.next = undefined;
    course.failures++;
    if (course.failures >= this.#limits.failures) {
      this.forget(account, service);
      return "hopeless";
    }
    course.from = now + Math.min(this.#limits.pause * 2 ** (course.failures - 1), this.#limits.longestPause);
    return "later";
  }

  /** Everything there was to tell has been seen. */
  seen(account: BareJid): void {
    for (const course of this.#courses.get(account)?.values() ?? []) course.next = undefined;
  }

  forget(account: BareJid, service: string): void {
    const courses = this.#courses.get(account);
    courses?.delete(service);
    if (courses?.size === 0) this.#courses.delete(account);
  }

  forgetAll(account: BareJid): void {
    this.#courses.delete(account);
  }

  /** Accounts of which anything is known. */
  get size(): number {
    return this.#courses.size;
  }

  #course(account: BareJid, service: string): Course<Notice> {
    const courses = this.#courses.get(account) ?? new Map<string, Course<Notice>>();
    this.#courses.set(account, courses);
    const course = courses.get(service) ?? { since: undefined, next: undefined, failures: 0, from: 0 };
    courses.set(service, course);
    return course;
  }
}
