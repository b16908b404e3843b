/** XEP-0334: what a sender would like to be done with a message. */
import type { Message } from "./stanza.ts";
import { hasChild } from "./stanza-children.ts";
import { type Element, element } from "./xml/element.ts";

export const NS_HINTS = "urn:xmpp:hints";

export type Hint = "no-permanent-store" | "no-store" | "no-copy" | "store";

/** Hints in an error are the original's, and mean nothing (§5). */
export const hasHint = (message: Message, hint: Hint): boolean =>
  message.type !== "error" && hasChild(message, NS_HINTS, hint);

export const buildHint = (hint: Hint): Element => element(NS_HINTS, hint);
