import type { ChannelBindings } from "./channel-binding.ts";
import type { HashName } from "./crypto.ts";

export type MechanismName =
  | "EXTERNAL"
  | `SCRAM-SHA-${1 | 256 | 512}-PLUS`
  | `SCRAM-SHA-${1 | 256 | 512}`
  | "PLAIN"
  | "ANONYMOUS";

export type Mechanism =
  | { readonly kind: "external" | "plain" | "anonymous" }
  | { readonly kind: "scram"; readonly hash: HashName; readonly binds: boolean };

/** All mechanisms, strongest first (RFC 6120 §6.3.3, §6.3.4; XEP-0438 "Mechanism Pinning"). */
export const MECHANISMS: Readonly<Record<MechanismName, Mechanism>> = {
  EXTERNAL: { kind: "external" },
  "SCRAM-SHA-512-PLUS": { kind: "scram", hash: "SHA-512", binds: true },
  "SCRAM-SHA-256-PLUS": { kind: "scram", hash: "SHA-256", binds: true },
  "SCRAM-SHA-1-PLUS": { kind: "scram", hash: "SHA-1", binds: true },
  "SCRAM-SHA-512": { kind: "scram", hash: "SHA-512", binds: false },
  "SCRAM-SHA-256": { kind: "scram", hash: "SHA-256", binds: false },
  "SCRAM-SHA-1": { kind: "scram", hash: "SHA-1", binds: false },
  PLAIN: { kind: "plain" },
  ANONYMOUS: { kind: "anonymous" },
};

export const MECHANISM_NAMES = Object.keys(MECHANISMS) as readonly MechanismName[];

export const isMechanismName = (name: string): name is MechanismName => Object.hasOwn(MECHANISMS, name);

/** A mechanism that binds the authentication to the TLS channel, known to us or not. */
export const bindsChannel = (name: string): boolean => name.endsWith("-PLUS");

/** What a server announced on a stream: <mechanisms/> (RFC 6120 §6.4.1) and, unless empty, <sasl-channel-binding/> (XEP-0440). */
export interface Offer {
  readonly mechanisms: readonly string[];
  readonly channelBindings: readonly string[];
}

/** Where passwords may be sent as they are. */
export type PlainPolicy = "never" | "over-tls" | "always";

export interface OfferPolicy {
  /** Is the stream protected by TLS (or does it never leave the machine and counts as protected)? */
  readonly secure: boolean;
  /** What the TLS channel can be bound by; empty without TLS. */
  readonly channelBindings: ChannelBindings;
  /** The hashes accounts have SCRAM keys for. */
  readonly hashes?: readonly HashName[];
  /** "over-tls" unless said otherwise (RFC 6120 §13.8.3). */
  readonly plain?: PlainPolicy;
  /** Did the peer show a certificate that would identify it (RFC 6120 §6.3.4)? */
  readonly external?: boolean;
  /** Are temporary accounts served (XEP-0175: not unless the administrator says so)? */
  readonly anonymous?: boolean;
}

const ALL_HASHES: readonly HashName[] = ["SHA-512", "SHA-256", "SHA-1"];

/** The mechanisms to announce on a stream, strongest first. */
export const offered = (policy: OfferPolicy): MechanismName[] =>
  MECHANISM_NAMES.filter((name) => isOffered(MECHANISMS[name], policy));

const isOffered = (mechanism: Mechanism, policy: OfferPolicy): boolean => {
  const {
    secure,
    channelBindings,
    hashes = ALL_HASHES,
    plain = "over-tls",
    external = false,
    anonymous = false,
  } = policy;
  switch (mechanism.kind) {
    case "external":
      return external && secure;
    case "scram":
      return hashes.includes(mechanism.hash) && (!mechanism.binds || (secure && channelBindings.size > 0));
    case "plain":
      return mayUsePlain(plain, secure);
    case "anonymous":
      return anonymous;
  }
};

export const mayUsePlain = (plain: PlainPolicy, secure: boolean): boolean =>
  plain === "always" || (plain === "over-tls" && secure);
