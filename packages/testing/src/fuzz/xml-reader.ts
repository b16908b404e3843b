/** One input for the XML reader, and what must hold whatever it is. */
import {
  type Bytes,
  childCount,
  type Element,
  findChild,
  isChild,
  isElement,
  type Node,
  type RawElement,
  readChild,
  readElement,
  readPayload,
  SCANNER_LIMITS,
  type ScannerHandler,
  type ScannerLimits,
  StreamError,
  type StreamTag,
  toText,
  toUint8Array,
  writeRaw,
  XmlScanner,
} from "@kith/protocol";
import { ensure } from "./broken.ts";
import { Random } from "./random.ts";
import { Doubtful, readWithSaxes, type StreamReading } from "./saxes.ts";

export interface ReaderCase {
  readonly bytes: Uint8Array;
  readonly limits: ScannerLimits;
  /** Decides how the bytes are cut, and where reading pauses. */
  readonly seed: number;
}

/** How many bytes of a chunk may be taken over beyond the limit of an element. */
const SLACK = 4_096;

/** A start tag's name and declarations, and its end tag, around what has limits. */
const FRAME = 200;

/** After this first-level element a new stream begins (RFC 6120 §4.3.3). */
export const RESTART = "restart";

/** All that a reader said. */
interface Heard {
  readonly headers: StreamTag[];
  readonly elements: RawElement[];
  closed: number;
  restarts: number;
  error: string | undefined;
}

/** What became of it: for statistics. */
export type ReaderOutcome = "closed" | "open" | "refused";

/** Throws `Broken`. */
export const checkReader = (input: ReaderCase): ReaderOutcome => {
  const random = new Random(input.seed);
  const heard = hear(input, []);
  for (const cuts of [cutsOf(input.bytes.length, random), everyByte(input.bytes.length, random)]) {
    checkSame(heard, hear(input, cuts), "cut into chunks");
    checkSame(heard, hear(input, cuts, random), "with pauses");
  }
  const isBeyondLimits = heard.error === "policy-violation";
  if (!isBeyondLimits && heard.restarts === 0) compareWithSaxes(heard, input.bytes);
  for (const raw of heard.elements) checkElement(raw, input.limits);
  if (heard.error !== undefined) return "refused";
  return heard.closed > 0 ? "closed" : "open";
};

const cutsOf = (length: number, random: Random): readonly number[] =>
  random.several(0, 6, () => random.int(length + 1)).sort((one, other) => one - other);

/** One byte at a time where that does not take for ever, else in chunks of one size. */
const everyByte = (length: number, random: Random): readonly number[] => {
  const size = length > 4_000 ? random.between(1, 300) * 16 : 1;
  return Array.from({ length: Math.floor(length / size) }, (_, at) => (at + 1) * size);
};

/** Feeds the reader chunks that are overwritten at once, as a read buffer is. With `pauses`, it stops after some elements. */
const hear = (input: ReaderCase, cuts: readonly number[], pauses?: Random): Heard => {
  const listener = new Listener(input.limits, pauses);
  let start = 0;
  for (const end of [...cuts, input.bytes.length]) {
    listener.feed(input.bytes.slice(start, end));
    start = end;
  }
  listener.finish();
  return listener.heard;
};

class Listener implements ScannerHandler {
  readonly heard: Heard = { headers: [], elements: [], closed: 0, restarts: 0, error: undefined };
  readonly #scanner: XmlScanner;
  readonly #limits: ScannerLimits;
  readonly #pauses: Random | undefined;
  /** Is the stream to begin anew before reading goes on? */
  #isRestarting = false;
  /** Bytes fed during the pause at hand. */
  #unread = 0;

  constructor(limits: ScannerLimits, pauses: Random | undefined) {
    this.#limits = limits;
    this.#pauses = pauses;
    this.#scanner = new XmlScanner(this, { limits, content: "jabber:client" });
  }

  opened(header: StreamTag): void {
    this.heard.headers.push(header);
    this.#rest();
  }

