import { describe, expect, test } from "vitest";
import { readRuns } from "./run.ts";
import { markdownTables, rounded, terminalTables } from "./tables.ts";
import { testRun } from "./test-run.ts";

const prosody = { contender: "prosody", contenderTitle: "Prosody", version: "0.0.1" } as const;
const chat = (serverMicros: number, perSecond: number) => ({
  figures: { serverMicros, perSecond, p50Ms: 0.25, p99Ms: 2.333, maxMs: 1_234.5, generatorPercent: 50, lost: 0 },
});
const idle = {
  scenario: "idle",
  title: "Idle, 10,000 sessions",
  unit: "session",
  figures: { sessionBytes: 10_240, perSecond: 900, serverMicros: 400, idlePercent: 0 },
} as const;

const RUNS = [
  testRun(idle),
  testRun(chat(6, 100_000)),
  testRun({ ...prosody, ...chat(60, 10_000) }),
  testRun(chat(5, 120_000)),
  testRun({ ...prosody, ...chat(64, 12_000) }),
  testRun(chat(9, 80_000)),
];

describe("rounded", () => {
  test("keeps about three digits", () => {
    expect([0, 0.256, 5.5, 12.34, 99.96, 123.4, 123_456].map(rounded)).toEqual([
      "0.00",
      "0.26",
      "5.50",
      "12.3",
      "100.0",
      "123",
      "123,456",
    ]);
  });
});

describe("markdownTables", () => {
  const text = markdownTables(RUNS);

  test("says where figures come from", () => {
    expect(text.split("\n")[0]).toBe(
      "2026-02-03; Abacus, 2 cores, 24 GiB, Testix 1, Linux 6.1. Kith on Node 1.2.3; Prosody 0.0.1. " +
        "Medians of 1 to 3 runs, with the smallest and the largest figure in brackets. **Too few runs to publish.**",
    );
    const five = Array.from({ length: 5 }, () => testRun(chat(6, 100_000)));
    expect(markdownTables(five).split("\n")[0]).toMatch(/Medians of 5 runs, .* in brackets\.$/);
  });

  test("has a table of cost: medians with their range, in the order of the scenarios", () => {
    expect(text).toContain(
      [
        "|  | Kith on Node | Prosody |",
        "| --- | ---: | ---: |",
        "| Chat, 200 pairs, window 1: CPU a message | 6.00 (5.00–9.00) µs, 100,000/s | 62.0 (60.0–64.0) µs, 11,000/s |",
        "| Idle, 10,000 sessions: memory a session, CPU while idle | 10.2 kB, 0.00 % of a core | – |",
      ].join("\n"),
    );
  });

  test("of pages of an archive, tells how long the slowest took at each place", () => {
    const figures = { p50Ms: 1, p99Ms: 3, maxMs: 9, firstP99Ms: 2, middleP99Ms: 3, lastP99Ms: 4.5 };
    const pages = testRun({ scenario: "mam-page", title: "Pages", unit: "page", figures });
    expect(markdownTables([pages])).toContain(
      "| Pages: p99 of the first, one in the middle, the last | 2.00, 3.00, 4.50 ms |",
    );
    expect(terminalTables([pages])).toMatch(/\n {2}middle page, p99, ms +3\.00\n/);
  });

  test("has a table of latencies, of what has any", () => {
    expect(text).toContain(
      [
        "| p50 / p99 / max, ms | Kith on Node | Prosody |",
        "| --- | ---: | ---: |",
        "| Chat, 200 pairs, window 1 | 0.25 / 2.33 / 1,235 | 0.25 / 2.33 / 1,235 |",
      ].join("\n"),
    );
    expect(text).not.toContain("| Idle, 10,000 sessions |");
  });

  test("marks what the generator held back, and tells what was lost", () => {
    const runs = [testRun({ figures: { perSecond: 1_000, serverMicros: 1, generatorPercent: 97, lost: 3 } })];
    const marked = markdownTables(runs);
    expect(marked).toContain("1,000/s †");
    expect(marked).toContain("window 1: Kith on Node: the generator used more than 90 % of its core");
    expect(marked).toContain("window 1: Kith on Node: 3 lost.");
  });
});

describe("terminalTables", () => {
  test("has a table a scenario, with the figures that there are", () => {
    const text = terminalTables(RUNS);
    expect(text).toMatch(/^Chat, 200 pairs, window 1\n +Kith on Node, 3 runs +Prosody, 2 runs\n/);
    expect(text).toMatch(/\n {2}server CPU, µs a message +6\.00 \(5\.00–9\.00\) +62\.0 \(60\.0–64\.0\)\n/);
    expect(text).toMatch(/\n {2}memory a session, kB +10\.2\n/);
    expect(text).not.toContain("latest send");
  });
});

test("runs are read back as they were written", () => {
  expect(readRuns(`${RUNS.map((run) => JSON.stringify(run)).join("\n")}\n`)).toEqual(RUNS);
});
