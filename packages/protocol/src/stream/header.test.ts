import { describe, expect, test } from "vitest";
import { type Bytes, toBytes, toText, toUint8Array } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { type ContentNamespace, type StreamTag, XmlScanner } from "../xml/scanner.ts";
import { checkStreamTag, headerOf, parseVersion, responseVersion, STREAM_END, writeHeader } from "./header.ts";
import { NS_STREAMS } from "./namespaces.ts";

/** What the scanner makes of a header. */
const tagOf = (header: string): StreamTag => {
  let found: StreamTag | undefined;
  const scanner = new XmlScanner({
    opened: (tag) => {
      found = tag;
    },
    element: () => {},
    closed: () => {},
  });
  scanner.feed(toUint8Array(toBytes(header)));
  if (found === undefined) throw new Error("no header");
  return found;
};
const conditionOf = (header: string, content: ContentNamespace = "jabber:client"): string | undefined => {
  try {
    checkStreamTag(tagOf(header), content);
    return undefined;
  } catch (error) {
    return error instanceof StreamError ? error.condition : String(error);
  }
};

describe("RFC 6120 §4.7.5: versions", () => {
  test.each([
    ["1.0", { major: 1, minor: 0 }],
    ["0.9", { major: 0, minor: 9 }],
    ["12.3", { major: 12, minor: 3 }],
    ["6.01", { major: 6, minor: 1 }],
    ["001.000", { major: 1, minor: 0 }],
    ["0.0", { major: 0, minor: 0 }],
    ["999999999.999999999", { major: 999_999_999, minor: 999_999_999 }],
  ])("RFC 6120 §4.7.5: %s is two integers", (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  test.each([
    "",
    "1",
    "1.",
    ".1",
    "1.0.0",
    "-1.0",
    "+1.0",
    " 1.0",
    "1.0 ",
    "1.0\n",
    "1,0",
    "0x1.0",
    "1e1.0",
    "١.٠",
    "9999999999.0",
  ])("RFC 6120 §4.7.5: %j is no version", (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  test.each([
    [undefined, undefined],
    ["1.0", { major: 1, minor: 0 }],
    ["0.9", { major: 0, minor: 9 }],
    ["1.13", { major: 1, minor: 0 }],
    ["2.0", { major: 1, minor: 0 }],
    ["what", { major: 1, minor: 0 }],
  ])("RFC 6120 §4.7.5: %s is answered with the lower of theirs and ours", (given, answer) => {
    expect(responseVersion(given)).toEqual(answer);
  });
});

describe("RFC 6120 §4.7: reading", () => {
  test("RFC 6120 §4.7.6: the attributes there are, as text", () => {
    const tag = tagOf(
      `<stream:stream to='capulet.example' from='a&amp;b' id='x' version='1.0' xml:lang='de-CH' xmlns='jabber:client' xmlns:stream='${NS_STREAMS}'>`,
    );
    expect(headerOf(tag)).toEqual({ to: "capulet.example", from: "a&b", id: "x", version: "1.0", lang: "de-CH" });
  });

  test("RFC 6120 §4.7.6: none of them", () => {
    expect(headerOf(tagOf(`<stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}'>`))).toEqual({
      to: undefined,
      from: undefined,
      id: undefined,
      version: undefined,
      lang: undefined,
    });
  });

  test.each([
    ["en", true],
    ["zh-Hant-TW", true],
    ["x-klingon", true],
    ["", false],
    ["e n", false],
    ["en_GB", false],
    ["-en", false],
    ["en-", false],
    ["toolonglanguage", false],
    ["&lt;b/&gt;", false],
    ["é", false],
  ])("RFC 6120 §4.7.4: %s is a language tag: %s", (lang, is) => {
    const tag = tagOf(`<stream:stream xml:lang='${lang}' xmlns='jabber:client' xmlns:stream='${NS_STREAMS}'>`);
    expect(headerOf(tag).lang !== undefined).toBe(is);
  });
});

describe("RFC 6120 §4.8: namespaces of a header", () => {
  test.each([
    ["the usual one", `<stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}'>`],
    ["prefix-free", `<stream xmlns='${NS_STREAMS}'>`],
    ["prefix-free, with the prefix declared beside it", `<stream xmlns='${NS_STREAMS}' xmlns:stream='${NS_STREAMS}'>`],
    ["without content namespace", `<stream:stream xmlns:stream='${NS_STREAMS}'>`],
    [
      "with xml declared",
      `<stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}' xmlns:xml='http://www.w3.org/XML/1998/namespace'>`,
    ],
  ])("RFC 6120 §4.8.2: %s is right", (_, header) => {
    expect(conditionOf(header)).toBeUndefined();
  });

  test.each([
    ["invalid-namespace", "<stream:stream xmlns='jabber:client' xmlns:stream='http://wrong.example/'>"],
    ["invalid-namespace", "<stream xmlns='jabber:client'>"],
    ["invalid-namespace", "<stream>"],
    ["invalid-namespace", `<stream:stream xmlns='jabber:server' xmlns:stream='${NS_STREAMS}'>`],
    ["invalid-namespace", `<stream:stream xmlns='urn:example' xmlns:stream='${NS_STREAMS}'>`],
    [
      "invalid-namespace",
      `<stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}' xmlns:db='jabber:server:dialback'>`,
    ],
    ["bad-namespace-prefix", `<s:stream xmlns='jabber:client' xmlns:s='${NS_STREAMS}'>`],
    ["bad-format", `<stream:flow xmlns='jabber:client' xmlns:stream='${NS_STREAMS}'>`],
    ["bad-format", `<Stream xmlns='${NS_STREAMS}'>`],
  ])("RFC 6120 §4.8: %s for %s", (condition, header) => {
    expect(conditionOf(header)).toBe(condition);
  });

  test("XEP-0114 §3: a component's stream has its own content namespace", () => {
    const header = `<stream:stream xmlns='jabber:component:accept' xmlns:stream='${NS_STREAMS}'>`;
    expect(conditionOf(header, "jabber:component:accept")).toBeUndefined();
    expect(conditionOf(header)).toBe("invalid-namespace");
  });
});

describe("RFC 6120 §4.7: writing", () => {
  test("RFC 6120 §11.5: declaration, attributes, namespaces", () => {
    expect(
      writeHeader({
        content: "jabber:client",
        from: "capulet.example",
        to: "juliet@capulet.example",
        id: "i",
        lang: "en",
        version: { major: 1, minor: 0 },
      }),
    ).toBe(
      "<?xml version='1.0'?><stream:stream from='capulet.example' to='juliet@capulet.example' id='i' version='1.0' xml:lang='en' " +
        "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
  });

  test("RFC 6120 §4.7: what is not given is not there; what is empty is (§4.9.1.3)", () => {
    expect(writeHeader({ content: "jabber:component:accept", from: "" })).toBe(
      "<?xml version='1.0'?><stream:stream from='' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>",
    );
  });

  test("values are escaped, and what is written is read back", () => {
    const values = { from: "bücher.example", to: `o'neill & "co" <x>@capulet.example`, id: "<&'\">\t", lang: "en" };
    const written = writeHeader({ content: "jabber:client", ...values, version: { major: 1, minor: 0 } });
    const tag = tagOf(toText(written));
    expect(headerOf(tag)).toEqual({ ...values, version: "1.0" });
    expect(() => checkStreamTag(tag, "jabber:client")).not.toThrow();
  });

  test("RFC 6120 §4.4: the end of a stream ends what the header began", () => {
    let isClosed = false;
    const scanner = new XmlScanner({
      opened: () => {},
      element: () => {},
      closed: () => {
        isClosed = true;
      },
    });
    scanner.feed(toUint8Array((writeHeader({ content: "jabber:client" }) + STREAM_END) as Bytes));
    expect(isClosed).toBe(true);
  });
});
