import { type Bytes, toText } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import type { Element, Node } from "./element.ts";
import { decodeAttribute, decodeText } from "./escape.ts";
import { declare, elementNamespace, localName, resolveAttributes, type Scope } from "./scope.ts";

const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;
const EQUALS = 0x3d;
const SLASH = 0x2f;
const CDATA = "<![CDATA[";

/** An element whose end tag has not been reached. */
interface Open {
  readonly element: Element;
  readonly children: Node[];
  readonly scope: Scope;
  readonly parent: Open | undefined;
  /** Text that may still grow: neighbouring text and CDATA are one node. */
  text: string;
}

/**
 * Builds the trees of what the scanner has found well-formed: elements and text, in order, read inside `outer`.
 * Does not recurse, so no depth of nesting exhausts the engine's stack.
 * Throws StreamError("not-well-formed") for what Namespaces in XML forbids, which the scanner leaves to this.
 */
export const readNodes = (source: Bytes, outer: Scope): readonly Node[] => {
  const roots: Node[] = [];
  let top: Open = { element: ROOT, children: roots, scope: outer, parent: undefined, text: "" };
  let at = 0;
  while (at < source.length) {
    if (isText(source, at)) {
      at = readText(source, at, top);
      continue;
    }
    flush(top);
    if (source.charCodeAt(at + 1) === SLASH) {
      top = top.parent ?? unbalanced();
      at = indexOr(source, ">", at, source.length) + 1;
    } else {
      const tag = readTag(source, at);
      const opened = open(tag, top);
      top.children.push(opened.element);
      if (!tag.empty) top = opened;
      at = tag.end;
    }
  }
  flush(top);
  return top.parent === undefined ? roots : unbalanced();
};

const isText = (source: Bytes, at: number): boolean =>
  source.charCodeAt(at) !== LESS_THAN || source.startsWith(CDATA, at);

/** Adds the text or CDATA section at `at` to the open element. Gives where it ends. */
const readText = (source: Bytes, at: number, top: Open): number => {
  if (source.charCodeAt(at) !== LESS_THAN) {
    const end = indexOr(source, "<", at, source.length);
    top.text += decodeText(source.substring(at, end) as Bytes);
    return end;
  }
  const end = indexOr(source, "]]>", at, source.length);
  top.text += toText(source.substring(at + CDATA.length, end) as Bytes).replace(/\r\n?/g, "\n");
  return end + 3;
};

/** The one element that `source` is, read inside `outer`. */
export const readNode = (source: Bytes, outer: Scope): Element => {
  const node = readNodes(source, outer)[0];
  return typeof node === "object" ? node : unbalanced();
};

const ROOT: Element = { name: "", ns: "", attributes: {}, children: [] };

const unbalanced = (): never => {
  throw new StreamError("not-well-formed", "The element is not complete");
};

const indexOr = (source: string, what: string, from: number, otherwise: number): number => {
  const at = source.indexOf(what, from);
  return at < 0 ? otherwise : at;
};

const flush = (open: Open): void => {
  if (open.text !== "") open.children.push(open.text);
  open.text = "";
};

const open = (tag: Tag, parent: Open): Open => {
  const scope = declare(parent.scope, tag.attributes);
  const children: Node[] = [];
  const element: Element = {
    name: localName(tag.name),
    ns: elementNamespace(scope, tag.name),
    attributes: resolveAttributes(scope, tag.attributes),
    children,
  };
  return { element, children, scope, parent, text: "" };
};

/** A start tag as written, in real text. */
export interface Tag {
  readonly name: string;
  /** Name, value, name, value …: names as written, values decoded. */
  readonly attributes: readonly string[];
  readonly empty: boolean;
  /** Where the tag ends in its source. */
  readonly end: number;
}

/** Takes apart the start tag at `start`. */
export const readTag = (source: Bytes, start: number): Tag => {
  let at = nameEnd(source, start + 1);
  const name = toText(source.substring(start + 1, at) as Bytes);
  const attributes: string[] = [];
  for (;;) {
    at = skipSpace(source, at);
    const char = source[at];
    if (char === ">") return { name, attributes, empty: false, end: at + 1 };
    if (char === "/") return { name, attributes, empty: true, end: at + 2 };
    const last = nameEnd(source, at);
    const value = valueStart(source, last);
    const end = valueEnd(source, value);
    attributes.push(
      toText(source.substring(at, last) as Bytes),
      decodeAttribute(source.substring(value, end) as Bytes),
    );
    at = end + 1;
  }
};

/** The value of the attribute with this name, as written, of the start tag at `start`; nothing else of the tag is read. */
export const readAttribute = (source: Bytes, start: number, name: string): string | undefined => {
  for (let at = skipSpace(source, nameEnd(source, start + 1)); !isTagEnd(source, at); ) {
    const last = nameEnd(source, at);
    const value = valueStart(source, last);
    const end = valueEnd(source, value);
    if (last - at === name.length && source.startsWith(name, at))
      return decodeAttribute(source.substring(value, end) as Bytes);
    at = skipSpace(source, end + 1);
  }
  return undefined;
};

const isTagEnd = (source: Bytes, at: number): boolean => {
  const code = source.charCodeAt(at);
  return code === GREATER_THAN || code === SLASH;
};

/** Where an attribute's value starts, after its quote. `last` is where its name ends. */
const valueStart = (source: Bytes, last: number): number => skipSpace(source, skipSpace(source, last) + 1) + 1;

/** Where a value ends that starts here: at the next quote of the kind before it. */
const valueEnd = (source: Bytes, start: number): number => {
  const quote = source[start - 1];
  const end = quote === undefined ? -1 : source.indexOf(quote, start);
  return end < 0 ? unbalanced() : end;
};

/** Where the name ends that starts here: at white space, `=`, `/` or `>`. */
const nameEnd = (source: Bytes, start: number): number => {
  let at = start;
  for (; at < source.length; at++) {
    const code = source.charCodeAt(at);
    if (code <= 0x20 || code === EQUALS || code === SLASH || code === GREATER_THAN) break;
  }
  return at;
};

const skipSpace = (source: Bytes, from: number): number => {
  let at = from;
  while (source.charCodeAt(at) <= 0x20) at++;
  return at;
};

/**
 * The index entry (`CHILD_FIELDS` numbers, see raw.ts) of the child element that lies at [start, end) of the payload.
 * Its namespace value is looked for in its own start tag only.
 */
export const indexChild = (payload: Bytes, start: number, end: number): readonly number[] => {
  const last = nameEnd(payload, start + 1);
  const colon = payload.substring(start + 1, last).indexOf(":");
  const declaration = colon < 0 ? "xmlns" : `xmlns:${payload.substring(start + 1, start + 1 + colon)}`;
  const first = colon < 0 ? start + 1 : start + 2 + colon;
  for (let at = skipSpace(payload, last); !isTagEnd(payload, at); ) {
    const stop = nameEnd(payload, at);
    const value = valueStart(payload, stop);
    const finish = valueEnd(payload, value);
    if (payload.substring(at, stop) === declaration) return [first, last, value, finish, start, end];
    at = skipSpace(payload, finish + 1);
  }
  return [first, last, -1, -1, start, end];
};
