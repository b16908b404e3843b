/** XEP-0388: SASL with more to say: who is connecting, what is wanted besides, and what is still to be done. */
import { SASL_CONDITIONS, type SaslCondition, SaslError } from "./errors.ts";
import { type Jid, tryJid } from "./jid.ts";
import { decodeBase64, encodeBase64 } from "./sasl/base64.ts";
import { NS_SASL } from "./sasl/wire.ts";
import { childOf, childrenOf, type Element, element, elementsOf, textOf, textOfChild } from "./xml/element.ts";

export const NS_SASL2 = "urn:xmpp:sasl:2";

/** What `<authentication/>` announces (§2.1). */
export interface Authentication {
  /** At least one. */
  readonly mechanisms: readonly string[];
  /** What can be asked for in `<authenticate/>`, by the features of its own specifications. */
  readonly inline: readonly Element[];
  /** What other specifications put beside them, such as XEP-0480's upgrades. */
  readonly more: readonly Element[];
}

/** The client and where it runs (§2.3). Not to be shown to anybody but the account's owner. */
export interface UserAgent {
  /** A UUID of version 4, in lower case, that stays the same for an installation. What is no such UUID is not here. */
  readonly id: string | undefined;
  readonly software: string | undefined;
  readonly device: string | undefined;
}

export interface Authenticate {
  readonly is: "authenticate";
  readonly mechanism: string;
  /** `undefined`: there is none; empty: it is empty. */
  readonly initial: Uint8Array | undefined;
  readonly userAgent: UserAgent | undefined;
  /** What is wanted besides, in the namespaces of other specifications. */
  readonly inline: readonly Element[];
}

/** What a client sends. */
export type Sasl2ClientMessage =
  | Authenticate
  | { readonly is: "response"; readonly data: Uint8Array }
  | { readonly is: "abort"; readonly text: string | undefined; readonly more: readonly Element[] }
  | { readonly is: "next"; readonly task: string; readonly payload: readonly Element[] }
  | { readonly is: "task-data"; readonly payload: readonly Element[] };

export interface Sasl2Success {
  readonly is: "success";
  readonly data: Uint8Array | undefined;
  /** Bare, or full where a resource has been bound. */
  readonly identity: Jid;
  /** What became of the requests beside it. */
  readonly results: readonly Element[];
}

/** What a server sends. */
export type Sasl2ServerMessage =
  | { readonly is: "challenge"; readonly data: Uint8Array }
  | Sasl2Success
  | { readonly is: "failure"; readonly error: SaslError; readonly more: readonly Element[] }
  | {
      readonly is: "continue";
      readonly data: Uint8Array | undefined;
      /** At least one; the client chooses. */
      readonly tasks: readonly string[];
      readonly text: string | undefined;
    }
  | { readonly is: "task-data"; readonly payload: readonly Element[] };

const of = (name: string, text: string | undefined): Element | undefined =>
  text === undefined ? undefined : element(NS_SASL2, name, {}, [text]);
const dataOf = (name: string, data: Uint8Array | undefined): Element | undefined =>
  of(name, data === undefined ? undefined : encodeBase64(data));

/** `<authentication/>`, the stream feature (§2.1). */
export const authenticationFeature = ({ mechanisms, inline, more }: Authentication): Element =>
  element(NS_SASL2, "authentication", {}, [
    ...mechanisms.map((name) => of("mechanism", name)),
    inline.length > 0 && element(NS_SASL2, "inline", {}, inline),
    ...more,
  ]);

export const readAuthentication = (feature: Element): Authentication => {
  const inline = childOf(feature, "inline");
  return {
    mechanisms: childrenOf(feature, "mechanism").map(trimmed),
    inline: inline === undefined ? [] : elementsOf(inline),
    more: others(feature),
  };
};

/** A client's message as an element. */
export const sasl2ClientElement = (message: Sasl2ClientMessage): Element => {
  switch (message.is) {
    case "authenticate":
      return element(NS_SASL2, "authenticate", { mechanism: message.mechanism }, [
        dataOf("initial-response", message.initial),
        message.userAgent && userAgentElement(message.userAgent),
        ...message.inline,
      ]);
    case "response":
      return element(NS_SASL2, "response", {}, [encodeBase64(message.data)]);
    case "abort":
      return element(NS_SASL2, "abort", {}, [of("text", message.text), ...message.more]);
    case "next":
      return element(NS_SASL2, "next", { task: message.task }, message.payload);
    case "task-data":
      return element(NS_SASL2, "task-data", {}, message.payload);
  }
};

const userAgentElement = ({ id, software, device }: UserAgent): Element =>
  element(NS_SASL2, "user-agent", { id }, [of("software", software), of("device", device)]);

/** A server's message as an element. */
export const sasl2ServerElement = (message: Sasl2ServerMessage): Element => {
  switch (message.is) {
    case "challenge":
      return element(NS_SASL2, "challenge", {}, [encodeBase64(message.data)]);
    case "success":
      return element(NS_SASL2, "success", {}, [
        dataOf("additional-data", message.data),
        of("authorization-identifier", message.identity.full),
        ...message.results,
      ]);
    case "failure":
      return element(NS_SASL2, "failure", {}, [
        element(NS_SASL, message.error.condition),
        ...message.more,
        of("text", message.error.text),
      ]);
    case "continue":
      return element(NS_SASL2, "continue", {}, [
        dataOf("additional-data", message.data),
        element(
          NS_SASL2,
          "tasks",
          {},
          message.tasks.map((task) => of("task", task)),
        ),
        of("text", message.text),
      ]);
    case "task-data":
      return element(NS_SASL2, "task-data", {}, message.payload);
  }
};

