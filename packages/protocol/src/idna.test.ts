import { createRequire } from "node:module";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { decodePunycode, type Idna, prepareDomainName, prepareIpLiteral, useIdna } from "./idna.ts";
import { hasRightToLeft } from "./unicode-bidi.ts";

interface Tr46 {
  toASCII(domain: string, options: Readonly<Record<string, boolean>>): string | null;
}
const tr46 = createRequire(import.meta.url)("tr46") as Tr46;
const idnaByTr46: Idna = (domain) =>
  tr46.toASCII(domain, {
    checkBidi: true,
    checkHyphens: true,
    checkJoiners: true,
    useSTD3ASCIIRules: true,
    verifyDNSLength: true,
  }) ?? undefined;

const CONVERSIONS = [
  ["URL", undefined],
  ["tr46", idnaByTr46],
] as const;

/** [given, canonical form] */
const ALLOWED: readonly (readonly [string, string, string])[] = [
  ["lamps.example", "lamps.example", "as it is"],
  ["LAMPS.Example", "lamps.example", "case"],
  ["localhost", "localhost", "one label"],
  ["7.example", "7.example", "label of digits"],
  ["a-b--c.example", "a-b--c.example", "hyphens that mean nothing"],
  ["192.0.2.7", "192.0.2.7", "IPv4 address"],
  ["öl.example", "öl.example", "U-label"],
  ["ÖL.Example", "öl.example", "case beyond ASCII"],
  ["O\u0308L.example", "öl.example", "normalization"],
  ["ö\u031bl.example", "ơ\u0308l.example", "normalization of marks out of order"],
  ["xn--l-0ga.example", "öl.example", "A-label"],
  ["XN--L-0GA.example", "öl.example", "A-label in capitals"],
  ["ｌａｍｐ.example", "lamp.example", "width"],
  ["öl。example", "öl.example", "ideographic full stop"],
  ["straße.example", "straße.example", "sharp s is not ss (IDNA2008)"],
  ["λόγος.example", "λόγος.example", "final sigma stays (IDNA2008)"],
  ["灯.example", "灯.example", "Han"],
  ["אור.example", "אור.example", "right to left"],
  ["נר7.example", "נר7.example", "right to left, ends with a digit"],
  ["ل\u064eب.example", "ل\u064eب.example", "a mark inside"],
  ["il·lum.example", "il·lum.example", "middle dot between two l"],
  ["क्\u200dष.example", "क्\u200dष.example", "joiner after a virama"],
];

const REFUSED: readonly (readonly [string, string])[] = [
  ["", "empty"],
  [".", "only a dot"],
  ["a..b", "empty label"],
  [".a", "empty first label"],
  ["a.", "dot at the end: the caller's business"],
  ["ö..b", "empty label beside a U-label"],
  ["-a.example", "hyphen first"],
  ["a-.example", "hyphen last"],
  ["-ö.example", "hyphen first in a U-label"],
  ["ab--c.example", "reserved label"],
  ["öb--c.example", "reserved U-label"],
  ["a_b.example", "underscore is not LDH"],
  ["ö_b.example", "underscore beside a U-label"],
  ["ö＿b.example", "underscore after width mapping"],
  ["a b.example", "space"],
  ["a@b", "at sign"],
  ["ö@b", "at sign beside a U-label"],
  ["ö:80", "port"],
  ["ö#b", "fragment"],
  ["ö?b", "query"],
  ["ö\\b", "backslash"],
  ["%C3%B6.example", "percent-encoding"],
  ["ö%2eexample", "percent-encoding beside a U-label"],
  ["ａ％41.example", "percent-encoding by way of width mapping"],
  ["ö\u2044b.example", "fraction slash"],
  ["ö／b.example", "slash after width mapping"],
  ["ö\tb.example", "tab, which URL parsers drop"],
  ["ö\nb.example", "line feed, which URL parsers drop"],
  ["ö\0.example", "NUL"],
  ["\ud800.example", "lone surrogate"],
  ["☃.example", "symbol: UTS 46 lets it pass, IDNA2008 does not"],
  ["xn--n3h.example", "symbol as A-label"],
  ["🏮.example", "emoji"],
  ["öl\u{40000}.example", "unassigned"],
  ["a\u20d0ö.example", "ignorable block"],
  ["\u0301a.example", "begins with a mark"],
  ["xn--a.example", "A-label of no U-label"],
  ["xn--.example", "empty A-label"],
  ["xn--lamp-.example", "A-label of an ASCII label"],
  ["xn--99999999999.example", "A-label that overflows"],
  ["xn--\u00f6.example", "A-label with a letter beyond ASCII"],
  ["xn--l-0ga\u00ad\u00adö.example", "A-label with a soft hyphen"],
  ["xn--4db1d.example", "A-label that is not that of its U-label"],
  ["7א.example", "Bidi Rule: begins with a digit"],
  ["aא.example", "Bidi Rule: both directions"],
  ["אור.7x", "Bidi Rule: applies to each label of the name"],
  ["a\u200db.example", "joiner between Latin letters"],
  ["coi·la.example", "middle dot not between two l"],
  ["ö\u00b7.example", "middle dot at the end"],
  [`${"a".repeat(64)}.example`, "label of 64 octets"],
  [[...Array(4).fill("a".repeat(61)), "abcdef"].join("."), "254 octets"],
  [`${"ö".repeat(60)}.example`, "A-label of more than 63 octets"],
  ["ö".repeat(5000), "very long"],
];

