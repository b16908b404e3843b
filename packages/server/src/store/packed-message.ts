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

/** A change as it goes to the writer's thread. */
export type PackedChange = OwnedChange | MessageWrite | PackedMessage;

export const packed = (change: Change): PackedChange => (change.op === "keep" ? packedMessage(change) : change);

const packedMessage = (kept: Kept): PackedMessage => {
  const { row, stamp, flags, sender, recipient, from, to, origin, key, deliveries, stanza } = kept;
  return {
    op: "keep",
    row,
    stamp,
    flags,
    sender: sender ?? null,
    recipient: recipient ?? null,
    from: from === sender ? null : from,
    to: to === recipient ? null : to,
    stream: origin?.stream ?? null,
    number: origin?.number ?? null,
    key: key ?? null,
    deliveries: deliveries.length === 0 ? null : JSON.stringify(deliveries),
    stanza,
  };
};
