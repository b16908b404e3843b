import type { Stanza } from "@kith/protocol";
import type { AvailableResource } from "../module.ts";
import { Gate } from "../session/gate.ts";
import type { Ticket } from "../store/store.ts";
import { type Frame, type Holder, type Outcome, outcomeOf } from "./fabric.ts";

const NONE: readonly AvailableResource[] = [];

/** The stream of a component as the fabric sees it. */
export class DomainHolder implements Holder {
  readonly #gate: Gate<Stanza>;

  constructor(receive: (stanza: Stanza) => void) {
    this.#gate = new Gate(receive);
  }
  receive({ stanza }: Frame, after: Ticket | undefined): Outcome {
    this.#gate.enter(stanza, after);
    return outcomeOf(1, 0);
  }
  available(): readonly AvailableResource[] {
    return NONE;
  }
  underWay(): void {
    // What a domain has been handed counts as got.
  }
  end(): void {
    // A component's stream ends by itself; only accounts have sessions to close.
  }
}
