import type { DatabaseSync } from "node:sqlite";
import { Kysely, sql } from "kysely";
import { schemaVersion } from "./sqlite-connection.ts";
import { nodeSqliteDialect } from "./sqlite-dialect.ts";

// A migration is written once and knows no types of today's schema.
type Migration = (database: Kysely<unknown>) => Promise<void>;

const foundation: Migration = async ({ schema }) => {
  await schema
    .createTable("account")
    .addColumn("jid", "text", (jid) => jid.primaryKey())
    .addColumn("created", "integer", (created) => created.notNull())
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await schema
    .createTable("account_keys")
    .addColumn("jid", "text", (jid) => jid.notNull())
    .addColumn("hash", "text", (hash) => hash.notNull())
    .addColumn("salt", "blob", (salt) => salt.notNull())
    .addColumn("iterations", "integer", (iterations) => iterations.notNull())
    .addColumn("stored_key", "blob", (key) => key.notNull())
    .addColumn("server_key", "blob", (key) => key.notNull())
    .addPrimaryKeyConstraint("account_keys_of_jid", ["jid", "hash"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await schema
    .createTable("removed_account")
    .addColumn("jid", "text", (jid) => jid.primaryKey())
    .addColumn("removed", "integer", (removed) => removed.notNull())
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  // Without rowid the rows of one owner lie side by side in the order of the key, so that a roster is read in one go.
  await schema
    .createTable("item")
    .addColumn("collection", "text", (collection) => collection.notNull())
    .addColumn("owner", "text", (owner) => owner.notNull())
    .addColumn("key", "text", (key) => key.notNull())
    .addColumn("value", "text", (value) => value.notNull())
    .addPrimaryKeyConstraint("item_of_owner", ["collection", "owner", "key"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  // "autoincrement" is what remembers the highest number ever used.
  await schema
    .createTable("spool")
    .addColumn("row", "integer", (row) => row.primaryKey().autoIncrement())
    .addColumn("target_kind", "text", (kind) => kind.notNull())
    .addColumn("target", "text", (target) => target.notNull())
    .addColumn("stamp", "integer", (stamp) => stamp.notNull())
    .addColumn("stanza", "blob", (stanza) => stanza.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  await schema.createIndex("spool_by_target").on("spool").columns(["target_kind", "target", "row"]).execute();
};

/** Stored messages. What commits add to has no index but the number of the row; the others are filled in bulk. */
const messages: Migration = async ({ schema }) => {
  await schema
    .createTable("message")
    .addColumn("row", "integer", (row) => row.primaryKey())
    .addColumn("stamp", "integer", (stamp) => stamp.notNull())
    .addColumn("flags", "integer", (flags) => flags.notNull())
    .addColumn("sender", "text")
    .addColumn("recipient", "text")
    .addColumn("from_bare", "text")
    .addColumn("to_bare", "text")
    .addColumn("origin_stream", "text")
    .addColumn("origin_number", "integer")
    .addColumn("key", "text")
    .addColumn("deliveries", "text")
    .addColumn("stanza", "blob", (stanza) => stanza.notNull())
    .modifyEnd(sql`strict`)
    .execute();
  await schema
    .createTable("delivery")
    .addColumn("stream", "text", (stream) => stream.notNull())
    .addColumn("number", "integer", (number) => number.notNull())
    .addColumn("row", "integer", (row) => row.notNull())
    .addColumn("kind", "text", (kind) => kind.notNull())
    .addPrimaryKeyConstraint("delivery_of_stream", ["stream", "number"])
    .modifyEnd(sql`strict, without rowid`)
    .execute();
  await schema.createIndex("delivery_by_row").on("delivery").column("row").execute();
};

const messageIndexes: Migration = async ({ schema }) => {
  const byOwner = (table: string) =>
    schema
      .createTable(table)
      .addColumn("owner", "text", (owner) => owner.notNull())
      .modifyEnd(sql`strict, without rowid`);
  await byOwner("message_of")
    .addColumn("first", "integer", (first) => first.notNull())
    .addColumn("entries", "blob", (entries) => entries.notNull())
    .addPrimaryKeyConstraint("message_of_owner", ["owner", "first"])
    .execute();
  await byOwner("message_with")
    .addColumn("peer", "text", (peer) => peer.notNull())
    .addColumn("first", "integer", (first) => first.notNull())
    .addColumn("entries", "blob", (entries) => entries.notNull())
    .addPrimaryKeyConstraint("message_with_peer", ["owner", "peer", "first"])
    .execute();
  await byOwner("waiting")
    .addColumn("row", "integer", (row) => row.notNull())
    .addPrimaryKeyConstraint("waiting_for_owner", ["owner", "row"])
    .execute();
  await byOwner("removed_messages")
    .addColumn("row", "integer", (row) => row.notNull())
    .addPrimaryKeyConstraint("removed_messages_of_owner", ["owner"])
    .execute();
  await schema
    .createTable("message_mark")
    .addColumn("name", "text", (name) => name.primaryKey())
    .addColumn("row", "integer", (row) => row.notNull())
    .modifyEnd(sql`strict, without rowid`)
    .execute();
};

const messageTexts: Migration = async (database) => {
  // Only the words are kept, not the texts: those are in the messages. What is deleted is really gone.
  await sql`create virtual table message_text using fts5 (owners, words, content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 2")`.execute(
    database,
  );
  await sql`insert into message_text (message_text, rank) values ('secure-delete', 1)`.execute(database);
};

const storedMessages: Migration = async (database) => {
  await messages(database);
  await messageIndexes(database);
  await messageTexts(database);
};

/** The first brings an empty database to version 1, and so on. Never change one that has been released: add another. */
export const MIGRATIONS: readonly Migration[] = [foundation, storedMessages];

/** Runs what is missing, each migration in a transaction of its own. Rejects where one fails; what ran before it stays. */
export const migrate = async (database: DatabaseSync, migrations = MIGRATIONS): Promise<void> => {
  const kysely = new Kysely<unknown>({ dialect: nodeSqliteDialect(database) });
  for (let version = schemaVersion(database); version < migrations.length; version++) {
    await kysely.transaction().execute(async (transaction) => {
      await migrations[version]?.(transaction);
      await sql.raw(`pragma user_version = ${version + 1}`).execute(transaction);
    });
  }
};
