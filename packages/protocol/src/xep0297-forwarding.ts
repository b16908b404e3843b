/** XEP-0297: a stanza inside another one. */
import type { Bytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { isStanza, readStanza, type Stanza, writeStanza } from "./stanza.ts";
import { NS_CLIENT } from "./stream/namespaces.ts";
import { Delay, type DelayedDelivery, NS_DELAY } from "./xep0203-delay.ts";
import { childOf, type Element, element, elementsOf } from "./xml/element.ts";
import { rescoped } from "./xml/normalise.ts";
import { parseRaw, readElement } from "./xml/read.ts";
import { rawOf, writeElement } from "./xml/write.ts";

export const NS_FORWARD = "urn:xmpp:forward:0";

/** What somebody says they received. It is worth as much as that somebody is trusted to say so (§7). */
export interface ForwardedStanza {
  /** Not there where it has been removed from what is kept (XEP-0313 §3.2). What is wrong with it is in its `problem`. */
  readonly stanza?: Stanza | undefined;
  /** When the one who forwards it received it (§3.2). */
  readonly delay?: DelayedDelivery | undefined;
}

/**
 * `<forwarded/>` as it stands in a stanza, around another that is at hand as `writeStanza` makes it. Whatever the stream's content namespace,
 * the stanza inside says "jabber:client", since the `xmlns` of its own is what it keeps wherever it is sent (§3.2; RFC 6120 §4.8.3).
 */
export const writeForwarded = (stanza: Bytes, delay?: DelayedDelivery): Bytes => {
  const stamp = delay === undefined ? "" : writeElement(Delay.build(delay));
  const end = endOfName(stanza);
  const inside = `${stanza.substring(0, end)} xmlns='${NS_CLIENT}'${stanza.substring(end)}`;
  return `<forwarded xmlns='${NS_FORWARD}'>${stamp}${inside}</forwarded>` as Bytes;
};

const SPACE = 0x20;
const SLASH = 0x2f;
const GREATER_THAN = 0x3e;

const endOfName = (stanza: Bytes): number => {
  for (let at = 1; ; at++) {
    const character = stanza.charCodeAt(at);
    if (character === SPACE || character === SLASH || character === GREATER_THAN) return at;
    if (Number.isNaN(character)) throw new TypeError("not a stanza");
  }
};

/** `<forwarded/>`, read and built as a tree. Of stanzas it holds one at most. */
export const Forwarded = payload<ForwardedStanza, "message">({
  ns: NS_FORWARD,
  name: "forwarded",
  places: ["message"],
  parse: (forwarded) => {
    const delay = childOf(forwarded, "delay", NS_DELAY);
    const stanzas = elementsOf(forwarded).flatMap(stanzasIn);
    if (stanzas.length > 1) throw new StanzaError("bad-request", { text: "one stanza is forwarded at a time" });
    return { stanza: stanzas[0], delay: delay === undefined ? undefined : Delay.parse(delay) };
  },
  build: ({ stanza, delay }) =>
    stanza === undefined
      ? element(NS_FORWARD, "forwarded", {}, [delay && Delay.build(delay)])
      : readElement(parseRaw(writeForwarded(writeStanza(stanza), delay))),
});

/** The one stanza that an element in a content namespace is, or none. */
const stanzasIn = (child: Element): readonly Stanza[] => {
  const raw = rawOf(rescoped(child));
  return isStanza(raw) ? [readStanza(raw)] : [];
};

/** What another protocol's element forwards (§3.2); `undefined` where that is nothing, or no good. */
export const forwardedIn = (wrapper: Element | undefined): ForwardedStanza | undefined => {
  const forwarded = wrapper === undefined ? undefined : childOf(wrapper, "forwarded", NS_FORWARD);
  try {
    return forwarded === undefined ? undefined : Forwarded.parse(forwarded);
  } catch {
    return undefined;
  }
};
