/** XEP-0157: whom to turn to about a service. */
import { type DataForm, fieldValues, formTypeOf, standardForm } from "./xep0004-data-forms.ts";

export const SERVER_INFO_FORM = "http://jabber.org/network/serverinfo";

export const CONTACT_ROLES = ["abuse", "admin", "feedback", "sales", "security", "status", "support"] as const;
export type ContactRole = (typeof CONTACT_ROLES)[number];
/** URIs by what they are for. */
export type ContactAddresses = Readonly<Partial<Record<ContactRole, readonly string[]>>>;

/** The form that extends a server's disco#info; roles without address are left out. */
export const contactForm = (addresses: ContactAddresses): DataForm =>
  standardForm(
    "result",
    SERVER_INFO_FORM,
    Object.fromEntries(
      CONTACT_ROLES.flatMap((role) => (addresses[role]?.length ? [[`${role}-addresses`, addresses[role]]] : [])),
    ),
  );

/** The addresses that the forms of a disco#info name. */
export const contactAddressesOf = (forms: readonly DataForm[]): ContactAddresses => {
  const form = forms.find((candidate) => formTypeOf(candidate) === SERVER_INFO_FORM);
  if (form === undefined) return {};
  return Object.fromEntries(
    CONTACT_ROLES.flatMap((role) => {
      const uris = fieldValues(form, `${role}-addresses`);
      return uris === undefined ? [] : [[role, uris]];
    }),
  );
};
