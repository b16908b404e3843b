/** XEP-0030: what an entity is and can do, and what belongs to it; XEP-0128: forms that say more. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { type DataForm, Form, NS_DATA_FORMS } from "./xep0004-data-forms.ts";
import { childrenOf, type Element, element } from "./xml/element.ts";

export const NS_DISCO_INFO = "http://jabber.org/protocol/disco#info";
export const NS_DISCO_ITEMS = "http://jabber.org/protocol/disco#items";

/** What kind of thing an entity is (§3.1); the registrar keeps the categories and types. */
export interface DiscoIdentity {
  readonly category: string;
  readonly type: string;
  readonly name?: string | undefined;
  readonly lang?: string | undefined;
}

/** What an entity says of itself. In a request everything but `node` is empty. */
export interface DiscoInfo {
  readonly node?: string | undefined;
  readonly identities: readonly DiscoIdentity[];
  readonly features: readonly string[];
  readonly forms: readonly DataForm[];
}

export interface DiscoItem {
  readonly jid: Jid;
  readonly node?: string | undefined;
  readonly name?: string | undefined;
}

/** What belongs to an entity. In a request `items` is empty. */
export interface DiscoItems {
  readonly node?: string | undefined;
  readonly items: readonly DiscoItem[];
}

export const DiscoInfoQuery = payload({
  ns: NS_DISCO_INFO,
  name: "query",
  places: ["iq-get", "iq-result"],
  parse: (query): DiscoInfo => ({
    node: query.attributes.node,
    identities: childrenOf(query, "identity").map(parseIdentity),
    features: childrenOf(query, "feature").map((feature) => required(feature, "var")),
    forms: childrenOf(query, Form.name, NS_DATA_FORMS).map(Form.parse),
  }),
  build: ({ node, identities, features, forms }) =>
    element(NS_DISCO_INFO, "query", { node }, [
      ...identities.map(buildIdentity),
      ...features.map((feature) => element(NS_DISCO_INFO, "feature", { var: feature })),
      ...forms.map(Form.build),
    ]),
});

export const DiscoItemsQuery = payload({
  ns: NS_DISCO_ITEMS,
  name: "query",
  places: ["iq-get", "iq-result"],
  parse: (query): DiscoItems => ({
    node: query.attributes.node,
    items: childrenOf(query, "item").map((item) => ({
      jid: parseJid(required(item, "jid")),
      node: item.attributes.node,
      name: item.attributes.name,
    })),
  }),
  build: ({ node, items }) =>
    element(
      NS_DISCO_ITEMS,
      "query",
      { node },
      items.map((item) => element(NS_DISCO_ITEMS, "item", { jid: item.jid.full, node: item.node, name: item.name })),
    ),
});

/** A request for what an entity, or a node of it, is and can do (§3). */
export const infoRequest = (node?: string): DiscoInfo => ({ node, identities: [], features: [], forms: [] });

/** A request for what belongs to an entity, or to a node of it (§4). */
export const itemsRequest = (node?: string): DiscoItems => ({ node, items: [] });

const parseIdentity = (identity: Element): DiscoIdentity => ({
  category: required(identity, "category"),
  type: required(identity, "type"),
  name: identity.attributes.name,
  lang: identity.attributes["xml:lang"],
});

const buildIdentity = ({ category, type, name, lang }: DiscoIdentity): Element =>
  element(NS_DISCO_INFO, "identity", { category, type, name, "xml:lang": lang });

const required = (from: Element, attribute: string): string => {
  const value = from.attributes[attribute];
  if (value === undefined || value === "")
    throw new StanzaError("bad-request", { text: `<${from.name}/> needs "${attribute}"` });
  return value;
};
