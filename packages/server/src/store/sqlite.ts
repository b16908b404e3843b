import type { DatabaseSync } from "node:sqlite";
import type { BareJid, DomainJid } from "@kith/protocol";
import { ArchiveReaderThread } from "./archive-reader-thread.ts";
import { type DirectoryLock, lockDirectory, privateFile } from "./directory-lock.ts";
import type { Row } from "./items.ts";
import type { DigestAfter } from "./message-digests.ts";
import { type Complete, type Disk, type HandedUnit, OverlayStore } from "./overlay.ts";
import { openForReading, openForWriting, type Synchronous, schemaVersion } from "./sqlite-connection.ts";
import { SqliteMessages } from "./sqlite-messages.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SCHEMA_VERSION } from "./sqlite-schema.ts";
import type { Account, Haste, RowId, Store, StoredStanza, Target } from "./store.ts";
import { type StoreLog, WriterThread } from "./writer-thread.ts";

export interface SqliteStoreOptions {
  /** Where the data lies; made if it is not there. Nobody else may work on it meanwhile. */
  readonly directory: string;
  /** The lock on the directory, by whoever has taken it already and will release it. By default the store does both. */
  readonly lock?: DirectoryLock;
  /** Default: FULL. */
  readonly synchronous?: Synchronous;
  /** How many owners' collections are kept in memory. */
  readonly cacheOwners?: number;
  /** Milliseconds since 1970; by default the system's. */
  readonly now?: () => number;
  /** When what has been stored is digested. */
  readonly digestAfter?: DigestAfter;
  readonly log?: StoreLog;
}

/**
 * Opens the store in a directory, bringing an older one up to date. Rejects with `DirectoryInUse` where somebody else
 * has opened it, and with an Error that names both versions where it was written by a newer Kith.
 */
export const openSqliteStore = async (options: SqliteStoreOptions): Promise<Store> => {
  const { directory, synchronous = "FULL", log = silentLog } = options;
  const lock = options.lock ?? lockDirectory(directory);
  const unlock = options.lock === undefined ? () => lock.release() : () => undefined;
  try {
    const file = privateFile(directory, "kith.db");
    await bringUpToDate(file, synchronous);
    const writer = await WriterThread.start({ file, synchronous, log });
    const archives = new ArchiveReaderThread(file, log);
    const disk = new SqliteDisk(openForReading(file), writer, archives, unlock);
    const onDefect = (error: unknown): void => log.error({ err: error }, "a listener of a ticket failed");
    return new OverlayStore(disk, { ...options, onDefect });
  } catch (error) {
    unlock();
    throw error;
  }
};

const silent = (): void => undefined;
const silentLog: StoreLog = { error: silent, warn: silent, info: silent };

const bringUpToDate = async (file: string, synchronous: Synchronous): Promise<void> => {
  const database = openForWriting(file, synchronous);
  try {
    const version = schemaVersion(database);
    if (version > SCHEMA_VERSION)
      throw new Error(
        `${file} has schema version ${version}, written by a newer Kith; this one knows versions up to ${SCHEMA_VERSION}`,
      );
    // Loading the tools takes longer than all the rest of opening a store.
    if (version < SCHEMA_VERSION) await (await import("./sqlite-migrations.ts")).migrate(database);
  } finally {
    database.close();
  }
};

/** Reads by key on the main thread's own connection, everything else in the writer's thread. */
class SqliteDisk implements Disk {
  readonly lastRow: RowId;
  readonly messages: SqliteMessages;
  readonly #database: DatabaseSync;
  readonly #reader: SqliteReader;
  readonly #writer: WriterThread;
  readonly #archives: ArchiveReaderThread;
  readonly #unlock: () => void;

  constructor(database: DatabaseSync, writer: WriterThread, archives: ArchiveReaderThread, unlock: () => void) {
    this.#database = database;
    this.#reader = new SqliteReader(database);
    this.#writer = writer;
    this.#archives = archives;
    this.messages = new SqliteMessages(database, writer, archives);
    this.#unlock = unlock;
    this.lastRow = this.#reader.lastRow();
  }

  items(collection: string, owner: string): readonly Row[] {
    return this.#reader.items(collection, owner);
  }
  hasAccount(jid: BareJid): boolean {
    return this.#reader.hasAccount(jid);
  }
  account(jid: BareJid): Account | undefined {
    return this.#reader.account(jid);
  }
  removedAt(jid: BareJid): number | undefined {
    return this.#reader.removedAt(jid);
  }
  spooled(target: Target, after: RowId, limit: number): readonly StoredStanza[] {
    return this.#reader.spooled(target, after, limit);
  }
  allSpooled(target: Target, after: RowId, complete: Complete<StoredStanza>): Promise<readonly StoredStanza[]> {
    return this.#writer.ask({ ask: "spooled", target, after }, complete);
  }
  countSpooled(target: Target, except: readonly RowId[]): number {
    return this.#reader.countSpooled(target, except);
  }
  bytesSpooled(target: Target, except: readonly RowId[]): number {
    return this.#reader.bytesSpooled(target, except);
  }
  owners(collection: string, complete: Complete<string>): Promise<readonly string[]> {
    return this.#writer.ask({ ask: "owners", collection }, complete);
  }
  accounts(domain: DomainJid | undefined, complete: Complete<BareJid>): Promise<readonly BareJid[]> {
    return this.#writer.ask({ ask: "accounts", domain }, complete);
  }
  write(unit: HandedUnit, haste: Haste): void {
    this.#writer.write(unit, haste);
  }
  hurry(): void {
    this.#writer.hurry();
  }

  async close(): Promise<void> {
    // First the readers: whoever closes last clears away the log, and only the writer may.
    this.#database.close();
    await this.#archives.close();
    await this.#writer.close();
    this.#unlock();
  }
}
