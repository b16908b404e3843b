import type { Bytes } from "@kith/protocol";
import type { Change, MessageWrite, OwnedChange } from "./change.ts";
import type { Kept } from "./kept-message.ts";
import type { RowId } from "./store.ts";

/** A message on its way to the writer, as the columns of its row. */
export interface PackedMessage {
  readonly op: "keep";
  readonly row: RowId;
  readonly stamp: number;
  readonly flags: number;
  readonly sender: string | null;
  readonly recipient: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly stream: string | null;
  readonly number: number | null;
  readonly key: string | null;
  readonly deliveries: string | null;
  readonly stanza: Bytes;
}

/** A change as it is carried out in the writer's thread. */
export type PackedChange = OwnedChange | MessageWrite | PackedMessage;
type Plain = string | number | null;

/**
 * Units in one array, because there are as many as messages, and handing objects to another thread costs many times what
 * strings and numbers do. Of each unit first how many changes it has; then each change, a message as its columns.
 */
export type PackedUnits = readonly (Plain | Exclude<PackedChange, PackedMessage>)[];

export const packUnits = (units: readonly { readonly changes: readonly Change[] }[]): PackedUnits => {
  const packed: (Plain | Exclude<PackedChange, PackedMessage>)[] = [];
  for (const { changes } of units) {
    packed.push(changes.length);
    for (const change of changes) {
      if (change.op === "keep") packMessage(packed, change);
      else packed.push(change);
    }
  }
  return packed;
};

const packMessage = (packed: unknown[], kept: Kept): void => {
  const { row, stamp, flags, sender, recipient, from, to, origin, key, deliveries, stanza } = kept;
  packed.push(
    row,
    stamp,
    flags,
    sender ?? null,
    recipient ?? null,
    from === sender ? null : from,
    to === recipient ? null : to,
    origin?.stream ?? null,
    origin?.number ?? null,
    key ?? null,
    deliveries.length === 0 ? null : JSON.stringify(deliveries),
    stanza,
  );
};

/** The changes of each unit. */
export const unpackUnits = (packed: PackedUnits): PackedChange[][] => {
  const units: PackedChange[][] = [];
  for (let at = 0; at < packed.length; ) {
    const changes: PackedChange[] = [];
    const count = packed[at++] as number;
    while (changes.length < count) {
      const next = packed[at];
      if (typeof next === "number") {
        changes.push(messageAt(packed, at));
        at += COLUMNS;
      } else {
        changes.push(next as PackedChange);
        at++;
      }
    }
    units.push(changes);
  }
  return units;
};

const COLUMNS = 12;
const messageAt = (packed: PackedUnits, at: number): PackedMessage => ({
  op: "keep",
  row: packed[at] as number,
  stamp: packed[at + 1] as number,
  flags: packed[at + 2] as number,
  sender: packed[at + 3] as string | null,
  recipient: packed[at + 4] as string | null,
  from: packed[at + 5] as string | null,
  to: packed[at + 6] as string | null,
  stream: packed[at + 7] as string | null,
  number: packed[at + 8] as number | null,
  key: packed[at + 9] as string | null,
  deliveries: packed[at + 10] as string | null,
  stanza: packed[at + 11] as Bytes,
});
