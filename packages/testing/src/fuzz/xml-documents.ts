/** XML streams as text: for the most part well-formed, in all the ways in which one thing can be written. */
import type { Random } from "./random.ts";
import { RESTART } from "./xml-reader.ts";

const NS_STREAMS = "http://etherx.jabber.org/streams";
const STREAM = "stream:stream";

const LOCAL_NAMES = ["a", "body", "message", "iq", "query", "x-1.0", "_", "größe", "名前", "__proto__", "xmlns"];
const PREFIXES = ["", "", "", "", "", "p", "c", "stream", "xml"];
const UNDECLARED = ["q", "lost"];
const NAMESPACES = [
  "jabber:client",
  "jabber:client",
  "jabber:server",
  "jabber:component:accept",
  "urn:one",
  "urn:two",
  "urn:a&amp;b",
  "urn:ü",
  "http://www.w3.org/XML/1998/namespace",
  "http://www.w3.org/2000/xmlns/",
  "",
];
const CHARACTERS = [
  ..."abc xyz019-_.:;,/=?!()[]{}",
  "é",
  "日本",
  "🦊",
  "\u00a0",
  "\ufeff",
  "\ufffd",
  "\u007f",
  "\u0085",
  "\u2028",
  "&amp;",
  "&lt;",
  "&gt;",
  "&apos;",
  "&quot;",
  "&#10;",
  "&#x9;",
  "&#xD;",
  "&#x1F98A;",
  "&#0000065;",
  "\n",
  "\t",
  "\r",
  "\r\n",
  "]]",
  "]",
];
/** What is refused, wherever it stands. */
const FORBIDDEN = [
  "&nope;",
  "&#0;",
  "&#x1F;",
  "&#xD800;",
  "&#x110000;",
  "&;",
  "& ",
  "\u0000",
  "\u0001",
  "\u000b",
  "\ufffe",
  "<!-- x -->",
  "<?php x?>",
  "<!DOCTYPE a>",
  "<!ENTITY a 'b'>",
  "<",
  "]]>",
];
const SPACES = ["", "", "", " ", "\n", "\t", "\r\n", "  "];

export class XmlDocuments {
  readonly #random: Random;
  /** Is what is made meant to be well-formed? */
  readonly #isTidy: boolean;

  constructor(random: Random) {
    this.#random = random;
    this.#isTidy = !random.oneIn(3);
  }

  /** A stream, perhaps with a second one that begins where the first one breaks off. */
  streams(): string {
    if (!this.#random.oneIn(6)) return this.#stream();
    const first = this.#stream().replace(/<\/[^<]*$/, "");
    return `${first}<${RESTART}/>${this.#space()}${this.#stream()}`;
  }

  /** A stream from its header on, perhaps with an XML declaration before it, most often with its end. */
  #stream(): string {
    const random = this.#random;
    const declaration = random.oneIn(3) ? this.#declaration() : "";
    const root = this.#slip(6) ? random.pick(["stream", "s:stream", "stream:Stream", "a"]) : STREAM;
    const first = random.several(0, 5, () => this.#space() + this.#firstLevel());
    const end = random.oneIn(6) ? "" : `</${root}${this.#space()}>`;
    const rest = random.oneIn(12) ? this.#text(FORBIDDEN) : "";
    return `${declaration}${this.#header(root)}${first.join("")}${this.#space()}${end}${rest}`;
  }

  /** Once in so many times, in what is not meant to be well-formed. */
  #slip(times: number): boolean {
    return !this.#isTidy && this.#random.oneIn(times);
  }

