import { type Bytes, toText } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { type Element, isElement, type Node, NS_CONTENT } from "./element.ts";
import { indexChild, readNode } from "./nodes.ts";
import { CHILD_FIELDS, type ChildIndex, END, NS_END, NS_START, START } from "./raw.ts";
import { CONTENT_NAMESPACES, NO_PREFIXES, type Scope } from "./scope.ts";
import { writeWithin } from "./write.ts";

/**
 * Brings a payload into the normal form of `RawElement`, for the few that are not in it as they were received. A child
 * whose bytes mean the same without the stream around them keeps its bytes; any other is written anew.
 *
 * @param payload as received
 * @param received the index the scanner made; only where each child lies is used
 * @param scope what is declared around the payload, in real names
 * @param ns the namespace of the element, as `RawElement.ns`: the payload is to be relative to it
 * @param limit how many bytes the result may have
 * Throws StreamError("not-well-formed") for what Namespaces in XML forbids, StreamError("policy-violation") beyond the limit.
 */
export const normalise = (
  payload: Bytes,
  received: ChildIndex,
  scope: Scope,
  ns: string,
  limit: number,
): { readonly payload: Bytes; readonly index: ChildIndex } => {
  const alone: Scope = { default: ns, prefixes: NO_PREFIXES };
  let written = "" as Bytes;
  let copied = 0;
  const index: number[] = [];
  for (let base = 0; base < received.length; base += CHILD_FIELDS) {
    const start = received[base + START] as number;
    const end = received[base + END] as number;
    const bytes = payload.substring(start, end) as Bytes;
    const child = readNode(bytes, scope);
    const meant = ns === NS_CONTENT ? rescoped(child) : child;
    written = (written + payload.substring(copied, start)) as Bytes;
    const normal = standsAlone(bytes, meant, alone) ? bytes : writeWithin(limit, meant, ns);
    pushEntry(index, normal, written.length);
    written = (written + normal) as Bytes;
    copied = end;
    if (written.length > limit) throw new StreamError("policy-violation", "The element is too long");
  }
  return { payload: (written + payload.substring(copied)) as Bytes, index };
};

/** Adds the index entry of a child that lies at `offset` of the payload. */
const pushEntry = (index: number[], child: Bytes, offset: number): void => {
  for (const field of indexChild(child, 0, child.length)) index.push(field < 0 ? field : field + offset);
};

/**
 * RFC 6120 §4.8.3: content namespaces are re-scoped where they come down from the stanza, never inside an extension
 * (XEP-0297 keeps those). The child stands in a stanza.
 */
export const rescoped = (child: Element): Element =>
  CONTENT_NAMESPACES.has(child.ns)
    ? { ...child, ns: NS_CONTENT, children: child.children.map((node) => (isElement(node) ? rescoped(node) : node)) }
    : child;

/** Do these bytes mean the same element without what the stream declares, and is its namespace plain to compare? */
const standsAlone = (bytes: Bytes, meant: Element, scope: Scope): boolean => {
  const entry = indexChild(bytes, 0, bytes.length);
  const start = entry[NS_START] as number;
  // What is found by its index must be found by its name: no references in the namespace value, no undeclared `xml:`.
  const ns = start < 0 ? scope.default : toText(bytes.substring(start, entry[NS_END]) as Bytes);
  if (ns !== meant.ns) return false;
  const read = attempt(bytes, scope);
  return read !== undefined && isSame(read, meant);
};

const attempt = (bytes: Bytes, scope: Scope): Element | undefined => {
  try {
    return readNode(bytes, scope);
  } catch {
    return undefined; // A prefix that only the stream declares.
  }
};

/** Both are read from the same bytes: only what depends on declarations can differ. */
const isSame = (one: Element, other: Element): boolean => {
  if (one.ns !== other.ns) return false;
  for (const key in one.attributes) if (!(key in other.attributes)) return false;
  return one.children.every((node, at) => isSameNode(node, other.children[at]));
};
const isSameNode = (one: Node, other: Node | undefined): boolean =>
  typeof one === "string" || (typeof other === "object" && isSame(one, other));
