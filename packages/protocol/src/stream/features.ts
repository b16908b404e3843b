import type { Bytes } from "../bytes.ts";
import { type Element, element } from "../xml/element.ts";
import { writeElement } from "../xml/write.ts";
import { NS_BIND, NS_SESSION, NS_TLS } from "./namespaces.ts";

/** `<stream:features/>` (RFC 6120 §4.3.2), for a stream whose header declares the prefix `stream`. */
export const writeFeatures = (features: readonly Element[]): Bytes => {
  if (features.length === 0) return "<stream:features/>" as Bytes;
  let text = "<stream:features>";
  for (const feature of features) text += writtenOnce(feature);
  return `${text}</stream:features>` as Bytes;
};

/** An element does not change, and features are mostly the same elements on every stream. */
const writtenOnce = (feature: Element): Bytes => {
  const known = written.get(feature);
  if (known !== undefined) return known;
  const bytes = writeElement(feature);
  written.set(feature, bytes);
  return bytes;
};
const written = new WeakMap<Element, Bytes>();

/** RFC 6120 §5.4.1. */
export const starttlsFeature = (isRequired: boolean): Element => (isRequired ? STARTTLS_REQUIRED : STARTTLS);
const STARTTLS = element(NS_TLS, "starttls");
const STARTTLS_REQUIRED = element(NS_TLS, "starttls", {}, [element(NS_TLS, "required")]);

/** RFC 6120 §7.4. */
export const bindFeature: Element = element(NS_BIND, "bind");

/** RFC 3921 §3, marked as needless: for clients that insist on it. */
export const sessionFeature: Element = element(NS_SESSION, "session", {}, [element(NS_SESSION, "optional")]);
