/** RFC 6121 §2: managing the roster. */
import {
  andThen,
  type BareJid,
  detached,
  type Eventually,
  type FullJid,
  type Jid,
  NS_ROSTER,
  parseJid,
  presence,
  RosterGet,
  RosterResult,
  RosterSet,
  type RosterSetting,
  rosterVersioningFeature,
  StanzaError,
  toBytes,
  together,
} from "@kith/protocol";
import {
  type Answer,
  type Context,
  type Effect,
  type Effects,
  type Module,
  onGet,
  onSet,
  route,
  toSession,
} from "../module.ts";
import { type Contacts, NEW_ITEM, type StoredItem, storedJid } from "./rfc6121-contacts.ts";
import { partWith } from "./rfc6121-notices.ts";

export interface RosterLimits {
  /** Items of a roster. */
  readonly items: number;
  /** Groups of an item. */
  readonly groups: number;
  /** Bytes of a handle or of a group's name (§2.3.3). */
  readonly nameBytes: number;
  /** Characters of a roster, all addresses, handles and groups: it is sent in one piece. */
  readonly characters: number;
}
export const ROSTER_LIMITS: RosterLimits = { items: 2_000, groups: 50, nameBytes: 1_023, characters: 1_000_000 };

export interface RosterOptions {
  readonly contacts: Contacts;
  readonly limits?: RosterLimits;
}

/** Gives the roster to the account's own resources, changes it, and tells those that are interested (§2.2). */
export const roster = (options: RosterOptions): Module => ({
  name: "roster",
  xeps: [{ xep: "RFC 6121" }],
  features: [NS_ROSTER],
  streamFeatures: { authenticated: () => [rosterVersioningFeature] },
  iq: [
    onGet(RosterGet, ["own-account"], ({ ver }, { at, from }, context) => give(options, at.bare, from, ver, context)),
    onSet(RosterSet, ["own-account", "account"], (change, { at, addressee }, context) => {
      if (addressee !== "own-account") throw new StanzaError("forbidden");
      return "remove" in change
        ? remove(options, at.bare, change.remove, context)
        : set(options, at.bare, change.set, context);
    }),
  ],
  accountRemoved: (account, context) => partWithAll(options, account, context),
});

/** §2.1.3, §2.2, §2.6.3: from now on the resource is an interested one. */
const give = (
  { contacts }: RosterOptions,
  account: BareJid,
  asking: Jid,
  ver: string | undefined,
  context: Context,
): Eventually<Answer> => {
  const session = asking.full as FullJid;
  const before: Effects = [{ do: "mark", session, mark: "roster", on: true }];
  return contacts.inTurn(account, () => {
    const changes = ver === undefined ? undefined : contacts.changesSince(account, ver, context);
    return andThen(together(contacts.roster(account), changes), ([whole, pushes]): Answer => {
      if (pushes === undefined) return { before, result: [RosterResult.build(whole)] };
      return { before, after: pushes.map((push) => toSession(session, push)) };
    });
  });
};

/** §2.3, §2.4: the item is from now on exactly as it was given; its subscription is not the client's to set. */
const set = (
  { contacts, limits = ROSTER_LIMITS }: RosterOptions,
  account: BareJid,
  { jid, name, groups }: RosterSetting,
  context: Context,
): Eventually<Answer> => {
  if (jid.bare === account) throw new StanzaError("not-allowed", { text: "an account is no contact of its own" });
  checkLengths(name, groups, limits);
  return contacts.inTurn(account, () =>
    andThen(together(contacts.item(account, jid.full), contacts.items(account)), ([was, items]) => {
      if (was === undefined && items.size >= limits.items)
        throw new StanzaError("policy-violation", { text: "the roster is full" });
      const item = { ...(was ?? NEW_ITEM), name: detached(name), groups: groups.map(detached) };
      if (lengthWith(items, jid.full, item) > limits.characters)
        throw new StanzaError("policy-violation", { text: "the roster is too long" });
      return andThen(
        contacts.revise(account, jid, item, context),
        ({ writes, push }): Answer => ({ before: writes, after: [push] }),
      );
    }),
  );
};

/** §2.5: with the item go the subscriptions. A request of the contact's that waits for the user goes on waiting. */
const remove = ({ contacts }: RosterOptions, account: BareJid, jid: Jid, context: Context): Eventually<Answer> =>
  contacts.inTurn(account, () =>
    andThen(context.available(account), (resources) =>
      andThen(contacts.item(account, jid.full), (item) => {
        if (item === undefined) throw new StanzaError("item-not-found");
        return andThen(
          contacts.revise(account, jid, undefined, context),
          ({ writes, push }): Answer => ({
            before: writes,
            after: [push, ...partWith(account, jid, item, resources, context)],
          }),
        );
      }),
    ),
  );

/** The account is going: all its subscriptions end, and whoever still waits for an answer gets the last one there can be. */
const partWithAll = ({ contacts }: RosterOptions, account: BareJid, context: Context): Eventually<Effects> =>
  andThen(
    together(contacts.items(account), contacts.requests(account), context.available(account)),
    ([items, requests, resources]) => {
      const effects: Effect[] = [];
      for (const [address, item] of items) {
        const contact = storedJid(address);
        if (contact !== undefined) effects.push(...partWith(account, contact, item, resources, context));
      }
      const from = parseJid(account);
      for (const address of requests.keys()) {
        effects.push(route(presence({ type: "unsubscribed", from, to: storedJid(address), id: context.newId() })));
      }
      return effects;
    },
  );

type Named = Pick<StoredItem, "name" | "groups">;

/** Characters of a roster with this item in it. */
const lengthWith = (items: ReadonlyMap<string, Named>, address: string, item: Named): number => {
  let length = lengthOf(address, item);
  for (const [other, kept] of items) if (other !== address) length += lengthOf(other, kept);
  return length;
};
const lengthOf = (address: string, { name, groups }: Named): number => {
  let length = address.length + name.length;
  for (const group of groups) length += group.length;
  return length;
};

const checkLengths = (name: string, groups: readonly string[], { groups: most, nameBytes }: RosterLimits): void => {
  if (groups.length > most) throw new StanzaError("not-acceptable", { text: `an item has at most ${most} groups` });
  for (const text of [name, ...groups]) {
    if (text.length > nameBytes || toBytes(text).length > nameBytes) {
      throw new StanzaError("not-acceptable", { text: `a name has at most ${nameBytes} bytes` });
    }
  }
};
