import { DatabaseSync } from "node:sqlite";

/**
 * What a commit waits for. FULL: until it would survive a loss of power. NORMAL: it survives the end of the process,
 * however sudden; the last commits before a loss of power may be gone, whole ones, and the database is intact.
 */
export type Synchronous = "FULL" | "NORMAL";

/** Nobody but an administrator's tools ever holds the database, and not for long. In milliseconds. */
const BUSY_TIMEOUT = 5000;
/** What the write-ahead log is cut back to after it had to grow. In bytes. */
const LOG_SIZE = 64 * 1024 * 1024;

/** What the writer keeps of the database in memory, in KiB: the pages at the ends of many owners' indexes. */
const CACHE_SIZE = 64 * 1024;
/** How long the log grows before its pages are put in their places; many are in it again and again until then. */
const LOG_PAGES = 8_000;

/** Throws where the file cannot be opened, is not a database, or lies where no write-ahead log is possible. */
export const openForWriting = (file: string, synchronous: Synchronous): DatabaseSync => {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
  try {
    const mode = pragma(database, "journal_mode = WAL");
    if (mode !== "wal") throw new Error(`${file}: no write-ahead log is possible here, only "${mode}"`);
    database.exec(`pragma synchronous = ${synchronous}`);
    database.exec(`pragma cache_size = -${CACHE_SIZE}; pragma wal_autocheckpoint = ${LOG_PAGES}`);
    database.exec(`pragma journal_size_limit = ${LOG_SIZE}`);
    // Without these macOS answers before the disk has written; elsewhere they do nothing.
    if (synchronous === "FULL") database.exec("pragma fullfsync = on; pragma checkpoint_fullfsync = on");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
};

export const openForReading = (file: string): DatabaseSync =>
  new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT });

/** 0 for a new database. */
export const schemaVersion = (database: DatabaseSync): number => Number(pragma(database, "user_version"));

/** The first column of what a pragma answers. */
export const pragma = (database: DatabaseSync, text: string): unknown =>
  Object.values(database.prepare(`pragma ${text}`).get() ?? {})[0];
