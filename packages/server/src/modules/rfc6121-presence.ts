/** RFC 6121 §4: exchanging presence information. */
import {
  andThen,
  type BareJid,
  Delay,
  type Eventually,
  type FullJid,
  type Iq,
  idOf,
  isFrom,
  isTo,
  type Jid,
  type Presence,
  parseJid,
  presence,
  readdressed,
  StanzaError,
  together,
} from "@kith/protocol";
import {
  type AvailableResource,
  type Context,
  type Effect,
  type Effects,
  type Module,
  route,
  type SessionView,
  toOwnSessions,
  toSession,
} from "../module.ts";
import { type Contacts, contactsWith, type StoredItem, storedJid } from "./rfc6121-contacts.ts";
import type { Ledger, LedgerEntry } from "./rfc6121-ledger.ts";

export interface PresenceOptions {
  readonly contacts: Contacts;
  readonly ledger: Ledger;
  /** What the server sends by itself passes over whom the account has blocked (XEP-0191 §3.3). */
  readonly isBlocked?: (account: BareJid, other: Jid) => Eventually<boolean>;
  /** When the account's last resource became unavailable, in milliseconds since 1970 (§4.3.2 rule 3). */
  readonly lastAvailable?: (account: BareJid) => Eventually<number | undefined>;
  /** How many entities a resource may send directed presence to at a time. Default 1000. */
  readonly directed?: number;
  /** How many characters their addresses may have together: the list is stored anew with each. Default 32 768. */
  readonly directedCharacters?: number;
}

/** Tells contacts who is there, asks who of them is, and says goodbye to all who were told. */
export const presenceExchange = (options: PresenceOptions): Module => {
  /** Sessions held here that have a presence session (§4.2): a further presence of theirs is not initial. */
  const present = new Set<string>();
  const { contacts, ledger } = options;
  return {
    name: "presence",
    xeps: [{ xep: "RFC 6121" }],
    presence: [
      { place: "broadcast", types: ["available"], handle: (sent, context) => appear(options, present, sent, context) },
      {
        place: "broadcast",
        types: ["unavailable"],
        handle: (sent, context) => disappear(options, present, sent, context),
      },
      {
        place: "directed",
        types: ["available", "unavailable"],
        handle: (sent, context) => direct(options, sent, context),
      },
      { place: "received", types: ["available", "error"], handle: deliver },
      { place: "received", types: ["unavailable"], handle: (received) => lose(options, received) },
      { place: "received", types: ["probe"], handle: (asked, context) => answerProbe(options, asked, context) },
    ],
    admit: (request, session) => mayAsk(options, request, session),
    // The roster's part says goodbye to subscribers.
    accountRemoved: (account) => andThen(ledger.entries(account), (entries) => lastWords(account, [], entries)),
    restored: ({ jid, presence: shown }) => {
      if (shown !== undefined) present.add(jid.full);
      return [];
    },
    // Entries that are there when the server starts were left by a crash, but for those of resources that have been restored.
    started: async (context) => {
      const accounts = (await ledger.accounts()) as readonly BareJid[];
      const owed = accounts.map(async (account) => {
        const [subscribers, entries, here] = await together(
          contacts.subscribersOf(account),
          ledger.entries(account),
          context.available(account),
        );
        const restored = new Set(here.map(({ jid }) => jid.resource));
        const gone = new Map([...entries].filter(([resource]) => !restored.has(resource)));
        return [...ledger.remove(account, [...gone.keys()]), ...lastWords(account, subscribers, gone)];
      });
      return (await Promise.all(owed)).flat();
    },
  };
};

// ── Broadcast ────────────────────────────────────────────────────────────────────────────────────────────────────

/** §4.2.2, §4.4.2. */
const appear = (
  options: PresenceOptions,
  present: Set<string>,
  sent: Presence,
  context: Context,
): Eventually<Effects> => {
  const { contacts, ledger } = options;
  const self = sent.from as Jid;
  const account = self.bare;
  const isInitial = !present.has(self.full);
  present.add(self.full);
  return contacts.inTurn(account, () =>
    andThen(
      together(isInitial ? context.available(account) : NOBODY, contacts.items(account)),
      ([resources, items]) => {
        const subscribers = notBlocked(options, account, contactsWith(items, isSubscriber));
        const publishers = isInitial ? notBlocked(options, account, contactsWith(items, isPublisher)) : [];
        return andThen(together(subscribers, publishers, ledger.entry(self)), ([tell, ask, entry]) => {
          // Whoever lives here goes down with this server, or comes back to it: a crash that forgets the last second hurts little.
          const isKnownElsewhere = tell.some(({ domain }) => !context.isLocal(domain));
          return [
            ...ledger.change(self, entry, { available: tell.length > 0 }, isKnownElsewhere ? "now" : "soon"),
            ...tell.map((contact) => route(readdressed(sent, self, contact))),
            toOwnSessions(account, readdressed(sent, self, undefined), "available"),
            ...(isInitial ? resources.filter(({ jid }) => !jid.equals(self)).map((other) => showTo(self, other)) : []),
            ...ask.map((contact) => probe(self, contact, context)),
          ];
        });
      },
    ),
  );
};
const NOBODY: readonly AvailableResource[] = [];

