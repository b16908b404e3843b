import type { Payload } from "./payload.ts";
import type { Stanza } from "./stanza.ts";
import { type Element, NS_CONTENT, textOf } from "./xml/element.ts";
import { childCount, findChild } from "./xml/raw.ts";
import { readChild } from "./xml/read.ts";

/** Is there a child with this name? Reads nothing but the index. */
export const hasChild = (stanza: Stanza, ns: string, name: string): boolean => findChild(stanza, ns, name) >= 0;

/** The first child with this name as a tree, built on demand. */
export const childNamed = (stanza: Stanza, ns: string, name: string): Element | undefined => {
  const at = findChild(stanza, ns, name);
  return at < 0 ? undefined : readChild(stanza, at);
};

/** All children as trees, in order. */
export const childrenOfStanza = (stanza: Stanza): readonly Element[] => {
  const children: Element[] = [];
  for (let at = 0; at < childCount(stanza); at++) children.push(readChild(stanza, at));
  return children;
};

/** The text of a child in the content namespace such as `<body/>` or `<status/>`; `undefined` where there is none. */
export const textNamed = (stanza: Stanza, name: string): string | undefined => {
  const child = childNamed(stanza, NS_CONTENT, name);
  return child === undefined ? undefined : textOf(child);
};

/** The payload of this kind that the stanza carries, read; `undefined` where it carries none. */
export const find = <T>(stanza: Stanza, payload: Payload<T>): T | undefined => {
  const child = childNamed(stanza, payload.ns, payload.name);
  return child === undefined ? undefined : payload.parse(child);
};
