import type { Bytes } from "../bytes.ts";
import { STREAM_CONDITIONS, type StreamCondition, StreamError } from "../errors.ts";
import { childOf, type Element, element, elementsOf, textOf } from "../xml/element.ts";
import { writeElement } from "../xml/write.ts";
import { NS_STREAM_ERRORS } from "./namespaces.ts";

/**
 * `<stream:error/>` (RFC 6120 §4.9.2): the condition, the text if there is any, the application-specific condition.
 * For a stream whose header declares the prefix `stream`.
 */
export const writeStreamError = (error: StreamError): Bytes => {
  const condition = writeElement(element(NS_STREAM_ERRORS, error.condition));
  const text =
    error.text === undefined ? "" : writeElement(element(NS_STREAM_ERRORS, "text", { "xml:lang": "en" }, [error.text]));
  const extra = error.extra === undefined ? "" : writeElement(error.extra);
  return `<stream:error>${condition}${text}${extra}</stream:error>` as Bytes;
};

const CONDITIONS: ReadonlySet<string> = new Set(STREAM_CONDITIONS);

/** Reads a received stream error; a condition that is not known counts as "undefined-condition" (RFC 6120 §4.9.2). */
export const readStreamError = (received: Element): StreamError => {
  const children = elementsOf(received);
  const condition = children.find((child) => child.ns === NS_STREAM_ERRORS && CONDITIONS.has(child.name));
  const text = childOf(received, "text", NS_STREAM_ERRORS);
  return new StreamError(
    (condition?.name as StreamCondition | undefined) ?? "undefined-condition",
    text === undefined ? undefined : textOf(text),
    children.find((child) => child.ns !== NS_STREAM_ERRORS),
  );
};
