/** The steps that `npm run check`, `npm test` and CI are made of, and how they are counted. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./setup.mjs";

const BIOME = "node_modules/@biomejs/biome/bin/biome";
const VITEST = "node_modules/vitest/vitest.mjs";

/** One program that passes or fails as a whole. */
const whole = (name, args) => async (node) => {
  const failed = (await run(node, args)) === 0 ? 0 : 1;
  return { name, passed: 1 - failed, failed, skipped: [] };
};

/** Vitest projects, counted test by test. */
const suites =
  (name, projects, env = {}) =>
  async (node) => {
    const folder = mkdtempSync(join(tmpdir(), "kith-results-"));
    try {
      const report = join(folder, "report.json");
      const reporters = [
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${report}`,
        "--silent=passed-only",
      ];
      const args = [VITEST, "run", ...projects.flatMap((project) => ["--project", project]), ...reporters];
      const code = await run(node, args, { env: { ...process.env, ...env } });
      return { name, ...count(code, report) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

/** A run that crashed, a file that did not load, and a run without a single test are failures too. */
const count = (code, report) => {
  const results = read(report);
  if (results === undefined) return { passed: 0, failed: 1, skipped: [] };
  const broken = results.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  ).length;
  const failed = results.numFailedTests + broken;
  const passed = results.numPassedTests;
  const isUnexplained = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: isUnexplained ? 1 : failed, skipped: skippedIn(results) };
};

const read = (report) => {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return undefined;
  }
};

/** Skipped tests under the name of their suite, which says why. */
const skippedIn = (results) => {
  const counts = new Map();
  for (const { ancestorTitles, title, status } of results.testResults.flatMap((file) => file.assertionResults)) {
    if (status === "passed" || status === "failed") continue;
    const suite = ancestorTitles[0] ?? title;
    counts.set(suite, (counts.get(suite) ?? 0) + 1);
  }
  return [...counts].map(([suite, tests]) => ({ suite, tests }));
};

export const types = whole("types", ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "."]);
export const lint = whole("lint and format", [BIOME, "check", "--error-on-warnings", "--max-diagnostics=50"]);
export const unit = suites("unit tests", ["unit"]);
/** Everything that starts a server process, on this runtime. */
export const onRuntime = (runtime) => [
  suites(`process suites on ${runtime}`, ["process"], { KITH_RUNTIME: runtime }),
  suites(`outside clients on ${runtime}`, ["interop"], { KITH_RUNTIME: runtime }),
];

/**
 * Runs all steps, also after one has failed, and says how they went. `KITH_SKIPS=fail`: a skipped test has failed.
 * `KITH_TALLY`: a file for the counts. Gives the exit code.
 */
export const runSteps = async (node, steps) => {
  const results = [];
  for (const step of steps) results.push(await step(node));
  const skipsFail = process.env.KITH_SKIPS === "fail";
  const tally = results.map(({ passed, failed, skipped }) => {
    const skips = skipped.reduce((sum, { tests }) => sum + tests, 0);
    return { passed, failed: failed + (skipsFail ? skips : 0), skipped: skips };
  });
  process.stdout.write(`\n${results.map(describe).join("")}`);
  const sum = (key) => tally.reduce((total, counts) => total + counts[key], 0);
  if (process.env.KITH_TALLY)
    writeFileSync(process.env.KITH_TALLY, JSON.stringify({ passed: sum("passed"), failed: sum("failed") }));
  return sum("failed") > 0 ? 1 : 0;
};

const describe = ({ name, passed, failed, skipped }) => {
  const outcome = passed + failed === 1 ? (failed === 0 ? "passed" : "failed") : `${passed} passed, ${failed} failed`;
  return `${name}: ${outcome}\n${skipped.map(({ suite, tests }) => `  skipped: ${suite} (${tests} tests)\n`).join("")}`;
};
