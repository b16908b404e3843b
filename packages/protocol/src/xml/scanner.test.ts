import { describe, expect, test } from "vitest";
import { type Bytes, latin1 } from "../bytes.ts";
import { type StreamCondition, StreamError } from "../errors.ts";
import { NS_NONE } from "./element.ts";
import { attributeOf, findChild } from "./raw.ts";
import { readElement } from "./read.ts";
import { SCANNER_LIMITS, XmlScanner } from "./scanner.ts";
import { conditionOf, everyNth, HEADER, recorder, type Seen, scan, utf8, verdict } from "./test-support.ts";
import { writeRaw } from "./write.ts";

const NS_STREAM = "http://etherx.jabber.org/streams";

/** Whole, one byte at a time, and in threes must agree; gives the condition. */
const refusal = (input: string | Uint8Array): StreamCondition | undefined => {
  const bytes = typeof input === "string" ? utf8(input) : input;
  const [whole, ...split] = [bytes.length, 1, 3].map((size) => scan(bytes, everyNth(bytes.length, size)).error);
  for (const each of split) expect(each).toBe(whole);
  return whole;
};

const bytesOf = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => (typeof part === "string" ? [...utf8(part)] : part)));

const only = (stanza: string, header = HEADER) => {
  const { elements, error } = scan(header + stanza);
  expect(error).toBeUndefined();
  expect(elements.length).toBe(1);
  const [raw] = elements;
  if (raw === undefined) throw new Error("no element");
  return raw;
};

describe("the stream header", () => {
  test("RFC 6120 §4.7: is handed over with attributes decoded and namespaces resolved", () => {
    const { headers } = scan(
      `<?xml version='1.0'?><stream:stream from="j&apos;s@im.example" to='im.example' xml:lang='de' version='1.0'
        xmlns='jabber:client' xmlns:stream='${NS_STREAM}' xmlns:db='jabber:server:dialback' db:key='&#x4b;'>`,
    );
    expect(headers).toEqual([
      {
        name: "stream",
        prefix: "stream",
        ns: NS_STREAM,
        content: "jabber:client",
        prefixes: new Map([
          ["stream", NS_STREAM],
          ["db", "jabber:server:dialback"],
        ]),
        attributes: {
          from: "j's@im.example",
          to: "im.example",
          "xml:lang": "de",
          version: "1.0",
          "{jabber:server:dialback}key": "K",
        },
      },
    ]);
  });

  test("RFC 6120 §4.8.2: content may be left to be declared on each element", () => {
    const { headers, elements } = scan(
      `<stream xmlns='${NS_STREAM}'><message xmlns='jabber:client'><body/></message><features><bind xmlns='urn:b'/></features></stream>`,
    );
    expect(headers[0]).toMatchObject({ name: "stream", prefix: "", ns: NS_STREAM, content: NS_STREAM });
    expect(elements[0]).toEqual({
      name: "message",
      ns: "",
      attributes: [],
      payload: "<body/>",
      index: [1, 5, -1, -1, 0, 7],
    });
    expect(elements[1]).toMatchObject({ name: "features", ns: NS_STREAM, payload: "<bind xmlns='urn:b'/>" });
  });

  test("RFC 6120 §4.8.1: any root is handed over, the session judges it", () => {
    expect(scan("<html>").headers[0]).toMatchObject({ name: "html", prefix: "", ns: NS_NONE, content: "" });
    expect(scan(`<s:stream xmlns:s='${NS_STREAM}'>`).headers[0]).toMatchObject({ prefix: "s", content: "" });
  });

  test("RFC 6120 §4.4: its end tag closes the stream, and what follows is ignored", () => {
    const seen = scan(`${HEADER}<iq/></stream:stream > <<<`);
    expect([seen.elements.length, seen.closed, seen.error]).toEqual([1, 1, undefined]);
    expect(scan(`${HEADER.slice(0, -1)}/>`)).toMatchObject({ closed: 1, error: undefined });
    expect(scan("<?xml version='1.0'?>\n<s:s xmlns:s='urn:s' \n></s:s>").closed).toBe(1);
  });

  test.each([
    "<?xml version='1.0'?>",
    '<?xml version="1.0" ?>',
    "<?xml version='1.0' encoding='UTF-8'?>",
    "<?xml\tversion = '1.0'\nencoding = \"utf-8\" standalone='yes'?>",
    "<?xml version='1.0' standalone='no'?>",
    "",
    " \r\n",
  ])("RFC 6120 §11.5: may be preceded by %j", (before) => {
    const bytes = utf8(before + HEADER);
    for (const size of [1, 4, 1000]) expect(scan(bytes, everyNth(bytes.length, size)).headers.length).toBe(1);
  });
});

