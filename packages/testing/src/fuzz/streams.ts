/** A sequence of steps against a whole server, and what must hold during it and after it. */
import type { Step } from "./stream-steps.ts";
import { type StreamOutcome, StreamWorld } from "./stream-world.ts";

export interface StreamCase {
  readonly steps: readonly Step[];
  /** Decides the limits of the server. */
  readonly seed: number;
}

/** Rejects with `Broken`. */
export const checkStreams = async ({ steps, seed }: StreamCase): Promise<StreamOutcome> => {
  const world = await StreamWorld.open(seed);
  const onRejection = (error: unknown): void => world.defect(error);
  process.on("unhandledRejection", onRejection);
  try {
    for (const step of steps) await world.take(step);
    await world.end();
    return world.outcome;
  } finally {
    process.off("unhandledRejection", onRejection);
  }
};
