import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bytes, toBytes, toText } from "../bytes.ts";
import { element, NS_NONE, NS_XML } from "./element.ts";
import { NO_CHILDREN } from "./raw.ts";
import { parseElement, readElement } from "./read.ts";
import { infoset, plain } from "./test-support.ts";
import {
  escapeAttribute,
  escapeText,
  rawOf,
  unescape as unescaped,
  writeElement,
  writePayload,
  writeRaw,
} from "./write.ts";

describe("escaping", () => {
  test("XML §2.4: text", () => {
    expect(escapeText("a<b>&\"c'\t\n\r]]>")).toBe("a&lt;b&gt;&amp;\"c'\t\n&#13;]]&gt;");
    expect(escapeText("ü")).toBe("Ã¼");
  });

  test("XML §3.3.3: attribute values between single quotes", () => {
    expect(escapeAttribute("a<b>&\"c'\t\n\r")).toBe('a&lt;b>&amp;"c&apos;&#9;&#10;&#13;');
  });

  test("XML §2.2: what XML cannot carry becomes U+FFFD", () => {
    const bad = "\0\u0008\u000b\u000c\u001f\ufffe\uffff\ud800";
    const replaced = toBytes("\ufffd".repeat(8));
    expect(escapeText(bad)).toBe(replaced);
    expect(escapeAttribute(bad)).toBe(replaced);
    expect(escapeText("\u007f\u0085\u{1ffff}\u{10ffff}")).toBe(toBytes("\u007f\u0085\u{1ffff}\u{10ffff}"));
  });

  test("XML §4.1, §4.6: the inverse knows five entities and character references, and leaves the rest", () => {
    expect(unescaped("&amp;&lt;&gt;&apos;&quot;&#65;&#x42;&#x1F98A;" as Bytes)).toBe("&<>'\"AB🦊");
    expect(unescaped("&nope;&#x110000;&#;& &amp" as Bytes)).toBe("&nope;&#x110000;&#;& &amp");
    expect(unescaped("&amp;lt;" as Bytes)).toBe("&lt;");
    expect(unescaped(toBytes("größe"))).toBe("größe");
  });

  test("escaping and back is the identity, for any text that XML can carry", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        // XML §2.2, Char: all else is replaced.
        const carried = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
        expect(unescaped(escapeText(text))).toBe(carried);
        expect(unescaped(escapeAttribute(text))).toBe(carried);
      }),
    );
  });
});

