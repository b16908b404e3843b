import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll } from "vitest";
import { messagesSuite, type OpenedMessages } from "./messages.suite.ts";
import { openSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
import { databaseIn, POISON, poison, temporaryPaths } from "./test-support.ts";

const newPath = temporaryPaths();

// Made once and copied, for there are many tests.
const template = newPath();
beforeAll(async () => (await openSqliteStore({ directory: template })).close());

const open = async (options: Partial<SqliteStoreOptions>): Promise<OpenedMessages> => {
  const directory = newPath();
  mkdirSync(directory);
  copyFileSync(join(template, "kith.db"), join(directory, "kith.db"));
  const clock = { now: 1_000_000 };
  const store = await openSqliteStore({ directory, synchronous: "NORMAL", now: () => clock.now, ...options });
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
    clock,
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

messagesSuite("the SQLite store", () => open({}));
messagesSuite("the SQLite store that digests at once and forgets every owner but one", () =>
  open({ cacheOwners: 1, digestAfter: { messages: 1, delay: 0 } }),
);
