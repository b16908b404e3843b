/** XEP-0198: the elements of stream management. What is counted, and how, is in `xep0198-counters.ts`. */
import type { Bytes } from "./bytes.ts";
import { MAX_UNSIGNED_INT, parseUnsigned } from "./datatypes.ts";
import { STANZA_CONDITIONS, type StanzaCondition, StanzaError, StreamError } from "./errors.ts";
import { payload } from "./payload.ts";
import { NS_STANZAS } from "./stanza-error.ts";
import { booleanOf } from "./xep0004-data-forms.ts";
import { type Element, element, elementsOf, textOfChild } from "./xml/element.ts";
import { attributeOf, type RawElement } from "./xml/raw.ts";
import { unescape as unescaped } from "./xml/write.ts";

export const NS_STREAM_MANAGEMENT = "urn:xmpp:sm:3";

/** The stream feature (§2); in SASL2's `<inline/>` it offers resumption (§9.2). */
export const streamManagementFeature: Element = element(NS_STREAM_MANAGEMENT, "sm");

/** What a client asks for (§3). */
export interface EnableRequest {
  /** Whether it would like to be allowed to resume the stream. */
  readonly resume: boolean;
  /** How long it would like to be able to, in seconds. */
  readonly max?: number | undefined;
}

/** `<enable/>` (§3). On a stream, or in a `<bind/>` of Bind 2 (§9.1). */
export const Enable = payload<EnableRequest, "stream">({
  ns: NS_STREAM_MANAGEMENT,
  name: "enable",
  places: ["stream"],
  parse: (enable) => ({ resume: resumeOf(enable), max: maxOf(enable) }),
  build: ({ resume, max }) =>
    element(NS_STREAM_MANAGEMENT, "enable", { resume: resume ? "true" : undefined, max: seconds(max) }),
});

/** What a server grants (§3, §5). */
export interface EnabledStream {
  /** The SM-ID; opaque to the client, and never longer than 4000 bytes. There must be one where `resume` is true. */
  readonly id?: string | undefined;
  readonly resume: boolean;
  /** How long the stream may be resumed after it broke off, in seconds. */
  readonly max?: number | undefined;
  /** Where the server would like the client to come back to: "host", "host:port", "[IPv6]:port". */
  readonly location?: string | undefined;
}

/** `<enabled/>` (§3). On a stream, or in Bind 2's `<bound/>`. */
export const Enabled = payload<EnabledStream, "stream">({
  ns: NS_STREAM_MANAGEMENT,
  name: "enabled",
  places: ["stream"],
  parse: (enabled) => {
    const { id, location } = enabled.attributes;
    const resume = resumeOf(enabled);
    if (resume && !id) throw new StanzaError("bad-request", { text: "a stream that can be resumed needs an id" });
    return { id, resume, max: maxOf(enabled), location };
  },
  build: ({ id, resume, max, location }) =>
    element(NS_STREAM_MANAGEMENT, "enabled", {
      id,
      resume: resume ? "true" : undefined,
      max: seconds(max),
      location,
    }),
});

/** Which stream is resumed, and how far it had come (§5). */
export interface Resumption {
  /** The SM-ID of the former stream. */
  readonly previd: string;
  /** How many stanzas the sender of this has handled, modulo 2^32. */
  readonly h: number;
}

/** `<resume/>` (§5), or in SASL2's `<authenticate/>` (§9.2). */
export const Resume = payload<Resumption, "stream">({
  ns: NS_STREAM_MANAGEMENT,
  name: "resume",
  places: ["stream"],
  parse: (resume) => resumptionOf(resume),
  build: ({ previd, h }) => element(NS_STREAM_MANAGEMENT, "resume", { h, previd }),
});

/** `<resumed/>` (§5), or in SASL2's `<success/>` (§9.2). */
export const Resumed = payload<Resumption, "stream">({
  ns: NS_STREAM_MANAGEMENT,
  name: "resumed",
  places: ["stream"],
  parse: (resumed) => resumptionOf(resumed),
  build: ({ previd, h }) => element(NS_STREAM_MANAGEMENT, "resumed", { h, previd }),
});

