import { StreamError } from "../errors.ts";
import { NS_CONTENT, NS_NONE, NS_XML } from "./element.ts";

/** The namespace declarations in force at some place. Names are real text; `default` may be `NS_CONTENT` or `NS_NONE`. */
export interface Scope {
  readonly default: string;
  readonly prefixes: ReadonlyMap<string, string>;
}

export const NS_XMLNS = "http://www.w3.org/2000/xmlns/";
/** In characters. A prefix is short to write and its namespace is not: what is looked up by both must not be long. */
const LONGEST_NAMESPACE = 1024;

export const NO_PREFIXES: ReadonlyMap<string, string> = new Map();

/** Nothing declared and unprefixed names in the content namespace: where a payload in normal form is read. */
export const CONTENT_SCOPE: Scope = { default: NS_CONTENT, prefixes: NO_PREFIXES };

/** The namespaces that stanzas are in, each on its kind of stream (RFC 6120 §4.8.3, XEP-0114 §3). */
export const CONTENT_NAMESPACES: ReadonlySet<string> = new Set([
  "jabber:client",
  "jabber:server",
  "jabber:component:accept",
]);

/** Throws `StreamError("not-well-formed")`: RFC 6120 §11.3 for what violates Namespaces in XML. */
const refuse = (text: string): never => {
  throw new StreamError("not-well-formed", text);
};

/**
 * The scope inside a start tag. `attributes` is name, value, name, value … with names as written and values decoded.
 * Throws StreamError where Namespaces in XML 1.0 (§3, §5) forbids a declaration, or a prefix is bound to a very long name.
 */
export const declare = (outer: Scope, attributes: readonly string[]): Scope => {
  let byDefault = outer.default;
  let prefixes: Map<string, string> | undefined;
  for (let at = 0; at < attributes.length; at += 2) {
    const name = attributes[at] as string;
    const ns = attributes[at + 1] as string;
    if (name === "xmlns") byDefault = defaultNamespace(ns);
    else if (isDeclaration(name)) prefixes = bind(prefixes ?? new Map(outer.prefixes), name.slice(6), ns);
  }
  if (prefixes !== undefined) return { default: byDefault, prefixes };
  return byDefault === outer.default ? outer : { default: byDefault, prefixes: outer.prefixes };
};

const defaultNamespace = (ns: string): string => {
  if (ns === NS_XML || ns === NS_XMLNS) refuse("A reserved namespace is declared as default");
  return ns === "" ? NS_NONE : ns;
};

const bind = (prefixes: Map<string, string>, prefix: string, ns: string): Map<string, string> => {
  if (prefix === "xmlns" || ns === NS_XMLNS) refuse("The xmlns prefix cannot be declared");
  if ((prefix === "xml") !== (ns === NS_XML)) refuse("The xml prefix and its namespace belong together");
  if (ns === "") refuse("A prefix is declared with an empty namespace");
  if (ns.length > LONGEST_NAMESPACE) throw new StreamError("policy-violation", "The namespace of a prefix is too long");
  return prefixes.set(prefix, ns);
};

/** The namespace of a prefix. Throws StreamError for a prefix that is not declared. */
export const namespaceOf = (scope: Scope, prefix: string): string => {
  const ns = prefix === "xml" ? NS_XML : scope.prefixes.get(prefix);
  return ns ?? refuse("A namespace prefix is not declared");
};

/** The namespace of an element by its name as written. */
export const elementNamespace = (scope: Scope, name: string): string => {
  const colon = name.indexOf(":");
  return colon < 0 ? scope.default : namespaceOf(scope, name.slice(0, colon));
};

export const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

export const isDeclaration = (name: string): boolean =>
  name.startsWith("xmlns") && (name.length === 5 || name[5] === ":");

/**
 * The attributes of a start tag under the names that `Element.attributes` uses, declarations left out.
 * Throws StreamError for a prefix that is not declared and for one name given twice (Namespaces in XML §6.3).
 */
export const resolveAttributes = (scope: Scope, attributes: readonly string[]): Record<string, string> => {
  // No prototype: an attribute may be called `__proto__` or `constructor`.
  const resolved = { __proto__: null } as unknown as Record<string, string>;
  for (let at = 0; at < attributes.length; at += 2) {
    const name = attributes[at] as string;
    if (isDeclaration(name)) continue;
    const key = attributeKey(scope, name);
    if (key in resolved) refuse("An attribute is given twice");
    resolved[key] = attributes[at + 1] as string;
  }
  return resolved;
};

const attributeKey = (scope: Scope, name: string): string => {
  const colon = name.indexOf(":");
  if (colon < 0 || name.startsWith("xml:")) return name;
  return `{${namespaceOf(scope, name.slice(0, colon))}}${name.slice(colon + 1)}`;
};
