import { describe, expect, test } from "vitest";
import { type Bytes, toBytes } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { childOf, element, textOf } from "./element.ts";
import { readNodes } from "./nodes.ts";
import { parseElement, parseRaw, readChild, readPayload } from "./read.ts";
import { SCANNER_LIMITS } from "./scanner.ts";
import { CONTENT_SCOPE } from "./scope.ts";

describe("reading trees", () => {
  test("XML §2.11, §2.7: line ends become LF, CDATA and references become text, neighbours become one", () => {
    expect(parseElement("<a>1\r\n2\r3&#13;<![CDATA[<b>&amp;\r\n]]>&lt;<b/>4</a>").children).toEqual([
      "1\n2\n3\r<b>&amp;\n<",
      element("", "b"),
      "4",
    ]);
  });

  test("XML §3.3.3: white space in attributes becomes spaces, references to it stay what they say", () => {
    expect(parseElement("<a b=' x\r\n\ty ' c='&#10;'/>").attributes).toEqual({ b: " x  y ", c: "\n" });
  });

  test("empty text is absent", () => {
    expect(parseElement("<a><![CDATA[]]><b></b></a>").children).toEqual([element("", "b")]);
  });

  test("a child is read without the others", () => {
    const raw = parseRaw(toBytes("<message><body>ü</body>text<x xmlns='urn:x'><y/></x></message>"));
    expect(readChild(raw, 0)).toEqual(element("", "body", {}, ["ü"]));
    expect(readChild(raw, 1)).toEqual(element("urn:x", "x", {}, [element("urn:x", "y")]));
    expect(readPayload(raw.payload)).toEqual([readChild(raw, 0), "text", readChild(raw, 1)]);
  });

  test("the content namespace is the empty string, whichever it is", () => {
    expect(parseElement("<iq xmlns='jabber:server'/>", { content: "jabber:server" }).ns).toBe("");
    expect(parseElement("<iq xmlns='jabber:server'/>").ns).toBe("jabber:server");
    const tree = parseElement("<iq xmlns='jabber:client'><query xmlns='jabber:iq:roster'><item/></query></iq>");
    expect(textOf(childOf(tree, "query", "jabber:iq:roster"))).toBe("");
    expect(childOf(tree, "query", "jabber:iq:roster")?.children).toMatchObject([{ ns: "jabber:iq:roster" }]);
  });

  test.each(["", " ", "<a>", "<a/><b/>", "text", "<a/>text", "</stream>", "<a/></stream>", "<a/><b", "<p:a/>"])(
    "%j is not one element",
    (text) => {
      expect(() => parseElement(text)).toThrow(StreamError);
    },
  );

  test("white space around it does not matter", () => {
    expect(parseElement("\n  <a/>\n")).toEqual(element("", "a"));
  });

  test("limits can be given", () => {
    expect(() => parseElement("<a><b/></a>", { limits: { ...SCANNER_LIMITS, depth: 1 } })).toThrow("Too many");
  });

  test("depth does not exhaust the stack", () => {
    const depth = 200_000;
    const nodes = readNodes(("<a>".repeat(depth) + "</a>".repeat(depth)) as Bytes, CONTENT_SCOPE);
    expect(nodes.length).toBe(1);
  });

  test.each(["<a>", "</a>", "<a", "<a b='", "<a b", "<![CDATA[", "<"])(
    "a payload that was never checked throws or ends, it does not hang: %j",
    (payload) => {
      let result: unknown;
      try {
        result = readPayload(payload as Bytes);
      } catch (error) {
        result = error;
      }
      expect(result instanceof StreamError || Array.isArray(result)).toBe(true);
    },
  );
});
