import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { parseJid } from "./jid.ts";
import { standardForm } from "./xep0004-data-forms.ts";
import { DiscoInfoQuery, DiscoItemsQuery, infoRequest, itemsRequest } from "./xep0030-disco.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0030 §3.1: a request for information, with and without a node", () => {
  expect(DiscoInfoQuery.build(infoRequest())).toEqual(
    parseElement("<query xmlns='http://jabber.org/protocol/disco#info'/>"),
  );
  const withNode = parseElement("<query xmlns='http://jabber.org/protocol/disco#info' node='beds/thyme'/>");
  expect(DiscoInfoQuery.build(infoRequest("beds/thyme"))).toEqual(withNode);
  expect(DiscoInfoQuery.parse(withNode)).toEqual(infoRequest("beds/thyme"));
});

test("XEP-0030 §3.1, XEP-0128 §2: identities, features and forms are read and written back", () => {
  const answer = parseElement(
    `<query xmlns='http://jabber.org/protocol/disco#info'>` +
      `<identity category='conference' type='text' name='The garden' xml:lang='en'/>` +
      `<identity category='conference' type='text' name='Der Garten' xml:lang='de'/>` +
      `<feature var='http://jabber.org/protocol/disco#info'/><feature var='urn:example:beds'/>` +
      `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:example:garden</value></field><field var='plants'><value>thyme</value></field></x>` +
      `</query>`,
  );
  const info = DiscoInfoQuery.parse(answer);
  expect(info.identities).toEqual([
    { category: "conference", type: "text", name: "The garden", lang: "en" },
    { category: "conference", type: "text", name: "Der Garten", lang: "de" },
  ]);
  expect(info.features).toEqual(["http://jabber.org/protocol/disco#info", "urn:example:beds"]);
  expect(info.forms).toMatchObject([{ type: "result", fields: [{ var: "FORM_TYPE" }, { var: "plants" }] }]);
  expect(DiscoInfoQuery.build(info)).toEqual(answer);
  expect(
    DiscoInfoQuery.build({ ...info, forms: [standardForm("result", "urn:example:garden", { plants: ["thyme"] })] }),
  ).toEqual(answer);
});

test("XEP-0030 §4.1: items, some of them nodes", () => {
  const answer = parseElement(
    `<query xmlns='http://jabber.org/protocol/disco#items' node='beds'><item jid='garden.example.org' node='beds/rue'/><item jid='plays.example.org' name='Plays'/></query>`,
  );
  const items = DiscoItemsQuery.parse(answer);
  expect(items).toEqual({
    node: "beds",
    items: [
      { jid: parseJid("garden.example.org"), node: "beds/rue", name: undefined },
      { jid: parseJid("plays.example.org"), node: undefined, name: "Plays" },
    ],
  });
  expect(DiscoItemsQuery.build(items)).toEqual(answer);
  expect(DiscoItemsQuery.parse(DiscoItemsQuery.build(itemsRequest("beds")))).toEqual(itemsRequest("beds"));
});

test.each([
  "<identity type='im'/>",
  "<identity category='server'/>",
  "<identity category='' type='im'/>",
  "<feature/>",
])("XEP-0030 §3.1: %s lacks what it must have", (child) => {
  const query = parseElement(`<query xmlns='http://jabber.org/protocol/disco#info'>${child}</query>`);
  expect(() => DiscoInfoQuery.parse(query)).toThrow(StanzaError);
});

test.each(["<item/>", "<item jid='@'/>"])("XEP-0030 §4.1: %s is no item", (child) => {
  const query = parseElement(`<query xmlns='http://jabber.org/protocol/disco#items'>${child}</query>`);
  expect(() => DiscoItemsQuery.parse(query)).toThrow(StanzaError);
});
