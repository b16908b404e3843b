/**
 * The HT mechanisms: a token that the server gave out earlier proves who one is, in one round trip. As XEP-0484 asks for them:
 * draft-schmaus-kitten-sasl-ht-09. (Later drafts put more into the messages without new names.)
 */
import { SaslError } from "../errors.ts";
import type { Eventually } from "../eventually.ts";
import { prepareLocalpart } from "../jid.ts";
import { type Crypto, concat, type HashName, NO_DATA, sameOctets, textOfUtf8, utf8 } from "./crypto.ts";
import type { ClientMechanism, ServerMechanism, Step } from "./roles.ts";

export type HtMechanismName = `HT-SHA-${256 | 512}-${"EXPR" | "UNIQ" | "ENDP" | "NONE"}`;

interface Ht {
  readonly hash: HashName;
  /** The channel binding type, `undefined` for none. */
  readonly binds: "tls-exporter" | "tls-unique" | "tls-server-end-point" | undefined;
}

/** Strongest first: what is bound to the one connection, then to the server's certificate, then to nothing (§2). */
export const HT_MECHANISMS: Readonly<Record<HtMechanismName, Ht>> = {
  "HT-SHA-512-EXPR": { hash: "SHA-512", binds: "tls-exporter" },
  "HT-SHA-256-EXPR": { hash: "SHA-256", binds: "tls-exporter" },
  "HT-SHA-512-UNIQ": { hash: "SHA-512", binds: "tls-unique" },
  "HT-SHA-256-UNIQ": { hash: "SHA-256", binds: "tls-unique" },
  "HT-SHA-512-ENDP": { hash: "SHA-512", binds: "tls-server-end-point" },
  "HT-SHA-256-ENDP": { hash: "SHA-256", binds: "tls-server-end-point" },
  "HT-SHA-512-NONE": { hash: "SHA-512", binds: undefined },
  "HT-SHA-256-NONE": { hash: "SHA-256", binds: undefined },
};
export const HT_MECHANISM_NAMES = Object.keys(HT_MECHANISMS) as readonly HtMechanismName[];

export const isHtMechanismName = (name: string): name is HtMechanismName => Object.hasOwn(HT_MECHANISMS, name);

/** Channel binding data by type. Wider than `ChannelBindings`: "tls-unique" may be there where a platform still gives it. */
export type HtBindings = ReadonlyMap<string, Uint8Array>;

/** The mechanisms that can be used on a channel with these bindings, strongest first; of these hashes. */
export const usableHt = (bindings: HtBindings, hashes: readonly HashName[] = ["SHA-256"]): readonly HtMechanismName[] =>
  HT_MECHANISM_NAMES.filter((name) => {
    const { hash, binds } = HT_MECHANISMS[name];
    return hashes.includes(hash) && (binds === undefined || bindings.has(binds));
  });

/** What a client asks a token for: the strongest mechanism that was announced and can be used here (XEP-0484 §8). */
export const chooseHt = (announced: readonly string[], bindings: HtBindings): HtMechanismName | undefined =>
  usableHt(bindings, ["SHA-256", "SHA-512"]).find((name) => announced.includes(name));

const INITIATOR = utf8("Initiator");
const RESPONDER = utf8("Responder");

/** Throws SaslError where this channel cannot be bound to as the mechanism needs. */
const boundData = ({ binds }: Ht, bindings: HtBindings): Uint8Array => {
  const data = binds === undefined ? NO_DATA : bindings.get(binds);
  if (data === undefined) throw new SaslError("malformed-request", `this channel has no ${binds}`);
  return data;
};

const hashedToken = (crypto: Crypto, { hash }: Ht, token: string, role: Uint8Array, bound: Uint8Array) =>
  crypto.hmac(hash, utf8(token), concat(role, bound));

export interface HtToken {
  /** As the client was given it. */
  readonly token: string;
}

