import { type ContactAddresses, contactForm, type DomainJid, Form } from "@kith/protocol";
import type { Module } from "../module.ts";

/** XEP-0157: names in disco#info whom to turn to. `addressesOf`: URIs for a virtual host, those of the configuration. */
export const contact = (addressesOf: (domain: DomainJid) => ContactAddresses): Module => ({
  name: "contact",
  xeps: [{ xep: "XEP-0157", version: "1.1.1" }],
  infoForms: (domain) => {
    const form = contactForm(addressesOf(domain));
    // Nothing but its FORM_TYPE: there is nobody to turn to.
    return form.fields.length > 1 ? [Form.build(form)] : [];
  },
});
