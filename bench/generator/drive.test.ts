import { expect, test } from "vitest";
import { capacityFor } from "./drive.ts";

const PHASES = { warmup: 3, duration: 10 } as const;

test("in closed loop as many stanzas are under way as the window says, rounded up to a power of two", () => {
  expect([1, 2, 10, 64].map((window) => capacityFor({ window }, 200, PHASES))).toEqual([1, 2, 16, 64]);
});

test("at a fixed rate all that one flow ever sends may be under way at once", () => {
  const capacity = capacityFor({ rate: 2_000 }, 200, PHASES);
  expect(capacity).toBeGreaterThanOrEqual((2_000 / 200) * (PHASES.warmup + PHASES.duration));
  expect(Math.log2(capacity)).toBe(Math.round(Math.log2(capacity)));
  expect(capacityFor({ rate: 1 }, 200, PHASES)).toBe(1);
});
