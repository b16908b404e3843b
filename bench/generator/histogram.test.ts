import { describe, expect, test } from "vitest";
import { Histogram } from "./histogram.ts";

const histogramOf = (...durations: readonly number[]): Histogram => {
  const histogram = new Histogram();
  for (const ms of durations) histogram.add(ms);
  return histogram;
};

/** 1 to `count` milliseconds. */
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at + 1);

describe("Histogram", () => {
  test("of nothing is zero everywhere", () => {
    const empty = histogramOf();
    expect([empty.count, empty.max, empty.quantile(0.5)]).toEqual([0, 0, 0]);
  });

  test("of one duration has it at every share", () => {
    const histogram = histogramOf(7.3);
    for (const share of [0, 0.5, 0.99, 1]) expect(histogram.quantile(share)).toBeCloseTo(7.3, 1);
  });

  test("finds what a share of all do not exceed, to within 1.6 %", () => {
    const histogram = histogramOf(...upTo(1_000));
    for (const [share, ms] of [
      [0.5, 500],
      [0.95, 950],
      [0.99, 990],
      [0.999, 999],
    ] as const)
      expect(Math.abs(histogram.quantile(share) / ms - 1)).toBeLessThan(0.016);
  });

  test("does not depend on the order", () => {
    const [forth, back] = [histogramOf(...upTo(500)), histogramOf(...upTo(500).toReversed())];
    expect(forth.quantile(0.9)).toBe(back.quantile(0.9));
  });

  test("one slow one of a hundred does not show at 99 %, two do", () => {
    const fast = Array<number>(98).fill(1);
    expect(histogramOf(...fast, 1, 400).quantile(0.99)).toBeCloseTo(1, 1);
    expect(histogramOf(...fast, 400, 400).quantile(0.99)).toBeGreaterThan(390);
  });

  test("gives the largest exactly, and no quantile above it", () => {
    const histogram = histogramOf(1.23456, 98.7654321);
    expect(histogram.max).toBe(98.7654321);
    expect(histogram.quantile(1)).toBeLessThanOrEqual(98.7654321);
  });

  test("tells a tenth of a microsecond from two", () => {
    const histogram = histogramOf(0.0001, 0.0002);
    expect([histogram.quantile(0.5), histogram.quantile(1)]).toEqual([0.0001, 0.0002]);
  });

  test("is within 1.6 % over six orders of magnitude", () => {
    for (let ms = 0.01; ms < 60_000; ms *= 1.37) {
      const histogram = histogramOf(ms, 100_000);
      expect(Math.abs(histogram.quantile(0.5) / ms - 1)).toBeLessThan(0.016);
    }
  });

  test("takes what is below zero as nothing, and what is beyond seven minutes as that", () => {
    expect(histogramOf(-1, 5).quantile(0.5)).toBe(0);
    const hours = histogramOf(3_600_000, 3_600_000);
    expect(hours.count).toBe(2);
    expect(hours.quantile(0.5)).toBeGreaterThan(400_000);
  });
});
