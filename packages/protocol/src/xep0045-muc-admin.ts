/** XEP-0045 §8, §9, §10.3 to §10.8: roles and affiliations asked for and changed. */
import { StanzaError } from "./errors.ts";
import type { Jid } from "./jid.ts";
import { payload } from "./payload.ts";
import { buildItem, type MucItem, parseItem } from "./xep0045-muc-user.ts";
import type { Affiliation, Role } from "./xep0045-privileges.ts";
import { childrenOf, type Element, element } from "./xml/element.ts";

export const NS_MUC_ADMIN = "http://jabber.org/protocol/muc#admin";

/** Whom a list is wanted of. */
export type ListRequest =
  | { readonly of: "role"; readonly role: Role }
  | { readonly of: "affiliation"; readonly affiliation: Affiliation };

/** What shall become of an occupant, or of an account. Never both in one item (§17.4). */
export type Change =
  | {
      readonly of: "role";
      readonly nick: string;
      readonly role: Role;
      readonly reason: string | undefined;
    }
  | {
      readonly of: "affiliation";
      /** As it was sent: perhaps full, of which only the bare JID counts (§10.3). */
      readonly jid: Jid;
      readonly affiliation: Affiliation;
      /** The nickname that is to be reserved; `""`: no longer any (§9.5). */
      readonly nick: string | undefined;
      readonly reason: string | undefined;
    };

/** More at once is nobody's list, but an attempt to keep a room busy. */
export const MAX_CHANGES = 1_000;

/** Asks for a list (§8.5, §9.2, §9.5, §9.8, §10.5, §10.8). Throws StanzaError "bad-request" unless it is exactly one. */
export const AdminGet = payload<ListRequest, "iq-get">({
  ns: NS_MUC_ADMIN,
  name: "query",
  places: ["iq-get"],
  parse: (query) => {
    const [item, ...others] = childrenOf(query, "item").map(parseItem);
    if (item === undefined || others.length > 0) return refuse("one list at a time");
    const { role, affiliation } = item;
    if (role !== undefined && affiliation === undefined) return { of: "role", role };
    if (affiliation !== undefined && role === undefined) return { of: "affiliation", affiliation };
    return refuse("a list is of one role or one affiliation");
  },
  build: (request) => query([request.of === "role" ? { role: request.role } : { affiliation: request.affiliation }]),
});

/**
 * Changes roles by nickname and affiliations by address. Throws StanzaError "bad-request" where an item is of both or neither (§17.4),
 * or does not say whom it concerns, and "policy-violation" for more than `MAX_CHANGES` items.
 */
export const AdminSet = payload<readonly Change[], "iq-set">({
  ns: NS_MUC_ADMIN,
  name: "query",
  places: ["iq-set"],
  parse: (set) => {
    const items = childrenOf(set, "item");
    if (items.length === 0) return refuse("nothing to change");
    if (items.length > MAX_CHANGES) throw new StanzaError("policy-violation", { text: "too many changes at once" });
    return items.map((item) => changeOf(parseItem(item)));
  },
  build: (changes) => query(changes.map(({ of: _, ...item }) => item)),
});

/** A list as it is answered. */
export const AdminResult = payload<readonly MucItem[], "iq-result">({
  ns: NS_MUC_ADMIN,
  name: "query",
  places: ["iq-result"],
  parse: (result) => childrenOf(result, "item").map(parseItem),
  build: (items) => query(items),
});

const query = (items: readonly MucItem[]): Element =>
  element(
    NS_MUC_ADMIN,
    "query",
    {},
    items.map((item) => buildItem(item, NS_MUC_ADMIN)),
  );

const changeOf = ({ role, affiliation, nick, jid, reason }: MucItem): Change => {
  if (role !== undefined && affiliation !== undefined) return refuse("either the role or the affiliation");
  if (role !== undefined) return { of: "role", nick: nick ?? refuse("whose role?"), role, reason };
  if (affiliation === undefined) return refuse("which role or affiliation?");
  return { of: "affiliation", jid: jid ?? refuse("whose affiliation?"), affiliation, nick, reason };
};

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};
