/** Runs the generator's process for one job. */
import { join } from "node:path";
import { Child, type Core } from "./children.ts";
import type { Job, JobResult } from "./generator/task.ts";

const MAIN = join(import.meta.dirname, "generator/main.ts");
/** A large young generation: the collector comes seldom, and the generator's own pauses stay out of the latencies. */
const NODE_OPTIONS = ["--max-semi-space-size=64", "--disable-warning=ExperimentalWarning"];

/** Settles with what was measured. Rejects with what went wrong. */
export const generate = async (job: Job, core: Core, logFile: string): Promise<JobResult> => {
  const command = [process.execPath, ...NODE_OPTIONS, MAIN, JSON.stringify(job)];
  const child = new Child("the load generator", command, { core, logFile, readsOutput: true });
  await child.succeeded();
  return JSON.parse(child.output) as JobResult;
};
