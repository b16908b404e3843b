/**
 * What streams and the rest of the server know of each other. A stream (socket, framing, negotiation) ends at these
 * interfaces; a session (a bound resource) begins at them.
 */
import type {
  Bytes,
  DomainJid,
  Element,
  Eventually,
  FullJid,
  Iq,
  Jid,
  RawElement,
  Stanza,
  StreamCondition,
  StreamError,
} from "@kith/protocol";
import type { SessionMark, Visitor } from "../module.ts";
import type { Resumable } from "./management.ts";

/** What a session knows of its connection. */
export interface Wire {
  /** One whole first-level element; written once per loop turn together with whatever else is appended. */
  send(bytes: Bytes): void;
  /** Ends the stream: the error if given, then `</stream:stream>`, then the connection. Idempotent. */
  close(error?: StreamError): void;
  /** Bytes appended that the kernel has not taken yet. */
  readonly backlog: number;
}

/**
 * How a stream comes to its end.
 * - "closed": by its client, or because of what its client did: nobody comes back to it
 * - "lost": without a word, or for reasons of ours; its client may come back (XEP-0198 §5)
 */
export type HowEnded = "closed" | "lost";

/** A bound resource as its stream knows it. */
export interface BoundSession {
  readonly jid: Jid;
  /** Something has come from the client. */
  heard(): void;
  /** XEP-0352. */
  setActive(isActive: boolean): void;
  /** It wants what not every session wants. */
  mark(mark: SessionMark, on: boolean): void;
  /** XEP-0198 §3: counts from now on. `say` makes what tells the client, if it is told here. */
  manage(
    wanted: { readonly resume: boolean; readonly max?: number | undefined },
    say: (resumable: Resumable | undefined) => Bytes | undefined,
  ): "managed" | "managed before";
  /** Its stream management, once there is any. */
  readonly manager: Managed | undefined;
  /**
   * One first-level element from the client. Throws or rejects `StreamError` for what must end the stream. The next one
   * is handed over only after this has settled.
   */
  receive(raw: RawElement): Eventually<void>;
  /** The stream on this wire is gone or closing. Idempotent. */
  ended(wire: Wire, how: HowEnded): Eventually<void>;
}

/** What the elements of stream management ask of a session (XEP-0198 §4). */
export interface Managed {
  /** `<r/>` */
  acknowledge(): void;
  /** `<a/>`. Throws StreamError where it is more than was sent. */
  acknowledged(h: number): void;
}

/** What became of a wish to resume a stream (XEP-0198 §5). */
export type Resumption =
  | {
      readonly is: "resumed";
      readonly session: BoundSession;
      /** How many of the client's stanzas have been handled, modulo 2^32. */
      readonly h: number;
      /** Sends what the client has not had. Once it has been told that the stream is resumed. */
      readonly replay: () => void;
    }
  /** `h`: where it is known how far a stream came that is over. */
  | { readonly is: "refused"; readonly h: number | undefined };

/** What streams ask of the rest of the server. */
export interface Door {
  /**
   * RFC 6120 §7. `resource`: text as the client sent it, not prepared; where there is none, or it cannot be one, the server
   * makes one. Throws StanzaError (conflict, resource-constraint, not-allowed).
   */
  bind(account: Jid, resource: string | undefined, wire: Wire, lang: Bytes | undefined): Eventually<BoundSession>;
  /** Ends one session, if it is there, wherever it is held. Settles when it is gone and what was due for it has been sent. */
  end(session: FullJid, ending: { readonly condition: StreamCondition; readonly text?: string }): Eventually<void>;
  /** XEP-0198 §5. Settles once everything that came on the old connection has. Throws StreamError where `h` is more than was sent. */
  resume(account: Jid, previd: string, h: number, wire: Wire): Eventually<Resumption>;
  /**
   * An IQ on a stream that has not authenticated; the answer, whole. `undefined`: nobody answers such an IQ, and the
   * stream ends with not-authorized (RFC 6120 §4.9.3.12).
   */
  visitorIq(iq: Iq, visitor: Visitor): Eventually<Bytes | undefined>;
  /** What modules add to `<stream:features/>`. */
  readonly features: {
    visitor(visitor: Omit<Visitor, "stream">): readonly Element[];
    authenticated(domain: DomainJid): readonly Element[];
  };
  /** A stanza from a component (or, later, a remote server) whose `from` has been checked. The next one of its stream waits for it. */
  acceptRemote(stanza: Stanza): Eventually<void>;
  /** A component's stream takes its domain; stanzas for it come to `receive`. Throws StreamError "conflict". */
  bindDomain(domain: DomainJid, receive: (stanza: Stanza) => void): { release(): void };
}
