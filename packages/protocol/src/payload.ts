import type { Element } from "./xml/element.ts";

/** Where a payload may stand. An IQ request's payload stands in exactly one kind of request (RFC 6120 §8.2.3). */
export type Place = "iq-get" | "iq-set" | "iq-result" | "message" | "presence" | "error" | "stream";

/**
 * One element that a specification defines: its name, where it may stand, and how it is read and written.
 * Declared once, used in both directions by server and client.
 */
export interface Payload<T, P extends Place = Place> {
  readonly ns: string;
  readonly name: string;
  readonly places: readonly P[];
  /** Throws `StanzaError("bad-request")` where the element is not what its specification says. */
  readonly parse: (element: Element) => T;
  readonly build: (value: T) => Element;
}

export const payload = <T, const P extends Place>(declaration: Payload<T, P>): Payload<T, P> => declaration;
