import { expect, test } from "vitest";
import { Form } from "./xep0004-data-forms.ts";
import { contactAddressesOf, contactForm } from "./xep0157-contact.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0157 §3: addresses by role, those without address left out", () => {
  const addresses = {
    abuse: ["mailto:abuse@example.org", "xmpp:abuse@example.org"],
    status: ["https://status.example.org"],
    sales: [],
  };
  const form = parseElement(
    `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>` +
      `<field var='abuse-addresses'><value>mailto:abuse@example.org</value><value>xmpp:abuse@example.org</value></field>` +
      `<field var='status-addresses'><value>https://status.example.org</value></field></x>`,
  );
  expect(Form.build(contactForm(addresses))).toEqual(form);
  expect(contactAddressesOf([{ type: "result", fields: [] }, Form.parse(form)])).toEqual({
    abuse: addresses.abuse,
    status: addresses.status,
  });
  expect(contactAddressesOf([])).toEqual({});
});
