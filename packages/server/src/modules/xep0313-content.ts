import {
  childCount,
  hasChild,
  hasHint,
  isChild,
  isChildIn,
  type Message,
  NS_CONTENT,
  NS_CORRECTION,
  NS_DELAY,
  NS_RETRACTION,
  saysSomething,
} from "@kith/protocol";

export interface ContentRules {
  /** Are messages in rooms kept by each occupant's account too? */
  readonly groupchat: boolean;
  /** Are receipts (XEP-0184) and markers (XEP-0333) kept? */
  readonly receipts: boolean;
}

/** A message with text is what searches find. */
export type Content = "text" | "other";

/**
 * What there is in a message that an archive keeps (XEP-0313 §5.1); `undefined`: nothing. What only tells a state is not kept, nor what is not
 * meant to be (XEP-0334 §4).
 */
export const contentOf = (message: Message, rules: ContentRules): Content | undefined => {
  if (!isOfLastingType(message, rules) || isFleeting(message)) return undefined;
  if (hasChild(message, NS_CONTENT, "body") || hasChild(message, NS_CONTENT, "subject")) return "text";
  if (hasHint(message, "store")) return "other";
  return saysSomething(message) && hasLastingChild(message, rules) ? "other" : undefined;
};

const isOfLastingType = (message: Message, { groupchat }: ContentRules): boolean => {
  const { type } = message;
  if (type === "chat" || type === "normal") return true;
  // What a room tells of the time before somebody came is not new (XEP-0045 §7.2.13).
  return type === "groupchat" && groupchat && !hasChild(message, NS_DELAY, "delay");
};

const isFleeting = (message: Message): boolean =>
  hasHint(message, "no-store") || hasHint(message, "no-permanent-store");

/** What is worth keeping although nobody can read it as it stands. By namespace; with a name, only the element of that name. */
const LASTING: readonly (readonly [ns: string, name?: string])[] = [
  [NS_CORRECTION, "replace"],
  [NS_RETRACTION, "retract"],
  ["urn:xmpp:reactions:0", "reactions"],
  // Sealed: XEP-0380 and those it tells of, XEP-0384, XEP-0373, XEP-0027.
  ["urn:xmpp:eme:0", "encryption"],
  ["urn:xmpp:omemo:2", "encrypted"],
  ["eu.siacs.conversations.axolotl", "encrypted"],
  ["urn:xmpp:openpgp:0", "openpgp"],
  ["jabber:x:encrypted", "x"],
  // Invitations to rooms: XEP-0249, XEP-0045 §7.8.
  ["jabber:x:conference", "x"],
  ["http://jabber.org/protocol/muc#user", "x"],
];
const RECEIPTS: typeof LASTING = [["urn:xmpp:receipts", "received"], ["urn:xmpp:chat-markers:0"]];
const MARKABLE = "markable";

const hasLastingChild = (message: Message, { receipts }: ContentRules): boolean => {
  for (let at = 0; at < childCount(message); at++)
    if (isAmong(LASTING, message, at) || (receipts && isAmong(RECEIPTS, message, at))) return true;
  return false;
};

const isAmong = (names: typeof LASTING, message: Message, at: number): boolean =>
  names.some(([ns, name]) =>
    name === undefined
      ? isChildIn(message, at, ns) && !isChild(message, at, ns, MARKABLE)
      : isChild(message, at, ns, name),
  );
