/** The generator's own process: `node main.ts JOB`, the job as JSON; prints its result as JSON. */
import { readFileSync } from "node:fs";
import type { Figures } from "../figures.ts";
import { ProcessTree, readCores } from "../proc.ts";
import type { Server } from "./login.ts";
import { type Bench, chat, idle, login, presence } from "./measure-tasks.ts";
import { pages } from "./pages.ts";
import { KeyCache } from "./scram.ts";
import { befriendAll, registerAll } from "./setup-tasks.ts";
import type { Job, JobResult } from "./task.ts";

const perform = async ({ task }: Job, bench: Bench): Promise<Figures> => {
  switch (task.do) {
    case "register":
      await registerAll(task, bench.server);
      return {};
    case "befriend":
      await befriendAll(task, bench.server);
      return {};
    case "chat":
      return chat(task, bench);
    case "presence":
      return presence(task, bench);
    case "login":
      return login(task, bench);
    case "idle":
      return idle(task, bench);
    case "pages":
      return pages(task, bench);
  }
};

const run = async (job: Job): Promise<JobResult> => {
  const keys = new KeyCache(job.keysFile);
  const server: Server = { port: job.port, tls: job.tls, keys };
  const tree = new ProcessTree(job.pid);
  const figures = await perform(job, { server, process: tree, phases: job.phases });
  keys.save();
  return {
    figures,
    serverCores: tree.cores,
    generatorCores: readCores(readFileSync("/proc/self/status", "latin1")),
  };
};

const job = JSON.parse(process.argv[2] ?? "{}") as Job;
setTimeout(() => {
  process.stderr.write(`not done within ${job.timeLimit} s\n`);
  process.exit(1);
}, job.timeLimit * 1_000).unref();

try {
  const result = await run(job);
  // Sockets may still be closing; nothing is waited for any more.
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
}
