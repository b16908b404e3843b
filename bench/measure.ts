/** Runs scenarios: for each of them every contender in turn, again and again. */
import { closeSync, cpSync, fsyncSync, globSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./contenders/contender.ts";
import { generate } from "./generate.ts";
import type { Machine } from "./machine.ts";
import type { Options } from "./options.ts";
import type { Run } from "./run.ts";
import { type Scenario, scenarioOf } from "./scenarios.ts";
import { folderOf, keysFileOf, setUp } from "./setup.ts";

export interface Reporting {
  /** What is being done, for people. */
  say(text: string): void;
  finished(run: Run): void;
}

/** Seconds that a run may take beside warm-up, measuring and holding: logging everybody in, and out again. */
const SLACK = 600;

/** Does all that the options ask for. Rejects with the first thing that goes wrong. */
export const measure = async (
  options: Options,
  machine: Machine,
  data: string,
  reporting: Reporting,
): Promise<void> => {
  const versions = new Map<Contender, string>();
  for (const contender of options.contenders) versions.set(contender, await contender.prepare());
  const works = options.scenarios
    .map((name) => scenarioOf(name, options))
    .map((scenario) => ({ scenario, who: options.contenders.filter((one) => takesPart(one, scenario)) }));
  for (const { scenario, who } of works)
    for (const contender of who) await setUp(contender, data, scenario, reporting.say);
  for (const { scenario, who } of works) {
    reporting.say(scenario.title);
    for (const [contender, run] of inTurns(who, options.runs)) {
      const found = await once(scenario, contender, data, options);
      reporting.finished({ ...found, version: versions.get(contender) ?? "", run, machine });
    }
  }
};

const inTurns = (contenders: readonly Contender[], runs: number): readonly (readonly [Contender, number])[] =>
  Array.from({ length: runs }, (_, at) => at + 1).flatMap((run) => contenders.map((one) => [one, run] as const));

/** Can it do what the scenario is about? */
export const takesPart = (contender: Contender, { archive, history }: Scenario): boolean =>
  contender.archives.includes(archive) && (history?.isNeeded !== true || contender.fill !== undefined);

/** A server that has just been started, one run, and the server's end: no run finds what another has left in memory, or in archives. */
const once = async (
  scenario: Scenario,
  contender: Contender,
  data: string,
  options: Options,
): Promise<Omit<Run, "version" | "run" | "machine">> => {
  const folder = folderOf(data, contender, scenario.history);
  if (scenario.history === undefined) return onceIn(folder, scenario, contender, options);
  const copy = copyOf(folder);
  try {
    return await onceIn(copy, scenario, contender, options);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

/** On disk, so that the server does not wait for what is not its own. */
const copyOf = (folder: string): string => {
  const copy = `${folder}-run`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(folder, copy, { recursive: true });
  for (const name of globSync("**", { cwd: copy })) {
    const path = join(copy, name);
    if (!statSync(path).isFile()) continue;
    const file = openSync(path, "r");
    fsyncSync(file);
    closeSync(file);
  }
  return copy;
};

const onceIn = async (
  folder: string,
  scenario: Scenario,
  contender: Contender,
  { warmup, duration, hold, serverCore, generatorCore }: Options,
): Promise<Omit<Run, "version" | "run" | "machine">> => {
  const { name, title, unit, task, tls, archive } = scenario;
  const { child, port } = await contender.start(folder, serverCore, { purpose: "measuring", archive });
  try {
    const phases = { warmup, duration };
    const timeLimit = warmup + duration + hold + SLACK;
    const job = { task, port, tls, pid: child.pid, keysFile: keysFileOf(folder), phases, timeLimit };
    const result = await generate(job, generatorCore, join(folder, "generator.log"));
    if (child.hasEnded) throw child.failure("ended while it was measured");
    return {
      scenario: name,
      title,
      unit,
      contender: contender.name,
      contenderTitle: contender.title,
      at: new Date().toISOString(),
      seconds: phases,
      ...result,
    };
  } finally {
    await child.stop();
  }
};
