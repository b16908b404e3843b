/** XEP-0184: a message has arrived at a client. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { idOf, type Message, message } from "./stanza.ts";
import { hasChild } from "./stanza-children.ts";
import { type Element, element } from "./xml/element.ts";

export const NS_RECEIPTS = "urn:xmpp:receipts";

/** `<request/>` (§7): what asks for a receipt. The message needs an id. */
export const receiptRequest: Element = element(NS_RECEIPTS, "request");

/** `<received/>` (§7): the id of the message that has arrived. */
export const Receipt = payload<string, "message">({
  ns: NS_RECEIPTS,
  name: "received",
  places: ["message"],
  parse: ({ attributes: { id } }) => {
    if (!id) throw new StanzaError("bad-request", { text: "a receipt says for which message" });
    return id;
  },
  build: (id) => element(NS_RECEIPTS, "received", { id }),
});

/**
 * The receipt a message asks for; `undefined` where it asks for none, or has no id to name it by. A receipt that itself asks for one gets
 * none (§5.4). Whether its sender may know that somebody is there is for the caller to see (§8).
 */
export const receiptFor = (received: Message): Message | undefined => {
  const id = idOf(received);
  const { type, from } = received;
  if (!id || type === "error" || from === undefined) return undefined;
  if (!hasChild(received, NS_RECEIPTS, "request") || hasChild(received, NS_RECEIPTS, "received")) return undefined;
  // In a room, everybody is told: the occupant could not be (§7).
  const to = type === "groupchat" ? from.toBare() : from;
  return message({ type, to }, [Receipt.build(id)]);
};
