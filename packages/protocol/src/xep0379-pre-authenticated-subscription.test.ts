import { expect, test } from "vitest";
import { Preauth } from "./xep0379-pre-authenticated-subscription.ts";
import { registrationTokenFeature } from "./xep0445-pre-authenticated-registration.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0379 §3.4, XEP-0445 §4: a token", () => {
  const sent = parseElement("<preauth xmlns='urn:xmpp:pars:0' token='7d4e&amp;x'/>");
  expect(Preauth.parse(sent)).toEqual({ token: "7d4e&x" });
  expect(Preauth.build({ token: "7d4e&x" })).toEqual(sent);
});

test.each([
  "<preauth xmlns='urn:xmpp:pars:0'/>",
  "<preauth xmlns='urn:xmpp:pars:0' token=''/>",
  `<preauth xmlns='urn:xmpp:pars:0' token='${"x".repeat(1025)}'/>`,
])("XEP-0379 §4.1: a token that is none is bad-request (%.60s)", (xml) => {
  expect(() => Preauth.parse(parseElement(xml))).toThrow(expect.objectContaining({ condition: "bad-request" }));
});

test("XEP-0445 §3: the stream feature", () => {
  expect(registrationTokenFeature).toEqual(parseElement("<register xmlns='urn:xmpp:ibr-token:0'/>"));
});
