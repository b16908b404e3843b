import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Held from `lockDirectory` until `release`, or until the process ends, however it ends. */
export interface DirectoryLock {
  readonly directory: string;
  /** Idempotent. */
  release(): void;
}

/** Somebody else works on the data. */
export class DirectoryInUse extends Error {
  override readonly name = "DirectoryInUse";
  readonly directory: string;
  /** The process that holds the lock, as far as it is known. */
  readonly holder: number | undefined;
  constructor(directory: string, holder: number | undefined) {
    const who = holder === undefined ? "another process" : `process ${holder}`;
    super(`the data in ${directory} is in use by ${who}`);
    this.directory = directory;
    this.holder = holder;
  }
}

/**
 * Makes sure that nobody else works on a directory, which is made if it is not there. Throws `DirectoryInUse`.
 *
 * What is locked is an empty SQLite database, for it knows how to lock on every system: the lock belongs to the process
 * and is gone with it. A file with a process number alone would have to be judged after a crash, and cannot be in
 * containers, where everybody is process 1; the number is only there to be told to people.
 */
export const lockDirectory = (directory: string): DirectoryLock => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(privateFile(directory, "kith.lock"), { timeout: 0 });
  const numberFile = join(directory, "kith.pid");
  try {
    database.exec("begin immediate");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new DirectoryInUse(directory, numberIn(numberFile));
  }
  held.add(database);
  writeFileSync(numberFile, `${process.pid}\n`);
  return {
    directory,
    release: () => {
      if (!held.delete(database)) return;
      rmSync(numberFile, { force: true });
      database.close();
    },
  };
};

/** Also where nobody keeps the answer: a database that is collected as garbage is closed, and its lock gone. */
const held = new Set<DatabaseSync>();

/** A file that only the server's own user can read, made if it is not there; SQLite gives its other files the same rights. */
export const privateFile = (directory: string, name: string): string => {
  const file = join(directory, name);
  closeSync(openSync(file, "a", 0o600));
  return file;
};

const numberIn = (file: string): number | undefined => {
  try {
    return Number.parseInt(readFileSync(file, "ascii"), 10) || undefined;
  } catch {
    return undefined;
  }
};

const SQLITE_BUSY = 5;
const isBusy = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
