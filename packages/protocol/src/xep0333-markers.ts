/** XEP-0333: up to here a conversation has been displayed. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import type { Message } from "./stanza.ts";
import { hasChild } from "./stanza-children.ts";
import { type Element, element } from "./xml/element.ts";

export const NS_MARKERS = "urn:xmpp:chat-markers:0";

/** `<markable/>` (§4.1): the sender would like to know. The message needs an id. */
export const markable: Element = element(NS_MARKERS, "markable");

/** Does the sender want to know that this has been displayed? A marker never asks for one (§4.2). */
export const isMarkable = (message: Message): boolean =>
  message.type !== "error" && hasChild(message, NS_MARKERS, "markable") && !hasChild(message, NS_MARKERS, "displayed");

/**
 * `<displayed/>` (§4.2): the id of the latest message that was displayed: the one its sender gave it, or in a room that gives ids
 * (XEP-0359) the room's (§4.3).
 */
export const DisplayedMarker = payload<string, "message">({
  ns: NS_MARKERS,
  name: "displayed",
  places: ["message"],
  parse: ({ attributes: { id } }) => {
    if (!id) throw new StanzaError("bad-request", { text: "a marker says up to which message" });
    return id;
  },
  build: (id) => element(NS_MARKERS, "displayed", { id }),
});
