import type { MessageType } from "@kith/protocol";

/** What is known of the account a message is for. */
export type Availability = "no account" | "no active resource" | "only negative priorities" | "non-negative";
/** How the message is addressed; a full JID is "matched" where a connected resource has it. */
export type Addressing = "bare" | "full, matched" | "full, unmatched";
/**
 * What is done with it (the options of RFC 6121 §8.5.4): delivered to the resource it names, to the most available
 * resource, to all with non-negative priority, kept for later, bounced with service-unavailable, or ignored.
 */
export type Action = "deliver" | "most available" | "all non-negative" | "store" | "bounce" | "ignore";

const BARE: Readonly<Record<Exclude<Availability, "no account">, Readonly<Record<MessageType, Action>>>> = {
  "no active resource": { normal: "store", chat: "store", groupchat: "bounce", headline: "ignore", error: "ignore" },
  "only negative priorities": {
    normal: "store",
    chat: "store",
    groupchat: "bounce",
    headline: "ignore",
    error: "ignore",
  },
  "non-negative": {
    normal: "most available",
    chat: "most available",
    groupchat: "bounce",
    headline: "all non-negative",
    error: "ignore",
  },
};
const UNMATCHED: Readonly<Record<MessageType, Action>> = {
  normal: "bounce",
  chat: "store",
  groupchat: "bounce",
  headline: "ignore",
  error: "ignore",
};
const NO_ACCOUNT: Readonly<Record<MessageType, Action>> = {
  normal: "bounce",
  chat: "bounce",
  groupchat: "bounce",
  headline: "ignore",
  error: "ignore",
};

/** RFC 6121 §8.5.4, table 1, with the choices that it leaves to a server made (docs/delivery.md names them). */
export const messageAction = (type: MessageType, availability: Availability, addressing: Addressing): Action => {
  if (availability === "no account") return NO_ACCOUNT[type];
  if (addressing === "full, matched") return "deliver";
  // A chat message to a resource that is gone is handled as one to the bare JID (§8.5.3.2.1).
  return addressing === "bare" || type === "chat" ? BARE[availability][type] : UNMATCHED[type];
};
