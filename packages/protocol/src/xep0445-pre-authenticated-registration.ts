/** XEP-0445: an invitation opens in-band registration. */
import { type Element, element } from "./xml/element.ts";

export const NS_REGISTRATION_TOKEN = "urn:xmpp:ibr-token:0";

/** Announces that invitations are taken (§3). The token itself travels in XEP-0379's `Preauth`. */
export const registrationTokenFeature: Element = element(NS_REGISTRATION_TOKEN, "register");
