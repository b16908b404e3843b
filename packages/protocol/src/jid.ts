import { type Bytes, detached, toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { prepareDomainName, prepareIpLiteral } from "./idna.ts";
import { TwoGenerations } from "./jid-cache.ts";
import { opaqueString, usernameCaseMapped } from "./precis.ts";
import { decodeAttribute, escapeAttribute } from "./xml/escape.ts";

declare const brand: unique symbol;
/** "localpart@domainpart" or "domainpart", prepared: two that mean the same are `===`. */
export type BareJid = string & { readonly [brand]: "bare" | "domain" };
/** An address with a resourcepart, prepared. */
export type FullJid = string & { readonly [brand]: "full" };
/** A domainpart, prepared: lower-case U-labels, an IPv4 address or an IPv6 address in brackets. */
export type DomainJid = string & { readonly [brand]: "domain" };

/**
 * An address (RFC 7622): always prepared, always real text, never changed. Two addresses are the same exactly when their
 * `full` is; `bare` serves as a map key as it stands.
 */
export class Jid {
  readonly local: string | undefined;
  readonly domain: DomainJid;
  readonly resource: string | undefined;
  /** The address without its resourcepart. */
  readonly bare: BareJid;
  /** The whole address; equals `bare` where there is no resourcepart. */
  readonly full: FullJid | BareJid;
  #attribute: Bytes | undefined;
  #bareJid: Jid | undefined;

  private constructor(local: string | undefined, domain: DomainJid, resource: string | undefined) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.bare = (local === undefined ? domain : `${local}@${domain}`) as BareJid;
    this.full = resource === undefined ? this.bare : (`${this.bare}/${resource}` as FullJid);
  }

  /** Prepares the parts and puts them together, or `undefined` where one is not allowed. */
  static of(local: string | undefined, domain: string, resource: string | undefined): Jid | undefined {
    const preparedDomain = prepareDomainpart(domain);
    if (preparedDomain === undefined) return undefined;
    const preparedLocal = local === undefined ? undefined : prepareLocalpart(local);
    if (local !== undefined && preparedLocal === undefined) return undefined;
    const preparedResource = resource === undefined ? undefined : prepareResourcepart(resource);
    if (resource !== undefined && preparedResource === undefined) return undefined;
    return new Jid(preparedLocal, preparedDomain, preparedResource);
  }

  /** Has no resourcepart: an account, a room, a domain. */
  get isBare(): boolean {
    return this.resource === undefined;
  }

  /** Has a resourcepart. */
  get isFull(): boolean {
    return this.resource !== undefined;
  }

  /** Is nothing but a domainpart. */
  get isDomain(): boolean {
    return this.local === undefined && this.resource === undefined;
  }

  /** The whole address as an attribute value: UTF-8, escaped, safe between single quotes. */
  get attribute(): Bytes {
    this.#attribute ??= escapeAttribute(this.full);
    return this.#attribute;
  }

  /** This address without its resourcepart; itself if it has none. */
  toBare(): Jid {
    if (this.resource === undefined) return this;
    this.#bareJid ??= new Jid(this.local, this.domain, undefined);
    return this.#bareJid;
  }

  /** This address with another resourcepart. Throws StanzaError "jid-malformed" where it is not allowed (RFC 7622 §3.4). */
  withResource(resource: string): Jid {
    return new Jid(this.local, this.domain, prepareResourcepart(resource) ?? malformed("resourcepart"));
  }

  equals(other: Jid | undefined): boolean {
    return other !== undefined && this.full === other.full;
  }

  toString(): string {
    return this.full;
  }

  toJSON(): string {
    return this.full;
  }
}

const malformed = (what: string): never => {
  throw new StanzaError("jid-malformed", { text: `not a valid ${what}` });
};

/** Text → address. Throws StanzaError "jid-malformed" (RFC 7622 §4). */
export const parseJid = (text: string): Jid => tryJid(text) ?? malformed("address");

/** Text → address, or `undefined` where it is none (RFC 7622 §3.1, §3.2: first "/" first, then first "@"). */
export const tryJid = (text: string): Jid | undefined => {
  if (text.length > MAX_TEXT) return undefined;
  const slash = text.indexOf("/");
  const resource = slash < 0 ? undefined : text.slice(slash + 1);
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf("@");
  return Jid.of(at < 0 ? undefined : bare.slice(0, at), bare.slice(at + 1), resource);
};

/** An address of its parts, each of which is prepared. Throws StanzaError "jid-malformed". */
export const jid = (local: string | undefined, domain: string, resource?: string): Jid =>
  Jid.of(local, domain, resource) ?? malformed("address");

/** The longest part there is, in octets of UTF-8 (RFC 7622 §3.1). */
const MAX_PART = 1023;
/** What preparation can shorten (four code units to one, where marks are composed) may come in longer. */
const MAX_RAW_PART = MAX_PART * 4;
const MAX_TEXT = MAX_RAW_PART * 3 + 2;

