/** What a server process held, over time, and whether it held more and more. */
import type { ProcessUse } from "../process/process-use.ts";

export interface Sample extends ProcessUse {
  /** In seconds since the load began. */
  readonly at: number;
  readonly streams: number;
  /** Deadlines that streams wait for. */
  readonly timers: number;
  /** What keeps the server's loop going, by kind; empty where the runtime does not tell. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface Bounds {
  /** Of memory after warming up: it may grow by this part … */
  readonly growth: number;
  /** … or by so many bytes, whichever is more. */
  readonly slack: number;
  /** Handles and threads beyond those of the idle server, once everybody has gone. */
  readonly handles: number;
  readonly threads: number;
  readonly timers: number;
  /** Of each kind of resource. */
  readonly resources: number;
}

/** Node's and Bun's thread pools start when they are needed, and stay. */
export const BOUNDS: Bounds = { growth: 0.1, slack: 24 * 1_048_576, handles: 8, threads: 12, timers: 2, resources: 4 };

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

export const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

/** The part of the samples that is warm-up, and of the rest the part that is compared at both ends. */
const WARM_UP = 0.3;
const ENDS = 0.25;

export interface Verdict {
  /** What was found wrong, in sentences. */
  readonly faults: readonly string[];
  readonly rss: { readonly warm: string; readonly end: string; readonly most: string };
}

/** What is left of whoever has gone, in sentences. @param idle before anybody came @param left after everybody had gone */
export const leftovers = (idle: Sample, left: Sample, bounds: Bounds = BOUNDS): readonly string[] => {
  const counts: readonly (readonly [string, number, number, number])[] = [
    ["streams", idle.streams, left.streams, 0],
    ["handles", idle.handles, left.handles, bounds.handles],
    ["threads", idle.threads, left.threads, bounds.threads],
    ["timers", idle.timers, left.timers, bounds.timers],
    ...Object.entries(left.resources).map(
      ([kind, count]) => [`resources "${kind}"`, idle.resources[kind] ?? 0, count, bounds.resources] as const,
    ),
  ];
  return counts.flatMap(([what, before, after, more]) =>
    after > before + more ? [`${after} ${what} are left; there were ${before} before`] : [],
  );
};

/** @param idle before anybody came @param left after everybody had gone */
export const judge = (samples: readonly Sample[], idle: Sample, left: Sample, bounds: Bounds = BOUNDS): Verdict => {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const ends = Math.max(1, Math.floor(warm.length * ENDS));
  const before = median(warm.slice(0, ends).map(({ rss }) => rss));
  const after = median(warm.slice(-ends).map(({ rss }) => rss));
  const most = before + Math.max(before * bounds.growth, bounds.slack);
  const faults = [
    ...(after > most ? [`memory grew from ${megabytes(before)} to ${megabytes(after)}`] : []),
    ...leftovers(idle, left, bounds),
  ];
  const peak = Math.max(...samples.map(({ rss }) => rss));
  return { faults, rss: { warm: megabytes(before), end: megabytes(after), most: megabytes(peak) } };
};
