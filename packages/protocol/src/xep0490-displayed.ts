/** XEP-0490: up to where an account has displayed its conversations, for its own clients. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import type { Message } from "./stanza.ts";
import { childNamed, hasChild, withoutChildren } from "./stanza-children.ts";
import { type DataForm, standardForm } from "./xep0004-data-forms.ts";
import { NS_PUBLISH_OPTIONS } from "./xep0060-pubsub.ts";
import { type GivenStanzaId, NS_STANZA_IDS, StanzaId } from "./xep0359-stanza-ids.ts";
import { childrenOf, type Element, element } from "./xml/element.ts";
import { isChild } from "./xml/raw.ts";

/** Also the name of the node (§4.1). */
export const NS_DISPLAYED = "urn:xmpp:mds:displayed:0";
/** The server publishes for its clients (§4.5.2). */
export const DISPLAYED_SERVER_ASSIST = "urn:xmpp:mds:server-assist:0";

/** `<displayed/>` (§4.1): the id of the latest message that was displayed, and who gave it: the account's server, or the room. */
export const Displayed = payload<GivenStanzaId, "message" | "iq-set" | "iq-result">({
  ns: NS_DISPLAYED,
  name: "displayed",
  places: ["message", "iq-set", "iq-result"],
  parse: (displayed) => {
    const [stanzaId, ...more] = childrenOf(displayed, "stanza-id", NS_STANZA_IDS);
    if (stanzaId === undefined || more.length > 0)
      throw new StanzaError("bad-request", { text: "one stanza-id says up to where" });
    return StanzaId.parse(stanzaId);
  },
  build: (stanzaId) => element(NS_DISPLAYED, "displayed", {}, [StanzaId.build(stanzaId)]),
});

/** How the node has to be: for the account alone, with an item for each conversation (§4.2, §7). */
export const displayedPublishOptions: DataForm = standardForm("submit", NS_PUBLISH_OPTIONS, {
  "pubsub#persist_items": ["true"],
  "pubsub#max_items": ["max"],
  "pubsub#send_last_published_item": ["never"],
  "pubsub#access_model": ["whitelist"],
});

/** What a client has its server publish by the way (§4.5.3). */
export interface AssistedDisplay {
  /** The message as it goes on. */
  readonly message: Message;
  /** The id of the item to publish: the conversation. */
  readonly item: string;
  /** Its payload; not judged (§5.2). */
  readonly displayed: Element;
}

/** `undefined` where the message asks for nothing of the kind. */
export const assistedDisplay = (sent: Message): AssistedDisplay | undefined => {
  const displayed = childNamed(sent, NS_DISPLAYED, "displayed");
  // Without an address it is for the sender's own account (RFC 6120 §10.3.1).
  const item = sent.to?.full ?? sent.from?.bare;
  return displayed === undefined || item === undefined
    ? undefined
    : { message: withoutDisplayed(sent), item, displayed };
};

/** The message without what is for the sender's own server alone (§7). */
export const withoutDisplayed = (sent: Message): Message =>
  hasChild(sent, NS_DISPLAYED, "displayed")
    ? withoutChildren(sent, (at) => isChild(sent, at, NS_DISPLAYED, "displayed"))
    : sent;
