import { type BareJid, type Jid, type Message, writeStanza } from "@kith/protocol";
import type { Keeping, Shown } from "../module.ts";
import type { KeptMessage, MessageSide, StreamPlace } from "../store/messages.ts";
import type { Unit } from "../store/store.ts";

/**
 * What becomes of one message in the store: what modules wish on both sides, put together. It is stored once, in the
 * unit of its turn, or not at all.
 */
export class Storing {
  /** As it was last amended. */
  message: Message;
  /** The local account that sent it. */
  readonly sender: BareJid | undefined;
  readonly #origin: StreamPlace | undefined;
  /** The local account it is for, once it has come to its side. */
  #recipient: BareJid | undefined;
  #sent: Keeping = NOTHING;
  #received: Keeping = NOTHING;
  #isAwaited = false;
  #kept: KeptMessage | undefined;

  constructor(message: Message, sender: BareJid | undefined, origin: StreamPlace | undefined) {
    this.message = message;
    this.sender = sender;
    this.#origin = origin;
  }

  wish(side: MessageSide, keeping: Keeping): void {
    if (side === "sent") this.#sent = keeping;
    else this.#received = keeping;
  }

  /** It has come to a local account. */
  arrivedAt(recipient: BareJid, message: Message): void {
    this.#recipient = recipient;
    this.message = message;
  }

  /** Nobody was there: it is stored so that it can wait. */
  await(recipient: BareJid, message: Message): void {
    this.arrivedAt(recipient, message);
    this.#isAwaited = true;
  }

  /** It was refused, and is to be as good as new if it is sent again. */
  refused(): void {
    this.#sent = { isArchived: this.#sent.isArchived === true, isSearchable: this.#sent.isSearchable === true };
    this.#received = NOTHING;
    this.#isAwaited = false;
  }

  get isStored(): boolean {
    return this.#sent.isArchived === true || this.#received.isArchived === true || this.#isAwaited;
  }

  get kept(): KeptMessage | undefined {
    return this.#kept;
  }

  /** Adds it to a unit, once. */
  keepIn(unit: Unit): void {
    if (this.#kept !== undefined) return;
    const { from, to, type } = this.message;
    this.#kept = unit.keep({
      stanza: writeStanza(this.message),
      sender: this.sender,
      recipient: this.#recipient,
      isArchived: { sent: this.#sent.isArchived === true, received: this.#received.isArchived === true },
      waits: this.#waits,
      from: (from as Jid).bare,
      to: (to as Jid).bare,
      isGroupchat: type === "groupchat",
      isSearchable: this.#sent.isSearchable === true || this.#received.isSearchable === true,
      origin: this.#origin,
      key: this.#sent.key,
    });
  }

  /** As sessions of an account are shown it. Once it has its number. */
  shownTo(account: BareJid): Shown | undefined {
    const kept = this.#kept;
    if (kept === undefined) return undefined;
    // A message to oneself has one place in the archive: as sent.
    const isSent = account === this.sender && (this.#sent.isArchived === true || account !== this.#recipient);
    return {
      row: kept.row,
      side: isSent ? "sent" : "received",
      isArchived: (isSent ? this.#sent : this.#received).isArchived === true,
      waits: account === this.#recipient && this.#waits,
    };
  }

  get #waits(): boolean {
    return this.#isAwaited || (this.#received.waits === true && this.#recipient !== undefined);
  }
}

const NOTHING: Keeping = {};
