import type { Bytes } from "@kith/protocol";
import type { RowId, Ticket } from "../store/store.ts";
import type { Wire } from "./door.ts";
import { Gate } from "./gate.ts";

interface Outgoing {
  readonly bytes: Bytes;
  readonly row: RowId | undefined;
}

/** What leaves for one session, in the order it was appended, nothing before its commit. */
export class Outbox {
  readonly #wire: Wire;
  readonly #settle: (rows: readonly RowId[]) => void;
  #gate: Gate<Outgoing> | undefined;
  #unflushed: RowId[] | undefined;

  /** `settle` is told the rows that have been handed to the kernel. */
  constructor(wire: Wire, settle: (rows: readonly RowId[]) => void) {
    this.#wire = wire;
    this.#settle = settle;
  }

  append(bytes: Bytes, after: Ticket | undefined, row: RowId | undefined): void {
    if (after === undefined && row === undefined && (this.#gate === undefined || this.#gate.isOpen)) {
      this.#wire.send(bytes);
      return;
    }
    this.#gate ??= new Gate((outgoing) => this.#send(outgoing));
    this.#gate.enter({ bytes, row }, after);
  }

  #send({ bytes, row }: Outgoing): void {
    this.#wire.send(bytes);
    if (row === undefined) return;
    if (this.#unflushed !== undefined) {
      this.#unflushed.push(row);
      return;
    }
    const rows = [row];
    this.#unflushed = rows;
    this.#wire.whenFlushed(() => {
      this.#unflushed = undefined;
      this.#settle(rows);
    });
  }
}
