/** XEP-0280: what one client of an account sends or receives, its others get a copy of. */
import type { Bytes } from "./bytes.ts";
import type { Jid } from "./jid.ts";
import { payload } from "./payload.ts";
import { type Message, message, withRawChild, writeStanza } from "./stanza.ts";
import { childNamed, hasChild } from "./stanza-children.ts";
import { chatStateOf } from "./xep0085-chat-states.ts";
import { NS_RECEIPTS } from "./xep0184-receipts.ts";
import { type ForwardedStanza, forwardedIn, writeForwarded } from "./xep0297-forwarding.ts";
import { NS_MARKERS } from "./xep0333-markers.ts";
import { NS_HINTS } from "./xep0334-hints.ts";
import { childOf, type Element, element, NS_CONTENT } from "./xml/element.ts";
import { childCount } from "./xml/raw.ts";

export const NS_CARBONS = "urn:xmpp:carbons:2";
/** All rules of §6.1 are kept (§6.2). */
export const NS_CARBONS_RULES = "urn:xmpp:carbons:rules:0";

/** `<enable/>` (§4). */
export const EnableCarbons = payload({
  ns: NS_CARBONS,
  name: "enable",
  places: ["iq-set"],
  parse: () => undefined,
  build: () => element(NS_CARBONS, "enable"),
});

/** `<disable/>` (§5). */
export const DisableCarbons = payload({
  ns: NS_CARBONS,
  name: "disable",
  places: ["iq-set"],
  parse: () => undefined,
  build: () => element(NS_CARBONS, "disable"),
});

/** `<private/>` (§9): no copies of this one. XEP-0334's "no-copy" belongs beside it. */
export const privateCarbon: Element = element(NS_CARBONS, "private");

/** Which way the original went, seen from the account whose clients get copies. */
export type CarbonDirection = "received" | "sent";

/** The copy of a message for one of the account's clients (§7, §8). `account` is the bare address, `client` the full one. */
export const carbonOf = (original: Message, direction: CarbonDirection, account: Jid, client: Jid): Message =>
  withRawChild(
    message({ type: original.type, from: account, to: client }),
    `<${direction} xmlns='${NS_CARBONS}'>${writeForwarded(writeStanza(original))}</${direction}>` as Bytes,
  );

/** What a copy is a copy of. */
export interface Carbon extends ForwardedStanza {
  readonly stanza: Message;
  readonly direction: CarbonDirection;
}

/**
 * What a client was sent as a copy; `undefined` where it is none, or is not from its own account: then it is an attempt to put words into
 * somebody's mouth, and ignored (§11).
 */
export const readCarbon = (received: Message, account: Jid): Carbon | undefined => {
  const { from } = received;
  // Without "from" it is from the account (RFC 6120 §8.1.2.1).
  if (received.type === "error" || (from !== undefined && from.full !== account.bare)) return undefined;
  const direction = hasChild(received, NS_CARBONS, "received") ? "received" : "sent";
  const forwarded = forwardedIn(childNamed(received, NS_CARBONS, direction));
  return forwarded?.stanza?.kind === "message" ? { ...forwarded, stanza: forwarded.stanza, direction } : undefined;
};

const NS_MUC_USER = "http://jabber.org/protocol/muc#user";
/** XEP-0249. */
const NS_DIRECT_INVITATIONS = "jabber:x:conference";

/**
 * Are the account's other clients to get a copy (§6.1)? An error counts with what it repeats of the message it answers; where it repeats
 * nothing it is copied, lest others go on believing that the message arrived.
 */
export const isEligibleForCarbons = (message: Message, direction: CarbonDirection): boolean => {
  if (message.type === "groupchat" || isForOneClient(message)) return false;
  return roomRule(message, direction) ?? isInstantMessage(message);
};

/** §9; XEP-0334 §4.3. In an error too: it answers a message that was not copied. */
const isForOneClient = (message: Message): boolean =>
  hasChild(message, NS_CARBONS, "private") || hasChild(message, NS_HINTS, "no-copy");

/** What only rooms' messages carry. Private ones are copied when sent; what is received, the room itself has sent to each client. */
const roomRule = (message: Message, direction: CarbonDirection): boolean | undefined => {
  if (hasChild(message, NS_DIRECT_INVITATIONS, "x")) return true;
  const mark = childNamed(message, NS_MUC_USER, "x");
  if (mark === undefined) return undefined;
  if (childOf(mark, "invite") !== undefined) return true;
  const occupant = direction === "sent" ? message.to : message.from;
  return occupant?.isFull === true ? direction === "sent" : undefined;
};

const isInstantMessage = (message: Message): boolean => {
  switch (message.type) {
    case "chat":
      return true;
    case "error":
      // It repeats all of what it answers, or nothing (RFC 6120 §8.3.1).
      return childCount(message) <= 1 || hasMessagingContent(message);
    case "normal":
      return hasMessagingContent(message);
    default:
      return hasMessagingPayload(message);
  }
};

const hasMessagingContent = (message: Message): boolean =>
  hasChild(message, NS_CONTENT, "body") || hasMessagingPayload(message);

const hasMessagingPayload = (message: Message): boolean =>
  hasChild(message, NS_RECEIPTS, "request") ||
  hasChild(message, NS_RECEIPTS, "received") ||
  hasChild(message, NS_MARKERS, "markable") ||
  hasChild(message, NS_MARKERS, "displayed") ||
  chatStateOf(message) !== undefined;
