/** XEP-0478: what a stream takes, said beforehand. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type Element, element, textOfChild } from "./xml/element.ts";

export const NS_STREAM_LIMITS = "urn:xmpp:stream-limits:0";

export interface AdvertisedLimits {
  /** The longest first-level element, in bytes. */
  readonly maxBytes?: number | undefined;
  /** Seconds without traffic after which the stream may be checked, or ended. */
  readonly idleSeconds?: number | undefined;
}

export const StreamLimits = payload({
  ns: NS_STREAM_LIMITS,
  name: "limits",
  places: ["stream"],
  parse: (limits): AdvertisedLimits => ({
    maxBytes: numberIn(limits, "max-bytes"),
    idleSeconds: numberIn(limits, "idle-seconds"),
  }),
  build: ({ maxBytes, idleSeconds }) =>
    element(NS_STREAM_LIMITS, "limits", {}, [
      maxBytes !== undefined && element(NS_STREAM_LIMITS, "max-bytes", {}, [String(maxBytes)]),
      idleSeconds !== undefined && element(NS_STREAM_LIMITS, "idle-seconds", {}, [String(idleSeconds)]),
    ]),
});

const numberIn = (limits: Element, name: string): number | undefined => {
  const text = textOfChild(limits, name)?.trim();
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new StanzaError("bad-request", { text: `<${name}/> is a number` });
  return Number(text);
};
