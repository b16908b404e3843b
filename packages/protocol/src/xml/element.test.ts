import { describe, expect, test } from "vitest";
import { childOf, childrenOf, element, elementsOf, isElement, textOf, textOfChild } from "./element.ts";

describe("building and asking", () => {
  const roster = element("jabber:iq:roster", "query", { ver: 7, live: true, none: undefined }, [
    element("jabber:iq:roster", "item", { jid: "mira@attic.example" }, ["one", "", " two"]),
    undefined,
    false,
    "text",
    element("urn:x", "item"),
    element("jabber:iq:roster", "item", {}, ["three"]),
  ]);

  test("values become text; what is undefined, false or empty is left out", () => {
    expect(roster.attributes).toEqual({ ver: "7", live: "true" });
    expect(roster.children.length).toBe(4);
    expect(roster.children.map(isElement)).toEqual([true, false, true, true]);
    expect(element("", "a")).toEqual({ name: "a", ns: "", attributes: {}, children: [] });
  });

  test("an attribute may have the name of an object's member", () => {
    expect(element("", "a", { constructor: "1" }).attributes.constructor).toBe("1");
    expect(element("", "a").attributes.constructor).toBeUndefined();
  });

  test("children are found in the parent's namespace unless another is given", () => {
    expect(elementsOf(roster).length).toBe(3);
    expect(childrenOf(roster, "item").length).toBe(2);
    expect(childrenOf(roster, "item", "urn:x").length).toBe(1);
    expect(childOf(roster, "item")?.attributes).toEqual({ jid: "mira@attic.example" });
    expect(childOf(roster, "item", "urn:y")).toBeUndefined();
  });

  test("text is that directly inside", () => {
    expect(textOf(roster)).toBe("text");
    expect(textOf(undefined)).toBe("");
    expect(textOfChild(roster, "item")).toBe("one two");
    expect(textOfChild(roster, "item", "urn:x")).toBe("");
    expect(textOfChild(roster, "none")).toBeUndefined();
  });
});
