/** What is worth waking somebody up for, and what a notification then says of it. For every way of pushing. */
import { childNamed, childOf, type Element, hasChild, type Jid, type Message, textNamed } from "@kith/protocol";

const NS_OMEMO = "urn:xmpp:omemo:2";
const NS_OMEMO_FIRST = "eu.siacs.conversations.axolotl";
const NS_MUC_USER = "http://jabber.org/protocol/muc#user";

/** What a message says besides or in place of a body, by namespace and name. */
const PAYLOADS: readonly (readonly [ns: string, name: string])[] = [
  // Encrypted: XEP-0374, XEP-0027.
  ["urn:xmpp:openpgp:0", "openpgp"],
  ["jabber:x:encrypted", "x"],
  // Calls: XEP-0353, XEP-0482.
  ["urn:xmpp:jingle-message:0", "propose"],
  ["urn:xmpp:call-invites:0", "invite"],
  // An invitation to a room: XEP-0249.
  ["jabber:x:conference", "x"],
  // XEP-0224.
  ["urn:xmpp:attention:0", "attention"],
];

/**
 * Does somebody want to be woken up for this? A text, an encrypted one, a call, an invitation, a mention; never a chat state, a receipt, a
 * marker, a room's subject, a headline or an error.
 */
export const isWorthPushing = (message: Message): boolean => {
  const { type } = message;
  if (type === "error" || type === "headline") return false;
  if (type === "groupchat" && hasChild(message, "", "subject")) return false;
  return (
    hasText(message) ||
    isEncrypted(message) ||
    PAYLOADS.some(([ns, name]) => hasChild(message, ns, name)) ||
    isAddressed(message)
  );
};

const hasText = (message: Message): boolean => (textNamed(message, "body") ?? "") !== "";

/** OMEMO's messages without a payload only exchange keys. */
const isEncrypted = (message: Message): boolean =>
  [NS_OMEMO, NS_OMEMO_FIRST].some((ns) => {
    const encrypted = childNamed(message, ns, "encrypted");
    return encrypted !== undefined && childOf(encrypted, "payload") !== undefined;
  });

/** Invited to a room by the room (XEP-0045 §7.8.2), or mentioned in one (XEP-0372 §3.2). */
const isAddressed = (message: Message): boolean => {
  const mark = childNamed(message, NS_MUC_USER, "x");
  if (mark !== undefined && childOf(mark, "invite") !== undefined) return true;
  const reference: Element | undefined = childNamed(message, "urn:xmpp:reference:0", "reference");
  return reference?.attributes.type === "mention";
};

/** Which of what is known a notification tells whoever carries it. */
export interface Telling {
  readonly sender: boolean;
  readonly body: boolean;
}

/** A push tells that there is something, and how much; more only where whoever runs the server says so (XEP-0357 §9). */
export const TELL_LITTLE: Telling = { sender: false, body: false };

export interface Notice {
  /** Messages that wait. */
  readonly count: number;
  readonly sender?: Jid;
  readonly body?: string;
}

/** In characters; a notification shows no more, and a push service takes no more than some 4 KiB in all. */
const LONGEST_BODY = 500;

/** What is told of a message, being one of `waiting`. */
export const noticeOf = (message: Message, waiting: number, telling: Telling): Notice => {
  const { from, type } = message;
  const body = telling.body && !isEncrypted(message) ? textNamed(message, "body") : undefined;
  // In a room it is the occupant who speaks.
  const sender = type === "groupchat" ? from : from?.toBare();
  return {
    count: Math.max(1, waiting),
    ...(telling.sender && sender !== undefined ? { sender } : {}),
    ...(body === undefined || body === "" ? {} : { body: shortened(body) }),
  };
};

const shortened = (text: string): string =>
  text.length <= LONGEST_BODY ? text : `${text.slice(0, LONGEST_BODY - 1).replace(/[\uD800-\uDBFF]$/u, "")}…`;
