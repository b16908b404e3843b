import { type Bytes, ReceivedCount, SentQueue } from "@kith/protocol";
import type { Ledger, Said } from "./ledger.ts";

/** A stanza on its way to the server. */
export interface Outgoing {
  readonly bytes: Bytes;
  /** What is said by it; `undefined` for what is not missed if it never arrives. */
  readonly said: Said | undefined;
}

/** What a client without XEP-0198 knows: a request whose result comes after a commit proves what was sent before it. */
export class PlainFlow {
  readonly #ledger: Ledger;
  #open: Outgoing[] = [];
  readonly #signs = new Map<string, number>();
  #asked = 0;
  /** When the oldest question was asked that has no answer; 0: there is none. */
  waitingSince = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get length(): number {
    return this.#open.length;
  }

  sent(outgoing: Outgoing): void {
    if (outgoing.said !== undefined) this.#open.push(outgoing);
  }

  /** The id of a request that is sent now. */
  ask(): string {
    const id = `sign-${++this.#asked}`;
    this.#signs.set(id, this.#open.length);
    if (this.waitingSince === 0) this.waitingSince = this.#ledger.now;
    return id;
  }

  answered(id: string): void {
    const count = this.#signs.get(id);
    if (count === undefined) return;
    this.#signs.delete(id);
    this.waitingSince = this.#signs.size === 0 ? 0 : this.#ledger.now;
    for (const { said } of this.#open.splice(0, count)) acknowledged(this.#ledger, said, `by ${id}`);
    for (const [other, open] of this.#signs) this.#signs.set(other, Math.max(0, open - count));
  }

  /** The connection is gone: what has to be sent again. */
  lost(): readonly Outgoing[] {
    this.#signs.clear();
    this.waitingSince = 0;
    return this.#open.splice(0);
  }
}

/** What a client with XEP-0198 counts, on one stream and all connections it has had. */
export class ManagedFlow {
  readonly #ledger: Ledger;
  readonly #sent = new SentQueue<Outgoing>();
  readonly #received = new ReceivedCount();
  /** The SM-ID, once the server has told it. */
  previd: string | undefined;
  /** What of the server's stanzas it has been told that they have arrived. */
  #told = 0;
  waitingSince = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Sent, and not acknowledged by the server. */
  get length(): number {
    return this.#sent.length;
  }

  /** Received, and not acknowledged to the server. */
  get untold(): number {
    return this.#received.received - this.#told;
  }

  get unacknowledged(): readonly Outgoing[] {
    return this.#sent.unacknowledged;
  }

  sent(outgoing: Outgoing): void {
    this.#sent.append(outgoing);
  }

  ask(): void {
    if (this.waitingSince === 0) this.waitingSince = this.#ledger.now;
  }

  received(): void {
    this.#received.count();
  }

  /** The number for an answer to the server. */
  tell(): number {
    this.#told = this.#received.received;
    return this.#received.h;
  }

  /** False where the server claims more than there was. */
  acknowledged(h: number, how: string): boolean {
    const items = this.#sent.acknowledge(h);
    if (items === "too-high") return false;
    this.waitingSince = 0;
    for (const { said } of items) acknowledged(this.#ledger, said, `${how}, h=${h}`);
    return true;
  }
}

const acknowledged = (ledger: Ledger, said: Said | undefined, how: string): void => {
  if (said === undefined) return;
  said.isAcknowledged = true;
  ledger.note(said, `acknowledged ${how}`);
};
