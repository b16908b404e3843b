/**
 * What is there before a scenario runs, made the first time that one needs it: accounts and contacts over the network, as any
 * client would; and messages in archives, where a server can be given any.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArchiveSwitch, Contender } from "./contenders/contender.ts";
import { generate } from "./generate.ts";
import type { SetupTask } from "./generator/task.ts";
import type { Fill } from "./history.ts";
import type { History, Scenario } from "./scenarios.ts";

const NO_PHASES = { warmup: 0, duration: 0 } as const;
/** Seconds for one task. Ten thousand rosters take Prosody its time. */
const TIME_LIMIT = 3_600;

/** A contender's folder, below that of the bench; one for what every scenario may find there, and one for each history. */
export const folderOf = (data: string, contender: Contender, history?: History): string => {
  const folder = join(data, history === undefined ? contender.data : `${contender.data}-${history.name}`);
  mkdirSync(folder, { recursive: true });
  return folder;
};

export const keysFileOf = (folder: string): string => join(folder, "salted-passwords.json");

/** Does what has not been done yet for a scenario. */
export const setUp = async (
  contender: Contender,
  data: string,
  { setup, history, archive }: Scenario,
  say: (text: string) => void,
): Promise<void> => {
  const folder = folderOf(data, contender, history);
  const done = new Done(join(folder, "accounts.json"));
  if (!setup.every((task) => done.has(task))) await overNetwork({ contender, folder, archive, done }, setup, say);
  if (history === undefined || contender.fill === undefined || done.has(history.fill)) return;
  say(`${contender.title}: ${sentenceOf(history.fill)}`);
  await contender.fill(folder, history.fill, archive);
  done.add(history.fill);
};

interface Place {
  readonly contender: Contender;
  readonly folder: string;
  readonly archive: ArchiveSwitch;
  readonly done: Done;
}

const overNetwork = async (
  { contender, folder, archive, done }: Place,
  tasks: readonly SetupTask[],
  say: (text: string) => void,
): Promise<void> => {
  const { child, port } = await contender.start(folder, "any", { purpose: "setup", archive });
  try {
    for (const task of tasks) {
      if (done.has(task)) continue;
      say(`${contender.title}: ${sentenceOf(task)}`);
      const job = { task, port, tls: false, pid: child.pid, keysFile: keysFileOf(folder), phases: NO_PHASES };
      await generate({ ...job, timeLimit: TIME_LIMIT }, "any", join(folder, "generator.log"));
      done.add(task);
    }
  } finally {
    await child.stop();
  }
};

const sentenceOf = (task: SetupTask | Fill): string => {
  if (task.do === "fill") return `putting ${task.count} messages of ${task.users} accounts into the archive`;
  const users = `${task.count} accounts named ${task.prefix}1 and so on`;
  return task.do === "register" ? `making ${users}` : `giving ${users} ${task.contacts} contacts each`;
};

/** What a folder's accounts have been through. */
class Done {
  readonly #file: string;
  readonly #tasks: (SetupTask | Fill)[];

  constructor(file: string) {
    this.#file = file;
    this.#tasks = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as (SetupTask | Fill)[]) : [];
  }

  has(task: SetupTask | Fill): boolean {
    return this.#tasks.some((done) => done.do === task.do && done.prefix === task.prefix && done.count >= task.count);
  }

  add(task: SetupTask | Fill): void {
    this.#tasks.push(task);
    writeFileSync(this.#file, JSON.stringify(this.#tasks));
  }
}
