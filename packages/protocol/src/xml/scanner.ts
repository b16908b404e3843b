import { type Bytes, type Latin1, latin1 as portableLatin1, toBytes, toText } from "../bytes.ts";
import {
  checkDeclaration,
  checkName,
  checkReference,
  disallowed,
  exceeded,
  malformed,
  prefixRefused,
  restricted,
  sequence,
  spells,
  strayByte,
} from "./checks.ts";
import { NS_CONTENT, NS_NONE } from "./element.ts";
import { decodeAttribute, escapeAttribute } from "./escape.ts";
import { normalise } from "./normalise.ts";
import { CHILD_FIELDS, type ChildIndex, NO_CHILDREN, type RawElement } from "./raw.ts";
import {
  CONTENT_NAMESPACES,
  declare,
  elementNamespace,
  isDeclaration,
  localName,
  NO_PREFIXES,
  namespaceOf,
  resolveAttributes,
  type Scope,
} from "./scope.ts";

/**
 * The byte scanner: finds the first-level elements of a stream, checks what RFC 6120 §11 asks for, and takes each apart
 * just as far as routing needs. This file is written for speed: one loop over one array, states as numbers, offsets
 * instead of objects. Whatever is rare (prefixes, re-scoping) is only noticed here and done by `normalise`.
 */

/** What one peer may make us hold or do. Each is exceeded with `policy-violation` (RFC 6120 §4.9.3.14), while reading. */
export interface ScannerLimits {
  /** Bytes of one first-level element, of the stream header, or of the XML declaration. */
  readonly stanzaBytes: number;
  /** Elements inside one another, the first-level element included. */
  readonly depth: number;
  /** Attributes of one start tag, declarations included. */
  readonly attributes: number;
  /** Child elements of one first-level element. */
  readonly children: number;
  /** Namespace prefixes declared within one first-level element, or in the stream header. */
  readonly prefixes: number;
}

export const SCANNER_LIMITS: ScannerLimits = {
  stanzaBytes: 262_144,
  depth: 64,
  attributes: 64,
  children: 1024,
  prefixes: 1024,
};

/** A stream header as received, in real text (RFC 6120 §4.7). */
export interface StreamTag {
  /** Local name; whether it is "stream" is for the session to see. */
  readonly name: string;
  /** The prefix it was written with, `""` for none. */
  readonly prefix: string;
  /** Its namespace (`NS_NONE` for none): the stream namespace, if the peer is right (RFC 6120 §4.8.1). */
  readonly ns: string;
  /** The default namespace it declares, `""` for none: the content namespace, or the stream namespace where content is to be declared on each element (RFC 6120 §4.8.2). */
  readonly content: string;
  /** All prefixes it declares, with their namespaces. */
  readonly prefixes: ReadonlyMap<string, string>;
  /** Attributes under the names `Element.attributes` uses. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * Called during `feed` and `resume`. May call `reset` and `pause`, change `limits`, and feed other scanners; may not feed this one.
 * What it throws comes out of `feed`, and the scanner is dead.
 */
export interface ScannerHandler {
  /** `<stream:stream …>`. Never called with framing "document". */
  opened(header: StreamTag): void;
  /** One complete first-level element in normal form (see raw.ts). */
  element(raw: RawElement): void;
  /** `</stream:stream>`. Whatever follows is ignored until `reset`. */
  closed(): void;
}

export type ContentNamespace = "jabber:client" | "jabber:server" | "jabber:component:accept";

export interface ScannerOptions {
  readonly limits?: ScannerLimits;
  /**
   * The platform's fast way from bytes to a latin1 string: `Buffer.prototype.latin1Slice.call(array, start, end)` on Node and Bun.
   * Without it the portable one of bytes.ts is used.
   */
  readonly latin1?: Latin1;
  /**
   * "stream": first-level elements inside one root that stays open (RFC 6120 §4.2). "document": every element is a
   * document of its own (RFC 7395 §3.3.3); `end` says that one is over, `reset` that the next begins.
   */
  readonly framing?: "stream" | "document";
  /**
   * The namespace that becomes `""`. Without it: the default namespace of the stream header where that is a content
   * namespace, else "jabber:client".
   */
  readonly content?: ContentNamespace;
  /**
   * What becomes of a stanza whose name has a prefix: it is "corrected", or "refused" with `bad-namespace-prefix`
   * (RFC 6120 §4.8.5). "corrected" unless said otherwise.
   */
  readonly prefixedStanzas?: "corrected" | "refused";
}

// Classes of bytes.
const NAME = 1;
const NAME_START = 2;
const SPACE = 4;
const TEXT_PLAIN = 8;
const VALUE_PLAIN = 16;
const CDATA_PLAIN = 32;
/** In a name: a colon or no ASCII, to be looked at again when the name is complete. */
const RARE = 64;

const CLASS = ((): Uint8Array => {
  const table = new Uint8Array(256);
  const add = (chars: string, flags: number): void => {
    for (const char of chars) table[char.charCodeAt(0)] = (table[char.charCodeAt(0)] as number) | flags;
  };
  for (let byte = 0x20; byte < 0x80; byte++) table[byte] = TEXT_PLAIN | VALUE_PLAIN | CDATA_PLAIN;
  table[0x3c] = CDATA_PLAIN; // <
  table[0x26] = CDATA_PLAIN; // &
  table[0x3e] = VALUE_PLAIN; // > may end "]]>"
  table[0x27] = TEXT_PLAIN | CDATA_PLAIN; // '
  table[0x22] = TEXT_PLAIN | CDATA_PLAIN; // "
  for (const byte of [0x20, 0x09, 0x0a, 0x0d]) table[byte] = (table[byte] as number) | SPACE | TEXT_PLAIN | CDATA_PLAIN;
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:", NAME | NAME_START);
  add("0123456789-.", NAME);
  add(":", RARE);
  for (let byte = 0x80; byte < 0x100; byte++) table[byte] = NAME | NAME_START | RARE;
  return table;
})();

// Characters.
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE_CHAR = 0x20;
const BANG = 0x21;
const QUOT = 0x22;
const HASH = 0x23;
const AMP = 0x26;
const APOS = 0x27;
const DASH = 0x2d;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const LT = 0x3c;
const EQUALS_SIGN = 0x3d;
const GT = 0x3e;
const QUESTION = 0x3f;
const BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const LETTER_D = 0x44;

// States. The first five are also the places between first-level elements.
const PROLOG = 0;
const BETWEEN = 1;
const EPILOG = 2;
const CLOSED = 3;
const DEAD = 4;
/** After `<` where no element is open. */
const ROOT = 5;
const TEXT = 6;
/** After `<` inside an element. */
const OPEN = 7;
const TAG_NAME = 8;
/** After a name or value: white space, `/` or `>` must come. */
const AFTER = 9;
/** After white space in a start tag. */
const BEFORE = 10;
const ATTRIBUTE = 11;
const EQUALS = 12;
const QUOTE = 13;
const VALUE = 14;
/** After `/` in a start tag. */
const EMPTY = 15;
const END_NAME = 16;
const AFTER_END = 17;
/** At the `>` that ends a tag. */
const TAG = 18;
const REFERENCE = 19;
/** After `<!`. */
const MARKUP = 20;
const CDATA = 21;
/** After `<?`. */
const DECLARATION = 22;

/** Kinds of tags. */
const START_TAG = 0;
const EMPTY_TAG = 1;
const END_TAG = 2;

// Per attribute in the scratch array: name [0, 1), value [2, 3), flags.
const FIELDS = 5;
/** The value holds what must be rewritten between single quotes or by normalisation. */
const UNPLAIN = 1;

const CDATA_START = "[CDATA[";
const DOCTYPE = "DOCTYPE";
const DECLARATION_START = "<?xml";

/** How many bytes of a chunk are taken over at once while an element begun in an earlier chunk goes on. */
const PIECE = 4096;

/** Working space of one scan; lent to a scanner while it is inside an element, else shared by all. */
class Scratch {
  /** Where the names of the open elements lie: start, end of each, relative to the first-level element. */
  names = new Int32Array(32);
  attributes = new Int32Array(8 * FIELDS);
}
const spares: Scratch[] = [];
const SPARES = 8;

const grown = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
};

