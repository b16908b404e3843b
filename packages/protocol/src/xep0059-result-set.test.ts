import { expect, test } from "vitest";
import {
  FIRST_PAGE,
  type Page,
  type PageRequest,
  pageRequestOf,
  ResultSet,
  ResultSetRequest,
} from "./xep0059-result-set.ts";
import { parseElement } from "./xml/read.ts";

const read = (children: string) => parseElement(`<set xmlns='http://jabber.org/protocol/rsm'>${children}</set>`);
const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });

const REQUESTS: readonly (readonly [section: string, xml: string, value: PageRequest])[] = [
  ["§2.1: a limit", "<max>25</max>", { max: 25, position: { is: "start" } }],
  ["§2.2: the next page", "<max>25</max><after>b&amp;7</after>", { max: 25, position: { is: "after", id: "b&7" } }],
  ["§2.3: the page before", "<max>25</max><before> x </before>", { max: 25, position: { is: "before", id: " x " } }],
  ["§2.5: the last page", "<before/>", { max: undefined, position: { is: "end" } }],
  ["§2.6: from an index on", "<max>5</max><index>371</index>", { max: 5, position: { is: "index", index: 371 } }],
  ["§2.7: the count alone", "<max>0</max>", { max: 0, position: { is: "start" } }],
];
test.each(REQUESTS)("XEP-0059 %s", (_, xml, value) => {
  expect(ResultSetRequest.parse(read(xml))).toEqual(value);
  expect(ResultSetRequest.build(value)).toEqual(read(xml));
});

test("XEP-0059 §2.2: after nothing is before the first", () => {
  expect(ResultSetRequest.parse(read("<after/>"))).toEqual(FIRST_PAGE);
  expect(ResultSetRequest.build(FIRST_PAGE)).toEqual(read(""));
});

test.each([
  "<max/>",
  "<max>-1</max>",
  "<max>all</max>",
  "<max>2147483648</max>",
  "<max>1e3</max>",
  "<index/>",
  "<index>-3</index>",
  "<after>a</after><before>b</before>",
  "<after>a</after><index>1</index>",
  "<after/><before/>",
])("XEP-0059 §2: refuses %s", (xml) => {
  expect(() => ResultSetRequest.parse(read(xml))).toThrow(badRequest);
});

const PAGES: readonly (readonly [section: string, xml: string, value: Page])[] = [
  [
    "§2.2: a page",
    "<first index='0'>a1</first><last>z9</last><count>800</count>",
    { first: "a1", last: "z9", index: 0, count: 800 },
  ],
  [
    "§2.2: a page of unknown place",
    "<first>a</first><last>a</last>",
    { first: "a", last: "a", index: undefined, count: undefined },
  ],
  ["§2.2: an empty page", "<count>790</count>", { first: undefined, last: undefined, index: undefined, count: 790 }],
  ["§2.7: not even a count", "", { first: undefined, last: undefined, index: undefined, count: undefined }],
];
test.each(PAGES)("XEP-0059 %s", (_, xml, value) => {
  expect(ResultSet.parse(read(xml))).toEqual(value);
  expect(ResultSet.build(value)).toEqual(read(xml));
});

test.each([
  "<first>a</first>",
  "<last>a</last>",
  "<first index='x'>a</first><last>a</last>",
  "<first index='-1'>a</first><last>a</last>",
  "<count>many</count>",
])("XEP-0059 §2.2: refuses %s", (xml) => {
  expect(() => ResultSet.parse(read(xml))).toThrow(badRequest);
});

test("XEP-0059 §2.1: inside some other protocol's request", () => {
  const set = "<set xmlns='http://jabber.org/protocol/rsm'><max>3</max></set>";
  expect(pageRequestOf(parseElement(`<query xmlns='urn:example:books'>${set}</query>`)).max).toBe(3);
  expect(pageRequestOf(parseElement("<query xmlns='urn:example:books'><set/></query>"))).toBe(FIRST_PAGE);
});