  element(raw: RawElement): void {
    this.heard.elements.push(raw);
    if (raw.name === RESTART && raw.ns === "") this.#restart();
    this.#rest();
  }

  closed(): void {
    this.heard.closed++;
    this.#rest();
  }

  #restart(): void {
    this.heard.restarts++;
    if (this.#pauses?.oneIn(2) === true) {
      this.#isRestarting = true;
      this.#scanner.pause();
    } else {
      this.#scanner.reset();
    }
  }

  #rest(): void {
    if (this.#pauses?.oneIn(3) === true) this.#scanner.pause();
  }

  feed(chunk: Uint8Array): void {
    const { heard } = this;
    heard.error ??= conditionOf(() => this.#scanner.feed(chunk));
    chunk.fill(0xff);
    this.#unread = this.#scanner.paused ? this.#unread + chunk.length : 0;
    const most = this.#limits.stanzaBytes + SLACK + this.#unread;
    ensure(this.#scanner.held <= most, `${this.#scanner.held} bytes are kept`);
    while (this.#scanner.paused && heard.error === undefined && this.#pauses?.oneIn(2) === true) this.#resume();
  }

  finish(): void {
    while (this.#scanner.paused && this.heard.error === undefined) this.#resume();
    if (this.heard.error !== undefined) checkDead(this.#scanner, this.heard);
  }

  #resume(): void {
    if (this.#isRestarting) this.#scanner.reset();
    this.#isRestarting = false;
    this.heard.error ??= conditionOf(() => this.#scanner.resume());
  }
}

const conditionOf = (step: () => void): string | undefined => {
  try {
    step();
    return undefined;
  } catch (error) {
    ensure(error instanceof StreamError, `thrown: ${error instanceof Error ? error.stack : String(error)}`);
    return error.condition;
  }
};

/** After an error nothing is kept and nothing is said any more. */
const checkDead = (scanner: XmlScanner, heard: Heard): void => {
  const before = heard.elements.length + heard.headers.length + heard.closed;
  const again = conditionOf(() => {
    scanner.resume();
    scanner.reset();
    scanner.feed(toUint8Array("<stream xmlns='jabber:client'><message/></stream><" as Bytes));
  });
  ensure(again === undefined && scanner.held === 0, "a reader that has failed goes on");
  ensure(before === heard.elements.length + heard.headers.length + heard.closed, "a reader that has failed speaks");
};

const checkSame = (one: Heard, other: Heard, how: string): void => {
  const [first, second] = [one, other].map((heard) =>
    JSON.stringify([heard.error, heard.closed, heard.elements, heard.headers.map(plainHeader)]),
  );
  ensure(first === second, `${how}, it is read otherwise:\n  ${second}\n  instead of\n  ${first}`);
};

const plainHeader = ({ prefixes, attributes, ...header }: StreamTag): unknown => [
  header,
  [...prefixes],
  Object.entries(attributes),
];

const compareWithSaxes = (heard: Heard, bytes: Uint8Array): void => {
  try {
    compare(heard, readWithSaxes(bytes));
  } catch (error) {
    if (!(error instanceof Doubtful)) throw error;
  }
};

/** Both agree on whether this is a stream, and on what the elements of it mean. */
const compare = (heard: Heard, reading: StreamReading): void => {
  const { root, isClosed, fault } = reading;
  if (fault === undefined && isClosed) ensure(heard.error === undefined, `refused (${heard.error}), saxes accepts it`);
  if (fault !== undefined) ensure(heard.closed === 0, `accepted, saxes does not (${fault})`);
  const complete = root?.children.filter(isElement) ?? [];
  ensure(
    heard.elements.length <= complete.length,
    `element ${complete.length + 1} is accepted, saxes says ${fault ?? "nothing"}`,
  );
  if (heard.error === undefined && fault === undefined) {
    ensure(
      heard.elements.length === complete.length,
      `${heard.elements.length} elements instead of ${complete.length}`,
    );
  }
  if (heard.headers[0]?.content !== "jabber:client") return;
  for (const [at, raw] of heard.elements.entries()) checkMeaning(raw, complete[at] as Element);
};

/** RFC 6120 §4.8.3: what comes down from the stanza is re-scoped, what an extension holds is not. */
const rescoped = (element: Element, to: string): Element =>
  CONTENT.has(element.ns)
    ? { ...element, ns: to, children: element.children.map((node) => (isElement(node) ? rescoped(node, to) : node)) }
    : element;
const CONTENT = new Set(["jabber:client", "jabber:server", "jabber:component:accept"]);

const HEADERS = ["jabber:client", "jabber:server"].map(
  (content) => [content, `<stream:stream xmlns='${content}' xmlns:stream='http://etherx.jabber.org/streams'>`] as const,
);

/** What the reader made of an element, and what is sent on, mean what was received. */
const checkMeaning = (raw: RawElement, meant: Element): void => {
  const isStanza = raw.ns === "";
  const expected = (content: string): string => plain(isStanza ? rescoped(meant, content) : meant);
  ensure(plain(readElement(raw)) === expected(""), `read as ${plain(readElement(raw))}, meant was ${expected("")}`);
  const written = writeRaw(raw);
  for (const [content, header] of HEADERS) {
    const forwarded = readWithSaxes(toUint8Array(`${header}${written}</stream:stream>` as Bytes));
    const [again] = forwarded.root?.children.filter(isElement) ?? [];
    const fault = `forwarded to a stream of ${content} as ${toText(written)}`;
    ensure(again !== undefined && forwarded.fault === undefined, `${fault}: ${forwarded.fault}`);
    // An element without namespace inherits none from a stream that has a default.
    ensure(plain(again) === expected(content), `${fault}: means ${plain(again)}, meant was ${expected(content)}`);
  }
};

/** Attributes sorted, no prototypes: comparable as text. */
const plain = (node: Node): string => {
  if (typeof node === "string") return JSON.stringify(node);
  const attributes = Object.entries(node.attributes).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${node.ns}}${node.name}${JSON.stringify(attributes)}(${node.children.map(plain).join(",")})`;
};

/** An element in normal form: its index is right, and once more through a reader it stays as it is. */
const checkElement = (raw: RawElement, limits: ScannerLimits): void => {
  const children = readPayload(raw.payload, raw.ns).filter(isElement);
  ensure(childCount(raw) === children.length, `${childCount(raw)} children indexed of ${children.length}`);
  children.forEach((child, at) => {
    ensure(plain(readChild(raw, at)) === plain(child), `child ${at} reads as ${plain(readChild(raw, at))}`);
    const [name, ns] = [child.name, child.ns].map((text) => Buffer.from(text).toString("latin1")) as [string, string];
    const escaped = ns.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");
    if (/[\t\n\r]/.test(ns)) return;
    // A namespace that is inherited is compared as it is, one that is declared again as it is escaped.
    const found = [raw.ns, escaped].find((wanted) => isChild(raw, at, wanted, name));
    ensure(
      found !== undefined && (found === escaped || child.ns === raw.ns),
      `child ${at} is not found as {${ns}}${name}`,
    );
    ensure(findChild(raw, found, name) <= at, `child ${at} is not found by name`);
  });
  const written = writeRaw(raw);
  // Attributes and payload may each grow when they are written anew, and neither beyond the limit.
  const most = 2 * limits.stanzaBytes + FRAME;
  ensure(written.length <= most, `${written.length} bytes to forward, at most ${limits.stanzaBytes} were read`);
  const again = hear(
    { bytes: toUint8Array(`${HEADERS[0]?.[1]}${written}` as Bytes), limits: SCANNER_LIMITS, seed: 0 },
    [],
  );
  ensure(JSON.stringify(again.elements) === JSON.stringify([raw]), `a second hop changes it: ${toText(written)}`);
};
