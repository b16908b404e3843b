/** Kept in steps of a tenth of a microsecond, which 32 bits hold up to seven minutes. */
const STEPS_PER_MS = 10_000;
const LARGEST = 0xffff_ffff;
/** Buckets between one power of two and the next: a value is off by 1.6 % at most. */
const BUCKETS = 64;
const EXACT = 2 * BUCKETS;

/** How many durations there were of each size. In milliseconds. */
export class Histogram {
  readonly #counts = new Uint32Array(bucketOf(LARGEST) + 1);
  count = 0;
  max = 0;

  add(ms: number): void {
    if (ms > this.max) this.max = ms;
    const bucket = bucketOf(stepsOf(ms));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count++;
  }

  /** The smallest duration that at least this share (0 to 1) of all do not exceed; 0 where there are none. */
  quantile(share: number): number {
    if (this.count === 0) return 0;
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(middleOf(bucket) / STEPS_PER_MS, this.max);
    }
    return this.max;
  }
}

const stepsOf = (ms: number): number => Math.min(LARGEST, Math.max(0, Math.round(ms * STEPS_PER_MS)));

/** Below `EXACT` a bucket a step; above it the leading seven bits of the value, and how many follow. */
function bucketOf(steps: number): number {
  if (steps < EXACT) return steps;
  const shift = 25 - Math.clz32(steps);
  return shift * BUCKETS + (steps >>> shift);
}

const middleOf = (bucket: number): number => {
  if (bucket < EXACT) return bucket;
  const shift = Math.floor(bucket / BUCKETS) - 1;
  const width = 2 ** shift;
  return (BUCKETS + (bucket % BUCKETS)) * width + (width - 1) / 2;
};
