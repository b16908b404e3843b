/** `npm run bench`: Kith and its peers on the same work. `--help` says how. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stopAll } from "./children.ts";
import { thisMachine } from "./machine.ts";
import { measure } from "./measure.ts";
import { type Options, readOptions, USAGE, UsageError } from "./options.ts";
import { type Run, readRuns } from "./run.ts";
import { GENERATOR_LIMIT } from "./statistics.ts";
import { markdownTables, rounded, terminalTables } from "./tables.ts";

/** With its processes a run ends too, and what it has put on disk is removed. A second signal ends us at once. */
const endOnSignals = (): void => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      say("Ending …");
      void stopAll();
    });
  }
};

/** Progress, kept apart from what may be piped on. */
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const sayRun = ({ contenderTitle, run, figures }: Run): void => {
  const { perSecond, serverMicros, generatorPercent = 0, p99Ms, sessionBytes } = figures;
  const found = [
    serverMicros === undefined ? [] : `${rounded(serverMicros)} µs`,
    perSecond === undefined ? [] : `${rounded(perSecond)}/s`,
    p99Ms === undefined ? [] : `p99 ${rounded(p99Ms)} ms`,
    sessionBytes === undefined ? [] : `${rounded(sessionBytes / 1_000)} kB a session`,
    generatorPercent > GENERATOR_LIMIT ? `GENERATOR AT ${rounded(generatorPercent)} %` : [],
  ].flat();
  say(`  ${run}. ${contenderTitle}: ${found.join(", ")}`);
};

const run = async (options: Options): Promise<readonly Run[]> => {
  const { data, json, serverCore, generatorCore } = options;
  if (process.platform !== "linux") throw new UsageError("it needs Linux: figures come from /proc");
  if (Math.max(serverCore, generatorCore) >= cpus().length)
    throw new UsageError(`this machine has ${cpus().length} cores; server and generator need one each`);
  endOnSignals();
  const folder = data === undefined ? mkdtempSync(join(tmpdir(), "kith-bench-")) : resolve(data);
  mkdirSync(folder, { recursive: true });
  const runs: Run[] = [];
  const finished = (found: Run): void => {
    runs.push(found);
    sayRun(found);
    if (json !== undefined) appendFileSync(json, `${JSON.stringify(found)}\n`);
  };
  try {
    await measure(options, thisMachine(), folder, { say, finished });
  } finally {
    await stopAll();
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  }
  return runs;
};

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const runs = options.from === undefined ? await run(options) : readRuns(readFileSync(options.from, "utf8"));
  process.stdout.write(`${options.markdown ? markdownTables(runs) : terminalTables(runs)}\n`);
};

try {
  await main();
} catch (error) {
  const hint = error instanceof UsageError ? "\nnpm run bench -- --help says more." : "";
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${hint}\n`);
  process.exitCode = 1;
}
