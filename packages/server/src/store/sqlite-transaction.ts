import type { DatabaseSync } from "node:sqlite";

/** Does it in one transaction. What it throws is thrown on, and nothing of it has been done then. */
export const transact = (database: DatabaseSync, work: () => void): void => {
  database.exec("begin immediate");
  try {
    work();
    database.exec("commit");
  } catch (error) {
    rollback(database);
    throw error;
  }
};

const rollback = (database: DatabaseSync): void => {
  try {
    database.exec("rollback");
  } catch {
    // After some errors, a full disk among them, SQLite has done so by itself.
  }
};
