/**
 * What is kept of an account's contacts (RFC 6121 §2, Appendix A): roster items, the version of the roster, and the
 * subscription requests that wait for the user. Not a module: it is handed to those that need it.
 */
import {
  andThen,
  type BareJid,
  type Bytes,
  detached,
  type Eventually,
  escapeAttribute,
  type Iq,
  iq,
  isFrom,
  isPromise,
  type Jid,
  jidOfBytes,
  partsOf,
  type Relation,
  type RosterItem,
  RosterPush,
  type Subscription,
  stateOf,
  together,
} from "@kith/protocol";
import { type Context, type Effect, toOwnSessions, write } from "../module.ts";
import type { Collection, Store } from "../store/store.ts";

export interface StoredItem {
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
  readonly ask: boolean;
  readonly approved: boolean;
  /** The roster's version that this item came with. */
  readonly version: number;
  /** The request that a remote contact has yet to answer, where it says more than "subscribe"; not shown to anybody. */
  readonly request?: Bytes | undefined;
}

/** A roster's version: which of the account's rosters (an address may be registered again), and how often it changed. */
export interface StoredVersion {
  readonly epoch: string;
  readonly version: number;
  /** What was removed lately, and when. */
  readonly removed: readonly (readonly [jid: string, version: number])[];
  /** Removals up to this version are forgotten. */
  readonly forgotten: number;
}

/** A subscription request from somebody (§3.1.3 rule 4). */
export interface StoredRequest {
  readonly stanza: Bytes;
}

/** All that is known of a contact. */
export interface Contact {
  readonly item: StoredItem | undefined;
  readonly request: StoredRequest | undefined;
}

/** A change of the roster: what is stored, and what interested resources are told (§2.1.6). */
export interface RosterRevision {
  readonly writes: readonly Effect[];
  readonly push: Effect;
}

/** A change of state: the roster may show it, or not. */
export interface RelationChange {
  readonly writes: readonly Effect[];
  readonly pushes: readonly Effect[];
}

type ItemFields = Omit<StoredItem, "version">;
export const NEW_ITEM: ItemFields = { name: "", groups: [], subscription: "none", ask: false, approved: false };

/** Removals that are remembered for clients that come back with an old version. */
const REMEMBERED_REMOVALS = 64;
const VERSION = "version";
const NO_VERSION = "0";
const VER = /^(\d{1,15})-(.*)$/s;

