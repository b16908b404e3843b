/** What the tests that count have in common: a whole server in this process, on a loopback port and a disk, and what it does counted where it does it. */
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { parseJid } from "@kith/protocol";
import { RawClient } from "@kith/testing/process";
import { onTestFinished, vi } from "vitest";
import { type App, createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { SocketTransport } from "../../src/listen/socket.ts";
import type { Log } from "../../src/router/log.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { WriterThread } from "../../src/store/writer-thread.ts";

const PASSWORD = "under the balcony";
const silent = (): void => {};
const log: Log = { error: silent, warn: silent, info: silent, debug: silent };

export interface Running {
  readonly app: App;
  readonly store: Store;
  readonly port: number;
  /** The database. */
  readonly file: string;
}

/** A server with these accounts. */
export const started = async (archive: boolean, accounts: readonly string[]): Promise<Running> => {
  const directory = await mkdtemp(join(tmpdir(), "kith-counted-"));
  const config = readConfig(
    {
      hosts: { localhost: {} },
      listeners: [{ kind: "c2s", address: "127.0.0.1", port: 0 }],
      plaintextFromLoopback: true,
      scram: { iterations: 4_096 },
      storage: { directory },
      archive: { enabled: archive },
    },
    { file: undefined, directory },
  );
  const store = await openSqliteStore({ directory });
  const app = await createApp({ config, store, log, version: "0" });
  onTestFinished(async () => {
    await app.stop();
    await store.close();
    await rm(directory, { recursive: true });
  });
  for (const account of accounts) await app.accounts.create(parseJid(`${account}@localhost`).bare, PASSWORD);
  const [listening] = await app.listen();
  return { app, store, port: listening?.port ?? 0, file: join(directory, "kith.db") };
};

/** Bound as `account@localhost/home`, and available. */
export const online = async ({ port }: Running, account: string): Promise<RawClient> => {
  const client = await RawClient.connect({ port });
  onTestFinished(() => client.destroy());
  await client.login(account, PASSWORD, "home");
  client.send("<presence/>");
  await client.until("<presence ");
  return client;
};

const NS_SM = "urn:xmpp:sm:3";
export const ASK = `<r xmlns='${NS_SM}'/>`;
export const ack = (h: number): string => `<a xmlns='${NS_SM}' h='${h}'/>`;

/** Stream management (XEP-0198), to be resumed. */
export const manage = async (client: RawClient): Promise<void> => {
  client.send(`<enable xmlns='${NS_SM}' resume='true'/>`);
  await client.until("<enabled ");
};

export interface Counts {
  /** Of the server's sockets. */
  readonly reads: number;
  readonly writes: number;
  /** Of SQLite, on the main thread. */
  readonly statements: number;
  /** What is stored together, by whether somebody waits for it. */
  readonly unitsNow: number;
  readonly unitsSoon: number;
  /** How often the writer was told to commit: each time it is one transaction at most. */
  readonly commits: number;
  /** Messages stored. */
  readonly rows: number;
}

/** Counts what the server does meanwhile, until all of it has been done; its clients' own reads and writes do not count. Time stands still: on a slow machine too no turn of the loop is too long. */
export const counted = async ({ store, file }: Running, work: () => Promise<unknown>): Promise<Counts> => {
  const before = rowsIn(file);
  const reads = vi.spyOn(SocketTransport.prototype, "read");
  const writes = vi.spyOn(Socket.prototype, "write");
  const statements = (["all", "get", "run", "iterate"] as const).map((way) => vi.spyOn(StatementSync.prototype, way));
  const units = vi.spyOn(WriterThread.prototype, "write");
  const told = vi.spyOn(Worker.prototype, "postMessage");
  vi.spyOn(performance, "now").mockReturnValue(performance.now());
  try {
    await work();
    await quiet();
    const hasteOf = (haste: string): number => units.mock.calls.filter(([, asked = "now"]) => asked === haste).length;
    const counts = {
      reads: reads.mock.calls.length,
      writes: writes.mock.contexts.filter(isOfServer).length,
      statements: statements.reduce((sum, { mock }) => sum + mock.calls.length, 0),
      unitsNow: hasteOf("now"),
      unitsSoon: hasteOf("soon"),
      commits: told.mock.calls.filter(([message]) => isCommit(message)).length,
    };
    vi.restoreAllMocks();
    await store.flush();
    return { ...counts, rows: rowsIn(file) - before };
  } finally {
    vi.restoreAllMocks();
  }
};

/** Whatever follows without anybody's doing has been done. */
export const quiet = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A socket that was accepted knows by whom. */
const isOfServer = (socket: unknown): boolean => (socket as { readonly server?: unknown }).server != null;
const isCommit = (message: unknown): boolean => (message as { readonly say?: unknown }).say === "commit";

const rowsIn = (file: string): number => {
  const database = new DatabaseSync(file, { readOnly: true });
  const { rows } = database.prepare("select count(*) as rows from message").get() as { readonly rows: number };
  database.close();
  return rows;
};

export const NOTHING: Counts = { reads: 0, writes: 0, statements: 0, unitsNow: 0, unitsSoon: 0, commits: 0, rows: 0 };
