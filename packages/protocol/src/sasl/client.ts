/** SASL as a client begins it: which mechanism, and how it is bound to the channel (RFC 6120 §6.3.3; XEP-0440 §3). */
import { SaslError } from "../errors.ts";
import { anonymousClient } from "./anonymous.ts";
import { CHANNEL_BINDING_TYPES, type ChannelBindings } from "./channel-binding.ts";
import { externalClient } from "./external.ts";
import {
  bindsChannel,
  MECHANISM_NAMES,
  MECHANISMS,
  type MechanismName,
  mayUsePlain,
  type Offer,
  type PlainPolicy,
} from "./mechanisms.ts";
import { plainClient } from "./plain.ts";
import type { ClientMechanism, ClientOptions } from "./roles.ts";
import { type Binding, scramClient } from "./scram-client.ts";

export interface ClientPolicy {
  /** Is the stream protected by TLS whose certificate has been verified? */
  readonly secure: boolean;
  readonly channelBindings: ChannelBindings;
  /** Is there a password, or are there keys made of it? Keys alone do for SCRAM only. */
  readonly password?: boolean;
  readonly keys?: boolean;
  /** Is there a client certificate on the TLS channel? */
  readonly external?: boolean;
  /** Is a temporary account wanted? */
  readonly anonymous?: boolean;
  /** "over-tls" unless said otherwise. */
  readonly plain?: PlainPolicy;
  /** What this account was logged in with before, if that is known: never PLAIN after better (XEP-0474 §6). */
  readonly previous?: MechanismName;
}

/** A mechanism, and how to use it on this stream. */
export interface Choice {
  readonly name: MechanismName;
  readonly binding: Binding;
}

/**
 * The strongest mechanism both sides can use, or `undefined` where there is none. Throws SaslError "mechanism-too-weak" where
 * the offer can only be the work of somebody between (XEP-0440 §3).
 */
export const chooseMechanism = (offer: Offer, policy: ClientPolicy): Choice | undefined => {
  const binding = bindingOf(offer, policy.channelBindings);
  const name = MECHANISM_NAMES.find(
    (candidate) => offer.mechanisms.includes(candidate) && isUsable(candidate, policy, binding.is === "p"),
  );
  if (name === undefined) return undefined;
  const mechanism = MECHANISMS[name];
  // "p" is for mechanisms that bind; another one is only chosen beside them if none of those is known here.
  return {
    name,
    binding: binding.is === "p" && !(mechanism.kind === "scram" && mechanism.binds) ? { is: "n" } : binding,
  };
};

const isUsable = (name: MechanismName, policy: ClientPolicy, canBind: boolean): boolean => {
  const {
    secure,
    password = false,
    keys = false,
    external = false,
    anonymous = false,
    plain = "over-tls",
    previous,
  } = policy;
  const mechanism = MECHANISMS[name];
  switch (mechanism.kind) {
    case "external":
      return external && secure;
    case "scram":
      return (password || keys) && (!mechanism.binds || canBind);
    case "plain":
      return password && mayUsePlain(plain, secure) && !isBetterThanPlain(previous);
    case "anonymous":
      return anonymous;
  }
};

const isBetterThanPlain = (name: MechanismName | undefined): boolean =>
  name !== undefined && (MECHANISMS[name].kind === "scram" || MECHANISMS[name].kind === "external");

/** XEP-0440 §3, rules 2 to 7; rule 6 as XEP-0474 §6 changes it. */
const bindingOf = (offer: Offer, ours: ChannelBindings): Binding => {
  if (ours.size === 0) return { is: "n" };
  const announced = offer.channelBindings;
  const mechanisms = offer.mechanisms.some(bindsChannel);
  if (!mechanisms && announced.length > 0) {
    throw new SaslError(
      "mechanism-too-weak",
      "channel bindings without mechanisms for them: somebody changed what the server offers",
    );
  }
  if (!mechanisms) return { is: "y" };
  // Without an announcement every server may be taken to have "tls-server-end-point".
  const theirs = announced.length > 0 ? announced : ["tls-server-end-point"];
  for (const type of CHANNEL_BINDING_TYPES) {
    const data = ours.get(type);
    if (data !== undefined && theirs.includes(type)) return { is: "p", type, data };
  }
  return theirs.includes("tls-server-end-point") ? { is: "n" } : { is: "n-if-protected" };
};

/** The attempt with the mechanism chosen. Throws SaslError where the credentials cannot be used with it. */
export const clientMechanism = ({ name, binding }: Choice, options: ClientOptions): ClientMechanism => {
  const mechanism = MECHANISMS[name];
  switch (mechanism.kind) {
    case "external":
      return externalClient(options.credentials);
    case "plain":
      return plainClient(options.credentials);
    case "anonymous":
      return anonymousClient();
    case "scram":
      return scramClient(name, mechanism, binding, options);
  }
};
