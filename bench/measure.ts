/** Runs scenarios: for each of them every contender in turn, again and again. */
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
  const scenarios = options.scenarios.map((name) => scenarioOf(name, options));
  for (const contender of options.contenders) {
    const tasks = scenarios.flatMap(({ setup }) => setup);
    await setUp(contender, folderOf(data, contender), tasks, reporting.say);
  }
  for (const scenario of scenarios) {
    reporting.say(scenario.title);
    for (let run = 1; run <= options.runs; run++) {
      for (const [contender, version] of versions) {
        const found = await once(scenario, contender, data, options);
        reporting.finished({ ...found, version, run, machine });
      }
    }
  }
};

/** A server that has just been started, one run, and the server's end: no run finds what another has left in memory. */
const once = async (
  scenario: Scenario,
  contender: Contender,
  data: string,
  { warmup, duration, hold, serverCore, generatorCore }: Options,
): Promise<Omit<Run, "version" | "run" | "machine">> => {
  const folder = folderOf(data, contender);
  const { child, port } = await contender.start(folder, serverCore, "measuring");
  try {
    const { name, title, unit, task, tls } = scenario;
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
