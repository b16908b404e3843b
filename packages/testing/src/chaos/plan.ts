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
}

const WAYS = [...FAULT_POINTS, "any moment"] as const;

/** So many kills, of each kind as many, in random order. */
export const planOf = (kills: number, random: Random): readonly Kill[] => {
  const ways = Array.from({ length: kills }, (_, at) => WAYS[at % WAYS.length] as Kill["at"]);
  return shuffled(ways, random).map((at) => ({
    at,
    passage: random.between(1, 40),
    after: random.between(150, 1_200),
    isEarly: at === "any moment" && random.oneIn(4),
  }));
};

const shuffled = <T>(list: readonly T[], random: Random): readonly T[] => {
  const left = [...list];
  return list.map(() => left.splice(random.int(left.length), 1)[0] as T);
};
