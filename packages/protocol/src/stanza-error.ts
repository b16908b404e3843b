import { type ErrorType, STANZA_CONDITIONS, type StanzaCondition, StanzaError } from "./errors.ts";
import { answerTo, type Stanza } from "./stanza.ts";
import { childNamed } from "./stanza-children.ts";
import { childOf, type Element, element, elementsOf, isElement, NS_CONTENT, textOf } from "./xml/element.ts";

export const NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

/** The error that answers a stanza (RFC 6120 §8.3). The original payload is not repeated. */
export const errorOf = (stanza: Stanza, error: StanzaError): Stanza => answerTo(stanza, "error", [errorElement(error)]);

export const errorElement = (error: StanzaError): Element => {
  const { text, uri, extra, legacyCode } = error.options;
  return element(NS_CONTENT, "error", { type: error.type, code: legacyCode }, [
    element(NS_STANZAS, error.condition, {}, [uri]),
    text !== undefined && element(NS_STANZAS, "text", { "xml:lang": "en" }, [text]),
    ...(extra ?? []),
  ]);
};

const ERROR_TYPES: ReadonlySet<string> = new Set([
  "auth",
  "cancel",
  "continue",
  "modify",
  "wait",
] satisfies ErrorType[]);

/** Reads the error a stanza of type "error" carries; an unknown condition is "undefined-condition" (RFC 6120 §8.3.2). */
export const stanzaErrorOf = (stanza: Stanza): StanzaError => {
  const error = childNamed(stanza, NS_CONTENT, "error");
  if (error === undefined) return new StanzaError("undefined-condition");
  const defined = elementsOf(error).find((child) => child.ns === NS_STANZAS && child.name !== "text");
  const condition =
    defined !== undefined && Object.hasOwn(STANZA_CONDITIONS, defined.name)
      ? (defined.name as StanzaCondition)
      : "undefined-condition";
  const type = error.attributes.type;
  const text = childOf(error, "text", NS_STANZAS);
  const uri = textOf(defined);
  return new StanzaError(condition, {
    ...(type !== undefined && ERROR_TYPES.has(type) ? { type: type as ErrorType } : {}),
    ...(text === undefined ? {} : { text: textOf(text) }),
    ...(uri === "" ? {} : { uri }),
    extra: error.children.filter(isElement).filter((child) => child.ns !== NS_STANZAS),
  });
};
