import { type Bytes, toBytes } from "../bytes.ts";
import { StreamError } from "../errors.ts";
import { NS_NONE } from "../xml/element.ts";
import type { ContentNamespace, StreamTag } from "../xml/scanner.ts";
import { escapeAttribute } from "../xml/write.ts";
import { NS_STREAMS } from "./namespaces.ts";

/** A version of XMPP: two separate integers (RFC 6120 §4.7.5). */
export interface Version {
  readonly major: number;
  readonly minor: number;
}
/** The version that RFC 6120 defines. */
export const VERSION_1_0: Version = { major: 1, minor: 0 };
/** What a header without `version` stands for (RFC 6120 §4.7.5, rule 4). */
export const VERSION_0_9: Version = { major: 0, minor: 9 };

const VERSION = /^0*(\d{1,9})\.0*(\d{1,9})$/;

/** `version='…'` → numbers; `undefined` where it is no version. Leading zeros are ignored. */
export const parseVersion = (text: string): Version | undefined => {
  const [, major, minor] = VERSION.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
};

const lower = (one: Version, other: Version): Version =>
  one.major < other.major || (one.major === other.major && one.minor < other.minor) ? one : other;

/**
 * The `version` of a response header (RFC 6120 §4.7.5, rules 2 and 4): the lower of the peer's and ours; `undefined`, for
 * no attribute, where the peer gave none. A value that is no version is answered with ours.
 */
export const responseVersion = (given: string | undefined): Version | undefined =>
  given === undefined ? undefined : lower(parseVersion(given) ?? VERSION_1_0, VERSION_1_0);

/** The attributes of a stream header as its receiver sees them (RFC 6120 §4.7.6). Addresses are text, not looked at yet. */
export interface StreamHeader {
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly id: string | undefined;
  /** `xml:lang`, where it is a language tag. */
  readonly lang: string | undefined;
  /** As given; `undefined` for none. */
  readonly version: string | undefined;
}

/** BCP 47 as RFC 6120 §4.7.4 needs it: the shape, not the registry. */
const LANGUAGE_TAG = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}$/;

/** The attributes of any stream header, right or wrong: an answer is due to both (RFC 6120 §4.9.1.2). */
export const headerOf = (tag: StreamTag): StreamHeader => {
  const { to, from, id, version, "xml:lang": lang } = tag.attributes;
  return { to, from, id, version, lang: lang !== undefined && LANGUAGE_TAG.test(lang) ? lang : undefined };
};

/**
 * Checks name, prefix and namespaces of a received stream header.
 * Throws StreamError: "invalid-namespace" for a stream or content namespace that is not to be had here or for further
 * declarations (RFC 6120 §4.8.1, §4.8.3, §4.8.5), "bad-namespace-prefix" for a prefix other than "stream" (§4.8.5),
 * "bad-format" where it is no `<stream/>`.
 */
export const checkStreamTag = (tag: StreamTag, content: ContentNamespace): void => {
  if (tag.ns !== NS_STREAMS) throw new StreamError("invalid-namespace", "not the namespace of streams");
  if (tag.name !== "stream") throw new StreamError("bad-format", "not a stream header");
  if (tag.prefix !== "stream" && tag.prefix !== "")
    throw new StreamError("bad-namespace-prefix", "the prefix has to be stream");
  // Without a content namespace as default, every first-level element declares its own (RFC 6120 §4.8.2).
  const isDeclared = tag.content !== "" && tag.content !== NS_NONE && tag.content !== NS_STREAMS;
  if (isDeclared && tag.content !== content)
    throw new StreamError("invalid-namespace", `the content namespace here is ${content}`);
  for (const [prefix, ns] of tag.prefixes) {
    if (prefix !== "xml" && ns !== NS_STREAMS) {
      throw new StreamError("invalid-namespace", "a stream header declares nothing but its own namespaces");
    }
  }
};

export interface HeaderToSend {
  readonly content: ContentNamespace;
  /** Our domain; "" where none can be named (RFC 6120 §4.9.1.3). */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly id?: string | undefined;
  readonly lang?: string | undefined;
  readonly version?: Version | undefined;
}

const attribute = (name: string, value: string | undefined): string =>
  value === undefined ? "" : ` ${name}='${escapeAttribute(value)}'`;

/** XML declaration and start tag of a stream, in the style of the content namespace as default (RFC 6120 §4.8.2, §11.5). */
export const writeHeader = (header: HeaderToSend): Bytes => {
  const { content, from, to, id, lang, version } = header;
  const numbers = version === undefined ? undefined : `${version.major}.${version.minor}`;
  return `<?xml version='1.0'?><stream:stream${attribute("from", from)}${attribute("to", to)}${attribute("id", id)}${attribute(
    "version",
    numbers,
  )}${attribute("xml:lang", lang)} xmlns='${content}' xmlns:stream='${NS_STREAMS}'>` as Bytes;
};

/** The end of a stream (RFC 6120 §4.4). */
export const STREAM_END: Bytes = toBytes("</stream:stream>");