describe("what is refused", () => {
  const inside = (content: string): string => `${HEADER}<message>${content}</message>`;
  const table: readonly (readonly [StreamCondition, string, string])[] = [
    ["restricted-xml", "§11.1: a comment", inside("<!-- -->")],
    ["restricted-xml", "§11.1: a comment between stanzas", `${HEADER}<!-- -->`],
    ["restricted-xml", "§11.1: a comment before the header", `<!-- -->${HEADER}`],
    ["restricted-xml", "§11.1: a processing instruction", inside("<?php ?>")],
    ["restricted-xml", "§11.1: a processing instruction between stanzas", `${HEADER}<?x?>`],
    ["restricted-xml", "§11.1: a processing instruction before the header", `<?xml-stylesheet href='a'?>${HEADER}`],
    ["restricted-xml", "§11.1: a second XML declaration", `<?xml version='1.0'?><?xml version='1.0'?>${HEADER}`],
    ["restricted-xml", "§11.1: an XML declaration inside the stream", `${HEADER}<?xml version='1.0'?>`],
    ["restricted-xml", "§11.1: a document type", `<!DOCTYPE stream>${HEADER}`],
    ["restricted-xml", "§11.1: a document type inside", inside("<!DOCTYPE a [")],
    ["restricted-xml", "§11.1: an entity of one's own", inside("&lol;")],
    ["restricted-xml", "§11.1: an entity of one's own in an attribute", `${HEADER}<iq id='&lol;'/>`],
    ["restricted-xml", "§11.1: entities are told by case", inside("&AMP;")],
    ["unsupported-encoding", "§11.6: another encoding", `<?xml version='1.0' encoding='ISO-8859-1'?>${HEADER}`],
    [
      "unsupported-encoding",
      "§11.6: another encoding that is alike",
      `<?xml version='1.0' encoding='US-ASCII'?>${HEADER}`,
    ],
    ["bad-format", "§11.8: another version of XML", `<?xml version='1.1'?>${HEADER}`],
    ["bad-format", "§4.9.3.1: text between stanzas", `${HEADER}<iq/>x`],
    ["bad-format", "§4.9.3.1: a reference between stanzas", `${HEADER}&#32;`],
    ["bad-format", "§4.9.3.1: CDATA between stanzas", `${HEADER}<![CDATA[ ]]>`],
    ["bad-format", "§4.9.3.1: text of no ASCII between stanzas", `${HEADER}é`],
    ["not-well-formed", "§11.5: a malformed XML declaration", `<?xml version=1.0?>${HEADER}`],
    ["not-well-formed", "§11.5: an XML declaration without version", `<?xml encoding='UTF-8'?>${HEADER}`],
    ["not-well-formed", "§11.5: an XML declaration with more", `<?xml version='1.0' a='b'?>${HEADER}`],
    ["not-well-formed", "§11.5: a declaration that never was", `<?xml?>${HEADER}`],
    ["restricted-xml", "§11.5: white space before the XML declaration", ` <?xml version='1.0'?>${HEADER}`],
    ["not-well-formed", "§11.6: a byte order mark is a character", `\ufeff${HEADER}`],
    ["not-well-formed", "§11.3: text before the header", `x${HEADER}`],
    ["not-well-formed", "§11.3: CDATA before the header", `<![CDATA[x]]>${HEADER}`],
    ["not-well-formed", "§11.3: an end tag before the header", "</stream:stream>"],
    ["not-well-formed", "§11.3: another end tag", inside("<a></b>")],
    ["not-well-formed", "§11.3: an end tag that is longer", inside("<a></ab>")],
    ["not-well-formed", "§11.3: an end tag that is shorter", inside("<ab></a>")],
    ["not-well-formed", "§11.3: end tags out of order", inside("<a><b></a></b>")],
    ["not-well-formed", "§11.3: another prefix in the end tag", inside("<p:a xmlns:p='u' xmlns:q='u'></q:a>")],
    ["not-well-formed", "§11.3: an end tag with an attribute", inside("<a></a b='c'>")],
    ["not-well-formed", "§11.3: the stream's end inside a stanza", `${HEADER}<message></stream:stream>`],
    ["not-well-formed", "§11.3: another end of the stream", `${HEADER}</stream>`],
    ["not-well-formed", "§11.3: a space before a name", inside("< a/>")],
    ["not-well-formed", "§11.3: a name that starts with a digit", inside("<1a/>")],
    ["not-well-formed", "§11.3: a name with a character that is none of a name", inside("<a\u00d7/>")],
    ["not-well-formed", "§11.3: a name that starts with a combining mark", inside("<\u0301a/>")],
    ["not-well-formed", "§11.3: an empty tag", inside("<>")],
    ["not-well-formed", "§11.3: an attribute without value", inside("<a b/>")],
    ["not-well-formed", "§11.3: an attribute without quotes", inside("<a b=c/>")],
    ["not-well-formed", "§11.3: attributes without space", inside("<a b='c'd='e'/>")],
    ["not-well-formed", "§11.3: an attribute without name", inside("<a ='c'/>")],
    ["not-well-formed", "§11.3: an attribute given twice", inside("<a b='' c='' b=''/>")],
    ["not-well-formed", "§11.3: an attribute given twice in a header", "<a b='' b=''>"],
    ["not-well-formed", "§11.3: a < in a value", inside("<a b='<'/>")],
    ["not-well-formed", "§11.3: a slash that ends nothing", inside("<a / >")],
    ["not-well-formed", "§11.3: a & that refers to nothing", inside("a & b")],
    ["not-well-formed", "§11.3: a reference without name", inside("&;")],
    ["not-well-formed", "§11.3: a reference that does not end", inside("&amp ")],
    ["not-well-formed", "§11.3: a reference to no number", inside("&#;")],
    ["not-well-formed", "§11.3: a reference to no hexadecimal number", inside("&#x;")],
    ["not-well-formed", "§11.3: an upper-case X", inside("&#X41;")],
    ["not-well-formed", "§11.3: hexadecimal digits without x", inside("&#4a;")],
    ["not-well-formed", "§11.3: a reference to NUL", inside("&#0;")],
    ["not-well-formed", "§11.3: a reference to a control character", inside("&#x1f;")],
    ["not-well-formed", "§11.3: a reference to a surrogate", inside("&#xD800;")],
    ["not-well-formed", "§11.3: a reference to U+FFFF", inside("&#65535;")],
    ["not-well-formed", "§11.3: a reference beyond Unicode", inside("&#x110000;")],
    ["not-well-formed", "§11.3: a reference far beyond Unicode", inside(`&#x1${"0".repeat(400)}41;`)],
    ["not-well-formed", "§11.3: ]]> in text", inside("]]>")],
    ["not-well-formed", "§11.3: a control character in text", inside("\u0008")],
    ["not-well-formed", "§11.3: a control character in CDATA", inside("<![CDATA[\u0000]]>")],
    ["not-well-formed", "§11.3: a control character in a value", inside("<a b='\u001b'/>")],
    ["not-well-formed", "§11.3: a control character between stanzas", `${HEADER}\u0000`],
    ["not-well-formed", "§11.3: U+FFFE in text", inside("\ufffe")],
    ["not-well-formed", "§11.3: U+FFFF in a value", inside("<a b='\uffff'/>")],
    ["not-well-formed", "§11.3: a markup declaration", inside("<!ELEMENT a ANY>")],
    ["not-well-formed", "§11.3: a conditional section", inside("<![INCLUDE[ ]]>")],
    ["not-well-formed", "§11.3: a lower-case cdata section", inside("<![cdata[ ]]>")],
    ["not-well-formed", "§11.3: half a comment", inside("<!- -->")],
    ["not-well-formed", "§11.3: an undeclared prefix", inside("<p:a/>")],
    ["not-well-formed", "§11.3: an undeclared prefix of an attribute", inside("<a p:b=''/>")],
    ["not-well-formed", "§11.3: an undeclared prefix of a stanza", `${HEADER}<p:message/>`],
    ["not-well-formed", "§11.3: an undeclared prefix of a stanza's attribute", `${HEADER}<message p:a=''/>`],
    ["not-well-formed", "§11.3: an undeclared prefix of the header", "<stream:stream>"],
    ["not-well-formed", "§11.3: a prefix used after its scope", inside("<a xmlns:p='u'/><p:b/>")],
    ["not-well-formed", "§11.3: a prefix declared empty", inside("<a xmlns:p=''/>")],
    ["not-well-formed", "§11.3: one attribute by two prefixes", inside("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>")],
    [
      "not-well-formed",
      "§11.3: one attribute by two prefixes, on a stanza",
      `${HEADER}<iq xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>`,
    ],
    ["not-well-formed", "§11.3: a name with two colons", inside("<p:a:b xmlns:p='u'/>")],
    ["not-well-formed", "§11.3: a name that starts with a colon", inside("<:a/>")],
    ["not-well-formed", "§11.3: a name that ends with a colon", inside("<a:/>")],
    ["not-well-formed", "§11.3: a local name that is none", inside("<xml:1/>")],
    ["not-well-formed", "§11.3: the prefix xmlns declared", inside("<a xmlns:xmlns='u'/>")],
    ["not-well-formed", "§11.3: the prefix xmlns used", inside("<xmlns:a/>")],
    ["not-well-formed", "§11.3: the prefix xml bound to another namespace", inside("<a xmlns:xml='u'/>")],
    [
      "not-well-formed",
      "§11.3: the XML namespace by another prefix",
      inside("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>"),
    ],
    [
      "not-well-formed",
      "§11.3: the XML namespace as default",
      inside("<a xmlns='http://www.w3.org/XML/1998/namespace'/>"),
    ],
    [
      "not-well-formed",
      "§11.3: the XML namespace as default, deeper",
      inside("<a xmlns='u'><b xmlns='http://www.w3.org/XML/1998/namespace'/></a>"),
    ],
    ["not-well-formed", "§11.3: the xmlns namespace as default", inside("<a xmlns='http://www.w3.org/2000/xmlns/'/>")],
    [
      "not-well-formed",
      "§11.3: the xmlns namespace as default, disguised",
      inside("<a xmlns='u'><b xmlns='&#104;ttp://www.w3.org/2000/xmlns/'/></a>"),
    ],
    [
      "not-well-formed",
      "§11.3: the xmlns namespace by a prefix",
      inside("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>"),
    ],
    [
      "not-well-formed",
      "§11.3: a reserved namespace on a stanza",
      `${HEADER}<iq xmlns='http://www.w3.org/2000/xmlns/'/>`,
    ],
  ];
  test.each(table)("RFC 6120 with %s, %s", (condition, _, input) => {
    expect(refusal(input)).toBe(condition);
  });

  const encodings: readonly (readonly [StreamCondition, string, readonly number[]])[] = [
    ["unsupported-encoding", "a byte that starts nothing", [0x80]],
    ["unsupported-encoding", "an overlong sequence of two", [0xc0, 0xaf]],
    ["unsupported-encoding", "an overlong sequence of three", [0xe0, 0x9f, 0xbf]],
    ["unsupported-encoding", "an overlong sequence of four", [0xf0, 0x8f, 0xbf, 0xbf]],
    ["unsupported-encoding", "a surrogate", [0xed, 0xa0, 0x80]],
    ["unsupported-encoding", "a code point beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["unsupported-encoding", "a byte that UTF-8 does not have", [0xff]],
    ["unsupported-encoding", "a sequence of two cut off", [0xc3]],
    ["unsupported-encoding", "a sequence of three cut off", [0xe2, 0x82]],
    ["unsupported-encoding", "a sequence of four cut off", [0xf0, 0x9f, 0xa6]],
    ["not-well-formed", "U+FFFE", [0xef, 0xbf, 0xbe]],
    ["not-well-formed", "U+FFFF", [0xef, 0xbf, 0xbf]],
  ];
  test.each(encodings)("RFC 6120 §11.6, §4.9.3.22 with %s: %s, wherever it stands", (condition, _, bad) => {
    expect(refusal(bytesOf(HEADER, "<message>", bad, "</message>"))).toBe(condition);
    expect(refusal(bytesOf(HEADER, "<message a='", bad, "'/>"))).toBe(condition);
    expect(refusal(bytesOf(HEADER, "<message><![CDATA[", bad, "]]></message>"))).toBe(condition);
    expect(refusal(bytesOf(HEADER, "<message><a", bad, "/></message>"))).toBe(condition);
    expect(refusal(bytesOf(HEADER, "<message><a b", bad, "=''/></message>"))).toBe(condition);
    expect(refusal(bytesOf("<stream a='", bad, "'>"))).toBe(condition);
  });

  test("RFC 6120 §11.6: the first and last characters of each length are accepted", () => {
    const all = "\u0080\u07ff\u0800\ud7ff\ue000\ufffd\u{10000}\u{10ffff}\u007f\u0085\u2028\ufdd0\u{1fffe}";
    const raw = only(`<message a='${all}'>${all}</message>`);
    expect(readElement(raw)).toMatchObject({ attributes: { a: all }, children: [all] });
  });

  test("a scanner that has thrown is dead: it ignores what it is fed", () => {
    const seen = scan(`${HEADER}<iq/><a></b>`);
    expect(seen.error).toBe("not-well-formed");
    seen.scanner.feed(utf8("<iq/>"));
    seen.scanner.reset();
    seen.scanner.feed(utf8(`${HEADER}<iq/>`));
    seen.scanner.end();
    expect([seen.elements.length, seen.headers.length, seen.scanner.held]).toEqual([1, 1, 0]);
  });

  test("what the handler throws comes out of feed and ends the scanner", () => {
    let calls = 0;
    const scanner = new XmlScanner({
      opened: () => {
        calls++;
        throw new StreamError("host-unknown");
      },
      element: () => calls++,
      closed: () => calls++,
    });
    expect(() => scanner.feed(utf8(`${HEADER}<iq/>`))).toThrow("host-unknown");
    scanner.feed(utf8("<iq/></stream:stream>"));
    expect(calls).toBe(1);
  });

  test("the end of input is an error unless the stream was closed", () => {
    const { scanner } = scan(`${HEADER}<iq/>`);
    expect(() => scanner.end()).toThrow(StreamError);
    expect(() => scan(`${HEADER}</stream:stream>`).scanner.end()).not.toThrow();
  });
});

describe("first-level elements in normal form", () => {
  test("RFC 6120 §8.1: attributes stay escaped, the payload stays as it came", () => {
    const raw = only(
      "<message to='a@b.example' id='&lt;1&gt;'><body>a&amp;b</body> <x xmlns='urn:x'><y/></x></message>",
    );
    expect(raw).toEqual({
      name: "message",
      ns: "",
      attributes: ["to", "a@b.example", "id", "&lt;1>"],
      payload: "<body>a&amp;b</body> <x xmlns='urn:x'><y/></x>",
      index: [1, 5, -1, -1, 0, 20, 22, 23, 31, 36, 21, 46],
    });
  });

  test("XML §3.3.3: attribute values become canonical: safe between single quotes, white space normalised", () => {
    const raw = only(`<iq a="it's" b='say "x"' c='1\t2\r\n3\r4\n5' d='&#9;&#xa;&#13;' e='&#x41;&quot;&gt;' f='>'/>`);
    expect(raw.attributes).toEqual([
      "a",
      "it&apos;s",
      "b",
      'say "x"',
      "c",
      "1 2 3 4 5",
      "d",
      "&#9;&#10;&#13;",
      "e",
      'A">',
      "f",
      ">",
    ]);
  });

  test("non-ASCII stays UTF-8 in bytes", () => {
    const raw = only("<message größe='ü'><körper>ж</körper></message>");
    expect(raw.attributes).toEqual(["grÃ¶Ã\u009fe", "Ã¼"]);
    expect(raw.payload).toBe("<kÃ¶rper>Ð¶</kÃ¶rper>");
    expect(findChild(raw, "", "kÃ¶rper")).toBe(0);
    expect(readElement(raw)).toMatchObject({ attributes: { größe: "ü" }, children: [{ name: "körper" }] });
    expect(only("<größe/>").name).toBe("größe");
  });

  test("RFC 7395 §3.3.3: a stanza that declares the content namespace itself is in it", () => {
    for (const quote of ["'", '"']) {
      const raw = only(`<message xmlns=${quote}jabber:client${quote} to='a'><body/></message>`);
      expect(raw).toEqual(only("<message to='a'><body/></message>"));
    }
    expect(only("<message xmlns='jabber&#58;client'/>").ns).toBe("");
  });

  test("RFC 6120 §4.8.5: a stanza with a prefix is corrected", () => {
    const raw = only("<c:message xmlns:c='jabber:client' to='a'><c:body>x</c:body><body>y</body></c:message>");
    expect(writeRaw(raw)).toBe("<message to='a'><body>x</body><body>y</body></message>");
    expect(raw.ns).toBe("");
  });

  test("RFC 6120 §4.8.5: or refused where that is asked for, and nothing else that has a prefix", () => {
    const read = (stanza: string) => scan(HEADER + stanza, [], { prefixedStanzas: "refused" });
    const refused = read("<c:message xmlns:c='jabber:client' to='a'><body/></c:message>");
    expect(refused.error).toBe("bad-namespace-prefix");
    expect(refused.elements).toEqual([]);
    for (const stanza of [
      "<message xmlns:c='urn:c' c:d='1'><c:body/></message>",
      "<stream:error/>",
      "<p:auth xmlns:p='urn:p'/>",
      "<p:message xmlns:p='jabber:server'/>",
    ]) {
      expect(read(stanza)).toMatchObject({ error: undefined, elements: [{}] });
    }
  });

  test("RFC 6120 §4.8.3: an element in another content namespace is not in ours", () => {
    expect(only("<message xmlns='jabber:server'><body/></message>")).toMatchObject({
      ns: "jabber:server",
      payload: "<body/>",
    });
  });

  test("RFC 6120 §4.8.4: elements in other namespaces have their real one, and their children inherit it", () => {
    const raw = only("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'><a/><b xmlns=''/></auth>");
    expect(raw).toMatchObject({
      name: "auth",
      ns: "urn:ietf:params:xml:ns:xmpp-sasl",
      attributes: ["mechanism", "PLAIN"],
    });
    expect(findChild(raw, "urn:ietf:params:xml:ns:xmpp-sasl", "a")).toBe(0);
    expect(findChild(raw, "", "a")).toBe(-1);
    expect(findChild(raw, NS_NONE, "b")).toBe(1);
    expect(readElement(raw).children).toMatchObject([{ ns: "urn:ietf:params:xml:ns:xmpp-sasl" }, { ns: NS_NONE }]);
  });

  test("RFC 6120 §4.8.5: children of a prefixed element are in the default namespace, not in its own", () => {
    const raw = only("<stream:features><a/><b xmlns='urn:b'/><stream:c/></stream:features>");
    expect(raw.ns).toBe(NS_STREAM);
    expect(raw.payload).toBe("<a xmlns='jabber:client'/><b xmlns='urn:b'/><c/>");
    expect(readElement(raw).children).toMatchObject([{ ns: "jabber:client" }, { ns: "urn:b" }, { ns: NS_STREAM }]);
    expect(findChild(raw, "jabber:client", "a")).toBe(0);
    expect(findChild(raw, NS_STREAM, "c")).toBe(2);
  });

  test("RFC 6120 §4.8.3: a child that declares a content namespace is re-scoped, one nested in an extension is not", () => {
    const raw = only(
      "<message><body xmlns='jabber:client'>1</body><thread xmlns='jabber:server'><x xmlns='jabber:client'/></thread>" +
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body/></message></forwarded></message>",
    );
    expect(raw.payload).toBe(
      "<body>1</body><thread><x/></thread><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body/></message></forwarded>",
    );
    expect([
      findChild(raw, "", "body"),
      findChild(raw, "", "thread"),
      findChild(raw, "urn:xmpp:forward:0", "forwarded"),
    ]).toEqual([0, 1, 2]);
  });

  test("RFC 6120 §4.8.5: a prefix declared by the stream or the stanza is declared where it is used", () => {
    const header = HEADER.replace(">", " xmlns:p='urn:p'>");
    const raw = only("<message xmlns:q='urn:q'><p:a p:b='1' q:c='2'><d/></p:a><e/></message>", header);
    expect(raw.payload).toBe(
      "<a xmlns='urn:p' xmlns:n1='urn:p' n1:b='1' xmlns:n2='urn:q' n2:c='2'><d xmlns='jabber:client'/></a><e/>",
    );
    expect(findChild(raw, "urn:p", "a")).toBe(0);
  });

  test("a child that declares its own prefix keeps its bytes", () => {
    const child = "<p:a xmlns:p='urn:p'><p:b p:c='1'>&lt;</p:b></p:a>";
    const raw = only(`<message>${child}</message>`);
    expect(raw.payload).toBe(child);
    expect(findChild(raw, "urn:p", "a")).toBe(0);
  });

  test("a prefixed attribute of a stanza keeps the declaration it needs, and no other", () => {
    const header = HEADER.replace(">", " xmlns:p='urn:p'>");
    const raw = only("<message p:a='1' xmlns:q='urn:q' q:b='2' xmlns:r='urn:r' xml:lang='en'/>", header);
    expect(raw.attributes).toEqual(["xmlns:p", "urn:p", "p:a", "1", "xmlns:q", "urn:q", "q:b", "2", "xml:lang", "en"]);
    expect(readElement(raw).attributes).toEqual({ "{urn:p}a": "1", "{urn:q}b": "2", "xml:lang": "en" });
    expect(attributeOf(raw, "xml:lang")).toBe("en");
    expect(attributeOf(raw, "lang")).toBeUndefined();
  });

  test("a namespace written with references is found by its name", () => {
    const raw = only("<message><a xmlns='urn:&#x70;ing'/><p:b xmlns:p=\"urn:'x'&amp;y\"/></message>");
    expect(findChild(raw, "urn:ping", "a")).toBe(0);
    expect(readElement(raw).children).toMatchObject([{ ns: "urn:ping" }, { ns: "urn:'x'&y" }]);
  });

  test("the content namespace can be told, for streams that declare another", () => {
    const { elements } = scan(`<stream xmlns='${NS_STREAM}'><message xmlns='jabber:server'/>`, [], {
      content: "jabber:server",
    });
    expect(elements[0]?.ns).toBe("");
    expect(scan("<s xmlns='jabber:component:accept'><iq/>").elements[0]?.ns).toBe("");
    expect(scan("<s xmlns='urn:other'><iq/>").elements[0]?.ns).toBe("urn:other");
    expect(scan("<s><iq/>").elements[0]?.ns).toBe(NS_NONE);
  });

  test("the platform's way of slicing is used", () => {
    let calls = 0;
    const slice = (array: Uint8Array, start: number, end: number): Bytes => {
      calls++;
      return latin1(array, start, end);
    };
    const { elements } = scan(`${HEADER}<message><body>x</body></message>`, [], { latin1: slice });
    expect(elements[0]?.payload).toBe("<body>x</body>");
    expect(calls).toBeGreaterThan(0);
  });
});

/** A scanner with a handler that acts. */
const acting = (act: (scanner: XmlScanner, seen: Seen) => void): Seen & { readonly scanner: XmlScanner } => {
  const seen: Seen = { headers: [], elements: [], closed: 0, error: undefined };
  const handler = recorder(seen);
  const scanner: XmlScanner = new XmlScanner({
    ...handler,
    element: (raw) => {
      handler.element(raw);
      act(scanner, seen);
    },
  });
  return Object.assign(seen, { scanner });
};
const names = (seen: Seen): readonly string[] => seen.elements.map(({ name }) => name);

describe("restarting and pausing", () => {
  const second = HEADER.replace("jabber:client", "jabber:server");

  test.each([1, 2, 7, 1000])(
    "RFC 6120 §4.3.3: a reset in a callback begins a new stream at once (chunks of %i)",
    (size) => {
      const seen = acting((scanner, { elements }) => {
        if (elements.at(-1)?.name === "auth") scanner.reset();
      });
      const bytes = utf8(`${HEADER}<auth xmlns='urn:s'/>\n<?xml version='1.0'?>${second}<iq/></stream:stream>`);
      for (let at = 0; at < bytes.length; at += size) seen.scanner.feed(bytes, at, Math.min(at + size, bytes.length));
      expect(seen.headers.map(({ content }) => content)).toEqual(["jabber:client", "jabber:server"]);
      expect(seen.elements.map(({ name, ns }) => [name, ns])).toEqual([
        ["auth", "urn:s"],
        ["iq", ""],
      ]);
      expect(seen.closed).toBe(1);
    },
  );

  test.each([1, 5, 1000])(
    "RFC 6120 §4.3.3: pause, then reset and resume: what came meanwhile is the new stream (chunks of %i)",
    (size) => {
      const seen = acting((scanner, { elements }) => {
        if (elements.at(-1)?.name === "auth") scanner.pause();
      });
      const bytes = utf8(`${HEADER}<auth/><?xml version='1.0'?>${second}<iq><a/></iq><mess`);
      for (let at = 0; at < bytes.length; at += size) {
        const chunk = bytes.slice(at, at + size);
        seen.scanner.feed(chunk);
        chunk.fill(0);
      }
      expect(names(seen)).toEqual(["auth"]);
      expect(seen.scanner.paused).toBe(true);
      expect(seen.scanner.held).toBe(bytes.length - HEADER.length - "<auth/>".length);
      seen.scanner.reset();
      seen.scanner.resume();
      expect(names(seen)).toEqual(["auth", "iq"]);
      expect(seen.scanner.held).toBe(5);
      seen.scanner.feed(utf8("age/>"));
      expect(names(seen)).toEqual(["auth", "iq", "message"]);
      expect(seen.scanner.held).toBe(0);
    },
  );

  test.each([1, 3, 1000])(
    "RFC 6120 §5.4.2.3: bytes after <starttls/> are not read as XML but handed back (chunks of %i)",
    (size) => {
      const seen = acting((scanner) => scanner.pause());
      const bytes = bytesOf(
        HEADER,
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        [0x16, 0x03, 0x01, 0xff, 0x00],
      );
      for (let at = 0; at < bytes.length; at += size) seen.scanner.feed(bytes, at, Math.min(at + size, bytes.length));
      expect([...seen.scanner.remainder()]).toEqual([0x16, 0x03, 0x01, 0xff, 0x00]);
      expect(seen.scanner.held).toBe(0);
      expect(seen.scanner.remainder().length).toBe(0);
      seen.scanner.reset();
      seen.scanner.resume();
      seen.scanner.feed(utf8(`${HEADER}<iq/>`));
      expect([seen.headers.length, names(seen)]).toEqual([2, ["starttls", "iq"]]);
    },
  );

  test("back-pressure: one element a resume", () => {
    const seen = acting((scanner) => scanner.pause());
    seen.scanner.feed(utf8(`${HEADER}<a/> <b/><c/></stream:stream>`));
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      counts.push(seen.elements.length);
      seen.scanner.resume();
    }
    expect(counts).toEqual([1, 2, 3]);
    expect([names(seen), seen.closed]).toEqual([["a", "b", "c"], 1]);
  });

  test("back-pressure: what was kept is not copied for each element, and more may come meanwhile", () => {
    const seen = acting((scanner) => scanner.pause());
    seen.scanner.feed(utf8(HEADER + "<a/>".repeat(1000)));
    let copied = 0;
    const { set } = Uint8Array.prototype;
    Uint8Array.prototype.set = function (this: Uint8Array, source: ArrayLike<number>, at?: number) {
      copied += source.length;
      set.call(this, source, at);
    };
    try {
      for (let turn = 0; turn < 500; turn++) seen.scanner.resume();
    } finally {
      Uint8Array.prototype.set = set;
    }
    expect([copied, seen.elements.length, seen.scanner.held]).toEqual([0, 501, 499 * 4]);
    seen.scanner.feed(utf8("<b><c>".repeat(1) + "</c></b".repeat(1)));
    for (let turn = 0; turn < 499; turn++) seen.scanner.resume();
    expect([seen.elements.length, seen.scanner.held]).toEqual([1000, 13]);
    seen.scanner.resume();
    seen.scanner.feed(utf8("><d/>"));
    seen.scanner.resume();
    expect(names(seen).slice(-2)).toEqual(["b", "d"]);
    expect(seen.scanner.held).toBe(0);
  });

  test("a pause from outside holds an element that is not complete, and resume goes on with it", () => {
    const seen = acting(() => {});
    seen.scanner.feed(utf8(`${HEADER}<message><bo`));
    seen.scanner.pause();
    seen.scanner.feed(utf8("dy>x</body></mes"));
    seen.scanner.feed(utf8("sage><iq/>"));
    expect(names(seen)).toEqual([]);
    seen.scanner.resume();
    expect(names(seen)).toEqual(["message", "iq"]);
    expect(seen.elements[0]?.payload).toBe("<body>x</body>");
  });

  test("a pause after the very last byte that was kept loses nothing of what comes during it", () => {
    const seen = acting((scanner) => scanner.pause());
    seen.scanner.feed(utf8(`${HEADER}<a/><b/>`));
    seen.scanner.resume();
    expect(names(seen)).toEqual(["a", "b"]);
    seen.scanner.feed(utf8("<c/><d/>"));
    seen.scanner.resume();
    seen.scanner.resume();
    expect(names(seen)).toEqual(["a", "b", "c", "d"]);
  });

  test("RFC 6120 §4.3.3: a reset in a second pause goes on after the element at hand, whatever came before it", () => {
    const seen = acting((scanner) => scanner.pause());
    seen.scanner.feed(utf8(`${HEADER}<a/><auth/>${second}<iq/>`));
    seen.scanner.resume();
    expect(names(seen)).toEqual(["a", "auth"]);
    seen.scanner.reset();
    seen.scanner.resume();
    expect([seen.headers.length, names(seen)]).toEqual([2, ["a", "auth", "iq"]]);
  });

  test("a pause that is undone in the same callback is none", () => {
    const seen = acting((scanner) => {
      scanner.pause();
      scanner.resume();
    });
    seen.scanner.feed(utf8(`${HEADER}<a/><b/>`));
    expect(names(seen)).toEqual(["a", "b"]);
  });

  test("errors in what was kept come out of resume", () => {
    const seen = acting((scanner) => scanner.pause());
    seen.scanner.feed(utf8(`${HEADER}<a/></b>`));
    expect(() => seen.scanner.resume()).toThrow(StreamError);
  });

  test("a reset from outside forgets half an element", () => {
    const seen = acting(() => {});
    seen.scanner.feed(utf8(`${HEADER}<message><body>`));
    seen.scanner.reset();
    seen.scanner.feed(utf8(`${second}<iq/>`));
    expect([seen.headers.length, names(seen)]).toEqual([2, ["iq"]]);
  });

  test("a pause in the callbacks of header and end holds too", () => {
    const seen: Seen = { headers: [], elements: [], closed: 0, error: undefined };
    const handler = recorder(seen);
    const scanner: XmlScanner = new XmlScanner({
      ...handler,
      opened: (header) => {
        handler.opened(header);
        scanner.pause();
      },
    });
    scanner.feed(utf8(`${HEADER}<iq/>`));
    expect([seen.headers.length, seen.elements.length]).toEqual([1, 0]);
    scanner.resume();
    expect(seen.elements.length).toBe(1);
  });

  test("a scanner cannot be fed, nor emptied, from its own handler, but another can", () => {
    const other = acting(() => {});
    other.scanner.feed(utf8(HEADER));
    const errors: unknown[] = [];
    const seen = acting((scanner, { elements }) => {
      if (elements.length > 1) return;
      other.scanner.feed(utf8("<message><a/><b/></message><x"));
      for (const forbidden of [() => scanner.feed(utf8("<iq/>")), () => scanner.remainder()]) {
        try {
          forbidden();
        } catch (error) {
          errors.push(error);
        }
      }
    });
    seen.scanner.feed(utf8(`${HEADER}<message><c><d/></c></message>`));
    expect(errors.every((error) => error instanceof TypeError)).toBe(true);
    expect(errors.length).toBe(2);
    expect([names(seen), names(other)]).toEqual([["message"], ["message"]]);
    seen.scanner.feed(utf8("<iq/>"));
    other.scanner.feed(utf8("/>"));
    expect([names(seen), names(other)]).toEqual([
      ["message", "iq"],
      ["message", "x"],
    ]);
  });

  test("limits raised in a callback hold from the next element on", () => {
    const seen = acting((scanner) => {
      scanner.limits = SCANNER_LIMITS;
    });
    seen.scanner.limits = { ...SCANNER_LIMITS, stanzaBytes: 100 };
    seen.scanner.feed(utf8(`${HEADER}<auth/><message>${"x".repeat(200)}</message>`));
    expect(names(seen)).toEqual(["auth", "message"]);
  });
});

