/** An XML element as an immutable tree of real text, with names resolved. Built on demand, never on the hot path. */
export interface Element {
  /** Local name. */
  readonly name: string;
  /** Namespace name; `""` stands for the stream's content namespace (see `NS_CONTENT`). */
  readonly ns: string;
  /**
   * Attribute values by name. An attribute in no namespace has its local name as key, `xml:lang` and its
   * like have `xml:` before it, one in any other namespace is `{namespace}name`. Never a namespace declaration.
   */
  readonly attributes: Readonly<Record<string, string>>;
  /** Child elements and text, in order. Neighbouring text is one string, empty text is absent. */
  readonly children: readonly Node[];
}
export type Node = Element | string;

/**
 * The content namespace (RFC 6120 §4.8.3): jabber:client, jabber:server or jabber:component:accept,
 * whichever the stream at hand declares. Payloads are relative to it, so it is written as the empty string.
 */
export const NS_CONTENT = "";

/**
 * No namespace at all (`xmlns=''`), which is not the content namespace. It is a character that no XML carries,
 * so that it is equal to no namespace name.
 */
export const NS_NONE = "\0";

export const NS_XML = "http://www.w3.org/XML/1998/namespace";

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | undefined | false;

/**
 * Builds an element. `undefined` attributes and `undefined`/`false`/`""` children are left out.
 * @example element("urn:xmpp:ping", "ping")
 * @example element("jabber:iq:version", "query", {}, [element("jabber:iq:version", "name", {}, ["Kith"])])
 */
export const element = (
  ns: string,
  name: string,
  attributes: Attributes = {},
  children: readonly Child[] = [],
): Element => {
  // No prototype, as in what is read: an attribute may be called `__proto__`.
  const kept = { __proto__: null } as unknown as Record<string, string>;
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) kept[key] = String(value);
  }
  return { name, ns, attributes: kept, children: children.filter(isNode) };
};
const isNode = (child: Child): child is Node => child !== undefined && child !== false && child !== "";

export const isElement = (node: Node): node is Element => typeof node !== "string";

/** The child elements of an element, in order. */
export const elementsOf = (parent: Element): readonly Element[] => parent.children.filter(isElement);

/** The first child with this name, in the parent's own namespace unless another is given. */
export const childOf = (parent: Element, name: string, ns: string = parent.ns): Element | undefined =>
  parent.children.find((node): node is Element => isElement(node) && node.name === name && node.ns === ns);

export const childrenOf = (parent: Element, name: string, ns: string = parent.ns): readonly Element[] =>
  parent.children.filter((node): node is Element => isElement(node) && node.name === name && node.ns === ns);

/** The text directly inside an element; `""` for none or for `undefined`. */
export const textOf = (parent: Element | undefined): string =>
  parent === undefined ? "" : parent.children.filter((node) => typeof node === "string").join("");

/** The text of the first child with this name, or `undefined` where there is no such child. */
export const textOfChild = (parent: Element, name: string, ns: string = parent.ns): string | undefined => {
  const child = childOf(parent, name, ns);
  return child === undefined ? undefined : textOf(child);
};
