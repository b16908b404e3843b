/** XEP-0308: a message that takes the place of an earlier one. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { idOf, type Message } from "./stanza.ts";
import { find, hasChild } from "./stanza-children.ts";
import { element } from "./xml/element.ts";

export const NS_CORRECTION = "urn:xmpp:message-correct:0";

/** `<replace/>` (§3): the id of the message as it was first sent, however often it has been corrected since. */
export const Correction = payload<string, "message">({
  ns: NS_CORRECTION,
  name: "replace",
  places: ["message"],
  parse: ({ attributes: { id } }) => {
    if (!id) throw new StanzaError("bad-request", { text: "which message is corrected?" });
    return id;
  },
  build: (id) => element(NS_CORRECTION, "replace", { id }),
});

/** Who a message's sender is: an account, whichever client of it; or an occupant of a room, also where it writes to another in private. */
export type SenderScope = "account" | "occupant";

/** Are both from the same sender (§4; XEP-0424 §5)? Whether an occupant is still who it was, only the room's presence tells. */
export const haveSameSender = (one: Message, other: Message, scope: SenderScope): boolean => {
  if (one.from === undefined || other.from === undefined || one.type === "error" || other.type === "error")
    return false;
  return scope === "account" ? one.from.bare === other.from.bare : one.from.full === other.from.full;
};

/** May `correction` take the place of `original` (§4)? A correction corrects the first message, never another correction. */
export const mayCorrect = (original: Message, correction: Message, scope: SenderScope): boolean => {
  if (!haveSameSender(original, correction, scope) || original.type !== correction.type) return false;
  const id = idOf(original);
  return id !== undefined && !hasChild(original, NS_CORRECTION, "replace") && find(correction, Correction) === id;
};
