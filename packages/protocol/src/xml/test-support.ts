import { SaxesParser, type SaxesTagNS } from "saxes";
import { type Bytes, toUint8Array } from "../bytes.ts";
import { type StreamCondition, StreamError } from "../errors.ts";
import { type Element, type Node, NS_NONE } from "./element.ts";
import type { RawElement } from "./raw.ts";
import { type ScannerOptions, type StreamTag, XmlScanner } from "./scanner.ts";

/** For the tests of this directory only. */

export const HEADER = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a scanner said, in order. */
export interface Seen {
  readonly headers: StreamTag[];
  readonly elements: RawElement[];
  closed: number;
  /** The condition it died of. */
  error: StreamCondition | undefined;
}

/** Feeds `input` in pieces that end at the given positions. Every chunk is overwritten after it was fed, as a read buffer is. */
export const scan = (
  input: string | Uint8Array,
  ends: readonly number[] = [],
  options: ScannerOptions = {},
): Seen & { readonly scanner: XmlScanner } => {
  const bytes = typeof input === "string" ? utf8(input) : input;
  const seen: Seen = { headers: [], elements: [], closed: 0, error: undefined };
  const scanner = new XmlScanner(recorder(seen), options);
  let start = 0;
  try {
    for (const end of [...ends, bytes.length]) {
      const chunk = bytes.slice(start, end);
      scanner.feed(chunk);
      chunk.fill(0xff);
      start = end;
    }
  } catch (error) {
    seen.error = conditionOf(error);
  }
  return Object.assign(seen, { scanner });
};

export const recorder = (seen: Seen) => ({
  opened: (header: StreamTag): void => {
    seen.headers.push(header);
  },
  element: (raw: RawElement): void => {
    seen.elements.push(raw);
  },
  closed: (): void => {
    seen.closed++;
  },
});

export const conditionOf = (error: unknown): StreamCondition => {
  if (error instanceof StreamError) return error.condition;
  throw error;
};

/** The ends of all chunks when every chunk is `size` bytes. */
export const everyNth = (length: number, size: number): number[] => {
  const ends: number[] = [];
  for (let end = size; end < length; end += size) ends.push(end);
  return ends;
};

/** Scans one document of its own and says whether it is accepted. */
export const verdict = (bytes: Uint8Array, ends: readonly number[] = []): StreamCondition | "accepted" => {
  const { scanner, error } = scan(bytes, ends, { framing: "document" });
  if (error !== undefined) return error;
  try {
    scanner.end();
  } catch (thrown) {
    return conditionOf(thrown);
  }
  return "accepted";
};

/** A document as saxes, an independent parser, reads it: namespaces are real names. Throws where saxes finds an error. */
export const infoset = (text: string): Element => {
  const roots: Node[] = [];
  const stack = [roots];
  const addText = (more: string): void => append(stack.at(-1) ?? roots, more);
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("opentag", (tag) => {
    const children: Node[] = [];
    stack.at(-1)?.push(elementOf(tag, children));
    stack.push(children);
  });
  parser.on("closetag", () => stack.pop());
  parser.write(text).close();
  const element = roots.find((node) => typeof node === "object");
  if (element === undefined) throw new Error("no element");
  return element;
};

/** Neighbouring text is one node. */
const append = (siblings: Node[], more: string): void => {
  const last = siblings.at(-1);
  if (typeof last === "string") siblings[siblings.length - 1] = last + more;
  else if (more !== "") siblings.push(more);
};

const elementOf = (tag: SaxesTagNS, children: readonly Node[]): Element => {
  checkLocalName(tag.local);
  const attributes: [string, string][] = [];
  for (const { prefix, local, uri, value, name } of Object.values(tag.attributes)) {
    checkLocalName(local);
    if (name === "xmlns" || prefix === "xmlns") continue;
    attributes.push([prefix === "" ? local : prefix === "xml" ? name : `{${uri}}${local}`, value]);
  }
  return {
    name: tag.local,
    ns: tag.uri === "" ? NS_NONE : tag.uri,
    attributes: Object.fromEntries(attributes),
    children,
  };
};

/** Namespaces in XML §4: what follows the colon is a name too. saxes does not see to it. */
const checkLocalName = (local: string): void => {
  if (/^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/.test(local)) throw new Error("not an NCName");
};

/** The same tree with plain objects and sorted attributes, fit for `toEqual` and printing. */
export const plain = (node: Node): unknown => {
  if (typeof node === "string") return node;
  const attributes = Object.entries(node.attributes).sort(([one], [other]) => (one < other ? -1 : 1));
  return { name: node.name, ns: node.ns, attributes, children: node.children.map(plain) };
};

export const scanBytes = (bytes: Bytes, ends: readonly number[] = []): Seen => scan(toUint8Array(bytes), ends);
