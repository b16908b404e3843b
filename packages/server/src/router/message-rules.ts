import type { MessageType } from "@kith/protocol";

/** What is known of the account a message is for. */
export type Availability = "no account" | "no active resource" | "only negative priorities" | "non-negative";
/** How the message is addressed. Where a connected resource has the full JID it is delivered to it, whatever its type (§8.5.3.1). */
export type Addressing = "bare" | "full, unmatched";
/** Bounced with service-unavailable, or ignored. */
type Refusal = "bounce" | "ignore";
/**
 * What is done with it (the options of RFC 6121 §8.5.4): delivered to the most available resource, to all with
 * non-negative priority, kept for later, or refused.
 */
export type Action = "most available" | "all non-negative" | "store" | Refusal;
/** An error is never answered (RFC 6120 §8.3.1), so that one nobody is there for is always ignored. */
type Row<Done extends Action> = Readonly<Record<Exclude<MessageType, "error">, Done>> & { readonly error: "ignore" };

const BARE: Readonly<Record<Exclude<Availability, "no account">, Row<Action>>> = {
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
/** A chat message to a resource that is gone is handled as one to the bare JID (§8.5.3.2.1). */
const UNMATCHED: Omit<Row<Refusal>, "chat"> = {
  normal: "bounce",
  groupchat: "bounce",
  headline: "ignore",
  error: "ignore",
};
const NO_ACCOUNT: Row<Refusal> = {
  normal: "bounce",
  chat: "bounce",
  groupchat: "bounce",
  headline: "ignore",
  error: "ignore",
};

/** RFC 6121 §8.5.4, table 1, with the choices that it leaves to a server made (docs/delivery.md names them). */
export const messageAction = (type: MessageType, availability: Availability, addressing: Addressing): Action => {
  if (availability === "no account") return NO_ACCOUNT[type];
  return addressing === "bare" || type === "chat" ? BARE[availability][type] : UNMATCHED[type];
};