describe("documents (RFC 7395 §3.3.3)", () => {
  test("each frame is a document of its own", () => {
    const seen: Seen = { headers: [], elements: [], closed: 0, error: undefined };
    const scanner = new XmlScanner(recorder(seen), { framing: "document" });
    for (const frame of [
      "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im.example' version='1.0'/>",
      "<?xml version='1.0'?><message xmlns='jabber:client'><body>x</body></message> ",
      "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:b'/></stream:features>",
    ]) {
      scanner.feed(utf8(frame));
      scanner.end();
      scanner.reset();
    }
    expect(seen.elements.map(({ name, ns }) => [name, ns])).toEqual([
      ["open", "urn:ietf:params:xml:ns:xmpp-framing"],
      ["message", ""],
      ["features", NS_STREAM],
    ]);
    expect(seen.headers).toEqual([]);
  });

  test.each(["<a/><b/>", "<a/>x", "<a/></a>", "", " ", "<a>", "<a/><!", "<a/>\u0000"])("%j is no document", (frame) => {
    expect(verdict(utf8(frame))).toBe("not-well-formed");
  });

  test("RFC 6120 §11.1: nothing restricted may follow either", () => {
    expect(verdict(utf8("<a/><!-- -->"))).toBe("restricted-xml");
    expect(verdict(utf8("<a/><?b?>"))).toBe("restricted-xml");
  });
});

test("errors are StreamErrors with a text", () => {
  try {
    scan(HEADER).scanner.feed(utf8("<a></b>"));
    expect.unreachable();
  } catch (error) {
    expect(conditionOf(error)).toBe("not-well-formed");
    expect((error as StreamError).text).toBe("An end tag does not match its start tag");
  }
});
