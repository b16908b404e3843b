/** XEP-0386: a resource, and what is to be true of its session from the start, in one request. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { childOf, childrenOf, type Element, element, elementsOf, textOf } from "./xml/element.ts";

export const NS_BIND2 = "urn:xmpp:bind:0";

/** In the `<inline/>` of XEP-0388's feature: the namespaces or features that may be asked for (§3.1). */
export const Bind2Feature = payload({
  ns: NS_BIND2,
  name: "bind",
  places: ["stream"],
  parse: (feature): readonly string[] => {
    const inline = childOf(feature, "inline");
    return inline === undefined ? [] : childrenOf(inline, "feature").flatMap(({ attributes }) => attributes.var ?? []);
  },
  build: (features) =>
    element(NS_BIND2, "bind", {}, [
      features.length > 0 &&
        element(
          NS_BIND2,
          "inline",
          {},
          features.map((feature) => element(NS_BIND2, "feature", { var: feature })),
        ),
    ]),
});

export interface Bind2Request {
  /** What the client calls itself; everybody sees it. Whether it can stand in a resourcepart is for the receiver to see. */
  readonly tag: string | undefined;
  /** What the session is to have from the start, in the namespaces of other specifications. */
  readonly requests: readonly Element[];
}

/** In `<authenticate/>` (§3.2). */
export const Bind2 = payload<Bind2Request, "stream">({
  ns: NS_BIND2,
  name: "bind",
  places: ["stream"],
  parse: (request) => {
    const [tag, ...more] = childrenOf(request, "tag");
    if (more.length > 0 || (tag !== undefined && elementsOf(tag).length > 0)) throw new StanzaError("bad-request");
    return { tag: textOf(tag) || undefined, requests: others(request) };
  },
  build: ({ tag, requests }) =>
    element(NS_BIND2, "bind", {}, [tag !== undefined && element(NS_BIND2, "tag", {}, [tag]), ...requests]),
});

/** In `<success/>`: a resource is bound, and what became of each request that has an answer (§3.2). */
export const Bound2 = payload<readonly Element[], "stream">({
  ns: NS_BIND2,
  name: "bound",
  places: ["stream"],
  parse: (bound) => others(bound),
  build: (results) => element(NS_BIND2, "bound", {}, results),
});

const others = (parent: Element): readonly Element[] => elementsOf(parent).filter(({ ns }) => ns !== NS_BIND2);
