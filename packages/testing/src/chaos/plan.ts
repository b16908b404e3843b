import { FAULT_POINTS, type FaultPoint } from "../../../server/src/faults.ts";
import type { Random } from "../fuzz/random.ts";

/** How a life of the server ends. */
export interface Kill {
  readonly at: FaultPoint | "any moment";
  /** For a fault point: at which passage of it, counted from when it is time. */
  readonly passage: number;
  /** How long people chat before, in milliseconds. */
  readonly after: number;
  /** Before everybody has come back from the last one. */
  readonly isEarly: boolean;
  /** For a slow disk: how long everything waits before it is committed, in milliseconds. */
  readonly commitsAfter: number | undefined;
}

const WAYS = [...FAULT_POINTS, "any moment"] as const;

/** So many kills, of each kind as many, in random order; or all of them `only` at one point. */
export const planOf = (kills: number, random: Random, only?: FaultPoint): readonly Kill[] => {
  const ways = Array.from({ length: kills }, (_, at) => only ?? (WAYS[at % WAYS.length] as Kill["at"]));
  return shuffled(ways, random).map((at) => ({
    at,
    passage: random.between(1, 40),
    after: random.between(150, 1_200),
    isEarly: at === "any moment" && random.oneIn(4),
    commitsAfter: random.oneIn(3) ? random.between(1, 40) : undefined,
  }));
};

const shuffled = <T>(list: readonly T[], random: Random): readonly T[] => {
  const left = [...list];
  return list.map(() => left.splice(random.int(left.length), 1)[0] as T);
};
