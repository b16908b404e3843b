import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterAll, onTestFinished } from "vitest";
import type { StoreLog } from "./writer-thread.ts";

/** Gives a new path on each call, below a directory that is removed after the tests of the file. */
export const temporaryPaths = (): (() => string) => {
  const root = mkdtempSync(join(tmpdir(), "kith-store-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let paths = 0;
  return () => join(root, String(++paths));
};

export const databaseIn = (directory: string): DatabaseSync =>
  new DatabaseSync(join(directory, "kith.db"), { timeout: 5000 });

/** What puts this key cannot be stored from now on. */
export const POISON = "poison";
export const poison = (database: DatabaseSync): void =>
  database.exec(
    `create trigger poison before insert on item when new.key = '${POISON}' begin select raise(abort, 'poisoned'); end`,
  );

interface Entry {
  readonly level: keyof StoreLog;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
/** A log that can be read. */
export const readableLog = (): StoreLog & { readonly entries: Entry[] } => {
  const entries: Entry[] = [];
  const at =
    (level: keyof StoreLog) =>
    (fields: Entry["fields"], text: string): void => {
      entries.push({ level, text, fields });
    };
  return { entries, error: at("error"), warn: at("warn"), info: at("info") };
};

/** Another process on the same runtime, at most as long as the test. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<void>;

  /** `source`: a module in JavaScript; `file`: where it is put. */
  constructor(source: string, file: string, ...args: readonly string[]) {
    writeFileSync(`${file}.mjs`, source);
    const child = spawn(process.execPath, [`${file}.mjs`, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    onTestFinished(() => void child.kill("SIGKILL"));
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }
  get pid(): number | undefined {
    return this.#process.pid;
  }
  /** The next line it prints; `undefined` when it prints no more. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }
  /** Ends it without a chance to do anything about it. Gives what it had printed until then. */
  async kill(): Promise<readonly string[]> {
    this.#process.kill("SIGKILL");
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    await this.#ended;
    return lines;
  }
}
