/** What several runs say together. */
import { FAULTS, type FigureName } from "./figures.ts";
import type { Run } from "./run.ts";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** `undefined` of nothing. */
export const spreadOf = (values: readonly number[]): Spread | undefined => {
  const sorted = values.toSorted((one, other) => one - other);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const middle = (sorted.length - 1) / 2;
  const [below, above] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  if (min === undefined || max === undefined || below === undefined || above === undefined) return undefined;
  return { median: (below + above) / 2, min, max };
};

/** All runs of one contender in one scenario. */
export class Series {
  readonly runs: readonly Run[];
  readonly #first: Run;

  constructor(first: Run, more: readonly Run[]) {
    this.#first = first;
    this.runs = [first, ...more];
  }

  get scenario(): Pick<Run, "scenario" | "title" | "unit"> {
    return this.#first;
  }

  get contender(): Pick<Run, "contender" | "contenderTitle" | "version"> {
    return this.#first;
  }

  spread(figure: FigureName): Spread | undefined {
    return spreadOf(this.runs.flatMap(({ figures }) => figures[figure] ?? []));
  }

  /** Did the generator itself stand in the way in one of the runs? Throughput then says little about the server. */
  get isGeneratorBound(): boolean {
    return this.runs.some(({ figures }) => (figures.generatorPercent ?? 0) > GENERATOR_LIMIT);
  }

  /** What must not be, such as lost messages: how many in all runs. */
  get faults(): readonly (readonly [name: string, count: number])[] {
    return FAULTS.flatMap((name) => {
      const count = this.runs.reduce((sum, { figures }) => sum + (figures[name] ?? 0), 0);
      return count === 0 ? [] : [[name, count] as const];
    });
  }
}

/** Percent of its core. */
export const GENERATOR_LIMIT = 90;

/** By scenario (its title, since sizes may differ) and contender, in the order in which they come first. */
export const seriesOf = (runs: readonly Run[]): readonly Series[] => {
  const groups = Map.groupBy(runs, ({ title, contender }) => `${title}\n${contender}`);
  return [...groups.values()].flatMap(([first, ...more]) => (first === undefined ? [] : [new Series(first, more)]));
};
