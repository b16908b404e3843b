/** XEP-0085: what the other one is doing in a conversation. */
import type { Message } from "./stanza.ts";
import { hasChild } from "./stanza-children.ts";
import { NS_DELAY } from "./xep0203-delay.ts";
import { NS_HINTS } from "./xep0334-hints.ts";
import { NS_STANZA_IDS } from "./xep0359-stanza-ids.ts";
import { type Element, element, NS_CONTENT } from "./xml/element.ts";
import { childCount, isChild, isChildIn } from "./xml/raw.ts";

export const NS_CHAT_STATES = "http://jabber.org/protocol/chatstates";

export const CHAT_STATES = ["active", "composing", "gone", "inactive", "paused"] as const;
export type ChatState = (typeof CHAT_STATES)[number];

export const buildChatState = (state: ChatState): Element => element(NS_CHAT_STATES, state);

/** The state a message tells (§2); `undefined` where it tells none. */
export const chatStateOf = (message: Message): ChatState | undefined =>
  CHAT_STATES.find((state) => hasChild(message, NS_CHAT_STATES, state));

/** Does the message tell a state and nothing else (§2, §5.6)? */
export const isStandaloneChatState = (message: Message): boolean =>
  message.type !== "error" && chatStateOf(message) !== undefined && !saysSomething(message);

/** Is there anything in the message but a chat state, and what only accompanies something? Reads nothing but the index. */
export const saysSomething = (message: Message): boolean => {
  for (let at = 0; at < childCount(message); at++) if (!isAccompaniment(message, at)) return true;
  return false;
};

const ACCOMPANYING = [NS_CHAT_STATES, NS_HINTS, NS_STANZA_IDS, NS_DELAY];

const isAccompaniment = (message: Message, at: number): boolean =>
  isChild(message, at, NS_CONTENT, "thread") || ACCOMPANYING.some((ns) => isChildIn(message, at, ns));
