import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DirectoryInUse, lockDirectory } from "./directory-lock.ts";
import { openSqliteStore } from "./sqlite.ts";
import { pragma } from "./sqlite-connection.ts";
import { account, bytes, jid, modelTest, type Opened, settled, storeSuite } from "./store.suite.ts";
import type { RowId, Store, Target, Unit, Write } from "./store.ts";
import { Child, databaseIn, POISON, poison, readableLog, temporaryPaths } from "./test-support.ts";

const newPath = temporaryPaths();

// Made once and copied, for there are many tests.
const template = newPath();
beforeAll(async () => (await openSqliteStore({ directory: template })).close());

const open = async (cacheOwners: number): Promise<Opened> => {
  const directory = newPath();
  mkdirSync(directory);
  copyFileSync(join(template, "kith.db"), join(directory, "kith.db"));
  const store = await openSqliteStore({ directory, cacheOwners, synchronous: "NORMAL" });
  // A tool in another's hand: it makes units fail, and makes the writer wait.
  const tool = databaseIn(directory);
  poison(tool);
  const close = store.close.bind(store);
  return {
    store: Object.assign(store, {
      close: () => {
        if (tool.isOpen) tool.close();
        return close();
      },
    }),
    hold: () => {
      tool.exec("begin immediate");
      return () => tool.exec("rollback");
    },
    commitFailing: (unit) => {
      unit.add({ op: "put", collection: POISON, owner: POISON, key: POISON, value: 1 });
      return unit.commit();
    },
  };
};

storeSuite("the SQLite store", () => open(2000), 30);
describe("the SQLite store that forgets every owner but one", () => modelTest(() => open(1), 30));

const unit = (store: Store, ...writes: readonly Write[]): Unit => {
  const begun = store.begin();
  for (const write of writes) begun.add(write);
  return begun;
};
const commit = (store: Store, ...writes: readonly Write[]): Promise<boolean> =>
  settled(unit(store, ...writes).commit());

const romeo: Target = { account: jid("romeo@example.org") };
let directory: string;
beforeEach(() => {
  directory = newPath();
});

describe("opened again", () => {
  test("everything committed is there, and nothing of what failed or was never committed", async () => {
    let store = await openSqliteStore({ directory });
    const books = store.collection<number>("books");
    const { row, write } = store.spool.keep(romeo, bytes("<a/>"), 17);
    await commit(store, books.put("romeo", "a", 1), store.accounts.put(account("romeo@example.org")), write);
    await commit(
      store,
      store.accounts.put(account("tybalt@example.org")),
      store.accounts.remove(jid("tybalt@example.org"), 3),
    );
    unit(store, books.put("romeo", "b", 1), store.accounts.put(account("juliet@example.org")));
    await store.close();
    store = await openSqliteStore({ directory });
    expect(await store.collection("books").all("romeo")).toEqual(new Map([["a", 1]]));
    expect(await store.accounts.list()).toEqual(["romeo@example.org"]);
    expect(await store.accounts.get(jid("romeo@example.org"))).toEqual(account("romeo@example.org"));
    expect(await store.accounts.removedAt(jid("tybalt@example.org"))).toBe(3);
    expect(await store.spool.pending(romeo)).toEqual([{ row, stanza: "<a/>", stamp: 17 }]);
    await store.close();
  });

  test("no row's number comes twice, though the rows be gone", async () => {
    const seen: RowId[] = [];
    for (let round = 0; round < 4; round++) {
      const store = await openSqliteStore({ directory });
      const kept = Array.from({ length: 3 }, () => store.spool.keep(romeo, bytes("<a/>"), 1));
      const rows = kept.map(({ row }) => row);
      await commit(store, ...kept.map(({ write }) => write));
      await commit(
        store,
        round === 2 ? store.accounts.remove(jid("romeo@example.org"), 1) : store.spool.settle(romeo, rows),
      );
      expect(await store.spool.count(romeo)).toBe(0);
      expect(Math.min(...rows)).toBeGreaterThan(Math.max(0, ...seen));
      seen.push(...rows);
      await store.close();
    }
  });

  test("nothing is left beside the database when it was closed", async () => {
    const store = await openSqliteStore({ directory });
    await commit(store, store.accounts.put(account("romeo@example.org")));
    await store.close();
    expect(() => statSync(join(directory, "kith.db-wal"))).toThrow("ENOENT");
    for (const file of ["kith.db", "kith.lock"]) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });
});

