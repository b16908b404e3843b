import { describe, expect, test } from "vitest";
import { Fast, FastFeature, NS_FAST, Token, TokenRequest } from "./xep0484-fast.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });
const fast = (attributes: string) => parseElement(`<fast xmlns='${NS_FAST}' ${attributes}/>`);

describe("XEP-0484 §3.1: the feature", () => {
  test("names the mechanisms, and early data where it is taken", () => {
    const offer = { mechanisms: ["HT-SHA-256-EXPR", "HT-SHA-256-NONE"], earlyData: false };
    expect(writeElement(FastFeature.build(offer))).toBe(
      "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>",
    );
    expect(FastFeature.parse(FastFeature.build(offer))).toEqual(offer);
    const early = { ...offer, earlyData: true };
    expect(FastFeature.parse(FastFeature.build(early))).toEqual(early);
  });
});

describe("XEP-0484 §3.4, §3.6: the use of a token", () => {
  test.each([
    ["", { count: undefined, invalidate: false }],
    ["count='123'", { count: 123, invalidate: false }],
    ["count='2147483647' invalidate='1'", { count: 2147483647, invalidate: true }],
    ["count='+7' invalidate='true'", { count: 7, invalidate: true }],
    ["invalidate='0'", { count: undefined, invalidate: false }],
    ["invalidate='false'", { count: undefined, invalidate: false }],
  ])("%j is read", (attributes, use) => {
    expect(Fast.parse(fast(attributes))).toEqual(use);
    expect(Fast.parse(Fast.build(use))).toEqual(use);
  });
  test.each(["0", "-1", "", "1.5", "1e3", " 1", "2147483648", "9".repeat(400), "٣"])(
    "a count of %j is refused",
    (count) => {
      expect(() => Fast.parse(fast(`count='${count}'`))).toThrow(badRequest);
    },
  );
  test.each(["", "yes", "TRUE", "2"])("%j is neither true nor false", (text) => {
    expect(() => Fast.parse(fast(`invalidate='${text}'`))).toThrow(badRequest);
    expect(() => FastFeature.parse(fast(`tls-0rtt='${text}'`))).toThrow(badRequest);
  });
});

describe("XEP-0484 §3.2, §3.3: getting a token", () => {
  test("is asked for by mechanism", () => {
    expect(writeElement(TokenRequest.build("HT-SHA-256-EXPR"))).toBe(
      "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/>",
    );
    expect(TokenRequest.parse(TokenRequest.build("HT-SHA-256-EXPR"))).toBe("HT-SHA-256-EXPR");
  });
  test.each([{}, { mechanism: "" }])("without one is refused", (attributes) => {
    expect(() => TokenRequest.parse(element(NS_FAST, "request-token", attributes))).toThrow(badRequest);
  });
  test("comes with the time it ends", () => {
    const token = { token: "c2VzYW1l", expiry: Date.parse("2031-06-07T09:30:00Z") };
    expect(writeElement(Token.build(token))).toBe(
      "<token xmlns='urn:xmpp:fast:0' expiry='2031-06-07T09:30:00Z' token='c2VzYW1l'/>",
    );
    expect(Token.parse(Token.build(token))).toEqual(token);
  });
  test.each([
    { token: "x" },
    { token: "x", expiry: "soon" },
    { expiry: "2031-06-07T09:30:00Z" },
    { token: "", expiry: "2031-06-07T09:30:00Z" },
  ])("%j is no token", (attributes) =>
    expect(() => Token.parse(element(NS_FAST, "token", attributes))).toThrow(badRequest),
  );
});