const NON_ASCII = /[^\0-\x7f]/;
const hasAllowedLength = (part: string): boolean =>
  part.length > 0 && part.length <= MAX_PART && (!NON_ASCII.test(part) || toBytes(part).length <= MAX_PART);

// What each octet is to a part. Most addresses are made of "plain" ones only, which preparation leaves as they are.
const PLAIN = 1;
const plainTable = (isPlain: (character: string) => boolean): Uint8Array =>
  Uint8Array.from({ length: 0x80 }, (_, code) => (isPlain(String.fromCharCode(code)) ? PLAIN : 0));
const PLAIN_LOCAL = plainTable((character) => /[!-~]/.test(character) && !/["&'/:<>@A-Z]/.test(character));
const PLAIN_RESOURCE = plainTable((character) => /[ -~]/.test(character));

const isPlain = (part: string, table: Uint8Array): boolean => {
  for (let at = 0; at < part.length; at++) if (table[part.charCodeAt(at)] !== PLAIN) return false;
  return true;
};

/** RFC 7622 §3.3.1, looked for before and after mapping. */
const EXCLUDED = /["&'/:<>@]/;

/** A localpart ready for use and comparison, or `undefined` where RFC 7622 §3.3 does not allow it. */
export const prepareLocalpart = (text: string): string | undefined => {
  if (text.length > MAX_RAW_PART) return undefined;
  const prepared = isPlain(text, PLAIN_LOCAL) ? text : usernameCaseMapped(text);
  if (prepared === undefined || !hasAllowedLength(prepared) || EXCLUDED.test(prepared)) return undefined;
  return prepared;
};

/** A resourcepart ready for use and comparison, or `undefined` where RFC 7622 §3.4 does not allow it. */
export const prepareResourcepart = (text: string): string | undefined => {
  if (text.length > MAX_RAW_PART) return undefined;
  const prepared = isPlain(text, PLAIN_RESOURCE) ? text : opaqueString(text);
  return prepared !== undefined && hasAllowedLength(prepared) ? prepared : undefined;
};

/** A domainpart ready for use and comparison, or `undefined` where RFC 7622 §3.2 does not allow it. */
export const prepareDomainpart = (text: string): DomainJid | undefined => {
  if (text.length > MAX_RAW_PART) return undefined;
  const domain = FINAL_SEPARATOR.test(text) ? text.slice(0, -1) : text;
  const prepared = domain.startsWith("[") ? prepareIpLiteral(domain) : prepareDomainName(domain);
  return prepared !== undefined && hasAllowedLength(prepared) ? (prepared as DomainJid) : undefined;
};
/** The dot, and what IDNA maps to it (RFC 7622 §3.2; RFC 3490 §3.1). */
const FINAL_SEPARATOR = /[.\u3002\uff0e\uff61]$/;

/** Addresses a generation of the cache holds, and the longest raw address it keeps, in bytes. */
const CACHE_SIZE = 16_384;
const MAX_CACHED = 256;
const cache = new TwoGenerations<Bytes, Jid>(CACHE_SIZE, detached);

/**
 * The address an attribute holds, or `undefined` where it is none. Takes the value as it was received: UTF-8, still escaped.
 * An address seen lately costs one look-up.
 */
export const jidOfBytes = (raw: Bytes): Jid | undefined => {
  const slot = slotOf(raw);
  const latest = front[slot];
  if (latest !== undefined && latest.attribute === raw) return latest;
  const found = cache.get(raw) ?? parseBytes(raw);
  if (found !== undefined && raw.length <= MAX_CACHED) front[slot] = found;
  return found;
};

/**
 * The address seen last in each slot, found without a hash of the whole string: engines compute one for every string that is
 * looked up in a map, and this one was cut from its stanza just now.
 */
const FRONT_SIZE = 4_096;
const front: (Jid | undefined)[] = new Array<Jid | undefined>(FRONT_SIZE).fill(undefined);

/** Addresses differ at the beginning (the localpart) and at the end (a resource of the server's or the client's making). */
const slotOf = (raw: Bytes): number => {
  const { length } = raw;
  let hash = length;
  for (let at = 0; at < LOOKED_AT && at < length; at++) hash = (hash * 31 + raw.charCodeAt(at)) | 0;
  for (let at = Math.max(length - LOOKED_AT, 0); at < length; at++) hash = (hash * 31 + raw.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 12)) & (FRONT_SIZE - 1);
};
const LOOKED_AT = 8;

/** Every character of an address may come as a reference ("&#x10ffff;"). */
const MAX_RAW = MAX_TEXT * 4;
const parseBytes = (raw: Bytes): Jid | undefined => {
  if (raw.length > MAX_RAW) return undefined;
  // The parts of an address outlive the stanza that `raw` was cut from.
  const text = unescaped(detached(raw));
  const found = text === undefined ? undefined : tryJid(text);
  if (found !== undefined && raw.length <= MAX_CACHED) cache.set(raw, found);
  return found;
};

const unescaped = (raw: Bytes): string | undefined => {
  try {
    return decodeAttribute(raw);
  } catch {
    return undefined; // not UTF-8
  }
};