  #declaration(): string {
    const random = this.#random;
    const quote = random.pick(["'", '"']);
    const version = this.#slip(3) ? random.pick(["1.1", "2.0", ""]) : "1.0";
    const encoding = random.oneIn(3)
      ? ` encoding=${quote}${this.#slip(2) ? random.pick(["UTF-16", "latin1", ""]) : random.pick(["UTF-8", "utf-8", "Utf-8"])}${quote}`
      : "";
    const standalone = random.oneIn(6)
      ? ` standalone=${quote}${this.#slip(2) ? "maybe" : random.pick(["yes", "no"])}${quote}`
      : "";
    return `<?xml version=${quote}${version}${quote}${encoding}${standalone}${this.#space()}?>${this.#space()}`;
  }

  #header(root: string): string {
    const random = this.#random;
    const content = this.#slip(3) ? random.pick(NAMESPACES) : "jabber:client";
    const declared = this.#slip(8) ? "" : ` xmlns:stream='${NS_STREAMS}'`;
    const more = this.#slip(2) ? "" : " xmlns:p='urn:p' xmlns:c='jabber:client'";
    const attributes = random.several(0, 2, () => this.#attribute()).join("");
    return `<${root} xmlns='${content}'${declared}${more}${attributes}${this.#space()}>`;
  }

  #firstLevel(): string {
    const random = this.#random;
    if (this.#slip(8)) return this.#text(["x", "<![CDATA[]]>", ...FORBIDDEN]);
    if (random.oneIn(3)) return this.#element(0);
    const name = random.pick(["message", "message", "iq", "presence", "c:message", "p:iq", "stream:features"]);
    const content = random.several(0, 4, () => (random.oneIn(3) ? this.#text([]) : this.#element(1))).join("");
    return this.#tagged(name, content);
  }

  #element(depth: number): string {
    const random = this.#random;
    const prefix = this.#slip(8) ? random.pick(UNDECLARED) : random.pick(PREFIXES);
    const local = random.pick(LOCAL_NAMES);
    const name = prefix === "" ? local : `${prefix}:${local}`;
    if (depth > 5 || random.oneIn(3)) return this.#tagged(name, undefined);
    return this.#tagged(name, random.several(0, 3, () => this.#content(depth)).join(""));
  }

  #content(depth: number): string {
    return this.#random.choose([
      [4, () => this.#element(depth + 1)],
      [3, () => this.#text([])],
      [1, () => `<![CDATA[${this.#run(["<", "&", "]]", "<![CDATA[", "</a>"]).replaceAll("]]>", "")}]]>`],
    ]);
  }

  #tagged(name: string, content: string | undefined): string {
    const random = this.#random;
    const written = [
      ...random.several(0, random.oneIn(3) ? 2 : 0, () => this.#namespace()),
      ...random.several(0, random.oneIn(2) ? 3 : 0, () => this.#attribute()),
    ];
    const attributes = this.#slip(8) ? written : unique(written);
    const start = `<${name}${attributes.join("")}${this.#space()}`;
    if (content === undefined) return `${start}/>`;
    return `${start}>${content}</${this.#slip(80) ? random.pick(LOCAL_NAMES) : name}${this.#space()}>`;
  }

  #namespace(): string {
    const random = this.#random;
    const name = random.pick(["xmlns", "xmlns", "xmlns:p", "xmlns:r", "xmlns:c"]);
    const ns = random.oneIn(200) ? `urn:${"n".repeat(random.pick([20, 1020, 1021, 5_000]))}` : random.pick(NAMESPACES);
    const isOdd = (ns === "" && name !== "xmlns") || ns.startsWith("http://www.w3.org");
    return ` ${name}='${isOdd && !this.#slip(3) ? "urn:one" : ns}'`;
  }

  #attribute(): string {
    const random = this.#random;
    const name = random.choose([
      [6, () => random.pick(["to", "from", "id", "type", "xml:lang", "version", "b", "größe", "__proto__"])],
      [2, () => random.pick(["p:b", "c:b", "p:to", "xml:space", "stream:x"])],
      [1, () => (this.#slip(4) ? random.pick(["xml:-a", ":a", "a:", "a:b:c", "1a", "lost:b"]) : "b")],
    ]);
    const quote = random.pick(["'", "'", '"']);
    const equals = random.oneIn(8) ? random.pick([" =", "= ", "\n=\n"]) : "=";
    const value = this.#run([quote === "'" ? '"' : "'", ">"]);
    return `${random.pick([" ", " ", " ", "\n", "\t"])}${name}${equals}${quote}${value}${quote}`;
  }

  #text(more: readonly string[]): string {
    return this.#run(["'", '"', ">", ...(this.#slip(6) ? FORBIDDEN : []), ...more]).replaceAll("]]>", "]] >");
  }

  #run(more: readonly string[]): string {
    const random = this.#random;
    if (random.oneIn(60)) return random.pick(CHARACTERS).repeat(random.between(1, 3_000));
    return random.several(0, 8, () => (random.oneIn(5) ? random.pick(more) : random.pick(CHARACTERS))).join("");
  }

  #space(): string {
    return this.#random.oneIn(3) ? this.#random.pick(SPACES) : "";
  }
}

/** No name twice; two prefixes of one namespace stay possible. */
const unique = (attributes: readonly string[]): readonly string[] => {
  const seen = new Set<string>();
  return attributes.filter((written) => {
    const [name = ""] = written.trim().split(/\s*=/);
    return !seen.has(name) && seen.add(name);
  });
};
