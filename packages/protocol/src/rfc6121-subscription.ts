/**
 * RFC 6121 Appendix A: what a presence subscription stanza does, by the state the user and the contact are in.
 * Everything here is seen from the user. "Outbound": the user sends it; "inbound": the contact does.
 */
import type { Subscription } from "./rfc6121-roster.ts";

/** A.1. The states of a user and a contact. One who is not in the roster is in "None", or "None + Pending In". */
export type SubscriptionState =
  | "None"
  | "None + Pending Out"
  | "None + Pending In"
  | "None + Pending Out+In"
  | "To"
  | "To + Pending In"
  | "From"
  | "From + Pending Out"
  | "Both";

/** The types of presence that manage subscriptions. */
export type SubscriptionType = "subscribe" | "unsubscribe" | "subscribed" | "unsubscribed";

/** Where the two stand with each other. */
export interface Relation {
  readonly state: SubscriptionState;
  /** The user has approved a request of the contact's in advance (§3.4). */
  readonly approved: boolean;
}

/** What an outbound stanza does. */
export interface OutboundStep extends Relation {
  /** Is the stanza sent on to the contact? */
  readonly route: boolean;
}

/** What an inbound stanza does. */
export interface InboundStep extends Relation {
  /** Is the stanza shown to the user? */
  readonly deliver: boolean;
  /** What the server answers on behalf of the user. */
  readonly reply: "subscribed" | "unsubscribed" | undefined;
}

interface OutboundCell {
  readonly route: boolean;
  readonly next: SubscriptionState | "no state change" | "pre-approval";
}
interface InboundCell {
  readonly deliver: boolean;
  readonly next: SubscriptionState | "no state change";
  readonly reply?: "subscribed" | "unsubscribed";
}
type Table<Cell> = Readonly<Record<SubscriptionType, Readonly<Record<SubscriptionState, Cell>>>>;

/** Tables 2 to 5 (A.2.1 to A.2.4). */
export const OUTBOUND_SUBSCRIPTIONS = {
  subscribe: {
    None: { route: true, next: "None + Pending Out" },
    "None + Pending Out": { route: true, next: "no state change" },
    "None + Pending In": { route: true, next: "None + Pending Out+In" },
    "None + Pending Out+In": { route: true, next: "no state change" },
    To: { route: true, next: "no state change" },
    "To + Pending In": { route: true, next: "no state change" },
    From: { route: true, next: "From + Pending Out" },
    "From + Pending Out": { route: true, next: "no state change" },
    Both: { route: true, next: "no state change" },
  },
  unsubscribe: {
    None: { route: true, next: "no state change" },
    "None + Pending Out": { route: true, next: "None" },
    "None + Pending In": { route: true, next: "no state change" },
    "None + Pending Out+In": { route: true, next: "None + Pending In" },
    To: { route: true, next: "None" },
    "To + Pending In": { route: true, next: "None + Pending In" },
    From: { route: true, next: "no state change" },
    "From + Pending Out": { route: true, next: "From" },
    Both: { route: true, next: "From" },
  },
  subscribed: {
    None: { route: false, next: "pre-approval" },
    "None + Pending Out": { route: false, next: "pre-approval" },
    "None + Pending In": { route: true, next: "From" },
    "None + Pending Out+In": { route: true, next: "From + Pending Out" },
    To: { route: false, next: "pre-approval" },
    "To + Pending In": { route: true, next: "Both" },
    From: { route: false, next: "no state change" },
    "From + Pending Out": { route: false, next: "no state change" },
    Both: { route: false, next: "no state change" },
  },
  unsubscribed: {
    None: { route: false, next: "no state change" },
    "None + Pending Out": { route: false, next: "no state change" },
    "None + Pending In": { route: true, next: "None" },
    "None + Pending Out+In": { route: true, next: "None + Pending Out" },
    To: { route: false, next: "no state change" },
    "To + Pending In": { route: true, next: "To" },
    From: { route: true, next: "None" },
    "From + Pending Out": { route: true, next: "None + Pending Out" },
    Both: { route: true, next: "To" },
  },
} as const satisfies Table<OutboundCell>;

