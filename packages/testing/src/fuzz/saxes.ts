/** What saxes, an independent reader of XML, makes of a stream, with the rules that RFC 6120 §11 adds. */
import { type Element, type Node, NS_NONE } from "@kith/protocol";
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from "saxes";

export interface StreamReading {
  /** The header, with the first-level elements that were complete as its children; namespaces are real names. */
  readonly root: Element | undefined;
  /** Has the end of the stream come? What follows it does not count. */
  readonly isClosed: boolean;
  /** What is wrong with it, if anything is. */
  readonly fault: string | undefined;
}

interface Open {
  readonly element: Element;
  readonly children: Node[];
}

/** Reads as far as it can. `bytes` need not be UTF-8. */
export const readWithSaxes = (bytes: Uint8Array): StreamReading => {
  const end = validEnd(bytes);
  const text = decode(bytes.subarray(0, end)) ?? "";
  if (text.startsWith("\ufeff")) return { root: undefined, isClosed: false, fault: "a byte order mark" };
  const reading = new Reading(text).read();
  if (end === bytes.length || reading.isClosed) return reading;
  return { ...reading, fault: reading.fault ?? "not UTF-8" };
};

const decode = (bytes: Uint8Array, stream = false): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream });
  } catch {
    return undefined;
  }
};

/** How many bytes are whole characters in UTF-8. */
const validEnd = (bytes: Uint8Array): number => {
  if (decode(bytes) !== undefined) return bytes.length;
  let [valid, invalid] = [0, bytes.length];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (decode(bytes.subarray(0, middle), true) === undefined) invalid = middle;
    else valid = middle;
  }
  while (valid > 0 && decode(bytes.subarray(0, valid)) === undefined) valid--;
  return valid;
};

/** Thrown to leave the parser. */
class Stop extends Error {}

class Reading {
  readonly #source: string;
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #stack: Open[] = [];
  #root: Element | undefined;
  /** Where the stream ended. */
  #end: number | undefined;
  #fault: string | undefined;
  /** Where the latest tag ended. */
  #tagEnd = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): StreamReading {
    const parser = this.#parser;
    parser.on("error", (error) => this.#refuse(error.message));
    parser.on("xmldecl", ({ version, encoding }) => this.#declared(version, encoding));
    parser.on("comment", () => this.#refuse("a comment"));
    parser.on("processinginstruction", () => this.#refuse("a processing instruction"));
    parser.on("doctype", () => this.#refuse("a document type declaration"));
    parser.on("text", (more) => this.#text(more, false));
    parser.on("cdata", (more) => this.#text(more, true));
    parser.on("opentag", (tag) => this.#opened(tag));
    parser.on("closetag", () => this.#closed());
    try {
      parser.write(this.#source);
    } catch (error) {
      if (error instanceof Doubtful) throw error;
      if (!(error instanceof Stop)) this.#fault ??= String(error);
    }
    const isClosed = this.#end !== undefined && this.#fault === undefined;
    return { root: this.#root, isClosed, fault: this.#fault };
  }

  #refuse(fault: string): never {
    // What follows the end does not count; but that an end tag does not match is said only after the element was closed.
    if (this.#end === undefined || this.#end === this.#parser.position) this.#fault ??= fault;
    throw new Stop(fault);
  }

  /** RFC 6120 §11.5, §11.6. */
  #declared(version: string | undefined, encoding: string | undefined): void {
    if (version !== "1.0") this.#refuse("another version of XML");
    if (encoding !== undefined && encoding.toLowerCase() !== "utf-8") this.#refuse("another encoding");
  }

  /** RFC 6120 §4.9.3.1: between first-level elements there is white space only, written as such. */
  #text(text: string, isCdata: boolean): void {
    const open = this.#stack.at(-1);
    if (open === undefined) return;
    if (this.#stack.length > 1) {
      append(open.children, text);
      return;
    }
    const isReferred = this.#source.slice(this.#tagEnd, this.#parser.position).includes("&");
    if (isCdata || isReferred || /[^ \t\r\n]/.test(text)) this.#refuse("text between first-level elements");
  }

  #opened(tag: SaxesTagNS): void {
    if (this.#end !== undefined) throw new Stop("after the end");
    const children: Node[] = [];
    const element = this.#elementOf(tag, children);
    this.#root ??= element;
    this.#stack.push({ element, children });
    this.#tagEnd = this.#parser.position;
  }

  #closed(): void {
    const { element } = this.#stack.pop() as Open;
    const parent = this.#stack.at(-1);
    parent?.children.push(element);
    this.#tagEnd = this.#parser.position;
    if (parent === undefined) this.#end = this.#tagEnd;
  }

  #elementOf(tag: SaxesTagNS, children: readonly Node[]): Element {
    this.#checkLocal(tag.local);
    const attributes = { __proto__: null } as unknown as Record<string, string>;
    for (const attribute of Object.values(tag.attributes)) {
      this.#checkLocal(attribute.local);
      if (!isDeclaration(attribute)) attributes[keyOf(attribute)] = attribute.value;
    }
    return { name: tag.local, ns: tag.uri === "" ? NS_NONE : tag.uri, attributes, children };
  }

  /** Namespaces in XML §4: what follows a colon is a name too. saxes does not see to it. */
  #checkLocal(local: string): void {
    if (/^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/.test(local)) this.#refuse("a name that is none");
  }
}

/** Throws `Doubtful` for a namespace that saxes takes white space off. */
const isDeclaration = ({ name, prefix, value }: SaxesAttributeNS): boolean => {
  if (name !== "xmlns" && prefix !== "xmlns") return false;
  if (value.trim() !== value) throw new Doubtful();
  return true;
};

/** As `Element.attributes` has it. */
const keyOf = ({ prefix, local, uri, name }: SaxesAttributeNS): string => {
  if (prefix === "") return local;
  return prefix === "xml" ? name : `{${uri}}${local}`;
};

/** saxes does not read this as Namespaces in XML says. */
export class Doubtful extends Error {}

/** Neighbouring text is one node. */
const append = (siblings: Node[], text: string): void => {
  const last = siblings.at(-1);
  if (typeof last === "string") siblings[siblings.length - 1] = last + text;
  else if (text !== "") siblings.push(text);
};
