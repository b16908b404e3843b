import { existsSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { HandedUnit } from "./overlay.ts";
import { openForReading, openForWriting } from "./sqlite-connection.ts";
import { migrate } from "./sqlite-migrations.ts";
import { POISON, poison, readableLog, temporaryPaths } from "./test-support.ts";
import { WriterThread } from "./writer-thread.ts";

const newPath = temporaryPaths();

const newDatabase = async (): Promise<string> => {
  const file = `${newPath()}.db`;
  const database = openForWriting(file, "NORMAL");
  await migrate(database);
  poison(database);
  database.close();
  return file;
};

/** A thread that ends before it says what became of units, as long as there is a file of this name. */
const brittle = (marker: string, times: "once" | "always"): URL => {
  const script = `${newPath()}.mjs`;
  writeFileSync(
    script,
    `import { existsSync, rmSync } from "node:fs";
     import { parentPort } from "node:worker_threads";
     const post = parentPort.postMessage.bind(parentPort);
     const marker = ${JSON.stringify(marker)};
     parentPort.postMessage = (message) => {
       if (message.say !== "ready" && existsSync(marker)) {
         if (${times === "once"}) rmSync(marker);
         process.exit(3);
       }
       post(message);
     };
     await import(${JSON.stringify(new URL("./writer-worker.ts", import.meta.url).href)});`,
  );
  writeFileSync(marker, "");
  return pathToFileURL(script);
};

interface Waiting extends HandedUnit {
  readonly outcome: Promise<boolean>;
}
const order: string[] = [];
const unit = (owner: string, ...keys: readonly string[]): Waiting => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  return {
    changes: keys.map((key) => ({ op: "put", collection: "books", owner, key, json: "1" })),
    settle: (committed) => {
      order.push(`${owner} ${keys[0]} ${committed}`);
      resolve(committed);
    },
    outcome: promise,
  };
};
const keysOf = (file: string, owner: string): unknown[] => {
  const database = openForReading(file);
  const keys = database.prepare("select key from item where owner = ? order by key").all(owner);
  database.close();
  return keys.map(({ key }) => key);
};
const owners = (thread: WriterThread): Promise<readonly string[]> =>
  thread.ask({ ask: "owners", collection: "books" }, (found) => found);

test("a thread that ends is replaced, and what had no answer is settled by the next", async () => {
  order.length = 0;
  const file = await newDatabase();
  const log = readableLog();
  const marker = newPath();
  const thread = await WriterThread.start({ file, synchronous: "NORMAL", log, script: brittle(marker, "once") });
  const units = [unit("romeo", "a"), unit("romeo", "b", POISON), unit("romeo", "c")];
  for (const waiting of units) thread.write(waiting);
  const asked = owners(thread);
  expect(await Promise.all(units.map(({ outcome }) => outcome))).toEqual([true, false, true]);
  expect(order).toEqual(["romeo a true", "romeo b false", "romeo c true"]);
  expect(await asked).toEqual(["romeo"]);
  expect(keysOf(file, "romeo")).toEqual(["a", "c"]);
  const next = unit("romeo", "d");
  thread.write(next);
  expect(await next.outcome).toBe(true);
  expect(log.entries.filter(({ level }) => level === "error").map(({ text }) => text)).toEqual([
    "the writer's thread ended by itself",
    "could not store",
  ]);
  await thread.close();
});

test("after three threads in a row that did nothing all that is open fails; the next unit starts another", async () => {
  order.length = 0;
  const file = await newDatabase();
  const log = readableLog();
  const marker = newPath();
  const thread = await WriterThread.start({ file, synchronous: "NORMAL", log, script: brittle(marker, "always") });
  const units = [unit("romeo", "a"), unit("romeo", "b")];
  for (const waiting of units) thread.write(waiting);
  const asked = owners(thread);
  asked.catch(() => undefined);
  expect(await Promise.all(units.map(({ outcome }) => outcome))).toEqual([false, false]);
  expect(order).toEqual(["romeo a false", "romeo b false"]);
  await expect(asked).rejects.toThrow("thread ended");
  expect(log.entries.filter(({ text }) => text.includes("ended by itself")).length).toBe(3);
  rmSync(marker);
  const next = unit("juliet", "c");
  thread.write(next);
  expect(await next.outcome).toBe(true);
  expect(keysOf(file, "juliet")).toEqual(["c"]);
  expect(await owners(thread)).toContain("juliet");
  await thread.close();
  expect(existsSync(`${file}-wal`)).toBe(false);
});

test("a thread that ends while the store closes is replaced too", async () => {
  const file = await newDatabase();
  const log = readableLog();
  const script = brittle(newPath(), "once");
  const thread = await WriterThread.start({ file, synchronous: "NORMAL", log, script });
  const last = unit("romeo", "a");
  thread.write(last);
  await thread.close();
  expect(await last.outcome).toBe(true);
  expect(keysOf(file, "romeo")).toEqual(["a"]);
});

test("starting rejects where the database cannot be opened", async () => {
  const file = `${newPath()}.db`;
  writeFileSync(file, "this is not a database ".repeat(100));
  const log = readableLog();
  await expect(WriterThread.start({ file, synchronous: "FULL", log })).rejects.toThrow("not a database");
});

test("what cannot be answered rejects", async () => {
  const file = await newDatabase();
  const thread = await WriterThread.start({ file, synchronous: "FULL", log: readableLog() });
  const database = openForWriting(file, "FULL");
  database.exec("alter table item rename to elsewhere");
  await expect(owners(thread)).rejects.toThrow("item");
  database.exec("alter table elsewhere rename to item");
  database.close();
  expect(await owners(thread)).toEqual([]);
  await thread.close();
});

test("the log has one line when storing begins to fail, and one when it works again", async () => {
  const file = await newDatabase();
  const log = readableLog();
  const thread = await WriterThread.start({ file, synchronous: "FULL", log });
  expect(log.entries).toEqual([
    { level: "info", text: "database open", fields: { file, journalMode: "wal", synchronous: 2 } },
  ]);
  log.entries.length = 0;
  for (const key of ["a", POISON, POISON, POISON, "b", "c"]) {
    const waiting = unit("romeo", key);
    thread.write(waiting);
    await waiting.outcome;
  }
  expect(log.entries).toEqual([
    {
      level: "error",
      text: "could not store",
      fields: { failed: 1, of: 1, reason: expect.stringContaining("poisoned") },
    },
    { level: "info", text: "storing again", fields: {} },
  ]);
  await thread.close();
});
