import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll } from "vitest";
import { openSqliteStore } from "./sqlite.ts";
import { type Opened, storeSuite } from "./store.suite.ts";

const root = mkdtempSync(join(tmpdir(), "kith-store-"));
let directories = 0;
const newDirectory = (): string => join(root, String(++directories));
afterAll(() => rmSync(root, { recursive: true }));

/** Whatever puts this key cannot be stored. */
const POISON = "poison";
const poison = (database: DatabaseSync): void =>
  database.exec(
    `create trigger poison before insert on item when new.key = '${POISON}' begin select raise(abort, 'poisoned'); end`,
  );

const open = async (cacheOwners: number): Promise<Opened> => {
  const directory = newDirectory();
  const store = await openSqliteStore({ directory, cacheOwners });
  // A tool in another's hand: it makes units fail, and makes the writer wait.
  const tool = new DatabaseSync(join(directory, "kith.db"), { timeout: 5000 });
  poison(tool);
  const { close } = store;
  return {
    store: Object.assign(store, {
      close: () => {
        if (tool.isOpen) tool.close();
        return close.call(store);
      },
    }),
    hold: () => {
      tool.exec("begin immediate");
      return () => tool.exec("rollback");
    },
    commitFailing: (unit) => {
      unit.add({ op: "put", collection: "poison", owner: "poison", key: POISON, value: 1 });
      return unit.commit();
    },
  };
};

storeSuite("the SQLite store", () => open(2000));
storeSuite("the SQLite store that forgets every owner but one", () => open(1));
