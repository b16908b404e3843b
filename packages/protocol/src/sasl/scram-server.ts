/** SCRAM, the server's side (RFC 5802, RFC 7677; XEP-0474). */
import { SaslError } from "../errors.ts";
import { andThen, type Eventually, together } from "../eventually.ts";
import { prepareLocalpart } from "../jid.ts";
import { authorized } from "./authorize.ts";
import { encodeBase64 } from "./base64.ts";
import { isChannelBindingType } from "./channel-binding.ts";
import { concat, NO_DATA, sameOctets, utf8 } from "./crypto.ts";
import { bindsChannel, type Mechanism, type MechanismName } from "./mechanisms.ts";
import type { ServerMechanism, ServerOptions, Step } from "./roles.ts";
import { authMessage, type ScramKeys, xor } from "./scram.ts";
import {
  type ClientFinal,
  type ClientFirst,
  type Gs2Flag,
  readClientFinal,
  readClientFirst,
} from "./scram-messages.ts";
import { DOWNGRADE_ATTRIBUTE, downgradeHash } from "./xep0474-downgrade.ts";

type Scram = Extract<Mechanism, { kind: "scram" }>;

/** 144 bits, and no "=" at the end of the base 64. */
const NONCE_OCTETS = 18;

type State = { readonly is: "new" | "asked" | "over" } | { readonly is: "challenged"; readonly exchange: Exchange };
interface Exchange {
  readonly first: ClientFirst;
  readonly localpart: string;
  readonly keys: ScramKeys;
  readonly nonce: string;
  readonly serverFirst: string;
  /** What "c=" of the final message has to say. */
  readonly binding: Uint8Array;
}

export const scramServer = (name: MechanismName, scram: Scram, options: ServerOptions): ServerMechanism => {
  let state: State = { is: "new" };

  const answerFirst = (message: Uint8Array): Eventually<Step> =>
    andThen(begin(scram, options, readClientFirst(message)), (exchange) => {
      state = { is: "challenged", exchange };
      return { is: "challenge", data: utf8(exchange.serverFirst) };
    });

  return {
    name,
    start: (initial) => {
      if (state.is !== "new") throw new SaslError("malformed-request", "begun already");
      state = { is: initial === undefined ? "asked" : "over" };
      return initial === undefined ? { is: "challenge", data: NO_DATA } : answerFirst(initial);
    },
    next: (response) => {
      const before = state;
      state = { is: "over" };
      switch (before.is) {
        case "asked":
          return answerFirst(response);
        case "challenged":
          return finish(scram, options, before.exchange, readClientFinal(response));
        default:
          throw new SaslError("malformed-request", "no response was asked for");
      }
    },
  };
};

const begin = (scram: Scram, options: ServerOptions, first: ClientFirst): Eventually<Exchange> => {
  const { crypto, backend, offer } = options;
  const binding = concat(utf8(first.header), boundTo(scram, options, first.flag));
  const localpart = prepareLocalpart(first.username);
  if (localpart === undefined) throw new SaslError("not-authorized");
  const keysAndProtection = together(
    backend.scramKeys(localpart, scram.hash),
    downgradeHash(crypto, scram.hash, offer),
  );
  return andThen(keysAndProtection, ([keys, protection]) => {
    const nonce = first.nonce + encodeBase64(crypto.random(NONCE_OCTETS));
    const serverFirst = `r=${nonce},s=${encodeBase64(keys.salt)},i=${keys.iterations},${DOWNGRADE_ATTRIBUTE}=${protection}`;
    return { first, localpart, keys, nonce, serverFirst, binding };
  });
};

/** RFC 5802 §6: does the client's word on channel binding fit the mechanism and the offer, and what data does it bind? */
const boundTo = (scram: Scram, { offer, channelBindings }: ServerOptions, flag: Gs2Flag): Uint8Array => {
  if (scram.binds !== (flag.is === "p")) {
    throw new SaslError(
      "malformed-request",
      scram.binds ? "channel binding is missing" : "this mechanism has no channel binding",
    );
  }
  if (flag.is === "y" && offer.mechanisms.some(bindsChannel)) {
    throw new SaslError("not-authorized", "channel binding was offered: somebody changed the list of mechanisms");
  }
  if (flag.is !== "p") return NO_DATA;
  const data = isChannelBindingType(flag.type) ? channelBindings.get(flag.type) : undefined;
  if (data === undefined) throw new SaslError("malformed-request", "channel binding type not supported");
  return data;
};

const finish = ({ hash }: Scram, options: ServerOptions, exchange: Exchange, final: ClientFinal): Eventually<Step> => {
  const { crypto, backend } = options;
  const { first, localpart, keys, nonce, serverFirst, binding } = exchange;
  if (final.nonce !== nonce) throw new SaslError("not-authorized", "not the nonce of this exchange");
  if (!sameOctets(crypto, final.binding, binding))
    throw new SaslError("not-authorized", "channel bindings do not match");
  const signed = authMessage(first.bare, serverFirst, final.withoutProof);
  const isProved = andThen(crypto.hmac(hash, keys.storedKey, signed), (clientSignature) =>
    andThen(
      crypto.hash(hash, xor(clientSignature, final.proof)),
      (storedKey) => final.proof.length === clientSignature.length && sameOctets(crypto, storedKey, keys.storedKey),
    ),
  );
  return andThen(isProved, (proved) => {
    if (!proved) throw new SaslError("not-authorized");
    return andThen(authorized(backend, localpart, first.authzid), (identity) =>
      andThen(crypto.hmac(hash, keys.serverKey, signed), (signature) => ({
        is: "success",
        data: utf8(`v=${encodeBase64(signature)}`),
        identity,
      })),
    );
  });
};
