import { ACK_REQUEST, type Bytes } from "@kith/protocol";
import type { RowId, Ticket } from "../store/store.ts";
import type { Wire } from "./door.ts";
import { Gate } from "./gate.ts";
import type { Sent } from "./management.ts";

/** What is let through to the wire: a stanza that is counted, one that is not, or something that is no stanza. */
type Outgoing =
  | { readonly is: "counted"; readonly sent: Sent }
  | { readonly is: "plain"; readonly bytes: Bytes; readonly row: RowId | undefined };

/** How many counted stanzas may go out before the client is asked how many it has handled. */
const ASK_EVERY = 10;

/** What leaves for one session, in the order it was appended, nothing before its commit. */
export class Outbox {
  #wire: Wire | undefined;
  #gate: Gate<Outgoing> | undefined;
  /** Rows that were written to a client that acknowledges nothing, and that has not been heard since. */
  #unproven: RowId[] | undefined;
  /** Counted stanzas written since the client was last asked. */
  #unasked = 0;

  constructor(wire: Wire | undefined) {
    this.#wire = wire;
  }

  get wire(): Wire | undefined {
    return this.#wire;
  }

  /** A stanza that is not counted. `row`: the stored message it is, which waits until it has arrived. */
  append(bytes: Bytes, after: Ticket | undefined, row: RowId | undefined): void {
    if (after === undefined && row === undefined && (this.#gate === undefined || this.#gate.isOpen)) {
      this.#wire?.send(bytes);
      return;
    }
    this.#enter({ is: "plain", bytes, row }, after);
  }

  appendCounted(sent: Sent, after: Ticket | undefined): void {
    this.#enter({ is: "counted", sent }, after);
  }

  /** The connection is gone. What is let through from now on waits. */
  detach(): void {
    this.#wire = undefined;
  }

  /** There is another connection: what has not been acknowledged goes out again, in order, and then what comes. */
  attach(wire: Wire, unacknowledged: readonly Sent[]): void {
    this.#wire = wire;
    this.#unasked = 0;
    for (const sent of unacknowledged) if (sent.mayLeave) this.#write(sent);
  }

  ask(): void {
    this.#unasked = 0;
    this.#wire?.send(ACK_REQUEST);
  }

  /** The client has been heard: what the kernel had taken before has arrived, as far as anybody can know (RFC 6120 §4.6). */
  proven(): readonly RowId[] {
    if (this.#unproven === undefined || (this.#wire?.backlog ?? 0) > 0) return NONE;
    const rows = this.#unproven;
    this.#unproven = undefined;
    return rows;
  }

  /** Adds the rows of what is not counted and not proven, or not let through yet. */
  underWay(rows: Set<RowId>): void {
    for (const row of this.#unproven ?? NONE) rows.add(row);
    for (const item of this.#gate?.held() ?? NOTHING)
      if (item.is === "plain" && item.row !== undefined) rows.add(item.row);
  }

  #enter(outgoing: Outgoing, after: Ticket | undefined): void {
    this.#gate ??= new Gate(
      (item) => this.#pass(item),
      (item) => this.#fill(item),
    );
    this.#gate.enter(outgoing, after);
  }

  #pass(item: Outgoing): void {
    if (item.is === "plain") {
      this.#wire?.send(item.bytes);
      if (item.row === undefined) return;
      if (this.#unproven === undefined) this.#unproven = [item.row];
      else this.#unproven.push(item.row);
      return;
    }
    item.sent.mayLeave = true;
    if (this.#wire !== undefined) this.#write(item.sent);
  }

  #write({ bytes }: Sent): void {
    this.#wire?.send(bytes);
    if (++this.#unasked >= ASK_EVERY) this.ask();
  }

  /** Its commit failed, but it has a number: something that means nothing goes out instead (RFC 6120 §10.3.3). */
  #fill(item: Outgoing): void {
    if (item.is === "plain") return;
    item.sent.bytes = FILLER;
    this.#pass(item);
  }
}

const NONE: readonly RowId[] = [];
const NOTHING: readonly Outgoing[] = [];
const FILLER = "<iq type='result' id='nothing'/>" as Bytes;
