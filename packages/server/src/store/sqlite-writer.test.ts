import type { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { openForWriting, pragma } from "./sqlite-connection.ts";
import { migrate } from "./sqlite-migrations.ts";
import { SqliteReader } from "./sqlite-reader.ts";
import { SqliteWriter, type UnitChanges } from "./sqlite-writer.ts";
import { POISON, poison, temporaryPaths } from "./test-support.ts";

const newPath = temporaryPaths();

const put = (owner: string, key: string, json = "1"): UnitChanges[number] => ({
  op: "put",
  collection: "books",
  owner,
  key,
  json,
});

let database: DatabaseSync;
let writer: SqliteWriter;
let reader: SqliteReader;
beforeEach(async () => {
  database = openForWriting(`${newPath()}.db`, "FULL");
  await migrate(database);
  writer = new SqliteWriter(database);
  reader = new SqliteReader(database);
  return () => database.close();
});
const keys = (owner: string): string[] => reader.items("books", owner).map(([key]) => key);

test("FULL and NORMAL are what SQLite itself says it does", () => {
  expect(pragma(database, "synchronous")).toBe(2);
  expect(pragma(database, "journal_mode")).toBe("wal");
  const normal = openForWriting(`${newPath()}.db`, "NORMAL");
  expect(pragma(normal, "synchronous")).toBe(1);
  normal.close();
});

test("where no write-ahead log is possible, a database is not opened", () => {
  expect(() => openForWriting(":memory:", "FULL")).toThrow("write-ahead log");
});

describe("a unit that cannot be stored", () => {
  beforeEach(() => poison(database));

  test("is alone in failing, wherever it stands", () => {
    for (const size of [1, 2, 3, 7, 16, 33])
      for (const bad of [0, size >> 1, size - 1]) {
        const owner = `${size}-${bad}`;
        const units = Array.from({ length: size }, (_, at) => [
          put(owner, `a${at}`),
          put(owner, at === bad ? POISON : `b${at}`),
        ]);
        const failed = writer.commit(units);
        expect(failed.map(({ at }) => at)).toEqual([bad]);
        expect(failed[0]?.reason).toContain("poisoned");
        expect(keys(owner).length).toBe(2 * (size - 1));
        expect(keys(owner)).not.toContain(`a${bad}`);
      }
  });

  test("leaves the order of the others as it was", () => {
    const units = Array.from({ length: 20 }, (_, at) => [
      put("romeo", "k", String(at)),
      ...(at % 3 === 0 ? [put("romeo", POISON)] : []),
    ]);
    const failed = writer.commit(units);
    expect(failed.map(({ at }) => at)).toEqual([0, 3, 6, 9, 12, 15, 18]);
    expect(reader.items("books", "romeo")).toEqual([["k", "19"]]);
  });

  test("may be all of them", () => {
    const failed = writer.commit(Array.from({ length: 5 }, () => [put("romeo", POISON)]));
    expect(failed.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4]);
    expect(writer.commit([[put("romeo", "a")]])).toEqual([]);
    expect(keys("romeo")).toEqual(["a"]);
  });

  test("may be what no database takes", () => {
    const failed = writer.commit([[put("romeo", "a")], [put("romeo", { not: "text" } as never)], [put("romeo", "c")]]);
    expect(failed.map(({ at }) => at)).toEqual([1]);
    expect(keys("romeo")).toEqual(["a", "c"]);
  });
});

test("a full disk fails the units that do not fit; when there is room again, writing goes on", () => {
  writer.commit([[put("romeo", "before")]]);
  const pages = Number(pragma(database, "page_count"));
  pragma(database, `max_page_count = ${pages + 2}`);
  const large = JSON.stringify("x".repeat(100_000));
  const failed = writer.commit([
    [put("romeo", "small")],
    [put("romeo", "with large"), put("romeo", "large", large)],
    [put("romeo", "small too")],
  ]);
  expect(failed).toEqual([{ at: 1, reason: expect.stringContaining("full") }]);
  expect(keys("romeo")).toEqual(["before", "small", "small too"]);
  expect(writer.commit([[put("juliet", "large", large)]]).length).toBe(1);
  pragma(database, "max_page_count = 1000000");
  expect(writer.commit([[put("juliet", "large", large)]])).toEqual([]);
  expect(reader.items("books", "juliet")).toEqual([["large", large]]);
  expect(pragma(database, "integrity_check")).toBe("ok");
});

test("nothing to do is no transaction", () => {
  const version = (): unknown => pragma(database, "data_version");
  const before = version();
  expect(writer.commit([])).toEqual([]);
  expect(version()).toBe(before);
});

test("units made again in the same order change nothing", () => {
  const units: UnitChanges[] = [
    [put("romeo", "a", "1")],
    [{ op: "spool", target: { account: "romeo" as never }, stored: { row: 1, stamp: 1, stanza: "<a/>" as never } }],
    [put("romeo", "a", "2"), put("romeo", "b", "2")],
    [{ op: "settle", target: { account: "romeo" as never }, rows: [1] }],
    [{ op: "delete", collection: "books", owner: "romeo", key: "b" }],
    [{ op: "spool", target: { account: "romeo" as never }, stored: { row: 2, stamp: 1, stanza: "<b/>" as never } }],
  ];
  const look = (): unknown => [reader.items("books", "romeo"), reader.spooled({ account: "romeo" as never }, 0)];
  writer.commit(units);
  const once = look();
  for (let from = 0; from < units.length; from++) {
    expect(writer.commit(units.slice(from))).toEqual([]);
    expect(look()).toEqual(once);
  }
  expect(once).toEqual([[["a", "2"]], [{ row: 2, stamp: 1, stanza: "<b/>" }]]);
});
