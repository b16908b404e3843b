import { FAULT_POINTS } from "../../../server/src/faults.ts";
import type { Findings, Found } from "./findings.ts";
import type { Ledger, Said } from "./ledger.ts";
import type { ChaosOptions } from "./options.ts";
import type { Kill } from "./plan.ts";

/** A kill as it happened. */
export interface Killed {
  readonly at: Kill["at"];
  readonly isEarly: boolean;
  /** Did it happen where it was to happen? */
  readonly isAsPlanned: boolean;
  /** Devices that were connected. */
  readonly there: number;
  /** Stanzas that were not acknowledged, of all clients together. */
  readonly toServer: number;
  readonly fromServer: number;
}

const MOST_TRACES = 10;
/** How much of what happened around something is told, in milliseconds. */
const BEFORE = 3_000;
const AFTER = 20_000;

/** What a run amounts to. */
export class Report {
  readonly kills: Killed[] = [];
  readonly #options: ChaosOptions;
  readonly #ledger: Ledger;
  readonly #findings: Findings;

  constructor(options: ChaosOptions, ledger: Ledger, findings: Findings) {
    this.#options = options;
    this.#ledger = ledger;
    this.#findings = findings;
  }

  add(killed: Killed): void {
    this.kills.push(killed);
  }

  get violations(): readonly Found[] {
    return this.#findings.violations;
  }

  /** Of all kills, how many came while something was not acknowledged in both directions: 0 to 1. */
  get bothWays(): number {
    const both = this.kills.filter(({ toServer, fromServer }) => toServer > 0 && fromServer > 0);
    return this.kills.length === 0 ? 0 : both.length / this.kills.length;
  }

  /** How many kills there were at each fault point, where they were to be. */
  get byPoint(): Readonly<Record<Kill["at"], number>> {
    const count = (at: Kill["at"]): number => this.kills.filter((kill) => kill.at === at && kill.isAsPlanned).length;
    return Object.fromEntries([...FAULT_POINTS, "any moment" as const].map((at) => [at, count(at)])) as Record<
      Kill["at"],
      number
    >;
  }

  /** Everything in figures. */
  get figures(): Readonly<Record<string, unknown>> {
    const { seed, runtime, breaks } = this.#options;
    const said = [...this.#ledger.all];
    return {
      chaos: runtime,
      seed,
      ...(breaks === undefined ? {} : { breaks }),
      seconds: Math.round(this.#ledger.now / 1000),
      kills: this.kills.length,
      unacknowledgedBothWays: `${Math.round(100 * this.bothWays)} %`,
      byPoint: this.byPoint,
      said: tally(said.map(({ kind }) => kind)),
      ...this.#findings.counts,
      copies: this.#findings.copies,
      violations: tally(this.violations.map(({ violation }) => violation)),
    };
  }

  #meanwhile(said: Said | undefined, at: number): readonly string[] {
    if (said === undefined) return [];
    const { sender, recipient } = said.lane;
    return this.#ledger.between(said.at - BEFORE, Math.min(at, said.at + AFTER), [sender, recipient]);
  }

  /** What must not have happened, with the whole story of the first few of each kind. */
  get stories(): readonly Readonly<Record<string, unknown>>[] {
    const told = new Map<string, number>();
    return this.violations.flatMap(({ violation, what, at, said, before: other }) => {
      const before = told.get(violation) ?? 0;
      told.set(violation, before + 1);
      if (before >= MOST_TRACES) return [];
      return [
        {
          violation,
          what,
          id: said?.id,
          trace: said?.trace,
          before: other?.trace,
          meanwhile: this.#meanwhile(said, at),
        },
      ];
    });
  }
}

const tally = (names: readonly string[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};
