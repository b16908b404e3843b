/**
 * Finds the ends of tags and of first-level elements in a stream of XML, held as latin1 text (a character a byte). It trusts the
 * server to be well-formed: it measures, it does not check.
 */

const TAB_TO_SPACE = 0x20;
const BANG = 0x21;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const SLASH = 0x2f;
const GREATER = 0x3e;
const QUESTION_MARK = 0x3f;

export const INCOMPLETE = -1;

/** Where the tag that begins at `start` ends: the index behind its `>`, or `INCOMPLETE`. */
export const endOfTag = (text: string, start: number): number => {
  const kind = text.charCodeAt(start + 1);
  if (kind === SLASH) return behind(text, ">", start);
  if (kind === QUESTION_MARK) return behind(text, "?>", start);
  if (kind === BANG) return behind(text, "]]>", start);
  return endOfStartTag(text, start);
};

/** A `>` within quotes does not end it. */
const endOfStartTag = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === GREATER) return at + 1;
    if (code !== DOUBLE_QUOTE && code !== SINGLE_QUOTE) continue;
    at = text.indexOf(code === DOUBLE_QUOTE ? '"' : "'", at + 1);
    if (at < 0) return INCOMPLETE;
  }
  return INCOMPLETE;
};

const behind = (text: string, what: string, start: number): number => {
  const at = text.indexOf(what, start);
  return at < 0 ? INCOMPLETE : at + what.length;
};

/** Where the element that begins at `start` ends, or `INCOMPLETE`. */
export const endOfElement = (text: string, start: number): number => {
  let depth = 0;
  for (let at = start; at >= 0; ) {
    const end = endOfTag(text, at);
    if (end < 0) return INCOMPLETE;
    depth += nesting(text, at, end);
    if (depth === 0) return end;
    at = text.indexOf("<", end);
  }
  return INCOMPLETE;
};

/** 1 for a start tag, -1 for an end tag, 0 for everything else. */
const nesting = (text: string, start: number, end: number): -1 | 0 | 1 => {
  const kind = text.charCodeAt(start + 1);
  if (kind === SLASH) return -1;
  return kind === BANG || kind === QUESTION_MARK || text.charCodeAt(end - 2) === SLASH ? 0 : 1;
};

/** The value of an attribute of the element that begins at `start`, as it is written; `undefined` where it has none of the name. */
export const attributeOf = (element: string, name: string): string | undefined => {
  const tag = element.slice(0, endOfTag(element, 0));
  for (let at = tag.indexOf(name); at >= 0; at = tag.indexOf(name, at + 1)) {
    const quote = tag[at + name.length + 1];
    const isAttribute = tag.charCodeAt(at - 1) <= TAB_TO_SPACE && tag[at + name.length] === "=";
    if (isAttribute && (quote === "'" || quote === '"')) {
      const from = at + name.length + 2;
      return tag.slice(from, tag.indexOf(quote, from));
    }
  }
  return undefined;
};

/** The text of the first child element of this name, as it is written. */
export const textOfChild = (element: string, name: string): string | undefined =>
  new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`).exec(element)?.[1];
