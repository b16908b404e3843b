import { type Bytes, toBytes } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { type Element, type Node, NS_CONTENT, NS_NONE, NS_XML } from "./element.ts";
import { escapeAttribute, escapeText } from "./escape.ts";
import { isName } from "./names.ts";
import { indexChild } from "./nodes.ts";
import { type ChildIndex, NO_CHILDREN, type RawElement } from "./raw.ts";

export { escapeAttribute, escapeText, unescaped as unescape } from "./escape.ts";

/** What "the content namespace" is called where it has to be written out. */
const CONTENT = "jabber:client";

/**
 * Real text → escaped bytes. `parentNs` is the default namespace where the element will stand, as `Element.ns` counts:
 * `""` on a stream or in a stanza. An element in `""` carries no `xmlns` there. Inside an element of another namespace
 * nothing can mean "the content namespace, whichever it is" (RFC 6120 §4.8.3 forbids re-scoping there), so it is written
 * as `contentNs` and read back as that. Characters XML cannot carry are written as U+FFFD.
 * Throws TypeError for a name that is none in XML: names come from code, never from what somebody typed.
 */
export const writeElement = (element: Element, parentNs: string = NS_CONTENT, contentNs: string = CONTENT): Bytes =>
  writeWithin(Number.POSITIVE_INFINITY, element, parentNs, contentNs);

/**
 * `writeElement` with a limit in bytes. Throws StreamError("policy-violation") soon after that is exceeded: a long
 * namespace name behind a short prefix becomes as many long declarations as the prefix was used.
 */
export const writeWithin = (limit: number, element: Element, parentNs: string, contentNs: string = CONTENT): Bytes => {
  const { ns, children } = element;
  const name = elementName(element.name, ns);
  let text = `<${name}`;
  if (ns === NS_XML) text += ` xmlns:xml='${NS_XML}'`;
  else if (ns !== parentNs) text += ` xmlns='${declared(ns, contentNs)}'`;
  const attributes = attributePairs(element.attributes);
  for (let at = 0; at < attributes.length; at += 2) text += ` ${attributes[at]}='${attributes[at + 1]}'`;
  if (children.length === 0) return `${text}/>` as Bytes;
  text += ">";
  for (const node of children) {
    text += typeof node === "string" ? escapeText(node) : writeWithin(limit, node, ns, contentNs);
    if (text.length > limit) throw new StreamError("policy-violation", "The element is too long");
  }
  return `${text}</${name}>` as Bytes;
};

/** The XML namespace cannot be a default namespace (Namespaces in XML §3). */
const elementName = (name: string, ns: string): Bytes =>
  ns === NS_XML ? (`xml:${nameBytes(name)}` as Bytes) : nameBytes(name);

const declared = (ns: string, contentNs: string): Bytes => {
  if (ns === NS_CONTENT) return escapeAttribute(contentNs);
  return ns === NS_NONE ? ("" as Bytes) : escapeAttribute(ns);
};

const nameBytes = (name: string): Bytes => {
  if (!isName(name)) throw new TypeError(`not an XML name: ${JSON.stringify(name)}`);
  return toBytes(name);
};

/** Name, value, name, value … as they are written: in bytes, escaped, with the declarations that prefixes need. */
const attributePairs = (attributes: Element["attributes"]): Bytes[] => {
  const pairs: Bytes[] = [];
  let prefixes: Map<string, string> | undefined;
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    if (key.startsWith("{")) {
      prefixes ??= new Map([[NS_XML, "xml"]]);
      pairs.push(prefixedName(key, prefixes, pairs), escapeAttribute(value));
    } else {
      pairs.push(attributeName(key), escapeAttribute(value));
    }
  }
  return pairs;
};

/** The name for a `{namespace}name` key. Adds the declaration of its prefix where that is new. */
const prefixedName = (key: string, prefixes: Map<string, string>, pairs: Bytes[]): Bytes => {
  const end = key.lastIndexOf("}");
  const ns = key.slice(1, end);
  let prefix = prefixes.get(ns);
  if (prefix === undefined) {
    prefix = `n${prefixes.size}`;
    prefixes.set(ns, prefix);
    pairs.push(`xmlns:${prefix}` as Bytes, escapeAttribute(ns));
  }
  return `${prefix}:${nameBytes(key.slice(end + 1))}` as Bytes;
};

const attributeName = (key: string): Bytes => {
  if (key === "xmlns") throw new TypeError("a namespace declaration is no attribute");
  return key.startsWith("xml:") ? (`xml:${nameBytes(key.slice(4))}` as Bytes) : nameBytes(key);
};

/**
 * The whole element. Without `declaredNs`, one in the content namespace carries no `xmlns`: so it stands on a stream.
 * With it (a namespace name) it declares that one: so it stands alone (RFC 7395 §3.3.3) or inside an extension (XEP-0297).
 */
export const writeRaw = (raw: RawElement, declaredNs?: string): Bytes => {
  const name = raw.ns === NS_XML ? (`xml:${toBytes(raw.name)}` as Bytes) : toBytes(raw.name);
  let text = `<${name}`;
  if (raw.ns !== NS_CONTENT && raw.ns !== NS_XML) text += ` xmlns='${declared(raw.ns, CONTENT)}'`;
  else if (raw.ns === NS_CONTENT && declaredNs !== undefined) text += ` xmlns='${escapeAttribute(declaredNs)}'`;
  const { attributes, payload } = raw;
  for (let at = 0; at < attributes.length; at += 2) text += ` ${attributes[at]}='${attributes[at + 1]}'`;
  return (payload === "" ? `${text}/>` : `${text}>${payload}</${name}>`) as Bytes;
};

/** The same element in the form in which stanzas travel. */
export const rawOf = (element: Element): RawElement => ({
  name: element.name,
  ns: element.ns,
  attributes: attributePairs(element.attributes),
  ...writePayload(element.children, element.ns),
});

/** The content of an element in namespace `ns`, with the index of its child elements. */
export const writePayload = (
  children: readonly Node[],
  ns: string = NS_CONTENT,
): { readonly payload: Bytes; readonly index: ChildIndex } => {
  if (children.length === 0) return NOTHING;
  let payload = "" as Bytes;
  const spans: number[] = [];
  for (const child of children) {
    const start = payload.length;
    payload = (payload + (typeof child === "string" ? escapeText(child) : writeElement(child, ns))) as Bytes;
    if (typeof child !== "string") spans.push(start, payload.length);
  }
  return { payload, index: indexSpans(payload, spans) };
};
const NOTHING = { payload: "" as Bytes, index: NO_CHILDREN } as const;

const indexSpans = (payload: Bytes, spans: readonly number[]): ChildIndex => {
  if (spans.length === 0) return NO_CHILDREN;
  const index: number[] = [];
  for (let at = 0; at < spans.length; at += 2) {
    index.push(...indexChild(payload, spans[at] as number, spans[at + 1] as number));
  }
  return index;
};
