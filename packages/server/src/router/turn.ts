import type { BareJid, FullJid, Stanza } from "@kith/protocol";
import type { Address, Ending, Frame } from "../fabric/fabric.ts";
import type { Effect } from "../module.ts";
import type { Session } from "../session/session.ts";
import type { Haste, Store, Unit, Write } from "../store/store.ts";

/** Something that leaves once everything the stanza caused has been decided, and committed. */
export type Output =
  | { readonly kind: "session"; readonly session: Session; readonly stanza: Stanza }
  | { readonly kind: "deliver"; readonly address: Address; readonly frame: Frame; readonly otherwise: Otherwise }
  | { readonly kind: "cast"; readonly address: Address; readonly frame: Frame }
  | { readonly kind: "end"; readonly account: BareJid; readonly ending: Ending };

/** What becomes of a stanza that nobody was there to take. */
export type Otherwise =
  /** A message: the rules for one to the account as a whole apply (RFC 6121 §8.5.3.2.1). */
  | "resource is gone"
  /** A request is answered with service-unavailable. */
  | "unavailable"
  /** A domain that is served, but by nobody now. */
  | "domain is absent"
  | "ignore";

/** All that one accepted stanza causes: its writes, which are one unit, and what is sent, which waits for that unit. */
export class Turn {
  /** The session whose stanza it is, when it is a local one. */
  readonly origin: Session | undefined;
  /** The stanza that is answered if the unit cannot be committed. */
  readonly cause: Stanza | undefined;
  readonly outputs: Output[] = [];
  unit: Unit | undefined = undefined;
  /** "soon" as long as nothing waits for what is stored. */
  haste: Haste = "soon";
  readonly #store: Store;
  readonly #keeps: boolean;

  /** `keeps`: false for an account that is gone, of which nothing is stored any more. */
  constructor(store: Store, origin: Session | undefined, cause: Stanza | undefined, keeps = true) {
    this.#store = store;
    this.origin = origin;
    this.cause = cause;
    this.#keeps = keeps;
  }

  write(change: Write, haste: Haste = "now"): void {
    if (!this.#keeps) return;
    if (haste === "now") this.haste = "now";
    this.unit ??= this.#store.begin();
    this.unit.add(change);
  }
}

/** The output of an effect that only sends. */
export const outputOf = (effect: Effect & { do: "toOwnSessions" | "toSession" | "endSessions" }): Output => {
  switch (effect.do) {
    case "toOwnSessions": {
      const { stanza, which, except } = effect;
      const frame = except === undefined ? { stanza, for: which } : { stanza, for: which, except };
      return { kind: "cast", address: { kind: "account", bare: effect.account }, frame };
    }
    case "toSession": {
      const { stanza, jid, row } = effect;
      const frame = row === undefined ? { stanza, for: jid } : { stanza, for: jid, row };
      return { kind: "cast", address: { kind: "account", bare: bareOf(jid) }, frame };
    }
    case "endSessions": {
      const { do: _, account, ...ending } = effect;
      return { kind: "end", account, ending };
    }
  }
};

const bareOf = (full: FullJid): BareJid => full.slice(0, full.indexOf("/")) as BareJid;