/** A new resource learns of the account's others as of any contact's (§4.2.2: everybody is subscribed to themselves). */
const showTo = (self: Jid, { jid, presence: current }: AvailableResource): Effect =>
  toSession(self.full as FullJid, readdressed(current, jid, self));

/**
 * §4.3.1. To another server on behalf of the account; here on behalf of the one resource that does not know yet, so that
 * the others are not told again.
 */
const probe = (self: Jid, contact: Jid, context: Context): Effect =>
  route(
    presence({
      type: "probe",
      from: context.isLocal(contact.domain) ? self : self.toBare(),
      to: contact,
      id: context.newId(),
    }),
  );

/** §4.5.2: whoever was told that the resource is there is told that it is gone, those with directed presence included (§4.6.3). */
const disappear = (
  options: PresenceOptions,
  present: Set<string>,
  sent: Presence,
  context: Context,
): Eventually<Effects> => {
  const { contacts, ledger } = options;
  const self = sent.from as Jid;
  const account = self.bare;
  const wasPresent = present.delete(self.full);
  return contacts.inTurn(account, () =>
    andThen(together(contacts.items(account), ledger.entry(self)), ([items, entry]) => {
      const subscribers = wasPresent ? contactsWith(items, isSubscriber) : [];
      const told = [...subscribers, ...directedBeyond(subscribers, entry)];
      return andThen(notBlocked(options, account, told), (tell) => {
        const gone = readdressed(sent, self, undefined);
        const isKnownElsewhere = tell.some(({ domain }) => !context.isLocal(domain));
        return [
          ...ledger.change(self, entry, { available: false, directed: [] }, isKnownElsewhere ? "now" : "soon"),
          ...tell.map((to) => route(readdressed(sent, self, to))),
          ...(wasPresent ? [toOwnSessions(account, gone, "available"), toSession(self.full as FullJid, gone)] : []),
        ];
      });
    }),
  );
};

const isSubscriber = ({ subscription }: StoredItem): boolean => isFrom(subscription);
const isPublisher = ({ subscription }: StoredItem): boolean => isTo(subscription);

const notBlocked = (
  { isBlocked }: PresenceOptions,
  account: BareJid,
  jids: readonly Jid[],
): Eventually<readonly Jid[]> => {
  if (isBlocked === undefined || jids.length === 0) return jids;
  const blocked = together<readonly boolean[]>(...jids.map((jid) => isBlocked(account, jid)));
  return andThen(blocked, (answers) => jids.filter((_, at) => answers[at] !== true));
};

/** The targets of directed presence that are not reached through these subscribers. */
const directedBeyond = (subscribers: readonly Jid[], { directed }: LedgerEntry): readonly Jid[] => {
  if (directed.length === 0) return [];
  const reached = new Set(subscribers.map(({ bare }) => bare));
  return directed.map(storedJid).filter((jid): jid is Jid => jid !== undefined && !reached.has(jid.bare));
};

/** What resources that are gone owe to those they told: to these subscribers, and to targets of directed presence. */
const lastWords = (account: BareJid, subscribers: readonly Jid[], entries: ReadonlyMap<string, LedgerEntry>) =>
  [...entries].flatMap(([resource, entry]) => {
    const from = parseJid(account).withResource(resource);
    const told = entry.available ? subscribers : [];
    const due = [...told, ...directedBeyond(told, entry)];
    return due.map((to) => ({ do: "route", stanza: presence({ type: "unavailable", from, to }) }) as const);
  });

// ── Directed presence ────────────────────────────────────────────────────────────────────────────────────────────

/** §4.6.3. */
const direct = (options: PresenceOptions, sent: Presence, context: Context): Eventually<Effects> => {
  const { contacts, ledger } = options;
  const self = sent.from as Jid;
  const to = sent.to as Jid;
  const isPresent = context.session?.presence !== undefined;
  return contacts.inTurn(self.bare, () =>
    andThen(together(contacts.subscriptionOf(self.bare, to.bare), ledger.entry(self)), ([subscription, entry]) => {
      // Whom broadcast reaches is told by broadcast (case 1); a resource that is not available broadcasts to nobody (case 3).
      const isReached = isPresent && (to.bare === self.bare || isFrom(subscription));
      if (isReached && sent.type === "available") return [route(sent)];
      const { directed } = entry;
      const listed = sent.type === "available" ? including(directed, to.full, options) : without(directed, to.full);
      return [...ledger.change(self, entry, { directed: listed }), route(sent)];
    }),
  );
};

const without = (directed: readonly string[], target: string): readonly string[] =>
  directed.includes(target) ? directed.filter((other) => other !== target) : directed;