export interface HtServerOptions<T extends HtToken> {
  readonly crypto: Crypto;
  readonly bindings: HtBindings;
  /** The tokens that may prove this account, of this mechanism alone. None for an account that does not exist. */
  tokens(localpart: string): Eventually<readonly T[]>;
  /** This token has been proved; what it throws (SaslError "credentials-expired", say) fails the attempt all the same. */
  accept(localpart: string, token: T): Eventually<void>;
}

/** The server's side: one message of the client, and one back with success. Throws SaslError. */
export const htServer = <T extends HtToken>(
  name: HtMechanismName,
  options: HtServerOptions<T>,
): ServerMechanism<HtMechanismName> => {
  let state: "new" | "asked" | "over" = "new";
  const finish = (message: Uint8Array): Promise<Step> => {
    state = "over";
    return proved(HT_MECHANISMS[name], options, message);
  };
  return {
    name,
    start: async (initial) => {
      if (state !== "new") throw new SaslError("malformed-request", "begun already");
      if (initial !== undefined) return finish(initial);
      state = "asked";
      return { is: "challenge", data: NO_DATA };
    },
    next: async (response) => {
      if (state !== "asked") throw new SaslError("malformed-request", "no response was asked for");
      return finish(response);
    },
  };
};

const proved = async <T extends HtToken>(ht: Ht, options: HtServerOptions<T>, message: Uint8Array): Promise<Step> => {
  const { crypto } = options;
  const bound = boundData(ht, options.bindings);
  const { authcid, hashed } = readInitiator(message);
  const localpart = prepareLocalpart(authcid);
  const tokens = localpart === undefined ? [] : await options.tokens(localpart);
  let found: T | undefined;
  // All of them, and one where there is none: the time it takes tells nothing.
  for (const token of tokens.length === 0 ? [undefined] : tokens) {
    const expected = await hashedToken(crypto, ht, token?.token ?? NOBODYS, INITIATOR, bound);
    if (sameOctets(crypto, expected, hashed)) found ??= token;
  }
  if (localpart === undefined || found === undefined) throw new SaslError("not-authorized");
  await options.accept(localpart, found);
  const data = await hashedToken(crypto, ht, found.token, RESPONDER, bound);
  return { is: "success", data, identity: { username: localpart, authzid: undefined } };
};
/** Is compared with, never taken. */
const NOBODYS = "nobody's token";

const NUL = 0;

/** §3.1: the user's name up to the first NUL; whatever follows is the hash, which may have NULs of its own. */
const readInitiator = (message: Uint8Array): { authcid: string; hashed: Uint8Array } => {
  const end = message.indexOf(NUL);
  const authcid = end <= 0 ? undefined : textOfUtf8(message.subarray(0, end));
  if (authcid === undefined || end + 1 === message.length)
    throw new SaslError("malformed-request", "not the message of HT");
  return { authcid, hashed: message.subarray(end + 1) };
};

export interface HtClientOptions {
  readonly crypto: Crypto;
  readonly bindings: HtBindings;
  /** The localpart of the account. */
  readonly username: string;
  readonly token: string;
}

/** The client's side. Throws SaslError where the channel has no such binding, or the user's name cannot be sent. */
export const htClient = (name: HtMechanismName, options: HtClientOptions): ClientMechanism<HtMechanismName> => {
  const { crypto, bindings, username, token } = options;
  const ht = HT_MECHANISMS[name];
  const bound = boundData(ht, bindings);
  if (username === "" || username.includes("\0")) throw new SaslError("malformed-request", "not a user's name");
  const message = async (): Promise<Uint8Array> =>
    concat(utf8(`${username}\0`), await hashedToken(crypto, ht, token, INITIATOR, bound));
  return {
    name,
    initial: message,
    challenge: async (data) => {
      if (data.length > 0) throw new SaslError("malformed-request", `${name} has no challenges`);
      return message();
    },
    success: async (data = NO_DATA) => {
      // §3.3: mutual authentication.
      const expected = await hashedToken(crypto, ht, token, RESPONDER, bound);
      if (!sameOctets(crypto, expected, data))
        throw new SaslError("not-authorized", "the server does not know this token");
    },
  };
};
