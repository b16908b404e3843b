/** The two roles of SASL (RFC 4422), as the rest of the program sees them: one object for each attempt, no I/O. */
import type { Eventually } from "../eventually.ts";
import type { ChannelBindings } from "./channel-binding.ts";
import type { Crypto, HashName } from "./crypto.ts";
import type { MechanismName, Offer } from "./mechanisms.ts";
import type { Saslprep } from "./saslprep.ts";
import type { ClientKeys, ScramKeys } from "./scram.ts";

/** Who has been authenticated, and whom they want to act as. */
export interface Identity {
  /** A prepared localpart; where EXTERNAL is used between servers, a prepared domainpart. */
  readonly username: string;
  /** As the client gave it; allowed by `authorize` or `external`. */
  readonly authzid: string | undefined;
}

/** What a step of the exchange leads to. A failure is a thrown SaslError and ends the attempt. */
export type Step =
  | { readonly is: "challenge"; readonly data: Uint8Array }
  | { readonly is: "success"; readonly data?: Uint8Array; readonly identity: Identity };

/**
 * One authentication attempt. `start` once, then `next` for each response until success; not again before the step before is done.
 * Whatever the peer sends, they throw (or reject with) nothing but SaslError, or what the `ServerBackend` throws.
 */
export interface ServerMechanism<Name extends string = MechanismName> {
  readonly name: Name;
  /** @param initial the initial response; `undefined` where there is none, empty where it is empty (RFC 6120 §6.4.2). */
  start(initial: Uint8Array | undefined): Eventually<Step>;
  next(response: Uint8Array): Eventually<Step>;
}

/** What the server knows of accounts. May throw SaslError ("account-disabled", "temporary-auth-failure" …). */
export interface ServerBackend {
  /**
   * The keys of an account. For one that does not exist: made-up keys that are always the same and cannot be told from
   * real ones (RFC 6120 §6.5.10).
   */
  scramKeys(localpart: string, hash: HashName): Eventually<ScramKeys>;
  /** PLAIN. The password is as the client sent it; `isPasswordOf` prepares it. Takes as long for an account that does not exist. */
  verifyPassword(localpart: string, password: string): Eventually<boolean>;
  /** May this account act as this authorization identity? `false` becomes "invalid-authzid" (RFC 6120 §6.3.8). */
  authorize(localpart: string, authzid: string): Eventually<boolean>;
  /**
   * EXTERNAL: who the peer is by its certificate, given whom it wants to act as. `undefined` becomes "not-authorized", or
   * "invalid-authzid" if it named somebody.
   */
  external(authzid: string | undefined): Eventually<string | undefined>;
  /** ANONYMOUS: the localpart of a new temporary account (XEP-0175). */
  anonymous(): Eventually<string>;
}

export interface ServerOptions {
  readonly crypto: Crypto;
  readonly backend: ServerBackend;
  /** Exactly what was announced on this stream; hashed for XEP-0474. */
  readonly offer: Offer;
  /** The data for the types announced. */
  readonly channelBindings: ChannelBindings;
  /** Is the stream protected by TLS? Decides between two errors for a mechanism that was not offered. */
  readonly secure: boolean;
}

/**
 * One authentication attempt of a client. `initial` once, then `challenge` for each challenge, then `success`, whose promise
 * is the proof that the server is the right one. They throw SaslError; what is thrown after `initial` ends the attempt with
 * <abort/>, or after <success/> with the stream.
 */
export interface ClientMechanism<Name extends string = MechanismName> {
  readonly name: Name;
  /** The initial response, for <auth/>. */
  initial(): Promise<Uint8Array>;
  /** The response to a challenge. */
  challenge(data: Uint8Array): Promise<Uint8Array>;
  /** @param data additional data with success, `undefined` where there is none. */
  success(data: Uint8Array | undefined): Promise<void>;
}

export interface Credentials {
  /** The localpart of the account (RFC 6120 §6.3.7). */
  readonly username?: string;
  readonly password?: string;
  /** Kept from an earlier success instead of deriving them again; the password stands in where they do not fit. */
  readonly keys?: ClientKeys;
  /** Whom to act as, only where it is somebody else (RFC 6120 §6.3.8): a bare JID, or a domain between servers. */
  readonly authzid?: string;
}

export interface ClientOptions {
  readonly crypto: Crypto;
  readonly credentials: Credentials;
  /** Exactly what the server announced on this stream, known to us or not. */
  readonly offer: Offer;
  readonly channelBindings: ChannelBindings;
  readonly saslprep?: Saslprep;
  /** The most iterations a server may ask for: each costs time. 10,000,000 unless given. */
  readonly maxIterations?: number;
  /** Called with keys that may be kept, once the server has proved itself. */
  readonly onKeys?: (keys: ClientKeys) => void;
}
