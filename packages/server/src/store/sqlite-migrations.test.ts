import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { lockDirectory } from "./directory-lock.ts";
import { Hand } from "./messages.suite.ts";
import { openSqliteStore } from "./sqlite.ts";
import { openForWriting, schemaVersion } from "./sqlite-connection.ts";
import { MIGRATIONS, migrate } from "./sqlite-migrations.ts";
import { SCHEMA_VERSION } from "./sqlite-schema.ts";
import { jid } from "./store.suite.ts";
import { databaseIn, temporaryPaths } from "./test-support.ts";

const newPath = temporaryPaths();

/** A database as version 1 made it, with something in every table. Never changes. */
const VERSION_1 = `
  create table account (jid text primary key, created integer not null) strict, without rowid;
  create table account_keys (
    jid text not null, hash text not null, salt blob not null, iterations integer not null,
    stored_key blob not null, server_key blob not null,
    constraint account_keys_of_jid primary key (jid, hash)
  ) strict, without rowid;
  create table removed_account (jid text primary key, removed integer not null) strict, without rowid;
  create table item (
    collection text not null, owner text not null, key text not null, value text not null,
    constraint item_of_owner primary key (collection, owner, key)
  ) strict, without rowid;
  create table spool (
    row integer primary key autoincrement, target_kind text not null, target text not null,
    stamp integer not null, stanza blob not null
  ) strict;
  create index spool_by_target on spool (target_kind, target, row);

  insert into account values ('bare@example.org', 1700000000001), ('romeo@example.org', 1700000000000);
  insert into account_keys values
    ('romeo@example.org', 'SHA-1', x'0102', 10000, x'aa', x'bb'),
    ('romeo@example.org', 'SHA-256', x'0304', 20000, x'cc', x'dd');
  insert into removed_account values ('tybalt@example.org', 1700000000002);
  insert into item values
    ('roster', 'romeo@example.org', 'juliet@example.net', '{"name":"Juliet \u2665"}'),
    ('roster', 'romeo@example.org', 'nurse@example.net', '{"name":"Nurse"}'),
    ('private', 'romeo@example.org', 'a''b', '"<a/>"');
  insert into spool (row, target_kind, target, stamp, stanza) values
    (3, 'account', 'romeo@example.org', 1700000000003, x'3c6d3ec3a93c2f6d3e'),
    (4, 'domain', 'irc.example.org', 1700000000004, x'3c6e2f3e'),
    (9, 'account', 'romeo@example.org', 1700000000005, x'3c6f2f3e');
  delete from spool where row = 9;
  pragma user_version = 1;
`;

/** Tables, columns, keys and indexes, whatever the text that made them. */
const shape = (database: DatabaseSync): unknown => {
  const all = (text: string): Record<string, unknown>[] => database.prepare(text).all();
  const tables = all(
    "select name, wr, strict from pragma_table_list where schema = 'main' and type = 'table' order by name",
  );
  return tables.map((table) => ({
    ...table,
    columns: all(`select name, type, "notnull", dflt_value, pk from pragma_table_info('${table.name}')`),
    indexes: all(`select name, "unique", origin from pragma_index_list('${table.name}') order by name`).map(
      (index) => ({
        ...index,
        columns: all(`select name from pragma_index_info('${index.name}') order by seqno`),
      }),
    ),
  }));
};

test("there is a migration for every version", () => {
  expect(MIGRATIONS.length).toBe(SCHEMA_VERSION);
});

test("the first migration makes version 1", async () => {
  const [made, fixture] = [new DatabaseSync(":memory:"), new DatabaseSync(":memory:")];
  await migrate(made, MIGRATIONS.slice(0, 1));
  fixture.exec(VERSION_1);
  expect(shape(made)).toEqual(shape(fixture));
  expect(schemaVersion(made)).toBe(1);
});

test("the second migration adds stored messages, and leaves what was there", async () => {
  const database = new DatabaseSync(":memory:");
  database.exec(VERSION_1);
  const before = shape(database) as readonly { readonly name: string }[];
  await migrate(database, MIGRATIONS.slice(0, 2));
  const after = shape(database) as typeof before;
  const names = new Set(before.map(({ name }) => name));
  expect(after.filter(({ name }) => names.has(name))).toEqual(before);
  const added = after.map(({ name }) => name).filter((name) => !names.has(name) && !name.startsWith("message_text"));
  expect(added).toEqual([
    "delivery",
    "message",
    "message_mark",
    "message_of",
    "message_with",
    "removed_messages",
    "waiting",
  ]);
  expect(schemaVersion(database)).toBe(2);
});

