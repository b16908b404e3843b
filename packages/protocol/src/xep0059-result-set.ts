/** XEP-0059: long results, page by page. */
import { parseUnsigned } from "./datatypes.ts";
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { childOf, type Element, element, textOf, textOfChild } from "./xml/element.ts";

export const NS_RESULT_SET = "http://jabber.org/protocol/rsm";

/** Where a page begins, or ends; ids are whatever the responder gave its items. */
export type PagePosition =
  | { readonly is: "start" }
  | { readonly is: "end" }
  | { readonly is: "after"; readonly id: string }
  | { readonly is: "before"; readonly id: string }
  | { readonly is: "index"; readonly index: number };

/** What is asked for (§2). */
export interface PageRequest {
  /** How many items at most; 0 asks for the count alone (§2.7). `undefined`: as many as the responder likes. */
  readonly max?: number | undefined;
  readonly position: PagePosition;
}

/** What is asked for where nothing is said. */
export const FIRST_PAGE: PageRequest = { max: undefined, position: { is: "start" } };

/** What an answer says of the page it holds (§2.2). */
export interface Page {
  /** The ids of the first and the last item, the same where there is one; `undefined` in an empty page. */
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  /** How many items of the whole set come before the first. May be approximate, as `count` may. */
  readonly index?: number | undefined;
  /** How many items the whole set has. */
  readonly count?: number | undefined;
}

/** `<set/>` in a request. */
export const ResultSetRequest = payload<PageRequest, "iq-get" | "iq-set">({
  ns: NS_RESULT_SET,
  name: "set",
  places: ["iq-get", "iq-set"],
  parse: (set) => ({ max: numberIn(set, "max"), position: positionOf(set) }),
  build: ({ max, position }) => element(NS_RESULT_SET, "set", {}, [number("max", max), positionElement(position)]),
});

/** `<set/>` in an answer. */
export const ResultSet = payload<Page, "iq-result">({
  ns: NS_RESULT_SET,
  name: "set",
  places: ["iq-result"],
  parse: (set) => {
    const first = childOf(set, "first");
    const last = textOfChild(set, "last");
    if ((first === undefined) !== (last === undefined)) refuse("a page has a first and a last item, or neither");
    const index = first?.attributes.index;
    return {
      first: first === undefined ? undefined : textOf(first),
      last,
      index: index === undefined ? undefined : intOf(index),
      count: numberIn(set, "count"),
    };
  },
  build: ({ first, last, index, count }) =>
    element(NS_RESULT_SET, "set", {}, [
      first !== undefined && element(NS_RESULT_SET, "first", { index }, [first]),
      last !== undefined && element(NS_RESULT_SET, "last", {}, [last]),
      number("count", count),
    ]),
});

/** The page that a request of some other protocol asks for; the first where it does not say. */
export const pageRequestOf = (request: Element): PageRequest => {
  const set = childOf(request, "set", NS_RESULT_SET);
  return set === undefined ? FIRST_PAGE : ResultSetRequest.parse(set);
};

/** xs:int. */
const MAX_INT = 0x7fff_ffff;

const intOf = (text: string): number => parseUnsigned(text, MAX_INT) ?? refuse("not a number of items");

const numberIn = (set: Element, name: string): number | undefined => {
  const text = textOfChild(set, name);
  return text === undefined ? undefined : intOf(text);
};

const number = (name: string, value: number | undefined): Element | undefined =>
  value === undefined ? undefined : element(NS_RESULT_SET, name, {}, [String(value)]);

const positionOf = (set: Element): PagePosition => {
  const positions: PagePosition[] = [];
  const after = textOfChild(set, "after");
  // An empty one is before every item (§2.2: what is meant where there is none).
  if (after !== undefined) positions.push(after === "" ? { is: "start" } : { is: "after", id: after });
  const before = textOfChild(set, "before");
  if (before !== undefined) positions.push(before === "" ? { is: "end" } : { is: "before", id: before });
  const index = numberIn(set, "index");
  if (index !== undefined) positions.push({ is: "index", index });
  if (positions.length > 1) refuse("a page is after an item, before one, or at an index");
  return positions[0] ?? FIRST_PAGE.position;
};

const positionElement = (position: PagePosition): Element | undefined => {
  switch (position.is) {
    case "start":
      return undefined;
    case "end":
      return element(NS_RESULT_SET, "before");
    case "index":
      return number("index", position.index);
    default:
      return element(NS_RESULT_SET, position.is, {}, [position.id]);
  }
};

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};
