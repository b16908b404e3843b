/** RFC 6121 §2: the roster, as it is asked for, answered, changed and pushed. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid, prepareResourcepart, tryJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { childOf, childrenOf, type Element, element, textOf } from "./xml/element.ts";

export const NS_ROSTER = "jabber:iq:roster";
/** Stream features (§2.6.1, §3.4); both only inform. */
export const NS_ROSTER_VERSIONING = "urn:xmpp:features:rosterver";
export const NS_PRE_APPROVAL = "urn:xmpp:features:pre-approval";

export const rosterVersioningFeature: Element = element(NS_ROSTER_VERSIONING, "ver");
export const preApprovalFeature: Element = element(NS_PRE_APPROVAL, "sub");

/** §2.1.2.5: who is subscribed to whose presence, from the user's point of view. */
export type Subscription = "none" | "to" | "from" | "both";

/** A contact (§2.1.2). */
export interface RosterItem {
  readonly jid: Jid;
  /** The handle the user gave it; `""` for none, which means the same (§2.4.1). */
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
  /** A subscription request to the contact waits for an answer: `ask='subscribe'` (§2.1.2.2). */
  readonly ask: boolean;
  /** A subscription request from the contact is approved in advance (§3.4). */
  readonly approved: boolean;
}

/** A roster, or `items` of it. */
export interface RosterContent {
  /** `undefined`: the server does not keep versions. */
  readonly ver: string | undefined;
  readonly items: readonly RosterItem[];
}

/** What a client may say of an item (§2.1.5): everything else is the server's business and is ignored. */
export type RosterSetting = Pick<RosterItem, "jid" | "name" | "groups">;
export type RosterChange = { readonly set: RosterSetting } | { readonly remove: Jid };

/** What a server says of an item (§2.1.6). */
export type RosterNews =
  | { readonly ver: string | undefined; readonly set: RosterItem }
  | { readonly ver: string | undefined; readonly removed: Jid };

/** Roster get (§2.1.3). `ver`: the version the client has; `""`: none yet (§2.6.2); `undefined`: it does not care. */
export const RosterGet = payload({
  ns: NS_ROSTER,
  name: "query",
  places: ["iq-get"],
  parse: (query): { readonly ver: string | undefined } => {
    if (childOf(query, "item") !== undefined)
      throw new StanzaError("bad-request", { text: "a roster get has no items" });
    return { ver: query.attributes.ver };
  },
  build: ({ ver }) => element(NS_ROSTER, "query", { ver }),
});

/** Roster result (§2.1.4). What a client does not understand of an item it ignores; an item without an address it leaves out. */
export const RosterResult = payload({
  ns: NS_ROSTER,
  name: "query",
  places: ["iq-result"],
  parse: (query): RosterContent => ({
    ver: query.attributes.ver,
    items: childrenOf(query, "item").flatMap((item) => {
      const jid = tryJid(item.attributes.jid ?? "");
      return jid === undefined ? [] : [itemOf(item, jid)];
    }),
  }),
  build: ({ ver, items }) => element(NS_ROSTER, "query", { ver }, items.map(itemElement)),
});

/**
 * Roster set (§2.1.5, §2.3.3). Throws StanzaError: bad-request where there is not exactly one item, it has no address or
 * names a group twice; jid-malformed; not-acceptable for an empty group. Lengths are for the server to limit.
 */
export const RosterSet = payload({
  ns: NS_ROSTER,
  name: "query",
  places: ["iq-set"],
  parse: (query): RosterChange => {
    const item = onlyItem(query);
    const jid = addressOf(item);
    if (item.attributes.subscription === "remove") return { remove: jid };
    return { set: { jid, name: item.attributes.name ?? "", groups: groupsToSet(item) } };
  },
  build: (change) => {
    if ("remove" in change)
      return withItem(undefined, element(NS_ROSTER, "item", { jid: change.remove.full, subscription: "remove" }));
    const { jid, name, groups } = change.set;
    return withItem(
      undefined,
      element(NS_ROSTER, "item", { jid: jid.full, name: name === "" ? undefined : name }, groupElements(groups)),
    );
  },
});

/** Roster push (§2.1.6). Throws StanzaError "bad-request" or "jid-malformed". */
export const RosterPush = payload({
  ns: NS_ROSTER,
  name: "query",
  places: ["iq-set"],
  parse: (query): RosterNews => {
    const item = onlyItem(query);
    const jid = addressOf(item);
    const ver = query.attributes.ver;
    return item.attributes.subscription === "remove" ? { ver, removed: jid } : { ver, set: itemOf(item, jid) };
  },
  build: (news) =>
    "removed" in news
      ? withItem(news.ver, element(NS_ROSTER, "item", { jid: news.removed.full, subscription: "remove" }))
      : withItem(news.ver, itemElement(news.set)),
});

const withItem = (ver: string | undefined, item: Element): Element => element(NS_ROSTER, "query", { ver }, [item]);

const onlyItem = (query: Element): Element => {
  const [item, second] = childrenOf(query, "item");
  if (item === undefined || second !== undefined)
    throw new StanzaError("bad-request", { text: "exactly one item at a time" });
  return item;
};

const addressOf = (item: Element): Jid => {
  const { jid } = item.attributes;
  if (jid === undefined) throw new StanzaError("bad-request", { text: 'an item needs "jid"' });
  return parseJid(jid);
};

/** Groups are compared as resourceparts are (§2.3.3); one that cannot be a resourcepart is itself only. */
const groupsToSet = (item: Element): readonly string[] => {
  const groups = childrenOf(item, "group").map(textOf);
  const seen = new Set<string>();
  for (const group of groups) {
    if (group === "") throw new StanzaError("not-acceptable", { text: "a group needs a name" });
    const compared = prepareResourcepart(group) ?? group;
    if (seen.has(compared)) throw new StanzaError("bad-request", { text: "a group is named twice" });
    seen.add(compared);
  }
  return groups;
};

const SUBSCRIPTIONS: ReadonlySet<string> = new Set(["none", "to", "from", "both"] satisfies Subscription[]);

const itemOf = (item: Element, jid: Jid): RosterItem => {
  const { name = "", subscription = "none", ask, approved } = item.attributes;
  return {
    jid,
    name,
    groups: childrenOf(item, "group").map(textOf),
    subscription: SUBSCRIPTIONS.has(subscription) ? (subscription as Subscription) : "none",
    ask: ask === "subscribe",
    approved: approved === "true" || approved === "1",
  };
};

const itemElement = ({ jid, name, groups, subscription, ask, approved }: RosterItem): Element =>
  element(
    NS_ROSTER,
    "item",
    {
      approved: approved ? true : undefined,
      ask: ask ? "subscribe" : undefined,
      jid: jid.full,
      name: name === "" ? undefined : name,
      subscription,
    },
    groupElements(groups),
  );

const groupElements = (groups: readonly string[]): readonly Element[] =>
  groups.map((group) => element(NS_ROSTER, "group", {}, [group]));
