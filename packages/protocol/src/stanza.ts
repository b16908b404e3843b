import type { Bytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { type Jid, jidOfBytes } from "./jid.ts";
import { type Element, NS_CONTENT } from "./xml/element.ts";
import { indexChild } from "./xml/nodes.ts";
import { type ChildIndex, childCount, type RawElement } from "./xml/raw.ts";
import { escapeAttribute, unescape as unescaped, writeElement, writePayload } from "./xml/write.ts";

export type MessageType = "chat" | "error" | "groupchat" | "headline" | "normal";
export type PresenceType =
  | "available"
  | "error"
  | "probe"
  | "subscribe"
  | "subscribed"
  | "unavailable"
  | "unsubscribe"
  | "unsubscribed";
export type IqType = "get" | "set" | "result" | "error";
export type StanzaKind = "message" | "presence" | "iq";
export type StanzaType = MessageType | PresenceType | IqType;

/**
 * A message, presence or IQ: an envelope that is understood and a payload that stays bytes (RFC 6120 §8).
 * Immutable. `to` and `from` are prepared; everything that is not understood is kept and forwarded as it came.
 */
interface Envelope extends RawElement {
  readonly name: StanzaKind;
  readonly to: Jid | undefined;
  readonly from: Jid | undefined;
  /** As received: escaped bytes. */
  readonly id: Bytes | undefined;
  /** `xml:lang`, as received: escaped bytes. */
  readonly lang: Bytes | undefined;
  /** What makes this no valid stanza (malformed address, missing id, unknown type …), to be answered with. */
  readonly problem: StanzaError | undefined;
}
export interface Message extends Envelope {
  readonly kind: "message";
  /** A missing or unknown type counts as "normal" (RFC 6121 §5.2.2). */
  readonly type: MessageType;
}
export interface Presence extends Envelope {
  readonly kind: "presence";
  /** "available" stands for no type attribute (RFC 6121 §4.7.1). */
  readonly type: PresenceType;
}
export interface Iq extends Envelope {
  readonly kind: "iq";
  readonly type: IqType;
}
export type Stanza = Message | Presence | Iq;

/** One class for all three, so that the engine sees one shape on the hot path. */
class StanzaObject implements Envelope {
  readonly kind: StanzaKind;
  readonly type: StanzaType;
  readonly to: Jid | undefined;
  readonly from: Jid | undefined;
  readonly id: Bytes | undefined;
  readonly lang: Bytes | undefined;
  readonly attributes: readonly Bytes[];
  readonly payload: Bytes;
  readonly index: ChildIndex;
  readonly problem: StanzaError | undefined;
  constructor(
    kind: StanzaKind,
    type: StanzaType,
    to: Jid | undefined,
    from: Jid | undefined,
    id: Bytes | undefined,
    lang: Bytes | undefined,
    attributes: readonly Bytes[],
    payload: Bytes,
    index: ChildIndex,
    problem: StanzaError | undefined,
  ) {
    this.kind = kind;
    this.type = type;
    this.to = to;
    this.from = from;
    this.id = id;
    this.lang = lang;
    this.attributes = attributes;
    this.payload = payload;
    this.index = index;
    this.problem = problem;
  }
  get name(): StanzaKind {
    return this.kind;
  }
  get ns(): string {
    return NS_CONTENT;
  }
}

const MESSAGE_TYPES: ReadonlySet<string> = new Set([
  "chat",
  "error",
  "groupchat",
  "headline",
  "normal",
] satisfies MessageType[]);
const PRESENCE_TYPES: ReadonlySet<string> = new Set([
  "error",
  "probe",
  "subscribe",
  "subscribed",
  "unavailable",
  "unsubscribe",
  "unsubscribed",
] satisfies PresenceType[]);
const IQ_TYPES: ReadonlySet<string> = new Set(["get", "set", "result", "error"] satisfies IqType[]);

export const isStanza = (raw: RawElement): boolean =>
  raw.ns === NS_CONTENT && (raw.name === "message" || raw.name === "presence" || raw.name === "iq");

/**
 * Reads the envelope of a first-level element for which `isStanza` holds. Never throws: what is wrong with it
 * is in `problem`, since an answer needs the rest of the envelope.
 */
export const readStanza = (raw: RawElement): Stanza => {
  const { attributes } = raw;
  const kind = raw.name as StanzaKind;
  let to: Jid | undefined;
  let from: Jid | undefined;
  let id: Bytes | undefined;
  let lang: Bytes | undefined;
  let type: Bytes | undefined;
  let malformed = false;
  let others: Bytes[] | undefined;
  for (let at = 0; at < attributes.length; at += 2) {
    const value = attributes[at + 1] as Bytes;
    switch (attributes[at] as string) {
      case "to":
        to = jidOfBytes(value);
        malformed ||= to === undefined;
        break;
      case "from":
        from = jidOfBytes(value);
        malformed ||= from === undefined;
        break;
      case "id":
        id = value;
        break;
      case "type":
        type = value;
        break;
      case "xml:lang":
        lang = value;
        break;
      default:
        others ??= [];
        others.push(attributes[at] as Bytes, value);
    }
  }
  const problem = malformed ? new StanzaError("jid-malformed") : problemOf(kind, type, id, raw);
  return new StanzaObject(
    kind,
    effectiveType(kind, type),
    to,
    from,
    id,
    lang,
    others ?? NONE,
    raw.payload,
    raw.index,
    problem,
  ) as Stanza;
};
const NONE: readonly Bytes[] = [];

const effectiveType = (kind: StanzaKind, type: Bytes | undefined): StanzaType => {
  if (kind === "message")
    return type !== undefined && MESSAGE_TYPES.has(type) ? (type as string as MessageType) : "normal";
  if (kind === "presence")
    return type !== undefined && PRESENCE_TYPES.has(type) ? (type as string as PresenceType) : "available";
  return type !== undefined && IQ_TYPES.has(type) ? (type as string as IqType) : "get";
};

/** The first rule of its kind that a stanza breaks. */
const problemOf = (
  kind: StanzaKind,
  type: Bytes | undefined,
  id: Bytes | undefined,
  raw: RawElement,
): StanzaError | undefined => {
  if (kind === "message") return undefined;
  const fault = kind === "presence" ? presenceFault(type) : iqFault(type, id, childCount(raw));
  return fault === undefined ? undefined : new StanzaError("bad-request", { text: fault });
};
const presenceFault = (type: Bytes | undefined): string | undefined =>
  type === undefined || PRESENCE_TYPES.has(type) ? undefined : "unknown presence type";

/** RFC 6120 §8.2.3: an id, a type that is known, one child in a request and at most one in a result. */
const iqFault = (type: string | undefined, id: Bytes | undefined, children: number): string | undefined => {
  if (id === undefined) return "an IQ needs an id";
  if (type === undefined || !IQ_TYPES.has(type)) return "unknown IQ type";
  if (type === "result") return children > 1 ? "an IQ result has at most one payload" : undefined;
  return type !== "error" && children !== 1 ? "an IQ request has one payload" : undefined;
};

/** The same stanza from (and to) somebody else. Shares the payload. `undefined` removes the address. */
export const readdressed = <S extends Stanza>(stanza: S, from: Jid | undefined, to: Jid | undefined): S =>
  new StanzaObject(
    stanza.kind,
    stanza.type,
    to,
    from,
    stanza.id,
    stanza.lang,
    stanza.attributes,
    stanza.payload,
    stanza.index,
    undefined,
  ) as unknown as S;

/** As it enters from a client's stream: `from` stamped (RFC 6120 §8.1.2.1), `xml:lang` added where there is none (§8.1.5). Keeps `problem`. */
export const stamped = <S extends Stanza>(stanza: S, from: Jid, lang: Bytes | undefined): S =>
  new StanzaObject(
    stanza.kind,
    stanza.type,
    stanza.to,
    from,
    stanza.id,
    stanza.lang ?? lang,
    stanza.attributes,
    stanza.payload,
    stanza.index,
    stanza.problem,
  ) as unknown as S;

/** The same envelope around another payload in normal form, with the index of its children. */
export const withPayload = <S extends Stanza>(stanza: S, payload: Bytes, index: ChildIndex): S =>
  new StanzaObject(
    stanza.kind,
    stanza.type,
    stanza.to,
    stanza.from,
    stanza.id,
    stanza.lang,
    stanza.attributes,
    payload,
    index,
    undefined,
  ) as unknown as S;

/** The same envelope with other children. */
export const withChildren = <S extends Stanza>(stanza: S, children: readonly Element[]): S => {
  const { payload, index } = writePayload(children);
  return withPayload(stanza, payload, index);
};

/** The same stanza with one more child after the others. */
export const withChild = <S extends Stanza>(stanza: S, child: Element): S => withRawChild(stanza, writeElement(child));

/** `withChild` of an element that is written already: in normal form, as it stands in a stanza. */
export const withRawChild = <S extends Stanza>(stanza: S, child: Bytes): S => {
  const added = indexChild(child, 0, child.length);
  const shift = stanza.payload.length;
  const index = stanza.index.concat(added.map((offset) => (offset < 0 ? offset : offset + shift)));
  return withPayload(stanza, (stanza.payload + child) as Bytes, index);
};

export interface StanzaFields<Type> {
  readonly type?: Type | undefined;
  readonly to?: Jid | undefined;
  readonly from?: Jid | undefined;
  /** Real text. */
  readonly id?: string | undefined;
  readonly lang?: string | undefined;
}
const make = (
  kind: StanzaKind,
  type: StanzaType,
  fields: StanzaFields<StanzaType>,
  children: readonly Element[],
): StanzaObject => {
  const { payload, index } = writePayload(children);
  const id = fields.id === undefined ? undefined : escapeAttribute(fields.id);
  const lang = fields.lang === undefined ? undefined : escapeAttribute(fields.lang);
  return new StanzaObject(kind, type, fields.to, fields.from, id, lang, NONE, payload, index, undefined);
};
export const message = (fields: StanzaFields<MessageType>, children: readonly Element[] = []): Message =>
  make("message", fields.type ?? "normal", fields, children) as Message;
export const presence = (fields: StanzaFields<PresenceType>, children: readonly Element[] = []): Presence =>
  make("presence", fields.type ?? "available", fields, children) as Presence;
export const iq = (
  fields: StanzaFields<IqType> & { type: IqType; id: string },
  children: readonly Element[] = [],
): Iq => make("iq", fields.type, fields, children) as Iq;

/** `<message to='…' …` without the closing bracket: what `writeStanza` puts before the payload. */
export const startTagOf = (stanza: Stanza): Bytes => {
  let tag = `<${stanza.kind}`;
  if (stanza.from !== undefined) tag += ` from='${stanza.from.attribute}'`;
  if (stanza.to !== undefined) tag += ` to='${stanza.to.attribute}'`;
  if (stanza.type !== "normal" && stanza.type !== "available") tag += ` type='${stanza.type}'`;
  if (stanza.id !== undefined) tag += ` id='${stanza.id}'`;
  if (stanza.lang !== undefined) tag += ` xml:lang='${stanza.lang}'`;
  const { attributes } = stanza;
  for (let at = 0; at < attributes.length; at += 2) tag += ` ${attributes[at]}='${attributes[at + 1]}'`;
  return tag as Bytes;
};

/** The whole stanza as it goes onto a stream whose content namespace is the default namespace. */
export const writeStanza = (stanza: Stanza): Bytes =>
  (stanza.payload === ""
    ? `${startTagOf(stanza)}/>`
    : `${startTagOf(stanza)}>${stanza.payload}</${stanza.kind}>`) as Bytes;

/** The id as text. */
export const idOf = (stanza: Stanza): string | undefined =>
  stanza.id === undefined ? undefined : unescaped(stanza.id);

/** RFC 6120 §8.3.1: an error is never answered with an error, and a result needs no answer. */
export const mayBeAnswered = (stanza: Stanza): boolean =>
  stanza.type !== "error" && !(stanza.kind === "iq" && stanza.type === "result");

const NO_ID = "" as Bytes;

/** What goes back to whoever sent a stanza: addresses exchanged, same kind and id; an IQ without one is answered with an empty one (RFC 6120 §8.3.1). */
export const answerTo = (stanza: Stanza, type: "result" | "error", children: readonly Element[]): Stanza => {
  const { kind, from, to } = stanza;
  const id = stanza.id ?? (kind === "iq" ? NO_ID : undefined);
  const { payload, index } = writePayload(children);
  return new StanzaObject(kind, type, from, to, id, undefined, NONE, payload, index, undefined) as Stanza;
};

/** The result of a request (RFC 6120 §8.2.3), to its sender. */
export const resultOf = (request: Iq, children: readonly Element[] = []): Iq =>
  answerTo(request, "result", children) as Iq;

/** An id as it stands on the wire. */
export const idBytes = (id: string): Bytes => escapeAttribute(id);
