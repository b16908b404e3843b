import type { BareJid, Bytes } from "@kith/protocol";
import type { MessageOwner } from "./message-owner.ts";
import type { Delivery, KeptMessage, NewMessage, StreamPlace } from "./messages.ts";
import type { RowId } from "./store.ts";

/** What a row says about a message, as bits. */
export const SENT = 1;
export const RECEIVED = 2;
export const WAITS = 4;
export const GROUPCHAT = 8;
export const SEARCHABLE = 16;
/** Somebody's archive shows it. */
export const ARCHIVED = SENT | RECEIVED;

/** A message in a unit; the change that stores it. Its fields are written out one by one: there is one for every message. */
export class Kept implements KeptMessage {
  readonly op = "keep";
  row: RowId = 0;
  stamp = 0;
  readonly deliveries: Delivery[] = [];
  readonly stanza: Bytes;
  readonly sender: BareJid | undefined;
  readonly recipient: BareJid | undefined;
  readonly isArchived: NewMessage["isArchived"];
  readonly waits: boolean;
  readonly from: string;
  readonly to: string;
  readonly isGroupchat: boolean;
  readonly isSearchable: boolean;
  readonly origin: StreamPlace | undefined;
  readonly key: string | undefined;
  /** Whose it is, as far as they are ours; known once it is in a unit. */
  senderOwner: MessageOwner | undefined = undefined;
  recipientOwner: MessageOwner | undefined = undefined;
  /** Its number among the keys that are known of its sender. */
  keyNumber = -1;
  /** It has arrived already, ahead of the news that it is stored. */
  hasArrived = false;

  constructor(message: NewMessage) {
    this.stanza = message.stanza;
    this.sender = message.sender;
    this.recipient = message.recipient;
    this.isArchived = message.isArchived;
    this.waits = message.waits && message.recipient !== undefined;
    this.from = message.from;
    this.to = message.to;
    this.isGroupchat = message.isGroupchat;
    this.isSearchable = message.isSearchable;
    this.origin = message.origin;
    this.key = message.key;
  }

  get flags(): number {
    const { sent, received } = this.isArchived;
    return (
      (sent && this.sender !== undefined ? SENT : 0) |
      (received && this.recipient !== undefined ? RECEIVED : 0) |
      (this.waits ? WAITS : 0) |
      (this.isGroupchat ? GROUPCHAT : 0) |
      (this.isSearchable ? SEARCHABLE : 0)
    );
  }
}
