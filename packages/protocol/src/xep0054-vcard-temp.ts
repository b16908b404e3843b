/** XEP-0054: what people say of themselves. */
import { payload } from "./payload.ts";
import { type Element, element } from "./xml/element.ts";

export const NS_VCARD = "vcard-temp";

/** The card as it is; an empty one in a request. */
export const VCard = payload({
  ns: NS_VCARD,
  name: "vCard",
  places: ["iq-get", "iq-set", "iq-result"],
  parse: (card): Element => card,
  build: (card) => card,
});

export const emptyVCard: Element = element(NS_VCARD, "vCard");
