/**
 * Web Push from the server itself, for clients that run in browsers: what a browser gives its page when it subscribes (W3C Push API,
 * RFC 8030) is given to the server, which encrypts (RFC 8291) and signs (RFC 8292) what it sends there. No other specification says how a
 * client of XMPP does that; docs/push.md does.
 */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { decodeBase64 } from "./sasl/base64.ts";
import { element, textOf } from "./xml/element.ts";

export const NS_WEB_PUSH = "https://kith.chat/protocol/web-push";

/** A browser's subscription as `PushSubscription.toJSON` tells it. */
export interface WebPushSubscription {
  /** An address at the browser's push service. */
  readonly endpoint: string;
  /** The browser's public key: an uncompressed point on P-256, in base64url. */
  readonly p256dh: string;
  /** Sixteen secret octets, in base64url. */
  readonly auth: string;
}

/** `<key/>`: asks for, or tells, the key that the server signs with (RFC 8292 §3.2): what `applicationServerKey` of a subscription has to be. */
export const WebPushKey = payload<string, "iq-get" | "iq-result">({
  ns: NS_WEB_PUSH,
  name: "key",
  places: ["iq-get", "iq-result"],
  parse: (key) => textOf(key),
  build: (key) => element(NS_WEB_PUSH, "key", {}, key === "" ? [] : [key]),
});

/** `<enable/>`. The same endpoint once more takes the place of what was said of it before. */
export const EnableWebPush = payload<WebPushSubscription, "iq-set">({
  ns: NS_WEB_PUSH,
  name: "enable",
  places: ["iq-set"],
  parse: ({ attributes: { endpoint = "", p256dh = "", auth = "" } }) => {
    if (endpoint === "") throw new StanzaError("bad-request", { text: "where to push to?" });
    if (!isPoint(octetsOf(p256dh))) throw new StanzaError("bad-request", { text: "p256dh is no public key" });
    if (octetsOf(auth)?.length !== 16) throw new StanzaError("bad-request", { text: "auth is no secret" });
    return { endpoint, p256dh, auth };
  },
  build: ({ endpoint, p256dh, auth }) => element(NS_WEB_PUSH, "enable", { endpoint, p256dh, auth }),
});

/** `<disable/>`: one endpoint; without one, all of the account's. */
export const DisableWebPush = payload<string | undefined, "iq-set">({
  ns: NS_WEB_PUSH,
  name: "disable",
  places: ["iq-set"],
  parse: ({ attributes: { endpoint } }) => endpoint,
  build: (endpoint) => element(NS_WEB_PUSH, "disable", { endpoint }),
});

const octetsOf = (text: string): Uint8Array | undefined => {
  if (!/^[\w-]{1,120}$/.test(text)) return undefined;
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return decodeBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
};

const UNCOMPRESSED = 4;
const isPoint = (octets: Uint8Array | undefined): boolean => octets?.length === 65 && octets[0] === UNCOMPRESSED;
