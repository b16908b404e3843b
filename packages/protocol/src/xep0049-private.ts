/** XEP-0049: any XML, kept by the server for its owner. */
import { payload } from "./payload.ts";
import { type Element, element, elementsOf, NS_CONTENT, NS_NONE } from "./xml/element.ts";

export const NS_PRIVATE = "jabber:iq:private";

/** What is to be stored, or was; in a request, empty elements with the names of what is asked for. */
export const PrivateXml = payload({
  ns: NS_PRIVATE,
  name: "query",
  places: ["iq-get", "iq-set", "iq-result"],
  parse: (query): readonly Element[] => elementsOf(query),
  build: (elements) => element(NS_PRIVATE, "query", {}, elements),
});

/** Namespaces that belong to XMPP itself, in which nothing private is kept (§2.3). */
export const isReservedNamespace = (ns: string): boolean =>
  ns === NS_CONTENT ||
  ns === NS_NONE ||
  ns === "vcard-temp" ||
  ns.startsWith("jabber:") ||
  ns.startsWith("http://jabber.org/");
