import {
  childCount,
  isChild,
  NS_CONTENT,
  type RawElement,
  readChild,
  textOf,
  toBytes,
  toUint8Array,
  XmlScanner,
} from "@kith/protocol";

const ANY = Number.MAX_SAFE_INTEGER;
const LIMITS = { stanzaBytes: ANY, depth: ANY, attributes: ANY, children: ANY, prefixes: ANY };

/** What a full-text search finds a message by: the text of its bodies and subjects (XEP-0431). */
export const searchTextOf = (stanza: Uint8Array): string => {
  const raw = read(stanza);
  if (raw === undefined) return "";
  let text = "";
  for (let at = 0; at < childCount(raw); at++)
    if (isChild(raw, at, NS_CONTENT, "body") || isChild(raw, at, NS_CONTENT, "subject"))
      text += text === "" ? textOf(readChild(raw, at)) : ` ${textOf(readChild(raw, at))}`;
  return text;
};

/** Stored stanzas have been checked; one that cannot be read all the same is found by nothing. */
const read = (stanza: Uint8Array): RawElement | undefined => {
  found = undefined;
  scanner ??= newScanner();
  try {
    scanner.feed(stanza);
    if (scanner.held === 0) return found;
  } catch {
    found = undefined;
  }
  scanner = undefined;
  return undefined;
};

// One stream for all of them: starting one costs more than a message.
let found: RawElement | undefined;
let scanner: XmlScanner | undefined;
const newScanner = (): XmlScanner => {
  const made = new XmlScanner(
    {
      opened: () => undefined,
      element: (raw) => {
        found = raw;
      },
      closed: () => undefined,
    },
    { content: "jabber:client", limits: LIMITS },
  );
  made.feed(toUint8Array(toBytes("<stream xmlns='jabber:client'>")));
  return made;
};

/** So many words of a query are looked for. */
const MOST_WORDS = 64;

/** The words of a text as a search compares them: without case and accents. */
const words = (text: string): readonly string[] =>
  text
    .toWellFormed()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .match(/[\p{L}\p{N}\p{Co}]+/gu) ?? [];

/** What people type, as words; each once. */
export const wordsOf = (query: string): readonly string[] => [...new Set(words(query))].slice(0, MOST_WORDS);

/** For stores without an index of texts. No words are found nowhere. */
export const hasAllWords = (text: string, wanted: readonly string[]): boolean => {
  const has = new Set(words(text));
  return wanted.length > 0 && wanted.every((word) => has.has(word));
};
