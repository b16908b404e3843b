import { NS_CLIENT, NS_COMPONENT, NS_CONTENT, NS_SERVER, type RawElement, StreamError } from "@kith/protocol";

const CONTENT_NAMESPACES: ReadonlySet<string> = new Set([NS_CLIENT, NS_SERVER, NS_COMPONENT]);

/** What to say to a first-level element that nobody here understands (RFC 6120 §4.8.3, §4.8.4, §4.9.3.24). */
export const unsupported = (raw: RawElement): StreamError => {
  if (CONTENT_NAMESPACES.has(raw.ns))
    return new StreamError("invalid-namespace", "not the content namespace of this stream");
  return new StreamError("unsupported-stanza-type", raw.ns === NS_CONTENT ? "no such stanza" : undefined);
};
