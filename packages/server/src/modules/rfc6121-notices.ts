/** Presence that a server makes for an account about its own resources (RFC 6121 §3). Not a module. */
import { type BareJid, isFrom, isTo, type Jid, parseJid, presence, readdressed } from "@kith/protocol";
import { type AvailableResource, type Context, type Effect, route } from "../module.ts";
import type { StoredItem } from "./rfc6121-contacts.ts";

/** The current presence of each resource, to somebody who may see it from now on (§3.1.5). */
export const showPresence = (resources: readonly AvailableResource[], to: Jid): readonly Effect[] =>
  resources.map(({ jid, presence: current }) => route(readdressed(current, jid, to)));

/** Unavailable presence of each resource, to somebody who may not see it any more (§3.2.2, §3.3.3). */
export const hidePresence = (resources: readonly AvailableResource[], to: Jid, context: Context): readonly Effect[] =>
  resources.map(({ jid }) => route(presence({ type: "unavailable", from: jid, to, id: context.newId() })));

/** Ends what there is between an account and a contact, both ways (§2.5.2), a request under way included. */
export const partWith = (
  account: BareJid,
  contact: Jid,
  item: StoredItem,
  resources: readonly AvailableResource[],
  context: Context,
): readonly Effect[] => {
  const from = parseJid(account);
  const to = contact.toBare();
  const effects: Effect[] = [];
  if (isFrom(item.subscription)) {
    effects.push(...hidePresence(resources, to, context));
    effects.push(route(presence({ type: "unsubscribed", from, to, id: context.newId() })));
  }
  if (isTo(item.subscription) || item.ask)
    effects.push(route(presence({ type: "unsubscribe", from, to, id: context.newId() })));
  return effects;
};
