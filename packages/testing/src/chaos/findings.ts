import type { Said } from "./ledger.ts";

/** What must not happen. */
export type Violation =
  /** Acknowledged, and an archive does not have it. */
  | "lost from an archive"
  /** Acknowledged, and a device of somebody it concerns has never been shown it. */
  | "lost from a history"
  /** Stored more than once. */
  | "twice in an archive"
  /** A device was shown what no archive has. */
  | "shown but not archived"
  /** A device was shown it under two ids. */
  | "twice in a history"
  /** A second copy on the wire that could have been avoided. */
  | "needless copy"
  | "out of order"
  /** An error came back for something that should have been taken. */
  | "refused"
  /** A client was not answered as it should have been. */
  | "wrong answer"
  /** The server ended by itself, or logged an error. */
  | "defect";

/** Why a second copy was sent of what a device had had. */
export type Copy =
  /** Its sender did not know whether it had arrived, and nobody keeps it so that it could be recognised. */
  | "sent again"
  /** The device had begun anew, and the server could not know what had come through. */
  | "after binding anew"
  /** It was on its way to another device of the account, which was lost. */
  | "from another device";

export interface Found {
  readonly violation: Violation;
  readonly what: string;
  /** In milliseconds since the run began. */
  readonly at: number;
  readonly said: Said | undefined;
  readonly before: Said | undefined;
}

/** Whatever was noticed in the course of a run. */
export class Findings {
  readonly #now: () => number;
  readonly violations: Found[] = [];
  readonly copies: Record<Copy, number> = { "sent again": 0, "after binding anew": 0, "from another device": 0 };
  /** How often each thing happened that says how hard the run was. */
  readonly counts: Record<string, number> = {};

  /** `now`: milliseconds since the run began. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** `before`: what it should have come before. */
  violated(violation: Violation, what: string, said?: Said, before?: Said): void {
    this.violations.push({ violation, what, at: this.#now(), said, before });
  }

  copied(copy: Copy): void {
    this.copies[copy]++;
  }

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }
}
