import { describe, expect, test } from "vitest";
import { StreamError } from "../errors.ts";
import { readElement } from "./read.ts";
import { SCANNER_LIMITS, type ScannerLimits, XmlScanner } from "./scanner.ts";
import { everyNth, HEADER, recorder, type Seen, scan, utf8 } from "./test-support.ts";

const LIMITS: ScannerLimits = { stanzaBytes: 10_000, depth: 8, attributes: 4, children: 5, prefixes: 3 };
/** How much more than the limit may be held: what is taken over of a chunk at once. */
const SLACK = 4096;

/** Feeds `start`, then `again` over and over, in chunks. Gives the condition and how much was held at most. */
const flood = (start: string, again: string, chunkBytes: number, limits = LIMITS) => {
  const seen: Seen = { headers: [], elements: [], closed: 0, error: undefined };
  const scanner = new XmlScanner(recorder(seen), { limits });
  scanner.feed(utf8(HEADER + start));
  const bytes = utf8(again.repeat((3 * limits.stanzaBytes + chunkBytes) / again.length));
  let most = 0;
  let fed = 0;
  try {
    for (; fed < bytes.length; fed += chunkBytes) {
      scanner.feed(bytes, fed, Math.min(fed + chunkBytes, bytes.length));
      most = Math.max(most, scanner.held);
    }
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return { condition: error.condition, most, fed, held: scanner.held };
  }
  return { condition: undefined, most, fed, held: scanner.held };
};

describe("RFC 6120 §4.9.3.14: what never ends is refused at the limit, and no more than it is held", () => {
  const endless: readonly (readonly [string, string, string])[] = [
    ["text", "<message><body>", "x"],
    ["text of no ASCII", "<message><body>", "я"],
    ["text that escapes", "<message><body>", "&amp;"],
    ["CDATA", "<message><![CDATA[", "]"],
    ["an attribute value", "<message a='", "x"],
    ["an attribute value in another quote", "<message a='", '"'],
    ["a character reference", "<message>&#", "0"],
    ["an entity name", "<message>&", "a"],
    ["an element name", "<", "a"],
    ["a name of no ASCII", "<", "名"],
    ["an attribute name", "<message ", "a"],
    ["white space in a start tag", "<message", " "],
    ["white space before a value", "<message a=", "\n"],
    ["white space in an end tag", "<message></message", "\t"],
    ["white space in the stream's end tag", "</stream:stream", "\t"],
  ];
  for (const [what, start, again] of endless) {
    test.each([1, 1000, 65_536])(`${what}, in chunks of %i bytes`, (chunk) => {
      const { condition, most, fed, held } = flood(start, again, chunk);
      expect(condition).toBe("policy-violation");
      expect(most).toBeLessThanOrEqual(LIMITS.stanzaBytes + SLACK);
      expect(fed).toBeLessThanOrEqual(LIMITS.stanzaBytes + chunk);
      expect(held).toBe(0);
    });
  }

  test("a header and an XML declaration have the same limit", () => {
    const limits = { ...LIMITS, stanzaBytes: 200 };
    expect(scan(`<stream:stream to='${"a".repeat(200)}`, [], { limits }).error).toBe("policy-violation");
    expect(scan(`<?xml version='1.0'${" ".repeat(200)}`, [], { limits }).error).toBe("policy-violation");
  });

  test("RFC 6120 §11.7: white space between elements may go on for ever and is not held", () => {
    const { condition, most } = flood("", " \n", 1000);
    expect(condition).toBeUndefined();
    expect(most).toBe(0);
  });

  test("an element of exactly the limit is accepted, one byte more is not, however it is cut", () => {
    const limits = { ...LIMITS, stanzaBytes: 200 };
    const stanza = (bytes: number): string => `<message>${"x".repeat(bytes - "<message></message>".length)}</message>`;
    for (const size of [1, 7, 199, 200, 201, 1000]) {
      const accepted = HEADER + stanza(200) + stanza(200);
      expect(scan(accepted, everyNth(accepted.length, size), { limits }).elements.length).toBe(2);
      const refused = HEADER + stanza(200) + stanza(201);
      const seen = scan(refused, everyNth(refused.length, size), { limits });
      expect([seen.error, seen.elements.length]).toEqual(["policy-violation", 1]);
    }
  });

  test("the limit is raised after authentication", () => {
    const { scanner, elements } = scan(`${HEADER}<message>`, [], { limits: { ...LIMITS, stanzaBytes: 120 } });
    scanner.limits = SCANNER_LIMITS;
    scanner.feed(utf8(`${"x".repeat(100_000)}</message>`));
    expect(elements[0]?.payload.length).toBe(100_000);
  });
});