describe("elements", () => {
  test("RFC 6120 §4.8.5: the content namespace is not declared, others are where they change", () => {
    const tree = element("", "message", { to: "a'b", type: undefined }, [
      element("", "body", {}, ["<hi>"]),
      element("urn:x", "x", {}, [element("urn:x", "y"), element("urn:z", "z", {}, [element("urn:x", "y")])]),
    ]);
    expect(writeElement(tree)).toBe(
      "<message to='a&apos;b'><body>&lt;hi&gt;</body><x xmlns='urn:x'><y/><z xmlns='urn:z'><y xmlns='urn:x'/></z></x></message>",
    );
  });

  test("RFC 6120 §4.8.3: a content element inside an extension is written with a namespace of its own", () => {
    const tree = element("urn:x", "x", {}, [element("", "message", {}, [element("", "body")])]);
    expect(writeElement(tree)).toBe("<x xmlns='urn:x'><message xmlns='jabber:client'><body/></message></x>");
    expect(writeElement(tree, "urn:x", "jabber:server")).toBe(
      "<x><message xmlns='jabber:server'><body/></message></x>",
    );
    expect(parseElement(toText(writeElement(tree))).children).toMatchObject([{ ns: "jabber:client" }]);
  });

  test("an element in no namespace at all", () => {
    const tree = element("urn:x", "x", {}, [element(NS_NONE, "a", {}, [element(NS_NONE, "b")])]);
    expect(writeElement(tree)).toBe("<x xmlns='urn:x'><a xmlns=''><b/></a></x>");
    expect(parseElement(toText(writeElement(tree)))).toEqual(tree);
  });

  test("Namespaces in XML §3: elements in the XML namespace have its prefix", () => {
    const tree = element("", "message", {}, [element(NS_XML, "a", {}, [element("urn:x", "b"), element(NS_XML, "c")])]);
    const written = toText(writeElement(tree));
    expect(plain(parseElement(written))).toEqual(plain(tree));
    expect(infoset(written).children).toMatchObject([{ ns: NS_XML, children: [{ ns: "urn:x" }, { ns: NS_XML }] }]);
    expect(writeRaw(rawOf(element(NS_XML, "a", {}, [element(NS_XML, "b")])))).toBe(
      `<xml:a><xml:b xmlns:xml='${NS_XML}'/></xml:a>`,
    );
  });

  test("attributes in namespaces get prefixes, one for each namespace", () => {
    const tree = element("urn:x", "x", { "xml:lang": "de", "{urn:a}b": "1", "{urn:c}d": "2", "{urn:a}e": "3", f: "4" });
    expect(writeElement(tree)).toBe(
      "<x xmlns='urn:x' xml:lang='de' xmlns:n1='urn:a' n1:b='1' xmlns:n2='urn:c' n2:d='2' n1:e='3' f='4'/>",
    );
    expect(parseElement(toText(writeElement(tree)))).toEqual(tree);
    expect(writeElement(element("", "a", { [`{${NS_XML}}lang`]: "de" }))).toBe("<a xml:lang='de'/>");
  });

  test("attributes with the names of an object's own members", () => {
    const tree = element("", "a", JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}'));
    expect(writeElement(tree)).toBe("<a __proto__='1' constructor='2' toString='3'/>");
    expect(plain(parseElement(toText(writeElement(tree))))).toEqual(plain(tree));
  });

  test.each(["", "a b", "a:b", "1", "a>", "é\u00d7", "-", "a\n"])("a name that is none is refused: %j", (name) => {
    expect(() => writeElement(element("", name))).toThrow(TypeError);
    expect(() => writeElement(element("", "a", { [name]: "1" }))).toThrow(TypeError);
    expect(() => writeElement(element("", "a", { [`xml:${name}`]: "1" }))).toThrow(TypeError);
    expect(() => writeElement(element("", "a", { [`{urn:x}${name}`]: "1" }))).toThrow(TypeError);
  });

  test("a namespace declaration is no attribute", () => {
    expect(() => writeElement(element("", "a", { xmlns: "urn:x" }))).toThrow(TypeError);
    expect(() => writeElement(element("", "a", { "xmlns:p": "urn:x" }))).toThrow(TypeError);
  });

  test("any tree of any text is written as XML that means it", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(text, text, fc.constantFrom("urn:x", "urn:'&<>\"", "größe"), (value, content, ns) => {
        const tree = element(ns, "größe", { a: value, [`{${ns}}b`]: value }, [
          content,
          element("urn:y", "y", {}, [content]),
        ]);
        expect(plain(infoset(toText(writeElement(tree))))).toEqual(plain(tree));
        expect(plain(readElement(rawOf(tree)))).toEqual(plain(tree));
      }),
    );
  });
});

describe("stanzas", () => {
  test("a payload with its index", () => {
    expect(writePayload([element("", "body", {}, ["ü"]), element("urn:x", "x")])).toEqual({
      payload: "<body>Ã¼</body><x xmlns='urn:x'/>",
      index: [1, 5, -1, -1, 0, 15, 16, 17, 25, 30, 15, 33],
    });
    expect(writePayload([])).toEqual({ payload: "", index: NO_CHILDREN });
    expect(writePayload(["text"])).toEqual({ payload: "text", index: NO_CHILDREN });
  });

  test("RFC 7395 §3.3.3: a stanza that stands alone declares its namespace", () => {
    const raw = rawOf(element("", "message", { id: "1" }, [element("", "body")]));
    expect(writeRaw(raw)).toBe("<message id='1'><body/></message>");
    expect(writeRaw(raw, "jabber:client")).toBe("<message xmlns='jabber:client' id='1'><body/></message>");
    expect(writeRaw(rawOf(element("urn:x", "x")), "jabber:client")).toBe("<x xmlns='urn:x'/>");
  });
});
