import fc from "fast-check";

/** For the tests of this directory only: documents as text, in all the ways in which one thing can be written. */

const LOCAL_NAMES = ["a", "body", "message", "x-1.0", "_", "größe", "名前", "constructor", "__proto__"];
/** `undeclared` never is. */
const PREFIXES = ["", "", "", "", "p", "q", "stream", "xml", "undeclared"];
const NAMESPACES = ["jabber:client", "jabber:server", "urn:one", "urn:two", "urn:a&amp;b", "jabber:component:accept"];

const character = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(..."abc xyz019-_.:;,/=?!()[]{}") },
  {
    weight: 3,
    arbitrary: fc.constantFrom("é", "ß", "ж", "日本", "🦊", "\u00a0", "\ufeff", "\ufffd", "\u007f", "\u0085"),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("&amp;", "&lt;", "&gt;", "&apos;", "&quot;", "&#10;", "&#x9;", "&#xD;", "&#x1F98A;"),
  },
  { weight: 2, arbitrary: fc.constantFrom("\n", "\t", "\r", "\r\n", "  ") },
  { weight: 1, arbitrary: fc.constantFrom("&#0000065;", "]]", "]", "&#x10FFFF;", "&#xfffd;") },
);
const run = (more: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 9, arbitrary: character }, { weight: 2, arbitrary: fc.constantFrom(...more) }), {
      maxLength: 12,
    })
    .map((parts) => parts.join("").replaceAll("]]>", "] ]>"));

const text = run(["'", '"', ">", "&#39;"]);
const cdata = run(["<", "&", "<![CDATA[", "'", ">", "</a>"]).map(
  (inside) => `<![CDATA[${inside.replaceAll("]]>", "")}]]>`,
);
const value = fc.oneof(
  run(['"', ">"]).map((inside) => `'${inside}'`),
  run(["'", ">"]).map((inside) => `"${inside}"`),
);
const space = fc.constantFrom(" ", " ", " ", "\n", "\t ", "\r\n");
const equals = fc.constantFrom("=", "=", "=", " = ", "\n=");

const name = fc
  .tuple(fc.constantFrom(...PREFIXES), fc.constantFrom(...LOCAL_NAMES))
  .map(([prefix, local]) => (prefix === "" ? local : `${prefix}:${local}`));
const attribute = fc.tuple(space, name, equals, value).map((parts) => parts.join(""));
const declaration = fc
  .tuple(
    space,
    fc.constantFrom("xmlns", "xmlns", "xmlns:p", "xmlns:q", "xmlns:r"),
    equals,
    fc.constantFrom(...NAMESPACES, ""),
  )
  .map(
    ([before, declared, sign, ns]) =>
      `${before}${declared}${sign}"${ns === "" && declared !== "xmlns" ? "urn:one" : ns}"`,
  );

/** Names are unique for the most part; `a:x` and `b:x` in one namespace stay possible. */
const unique = (attributes: readonly string[]): string => {
  const seen = new Set<string>();
  return attributes
    .filter((each) => {
      const [written = ""] = each.trim().split(/\s*=/);
      return !seen.has(written) && seen.add(written);
    })
    .join("");
};
const attributes = fc
  .tuple(fc.array(declaration, { maxLength: 2 }), fc.array(attribute, { maxLength: 3 }))
  .map(([declarations, others]) => unique([...declarations, ...others]));

const { element } = fc.letrec<{ element: string; content: string }>((tie) => ({
  content: fc
    .array(fc.oneof({ depthSize: "small", withCrossShrink: true }, text, cdata, tie("element")), { maxLength: 4 })
    .map((parts) => parts.join("").replaceAll("]]>", "\u0001").replaceAll("\u0001", "]]>")),
  element: fc
    .tuple(name, attributes, fc.option(tie("content"), { nil: undefined }), fc.constantFrom("", " ", "\n"))
    .map(([tag, inside, content, end]) =>
      content === undefined ? `<${tag}${inside}${end}/>` : `<${tag}${inside}${end}>${content}</${tag}${end}>`,
    ),
}));

/** One element, nearly always well-formed; its prefixes may be undeclared. */
export const elementText: fc.Arbitrary<string> = element;

/** Stanzas as a peer may write them, prefixed ones and ones that declare their own namespace included. */
export const stanzaText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("message", "message", "iq", "presence", "c:message", "p:message"),
    attributes,
    fc.array(fc.oneof(text, cdata, element), { maxLength: 4 }),
  )
  .map(([tag, inside, content]) => `<${tag}${inside}>${content.join("")}</${tag}>`);

/** What a mutation puts into a document. */
const intruder = fc.constantFrom(
  ..."<>&'\"=/ :;!?[]-\n\t\0\u0001x1é",
  "]]>",
  "<a>",
  "</a>",
  "<a/>",
  "&#0;",
  "&lt;",
  "&nope;",
  "xmlns=''",
  " xmlns:p=''",
  " xmlns:xml='urn:one'",
  " p:a='' q:a=''",
  "<![CDATA[",
);

export interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(400),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.oneof(intruder, fc.constant("")),
});

/** Bytes, so that characters of more than one byte can be torn apart too. */
export const mutated = (bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array => {
  let result = bytes;
  for (const { at, remove, insert } of mutations) {
    const start = result.length === 0 ? 0 : at % (result.length + 1);
    const added = new TextEncoder().encode(insert);
    const next = new Uint8Array(start + added.length + Math.max(0, result.length - start - remove));
    next.set(result.subarray(0, start));
    next.set(added, start);
    next.set(result.subarray(start + remove), start + added.length);
    result = next;
  }
  return result;
};