/** Could the namespace value that lies here be one that needs care? Told by length: lengths of the reserved and content namespaces. */
const isSpecialNamespace = (bytes: Uint8Array, start: number, end: number): boolean => {
  switch (end - start) {
    case 13:
      return spells(bytes, start, "jabber:client") || spells(bytes, start, "jabber:server");
    case 23:
      return spells(bytes, start, "jabber:component:accept");
    case 29:
      return spells(bytes, start, "http://www.w3.org/2000/xmlns/");
    case 36:
      return spells(bytes, start, "http://www.w3.org/XML/1998/namespace");
    default:
      return false;
  }
};

/** The usual names as constants: no string is made, and comparing them compares pointers. */
const attributeName = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  switch (end - start) {
    case 2:
      if (spells(bytes, start, "to")) return "to";
      return spells(bytes, start, "id") ? "id" : undefined;
    case 4:
      if (spells(bytes, start, "from")) return "from";
      return spells(bytes, start, "type") ? "type" : undefined;
    case 8:
      return spells(bytes, start, "xml:lang") ? "xml:lang" : undefined;
    default:
      return undefined;
  }
};
const elementName = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  switch (end - start) {
    case 2:
      return spells(bytes, start, "iq") ? "iq" : undefined;
    case 7:
      return spells(bytes, start, "message") ? "message" : undefined;
    case 8:
      return spells(bytes, start, "presence") ? "presence" : undefined;
    default:
      return undefined;
  }
};

const STREAM_PREFIX: ReadonlyMap<string, string> = new Map([["stream", "http://etherx.jabber.org/streams"]]);
/** Most streams declare the same prefix: they share one map. */
const sharedPrefixes = (prefixes: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  if (prefixes.size === 0) return NO_PREFIXES;
  return prefixes.size === 1 && prefixes.get("stream") === STREAM_PREFIX.get("stream") ? STREAM_PREFIX : prefixes;
};

const NOTHING_DECLARED: Scope = { default: NS_NONE, prefixes: NO_PREFIXES };

/** The parts of a first-level start tag that need more than offsets. */
interface FirstLevelTag {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly Bytes[];
  /** What is declared around the payload, in real names. */
  readonly scope: Scope;
}

/**
 * Reads one stream of bytes. Chunks may end anywhere; the scanner goes on where it stopped and looks at no byte twice.
 *
 * Errors are thrown as `StreamError`; afterwards the scanner is dead and ignores what it is fed. Conditions: `not-well-formed`
 * (RFC 6120 §11.3, namespaces included), `restricted-xml` (§11.1), `unsupported-encoding` (§11.6, also for what is not UTF-8:
 * §4.9.3.22), `bad-format` (§4.9.3.1: text between first-level elements, a version of XML other than 1.0) and
 * `policy-violation` for limits.
 *
 * Stopping between two elements: `pause` in a callback takes effect when the callback returns. Bytes that follow are kept unseen,
 * and so is what is fed meanwhile (the caller should stop reading). `resume` goes on with them, `remainder` takes them away.
 * - Back-pressure, or a step that must wait: `pause()` … `resume()`.
 * - STARTTLS: `pause()` on `<starttls/>`; what is in `remainder()` was sent in the clear after it and belongs to TLS; then `reset()`, `resume()`.
 * - Restart after SASL (RFC 6120 §4.3.3): `reset()` in the callback, or, if the outcome must be waited for, `pause()` there,
 *   later `reset()` and `resume()`: bytes that came meanwhile are read as the new stream.
 */