/** Why there is no stream management, or no resumption (§6). */
export interface StreamManagementFailure {
  /** "undefined-condition" where the peer gives none, or one that is not known. */
  readonly condition: StanzaCondition;
  readonly text?: string | undefined;
  /** How many stanzas had been handled on a stream that can no longer be resumed, modulo 2^32 (§5). */
  readonly h?: number | undefined;
}

/** `<failed/>` (§6). */
export const Failed = payload<StreamManagementFailure, "stream">({
  ns: NS_STREAM_MANAGEMENT,
  name: "failed",
  places: ["stream"],
  parse: (failed) => {
    const { h } = failed.attributes;
    const known = elementsOf(failed).find(
      ({ ns, name }) => ns === NS_STANZAS && Object.hasOwn(STANZA_CONDITIONS, name),
    );
    return {
      condition: (known?.name as StanzaCondition | undefined) ?? "undefined-condition",
      text: textOfChild(failed, "text", NS_STANZAS),
      // It only helps: one that makes no sense is as good as none.
      h: h === undefined ? undefined : parseUnsigned(h),
    };
  },
  build: ({ condition, text, h }) =>
    element(NS_STREAM_MANAGEMENT, "failed", { h }, [
      element(NS_STANZAS, condition),
      text !== undefined && element(NS_STANZAS, "text", { "xml:lang": "en" }, [text]),
    ]),
});

const resumeOf = ({ attributes: { resume = "false" } }: Element): boolean =>
  booleanOf(resume.trim()) ?? refuse('"resume" is true or false');

/** Seconds; what is longer than a number can say is as good as for ever. */
const maxOf = ({ attributes: { max } }: Element): number | undefined => {
  if (max === undefined) return undefined;
  const wanted = parseUnsigned(max, Number.POSITIVE_INFINITY);
  return wanted === undefined || wanted === 0
    ? refuse('"max" is a positive number of seconds')
    : Math.min(wanted, MAX_UNSIGNED_INT);
};

const seconds = (max: number | undefined): number | undefined => (max === undefined ? undefined : Math.ceil(max));

const resumptionOf = ({ attributes: { previd, h } }: Element): Resumption => {
  if (!previd) refuse('"previd" says which stream');
  return { previd: previd as string, h: parseUnsigned(h ?? "") ?? refuse('"h" is a 32 bit number') };
};

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};

/** `<r/>`: how many have you handled? (§4) */
export const ACK_REQUEST = `<r xmlns='${NS_STREAM_MANAGEMENT}'/>` as Bytes;

/** `<a/>`: so many (§4). `h` is below 2^32. */
export const writeAck = (h: number): Bytes => `<a xmlns='${NS_STREAM_MANAGEMENT}' h='${h}'/>` as Bytes;

export const isAckRequest = (raw: RawElement): boolean => raw.name === "r" && raw.ns === NS_STREAM_MANAGEMENT;
export const isAck = (raw: RawElement): boolean => raw.name === "a" && raw.ns === NS_STREAM_MANAGEMENT;

/** The number in an `<a/>` (§4). Throws StreamError "bad-format" where there is none below 2^32. */
export const readAck = (raw: RawElement): number => {
  const value = attributeOf(raw, "h");
  const h = value === undefined ? undefined : (plainNumber(value) ?? parseUnsigned(unescaped(value)));
  if (h === undefined) throw new StreamError("bad-format", 'An <a/> needs "h", a 32 bit number');
  return h;
};

const ZERO = 0x30;
/** What everybody writes: at most nine digits and nothing else. */
const plainNumber = (value: Bytes): number | undefined => {
  if (value.length === 0 || value.length > 9) return undefined;
  let number = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return number;
};

/** Ends a stream whose peer has acknowledged more than it was sent (§6). Both are numbers of stanzas, modulo 2^32. */
export const handledCountTooHigh = (h: number, sendCount: number): StreamError =>
  new StreamError(
    "undefined-condition",
    `${h} stanzas acknowledged of ${sendCount} sent`,
    element(NS_STREAM_MANAGEMENT, "handled-count-too-high", { h, "send-count": sendCount }),
  );
