import { ARCHIVED, GROUPCHAT, type Kept, RECEIVED, SEARCHABLE, SENT } from "./kept-message.ts";
import type { ArchiveOwner, MessageTraces, StoredMessage } from "./messages.ts";
import type { RowId } from "./store.ts";

/** A message as it is on disk, whatever the disk. */
export interface DiskMessage extends MessageTraces {
  readonly flags: number;
  readonly from: string;
  readonly to: string;
  readonly key: string | undefined;
}

export const diskMessageOf = (kept: Kept): DiskMessage => {
  const { row, stamp, stanza, sender, recipient, flags, from, to, key, origin } = kept;
  return {
    row,
    stamp,
    stanza,
    sender,
    recipient,
    flags,
    from,
    to,
    key,
    origin,
    deliveries: [...kept.deliveries],
    isArchived: archivedOf(flags),
  };
};

export const archivedOf = (flags: number): StoredMessage["isArchived"] => ({
  sent: (flags & SENT) !== 0,
  received: (flags & RECEIVED) !== 0,
});

interface Sided {
  readonly row: RowId;
  readonly sender: string | undefined;
  readonly recipient: string | undefined;
  readonly flags: number;
}

/** Does this owner's archive show it? */
export const isShownTo = (owner: ArchiveOwner, { sender, recipient, flags }: Sided): boolean =>
  (sender === owner && (flags & SENT) !== 0) || (recipient === owner && (flags & RECEIVED) !== 0);

/** Whom this owner exchanged it with. A message to oneself is seen as sent. */
export const peerOf = (owner: ArchiveOwner, message: DiskMessage): string =>
  message.sender === owner ? message.to : message.from;

export const isGroupchat = ({ flags }: { readonly flags: number }): boolean => (flags & GROUPCHAT) !== 0;
export const isArchived = ({ flags }: { readonly flags: number }): boolean => (flags & ARCHIVED) !== 0;
export const isSearchable = ({ flags }: { readonly flags: number }): boolean => (flags & SEARCHABLE) !== 0;
