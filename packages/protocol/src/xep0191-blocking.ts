/** XEP-0191: addresses that an account wants nothing to do with. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { childrenOf, type Element, element, elementsOf } from "./xml/element.ts";

export const NS_BLOCKING = "urn:xmpp:blocking";
export const NS_BLOCKING_ERRORS = "urn:xmpp:blocking:errors";

/** The blocked addresses; none in a request (§3.2). */
export const Blocklist = payload({
  ns: NS_BLOCKING,
  name: "blocklist",
  places: ["iq-get", "iq-result"],
  parse: (list): readonly Jid[] => itemsOf(list),
  build: (blocked) => withItems("blocklist", blocked),
});

/** Addresses to block, at least one (§3.3); also what other sessions are told of. */
export const Block = payload({
  ns: NS_BLOCKING,
  name: "block",
  places: ["iq-set"],
  parse: (block): readonly Jid[] => {
    const items = itemsOf(block);
    if (items.length === 0) throw new StanzaError("bad-request", { text: "whom to block?" });
    return items;
  },
  build: (blocked) => withItems("block", blocked),
});

/** Addresses to unblock; none: all of them (§3.4, §3.5). */
export const Unblock = payload({
  ns: NS_BLOCKING,
  name: "unblock",
  places: ["iq-set"],
  parse: (unblock): readonly Jid[] => {
    const items = itemsOf(unblock);
    // What is not understood must not turn into "unblock all".
    if (items.length === 0 && elementsOf(unblock).length > 0)
      throw new StanzaError("bad-request", { text: "whom to unblock?" });
    return items;
  },
  build: (unblocked) => withItems("unblock", unblocked),
});

/** Why a stanza to a blocked address was refused (§3.3). */
export const blockedCondition: Element = element(NS_BLOCKING_ERRORS, "blocked");

const itemsOf = (parent: Element): readonly Jid[] =>
  childrenOf(parent, "item").map(({ attributes: { jid } }) => {
    if (jid === undefined) throw new StanzaError("bad-request", { text: 'an item needs "jid"' });
    return parseJid(jid);
  });

const withItems = (name: string, jids: readonly Jid[]): Element =>
  element(
    NS_BLOCKING,
    name,
    {},
    jids.map((jid) => element(NS_BLOCKING, "item", { jid: jid.full })),
  );
