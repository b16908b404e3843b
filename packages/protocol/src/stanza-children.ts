import type { Bytes } from "./bytes.ts";
import type { Payload } from "./payload.ts";
import { type Stanza, withPayload } from "./stanza.ts";
import { type Element, NS_CONTENT, textOf } from "./xml/element.ts";
import { CHILD_FIELDS, childCount, END, findChild, START } from "./xml/raw.ts";
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

/**
 * The stanza without those of its children, counted from 0, that are unwanted. Nothing is read or written anew; where all are wanted,
 * it is the stanza itself.
 */
export const withoutChildren = <S extends Stanza>(stanza: S, isUnwanted: (at: number) => boolean): S => {
  const { payload, index } = stanza;
  const kept: number[] = [];
  let rest = "";
  let copied = 0;
  let removed = 0;
  for (let at = 0; at < index.length; at += CHILD_FIELDS) {
    if (isUnwanted(at / CHILD_FIELDS)) {
      const start = index[at + START] as number;
      const end = index[at + END] as number;
      rest += payload.substring(copied, start);
      copied = end;
      removed += end - start;
    } else {
      for (const offset of index.slice(at, at + CHILD_FIELDS)) kept.push(offset < 0 ? offset : offset - removed);
    }
  }
  return removed === 0 ? stanza : withPayload(stanza, (rest + payload.substring(copied)) as Bytes, kept);
};