/**
 * What a client's element says, or `undefined` where it is none of these. Throws SaslError: "incorrect-encoding" for bad base 64,
 * "invalid-mechanism" where none is named, "malformed-request" where something is there twice or a task has no name.
 */
export const readSasl2Client = (message: Element): Sasl2ClientMessage | undefined => {
  if (message.ns !== NS_SASL2) return undefined;
  switch (message.name) {
    case "authenticate":
      return readAuthenticate(message);
    case "response":
      return { is: "response", data: dataIn(message) };
    case "abort":
      return { is: "abort", text: textOfChild(message, "text"), more: others(message) };
    case "next": {
      const { task } = message.attributes;
      if (!task) throw new SaslError("malformed-request", "which task?");
      return { is: "next", task, payload: elementsOf(message) };
    }
    case "task-data":
      return { is: "task-data", payload: elementsOf(message) };
    default:
      return undefined;
  }
};

const readAuthenticate = (message: Element): Authenticate => {
  const { mechanism } = message.attributes;
  if (!mechanism) throw new SaslError("invalid-mechanism");
  const userAgent = atMostOne(message, "user-agent");
  return {
    is: "authenticate",
    mechanism,
    initial: optionalData(message, "initial-response"),
    userAgent: userAgent === undefined ? undefined : readUserAgent(userAgent),
    inline: others(message),
  };
};

const UUID_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

const readUserAgent = (userAgent: Element): UserAgent => {
  const { id } = userAgent.attributes;
  return {
    id: id !== undefined && UUID_4.test(id) ? id.toLowerCase() : undefined,
    software: description(userAgent, "software"),
    device: description(userAgent, "device"),
  };
};

/** Text for people, who need no more of it than this many characters. */
const LONGEST_DESCRIPTION = 128;

const description = (userAgent: Element, name: string): string | undefined => {
  const text = textOfChild(userAgent, name)?.trim();
  // By code points, so that no character is cut in half.
  return text
    ? Array.from(text.slice(0, 2 * LONGEST_DESCRIPTION))
        .slice(0, LONGEST_DESCRIPTION)
        .join("")
    : undefined;
};

/**
 * What a server's element says, or `undefined` where it is none of these. Throws SaslError: "incorrect-encoding" for bad base 64,
 * "malformed-request" for success without an address or a continuation without tasks.
 */
export const readSasl2Server = (message: Element): Sasl2ServerMessage | undefined => {
  if (message.ns !== NS_SASL2) return undefined;
  switch (message.name) {
    case "challenge":
      return { is: "challenge", data: dataIn(message) };
    case "success": {
      const identity = tryJid(textOfChild(message, "authorization-identifier")?.trim() ?? "");
      if (identity === undefined) throw new SaslError("malformed-request", "success, but for whom?");
      return { is: "success", data: optionalData(message, "additional-data"), identity, results: others(message) };
    }
    case "failure":
      return readFailure(message);
    case "continue": {
      const tasks = childrenOf(childOf(message, "tasks") ?? message, "task").map(trimmed);
      if (tasks.length === 0) throw new SaslError("malformed-request", "continue, but how?");
      const data = optionalData(message, "additional-data");
      return { is: "continue", data, tasks, text: textOfChild(message, "text") };
    }
    case "task-data":
      return { is: "task-data", payload: elementsOf(message) };
    default:
      return undefined;
  }
};

const isCondition = (name: string): name is SaslCondition => (SASL_CONDITIONS as readonly string[]).includes(name);

/** A condition that is not known counts as "not-authorized" (RFC 6120 §6.5). */
const readFailure = (failure: Element): Sasl2ServerMessage => {
  const condition = elementsOf(failure).find(({ ns, name }) => ns === NS_SASL && name !== "text")?.name ?? "";
  const text = textOfChild(failure, "text") ?? textOfChild(failure, "text", NS_SASL);
  return {
    is: "failure",
    error: new SaslError(isCondition(condition) ? condition : "not-authorized", text),
    more: others(failure).filter(({ ns }) => ns !== NS_SASL),
  };
};

/** Children in the namespaces of other specifications. */
const others = (parent: Element): readonly Element[] => elementsOf(parent).filter(({ ns }) => ns !== NS_SASL2);

const trimmed = (child: Element): string => textOf(child).trim();

const atMostOne = (parent: Element, name: string): Element | undefined => {
  const [child, ...more] = childrenOf(parent, name);
  if (more.length > 0) throw new SaslError("malformed-request", `more than one ${name}`);
  return child;
};

const optionalData = (parent: Element, name: string): Uint8Array | undefined => {
  const child = atMostOne(parent, name);
  return child === undefined ? undefined : dataIn(child);
};

/** §2.2: white space ought not to be there, and does no harm. */
const dataIn = (child: Element): Uint8Array => {
  const data = decodeBase64(textOf(child).replace(/[ \t\r\n]+/g, ""));
  if (data === undefined) throw new SaslError("incorrect-encoding");
  return data;
};