export class XmlScanner {
  /** Read at the start of every element and chunk, so they may be raised after authentication. */
  limits: ScannerLimits;

  readonly #handler: ScannerHandler;
  readonly #latin1: Latin1;
  readonly #document: boolean;
  readonly #expected: ContentNamespace | undefined;
  readonly #refusesPrefixes: boolean;

  #state = PROLOG;
  /** Where we are between first-level elements: one of the first states. */
  #place = PROLOG;
  /** May an XML declaration still come? */
  #declarable = true;
  /** May white space come before it? Only after a restart, where it belongs to the old stream (RFC 6120 §11.7). */
  #restarted = false;
  #paused = false;
  #feeding = false;

  /** What the stream header declares. */
  #scope: Scope = NOTHING_DECLARED;
  #content: string;
  /** The namespace of an unprefixed first-level element, as `RawElement.ns`. */
  #defaultNs: string = NS_NONE;
  /** The header's name as written: what `</…>` must repeat. */
  #root = "";

  /** Bytes of an element that is not complete, or not looked at because of a pause: [#from, #length). */
  #kept: Uint8Array | undefined = undefined;
  #from = 0;
  #length = 0;
  /** Where the element (or other markup at first level) begins in the array at hand; -1 for none. */
  #base = -1;
  /** How far what is kept has been scanned. */
  #at = 0;

  // The scan of an element that is not complete. Offsets count from #base.
  #scratch: Scratch | undefined = undefined;
  #token = 0;
  #lt = 0;
  #depth = 0;
  #quote = 0;
  #flags = 0;
  #seen = 0;
  #mark = 0;
  #back = TEXT;
  #kind = START_TAG;
  #count = 0;
  #firstCount = 0;
  #xmlns = -1;
  #colon = -1;
  #prefixes = 0;
  #prefixed = false;
  #foreign = 0;
  #slow = false;
  #payloadStart = 0;
  #index: number[] | undefined = undefined;
  #nameEnd = 0;
  #firstXmlns = -1;
  #first: FirstLevelTag | undefined = undefined;
  #ns: string = NS_NONE;

  constructor(handler: ScannerHandler, options: ScannerOptions = {}) {
    this.#handler = handler;
    this.limits = options.limits ?? SCANNER_LIMITS;
    this.#latin1 = options.latin1 ?? portableLatin1;
    this.#document = options.framing === "document";
    this.#expected = options.content;
    this.#refusesPrefixes = options.prefixedStanzas === "refused";
    this.#content = options.content ?? "jabber:client";
  }

