/**
 * Internationalized domain names for addresses (RFC 7622 §3.2): any way of writing a name becomes its U-labels in
 * lower case, which IDNA2008 (RFC 5890-5894) then allows or not.
 *
 * Mapping to A-labels (case, width, normalization; UTS 46) is left to who has the tables: `URL` everywhere, or what
 * `useIdna` sets. What they let pass beyond IDNA2008 (symbols, emoji) is refused here, so that both agree.
 */
import { isIdentifier } from "./precis.ts";
import { hasRightToLeft, obeysBidiRule } from "./unicode-bidi.ts";

/**
 * Turns a domain name into ASCII: A-labels and NR-LDH labels, lower case, as UTS 46 non-transitional processing does.
 * `undefined` for what is no domain name. Given no IP literals, no ASCII but letters, digits, hyphens and dots.
 */
export type Idna = (domain: string) => string | undefined;

declare const URL: { parse(text: string): { readonly hostname: string } | null };

/** The label keeps numbers from being taken for an IPv4 address, and is neutral to the Bidi Rule. */
const SENTINEL = ".x";
const idnaByUrl: Idna = (domain) => {
  const hostname = URL.parse(`http://${domain}${SENTINEL}/`)?.hostname;
  return hostname?.endsWith(SENTINEL) ? hostname.slice(0, -SENTINEL.length) : undefined;
};

let idna: Idna = idnaByUrl;

/** Sets the conversion for the whole process, before any address is parsed; without argument: back to the default. */
export const useIdna = (convert: Idna = idnaByUrl): void => {
  idna = convert;
};

const MAX_LABEL = 63;
const MAX_NAME = 253;
const LDH_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const NON_ASCII = /[^\0-\x7f]/;
/** No ASCII but what a name may have, and nothing unassigned, which newer tables than ours might map (RFC 5892 §2.10). */
const CONVERTIBLE = /^(?:[a-z0-9.-]|[^\0-\x7f\p{Cn}])+$/u;
const A_LABEL = /(?:^|\.)xn--/;

/** RFC 5890 §2.3.1: letters, digits, hyphens; not a reserved label ("??--"). A-labels are the caller's business. */
const isLdhLabel = (label: string): boolean =>
  label.length <= MAX_LABEL && LDH_LABEL.test(label) && !label.startsWith("--", 2);

const isLdhName = (domain: string): boolean => domain.length <= MAX_NAME && domain.split(".").every(isLdhLabel);

/** RFC 5892 §2.4 IgnorableBlocks: what IDNA2008 refuses of the PRECIS IdentifierClass, beside ASCII. */
const IGNORABLE_BLOCK = /[\u20d0-\u20ff\u{1d100}-\u{1d24f}]/u;

/** RFC 5891 §4.2: a U-label in its final form; hyphens as in `isLdhLabel`. */
const isULabel = (label: string): boolean =>
  CONVERTIBLE.test(label) &&
  label.normalize("NFC") === label &&
  isIdentifier(label) &&
  !IGNORABLE_BLOCK.test(label) &&
  !/^\p{M}|^-|-$|^..--/u.test(label);

/**
 * The canonical form of a domain name: lower-case U-labels and NR-LDH labels, without a trailing dot. `undefined`
 * where RFC 7622 §3.2, IDNA2008 or the lengths of RFC 1034 forbid it. Not for IP literals in brackets.
 */
export const prepareDomainName = (domain: string): string | undefined => {
  const lower = domain.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  if (!NON_ASCII.test(lower) && !A_LABEL.test(lower)) return isLdhName(lower) ? lower : undefined;
  if (domain.length > MAX_NAME * 4 || !CONVERTIBLE.test(lower)) return undefined;
  // Normalized before it is converted, since Node's URL does not compose marks that come out of order.
  const ascii = idna(lower.normalize("NFC"));
  if (ascii === undefined || ascii.length > MAX_NAME) return undefined;
  const unicode = ascii.split(".").map(toUnicodeLabel);
  const name = unicode.join(".");
  if (!unicode.every(isLabel) || (hasRightToLeft(name) && !unicode.every(obeysBidiRule))) return undefined;
  // RFC 5890 §2.3.2.1: an A-label is what its U-label converts to, and nothing else is.
  return idna(name) === ascii ? name : undefined;
};

const isLabel = (label: string | undefined): label is string =>
  label !== undefined && (NON_ASCII.test(label) ? isULabel(label) : isLdhLabel(label));

const toUnicodeLabel = (label: string): string | undefined => {
  if (!label.startsWith("xn--")) return label;
  const unicode = label.length <= MAX_LABEL ? decodePunycode(label.slice(4)) : undefined;
  return unicode !== undefined && NON_ASCII.test(unicode) ? unicode : undefined;
};

// RFC 3492 §5.
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_N = 128;
const DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** RFC 3492 §6.2: Punycode (lower case, without "xn--") to text, or `undefined` where it is none. */
export const decodePunycode = (input: string): string | undefined => {
  const delimiter = input.lastIndexOf("-");
  const output = delimiter > 0 ? Array.from(input.slice(0, delimiter), (letter) => letter.charCodeAt(0)) : [];
  const basic = output.length;
  let at = delimiter > 0 ? delimiter + 1 : 0;
  let bias = INITIAL_BIAS;
  let codePoint = INITIAL_N;
  let position = 0;
  while (at < input.length) {
    const number = decodeNumber(input, at, bias);
    if (number === undefined) return undefined;
    at = number.end;
    const length = output.length + 1;
    bias = adapt(number.value, length, output.length === basic);
    position += number.value;
    codePoint += Math.floor(position / length);
    position %= length;
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint < 0xe000)) return undefined;
    output.splice(position++, 0, codePoint);
  }
  return String.fromCodePoint(...output);
};

/** §3.3: one generalized variable-length integer. */
const decodeNumber = (input: string, start: number, bias: number): { value: number; end: number } | undefined => {
  let value = 0;
  let weight = 1;
  for (let at = start, k = BASE; at < input.length; at++, k += BASE) {
    const digit = DIGITS.indexOf(input.charAt(at));
    if (digit < 0) return undefined;
    value += digit * weight;
    if (value > 0x7fffffff) return undefined;
    const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX);
    if (digit < threshold) return { value, end: at + 1 };
    weight *= BASE - threshold;
  }
  return undefined;
};

/** §3.4. */
const adapt = (delta: number, length: number, first: boolean): number => {
  let rest = Math.floor(delta / (first ? DAMP : 2));
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
};

const IPV6 = /^\[([0-9a-f:.]+)(%25(?:[a-z0-9._~-]|%[0-9a-f]{2})+)?\]$/i;

/** An IPv6 address in brackets, perhaps with a zone (RFC 6874), in the form of RFC 5952; `undefined` where it is none. */
export const prepareIpLiteral = (literal: string): string | undefined => {
  const [, address, zone = ""] = IPV6.exec(literal) ?? [];
  const hostname = address === undefined ? undefined : URL.parse(`http://[${address}]/`)?.hostname;
  return hostname === undefined ? undefined : `${hostname.slice(0, -1)}${zone}]`;
};
