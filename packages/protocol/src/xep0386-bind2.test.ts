import { expect, test } from "vitest";
import { Bind2, Bind2Feature, Bound2, NS_BIND2 } from "./xep0386-bind2.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const light = element("urn:example:lantern", "light");
const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });

test("XEP-0386 §3.1: the feature names what a session can have from the start", () => {
  const feature = Bind2Feature.build(["urn:xmpp:carbons:2", "urn:xmpp:csi:0"]);
  expect(writeElement(feature)).toBe(
    "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:csi:0'/></inline></bind>",
  );
  expect(Bind2Feature.parse(feature)).toEqual(["urn:xmpp:carbons:2", "urn:xmpp:csi:0"]);
});
test("XEP-0386 §3.1: with nothing to name there is no inline element", () => {
  expect(writeElement(Bind2Feature.build([]))).toBe("<bind xmlns='urn:xmpp:bind:0'/>");
  expect(Bind2Feature.parse(Bind2Feature.build([]))).toEqual([]);
  expect(Bind2Feature.parse(parseElement(`<bind xmlns='${NS_BIND2}'><inline><feature/></inline></bind>`))).toEqual([]);
});
test("XEP-0386 §3.2: a request has a tag and whatever else is wanted", () => {
  const request = Bind2.build({ tag: "Lantern", requests: [light] });
  expect(writeElement(request)).toBe(
    "<bind xmlns='urn:xmpp:bind:0'><tag>Lantern</tag><light xmlns='urn:example:lantern'/></bind>",
  );
  expect(Bind2.parse(request)).toEqual({ tag: "Lantern", requests: [light] });
  expect(Bind2.parse(Bind2.build({ tag: undefined, requests: [] }))).toEqual({ tag: undefined, requests: [] });
  expect(Bind2.parse(parseElement(`<bind xmlns='${NS_BIND2}'><tag/></bind>`)).tag).toBeUndefined();
});
test.each(["<tag>a</tag><tag>b</tag>", "<tag>a<b/></tag>"])("XEP-0386 §3.2: %s is no tag", (tags) => {
  expect(() => Bind2.parse(parseElement(`<bind xmlns='${NS_BIND2}'>${tags}</bind>`))).toThrow(badRequest);
});
test("XEP-0386 §3.2: the answer holds the answers to what was asked for", () => {
  const bound = Bound2.build([light]);
  expect(writeElement(bound)).toBe("<bound xmlns='urn:xmpp:bind:0'><light xmlns='urn:example:lantern'/></bound>");
  expect(Bound2.parse(bound)).toEqual([light]);
});
