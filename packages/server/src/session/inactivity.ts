import { deferrableAs, type Stanza } from "@kith/protocol";

/** How much is held back for one client. Bytes: of payloads, roughly. */
export interface HoldLimits {
  readonly items: number;
  readonly bytes: number;
}

export const HOLD_LIMITS: HoldLimits = { items: 500, bytes: 262_144 };

/** What a stanza weighs beside its payload: addresses, and what holds them. */
const OVERHEAD = 200;

interface Held<Item> {
  readonly item: Item;
  readonly bytes: number;
}

/**
 * XEP-0352 §3.2: what waits for a client while nobody looks at it. Pure: no timers, and nothing is sent from here. Of two stanzas that tell
 * the same, such as where somebody is available, only the later waits, at the place of its own; so what is released is in the order in which
 * it came, and nothing that leaves has been overtaken (RFC 6120 §10.1).
 */
export class HeldBack<Item> {
  readonly #limits: HoldLimits;
  readonly #superseded: ((item: Item) => void) | undefined;
  readonly #held = new Map<string, Held<Item>>();
  #bytes = 0;

  /** `superseded` is told what will never be sent, since something later says what it said. */
  constructor(limits: HoldLimits = HOLD_LIMITS, superseded?: (item: Item) => void) {
    this.#limits = limits;
    this.#superseded = superseded;
  }

  /**
   * "held": it has been taken. "urgent": first everything that `release` gives is to leave, then the item itself; because it matters to
   * somebody, or because more is not held back.
   */
  offer(stanza: Stanza, item: Item): "held" | "urgent" {
    const tells = deferrableAs(stanza);
    if (tells === undefined) return "urgent";
    const bytes = stanza.payload.length + OVERHEAD;
    const earlier = this.#held.get(tells);
    const isMore = earlier === undefined && this.#held.size >= this.#limits.items;
    if (isMore || this.#bytes - (earlier?.bytes ?? 0) + bytes > this.#limits.bytes) return "urgent";
    if (earlier !== undefined) this.#supersede(tells, earlier);
    this.#held.set(tells, { item, bytes });
    this.#bytes += bytes;
    return "held";
  }

  /** Everything that waits, in order. Nothing waits any longer. */
  release(): Item[] {
    const items = Array.from(this.#held.values(), ({ item }) => item);
    this.#held.clear();
    this.#bytes = 0;
    return items;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  #supersede(tells: string, earlier: Held<Item>): void {
    this.#held.delete(tells);
    this.#bytes -= earlier.bytes;
    this.#superseded?.(earlier.item);
  }
}
