/** XEP-0357: a server tells push services that there is something to come for. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid, tryJid } from "./jid.ts";
import { payload } from "./payload.ts";
import type { Message } from "./stanza.ts";
import { childNamed } from "./stanza-children.ts";
import { type DataForm, Form, fieldValue, formTypeOf, NS_DATA_FORMS, standardForm } from "./xep0004-data-forms.ts";
import { NS_PUBLISH_OPTIONS, NS_PUBSUB, publishElement } from "./xep0060-pubsub.ts";
import { childOf, childrenOf, type Element, element, elementsOf } from "./xml/element.ts";

export const NS_PUSH = "urn:xmpp:push:0";
/** What the form in a notification is called (§11.3.1). */
export const NS_PUSH_SUMMARY = "urn:xmpp:push:summary";

/** Where notifications go: a service and, nearly always, a node of it. */
export interface PushTarget {
  readonly jid: Jid;
  readonly node?: string | undefined;
}

/** A target, and what the service wants to see whenever something is published (§5): a form "publish-options". */
export interface PushRegistration extends PushTarget {
  readonly options?: DataForm | undefined;
}

/** `<enable/>` (§5). */
export const EnablePush = payload<PushRegistration, "iq-set">({
  ns: NS_PUSH,
  name: "enable",
  places: ["iq-set"],
  parse: (enable) => {
    const form = childOf(enable, "x", NS_DATA_FORMS);
    return { ...targetOf(enable), options: form === undefined ? undefined : readOptions(form) };
  },
  build: ({ jid, node, options }) =>
    element(NS_PUSH, "enable", { jid: jid.full, node }, [options !== undefined && Form.build(options)]),
});

/** `<disable/>` (§6): without a node, whatever is enabled at the service. */
export const DisablePush = payload<PushTarget, "iq-set">({
  ns: NS_PUSH,
  name: "disable",
  places: ["iq-set"],
  parse: (disable) => targetOf(disable),
  build: ({ jid, node }) => element(NS_PUSH, "disable", { jid: jid.full, node }),
});

const targetOf = ({ attributes: { jid, node } }: Element): PushTarget => {
  if (jid === undefined) throw new StanzaError("bad-request", { text: "which push service?" });
  return { jid: parseJid(jid), node: node || undefined };
};

const readOptions = (x: Element): DataForm => {
  const form = Form.parse(x);
  if (form.type !== "submit" || formTypeOf(form) !== NS_PUBLISH_OPTIONS)
    throw new StanzaError("bad-request", { text: "a push service is told publish options" });
  return form;
};

/** What a notification may tell (§7, §11.3.1). All of it is seen by the push service and by whoever carries it on (§9). */
export interface PushSummary {
  readonly messageCount?: number | undefined;
  readonly pendingSubscriptionCount?: number | undefined;
  readonly lastMessageSender?: Jid | undefined;
  readonly lastMessageBody?: string | undefined;
}

export interface PushNotice {
  readonly summary?: PushSummary | undefined;
  /** Whatever else a service understands. */
  readonly additional?: readonly Element[] | undefined;
}

/** `<notification/>` (§7): the item that is published. */
export const PushNotification = payload<PushNotice, "iq-set">({
  ns: NS_PUSH,
  name: "notification",
  places: ["iq-set"],
  parse: (notification) => {
    const form = childOf(notification, "x", NS_DATA_FORMS);
    return {
      summary: form === undefined ? undefined : readSummary(form),
      additional: elementsOf(notification).filter(({ ns }) => ns !== NS_DATA_FORMS),
    };
  },
  build: ({ summary, additional = [] }) =>
    element(NS_PUSH, "notification", {}, [summary !== undefined && buildSummary(summary), ...additional]),
});

const buildSummary = (summary: PushSummary): Element =>
  Form.build(
    standardForm("submit", NS_PUSH_SUMMARY, {
      "message-count": only(summary.messageCount?.toString()),
      "pending-subscription-count": only(summary.pendingSubscriptionCount?.toString()),
      "last-message-sender": only(summary.lastMessageSender?.full),
      "last-message-body": only(summary.lastMessageBody),
    }),
  );

const only = (value: string | undefined): readonly string[] | undefined => (value === undefined ? undefined : [value]);

/** The example of §7 has a form of no type, which is none (XEP-0004 §3.1), and is read all the same. */
const readSummary = (x: Element): PushSummary => {
  const form = Form.parse({ ...x, attributes: { type: "submit", ...x.attributes } });
  if (formTypeOf(form) !== NS_PUSH_SUMMARY) return {};
  const summary: PushSummary = {
    messageCount: countOf(fieldValue(form, "message-count")),
    pendingSubscriptionCount: countOf(fieldValue(form, "pending-subscription-count")),
    lastMessageSender: tryJid(fieldValue(form, "last-message-sender") ?? ""),
    lastMessageBody: fieldValue(form, "last-message-body"),
  };
  return summary;
};

const countOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;

/** The payload of the request that publishes a notification (§7), with what the service wants to see. */
export const publishPush = ({ node, options }: PushRegistration, notice: PushNotice): Element =>
  publishElement({ node, payload: PushNotification.build(notice), options });

/** Who has an affiliation that lets them publish (XEP-0060 §4.1). */
const PUBLISHING: readonly string[] = ["owner", "publisher", "publish-only"];

/** What a service that takes nothing more from this account says so of (§8): a node, or all. `undefined`: it does not say that. */
export const revokedPush = (message: Message, account: Jid): PushTarget | undefined => {
  const { type, from } = message;
  const pubsub = childNamed(message, NS_PUBSUB, "pubsub");
  if (type === "error" || from === undefined || pubsub === undefined) return undefined;
  const isRevoked = childrenOf(pubsub, "affiliation").some(
    ({ attributes: { jid = "", affiliation = "" } }) =>
      tryJid(jid)?.bare === account.bare && affiliation !== "" && !PUBLISHING.includes(affiliation),
  );
  return isRevoked ? { jid: from, node: pubsub.attributes.node || undefined } : undefined;
};