const including = (
  directed: readonly string[],
  target: string,
  { directed: most = 1_000, directedCharacters = 32_768 }: PresenceOptions,
): readonly string[] => {
  if (directed.includes(target)) return directed;
  if (directed.length >= most || lengthOf(directed) + target.length > directedCharacters) {
    throw new StanzaError("policy-violation", { text: `directed presence goes to at most ${most} at a time` });
  }
  return [...directed, target];
};

const lengthOf = (addresses: readonly string[]): number => {
  let length = 0;
  for (const address of addresses) length += address.length;
  return length;
};

/** §4.6.1: an entity that says it is gone need not be told any more when the user is. */
const lose = ({ contacts, ledger }: PresenceOptions, received: Presence): Eventually<Effects> => {
  const to = received.to as Jid;
  const gone = (received.from as Jid).full;
  return contacts.inTurn(to.bare, () =>
    andThen(ledger.entries(to.bare), (entries) => {
      if (entries.size === 0) return deliver(received);
      const changes = [...entries].flatMap(([resource, entry]) => {
        const isMeant = resource === (to.resource ?? resource);
        return isMeant
          ? ledger.change(to.withResource(resource), entry, { directed: without(entry.directed, gone) })
          : [];
      });
      return [...changes, ...deliver(received)];
    }),
  );
};

// ── Received ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** To all available resources, or to the one it names, available or not (§8.5.2.1.2, §8.5.3.1). */
const deliver = (received: Presence): Effects => {
  const to = received.to as Jid;
  return [to.isFull ? toSession(to.full as FullJid, received) : toOwnSessions(to.bare, received, "available")];
};

/** §4.3.2, §4.6.6. */
const answerProbe = (options: PresenceOptions, asked: Presence, context: Context): Eventually<Effects> => {
  const { bare: account } = asked.to as Jid;
  const prober = asked.from as Jid;
  // What is looked up last is whether the prober may know.
  return andThen(context.available(account), (resources) =>
    andThen(options.contacts.subscriptionOf(account, prober.bare), (subscription) =>
      prober.bare === account || isFrom(subscription)
        ? answerSubscriber(options, asked, resources)
        : andThen(options.ledger.entries(account), (entries) => answerStranger(asked, entries)),
    ),
  );
};

const answerSubscriber = (
  { lastAvailable = () => undefined }: PresenceOptions,
  asked: Presence,
  resources: readonly AvailableResource[],
): Eventually<Effects> => {
  const to = asked.to as Jid;
  if (to.isFull)
    return [
      route(
        mere(
          resources.find(({ jid }) => jid.equals(to)),
          asked,
        ),
      ),
    ];
  if (resources.length > 0)
    return resources.map(({ jid, presence: last }) => route(readdressed(last, jid, asked.from)));
  return andThen(lastAvailable(to.bare), (moment) => [route(absence(asked, moment))]);
};

/** One who got directed presence may know of the resources that sent it. To anybody else there is nothing, whether there is an account or not. */
const answerStranger = (asked: Presence, entries: ReadonlyMap<string, LedgerEntry>): Effects => {
  const to = asked.to as Jid;
  const from = asked.from as Jid;
  const directed = [...entries].filter(
    ([name, entry]) => name === (to.resource ?? name) && entry.directed.includes(from.full),
  );
  if (directed.length > 0) return directed.map(([name]) => route(presence({ from: to.withResource(name), to: from })));
  return [route(presence({ type: "unsubscribed", from: to.toBare(), to: from.toBare(), id: idOf(asked) }))];
};

/** Nothing but whether the resource is there. The id is that of its presence, or else of the probe (§4.3.2.1). */
const mere = (resource: AvailableResource | undefined, asked: Presence): Presence =>
  resource === undefined
    ? presence({ type: "unavailable", from: asked.to, to: asked.from, id: idOf(asked) })
    : presence({ from: asked.to, to: asked.from, id: idOf(resource.presence) });

/** No resource is there (§4.3.2 rule 3). */
const absence = (asked: Presence, moment: number | undefined): Presence =>
  presence(
    { type: "unavailable", from: asked.to, to: asked.from, id: idOf(asked) },
    moment === undefined ? [] : [Delay.build({ stamp: moment })],
  );

/** §8.5.3.1: a request reaches a resource only from those that may know that it is there. */
const mayAsk = (
  { contacts, ledger }: PresenceOptions,
  request: Iq,
  { jid: self }: SessionView,
): Eventually<boolean> => {
  const asking = request.from;
  if (asking === undefined || asking.bare === self.bare || (asking.isDomain && asking.domain === self.domain))
    return true;
  return andThen(contacts.subscriptionOf(self.bare, asking.bare), (subscription) => {
    if (isFrom(subscription)) return true;
    // What occupants of a room ask comes from other addresses than the one that was told, but from the same room.
    return andThen(ledger.entry(self), ({ directed }) =>
      directed.some((target) => storedJid(target)?.bare === asking.bare),
    );
  });
};
