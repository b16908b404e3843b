import type { Element } from "./xml/element.ts";
/** The conditions of RFC 6120 as literal types, and one error class for each of the three reaches an error has. */

/** Stream error conditions (RFC 6120 §4.9.3). */
export const STREAM_CONDITIONS = [
  "bad-format",
  "bad-namespace-prefix",
  "conflict",
  "connection-timeout",
  "host-gone",
  "host-unknown",
  "improper-addressing",
  "internal-server-error",
  "invalid-from",
  "invalid-namespace",
  "invalid-xml",
  "not-authorized",
  "not-well-formed",
  "policy-violation",
  "remote-connection-failed",
  "reset",
  "resource-constraint",
  "restricted-xml",
  "see-other-host",
  "system-shutdown",
  "undefined-condition",
  "unsupported-encoding",
  "unsupported-feature",
  "unsupported-stanza-type",
  "unsupported-version",
] as const;
export type StreamCondition = (typeof STREAM_CONDITIONS)[number];

/** SASL failure conditions (RFC 6120 §6.5). */
export const SASL_CONDITIONS = [
  "aborted",
  "account-disabled",
  "credentials-expired",
  "encryption-required",
  "incorrect-encoding",
  "invalid-authzid",
  "invalid-mechanism",
  "malformed-request",
  "mechanism-too-weak",
  "not-authorized",
  "temporary-auth-failure",
] as const;
export type SaslCondition = (typeof SASL_CONDITIONS)[number];

export type ErrorType = "auth" | "cancel" | "continue" | "modify" | "wait";

/** Stanza error conditions with the type that RFC 6120 §8.3.3 recommends for each. */
export const STANZA_CONDITIONS = {
  "bad-request": "modify",
  conflict: "cancel",
  "feature-not-implemented": "cancel",
  forbidden: "auth",
  gone: "cancel",
  "internal-server-error": "cancel",
  "item-not-found": "cancel",
  "jid-malformed": "modify",
  "not-acceptable": "modify",
  "not-allowed": "cancel",
  "not-authorized": "auth",
  "policy-violation": "modify",
  "recipient-unavailable": "wait",
  redirect: "modify",
  "registration-required": "auth",
  "remote-server-not-found": "cancel",
  "remote-server-timeout": "wait",
  "resource-constraint": "wait",
  "service-unavailable": "cancel",
  "subscription-required": "auth",
  "undefined-condition": "cancel",
  "unexpected-request": "wait",
} as const satisfies Record<string, ErrorType>;
export type StanzaCondition = keyof typeof STANZA_CONDITIONS;

/** Ends the stream it happens on (RFC 6120 §4.9). */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly condition: StreamCondition;
  /** Text for `<text/>`, in English; also the error's message. */
  readonly text: string | undefined;
  /** Application-specific condition (RFC 6120 §4.9.4). */
  readonly extra: Element | undefined;
  constructor(condition: StreamCondition, text?: string, extra?: Element) {
    super(text ?? condition);
    this.condition = condition;
    this.text = text;
    this.extra = extra;
  }
}

/** Fails one authentication attempt (RFC 6120 §6.5); the stream goes on. */
export class SaslError extends Error {
  override readonly name = "SaslError";
  readonly condition: SaslCondition;
  readonly text: string | undefined;
  constructor(condition: SaslCondition, text?: string) {
    super(text ?? condition);
    this.condition = condition;
    this.text = text;
  }
}

export interface StanzaErrorOptions {
  /** Where it differs from the type RFC 6120 §8.3.3 gives the condition. */
  readonly type?: ErrorType;
  readonly text?: string;
  /** Application-specific conditions (RFC 6120 §8.3.4). */
  readonly extra?: readonly Element[];
  /** Content of `<gone/>` and `<redirect/>`: a URI (RFC 6120 §8.3.3.5, §8.3.3.14). */
  readonly uri?: string;
  /** The number that stood for the condition before XMPP, where a specification still asks for it (XEP-0086). */
  readonly legacyCode?: number;
}

/** Answers the stanza it concerns (RFC 6120 §8.3). */
export class StanzaError extends Error {
  override readonly name = "StanzaError";
  readonly condition: StanzaCondition;
  readonly type: ErrorType;
  readonly options: StanzaErrorOptions;
  constructor(condition: StanzaCondition, options: StanzaErrorOptions = {}) {
    super(options.text ?? condition);
    this.condition = condition;
    this.type = options.type ?? STANZA_CONDITIONS[condition];
    this.options = options;
  }
}
