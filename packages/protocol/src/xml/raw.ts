import type { Bytes } from "../bytes.ts";
import { NS_NONE } from "./element.ts";

/**
 * A first-level element of a stream as it was received (or is to be sent): its start tag taken apart, its
 * content left as bytes, and an index of its children. What the scanner makes; what everything else reads.
 *
 * Normal form: the payload is relative to the element's own namespace `ns`, which for a stanza is the content namespace.
 * A child in a content namespace carries no `xmlns` in a stanza; elements nested in extensions keep theirs (RFC 6120
 * §4.8.3, XEP-0297). Prefixes used inside the payload are declared inside the payload. All is checked: well-formed,
 * UTF-8, namespaces in order.
 *
 * The strings may be views of one longer string: whatever outlives the element goes through `detached`.
 */
export interface RawElement {
  /** Local name. */
  readonly name: string;
  /** Namespace; `""` where it is the stream's content namespace, `NS_NONE` where it is none at all. */
  readonly ns: string;
  /**
   * The start tag's attributes, in order: name, value, name, value … Values are still escaped, safe between single
   * quotes, and canonical: what `escapeAttribute` makes of the text, so equal bytes are equal text. Namespace declarations are not among them, but those that a kept prefixed attribute needs.
   */
  readonly attributes: readonly Bytes[];
  /** All between start tag and end tag. */
  readonly payload: Bytes;
  /** Where the children lie in the payload: `CHILD_FIELDS` numbers for each. */
  readonly index: ChildIndex;
}

/**
 * Per child element: offsets into the payload of its local name [nameStart, nameEnd), its namespace value
 * [nsStart, nsEnd) (both -1: the element's own, `RawElement.ns`), and the whole element [start, end).
 * The namespace value is as it stands in the payload: escaped, but without needless references.
 */
export type ChildIndex = readonly number[];
export const CHILD_FIELDS = 6;
export const NAME_START = 0;
export const NAME_END = 1;
export const NS_START = 2;
export const NS_END = 3;
export const START = 4;
export const END = 5;
export const NO_CHILDREN: ChildIndex = [];

/**
 * Does child number `at` (counted from 0) have this name and namespace? Both given as bytes; `""` is the content
 * namespace, `NS_NONE` none at all.
 */
export const isChild = (raw: RawElement, at: number, ns: string, name: string): boolean => {
  const { payload, index } = raw;
  const base = at * CHILD_FIELDS;
  const nameStart = index[base + NAME_START] as number;
  if ((index[base + NAME_END] as number) - nameStart !== name.length) return false;
  if (!payload.startsWith(name, nameStart)) return false;
  return isChildIn(raw, at, ns);
};

/** Is child number `at` (counted from 0) in this namespace? Given as in `isChild`. */
export const isChildIn = (raw: RawElement, at: number, ns: string): boolean => {
  const { payload, index } = raw;
  const base = at * CHILD_FIELDS;
  const nsStart = index[base + NS_START] as number;
  if (nsStart < 0) return ns === raw.ns;
  const length = (index[base + NS_END] as number) - nsStart;
  return length === 0 ? ns === NS_NONE : length === ns.length && payload.startsWith(ns, nsStart);
};

export const childCount = (raw: RawElement): number => raw.index.length / CHILD_FIELDS;

/** The bytes of child number `at`. */
export const childBytes = (raw: RawElement, at: number): Bytes =>
  raw.payload.substring(
    raw.index[at * CHILD_FIELDS + START] as number,
    raw.index[at * CHILD_FIELDS + END] as number,
  ) as Bytes;

/** The index of the first child with this name and namespace, or -1. */
export const findChild = (raw: RawElement, ns: string, name: string): number => {
  const count = childCount(raw);
  for (let at = 0; at < count; at++) if (isChild(raw, at, ns, name)) return at;
  return -1;
};

/** The escaped value of an attribute by its name as written, or `undefined`. */
export const attributeOf = (raw: RawElement, name: string): Bytes | undefined => {
  const { attributes } = raw;
  for (let at = 0; at < attributes.length; at += 2) if (attributes[at] === name) return attributes[at + 1];
  return undefined;
};