  /** How many bytes are held between two calls: of an incomplete element, or unseen because of a pause. */
  get held(): number {
    return this.#length - this.#from;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Scans bytes [start, end) of `chunk`, which is not kept: it may be overwritten when this returns.
   * Throws StreamError, and whatever the handler throws.
   */
  feed(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    if (this.#state === DEAD) return;
    if (this.#feeding) throw new TypeError("a scanner cannot be fed from its own handler");
    if (this.#paused) {
      this.#keep(chunk, start, end);
      return;
    }
    this.#feeding = true;
    try {
      const at = this.#kept === undefined ? start : this.#continue(chunk, start, end);
      if (at >= 0) {
        const done = this.#scan(chunk, at, end);
        // What is left was begun, or follows a pause. The chunk will be overwritten.
        const left = this.#base < 0 ? done : this.#base;
        this.#keep(chunk, left, end);
        this.#at = done - left;
        if (this.#base > 0) this.#base = 0;
      }
    } catch (error) {
      this.#die();
      throw error;
    } finally {
      this.#feeding = false;
    }
  }

  /**
   * The input is over. Throws StreamError("not-well-formed") where that cuts something off: an element, or, with framing
   * "document", a document that has not come. A stream without `</stream:stream>` is cut off too.
   */
  end(): void {
    if (this.#state === DEAD || this.#state === CLOSED || (this.#state === EPILOG && this.held === 0)) return;
    this.#die();
    throw malformed("The input ends too early");
  }

  /** Delivers nothing more after the callback that is running, if any. */
  pause(): void {
    this.#paused = true;
  }

  /** Ends a pause and scans what was kept. Throws as `feed` does. From inside a callback it only undoes a `pause` of that callback. */
  resume(): void {
    this.#paused = false;
    const kept = this.#kept;
    if (kept === undefined || this.#feeding || this.#state === DEAD) return;
    const at = this.#at;
    const end = this.#length;
    this.#feeding = true;
    try {
      this.#release();
      const done = this.#scan(kept, at, end);
      if (done < end || this.#base >= 0) this.#keepOn(kept, done, end);
    } catch (error) {
      this.#die();
      throw error;
    } finally {
      this.#feeding = false;
    }
  }

  /**
   * Takes away the bytes that were fed and belong to no element delivered so far; the scanner forgets them, and an element they
   * began. Call it when paused, not from inside a callback.
   */
  remainder(): Uint8Array {
    if (this.#feeding) throw new TypeError("a scanner has no remainder inside its own handler");
    const rest = this.#kept === undefined ? new Uint8Array(0) : this.#kept.slice(this.#from, this.#length);
    this.#release();
    this.#abandon();
    return rest;
  }

  /**
   * A new stream begins with the next byte (RFC 6120 §4.3.3) - in a callback, with the byte after what it is called for - or, with
   * framing "document", the next document. Forgets the old header and an element begun. A pause goes on until `resume`.
   */
  reset(): void {
    if (this.#state === DEAD) return;
    if (this.#base >= 0) this.#release(); // Only outside callbacks: part of an element of the old stream.
    this.#place = PROLOG;
    this.#abandon();
    this.#declarable = true;
    this.#restarted = !this.#document;
    this.#scope = NOTHING_DECLARED;
    this.#defaultNs = NS_NONE;
    this.#content = this.#expected ?? "jabber:client";
    this.#root = "";
  }

  #die(): void {
    this.#place = DEAD;
    this.#release();
    this.#abandon();
    this.#giveBack();
  }

  /** Back to between two elements. */
  #abandon(): void {
    this.#base = -1;
    this.#at = this.#from;
    this.#depth = 0;
    this.#firstCount = 0;
    this.#prefixes = 0;
    this.#index = undefined;
    this.#first = undefined;
    this.#state = this.#place;
    if (!this.#feeding) this.#giveBack(); // Inside a callback `#run` still works with it.
  }

  #giveBack(): void {
    const scratch = this.#scratch;
    this.#scratch = undefined;
    if (scratch !== undefined && spares.length < SPARES) spares.push(scratch);
  }

  #release(): void {
    this.#kept = undefined;
    this.#from = 0;
    this.#length = 0;
    this.#at = 0;
  }

  /** Copies bytes out of a chunk that will be overwritten. */
  #keep(chunk: Uint8Array, start: number, end: number): void {
    if (start >= end) return;
    let kept = this.#kept;
    if (kept === undefined || kept.length - this.#length < end - start) {
      const { held } = this;
      const larger = new Uint8Array(Math.max(held + end - start, 2 * held));
      if (kept !== undefined) larger.set(kept.subarray(this.#from, this.#length));
      this.#at -= this.#from;
      this.#from = 0;
      this.#length = held;
      kept = larger;
      this.#kept = kept;
    }
    kept.set(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  /** Goes on keeping the array that was kept, without what is done: a pause after each element copies nothing. */
  #keepOn(kept: Uint8Array, done: number, end: number): void {
    this.#kept = kept;
    this.#from = this.#base < 0 ? done : 0;
    this.#at = done - Math.max(this.#base, 0);
    this.#length = end - Math.max(this.#base, 0);
    if (this.#base > 0) {
      kept.copyWithin(0, this.#base, end);
      this.#base = 0;
    }
  }

  /** Scans a chunk in place unless paused. Gives how far it came. */
  #scan(chunk: Uint8Array, at: number, end: number): number {
    return at < end && !this.#paused ? this.#run(chunk, at, end) : at;
  }

  /**
   * Goes on with an element begun in an earlier chunk. Gives the position from which the chunk can be scanned in place,
   * or -1 where the element needs all of the chunk and more.
   */
  #continue(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const before = this.#length;
      const take = Math.min(PIECE, end - at);
      this.#keep(chunk, at, at + take);
      const done = this.#run(this.#kept as Uint8Array, this.#at, this.#length);
      if (this.#base !== 0) {
        // The element is complete. What follows it lies in the chunk; offsets count from #base and hold there too.
        this.#release();
        if (this.#base > 0) this.#base += at - before;
        return at + done - before;
      }
      this.#at = done;
      at += take;
    }
    return -1;
  }

  /**
   * Scans [from, to) and gives the position reached: `to`, or less where a pause began or a UTF-8 sequence is cut off.
   */
  #run(bytes: Uint8Array, from: number, to: number): number {
    const end = to;
    const classes = CLASS;
    const scratch = this.#scratch ?? spares.pop() ?? new Scratch();
    this.#scratch = scratch;
    let names = scratch.names;
    let attributes = scratch.attributes;
    let limits = this.limits;
    let at = from;
    let state = this.#state;
    let base = this.#base;
    let stop = base < 0 ? end : Math.min(end, base + limits.stanzaBytes);
    let token = this.#token;
    let lt = this.#lt;
    let depth = this.#depth;
    let quote = this.#quote;
    let flags = this.#flags;
    let seen = this.#seen;
    let mark = this.#mark;
    let back = this.#back;
    let kind = this.#kind;
    let count = this.#count;
    let firstCount = this.#firstCount;
    let xmlns = this.#xmlns;
    let colon = this.#colon;
    let prefixed = this.#prefixed;
    let foreign = this.#foreign;
    let payloadStart = this.#payloadStart;
    let index = this.#index;

    scan: while (at < stop) {
      switch (state) {
        case TEXT: {
          let byte = bytes[at] as number;
          while (((classes[byte] as number) & TEXT_PLAIN) !== 0) {
            if (++at === stop) continue scan;
            byte = bytes[at] as number;
          }
          if (byte === LT) {
            lt = at - base;
            at++;
            state = OPEN;
            if (at < stop && bytes[at] === SLASH) {
              at++;
              token = at - base;
              state = END_NAME;
            }
          } else if (byte === AMP) {
            at++;
            mark = at - base;
            back = TEXT;
            state = REFERENCE;
          } else if (byte >= 0x80) {
            const length = sequence(bytes, at, stop);
            if (length === 0) break scan;
            at += length;
          } else if (byte === GT) {
            if (bytes[at - 1] === CLOSING_BRACKET && bytes[at - 2] === CLOSING_BRACKET) throw malformed("]]> in text");
            at++;
          } else {
            throw disallowed();
          }
          continue;
        }

        case OPEN: {
          const byte = bytes[at] as number;
          if (((classes[byte] as number) & NAME_START) !== 0) {
            if (depth >= limits.depth) throw exceeded("Too many elements inside one another");
            token = at - base;
            seen = 0;
            state = TAG_NAME;
          } else if (byte === SLASH) {
            at++;
            token = at - base;
            state = END_NAME;
          } else if (byte === BANG) {
            at++;
            token = at - base;
            state = MARKUP;
          } else if (byte === QUESTION) {
            throw restricted("Processing instructions are not allowed");
          } else {
            throw malformed("A < is out of place");
          }
          continue;
        }

        case TAG_NAME: {
          let flag = classes[bytes[at] as number] as number;
          while ((flag & NAME) !== 0) {
            seen |= flag;
            if (++at === stop) continue scan;
            flag = classes[bytes[at] as number] as number;
          }
          colon = (seen & RARE) === 0 ? -1 : checkName(bytes, base + token, at);
          if (colon >= 0) colon -= base;
          if (2 * depth + 1 >= names.length) {
            names = grown(names);
            scratch.names = names;
          }
          names[2 * depth] = token;
          names[2 * depth + 1] = at - base;
          count = depth === 0 ? 0 : firstCount;
          if (depth === 0) firstCount = 0;
          xmlns = -1;
          prefixed = false;
          state = AFTER;
          if (bytes[at] === GT) {
            kind = START_TAG;
            state = TAG;
          }
          continue;
        }

        case AFTER: {
          const byte = bytes[at] as number;
          if (byte === GT) {
            kind = START_TAG;
            state = TAG;
          } else if (byte === SLASH) {
            at++;
            state = EMPTY;
          } else if (((classes[byte] as number) & SPACE) !== 0) {
            at++;
            state = BEFORE;
          } else {
            throw malformed("A start tag is malformed");
          }
          continue;
        }

        case BEFORE: {
          const byte = bytes[at] as number;
          const flag = classes[byte] as number;
          if ((flag & NAME_START) !== 0) {
            token = at - base;
            seen = 0;
            state = ATTRIBUTE;
          } else if (byte === SLASH) {
            at++;
            state = EMPTY;
          } else if (byte === GT) {
            kind = START_TAG;
            state = TAG;
          } else if ((flag & SPACE) !== 0) {
            at++;
          } else {
            throw malformed("A start tag is malformed");
          }
          continue;
        }

        case ATTRIBUTE: {
          let byte = bytes[at] as number;
          let flag = classes[byte] as number;
          while ((flag & NAME) !== 0) {
            seen |= flag;
            if (++at === stop) continue scan;
            byte = bytes[at] as number;
            flag = classes[byte] as number;
          }
          const start = base + token;
          const length = at - start;
          if (count - firstCount >= limits.attributes) throw exceeded("Too many attributes");
          const slot = count * FIELDS;
          for (let other = firstCount * FIELDS; other < slot; other += FIELDS) {
            const otherStart = attributes[other] as number;
            if ((attributes[other + 1] as number) - otherStart !== length) continue;
            let same = 0;
            while (same < length && bytes[start + same] === bytes[base + otherStart + same]) same++;
            if (same === length) throw malformed("An attribute is given twice");
          }
          if (slot + FIELDS > attributes.length) {
            attributes = grown(attributes);
            scratch.attributes = attributes;
          }
          attributes[slot] = token;
          attributes[slot + 1] = at - base;
          if ((seen & RARE) !== 0 && !(length === 8 && spells(bytes, start, "xml:lang"))) {
            const prefix = checkName(bytes, start, at) - start;
            if (prefix >= 0 && !(prefix === 3 && spells(bytes, start, "xml"))) {
              prefixed = true;
              if (prefix === 5 && spells(bytes, start, "xmlns") && ++this.#prefixes > limits.prefixes) {
                throw exceeded("Too many namespace prefixes");
              }
            }
          } else if (length === 5 && spells(bytes, start, "xmlns")) {
            xmlns = slot;
          }
          if (byte === EQUALS_SIGN) {
            at++;
            state = QUOTE;
            if (at < stop && (bytes[at] === APOS || bytes[at] === QUOT)) {
              quote = bytes[at] as number;
              at++;
              token = at - base;
              flags = 0;
              state = VALUE;
            }
          } else if ((flag & SPACE) !== 0) {
            at++;
            state = EQUALS;
          } else {
            throw malformed("An attribute is malformed");
          }
          continue;
        }

        case EQUALS: {
          const byte = bytes[at] as number;
          if (byte === EQUALS_SIGN) state = QUOTE;
          else if (((classes[byte] as number) & SPACE) === 0) throw malformed("An attribute is malformed");
          at++;
          continue;
        }

        case QUOTE: {
          const byte = bytes[at] as number;
          at++;
          if (byte === APOS || byte === QUOT) {
            quote = byte;
            token = at - base;
            flags = 0;
            state = VALUE;
          } else if (((classes[byte] as number) & SPACE) === 0) {
            throw malformed("An attribute value without quotes");
          }
          continue;
        }

        case VALUE: {
          let byte = bytes[at] as number;
          while (((classes[byte] as number) & VALUE_PLAIN) !== 0) {
            if (++at === stop) continue scan;
            byte = bytes[at] as number;
          }
          if (byte === quote) {
            const slot = count * FIELDS;
            attributes[slot + 2] = token;
            attributes[slot + 3] = at - base;
            attributes[slot + 4] = flags;
            count++;
            at++;
            state = AFTER;
            if (
              at + 1 < stop &&
              bytes[at] === SPACE_CHAR &&
              ((classes[bytes[at + 1] as number] as number) & NAME_START) !== 0
            ) {
              at++;
              token = at - base;
              seen = 0;
              state = ATTRIBUTE;
            }
          } else if (byte >= 0x80) {
            const length = sequence(bytes, at, stop);
            if (length === 0) break scan;
            at += length;
          } else if (byte === AMP) {
            flags = UNPLAIN;
            at++;
            mark = at - base;
            back = VALUE;
            state = REFERENCE;
          } else if (byte === LT) {
            throw malformed("A < in an attribute value");
          } else if (byte === QUOT) {
            at++;
          } else if (byte === APOS || byte === TAB || byte === LF || byte === CR) {
            flags = UNPLAIN;
            at++;
          } else {
            throw disallowed();
          }
          continue;
        }

        case REFERENCE: {
          let byte = bytes[at] as number;
          while (((classes[byte] as number) & NAME) !== 0 || byte === HASH) {
            if (++at === stop) continue scan;
            byte = bytes[at] as number;
          }
          if (byte !== SEMICOLON) throw malformed("A & is out of place");
          checkReference(bytes, base + mark, at);
          at++;
          state = back;
          continue;
        }

        case EMPTY: {
          if (bytes[at] !== GT) throw malformed("A / is out of place in a tag");
          kind = EMPTY_TAG;
          state = TAG;
          continue;
        }

        case END_NAME: {
          if (depth === 0) {
            const root = this.#root;
            let next = at - base - token;
            while (next < root.length) {
              if (bytes[at] !== root.charCodeAt(next)) throw malformed("An end tag does not match its start tag");
              next++;
              if (++at === stop) continue scan;
            }
            state = AFTER_END;
            continue;
          }
          const name = names[2 * depth - 2] as number;
          const length = (names[2 * depth - 1] as number) - name;
          const source = base + name;
          let next = at - base - token;
          while (next < length) {
            if (bytes[at] !== bytes[source + next]) throw malformed("An end tag does not match its start tag");
            next++;
            if (++at === stop) continue scan;
          }
          state = AFTER_END;
          if (bytes[at] === GT) {
            kind = END_TAG;
            state = TAG;
          }
          continue;
        }

        case AFTER_END: {
          const byte = bytes[at] as number;
          if (byte === GT) {
            kind = END_TAG;
            state = TAG;
          } else if (((classes[byte] as number) & SPACE) !== 0) {
            at++;
          } else {
            throw malformed("An end tag does not match its start tag");
          }
          continue;
        }

        case TAG: {
          at++;
          if (kind !== END_TAG) {
            if (depth === 1) {
              // A child.
              if (index === undefined) index = [];
              if (index.length >= limits.children * CHILD_FIELDS) throw exceeded("Too many children");
              const first = colon < 0 ? (names[2] as number) : colon + 1;
              const namespaced = xmlns >= 0;
              index.push(
                first - payloadStart,
                (names[3] as number) - payloadStart,
                namespaced ? (attributes[xmlns + 2] as number) - payloadStart : -1,
                namespaced ? (attributes[xmlns + 3] as number) - payloadStart : -1,
                lt - payloadStart,
                -1,
              );
            }
            if (depth > 0) {
              if (xmlns >= 0) {
                const start = base + (attributes[xmlns + 2] as number);
                const finish = base + (attributes[xmlns + 3] as number);
                const special = attributes[xmlns + 4] !== 0 || isSpecialNamespace(bytes, start, finish);
                // Inside another namespace only the reserved ones matter, which are never right.
                if (special && (foreign === 0 || attributes[xmlns + 4] !== 0 || finish - start >= 29))
                  this.#slow = true;
                if (foreign === 0) foreign = depth + 1;
              }
              if (prefixed || colon >= 0) this.#slow = true;
              depth++;
              if (kind === START_TAG) {
                state = TEXT;
                continue;
              }
            } else if (this.#place === PROLOG && !this.#document) {
              const header = this.#readHeader(bytes, base, names[1] as number, count, attributes);
              base = -1;
              this.#base = -1;
              this.#open(header, kind === EMPTY_TAG);
              stop = end;
              state = this.#state;
              limits = this.limits;
              if (this.#paused) break scan;
              continue;
            } else {
              // A first-level element.
              payloadStart = at - base;
              firstCount = count;
              this.#slow = false;
              this.#nameEnd = names[1] as number;
              this.#firstXmlns = xmlns;
              this.#first = undefined;
              if (prefixed || colon >= 0) {
                this.#first = this.#readFirst(bytes, base, count, attributes);
                this.#ns = this.#first.ns;
              } else if (xmlns < 0) {
                this.#ns = this.#defaultNs;
              } else {
                const start = base + (attributes[xmlns + 2] as number);
                const finish = base + (attributes[xmlns + 3] as number);
                const content = this.#content;
                if (finish - start === content.length && spells(bytes, start, content)) {
                  this.#ns = NS_CONTENT; // As every stanza over WebSocket says.
                } else {
                  this.#first = this.#readFirst(bytes, base, count, attributes);
                  this.#ns = this.#first.ns;
                }
              }
              foreign = this.#ns === NS_CONTENT ? 0 : 1;
              depth = 1;
              if (kind === START_TAG) {
                state = TEXT;
                continue;
              }
            }
          } else if (depth === 0) {
            base = -1;
            this.#base = -1;
            this.#close();
            stop = end;
            state = this.#state;
            limits = this.limits;
            if (this.#paused) break scan;
            continue;
          }

          // An element ends.
          depth--;
          if (depth > 0) {
            if (foreign === depth + 1) foreign = 0;
            if (depth === 1) (index as number[])[(index as number[]).length - 1] = at - base - payloadStart;
            state = TEXT;
            continue;
          }
          const payloadEnd = kind === EMPTY_TAG ? payloadStart : lt;
          const raw = this.#complete(bytes, base, at, firstCount, attributes, payloadStart, payloadEnd, index);
          base = -1;
          this.#base = -1;
          index = undefined;
          firstCount = 0;
          this.#place = this.#document ? EPILOG : BETWEEN;
          this.#state = this.#place;
          this.#handler.element(raw);
          // The handler may have paused, reset, or raised the limits.
          stop = end;
          state = this.#state;
          limits = this.limits;
          if (this.#paused) break scan;
          continue;
        }

        case BETWEEN: {
          const byte = bytes[at] as number;
          if (byte === LT) {
            base = at;
            stop = Math.min(end, base + limits.stanzaBytes);
            at++;
            lt = 0;
            state = ROOT;
          } else if (((classes[byte] as number) & SPACE) !== 0) {
            at++;
          } else {
            throw strayByte(byte, true);
          }
          continue;
        }

        case PROLOG:
        case EPILOG: {
          const byte = bytes[at] as number;
          if (byte === LT) {
            base = at;
            stop = Math.min(end, base + limits.stanzaBytes);
            at++;
            lt = 0;
            state = ROOT;
          } else if (((classes[byte] as number) & SPACE) !== 0) {
            if (!this.#restarted) this.#declarable = false;
            at++;
          } else {
            throw strayByte(byte, false); // U+FEFF included: it is no byte order mark here (RFC 6120 §11.6).
          }
          continue;
        }

        case ROOT: {
          const byte = bytes[at] as number;
          if (((classes[byte] as number) & NAME_START) !== 0) {
            if (this.#place === EPILOG) throw malformed("A second root element");
            if (this.#place === PROLOG) this.#declarable = false;
            token = at - base;
            seen = 0;
            state = TAG_NAME;
          } else if (byte === SLASH && this.#place === BETWEEN) {
            at++;
            token = at - base;
            state = END_NAME;
          } else if (byte === BANG) {
            at++;
            token = at - base;
            state = MARKUP;
          } else if (byte === QUESTION) {
            if (!this.#declarable) throw restricted("Processing instructions are not allowed");
            at++;
            state = DECLARATION;
          } else {
            throw malformed("A < is out of place");
          }
          continue;
        }

        case MARKUP: {
          const start = base + token;
          const first = bytes[start] as number;
          const expected = first === BRACKET ? CDATA_START : first === LETTER_D ? DOCTYPE : "--";
          let next = at - start;
          while (next < expected.length) {
            if (bytes[at] !== expected.charCodeAt(next)) throw malformed("A <! is out of place");
            at++;
            if (++next < expected.length && at === stop) continue scan;
          }
          if (first === DASH) throw restricted("Comments are not allowed");
          if (first === LETTER_D) throw restricted("Document type declarations are not allowed");
          if (depth === 0) {
            throw strayByte(LT, this.#place === BETWEEN);
          }
          token = at - base;
          state = CDATA;
          continue;
        }

        case CDATA: {
          let byte = bytes[at] as number;
          while (((classes[byte] as number) & CDATA_PLAIN) !== 0) {
            if (++at === stop) continue scan;
            byte = bytes[at] as number;
          }
          if (byte === GT) {
            if (bytes[at - 1] === CLOSING_BRACKET && bytes[at - 2] === CLOSING_BRACKET && at - 2 - base >= token) {
              state = TEXT;
            }
            at++;
          } else if (byte >= 0x80) {
            const length = sequence(bytes, at, stop);
            if (length === 0) break scan;
            at += length;
          } else {
            throw disallowed();
          }
          continue;
        }

        case DECLARATION: {
          const next = at - base;
          const byte = bytes[at] as number;
          if (next < DECLARATION_START.length) {
            if (byte !== DECLARATION_START.charCodeAt(next))
              throw restricted("Processing instructions are not allowed");
          } else if (next === DECLARATION_START.length && ((classes[byte] as number) & NAME) !== 0) {
            throw restricted("Processing instructions are not allowed");
          }
          at++;
          if (byte === GT) {
            checkDeclaration(this.#latin1(bytes, base, at));
            this.#declarable = false;
            base = -1;
            stop = end;
            state = PROLOG;
          }
          continue;
        }

        default: // CLOSED, DEAD
          at = end;
          stop = end;
          break scan;
      }
    }

    if (stop < end) throw exceeded("The element is too long");
    this.#state = state;
    this.#base = base;
    this.#token = token;
    this.#lt = lt;
    this.#depth = depth;
    this.#quote = quote;
    this.#flags = flags;
    this.#seen = seen;
    this.#mark = mark;
    this.#back = back;
    this.#kind = kind;
    this.#count = count;
    this.#firstCount = firstCount;
    this.#xmlns = xmlns;
    this.#colon = colon;
    this.#prefixed = prefixed;
    this.#foreign = foreign;
    this.#payloadStart = payloadStart;
    this.#index = index;
    if (base < 0) this.#giveBack();
    return at;
  }

  /** A first-level element in normal form. `at` is where it ends in `bytes`; the other offsets count from `base`. */
  #complete(
    bytes: Uint8Array,
    base: number,
    at: number,
    count: number,
    attributes: Int32Array,
    payloadStart: number,
    payloadEnd: number,
    received: number[] | undefined,
  ): RawElement {
    // One slice for all; everything else is a substring of it.
    const text = this.#latin1(bytes, base, at);
    const first = this.#first;
    const ns = this.#ns;
    let payload = text.substring(payloadStart, payloadEnd) as Bytes;
    let index: ChildIndex = received ?? NO_CHILDREN;
    if (this.#slow) {
      const scope =
        first?.scope ?? (ns === NS_CONTENT ? { default: this.#content, prefixes: this.#scope.prefixes } : this.#scope);
      const normal = normalise(payload, index, scope, ns, this.limits.stanzaBytes);
      payload = normal.payload;
      index = normal.index;
    }
    this.#prefixes = 0;
    if (first !== undefined) {
      this.#first = undefined;
      return { name: first.name, ns, attributes: first.attributes, payload, index };
    }
    const nameEnd = this.#nameEnd;
    const name = elementName(bytes, base + 1, base + nameEnd) ?? toText(text.substring(1, nameEnd) as Bytes);
    return { name, ns, attributes: this.#plainAttributes(bytes, base, text, count, attributes), payload, index };
  }

  /** The attributes of a first-level element none of which has a prefix other than `xml`. */
  #plainAttributes(
    bytes: Uint8Array,
    base: number,
    text: Bytes,
    count: number,
    attributes: Int32Array,
  ): readonly Bytes[] {
    const pairs: Bytes[] = [];
    const xmlns = this.#firstXmlns;
    let rewritten = 0;
    for (let slot = 0; slot < count * FIELDS; slot += FIELDS) {
      if (slot === xmlns) continue;
      const start = attributes[slot] as number;
      const end = attributes[slot + 1] as number;
      let value = text.substring(attributes[slot + 2] as number, attributes[slot + 3] as number) as Bytes;
      if (attributes[slot + 4] !== 0) {
        // An apostrophe between double quotes takes six bytes between single ones.
        value = escapeAttribute(decodeAttribute(value));
        rewritten += value.length;
        if (rewritten > this.limits.stanzaBytes) throw exceeded("The element is too long");
      }
      pairs.push((attributeName(bytes, base + start, base + end) ?? text.substring(start, end)) as Bytes, value);
    }
    return pairs;
  }

  /** Name, value, name, value … of the start tag at hand, in real text. */
  #readAttributes(bytes: Uint8Array, base: number, count: number, attributes: Int32Array): string[] {
    const pairs: string[] = [];
    for (let slot = 0; slot < count * FIELDS; slot += FIELDS) {
      const [name, nameEnd, value, valueEnd] = attributes.subarray(slot, slot + 4) as unknown as [
        number,
        number,
        number,
        number,
      ];
      pairs.push(
        toText(this.#latin1(bytes, base + name, base + nameEnd)),
        decodeAttribute(this.#latin1(bytes, base + value, base + valueEnd)),
      );
    }
    return pairs;
  }

  /** A first-level start tag that has a prefix or declares a namespace. */
  #readFirst(bytes: Uint8Array, base: number, count: number, attributes: Int32Array): FirstLevelTag {
    const pairs = this.#readAttributes(bytes, base, count, attributes);
    const scope = declare(this.#scope, pairs);
    const name = toText(this.#latin1(bytes, base + 1, base + this.#nameEnd));
    const ns = this.#relative(elementNamespace(scope, name));
    resolveAttributes(scope, pairs); // For its checks.
    if (this.#refusesPrefixes && ns === NS_CONTENT && name.includes(":")) throw prefixRefused();
    // A prefixed element leaves the default namespace to its children: they are not in its own.
    this.#slow = this.#relative(scope.default) !== ns;
    return { name: localName(name), ns, attributes: keptAttributes(scope, pairs, this.limits.stanzaBytes), scope };
  }

  #relative(ns: string): string {
    return ns === this.#content ? NS_CONTENT : ns;
  }

  #readHeader(bytes: Uint8Array, base: number, nameEnd: number, count: number, attributes: Int32Array): StreamTag {
    const pairs = this.#readAttributes(bytes, base, count, attributes);
    const scope = declare(NOTHING_DECLARED, pairs);
    const root = this.#latin1(bytes, base + 1, base + nameEnd);
    const name = toText(root);
    const ns = elementNamespace(scope, name);
    const resolved = resolveAttributes(scope, pairs);
    this.#root = root;
    this.#prefixes = 0;
    this.#scope = { default: scope.default, prefixes: sharedPrefixes(scope.prefixes) };
    this.#content = this.#expected ?? (CONTENT_NAMESPACES.has(scope.default) ? scope.default : "jabber:client");
    this.#defaultNs = this.#relative(scope.default);
    return {
      name: localName(name),
      prefix: name.includes(":") ? name.slice(0, name.indexOf(":")) : "",
      ns,
      content: scope.default === NS_NONE ? "" : scope.default,
      prefixes: this.#scope.prefixes,
      attributes: resolved,
    };
  }

  #open(header: StreamTag, empty: boolean): void {
    this.#place = BETWEEN;
    this.#state = BETWEEN;
    this.#handler.opened(header);
    if (empty && this.#place === BETWEEN) this.#close();
  }

  #close(): void {
    this.#place = CLOSED;
    this.#state = CLOSED;
    this.#handler.closed();
  }
}

/**
 * Attributes as `RawElement` has them: each prefix with the declaration it needs, other declarations left out. Throws where
 * their values take more than `limit` bytes, escaped.
 */
const keptAttributes = (scope: Scope, attributes: readonly string[], limit: number): readonly Bytes[] => {
  const kept: Bytes[] = [];
  let bytes = 0;
  const declared = new Set(["xml"]);
  for (let at = 0; at < attributes.length; at += 2) {
    const name = attributes[at] as string;
    if (isDeclaration(name)) continue;
    const colon = name.indexOf(":");
    const prefix = name.slice(0, Math.max(colon, 0));
    if (colon >= 0 && !declared.has(prefix)) {
      declared.add(prefix);
      kept.push(toBytes(`xmlns:${prefix}`), escapeAttribute(namespaceOf(scope, prefix)));
    }
    const value = escapeAttribute(attributes[at + 1] as string);
    bytes += value.length;
    if (bytes > limit) throw exceeded("The element is too long");
    kept.push(toBytes(name), value);
  }
  return kept;
};
