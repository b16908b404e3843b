/** XEP-0352: whether somebody is looking at a client, and what can wait until they do. */
import type { Bytes } from "./bytes.ts";
import type { Message, Presence, Stanza } from "./stanza.ts";
import { childNamed, hasChild } from "./stanza-children.ts";
import { isStandaloneChatState } from "./xep0085-chat-states.ts";
import { NS_RECEIPTS } from "./xep0184-receipts.ts";
import { readCarbon } from "./xep0280-carbons.ts";
import { NS_MARKERS } from "./xep0333-markers.ts";
import { childOf, childrenOf, type Element, element, elementsOf, NS_CONTENT } from "./xml/element.ts";
import type { RawElement } from "./xml/raw.ts";

export const NS_CSI = "urn:xmpp:csi:0";

/** The stream feature (§4.1). */
export const csiFeature: Element = element(NS_CSI, "csi");

/** A stream begins active, also one that is resumed (§4.2, §5.2). */
export type ClientState = "active" | "inactive";

/** `<active/>` and `<inactive/>` as a client sends them (§4.2). */
export const writeClientState = (state: ClientState): Bytes => `<${state} xmlns='${NS_CSI}'/>` as Bytes;

/** The state that a first-level element tells; `undefined` where it is another element. */
export const clientStateOf = ({ ns, name }: RawElement): ClientState | undefined =>
  ns === NS_CSI && (name === "active" || name === "inactive") ? name : undefined;

/**
 * May a stanza wait while nobody looks (§3.2)? `undefined`: no, and what waits leaves before it, in order. Otherwise what it tells: of two that
 * tell the same, the later makes the earlier needless, and stands where it came itself, not where that one stood.
 *
 * So wait: where somebody is available, chat states, what a node was published to, receipts and markers; and copies of these.
 */
export const deferrableAs = (stanza: Stanza): string | undefined => {
  if (stanza.kind === "message") return messageTells(stanza);
  return stanza.kind === "presence" ? presenceTells(stanza) : undefined;
};

const SELF_PRESENCE = "110";
const NS_MUC_USER = "http://jabber.org/protocol/muc#user";

/** Requests for subscription want somebody to decide; a client that enters a room waits for its own presence there. */
const presenceTells = (presence: Presence): string | undefined => {
  if (presence.type !== "available" && presence.type !== "unavailable") return undefined;
  const mark = childNamed(presence, NS_MUC_USER, "x");
  const isOwn =
    mark !== undefined && childrenOf(mark, "status").some(({ attributes }) => attributes.code === SELF_PRESENCE);
  return isOwn ? undefined : tells("presence", presence);
};

const messageTells = (message: Message): string | undefined => originalTells(message) ?? copyTells(message);

const originalTells = (message: Message): string | undefined => {
  if (message.type === "error" || hasChild(message, NS_CONTENT, "body")) return undefined;
  if (isStandaloneChatState(message)) return tells("state", message);
  return confirmationTells(message) ?? eventTells(message);
};

/** Who tells whom. */
const tells = (what: string, { from, to }: Stanza): string => `${what} ${from?.full ?? ""} ${to?.bare ?? ""}`;

/** Each of these is about a message of its own, so none takes another's place. */
const confirmationTells = (message: Message): string | undefined => {
  const receipt = childNamed(message, NS_RECEIPTS, "received");
  const confirmation = receipt ?? childNamed(message, NS_MARKERS, "displayed");
  if (confirmation === undefined) return undefined;
  return `${tells(confirmation.name, message)} ${confirmation.attributes.id ?? ""}`;
};

const NS_PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event";

/** The same items of the same node, published or retracted. What has no id but something to tell may be something else each time. */
const eventTells = (message: Message): string | undefined => {
  const event = childNamed(message, NS_PUBSUB_EVENT, "event");
  const items = event && childOf(event, "items");
  if (items === undefined) return undefined;
  const each = elementsOf(items);
  if (each.some(({ attributes, children }) => attributes.id === undefined && children.length > 0)) return undefined;
  const which = each.map(({ attributes: { id } }) => JSON.stringify(id ?? ""));
  return `${tells("items", message)} ${JSON.stringify(items.attributes.node ?? "")} ${which.join(" ")}`;
};

/** A copy can wait if the original could. Copies come from the account they go to. */
const copyTells = (message: Message): string | undefined => {
  const carbon = message.to === undefined ? undefined : readCarbon(message, message.to);
  const told = carbon === undefined ? undefined : originalTells(carbon.stanza);
  return told === undefined ? undefined : `${carbon?.direction} ${told}`;
};
