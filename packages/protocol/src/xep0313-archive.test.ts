import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import type { Payload } from "./payload.ts";
import { readStanza, writeStanza } from "./stanza.ts";
import { find } from "./stanza-children.ts";
import { FIRST_PAGE } from "./xep0059-result-set.ts";
import {
  ArchiveFin,
  ArchiveForm,
  ArchiveMetadata,
  ArchiveQuery,
  ArchiveResult,
  archiveResult,
} from "./xep0313-archive.ts";
import { archiveForm } from "./xep0313-archive-form.ts";
import { parseElement, parseRaw, readElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:mam:2'";
const RSM = "xmlns='http://jabber.org/protocol/rsm'";
const read = (start: string, children = "") => parseElement(`<${start}>${children}</${start.split(" ")[0]}>`);
const bothWays = <T>(payload: Payload<T>, value: T, start: string, children = ""): void => {
  expect(payload.parse(read(start, children))).toEqual(value);
  expect(payload.build(value)).toEqual(read(start, children));
};
const form = (fields: string, type = "submit"): string =>
  `<x xmlns='jabber:x:data' type='${type}'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>${fields}</x>`;
const field = (name: string, ...values: readonly string[]): string =>
  `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join("")}</field>`;
const refusal = (condition: string) => expect.objectContaining({ name: "StanzaError", condition });
const EVERYTHING = {
  with: undefined,
  start: undefined,
  end: undefined,
  beforeId: undefined,
  afterId: undefined,
  ids: undefined,
  includeGroupchat: undefined,
  fullText: undefined,
};

describe("XEP-0313 §4: a query", () => {
  test("for everything", () => {
    const value = { queryId: undefined, node: undefined, filter: {}, page: FIRST_PAGE, isFlipped: false };
    bothWays(ArchiveQuery, value, `query ${NS}`);
  });

  test("with all there is, the latest of the page first (§4.3.4)", () => {
    bothWays(
      ArchiveQuery,
      {
        queryId: "q&1",
        node: "blog",
        filter: {
          with: parseJid("tom@example.net"),
          start: Date.UTC(2031, 4, 17, 9, 30, 5),
          end: Date.UTC(2031, 4, 18, 9, 30, 5, 250),
          beforeId: "b",
          afterId: "a",
          ids: ["1", "2"],
          includeGroupchat: false,
          fullText: "tea & cake",
        },
        page: { max: 50, position: { is: "end" } },
        isFlipped: true,
      },
      `query ${NS} queryid='q&amp;1' node='blog'`,
      `${form(
        field("with", "tom@example.net") +
          field("start", "2031-05-17T09:30:05Z") +
          field("end", "2031-05-18T09:30:05.250Z") +
          field("before-id", "b") +
          field("after-id", "a") +
          field("ids", "1", "2") +
          field("include-groupchat", "false") +
          field("{urn:xmpp:fulltext:0}fulltext", "tea &amp; cake"),
      )}<set ${RSM}><max>50</max><before/></set><flip-page/>`,
    );
  });

  test.each([
    ["with", "<field var='with'/>"],
    ["with", field("with", "")],
    ["fullText", field("{urn:xmpp:fulltext:0}fulltext", "")],
    ["start", field("start", "")],
    ["ids", "<field var='ids' type='list-multi'/>"],
  ])("a field without a value says nothing (%s: %s)", (_, fields) => {
    expect(ArchiveQuery.parse(read(`query ${NS}`, form(fields))).filter).toEqual(EVERYTHING);
  });

  test.each([
    [true, "1"],
    [true, "true"],
    [false, "0"],
  ])("§4.1.4: groupchat %s (%s)", (includeGroupchat, value) => {
    const query = read(`query ${NS}`, form(field("include-groupchat", value)));
    expect(ArchiveQuery.parse(query).filter.includeGroupchat).toBe(includeGroupchat);
  });
});

test.each([
  ["feature-not-implemented", form(field("{urn:example:x}mood", "calm"))],
  ["feature-not-implemented", form("<field type='fixed'><value>x</value></field>")],
  ["jid-malformed", form(field("with", "@"))],
  ["bad-request", form(field("start", "yesterday"))],
  ["bad-request", form(field("end", "2031-05-17"))],
  ["bad-request", form(field("include-groupchat", "maybe"))],
  ["bad-request", form(field("with", "a@example.net", "b@example.net"))],
  ["bad-request", form(field("after-id", "a") + field("after-id", "b"))],
  ["bad-request", form("", "form")],
  ["bad-request", form("", "cancel")],
  ["bad-request", "<x xmlns='jabber:x:data' type='submit'/>"],
  [
    "bad-request",
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:1</value></field></x>",
  ],
  ["bad-request", "<x xmlns='jabber:x:data'/>"],
  ["bad-request", `<set ${RSM}><max>-1</max></set>`],
  ["bad-request", `<set ${RSM}><after>a</after><before>b</before></set>`],
])("XEP-0313 §4.1: %s for %s", (condition, children) => {
  expect(() => ArchiveQuery.parse(read(`query ${NS}`, children))).toThrow(refusal(condition));
});

describe("XEP-0313 §4.1.5: the form", () => {
  const list = "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate>";
  const MUST =
    "<field var='with' type='jid-single'/><field var='start' type='text-single'/><field var='end' type='text-single'/>" +
    `<field var='before-id' type='text-single'/><field var='after-id' type='text-single'/><field var='ids' type='list-multi'>${list}</field>`;

  test("is asked for with nothing", () => {
    bothWays(ArchiveForm, undefined, `query ${NS}`);
  });

  test("has what every archive has", () => {
    expect(ArchiveForm.build(archiveForm())).toEqual(read(`query ${NS}`, form(MUST, "form")));
  });

  test("has what this one has", () => {
    const more =
      "<field var='include-groupchat' type='boolean'/><field var='{urn:xmpp:fulltext:0}fulltext' type='text-single'/>";
    const element = read(`query ${NS}`, form(MUST + more, "form"));
    expect(ArchiveForm.build(archiveForm({ includeGroupchat: true, fullText: true }))).toEqual(element);
    const parsed = ArchiveForm.parse(element);
    expect(parsed?.fields.find((field) => field.var === "ids")?.extensions).toEqual([parseElement(list)]);
    expect(parsed && ArchiveForm.build(parsed)).toEqual(element);
  });
});

const KEPT =
  "<message from='tom@example.net/pad' to='mira@attic.example' type='chat' id='m1'><body>caf\u00e9</body></message>";
const STAMP = Date.UTC(2031, 4, 17, 9, 30, 5, 7);
const FORWARDED =
  "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2031-05-17T09:30:05.007Z'/>" +
  `${KEPT.replace("<message", "<message xmlns='jabber:client'")}</forwarded>`;

describe("XEP-0313 §4.2: a result", () => {
  const fields = { from: parseJid("mira@attic.example"), to: parseJid("mira@attic.example/desk"), id: "r1" };

  test.each([
    ["f&1", " queryid='f&amp;1'"],
    [undefined, ""],
  ])("for the query %j", (queryId, attribute) => {
    const sent = archiveResult(fields, queryId, "28'<", toBytes(KEPT), STAMP);
    expect(readElement(parseRaw(writeStanza(sent)))).toEqual(
      parseElement(
        `<message from='mira@attic.example' to='mira@attic.example/desk' id='r1'><result ${NS}${attribute} id='28&apos;&lt;'>${FORWARDED}</result></message>`,
      ),
    );
    expect(readStanza(parseRaw(writeStanza(sent))).index).toEqual(sent.index);
    const received = find(sent, ArchiveResult);
    expect(received).toEqual({
      queryId,
      id: "28'<",
      delay: { stamp: STAMP, from: undefined, reason: undefined },
      stanza: expect.objectContaining({ kind: "message", id: "m1" }),
    });
    expect(received?.stanza && writeStanza(received.stanza)).toBe(toBytes(KEPT));
  });

  test("can be built as a tree", () => {
    const element = read(`result ${NS} queryid='f' id='28'`, FORWARDED);
    expect(ArchiveResult.build(ArchiveResult.parse(element))).toEqual(element);
  });

  test("may lack what has been removed (§3.2)", () => {
    const element = read(`result ${NS} id='28'`, "<forwarded xmlns='urn:xmpp:forward:0'/>");
    expect(ArchiveResult.parse(element)).toEqual({ id: "28", queryId: undefined, stanza: undefined, delay: undefined });
  });

  test.each([
    ["result xmlns='urn:xmpp:mam:2'", FORWARDED],
    ["result xmlns='urn:xmpp:mam:2' id=''", FORWARDED],
    ["result xmlns='urn:xmpp:mam:2' id='1'", ""],
    ["result xmlns='urn:xmpp:mam:2' id='1'", KEPT],
  ])("is none: <%s>%s", (start, children) => {
    expect(() => ArchiveResult.parse(read(start, children))).toThrow(refusal("bad-request"));
  });
});

test("XEP-0313 §4.3.2: the end of a page", () => {
  const page = { first: "a", last: "b", index: 0, count: 16 };
  const set = `<set ${RSM}><first index='0'>a</first><last>b</last><count>16</count></set>`;
  bothWays(ArchiveFin, { page, isComplete: false, isStable: true }, `fin ${NS}`, set);
  bothWays(ArchiveFin, { page, isComplete: true, isStable: false }, `fin ${NS} complete='true' stable='false'`, set);
  expect(ArchiveFin.parse(read(`fin ${NS} complete='0' stable='1'`, set))).toEqual({
    page,
    isComplete: false,
    isStable: true,
  });
});

test.each([
  ["", ""],
  ["complete='yes'", `<set ${RSM}/>`],
  ["stable=''", `<set ${RSM}/>`],
  ["", `<set ${RSM}><last>b</last></set>`],
])("XEP-0313 §4.3.2: refuses <fin %s>%s", (attributes, children) => {
  expect(() => ArchiveFin.parse(read(`fin ${NS} ${attributes}`, children))).toThrow(refusal("bad-request"));
});

test("XEP-0313 §5: how far an archive goes", () => {
  const start = { id: "a'1", timestamp: Date.UTC(2008, 7, 22, 21, 9, 4) };
  const end = { id: "z9", timestamp: Date.UTC(2020, 3, 20, 14, 34, 21, 500) };
  bothWays(ArchiveMetadata, undefined, `metadata ${NS}`);
  bothWays(
    ArchiveMetadata,
    { start, end },
    `metadata ${NS}`,
    "<start id='a&apos;1' timestamp='2008-08-22T21:09:04Z'/><end id='z9' timestamp='2020-04-20T14:34:21.500Z'/>",
  );
});

test.each([
  "<start id='a' timestamp='2008-08-22T21:09:04Z'/>",
  "<end id='a' timestamp='2008-08-22T21:09:04Z'/>",
  "<start id='a' timestamp='2008-08-22T21:09:04Z'/><end id='b'/>",
  "<start timestamp='2008-08-22T21:09:04Z'/><end id='b' timestamp='2008-08-22T21:09:04Z'/>",
  "<start id='a' timestamp='then'/><end id='b' timestamp='now'/>",
])("XEP-0313 §5: refuses <metadata>%s", (children) => {
  expect(() => ArchiveMetadata.parse(read(`metadata ${NS}`, children))).toThrow(refusal("bad-request"));
});
