import type { Bytes } from "../bytes.ts";
import { type Element, element } from "../xml/element.ts";
import { writeElement } from "../xml/write.ts";
import { NS_BIND, NS_SESSION, NS_TLS } from "./namespaces.ts";

/** `<stream:features/>` (RFC 6120 §4.3.2), for a stream whose header declares the prefix `stream`. */
export const writeFeatures = (features: readonly Element[]): Bytes => {
  if (features.length === 0) return "<stream:features/>" as Bytes;
  let text = "<stream:features>";
  for (const feature of features) text += writeElement(feature);
  return `${text}</stream:features>` as Bytes;
};

/** RFC 6120 §5.4.1. */
export const starttlsFeature = (isRequired: boolean): Element =>
  element(NS_TLS, "starttls", {}, [isRequired && element(NS_TLS, "required")]);

/** RFC 6120 §7.4. */
export const bindFeature: Element = element(NS_BIND, "bind");

/** RFC 3921 §3, marked as needless: for clients that insist on it. */
export const sessionFeature: Element = element(NS_SESSION, "session", {}, [element(NS_SESSION, "optional")]);