export class Contacts {
  readonly #items: Collection<StoredItem>;
  readonly #versions: Collection<StoredVersion>;
  readonly #requests: Collection<StoredRequest>;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(store: Pick<Store, "collection">) {
    this.#items = store.collection("roster");
    this.#versions = store.collection("roster-version");
    this.#requests = store.collection("subscription-requests");
  }

  // ── Questions ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every item, by address. */
  items(account: BareJid): Eventually<ReadonlyMap<string, StoredItem>> {
    return this.#items.all(account);
  }

  item(account: BareJid, contact: string): Eventually<StoredItem | undefined> {
    return this.#items.get(account, contact);
  }

  contact(account: BareJid, contact: BareJid): Eventually<Contact> {
    const found = together(this.#items.get(account, contact), this.#requests.get(account, contact));
    return andThen(found, ([item, request]) => ({ item, request }));
  }

  /** Subscription requests that the user has not answered yet, by the address they come from. */
  requests(account: BareJid): Eventually<ReadonlyMap<string, StoredRequest>> {
    return this.#requests.all(account);
  }

  /** Who of the two is subscribed to whose presence, from the account's point of view. */
  subscriptionOf(account: BareJid, contact: BareJid): Eventually<Subscription> {
    return andThen(this.#items.get(account, contact), (item) => item?.subscription ?? "none");
  }

  /** The contacts that are subscribed to the account's presence: those with "from" or "both". */
  subscribersOf(account: BareJid): Eventually<readonly Jid[]> {
    return andThen(this.#items.all(account), (items) =>
      contactsWith(items, ({ subscription }) => isFrom(subscription)),
    );
  }

  /** The roster as a whole, with its version. */
  roster(account: BareJid): Eventually<{ readonly ver: string; readonly items: readonly RosterItem[] }> {
    return andThen(together(this.#items.all(account), this.#versions.get(account, VERSION)), ([items, version]) => ({
      ver: verOf(version),
      items: rosterItems(items),
    }));
  }

  /**
   * What has changed since a version, as roster pushes in order of change (§2.6.3); `undefined` where that is not known,
   * or where sending the roster as a whole takes less.
   */
  changesSince(account: BareJid, ver: string, context: Context): Eventually<readonly Iq[] | undefined> {
    return andThen(together(this.#items.all(account), this.#versions.get(account, VERSION)), ([items, version]) => {
      if (version === undefined) return ver === NO_VERSION ? [] : undefined;
      const [, number, epoch] = VER.exec(ver) ?? [];
      const since = Number(number);
      if (epoch !== version.epoch || since > version.version || since < version.forgotten) return undefined;
      const changes = changesAfter(since, items, version);
      return changes.length > Math.ceil(items.size / 2) ? undefined : changes.map(({ push }) => push(context.newId()));
    });
  }

  // ── Changes ────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs a step that reads and then changes what is kept of an account. Where one has to wait, the next begins only when
   * its effects are being carried out: whoever calls this returns the very promise, with the writes first among its effects.
   */
  inTurn<T>(account: BareJid, step: () => Eventually<T>): Eventually<T> {
    const before = this.#underWay.get(account);
    const result = before === undefined ? step() : before.then(step, step);
    if (!isPromise(result)) return result;
    const done = (): void => {
      if (this.#underWay.get(account) === result) this.#underWay.delete(account);
    };
    this.#underWay.set(account, result);
    result.then(done, done);
    return result;
  }

  /** Puts an item in the roster, as it is to be from now on, or takes it out (`undefined`). */
  revise(account: BareJid, jid: Jid, item: ItemFields | undefined, context: Context): Eventually<RosterRevision> {
    return andThen(this.#versions.get(account, VERSION), (before) => {
      const next = nextVersion(before, jid.full, item === undefined, context);
      const kept = item === undefined ? undefined : { ...item, version: next.version };
      const change =
        kept === undefined ? this.#items.delete(account, jid.full) : this.#items.put(account, jid.full, kept);
      const push = pushOf(jid, kept, verOf(next), context.newId());
      return {
        writes: [write(change), write(this.#versions.put(account, VERSION, next))],
        push: toOwnSessions(account, push, { marked: "roster" }),
      };
    });
  }

  /**
   * Brings what is kept of a contact in line with a new state (Appendix A): effects only for what really changes. `request`:
   * what has just been asked of the contact, to be asked again if it stays without answer.
   */
  relate(
    account: BareJid,
    jid: Jid,
    known: Contact,
    next: Relation,
    context: Context,
    request?: Bytes,
  ): Eventually<RelationChange> {
    const { subscription, ask, pendingIn } = partsOf(next.state);
    const settled = known.request !== undefined && !pendingIn ? [write(this.#requests.delete(account, jid.full))] : [];
    const was = known.item ?? NEW_ITEM;
    const { approved } = next;
    if (was.subscription === subscription && was.ask === ask && was.approved === approved)
      return { writes: settled, pushes: [] };
    const item = { ...was, subscription, ask, approved, request: ask ? (request ?? was.request) : undefined };
    return andThen(this.revise(account, jid, item, context), ({ writes, push }) => ({
      writes: [...settled, ...writes],
      pushes: [push],
    }));
  }

  keepRequest(account: BareJid, from: BareJid, stanza: Bytes): Effect {
    return write(this.#requests.put(account, from, { stanza: detached(stanza) }));
  }
}

/** Where a user and a contact stand (A.1). */
export const relationOf = ({ item, request }: Contact): Relation => {
  const { subscription, ask, approved } = item ?? NEW_ITEM;
  return { state: stateOf({ subscription, ask, pendingIn: request !== undefined }), approved };
};

/** The addresses of the items for which the test holds. */
export const contactsWith = (
  items: ReadonlyMap<string, StoredItem>,
  test: (item: StoredItem) => boolean,
): readonly Jid[] => {
  const found: Jid[] = [];
  for (const [address, item] of items) {
    const jid = test(item) ? storedJid(address) : undefined;
    if (jid !== undefined) found.push(jid);
  }
  return found;
};

/** An address that was stored prepared; costs one look-up if it was seen lately. */
export const storedJid = (address: string): Jid | undefined => jidOfBytes(escapeAttribute(address));

const rosterItems = (items: ReadonlyMap<string, StoredItem>): readonly RosterItem[] => {
  const roster: RosterItem[] = [];
  for (const [address, item] of items) {
    const jid = storedJid(address);
    if (jid !== undefined) roster.push(rosterItem(jid, item));
  }
  return roster;
};

const rosterItem = (jid: Jid, { name, groups, subscription, ask, approved }: StoredItem): RosterItem => ({
  jid,
  name,
  groups,
  subscription,
  ask,
  approved,
});

const verOf = (version: StoredVersion | undefined): string =>
  version === undefined ? NO_VERSION : `${version.version}-${version.epoch}`;

const pushOf = (jid: Jid, item: StoredItem | undefined, ver: string, id: string): Iq =>
  iq({ type: "set", id }, [
    RosterPush.build(item === undefined ? { ver, removed: jid } : { ver, set: rosterItem(jid, item) }),
  ]);

const nextVersion = (
  before: StoredVersion | undefined,
  address: string,
  isRemoved: boolean,
  context: Context,
): StoredVersion => {
  const { epoch, version, removed, forgotten } = before ?? {
    epoch: context.newId().slice(0, 8),
    version: 0,
    removed: [],
    forgotten: 0,
  };
  const others = removed.filter(([jid]) => jid !== address);
  if (!isRemoved) return { epoch, version: version + 1, removed: others, forgotten };
  const remembered = [...others, [address, version + 1] as const];
  const excess = remembered.length > REMEMBERED_REMOVALS ? remembered.shift() : undefined;
  return { epoch, version: version + 1, removed: remembered, forgotten: excess?.[1] ?? forgotten };
};

interface Change {
  readonly version: number;
  readonly push: (id: string) => Iq;
}

const changesAfter = (
  since: number,
  items: ReadonlyMap<string, StoredItem>,
  current: StoredVersion,
): readonly Change[] => {
  const changes: Change[] = [];
  const add = (address: string, version: number, item: StoredItem | undefined): void => {
    const jid = version > since ? storedJid(address) : undefined;
    if (jid !== undefined)
      changes.push({ version, push: (id) => pushOf(jid, item, verOf({ ...current, version }), id) });
  };
  for (const [address, item] of items) add(address, item.version, item);
  for (const [address, version] of current.removed) add(address, version, undefined);
  return changes.sort((a, b) => a.version - b.version);
};
