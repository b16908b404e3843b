import type {
  Bytes,
  DomainJid,
  Element,
  Eventually,
  HtMechanismName,
  Jid,
  MechanismName,
  Offer,
  RawElement,
  ScannerLimits,
  ServerMechanism,
  StreamError,
  StreamHeader,
} from "@kith/protocol";
import type { BoundSession, Wire } from "./door.ts";
import type { Login } from "./inline-feature.ts";
import type { Sasl2Exchange } from "./negotiate-sasl2.ts";
import type { C2sServices, Host } from "./services.ts";
import type { Transport } from "./transport.ts";

/**
 * How far negotiation has come (RFC 6120 §13.3: TLS, then SASL, then resource binding).
 * - "cleartext": TLS can be had and nobody has authenticated
 * - "protected": over TLS (or on this machine, if the configuration trusts that), nobody has authenticated
 * - "authenticated": a resource is to be bound
 * - "bound": stanzas flow
 */
export type Stage = "cleartext" | "protected" | "authenticated" | "bound";

/** Who the peer is, as far as negotiation has come. */
export type Peer =
  | { readonly is: "stranger"; readonly visit: Visit }
  | { readonly is: "account"; readonly account: Jid; bindFailures: number; readonly login: Login }
  /** Waits for the server to bind; what the session sends meanwhile has to follow the result. */
  | { readonly is: "binding"; readonly account: Jid; readonly held: Bytes[]; readonly login: Login }
  | { readonly is: "session"; readonly session: BoundSession };

/** What is kept of a stranger's visit until it has authenticated. */
export interface Visit {
  failures: number;
  /** Attempts that failed before any password was tried. */
  misfits: number;
  iqs: number;
  /** What was announced, for SCRAM to sign (XEP-0474). */
  offer: Offer | undefined;
  /** The same for XEP-0388, which has a list of its own. */
  sasl2Offer: Offer | undefined;
  attempt: ServerMechanism<MechanismName | HtMechanismName> | undefined;
  /** Whom the attempt is about, once it has said so. */
  claimed: Jid | undefined;
  /** An exchange of XEP-0388 that is under way. */
  sasl2: Sasl2Exchange | undefined;
}

export const newVisit = (): Visit => ({
  failures: 0,
  misfits: 0,
  iqs: 0,
  offer: undefined,
  sasl2Offer: undefined,
  attempt: undefined,
  claimed: undefined,
  sasl2: undefined,
});

/** A client's stream as the steps of negotiation see it. */
export interface Client extends Wire {
  readonly services: C2sServices;
  readonly transport: Transport;
  readonly id: string;
  /** The virtual host that the client's header names. */
  readonly host: Host;
  readonly domain: DomainJid;
  readonly header: StreamHeader | undefined;
  readonly stage: Stage;
  readonly isOver: boolean;
  peer: Peer;
  /** What is announced at this stage. */
  features(): readonly Element[];
  /** Ends negotiation: the resource is bound. */
  established(): void;
  restart(): void;
  raiseLimits(scanner: ScannerLimits): void;
  takeUnreadInput(): Uint8Array;
  beginTls(domain: DomainJid): void;
  /** Closes the stream at a time in milliseconds since 1970, as when a certificate expires (RFC 6120 §13.7.2.3). */
  closeAt(time: number, error: StreamError): void;
}

/** One protocol of stream negotiation: what it announces, and the first-level elements it understands. */
export interface Step {
  readonly name: string;
  /** Its part of `<stream:features/>`. */
  readonly features?: (client: Client) => readonly Element[];
  /** Is this element for this step? Decides by name, namespace and children only. */
  readonly takes: (raw: RawElement) => boolean;
  /** Throws or rejects StreamError. */
  readonly receive: (client: Client, raw: RawElement) => Eventually<void>;
}
