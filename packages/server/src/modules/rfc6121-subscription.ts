/** RFC 6121 §3 and Appendix A: managing presence subscriptions. */
import {
  andThen,
  type BareJid,
  type Bytes,
  detached,
  type Eventually,
  type FullJid,
  idOf,
  isFrom,
  type Jid,
  type Presence,
  parseRaw,
  partsOf,
  preApprovalFeature,
  presence,
  type Relation,
  readdressed,
  readStanza,
  receiveSubscription,
  StanzaError,
  type SubscriptionType,
  sendSubscription,
  together,
  withChildren,
  writeStanza,
} from "@kith/protocol";
import {
  type AvailableResource,
  type Context,
  type Effects,
  type Module,
  route,
  type SessionView,
  toOwnSessions,
  toSession,
} from "../module.ts";
import {
  type Contact,
  type Contacts,
  relationOf,
  type StoredItem,
  type StoredRequest,
  storedJid,
} from "./rfc6121-contacts.ts";
import type { Ledger } from "./rfc6121-ledger.ts";
import { hidePresence, showPresence } from "./rfc6121-notices.ts";

export interface SubscriptionOptions {
  readonly contacts: Contacts;
  readonly ledger: Ledger;
  /** Has the account blocked this address since it asked (XEP-0191 §3.3)? Its request waits on. */
  readonly isBlocked?: (account: BareJid, other: Jid) => Eventually<boolean>;
  readonly limits?: SubscriptionLimits;
}
export interface SubscriptionLimits {
  /** Roster items; asking somebody makes one. */
  readonly items: number;
  /** Requests that wait for the user. One more is shown to who is there, but not kept (§3.1.3, security warning). */
  readonly requests: number;
  /** Bytes of a request that is kept; of a longer one only the envelope is. */
  readonly requestBytes: number;
  /** Bytes of all that are kept: they are shown in one go. */
  readonly allRequestBytes: number;
}
export const SUBSCRIPTION_LIMITS: SubscriptionLimits = {
  items: 2_000,
  requests: 500,
  requestBytes: 8_192,
  allRequestBytes: 524_288,
};

type SubscriptionPresence = Presence & { readonly type: SubscriptionType };
const TYPES: readonly SubscriptionType[] = ["subscribe", "unsubscribe", "subscribed", "unsubscribed"];

/** Requests, approvals, denials and cancellations, in both directions. */
export const subscriptions = (options: SubscriptionOptions): Module => ({
  name: "subscriptions",
  xeps: [{ xep: "RFC 6121" }],
  streamFeatures: { authenticated: () => [preApprovalFeature] },
  presence: [
    {
      place: "directed",
      types: TYPES,
      handle: (sent, context) => send(options, sent as SubscriptionPresence, context),
    },
    {
      place: "received",
      types: TYPES,
      handle: (received, context) => receive(options, received as SubscriptionPresence, context),
    },
  ],
  available: (session, context) => remind(options, session, context),
});

/** The user sends (§3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2). */
const send = (options: SubscriptionOptions, sent: SubscriptionPresence, context: Context): Eventually<Effects> => {
  const { contacts, limits = SUBSCRIPTION_LIMITS } = options;
  const { type } = sent;
  const from = (sent.from as Jid).toBare();
  const to = (sent.to as Jid).toBare();
  // Everybody is subscribed to their own presence (§4.2.2): there is nothing to manage.
  if (to.bare === from.bare) return [];
  const stanza = readdressed(sent, from, to);
  return about(options, from, to, context, type === "subscribed" || type === "unsubscribed", (known, resources) => {
    const was = relationOf(known);
    const { route: isRouted, ...next } = sendSubscription(type, was);
    const request = type === "subscribe" && !context.isLocal(to.domain) ? worthRepeating(stanza, limits) : undefined;
    const changed = contacts.relate(from.bare, to, known, next, context, request);
    const isShown = isVisible(next) && !isVisible(was);
    const found = together(
      changed,
      contacts.items(from.bare),
      isShown ? show(options, from, to, resources, context) : [],
    );
    return andThen(found, ([{ writes, pushes }, items, shown]) => {
      if (known.item === undefined && pushes.length > 0 && items.size >= limits.items) {
        throw new StanzaError("policy-violation", { text: "the roster is full" });
      }
      if (!isRouted) return [...writes, ...pushes];
      return [...writes, ...pushes, ...hide(was, next, resources, to, context), route(stanza), ...shown];
    });
  });
};

