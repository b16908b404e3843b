/** Accounts and contacts: made over the network, as any client would, the first time that a scenario needs them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./contenders/contender.ts";
import { generate } from "./generate.ts";
import type { SetupTask } from "./generator/task.ts";

const NO_PHASES = { warmup: 0, duration: 0 } as const;
/** Seconds for one task. Ten thousand rosters take Prosody its time. */
const TIME_LIMIT = 3_600;

/** A contender's folder, below that of the bench. */
export const folderOf = (data: string, contender: Contender): string => {
  const folder = join(data, contender.data);
  mkdirSync(folder, { recursive: true });
  return folder;
};

export const keysFileOf = (folder: string): string => join(folder, "salted-passwords.json");

/** Does what of the tasks has not been done yet in this folder. */
export const setUp = async (
  contender: Contender,
  folder: string,
  tasks: readonly SetupTask[],
  say: (text: string) => void,
): Promise<void> => {
  const done = new Done(join(folder, "accounts.json"));
  if (tasks.every((task) => done.has(task))) return;
  const { child, port } = await contender.start(folder, "any", "setup");
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

const sentenceOf = (task: SetupTask): string => {
  const users = `${task.count} accounts named ${task.prefix}1 and so on`;
  return task.do === "register" ? `making ${users}` : `giving ${users} ${task.contacts} contacts each`;
};

/** What a folder's accounts have been through. */
class Done {
  readonly #file: string;
  readonly #tasks: SetupTask[];

  constructor(file: string) {
    this.#file = file;
    this.#tasks = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as SetupTask[]) : [];
  }

  has(task: SetupTask): boolean {
    return this.#tasks.some((done) => done.do === task.do && done.prefix === task.prefix && done.count >= task.count);
  }

  add(task: SetupTask): void {
    this.#tasks.push(task);
    writeFileSync(this.#file, JSON.stringify(this.#tasks));
  }
}
