/** XEP-0085: what the other one is doing in a conversation. */
export const NS_CHAT_STATES = "http://jabber.org/protocol/chatstates";

export type ChatState = "active" | "composing" | "gone" | "inactive" | "paused";
