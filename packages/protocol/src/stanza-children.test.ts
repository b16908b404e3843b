import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { readStanza, type Stanza, withChild, withRawChild, writeStanza } from "./stanza.ts";
import { childrenOfStanza, hasChild, withoutChildren } from "./stanza-children.ts";
import { element } from "./xml/element.ts";
import { isChildIn } from "./xml/raw.ts";
import { childAttribute, parseRaw } from "./xml/read.ts";

const stanza = (children: string): Stanza =>
  readStanza(parseRaw(toBytes(`<message id='m' lang='x' xml:lang='en'>${children}</message>`)));

/** As if it had come over a stream. */
const again = (changed: Stanza): Stanza => readStanza(parseRaw(writeStanza(changed)));

const CHILDREN = ["<body>é</body>", "<x xmlns='urn:example:x'><y/></x>", "<thread/>", "<p:z xmlns:p='urn:example:z'/>"];

describe("RFC 6120 §8: a stanza without some of its children", () => {
  test.each(Array.from({ length: 16 }, (_, mask) => mask))("is what it would be without them (%d)", (mask) => {
    const isWanted = (_: unknown, at: number): boolean => (mask & (1 << at)) === 0;
    const got = withoutChildren(stanza(` ${CHILDREN.join(" ")} `), (at) => !isWanted(undefined, at));
    expect(childrenOfStanza(got)).toEqual(childrenOfStanza(stanza(CHILDREN.filter(isWanted).join(""))));
    expect(again(got)).toEqual(got);
  });

  test("is itself where all are wanted", () => {
    const kept = stanza(CHILDREN.join(""));
    expect(withoutChildren(kept, () => false)).toBe(kept);
    const empty = stanza("");
    expect(withoutChildren(empty, () => true)).toBe(empty);
  });
});

test("RFC 6120 §8: a stanza with one more child, built or written", () => {
  const child = element("urn:example:new", "new", { a: "<'" }, ["é"]);
  const built = withChild(stanza(CHILDREN.join("")), child);
  expect(again(built)).toEqual(built);
  expect(childrenOfStanza(built).at(-1)).toEqual(child);
  expect(withRawChild(stanza(""), toBytes("<new xmlns='urn:example:new' a='&lt;&apos;'>é</new>"))).toEqual(
    withChild(stanza(""), child),
  );
  expect(withRawChild(stanza(""), toBytes("<body/>"))).toEqual(stanza("<body/>"));
});

test("RFC 6120 §8: which namespace a child is in", () => {
  const all = stanza(`${CHILDREN.join("")}<none xmlns=''/>`);
  const namespaces = ["", "urn:example:x", "", "urn:example:z", "\0"];
  for (const [at, ns] of namespaces.entries())
    expect(
      ["", "urn:example:x", "urn:example:z", "urn:example", "\0"].filter((other) => isChildIn(all, at, other)),
    ).toEqual([ns]);
  expect(hasChild(all, "urn:example:z", "z")).toBe(true);
});

test.each([
  ["<x xmlns='urn:example:x' id='1'/>", "1"],
  ["<x id = \"a &lt; b\" xmlns='urn:example:x'>text</x>", "a < b"],
  ["<x\n  xml:id='no' idd='no' i='no' id='yes'\n  xmlns='urn:example:x' >x</x>", "yes"],
  ["<x xmlns='urn:example:x' id='a\nb'/>", "a b"],
  ["<x xmlns='urn:example:x' id=''/>", ""],
  ["<x xmlns='urn:example:x' id='\u00e9&#x1F98A;'/>", "é🦊"],
  ["<x xmlns='urn:example:x' other=\" id='no' \"/>", undefined],
  ["<x xmlns='urn:example:x'><y id='no'/></x>", undefined],
  ["<x xmlns='urn:example:x' xmlns:p='urn:example:p' p:id='no'/>", undefined],
])("RFC 6120 §11: an attribute of a child, read alone: %s", (child, value) => {
  const parent = stanza(`<body>x</body>${child}`);
  expect(childAttribute(parent, 1, "id")).toBe(value);
  expect(childrenOfStanza(parent)[1]?.attributes.id).toBe(value);
});
