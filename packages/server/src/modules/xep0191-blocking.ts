import {
  andThen,
  type BareJid,
  Block,
  Blocklist,
  blockedCondition,
  type Element,
  type Eventually,
  type FullJid,
  iq,
  isFrom,
  isPromise,
  isTo,
  type Jid,
  NS_BLOCKING,
  parseJid,
  presence,
  readdressed,
  type Stanza,
  StanzaError,
  type Subscription,
  Unblock,
} from "@kith/protocol";
import {
  type Answer,
  type Context,
  type Effect,
  type Effects,
  type Module,
  onGet,
  onSet,
  type Request,
  route,
  toOwnSessions,
  type Verdict,
  write,
} from "../module.ts";
import type { Collection } from "../store/store.ts";

/** A blocked address; the address itself is the key. */
export interface StoredBlock {
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface BlockingOptions {
  readonly blocklists: Collection<StoredBlock>;
  /** An account's roster, by address. */
  readonly contactsOf: (account: BareJid) => Eventually<ReadonlyMap<string, { readonly subscription: Subscription }>>;
  /** Whom an account's sessions have sent directed presence that still stands (RFC 6121 §4.6), by their resources. */
  readonly directedBy: (account: BareJid) => Eventually<ReadonlyMap<string, { readonly directed: readonly string[] }>>;
  /** How many addresses an account may block. Default 1000. */
  readonly limit?: number;
}

export interface BlockingModule extends Module {
  /** Has the account blocked this address? For what the server sends by itself, which is then left out silently. */
  readonly isBlocked: (account: BareJid, jid: Jid) => Eventually<boolean>;
}

/**
 * XEP-0191: nothing passes between an account and the addresses it has blocked. Presence from them is dropped, messages
 * and requests are answered as if the account were offline, and the account itself is told why it cannot send.
 */
export const blocking = (options: BlockingOptions): BlockingModule => {
  const { blocklists } = options;
  return {
    name: "blocking",
    xeps: [{ xep: "XEP-0191", version: "1.3" }],
    features: [NS_BLOCKING],
    iq: [
      onGet(Blocklist, ["own-account"], (_, { at, from }) =>
        andThen(blocklists.all(at.bare), (list) => ({
          before: [{ do: "mark", session: from.full as FullJid, mark: "blocklist", on: true }],
          result: [Blocklist.build([...list.keys()].map(parseJid))],
        })),
      ),
      onSet(Block, ["own-account"], (items, request, context) => block(options, distinct(items), request, context)),
      onSet(Unblock, ["own-account"], (items, request, context) => unblock(options, distinct(items), request, context)),
    ],
    receiving: {
      guard: (stanza) => {
        const { from, to } = stanza;
        if (from === undefined || to === undefined) return undefined;
        const list = blocklists.all(to.bare);
        if (isPromise(list)) return list.then((settled) => inbound(settled, to.bare, from, stanza));
        return list.size === 0 ? undefined : inbound(list, to.bare, from, stanza);
      },
    },
    sending: {
      guard: (stanza) => {
        const { from, to } = stanza;
        if (from === undefined || to === undefined) return undefined;
        const list = blocklists.all(from.bare);
        if (isPromise(list)) return list.then((settled) => outbound(settled, from.bare, to, stanza));
        return list.size === 0 ? undefined : outbound(list, from.bare, to, stanza);
      },
    },
    isBlocked: (account, jid) => andThen(blocklists.all(account), (list) => blocks(list, account, jid)),
  };
};

/** Blocked addresses, as they are written. */
interface Addresses {
  readonly size: number;
  readonly has: (address: string) => boolean;
}

/** §6: the address itself, its bare JID, or its domain is on the list. An account never blocks itself or its server. */
const blocks = (list: Addresses, account: BareJid, jid: Jid): boolean =>
  list.size > 0 && covers(list, jid) && !isOwn(account, jid);

const covers = (list: Addresses, jid: Jid): boolean => list.has(jid.full) || list.has(jid.bare) || list.has(jid.domain);

const isOwn = (account: BareJid, jid: Jid): boolean => jid.bare === account || account.endsWith(`@${jid.bare}`);

/** §3.3, what a blocked address sends. */
const inbound = (list: Addresses, account: BareJid, from: Jid, stanza: Stanza): Verdict => {
  if (!blocks(list, account, from)) return undefined;
  const { kind, type } = stanza;
  if (kind === "presence" || type === "error" || type === "result") return "drop";
  // A room that is sent an error makes its sender leave (XEP-0045 §11.1).
  if (type === "groupchat") return "drop";
  throw new StanzaError("service-unavailable");
};

/** §3.3, what is sent to a blocked address. */
const outbound = (list: Addresses, account: BareJid, to: Jid, { type }: Stanza): Verdict => {
  if (!blocks(list, account, to)) return undefined;
  if (type === "error" || type === "result") return "drop";
  throw new StanzaError("not-acceptable", { type: "cancel", extra: [blockedCondition] });
};

/** A change to a list. Concerned is whoever was not covered and now is, or the other way round. */
interface Change {
  readonly account: BareJid;
  readonly items: readonly Jid[];
  readonly isConcerned: (jid: Jid) => boolean;
}

/** §3.3. The list is changed before the result leaves; then others are told. */
const block = async (
  options: BlockingOptions,
  items: readonly Jid[],
  request: Request,
  context: Context,
): Promise<Answer> => {
  const { blocklists, limit = 1000 } = options;
  const account = request.at.bare;
  const before = new Set((await blocklists.all(account)).keys());
  const after = new Set([...before, ...items.map(({ full }) => full)]);
  if (after.size > limit)
    throw new StanzaError("policy-violation", { text: `at most ${limit} addresses can be blocked` });
  const added = items.filter(({ full }) => !before.has(full));
  const isConcerned = (jid: Jid): boolean => !blocks(before, account, jid) && blocks(after, account, jid);
  return {
    before: added.map(({ full }) => write(blocklists.put(account, full, { since: context.now() }))),
    after: [
      push(account, Block.build(items), context),
      ...(await hide(options, { account, items: added, isConcerned }, context)),
    ],
  };
};

/** §3.4, and §3.5 where `items` is empty. */
const unblock = async (
  options: BlockingOptions,
  items: readonly Jid[],
  request: Request,
  context: Context,
): Promise<Answer> => {
  const { blocklists } = options;
  const account = request.at.bare;
  const before = new Set((await blocklists.all(account)).keys());
  const removed = items.length === 0 ? [...before].map(parseJid) : items.filter(({ full }) => before.has(full));
  const after = new Set(before);
  for (const { full } of removed) after.delete(full);
  const isConcerned = (jid: Jid): boolean => blocks(before, account, jid) && !blocks(after, account, jid);
  return {
    before: removed.map(({ full }) => write(blocklists.delete(account, full))),
    after: [
      push(account, Unblock.build(items), context),
      ...(await show(options, { account, items: removed, isConcerned }, context)),
    ],
  };
};

/** What every session that has asked for the list is told, the one that changed it included (§3.3 to §3.5). */
const push = (account: BareJid, change: Element, context: Context): Effect =>
  toOwnSessions(account, iq({ type: "set", id: context.newId() }, [change]), { marked: "blocklist" });

/**
 * Whoever could see the account is told that it has gone (§3.3), and its own sessions that those they could see have
 * (§5 refers to XEP-0016, whose §2.10 says so): nothing from them will.
 */
const hide = async (options: BlockingOptions, change: Change, context: Context): Promise<Effects> => {
  const { account } = change;
  const resources = await context.available(account);
  const contacts = await concernedContacts(options, change);
  return [
    ...contacts.filter(seesUs).flatMap(({ jid }) => resources.map((own) => goodbye(own.jid, jid))),
    ...(await directedGoodbyes(options, change)),
    ...contacts
      .filter(isSeen)
      .map(({ jid }) => toOwnSessions(account, presence({ type: "unavailable", from: jid }), "available")),
  ];
};

/** Whoever may see the account is sent its presence (§3.4), and whom it may see is asked for theirs. */
const show = async (options: BlockingOptions, change: Change, context: Context): Promise<Effects> => {
  const { account } = change;
  const resources = await context.available(account);
  if (resources.length === 0) return [];
  const contacts = await concernedContacts(options, change);
  return [
    ...contacts
      .filter(seesUs)
      .flatMap(({ jid }) => resources.map((own) => route(readdressed(own.presence, own.jid, jid)))),
    ...contacts.filter(isSeen).map(({ jid }) => route(presence({ type: "probe", from: parseJid(account), to: jid }))),
  ];
};

const goodbye = (from: Jid, to: Jid): Effect => route(presence({ type: "unavailable", from, to }));

const directedGoodbyes = async ({ directedBy }: BlockingOptions, { account, isConcerned }: Change): Promise<Effects> =>
  [...(await directedBy(account))].flatMap(([resource, { directed }]) =>
    directed
      .map(parseJid)
      .filter(isConcerned)
      .map((to) => goodbye(parseJid(account).withResource(resource), to)),
  );

interface Contact {
  readonly jid: Jid;
  readonly subscription: Subscription;
}
const seesUs = ({ subscription }: Contact): boolean => isFrom(subscription);
const isSeen = ({ subscription }: Contact): boolean => isTo(subscription);

/** Contacts that a change concerns; where it concerns but one resource of a contact, that one. */
const concernedContacts = async (
  options: BlockingOptions,
  { account, items, isConcerned }: Change,
): Promise<readonly Contact[]> => {
  const roster = await options.contactsOf(account);
  const contacts = [...roster].map(([address, { subscription }]) => ({ jid: parseJid(address), subscription }));
  const resources = items
    .filter((item) => item.isFull && isConcerned(item) && !isConcerned(item.toBare()))
    .map((jid) => ({ jid, subscription: roster.get(jid.bare)?.subscription ?? "none" }));
  return [...contacts.filter(({ jid }) => isConcerned(jid)), ...resources];
};

const distinct = (jids: readonly Jid[]): readonly Jid[] => [...new Map(jids.map((jid) => [jid.full, jid])).values()];
