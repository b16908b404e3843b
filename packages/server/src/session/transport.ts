import type { Bytes, ChannelBindings, DomainJid } from "@kith/protocol";

/** A certificate that the peer showed and that our configured authorities vouch for (RFC 6120 §13.7.2.2). */
export interface PeerCertificate {
  /** Its `id-on-xmppAddr` names, as text (RFC 6120 §13.7.1.4). */
  readonly xmppAddresses: readonly string[];
  /** The end of its validity, in milliseconds since 1970. */
  readonly expires: number;
}

/** What TLS gave a connection. */
export interface Security {
  /** "TLSv1.2", "TLSv1.3". */
  readonly protocol: string;
  readonly cipher: string;
  /** The host the peer named (SNI). */
  readonly serverName: string | undefined;
  /** What SASL can bind to; worked out when asked for. */
  readonly channelBindings: ChannelBindings;
  readonly peerCertificate: PeerCertificate | undefined;
}

/** What a transport tells the stream on it. */
export interface TransportListener {
  /** Bytes from the peer; the array is valid during the call only. */
  received(bytes: Uint8Array): void;
  /** The TLS handshake is done. */
  secured(): void;
  /** The peer will send nothing more. */
  peerEnded(): void;
  /** The peer has taken nothing for longer than it may. */
  stalled(): void;
  /** The connection is gone; nothing follows. */
  lost(error: Error | undefined): void;
}

/**
 * A connection as a stream sees it: bytes both ways, TLS on demand. One implementation over sockets (`listen/socket.ts`),
 * one in memory for tests.
 */
export interface Transport {
  /** The peer's IP address. */
  readonly address: string;
  readonly isLoopback: boolean;
  /** `undefined` until TLS is established. */
  readonly security: Security | undefined;
  /** Appends; what is appended in one turn of the loop leaves in one piece. */
  write(bytes: Bytes): void;
  /** Bytes appended that the kernel has not taken. */
  readonly backlog: number;
  /** Runs once everything appended so far has been handed to the kernel; never, if the connection is lost before. */
  whenFlushed(done: () => void): void;
  /** Stops reading, so that the peer is slowed down. */
  pause(): void;
  resume(): void;
  /** Begins TLS as the server, with the certificate for `domain`, once what was appended is out. */
  startTls(domain: DomainJid | undefined): void;
  /** Sends what was appended, then closes our direction: `close_notify` over TLS, then FIN. */
  end(): void;
  /** Drops the connection at once. */
  destroy(): void;
  /** The peer is no stranger any longer and counts among the unauthenticated no more. */
  vouch(): void;
}
