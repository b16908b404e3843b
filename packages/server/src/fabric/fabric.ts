/**
 * The fabric knows where sessions are; nobody else does. In one process it is a map (`local.ts`); a cluster puts
 * another one behind this interface, and the same scenes prove it (`eachFabric` in @kith/testing).
 */
import type { BareJid, DomainJid, Eventually, FullJid, Stanza, StreamCondition } from "@kith/protocol";
import type { AvailableResource, Shown, Which } from "../module.ts";
import type { KeptMessage, MessageSide } from "../store/messages.ts";
import type { RowId, Ticket } from "../store/store.ts";

export type Address =
  | { readonly kind: "account"; readonly bare: BareJid }
  /** A component, a service or a remote domain. */
  | { readonly kind: "domain"; readonly domain: DomainJid };

/** What travels. Everything in it can be written down and read back. */
export interface Frame {
  readonly stanza: Stanza;
  /** Which sessions of the account: one, or those that the holder of sessions chooses by this rule. Ignored by domains. */
  readonly for: FullJid | Which | readonly FullJid[];
  readonly except?: FullJid | readonly FullJid[] | undefined;
  /** It was addressed to whoever gets it; one that never arrives goes on to somebody else, or back (XEP-0198 §5). */
  readonly isAddressed?: boolean;
  /** The stored message that the stanza is. */
  readonly stored?: Shown | undefined;
  /** The stored message that the stanza tells of, which need not wait any longer once the stanza has arrived. */
  readonly settles?: RowId | undefined;
  /** It goes out as a carbon of what the account sent or received (XEP-0280). */
  readonly carbon?: MessageSide | undefined;
}

/** What a frame comes with while it stays in this process; one that leaves it goes without. */
export interface Aside {
  /** The stored message while its unit is open: deliveries are noted in it, and cost no row of their own. */
  readonly open: KeptMessage | undefined;
  /** A session that will hear from its client when it has arrived (XEP-0198) takes from here what is to be called then. */
  readonly awaitArrival?: () => () => void;
}

export type Outcome =
  /** `live` sessions have been sent it; `held` have no connection now and get it when they have (XEP-0198). */
  | { readonly is: "accepted"; readonly live: number; readonly held: number }
  | { readonly is: "nobody" }
  /** It cannot be known. A message waits, an IQ request gets remote-server-timeout; never bounce as if nobody were there. */
  | { readonly is: "unknown" };

/** Which sessions to close, and with what stream error. */
export interface Ending {
  readonly condition: StreamCondition;
  readonly text?: string;
  readonly only?: FullJid;
  readonly except?: FullJid;
}

/** What a holder of an account's sessions (or the stream of a domain) offers the fabric. */
export interface Holder {
  /** Takes a frame; says how many sessions (or streams) got it. `after`: nothing leaves before this has committed. */
  receive(frame: Frame, after: Ticket | undefined, aside?: Aside): Eventually<Outcome>;
  available(): readonly AvailableResource[];
  /** Adds the stored messages that its sessions have been sent and not yet shown to have got. */
  underWay(rows: Set<RowId>): void;
  /** Settles when the sessions are gone and what was due for them has been sent. */
  end(ending: Ending): Eventually<void>;
}

export interface Binding {
  readonly release: () => void;
}

export interface Fabric {
  /** Several nodes may hold sessions of the same account; a domain has one holder, or several streams behind one. */
  bind(address: Address, holder: Holder): Binding;
  /** At most once, in order. */
  cast(address: Address, frame: Frame, after?: Ticket, aside?: Aside): void;
  /** In order per address. */
  deliver(address: Address, frame: Frame, after?: Ticket, aside?: Aside): Eventually<Outcome>;
  /** The available resources of one account, wherever they are held; most available first. */
  available(account: BareJid): Eventually<readonly AvailableResource[]>;
  /** Stored messages that sessions of one account have been sent and not yet shown to have got. */
  underWay(account: BareJid): Eventually<ReadonlySet<RowId>>;
  /** Closes sessions of one account, wherever they are held. */
  end(account: BareJid, ending: Ending): Eventually<void>;
}

export const NOBODY: Outcome = { is: "nobody" };
const ONE: Outcome = { is: "accepted", live: 1, held: 0 };
const ONE_HELD: Outcome = { is: "accepted", live: 0, held: 1 };

/** Shared where it is one of the usual. */
export const outcomeOf = (live: number, held: number): Outcome => {
  if (live + held === 0) return NOBODY;
  if (live + held === 1) return live === 1 ? ONE : ONE_HELD;
  return { is: "accepted", live, held };
};
