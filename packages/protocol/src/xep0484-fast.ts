/** XEP-0484: tokens that stand in for a password the next time. They are used with the HT mechanisms (`sasl/ht.ts`). */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { childrenOf, element, textOf } from "./xml/element.ts";

export const NS_FAST = "urn:xmpp:fast:0";

export interface FastOffer {
  /** What a token can be had for. */
  readonly mechanisms: readonly string[];
  /** May the client send its request in the first bytes of a TLS handshake that is resumed? */
  readonly earlyData: boolean;
}

/** In the `<inline/>` of XEP-0388's feature (§3.1). */
export const FastFeature = payload<FastOffer, "stream">({
  ns: NS_FAST,
  name: "fast",
  places: ["stream"],
  parse: (feature) => ({
    mechanisms: childrenOf(feature, "mechanism").map((mechanism) => textOf(mechanism).trim()),
    earlyData: flag(feature.attributes["tls-0rtt"]),
  }),
  build: ({ mechanisms, earlyData }) =>
    element(
      NS_FAST,
      "fast",
      { "tls-0rtt": earlyData ? true : undefined },
      mechanisms.map((mechanism) => element(NS_FAST, "mechanism", {}, [mechanism])),
    ),
});

export interface FastUse {
  /** How many times this token has been used before, and one: what is not more than last time is a repetition (§3.4). */
  readonly count: number | undefined;
  /** The token is to be good for this one time only. */
  readonly invalidate: boolean;
}

/** In `<authenticate/>`: it is done with a token (§3.4, §3.6). */
export const Fast = payload<FastUse, "stream">({
  ns: NS_FAST,
  name: "fast",
  places: ["stream"],
  parse: ({ attributes: { count, invalidate } }) => ({
    count: count === undefined ? undefined : positive(count),
    invalidate: flag(invalidate),
  }),
  build: ({ count, invalidate }) => element(NS_FAST, "fast", { count, invalidate: invalidate ? true : undefined }),
});

/** In `<authenticate/>`: a token is wanted, for this mechanism (§3.2). */
export const TokenRequest = payload<string, "stream">({
  ns: NS_FAST,
  name: "request-token",
  places: ["stream"],
  parse: ({ attributes: { mechanism } }) => {
    if (!mechanism) throw new StanzaError("bad-request", { text: "a token for which mechanism?" });
    return mechanism;
  },
  build: (mechanism) => element(NS_FAST, "request-token", { mechanism }),
});

export interface FastToken {
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly expiry: number;
}

/** In `<success/>`: the next time, this will do (§3.3, §3.5). */
export const Token = payload<FastToken, "stream">({
  ns: NS_FAST,
  name: "token",
  places: ["stream"],
  parse: ({ attributes }) => {
    const expiry = parseDateTime(attributes.expiry ?? "");
    if (!attributes.token || expiry === undefined)
      throw new StanzaError("bad-request", { text: 'a token has "token" and "expiry"' });
    return { token: attributes.token, expiry };
  },
  build: ({ token, expiry }) => element(NS_FAST, "token", { expiry: formatDateTime(expiry), token }),
});

const flag = (text: string | undefined): boolean => {
  switch (text) {
    case "1":
    case "true":
      return true;
    case undefined:
    case "0":
    case "false":
      return false;
    default:
      throw new StanzaError("bad-request", { text: "neither true nor false" });
  }
};

/** xs:int (§11). */
const LARGEST_COUNT = 2 ** 31 - 1;

const positive = (text: string): number => {
  const count = /^\+?\d{1,16}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > LARGEST_COUNT) throw new StanzaError("bad-request", { text: "a count is 1 or more" });
  return count;
};