describe.each(CONVERSIONS)("with %s", (_, conversion) => {
  afterEach(() => useIdna());

  test.each(ALLOWED)("RFC 7622 §3.2: %j becomes %j (%s)", (given, expected) => {
    useIdna(conversion);
    expect(prepareDomainName(given)).toBe(expected);
    expect(prepareDomainName(expected)).toBe(expected);
  });

  test.each(REFUSED)("RFC 7622 §3.2: %j is refused (%s)", (given) => {
    useIdna(conversion);
    expect(prepareDomainName(given)).toBeUndefined();
  });

  test("RFC 1034 §3.1: labels of 63 octets and names of 253 are allowed", () => {
    useIdna(conversion);
    const label = "a".repeat(63);
    const name = `${label}.${label}.${label}.${"a".repeat(61)}`;
    expect(name.length).toBe(253);
    expect(prepareDomainName(name)).toBe(name);
    expect(prepareDomainName(`${name}a`)).toBeUndefined();
  });
});

describe("useIdna", () => {
  afterEach(() => useIdna());

  test("RFC 7622 §3.2: names of plain ASCII need no conversion, others ask the one that was set", () => {
    const asked: string[] = [];
    useIdna((domain) => {
      asked.push(domain);
      return idnaByTr46(domain);
    });
    expect(prepareDomainName("LAMPS.example")).toBe("lamps.example");
    expect(asked).toEqual([]);
    expect(prepareDomainName("öl.example")).toBe("öl.example");
    expect(asked).toEqual(["öl.example", "öl.example"]);
  });

  test("RFC 7622 §3.2: both conversions agree, and what is prepared stays the same", () => {
    const label = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
      fc.string({ unit: "binary", minLength: 1, maxLength: 8 }),
      fc.string({
        unit: fc.constantFrom("a", "ö", "א", "7", "-", "ß", "·", "l", "ｚ", "x", "n"),
        minLength: 1,
        maxLength: 8,
      }),
      fc.string({ unit: fc.constantFrom("a", "b", "7", "-", "z"), maxLength: 10 }).map((rest) => `xn--${rest}`),
    );
    const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
    fc.assert(
      fc.property(name, (domain) => {
        useIdna(idnaByTr46);
        const byTr46 = prepareDomainName(domain);
        if (byTr46 !== undefined) expect(prepareDomainName(byTr46)).toBe(byTr46);
        useIdna();
        const byUrl = prepareDomainName(domain);
        if (byUrl !== undefined) expect(prepareDomainName(byUrl)).toBe(byUrl);
        // Node's URL knows no right-to-left letters of the last Unicode versions: it refuses, it never takes one for another.
        if (byUrl === undefined && byTr46 !== undefined) expect(hasRightToLeft(byTr46)).toBe(true);
        else expect(byUrl).toBe(byTr46);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("Punycode", () => {
  test.each([
    ["l-0ga", "öl"],
    ["bcher-kva", "bücher"],
    ["4dbcagdahymbxekheh6e0a7fei0b", "למההםפשוטלאמדבריםעברית"],
    ["ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"],
    ["", ""],
    ["-", undefined],
    ["lamp-", "lamp"],
    ["99999999", undefined],
    ["l-z!a", undefined],
    ["l-0GA", undefined],
  ])("RFC 3492 §6.2: %j is %j", (given, expected) => {
    expect(decodePunycode(given)).toBe(expected);
  });

  test("RFC 3492 §6.2: decodes what another library encodes", () => {
    const label = fc.string({ unit: fc.constantFrom(..."abcxyz09öéñжд灯語אבबक"), minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(label, (text) => {
        const ascii = idnaByTr46(text);
        if (ascii?.startsWith("xn--")) expect(decodePunycode(ascii.slice(4))).toBe(text);
      }),
    );
  });
});

describe("IP literals", () => {
  test.each([
    ["[2001:db8::7]", "[2001:db8::7]"],
    ["[2001:0DB8:0:0:0:0:0:7]", "[2001:db8::7]"],
    ["[::]", "[::]"],
    ["[::ffff:192.0.2.7]", "[::ffff:c000:207]"],
    ["[fe80::7%25eth0]", "[fe80::7%25eth0]"],
    ["[fe80::7%25en%2D1]", "[fe80::7%25en%2D1]"],
  ])("RFC 7622 §3.1: %j becomes %j (IP-literal of RFC 6874)", (given, expected) => {
    expect(prepareIpLiteral(given)).toBe(expected);
    expect(prepareIpLiteral(expected)).toBe(expected);
  });

  test.each([
    "[]",
    "[",
    "[::",
    "::1",
    "[::1",
    "::1]",
    "[::1]x",
    "[:::]",
    "[1:2:3]",
    "[::g]",
    "[1:2:3:4:5:6:7:8:9]",
    "[12345::]",
    "[192.0.2.7]",
    "[::1.2.3]",
    "[v7.lamp]",
    "[fe80::7%eth0]",
    "[fe80::7%25]",
    "[fe80::7%25a/b]",
    "[fe80::7%25a@b]",
    "[fe80::7%25%zz]",
    "[::1]:80",
    "[::1\n]",
    "[ ::1]",
  ])("RFC 7622 §3.1: %j is no IP-literal", (given) => {
    expect(prepareIpLiteral(given)).toBeUndefined();
  });
});
