/**
 * What streams and the rest of the server know of each other. A stream (socket, framing, negotiation) ends at these
 * interfaces; a session (a bound resource) begins at them.
 */
import type { Bytes, DomainJid, Element, Eventually, Iq, Jid, RawElement, Stanza, StreamError } from "@kith/protocol";
import type { Visitor } from "../module.ts";

/** What a session knows of its connection. */
export interface Wire {
  /** One whole first-level element; written once per loop turn together with whatever else is appended. */
  send(bytes: Bytes): void;
  /** Ends the stream: the error if given, then `</stream:stream>`, then the connection. Idempotent. */
  close(error?: StreamError): void;
  /** Bytes appended that the kernel has not taken yet. */
  readonly backlog: number;
  /** Runs once everything appended so far has been handed to the kernel. Never runs if the connection is lost before. */
  whenFlushed(done: () => void): void;
}

/** A bound resource as its stream knows it. */
export interface BoundSession {
  readonly jid: Jid;
  /**
   * One first-level element from the client. Throws or rejects `StreamError` for what must end the stream. The next one
   * is handed over only after this has settled.
   */
  receive(raw: RawElement): Eventually<void>;
  /** The stream is gone or closing, however it went. Idempotent. */
  ended(): Eventually<void>;
}

/** What streams ask of the rest of the server. */
export interface Door {
  /**
   * RFC 6120 §7. `resource`: text as the client sent it, not prepared; where there is none, or it cannot be one, the server
   * makes one. Throws StanzaError (conflict, resource-constraint, not-allowed).
   */
  bind(account: Jid, resource: string | undefined, wire: Wire, lang: Bytes | undefined): Eventually<BoundSession>;
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
