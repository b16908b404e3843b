import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { schemaVersion } from "./sqlite-connection.ts";

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

/** A holder that is just closing is waited for so long, in milliseconds. */
const PATIENCE = 500;

/**
 * Makes sure that nobody else works on a directory, which is made if it is not there. Throws `DirectoryInUse`.
 *
 * What is locked is a small SQLite database, for it knows how to lock on every system: the lock belongs to the process
 * and is gone with it. A file with a process number in it would have to be judged after a crash, and cannot be in
 * containers, where everybody is process 1.
 */
export const lockDirectory = (directory: string): DirectoryLock => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(privateFile(directory, "kith.lock"), { timeout: PATIENCE });
  try {
    database.exec("begin immediate");
    // Who holds it, for the others' message; they can read on while a transaction is open that writes nothing.
    database.exec(`pragma user_version = ${process.pid}`);
    database.exec("commit; begin immediate");
  } catch (error) {
    const holder = holderOf(database);
    database.close();
    if (!isBusy(error)) throw error;
    throw new DirectoryInUse(directory, holder);
  }
  let isHeld = true;
  return {
    directory,
    release: () => {
      if (isHeld) database.close();
      isHeld = false;
    },
  };
};

/** A file that only the server's own user can read, made if it is not there; SQLite gives its other files the same rights. */
export const privateFile = (directory: string, name: string): string => {
  const file = join(directory, name);
  closeSync(openSync(file, "a", 0o600));
  return file;
};

const holderOf = (database: DatabaseSync): number | undefined => {
  try {
    return schemaVersion(database) || undefined;
  } catch {
    return undefined;
  }
};

const SQLITE_BUSY = 5;
const isBusy = (error: unknown): boolean =>
  error instanceof Error && ("errcode" in error ? error.errcode === SQLITE_BUSY : /locked/.test(error.message));
