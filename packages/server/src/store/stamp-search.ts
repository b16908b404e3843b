import type { DatabaseSync } from "node:sqlite";
import type { RowId } from "./store.ts";

/**
 * Stamps never step back from row to row, so that no index is needed to find them. Both answer one more than the last
 * row where there is no such row; the row need not exist itself, but all that do from there on are what was asked for.
 */

/** From this row on stamps are `stamp` or later. */
export const rowFrom = (database: DatabaseSync, stamp: number): RowId => search(database, (at) => at >= stamp);

/** From this row on stamps are later than `stamp`. */
export const rowAfter = (database: DatabaseSync, stamp: number): RowId => search(database, (at) => at > stamp);

const search = (database: DatabaseSync, isThere: (stamp: number) => boolean): RowId => {
  const next = database.prepare("select row, stamp from message where row >= ? order by row limit 1");
  const last = database.prepare("select max(row) as row from message").get() as { row: RowId | null };
  let low = 0;
  let high = (last.row ?? 0) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = next.get(middle) as { row: RowId; stamp: number } | undefined;
    if (found === undefined || isThere(found.stamp)) high = middle;
    else low = found.row + 1;
  }
  return low;
};
