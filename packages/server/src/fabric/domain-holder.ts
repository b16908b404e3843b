import type { Stanza } from "@kith/protocol";
import type { AvailableResource } from "../module.ts";
import { Gate } from "../session/gate.ts";
import type { Ticket } from "../store/store.ts";
import type { Frame, Holder } from "./fabric.ts";

const NONE: readonly AvailableResource[] = [];

/** The stream of a component as the fabric sees it. */
export class DomainHolder implements Holder {
  readonly #gate: Gate<Stanza>;

  constructor(receive: (stanza: Stanza) => void) {
    this.#gate = new Gate(receive);
  }
  receive({ stanza }: Frame, after: Ticket | undefined): number {
    this.#gate.enter(stanza, after);
    return 1;
  }
  available(): readonly AvailableResource[] {
    return NONE;
  }
  end(): void {
    // A component's stream ends by itself; only accounts have sessions to close.
  }
}
