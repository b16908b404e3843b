/**
 * The fabric knows where sessions are; nobody else does. In one process it is a map (`local.ts`); a cluster puts
 * another one behind this interface, and the same scenes prove it (`eachFabric` in @kith/testing).
 */
import type { BareJid, DomainJid, Eventually, FullJid, Stanza, StreamCondition } from "@kith/protocol";
import type { AvailableResource, Which } from "../module.ts";
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
  readonly except?: FullJid;
  /** The stored stanza it stands for, to be settled once it is on its way. */
  readonly row?: RowId;
}

export type Outcome =
  /** `live` sessions have been sent it. */
  | { readonly is: "accepted"; readonly live: number }
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
  receive(frame: Frame, after: Ticket | undefined): Eventually<number>;
  available(): readonly AvailableResource[];
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
  cast(address: Address, frame: Frame, after?: Ticket): void;
  /** In order per address. */
  deliver(address: Address, frame: Frame, after?: Ticket): Eventually<Outcome>;
  /** The available resources of one account, wherever they are held; most available first. */
  available(account: BareJid): Eventually<readonly AvailableResource[]>;
  /** Closes sessions of one account, wherever they are held. */
  end(account: BareJid, ending: Ending): Eventually<void>;
}