/** Tables 6 to 9 (A.3.1 to A.3.4), their footnotes included. */
export const INBOUND_SUBSCRIPTIONS = {
  subscribe: {
    None: { deliver: true, next: "None + Pending In" },
    "None + Pending Out": { deliver: true, next: "None + Pending Out+In" },
    "None + Pending In": { deliver: false, next: "no state change" },
    "None + Pending Out+In": { deliver: false, next: "no state change" },
    To: { deliver: true, next: "To + Pending In" },
    "To + Pending In": { deliver: false, next: "no state change" },
    From: { deliver: false, next: "no state change", reply: "subscribed" },
    "From + Pending Out": { deliver: false, next: "no state change", reply: "subscribed" },
    Both: { deliver: false, next: "no state change", reply: "subscribed" },
  },
  unsubscribe: {
    None: { deliver: false, next: "no state change" },
    "None + Pending Out": { deliver: false, next: "no state change" },
    "None + Pending In": { deliver: true, next: "None", reply: "unsubscribed" },
    "None + Pending Out+In": { deliver: true, next: "None + Pending Out", reply: "unsubscribed" },
    To: { deliver: false, next: "no state change" },
    "To + Pending In": { deliver: true, next: "To", reply: "unsubscribed" },
    From: { deliver: true, next: "None", reply: "unsubscribed" },
    "From + Pending Out": { deliver: true, next: "None + Pending Out", reply: "unsubscribed" },
    Both: { deliver: true, next: "To", reply: "unsubscribed" },
  },
  subscribed: {
    None: { deliver: false, next: "no state change" },
    "None + Pending Out": { deliver: true, next: "To" },
    "None + Pending In": { deliver: false, next: "no state change" },
    "None + Pending Out+In": { deliver: true, next: "To + Pending In" },
    To: { deliver: false, next: "no state change" },
    "To + Pending In": { deliver: false, next: "no state change" },
    From: { deliver: false, next: "no state change" },
    "From + Pending Out": { deliver: true, next: "Both" },
    Both: { deliver: false, next: "no state change" },
  },
  unsubscribed: {
    None: { deliver: false, next: "no state change" },
    "None + Pending Out": { deliver: true, next: "None" },
    "None + Pending In": { deliver: false, next: "no state change" },
    "None + Pending Out+In": { deliver: true, next: "None + Pending In" },
    To: { deliver: true, next: "None" },
    "To + Pending In": { deliver: true, next: "None + Pending In" },
    From: { deliver: false, next: "no state change" },
    "From + Pending Out": { deliver: true, next: "From" },
    Both: { deliver: true, next: "From" },
  },
} as const satisfies Table<InboundCell>;

/** Where a request that was approved in advance leads at once (A.3.1 footnote 1, §3.4.2): what approving it by hand would. */
const APPROVED_REQUESTS: Partial<Readonly<Record<SubscriptionState, SubscriptionState>>> = {
  None: "From",
  "None + Pending Out": "From + Pending Out",
  To: "Both",
};

/** The user sends the contact a subscription stanza (A.2). */
export const sendSubscription = (type: SubscriptionType, { state, approved }: Relation): OutboundStep => {
  const { route, next }: OutboundCell = OUTBOUND_SUBSCRIPTIONS[type][state];
  return {
    route,
    state: next === "no state change" || next === "pre-approval" ? state : next,
    // Whatever is said about the contact's requests replaces what was said in advance (§3.2.2, §3.4.2).
    approved: next === "pre-approval" || (approved && type !== "unsubscribed" && type !== "subscribed"),
  };
};

/** The contact sends the user one (A.3). A pre-approval is used up by the request it approves (§3.4.2 leaves that to us). */
export const receiveSubscription = (type: SubscriptionType, { state, approved }: Relation): InboundStep => {
  const preApproved = type === "subscribe" && approved ? APPROVED_REQUESTS[state] : undefined;
  if (preApproved !== undefined) return { state: preApproved, approved: false, deliver: false, reply: "subscribed" };
  const { deliver, next, reply }: InboundCell = INBOUND_SUBSCRIPTIONS[type][state];
  return { state: next === "no state change" ? state : next, approved, deliver, reply };
};

/** The parts of a state: what the roster shows of it, and whether a request of the contact's waits for the user. */
export interface StateParts {
  readonly subscription: Subscription;
  readonly ask: boolean;
  readonly pendingIn: boolean;
}

const PARTS = {
  None: { subscription: "none", ask: false, pendingIn: false },
  "None + Pending Out": { subscription: "none", ask: true, pendingIn: false },
  "None + Pending In": { subscription: "none", ask: false, pendingIn: true },
  "None + Pending Out+In": { subscription: "none", ask: true, pendingIn: true },
  To: { subscription: "to", ask: false, pendingIn: false },
  "To + Pending In": { subscription: "to", ask: false, pendingIn: true },
  From: { subscription: "from", ask: false, pendingIn: false },
  "From + Pending Out": { subscription: "from", ask: true, pendingIn: false },
  Both: { subscription: "both", ask: false, pendingIn: false },
} as const satisfies Record<SubscriptionState, StateParts>;

export const partsOf = (state: SubscriptionState): StateParts => PARTS[state];

/** The state made of these parts. Parts that make no sense together (asking for what one has) count for nothing. */
export const stateOf = ({ subscription, ask, pendingIn }: StateParts): SubscriptionState => {
  switch (subscription) {
    case "none":
      if (ask) return pendingIn ? "None + Pending Out+In" : "None + Pending Out";
      return pendingIn ? "None + Pending In" : "None";
    case "to":
      return pendingIn ? "To + Pending In" : "To";
    case "from":
      return ask ? "From + Pending Out" : "From";
    case "both":
      return "Both";
  }
};

/** Is the contact subscribed to the user's presence? */
export const isFrom = (subscription: Subscription): boolean => subscription === "from" || subscription === "both";
/** Is the user subscribed to the contact's presence? */
export const isTo = (subscription: Subscription): boolean => subscription === "to" || subscription === "both";
