import { describe, expect, test } from "vitest";
import { Series, seriesOf, spreadOf } from "./statistics.ts";
import { testRun } from "./test-run.ts";

describe("spreadOf", () => {
  test("the median of an odd number is the middle one, of an even number between the middle ones", () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
    expect(spreadOf([10, 4, 1, 8])).toEqual({ median: 6, min: 1, max: 10 });
  });

  test("one is all three, none is nothing", () => {
    expect(spreadOf([3])).toEqual({ median: 3, min: 3, max: 3 });
    expect(spreadOf([])).toBeUndefined();
  });

  test("numbers are compared as numbers, and left as they were", () => {
    const values = [10, 9, 100];
    expect(spreadOf(values)).toEqual({ median: 10, min: 9, max: 100 });
    expect(values).toEqual([10, 9, 100]);
  });
});

describe("Series", () => {
  test("runs belong together by scenario, sizes and contender", () => {
    const runs = [
      testRun({ contender: "kith-node" }),
      testRun({ contender: "prosody" }),
      testRun({ contender: "kith-node" }),
      testRun({ contender: "kith-node", title: "Idle, 100 sessions" }),
    ];
    expect(seriesOf(runs).map((series) => series.runs.length)).toEqual([2, 1, 1]);
  });

  test("a figure that not all runs have is that of those that do", () => {
    const series = new Series(testRun({ figures: { p50Ms: 3 } }), [testRun({ figures: {} })]);
    expect([series.spread("p50Ms"), series.spread("p99Ms")]).toEqual([{ median: 3, min: 3, max: 3 }, undefined]);
  });

  test("one run with the generator above 90 % of its core says it of all", () => {
    const [calm, bound] = [
      testRun({ figures: { generatorPercent: 90 } }),
      testRun({ figures: { generatorPercent: 91 } }),
    ];
    expect([new Series(calm, []), new Series(calm, [bound])].map((series) => series.isGeneratorBound)).toEqual([
      false,
      true,
    ]);
  });

  test("faults of all runs are added up; without any there is nothing to tell", () => {
    const good = testRun({ figures: { lost: 0, doubled: 0 } });
    const bad = testRun({ figures: { lost: 2, broken: 1 } });
    expect(new Series(good, []).faults).toEqual([]);
    expect(new Series(bad, [good, bad]).faults).toEqual([
      ["lost", 4],
      ["broken", 2],
    ]);
  });
});