/** The contact sends (§3.1.3, §3.1.6, §3.2.3, §3.3.3). */
const receive = (
  options: SubscriptionOptions,
  received: SubscriptionPresence,
  context: Context,
): Eventually<Effects> => {
  const { type } = received;
  const from = (received.from as Jid).toBare();
  const addressed = received.to as Jid;
  const to = addressed.toBare();
  if (from.bare === to.bare) return [];
  const needsResources = type === "subscribe" || type === "unsubscribe" || addressed.isFull;
  return about(options, to, from, context, needsResources, (known, resources) => {
    // §8.5.3.2.2: answers to a resource that is gone are ignored; requests are for the account as a whole.
    if (addressed.isFull && type !== "subscribe" && !resources.some(({ jid }) => jid.equals(addressed))) return [];
    const was = relationOf(known);
    const { deliver, reply, ...next } = receiveSubscription(type, was);
    const stanza = readdressed(received, from, to);
    const changed = options.contacts.relate(to.bare, from, known, next, context);
    const kept = type === "subscribe" && deliver ? keep(options, to, from, stanza) : [];
    const shown = reply === "subscribed" ? show(options, to, from, resources, context) : [];
    return andThen(together(changed, kept, shown), ([{ writes, pushes }, request, presences]) => {
      // What the contact did comes before the push, so that a client can tell it from what the user did elsewhere (§3.1.6).
      const delivered = deliver
        ? [toOwnSessions(to.bare, stanza, type === "subscribe" ? "available" : INTERESTED)]
        : [];
      const answer =
        reply === undefined ? [] : [route(presence({ type: reply, from: to, to: from, id: idOf(received) }))];
      const hidden = hide(was, next, resources, from, context);
      return [...writes, ...request, ...delivered, ...pushes, ...hidden, ...answer, ...presences];
    });
  });
};
const INTERESTED = { marked: "roster" } as const;

/** Whoever becomes available is shown what waits (§3.1.3 rule 4); what contacts elsewhere left unanswered is asked again (§3.1.2). */
const remind = (options: SubscriptionOptions, { jid: self }: SessionView, context: Context): Eventually<Effects> => {
  const { contacts } = options;
  return andThen(together(contacts.requests(self.bare), contacts.items(self.bare)), ([requests, items]) =>
    andThen(waiting(options, self.bare, [...requests.values()]), (asked) => [
      ...asked.map((request) => toSession(self.full as FullJid, request)),
      ...[...items].flatMap(([address, item]) => (item.ask ? askAgain(self.toBare(), address, item, context) : [])),
    ]),
  );
};

/** The requests that wait for an answer, but those of whoever has been blocked since. */
const waiting = (
  { isBlocked = () => false }: SubscriptionOptions,
  account: BareJid,
  requests: readonly StoredRequest[],
): Eventually<readonly Presence[]> => {
  const asked = requests.map(({ stanza }) => storedPresence(stanza));
  const blocked = together<readonly boolean[]>(
    ...asked.map(({ from }) => from !== undefined && isBlocked(account, from)),
  );
  return andThen(blocked, (verdicts) => asked.filter((_, at) => verdicts[at] !== true));
};

const askAgain = (from: Jid, address: string, { request }: StoredItem, context: Context): Effects => {
  const to = storedJid(address);
  if (to === undefined || context.isLocal(to.domain)) return [];
  const again = presence({ type: "subscribe", from, to, id: context.newId() });
  return [route(request === undefined ? again : storedPresence(request))];
};

/** Reads what is kept of a contact, and which resources there are where that matters, in turn with other changes. */
const about = (
  { contacts }: SubscriptionOptions,
  account: Jid,
  contact: Jid,
  context: Context,
  needsResources: boolean,
  step: (known: Contact, resources: readonly AvailableResource[]) => Eventually<Effects>,
): Eventually<Effects> =>
  contacts.inTurn(account.bare, () =>
    andThen(needsResources ? context.available(account.bare) : NOBODY, (resources) =>
      andThen(contacts.contact(account.bare, contact.bare), (known) => step(known, resources)),
    ),
  );
const NOBODY: readonly AvailableResource[] = [];

/** May the contact see the account's presence? */
const isVisible = ({ state }: Relation): boolean => isFrom(partsOf(state).subscription);

/** What a contact is sent that may not see the account's presence any more. */
const hide = (
  was: Relation,
  next: Relation,
  resources: readonly AvailableResource[],
  to: Jid,
  context: Context,
): Effects => (isVisible(was) && !isVisible(next) ? hidePresence(resources, to, context) : []);

/** The resources' current presence (§3.1.5), and a note that it has been seen. */
const show = (
  { ledger }: SubscriptionOptions,
  account: Jid,
  to: Jid,
  resources: readonly AvailableResource[],
  context: Context,
): Eventually<Effects> => {
  const shown = showPresence(resources, to);
  const haste = context.isLocal(to.domain) ? "soon" : "now";
  return andThen(ledger.shown(account.bare, resources, haste), (noted) => [...noted, ...shown]);
};

/** §3.1.3 rule 4: the request waits, whole if it is not too long, until it is answered. */
const keep = (
  { contacts, limits = SUBSCRIPTION_LIMITS }: SubscriptionOptions,
  account: Jid,
  from: Jid,
  request: Presence,
): Eventually<Effects> =>
  andThen(contacts.requests(account.bare), (requests) => {
    if (requests.size >= limits.requests) return [];
    const whole = writeStanza(request);
    const kept = whole.length <= limits.requestBytes ? whole : writeStanza(withChildren(request, []));
    let bytes = kept.length;
    for (const { stanza } of requests.values()) bytes += stanza.length;
    return bytes > limits.allRequestBytes ? [] : [contacts.keepRequest(account.bare, from.bare, kept)];
  });

/** The request as it is kept to be sent again; `undefined` where there is nothing in it, or too much. */
const worthRepeating = (request: Presence, { requestBytes }: SubscriptionLimits): Bytes | undefined => {
  if (request.payload === "") return undefined;
  const stanza = writeStanza(request);
  return stanza.length <= requestBytes ? detached(stanza) : undefined;
};

const storedPresence = (stanza: Bytes): Presence => readStanza(parseRaw(stanza)) as Presence;
