import type { RowId } from "./store.ts";

/**
 * Whose a message is, as an index keeps it: many in one blob, so that storing a message touches a page of the index only
 * once in a while. First how far each row is from the first one, 32 bits each, then the flags of each, 8 bits.
 */
export interface Entry {
  readonly row: RowId;
  /** `SENT` and `RECEIVED` as far as they are about this owner, `GROUPCHAT`, `OWN`. */
  readonly flags: number;
}

/** The owner is the sender. */
export const OWN = 64;

const SIZE = 5;
/** In one blob: as many as lie in a page of the index beside others. */
export const MOST_ENTRIES = 128;
/** What 32 bits can tell. */
const FURTHEST = 2 ** 32 - 1;

/** May this row stand in a blob that begins with this row and has so many entries? */
export const hasRoom = (first: RowId, entries: number, row: RowId): boolean =>
  entries < MOST_ENTRIES && row - first <= FURTHEST;

export const encodeEntries = (entries: readonly Entry[]): Uint8Array => {
  const array = new Uint8Array(entries.length * SIZE);
  const view = new DataView(array.buffer);
  const first = entries[0]?.row ?? 0;
  for (let at = 0; at < entries.length; at++) {
    const { row, flags } = entries[at] as Entry;
    view.setUint32(at * 4, row - first, true);
    array[entries.length * 4 + at] = flags;
  }
  return array;
};

export const decodeEntries = (first: RowId, array: Uint8Array): Entry[] => {
  const count = Math.floor(array.length / SIZE);
  const view = new DataView(array.buffer, array.byteOffset, array.byteLength);
  const entries: Entry[] = [];
  for (let at = 0; at < count; at++)
    entries.push({ row: first + view.getUint32(at * 4, true), flags: array[count * 4 + at] ?? 0 });
  return entries;
};
