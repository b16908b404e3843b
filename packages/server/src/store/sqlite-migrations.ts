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

/** The first brings an empty database to version 1, and so on. Never change one that has been released: add another. */
export const MIGRATIONS: readonly Migration[] = [foundation];

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
