import { type ChaosOptions, runChaos, type Violation } from "@kith/testing/chaos";
import { runtime } from "@kith/testing/process";
import { describe, expect, test } from "vitest";

const RUN: ChaosOptions = { kills: 1, minutes: undefined, seed: 20_261, runtime, at: undefined, breaks: undefined };
/** What happens when is the machine's to say, so that one run is not another; a defect shows itself again and again. */
const SEVERAL = { timeout: 240_000, retry: 2 };

describe(`nothing is lost (${runtime})`, () => {
  test(
    "XEP-0198, XEP-0313: what was acknowledged is everywhere, once and in order, however often the server is killed",
    SEVERAL,
    async () => {
      const report = await runChaos({ ...RUN, kills: 10 });
      expect(report.stories).toEqual([]);
      expect(report.kills).toHaveLength(10);
      expect(report.bothWays).toBeGreaterThanOrEqual(0.9);
    },
  );
});

// A judge that never convicts is no judge.
describe(`it would be noticed (${runtime})`, () => {
  const found = async (breaks: "acknowledge before commit" | "deliver before commit" | "gate off") => {
    // What has been written and not committed is what a broken promise is about.
    const report = await runChaos({ ...RUN, kills: 3, at: "after the write", breaks });
    return new Set<Violation>(report.violations.map(({ violation }) => violation));
  };

  test("if it acknowledged what it has not stored: messages are lost", SEVERAL, async () => {
    expect(await found("acknowledge before commit")).toContain("lost from an archive");
  });

  test(
    "if it delivered what it has not stored: somebody has what no archive has, or has it twice",
    SEVERAL,
    async () => {
      const violations = await found("deliver before commit");
      expect(violations.has("shown but not archived") || violations.has("twice in a history")).toBe(true);
    },
  );

  test("if what is stored were overtaken by what is not: things come out of order", SEVERAL, async () => {
    expect(await found("gate off")).toContain("out of order");
  });
});
