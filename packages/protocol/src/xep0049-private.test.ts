import { expect, test } from "vitest";
import { isReservedNamespace, PrivateXml } from "./xep0049-private.ts";
import { NS_CONTENT, NS_NONE } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0049 §2.1: what is stored is any XML", () => {
  const query = parseElement(
    `<query xmlns='jabber:iq:private'><notes xmlns='urn:example:notes'><note at='1'>a &lt; b</note></notes><more xmlns='urn:example:notes'/></query>`,
  );
  const elements = PrivateXml.parse(query);
  expect(elements.map(({ name }) => name)).toEqual(["notes", "more"]);
  expect(PrivateXml.build(elements)).toEqual(query);
});

test("XEP-0049 §2.3: reserved namespaces", () => {
  const reserved = [
    NS_CONTENT,
    NS_NONE,
    "jabber:client",
    "jabber:iq:roster",
    "http://jabber.org/protocol/muc",
    "vcard-temp",
  ];
  expect(reserved.filter((ns) => !isReservedNamespace(ns))).toEqual([]);
  expect(["storage:bookmarks", "urn:xmpp:bookmarks:1", "http://jabber.orgy/"].filter(isReservedNamespace)).toEqual([]);
});
