import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { parseJid } from "./jid.ts";
import { Block, Blocklist, blockedCondition, Unblock } from "./xep0191-blocking.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";

const read = (name: string, children: string) =>
  parseElement(`<${name} xmlns='urn:xmpp:blocking'>${children}</${name}>`);
const MANY = "<item jid='Tybalt@Example.NET'/><item jid='spam.example'/><item jid='verona@rooms.example/Páris'/>";
const JIDS = ["tybalt@example.net", "spam.example", "verona@rooms.example/Páris"].map(parseJid);

test.each([
  ["blocklist", Blocklist],
  ["block", Block],
  ["unblock", Unblock],
] as const)("XEP-0191 §3: <%s/> with items, whose addresses are prepared", (name, payload) => {
  expect(payload.parse(read(name, MANY))).toEqual(JIDS);
  expect(payload.parse(payload.build(JIDS))).toEqual(JIDS);
});

test("XEP-0191 §3.2, §3.5: an empty list, and unblocking everybody", () => {
  expect(Blocklist.parse(read("blocklist", ""))).toEqual([]);
  expect(Unblock.parse(read("unblock", ""))).toEqual([]);
  expect(Unblock.build([])).toEqual(read("unblock", ""));
});

test.each(["", "<thing/>", "<item xmlns='urn:example:other' jid='a@example.net'/>", "text"])(
  "XEP-0191 §3.3: nobody to block (%s)",
  (children) => {
    expect(() => Block.parse(read("block", children))).toThrow(expect.objectContaining({ condition: "bad-request" }));
  },
);

test("XEP-0191 §3.5: what is not understood does not unblock everybody", () => {
  expect(() => Unblock.parse(read("unblock", "<items jid='a@example.net'/>"))).toThrow(StanzaError);
});

test.each([
  ["<item/>", "bad-request"],
  ["<item jid=''/>", "jid-malformed"],
  ["<item jid='@example.net'/>", "jid-malformed"],
  [`<item jid='a@example.net'/><item jid='${"a".repeat(1024)}@example.net'/>`, "jid-malformed"],
])("XEP-0191 §3.3: %.40s is refused with %s", (children, condition) => {
  expect(() => Block.parse(read("block", children))).toThrow(expect.objectContaining({ condition }));
});

test("XEP-0191 §3.3: the condition that says why", () => {
  expect(blockedCondition).toEqual(element("urn:xmpp:blocking:errors", "blocked"));
});
