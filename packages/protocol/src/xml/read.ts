import { type Bytes, toBytes, toText, toUint8Array } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { type Element, type Node, NS_CONTENT } from "./element.ts";
import { unescaped } from "./escape.ts";
import { readAttribute, readNode, readNodes } from "./nodes.ts";
import { CHILD_FIELDS, childBytes, type RawElement, START } from "./raw.ts";
import { type ContentNamespace, type ScannerLimits, XmlScanner } from "./scanner.ts";
import { declare, NO_PREFIXES, resolveAttributes, type Scope } from "./scope.ts";

/** Where a payload in normal form is read: nothing is declared around it, and unprefixed names are in `ns`. */
const inside = (ns: string): Scope => ({ default: ns, prefixes: NO_PREFIXES });

/** Child number `at` (counted from 0) of an element, as a tree of real text. */
export const readChild = (raw: RawElement, at: number): Element => readNode(childBytes(raw, at), inside(raw.ns));

/** An attribute, in no namespace, of child number `at` (counted from 0); nothing else of the child is read. */
export const childAttribute = (raw: RawElement, at: number, name: string): string | undefined =>
  readAttribute(raw.payload, raw.index[at * CHILD_FIELDS + START] as number, name);

/** The whole element as a tree of real text. */
export const readElement = (raw: RawElement): Element => {
  const attributes: string[] = [];
  for (let at = 0; at < raw.attributes.length; at += 2) {
    attributes.push(toText(raw.attributes[at] as Bytes), unescaped(raw.attributes[at + 1] as Bytes));
  }
  return {
    name: raw.name,
    ns: raw.ns,
    attributes: resolveAttributes(declare(inside(raw.ns), attributes), attributes),
    children: readPayload(raw.payload, raw.ns),
  };
};

/** The content of an element in namespace `ns`: trees and text, in order. The payload is one that was checked, in normal form. */
export const readPayload = (payload: Bytes, ns: string = NS_CONTENT): readonly Node[] => readNodes(payload, inside(ns));

export interface ParseOptions {
  /** The namespace that is read as `""`, which is also that of unprefixed names. Default "jabber:client". */
  readonly content?: ContentNamespace;
  /** Default: none. What is at hand as a whole has been measured when it came, and may be longer since: by its sender's address. */
  readonly limits?: ScannerLimits;
}

const ANY = Number.MAX_SAFE_INTEGER;
const UNLIMITED: ScannerLimits = { stanzaBytes: ANY, depth: ANY, attributes: ANY, children: ANY, prefixes: ANY };

/**
 * Reads one element as if it had come over a stream: for fixtures, configuration and what was stored elsewhere.
 * Throws StreamError where it is not exactly one well-formed element.
 */
export const parseRaw = (bytes: Bytes, options: ParseOptions = {}): RawElement => {
  const { content = "jabber:client", limits = UNLIMITED } = options;
  const elements: RawElement[] = [];
  let open = true;
  const scanner = new XmlScanner(
    {
      opened: () => {},
      element: (raw) => elements.push(raw),
      closed: () => {
        open = false;
      },
    },
    { content, limits },
  );
  scanner.feed(toUint8Array(toBytes(`<stream xmlns='${content}'>`)));
  scanner.feed(toUint8Array(bytes));
  const [raw, second] = elements;
  if (raw === undefined || second !== undefined || !open || scanner.held > 0) {
    throw new StreamError("not-well-formed", "This is not one element");
  }
  return raw;
};

/** `parseRaw` of real text, as a tree. */
export const parseElement = (text: string, options: ParseOptions = {}): Element =>
  readElement(parseRaw(toBytes(text), options));