describe("RFC 6120 §4.9.3.14: counted things have limits", () => {
  const nested = (depth: number): string => "<a>".repeat(depth) + "</a>".repeat(depth);
  const attributes = (count: number): string => Array.from({ length: count }, (_, at) => ` a${at}=''`).join("");
  const prefixes = (count: number): string =>
    Array.from({ length: count }, (_, at) => ` xmlns:p${at}='urn:p'`).join("");

  test.each([
    ["depth", nested(8), nested(9)],
    ["attributes of a stanza", `<iq${attributes(4)}/>`, `<iq${attributes(5)}/>`],
    ["attributes of a child", `<iq><a${attributes(4)}/><a${attributes(4)}/></iq>`, `<iq><a${attributes(5)}/></iq>`],
    [
      "attributes of a child of a stanza with some",
      `<iq${attributes(3)}><a${attributes(4)}/></iq>`,
      `<iq${attributes(3)}><a${attributes(5)}/></iq>`,
    ],
    ["children", `<iq>${"<a><b/><b/></a>".repeat(5)}</iq>`, `<iq>${"<a/>".repeat(6)}</iq>`],
    ["prefixes", `<iq><a${prefixes(3)}/></iq>`, `<iq><a${prefixes(2)}/><a${prefixes(2)}/></iq>`],
    [
      "prefixes of a stanza and below",
      `<iq${prefixes(2)}><a${prefixes(1)}/></iq>`,
      `<iq${prefixes(2)}><a${prefixes(2)}/></iq>`,
    ],
  ])("%s", (_, accepted, refused) => {
    for (const size of [1, 5, 10_000]) {
      // Twice, so that nothing is counted across elements.
      const twice = HEADER + accepted + accepted;
      expect(scan(twice, everyNth(twice.length, size), { limits: LIMITS })).toMatchObject({ error: undefined });
      const once = HEADER + refused;
      expect(scan(once, everyNth(once.length, size), { limits: LIMITS }).error).toBe("policy-violation");
    }
  });

  test("attributes and prefixes of the header", () => {
    expect(scan(`<s${attributes(5)}>`, [], { limits: LIMITS }).error).toBe("policy-violation");
    expect(scan(`<s${prefixes(4)}>`, [], { limits: LIMITS }).error).toBe("policy-violation");
    expect(scan(`<s${prefixes(3)}><iq${prefixes(3)}/>`, [], { limits: LIMITS }).elements.length).toBe(1);
  });

  test("10^5 attributes, declarations, levels and children are refused within the defaults before they are all read", () => {
    for (const [start, again] of [
      ["<message", attributes(100_000)],
      ["<message", prefixes(100_000)],
      ["<message>", "<a>".repeat(100_000)],
      ["<message>", "<a/>".repeat(100_000)],
    ] as const) {
      const { scanner } = scan(HEADER + start);
      const bytes = utf8(again);
      let fed = 0;
      expect(() => {
        for (; fed < bytes.length; fed += 100) scanner.feed(bytes, fed, fed + 100);
      }).toThrow("Too many");
      expect(fed).toBeLessThan(10_000);
    }
  });
});

describe("hostile values that are refused at once", () => {
  test.each([
    ["a huge comment", "<message><!--", "restricted-xml"],
    ["a huge instruction", "<?a", "restricted-xml"],
    ["an entity bomb", "<!DOCTYPE", "restricted-xml"],
    ["a huge text between stanzas", "x", "bad-format"],
  ])("RFC 6120 §11.1: %s is refused at its first bytes", (_, start, condition) => {
    expect(scan(HEADER + start).error).toBe(condition);
  });
});

