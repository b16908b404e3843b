/** The elements of SASL negotiation (RFC 6120 §6.4, §6.5, Appendix A.4). */
import { SASL_CONDITIONS, type SaslCondition, SaslError } from "../errors.ts";
import { childrenOf, type Element, element, elementsOf, textOf, textOfChild } from "../xml/element.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { NO_DATA } from "./crypto.ts";

export const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";

/** Present but empty, where an empty element would mean absent (§6.4.2, §6.4.6). */
const ZERO_LENGTH = "=";

/** Data that may be absent: in <auth/> and <success/>. */
const optionalData = (data: Uint8Array | undefined): readonly string[] =>
  data === undefined ? [] : [data.length === 0 ? ZERO_LENGTH : encodeBase64(data)];

/** <mechanisms/>, the stream feature. Give it one mechanism at least. */
export const mechanismsElement = (names: readonly string[]): Element =>
  element(
    NS_SASL,
    "mechanisms",
    {},
    names.map((name) => element(NS_SASL, "mechanism", {}, [name])),
  );

/** The mechanisms that <mechanisms/> announces, known to us or not, in its order. */
export const readMechanisms = (feature: Element): readonly string[] => childrenOf(feature, "mechanism").map(textOf);

export const authElement = (mechanism: string, initial: Uint8Array | undefined): Element =>
  element(NS_SASL, "auth", { mechanism }, optionalData(initial));

export const challengeElement = (data: Uint8Array): Element => element(NS_SASL, "challenge", {}, [encodeBase64(data)]);

export const responseElement = (data: Uint8Array): Element => element(NS_SASL, "response", {}, [encodeBase64(data)]);

export const abortElement = (): Element => element(NS_SASL, "abort");

export const successElement = (data: Uint8Array | undefined): Element =>
  element(NS_SASL, "success", {}, optionalData(data));

export const failureElement = (error: SaslError): Element =>
  element(NS_SASL, "failure", {}, [
    element(NS_SASL, error.condition),
    error.text !== undefined && element(NS_SASL, "text", { "xml:lang": "en" }, [error.text]),
  ]);

/** What a client sends. */
export type ClientMessage =
  | { readonly is: "auth"; readonly mechanism: string; readonly initial: Uint8Array | undefined }
  | { readonly is: "response"; readonly data: Uint8Array }
  | { readonly is: "abort" };

/** What a server sends. */
export type ServerMessage =
  | { readonly is: "challenge"; readonly data: Uint8Array }
  | { readonly is: "success"; readonly data: Uint8Array | undefined }
  | { readonly is: "failure"; readonly error: SaslError };

/**
 * What a client's element says, or `undefined` where it is none of SASL's. Throws SaslError "incorrect-encoding" for bad base 64,
 * "invalid-mechanism" where none is named (RFC 6120 §6.5.5, §6.5.7).
 */
export const readClientMessage = (message: Element): ClientMessage | undefined => {
  if (message.ns !== NS_SASL) return undefined;
  switch (message.name) {
    case "auth": {
      const { mechanism } = message.attributes;
      if (!mechanism) throw new SaslError("invalid-mechanism");
      return { is: "auth", mechanism, initial: readOptionalData(message) };
    }
    case "response":
      return { is: "response", data: readData(message) };
    case "abort":
      return { is: "abort" };
    default:
      return undefined;
  }
};

/** What a server's element says, or `undefined` where it is none of SASL's. Throws SaslError "incorrect-encoding" for bad base 64. */
export const readServerMessage = (message: Element): ServerMessage | undefined => {
  if (message.ns !== NS_SASL) return undefined;
  switch (message.name) {
    case "challenge":
      return { is: "challenge", data: readData(message) };
    case "success":
      return { is: "success", data: readOptionalData(message) };
    case "failure":
      return { is: "failure", error: readFailure(message) };
    default:
      return undefined;
  }
};

const readData = (message: Element): Uint8Array => readOptionalData(message) ?? NO_DATA;

const readOptionalData = (message: Element): Uint8Array | undefined => {
  const text = textOf(message);
  if (text === "") return undefined;
  if (text === ZERO_LENGTH) return NO_DATA;
  const data = decodeBase64(text);
  if (data === undefined) throw new SaslError("incorrect-encoding");
  return data;
};

const isCondition = (name: string): name is SaslCondition => (SASL_CONDITIONS as readonly string[]).includes(name);

/** A condition that is not known counts as "not-authorized" (§6.5). */
const readFailure = (failure: Element): SaslError => {
  const condition = elementsOf(failure).find(({ ns, name }) => ns === NS_SASL && name !== "text")?.name ?? "";
  return new SaslError(isCondition(condition) ? condition : "not-authorized", textOfChild(failure, "text"));
};
