import { type Element, isElement, type Node, parseElement } from "@kith/protocol";

/** Matches any text, or any value of an attribute that is there. */
export const ANY = "*";

const isBlank = (node: Node): boolean => typeof node === "string" && node.trim() === "";

/**
 * An element in one canonical spelling, so that equal meaning is equal text: attributes sorted, namespaces spelled out,
 * white space between elements gone. Where `pattern` holds ANY the element's own value is replaced by it.
 */
export const canonical = (element: Element, pattern?: Element): string => {
  const attributes = Object.keys(element.attributes)
    .sort()
    .map((name) => ` ${name}="${pattern?.attributes[name] === ANY ? ANY : element.attributes[name]}"`)
    .join("");
  const hasElements = element.children.some(isElement);
  const kept = hasElements ? element.children.filter((node) => !isBlank(node)) : element.children;
  const patterns = pattern?.children.filter((node) => !pattern.children.some(isElement) || !isBlank(node)) ?? [];
  const children = kept.map((node, at) => {
    const like = patterns[at];
    if (isElement(node)) return canonical(node, like !== undefined && isElement(like) ? like : undefined);
    return like === ANY ? ANY : node;
  });
  return `<{${element.ns}}${element.name}${attributes}>${children.join("")}</>`;
};

/** Both sides canonical, the actual one seen through the expected one's wildcards. */
export const comparable = (
  actual: readonly string[],
  expected: readonly string[],
): { actual: string[]; expected: string[] } => {
  const patterns = expected.map((xml) => parseElement(xml));
  return {
    actual: actual.map((xml, at) => canonical(parseElement(xml), patterns[at])),
    expected: patterns.map((pattern) => canonical(pattern)),
  };
};
