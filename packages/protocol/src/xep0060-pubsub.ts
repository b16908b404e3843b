/** XEP-0060, as much of it as is spoken so far: publishing an item. */
import { type DataForm, Form } from "./xep0004-data-forms.ts";
import { type Element, element } from "./xml/element.ts";

export const NS_PUBSUB = "http://jabber.org/protocol/pubsub";
/** The form of what a node has to be like for the item to be published, or, for XEP-0357, what the service asks for. */
export const NS_PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options";

export interface Publication {
  readonly node: string | undefined;
  /** The service gives one where there is none. */
  readonly itemId?: string | undefined;
  readonly payload: Element;
  readonly options?: DataForm | undefined;
}

/** `<pubsub/>` that publishes one item (§7.1). */
export const publishElement = ({ node, itemId, payload, options }: Publication): Element =>
  element(NS_PUBSUB, "pubsub", {}, [
    element(NS_PUBSUB, "publish", { node }, [element(NS_PUBSUB, "item", { id: itemId }, [payload])]),
    options !== undefined && element(NS_PUBSUB, "publish-options", {}, [Form.build(options)]),
  ]);