test("what version 1 stored is read", async () => {
  const directory = newPath();
  lockDirectory(directory).release();
  const database = databaseIn(directory);
  database.exec(VERSION_1);
  database.close();
  const store = await openSqliteStore({ directory });
  const { accounts, spool } = store;
  const roster = store.collection("roster");
  const romeo = jid("romeo@example.org");
  expect(await accounts.list()).toEqual(["bare@example.org", "romeo@example.org"]);
  expect(await accounts.get(romeo)).toEqual({
    jid: romeo,
    created: 1_700_000_000_000,
    keys: {
      "SHA-1": {
        salt: Uint8Array.of(1, 2),
        iterations: 10_000,
        storedKey: Uint8Array.of(0xaa),
        serverKey: Uint8Array.of(0xbb),
      },
      "SHA-256": {
        salt: Uint8Array.of(3, 4),
        iterations: 20_000,
        storedKey: Uint8Array.of(0xcc),
        serverKey: Uint8Array.of(0xdd),
      },
    },
  });
  expect(await accounts.get(jid("bare@example.org"))).toEqual({
    jid: "bare@example.org",
    created: 1_700_000_000_001,
    keys: {},
  });
  expect(await accounts.removedAt(jid("tybalt@example.org"))).toBe(1_700_000_000_002);
  expect(await roster.all(romeo)).toEqual(
    new Map([
      ["juliet@example.net", { name: "Juliet \u2665" }],
      ["nurse@example.net", { name: "Nurse" }],
    ]),
  );
  expect(await store.collection("private").get(romeo, "a'b")).toBe("<a/>");
  expect(await spool.pending({ account: romeo })).toEqual([
    { row: 3, stamp: 1_700_000_000_003, stanza: "<m>\xc3\xa9</m>" },
  ]);
  expect(await spool.count({ domain: "irc.example.org" as never })).toBe(1);
  expect(spool.keep({ account: romeo }, "<p/>" as never, 1).row).toBe(10);
  const hand = new Hand({
    store,
    clock: { now: 1 },
    hold: () => () => undefined,
    commitFailing: (unit) => unit.commit(),
  });
  expect(await hand.store1("first")).toBe(1);
  await hand.digest();
  expect(await hand.page({ text: "first" })).toEqual([]);
  expect(await hand.page()).toEqual(["first"]);
  await store.close();
});

describe("migrations", () => {
  const tables = (database: DatabaseSync): unknown[] =>
    database
      .prepare("select name from sqlite_schema where type = 'table' order by name")
      .all()
      .map(({ name }) => name);

  test("run once each, in order; one that fails leaves nothing, and those before it stay", async () => {
    const database = openForWriting(`${newPath()}.db`, "FULL");
    const ran: string[] = [];
    const step =
      (name: string, fails = false): (typeof MIGRATIONS)[number] =>
      async ({ schema }) => {
        ran.push(name);
        await schema.createTable(name).addColumn("a", "integer").execute();
        if (fails) throw new Error(`${name} failed`);
      };
    await expect(migrate(database, [step("one"), step("two", true), step("three")])).rejects.toThrow("two failed");
    expect(ran).toEqual(["one", "two"]);
    expect(schemaVersion(database)).toBe(1);
    expect(tables(database)).toEqual(["one"]);
    await migrate(database, [step("one"), step("two"), step("three")]);
    expect(ran).toEqual(["one", "two", "two", "three"]);
    expect(schemaVersion(database)).toBe(3);
    expect(tables(database)).toEqual(["one", "three", "two"]);
    await migrate(database, [step("one"), step("two"), step("three")]);
    expect(ran.length).toBe(4);
    database.close();
  });

  test("may read and write what is there", async () => {
    const database = new DatabaseSync(":memory:");
    await migrate(database);
    database.exec("insert into item values ('roster', 'romeo', 'juliet', '1'), ('roster', 'romeo', 'nurse', '2')");
    await migrate(database, [
      ...MIGRATIONS,
      async (schema) => {
        const { rows } = await sql<{ key: string }>`select key from item order by key`.execute(schema);
        for (const { key } of rows) await sql`update item set value = ${`"${key}"`} where key = ${key}`.execute(schema);
      },
    ]);
    expect(
      database
        .prepare("select value from item order by key")
        .all()
        .map(({ value }) => value),
    ).toEqual(['"juliet"', '"nurse"']);
  });
});

test("a database of a newer version is left alone, and the error names both versions", async () => {
  const directory = newPath();
  await (await openSqliteStore({ directory })).close();
  const newer = databaseIn(directory);
  newer.exec(`pragma user_version = ${SCHEMA_VERSION + 41}`);
  await expect(openSqliteStore({ directory })).rejects.toThrow(
    new RegExp(`version ${SCHEMA_VERSION + 41},.* up to ${SCHEMA_VERSION}$`),
  );
  expect(schemaVersion(newer)).toBe(SCHEMA_VERSION + 41);
  newer.close();
  lockDirectory(directory).release();
});