describe("RFC 6120 §4.9.3.14: what would grow when it is written anew", () => {
  const long = "u".repeat(1000);

  test.each([
    ["a prefix of elements", `<iq xmlns:p='${long}'><a>${"<p:a/>".repeat(30_000)}</a></iq>`],
    ["a prefix of children", `<iq xmlns:p='${long}'>${"<p:a/>".repeat(1000)}</iq>`],
    ["a prefix of attributes", `<iq xmlns:p='${long}'><a>${"<a p:b=''/>".repeat(20_000)}</a></iq>`],
    [
      "a default namespace taken up again",
      `<iq xmlns:p='u'><a xmlns='${"u".repeat(30_000)}'><p:b>${"<c/>".repeat(20_000)}</p:b></a></iq>`,
    ],
  ])("%s is refused before it is long", (_, stanza) => {
    expect(scan(HEADER + stanza)).toMatchObject({ error: "policy-violation", elements: [] });
  });

  test.each([
    ["an attribute", '<message a="QUOTES"/>'],
    ["several attributes", '<message a="QUOTES" b="QUOTES"/>'],
    ["an attribute beside one with a prefix", `<message p:a='' xmlns:p='urn:p' a="QUOTES"/>`],
  ])("%s full of apostrophes, each of which takes six bytes, is refused", (_, stanza) => {
    const limits = { ...SCANNER_LIMITS, stanzaBytes: 10_000 };
    const written = stanza.replaceAll("QUOTES", "'".repeat(1_700));
    expect(scan(HEADER + written, [], { limits })).toMatchObject({ error: "policy-violation", elements: [] });
    const fewer = stanza.replaceAll("QUOTES", "'".repeat(800));
    expect(scan(HEADER + fewer, [], { limits })).toMatchObject({ error: undefined });
  });

  test("within the limit it is written", () => {
    const { elements } = scan(`${HEADER}<iq xmlns:p='${long}'>${"<p:a/>".repeat(200)}</iq>`);
    expect(elements[0]?.payload.length).toBe(200 * `<a xmlns='${long}'/>`.length);
  });

  test("a prefix bound to a very long name is refused", () => {
    const { error } = scan(`${HEADER}<iq><p:a xmlns:p='${"u".repeat(1025)}'/></iq>`);
    expect(error).toBe("policy-violation");
  });
});

describe("time stays in proportion to bytes", () => {
  /** Scans of bytes, as counted by a view that reports every read. */
  const readsOf = (input: string, size: number): number => {
    let reads = 0;
    const bytes = utf8(input);
    const seen: Seen = { headers: [], elements: [], closed: 0, error: undefined };
    const scanner = new XmlScanner(recorder(seen), {
      latin1: (array, start, end) => {
        reads += end - start;
        return Buffer.from(array.subarray(start, end)).toString("latin1") as never;
      },
    });
    for (let at = 0; at < bytes.length; at += size) scanner.feed(bytes, at, Math.min(at + size, bytes.length));
    expect(seen.elements.length).toBe(1);
    return reads;
  };

  test("a stanza fed one byte at a time is turned into a string once", () => {
    const input = `${HEADER}<message><body>${"x".repeat(5000)}</body></message>`;
    expect(readsOf(input, 1)).toBe(readsOf(input, input.length));
  });

  test("a stanza of the largest size, one byte at a time, is read as one", { timeout: 60_000 }, () => {
    const stanza = `<message to='a'>${"<p:a xmlns:p='urn:p'><b/></p:a>".repeat(900)}${"&lt;я<![CDATA[]]]]>".repeat(10_000)}</message>`;
    const seen = scan(HEADER + stanza, everyNth(HEADER.length + utf8(stanza).length, 1));
    expect(seen.elements).toEqual(scan(HEADER + stanza).elements);
    expect(seen.elements[0] === undefined ? 0 : readElement(seen.elements[0]).children.length).toBe(901);
  });
});