test("killed in the middle of commits, again and again, what was committed is there and every unit is whole", async () => {
  const source = `
    import { openSqliteStore } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};
    const [, , directory, from] = process.argv;
    const store = await openSqliteStore({ directory });
    const books = store.collection("books");
    let number = Number(from);
    let open = 0;
    const go = () => {
      for (; open < 50; open++) {
        const now = ++number;
        const unit = store.begin();
        unit.add(books.put("romeo", String(now), now));
        unit.add(store.spool.keep({ account: "romeo@example.org" }, "<m n='" + now + "'/>", now).write);
        unit.add(books.put("juliet", String(now), now));
        unit.commit().onSettled((committed) => {
          open--;
          process.stdout.write(now + " " + committed + "\\n");
        });
      }
      setImmediate(go);
    };
    go();`;
  const acknowledged = new Set<number>();
  for (let round = 0; round < 3; round++) {
    const child = new Child(source, newPath(), directory, String(round * 1_000_000));
    const lines: (string | undefined)[] = [];
    while (lines.length < 200) lines.push(await child.line());
    await expect(openSqliteStore({ directory })).rejects.toThrow(DirectoryInUse);
    lines.push(...(await child.kill()));
    for (const line of lines) {
      const [number, committed] = (line ?? "").split(" ");
      expect(committed).toBe("true");
      acknowledged.add(Number(number));
    }
    const database = databaseIn(directory);
    expect(pragma(database, "integrity_check")).toBe("ok");
    database.close();
    const store = await openSqliteStore({ directory });
    const books = store.collection<number>("books");
    const stored = new Set((await books.all("romeo")).values());
    expect([...acknowledged].filter((number) => !stored.has(number))).toEqual([]);
    expect(new Set((await books.all("juliet")).values())).toEqual(stored);
    const pending = await store.spool.pending(romeo);
    expect(pending.map(({ stamp }) => stamp)).toEqual([...stored].sort((a, b) => a - b));
    expect(new Set(pending.map(({ row }) => row)).size).toBe(stored.size);
    await store.close();
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(600);
});

/** How many transactions a write-ahead log holds: its frames that say how large the database is after a commit. */
const commitsIn = (file: string): number => {
  const log = readFileSync(file);
  const frame = 24 + log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frame <= log.length && log.subarray(at + 8, at + 16).equals(salts); at += frame)
    if (log.readUInt32BE(at + 4) > 0) commits++;
  return commits;
};

test("units that arrive while a commit runs go into the next one", async () => {
  const store = await openSqliteStore({ directory });
  const books = store.collection<number>("books");
  const log = join(directory, "kith.db-wal");
  await commit(store, books.put("romeo", "first", 0));
  const tool = databaseIn(directory);
  const before = commitsIn(log);
  tool.exec("begin immediate");
  const outcomes: Promise<boolean>[] = [];
  for (let at = 0; at < 300; at++) {
    outcomes.push(commit(store, books.put(`owner${at}`, "k", at)));
    if (at % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  tool.exec("rollback");
  tool.close();
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set([true]));
  expect(commitsIn(log) - before).toBeGreaterThanOrEqual(1);
  expect(commitsIn(log) - before).toBeLessThanOrEqual(3);
  expect((await books.owners()).length).toBe(301);
  await store.close();
});

test("units committed in one turn are one transaction", async () => {
  const store = await openSqliteStore({ directory });
  const books = store.collection<number>("books");
  await commit(store, books.put("romeo", "first", 0));
  const log = join(directory, "kith.db-wal");
  const before = commitsIn(log);
  await Promise.all(Array.from({ length: 100 }, (_, at) => commit(store, books.put(`owner${at}`, "k", at))));
  expect(commitsIn(log) - before).toBe(1);
  await store.close();
});

test("what may be written soon is read at once, and costs no commit of its own", async () => {
  const store = await openSqliteStore({ directory });
  const books = store.collection<number>("books");
  await commit(store, books.put("romeo", "first", 0));
  const log = join(directory, "kith.db-wal");
  const before = commitsIn(log);
  const soon = Array.from({ length: 50 }, (_, at) => {
    const unit = store.begin();
    unit.add(books.put(`owner${at}`, "k", at));
    return unit.commit("soon");
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect([commitsIn(log) - before, soon.every(({ state }) => state === "open")]).toEqual([0, true]);
  expect(await books.get("owner7", "k")).toBe(7);
  await commit(store, books.put("romeo", "second", 1));
  expect([commitsIn(log) - before, soon.every(({ state }) => state === "committed")]).toEqual([1, true]);
  const last = store.begin();
  last.add(books.put("juliet", "last", 2));
  const ticket = last.commit("soon");
  await store.flush();
  expect([commitsIn(log) - before, ticket.state]).toEqual([2, "committed"]);
  await store.close();
});

test.each([
  ["FULL", undefined, 2],
  ["FULL", "FULL", 2],
  ["NORMAL", "NORMAL", 1],
] as const)("the writer's connection is %s when asked for %s", async (_, synchronous, level) => {
  const log = readableLog();
  const store = await openSqliteStore({ directory, log, ...(synchronous === undefined ? {} : { synchronous }) });
  expect(log.entries.find(({ text }) => text === "database open")?.fields).toMatchObject({
    synchronous: level,
    journalMode: "wal",
  });
  await store.close();
});

describe("the lock on the directory", () => {
  test("keeps a second store out until the first is closed", async () => {
    const store = await openSqliteStore({ directory });
    await expect(openSqliteStore({ directory })).rejects.toThrow(DirectoryInUse);
    await commit(store, store.accounts.put(account("romeo@example.org")));
    await store.close();
    await (await openSqliteStore({ directory })).close();
  });

  test("is left to whoever took it", async () => {
    const lock = lockDirectory(directory);
    await expect(openSqliteStore({ directory })).rejects.toThrow(`process ${process.pid}`);
    const store = await openSqliteStore({ directory, lock });
    await store.close();
    expect(() => lockDirectory(directory)).toThrow(DirectoryInUse);
    lock.release();
    await (await openSqliteStore({ directory })).close();
  });

  test("is free again where the store could not be opened", async () => {
    lockDirectory(directory).release();
    writeFileSync(join(directory, "kith.db"), "this is not a database ".repeat(100));
    await expect(openSqliteStore({ directory })).rejects.toThrow("not a database");
    lockDirectory(directory).release();
  });
});

test("what a listener throws is logged", async () => {
  const log = readableLog();
  const store = await openSqliteStore({ directory, log });
  const err = new Error("defect");
  store
    .begin()
    .commit()
    .onSettled(() => {
      throw err;
    });
  await store.flush();
  expect(log.entries.at(-1)).toEqual({ level: "error", text: "a listener of a ticket failed", fields: { err } });
  await store.close();
});
