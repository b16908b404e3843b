import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBytes, toText } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import {
  Jid,
  jid,
  jidOfBytes,
  parseJid,
  prepareDomainpart,
  prepareLocalpart,
  prepareResourcepart,
  tryJid,
} from "./jid.ts";

type Parts = readonly [local: string | undefined, domain: string, resource: string | undefined];

/** RFC 7622 §3.5, table 1 and more of the kind. */
const VALID: readonly (readonly [string, Parts, string])[] = [
  ["juliet@example.com", ["juliet", "example.com", undefined], "1: bare JID"],
  ["juliet@example.com/foo", ["juliet", "example.com", "foo"], "2: full JID"],
  ["juliet@example.com/foo bar", ["juliet", "example.com", "foo bar"], "3: space in the resourcepart"],
  ["juliet@example.com/foo@bar", ["juliet", "example.com", "foo@bar"], "4: at sign in the resourcepart"],
  ["foo\\20bar@example.com", ["foo\\20bar", "example.com", undefined], "5: escaped space in the localpart"],
  ["fussball@example.com", ["fussball", "example.com", undefined], "6: ss"],
  ["fu\u00dfball@example.com", ["fu\u00dfball", "example.com", undefined], "7: sharp s"],
  ["\u03c0@example.com", ["\u03c0", "example.com", undefined], "8: pi"],
  ["\u03a3@example.com/foo", ["\u03c3", "example.com", "foo"], "9: capital sigma"],
  ["\u03c3@example.com/foo", ["\u03c3", "example.com", "foo"], "10: small sigma"],
  ["\u03c2@example.com/foo", ["\u03c2", "example.com", "foo"], "11: final sigma"],
  ["king@example.com/\u265a", ["king", "example.com", "\u265a"], "12: symbol in the resourcepart"],
  ["example.com", [undefined, "example.com", undefined], "13: domainpart"],
  ["example.com/foobar", [undefined, "example.com", "foobar"], "14: domainpart and resourcepart"],
  ["a.example.com/b@example.net", [undefined, "a.example.com", "b@example.net"], "15: at sign after the slash"],
  // Table 2 lists it as invalid, but neither OpaqueString nor its class forbids a space anywhere.
  ["juliet@example.com/ foo", ["juliet", "example.com", " foo"], "18: leading space in the resourcepart"],
  ["Lampwick@LAMPS.Example/Den", ["lampwick", "lamps.example", "Den"], "case of localpart and domainpart only"],
  ["lampwick@lamps.example./den", ["lampwick", "lamps.example", "den"], "dot at the end of the domainpart"],
  ["lampwick@lamps。example。", ["lampwick", "lamps.example", undefined], "ideographic dot at the end"],
  ["lampwick@lamps.example/a/b", ["lampwick", "lamps.example", "a/b"], "slash in the resourcepart"],
  ["lamps.example/@/", [undefined, "lamps.example", "@/"], "separators in the resourcepart"],
  ["lampwick@192.0.2.7", ["lampwick", "192.0.2.7", undefined], "IPv4 address"],
  ["lampwick@[2001:DB8::7]/den", ["lampwick", "[2001:db8::7]", "den"], "IPv6 address"],
  ["lampwick@xn--l-0ga.example", ["lampwick", "öl.example", undefined], "A-label"],
  ["ＬＡＭＰ@lamps.example", ["lamp", "lamps.example", undefined], "fullwidth localpart"],
  ["lampwick@lamps.example/🏮", ["lampwick", "lamps.example", "🏮"], "emoji in the resourcepart"],
  ["lampwick@lamps.example/\u05d0 a", ["lampwick", "lamps.example", "\u05d0 a"], "both directions in the resourcepart"],
  [
    "!#$%*+-.?^_`{|}~\\@lamps.example",
    ["!#$%*+-.?^_`{|}~\\", "lamps.example", undefined],
    "ASCII that a localpart may have",
  ],
  [
    "lampwick@lamps.example/\"&'<>\\:",
    ["lampwick", "lamps.example", "\"&'<>\\:"],
    "ASCII that only a resourcepart may have",
  ],
  ["l@localhost", ["l", "localhost", undefined], "shortest parts"],
];

/** RFC 7622 §3.5, table 2 and more of the kind. */
const INVALID: readonly (readonly [string, string])[] = [
  ['"juliet"@example.com', "16: quotation marks in the localpart"],
  ["foo bar@example.com", "17: space in the localpart"],
  ["@example.com/", "19: empty localpart and resourcepart"],
  ["henry\u2163@example.com", "20: Roman numeral in the localpart"],
  ["\u265a@example.com", "21: symbol in the localpart"],
  ["juliet@", "22: no domainpart after a localpart"],
  ["/foobar", "23: no domainpart before a resourcepart"],
  ["", "nothing"],
  ["@", "only a separator"],
  ["/", "only a separator"],
  ["@/", "only separators"],
  [".", "only a dot"],
  ["lampwick@.", "domainpart that is only a dot"],
  ["@lamps.example", "empty localpart"],
  ["lamps.example/", "empty resourcepart"],
  ["a@b@lamps.example", "two at signs before the slash"],
  ["lampwick@lamps..example", "empty label"],
  ["lampwick@lamps.example..", "two dots at the end"],
  ["lampwick@lamps example", "space in the domainpart"],
  ["lampwick@lamps_example", "underscore in the domainpart"],
  ["lampwick@[::1", "bracket not closed"],
  ["lampwick@::1", "IPv6 address without brackets"],
  ["lampwick@lamps.example:5222", "port"],
  ["lamp&wick@lamps.example", "ampersand in the localpart"],
  ["lamp'wick@lamps.example", "apostrophe in the localpart"],
  ["lamp:wick@lamps.example", "colon in the localpart"],
  ["lamp<wick@lamps.example", "less-than sign in the localpart"],
  ["lamp>wick@lamps.example", "greater-than sign in the localpart"],
  ["lamp\uff06wick@lamps.example", "ampersand by way of width mapping"],
  ["lamp\uff20wick@lamps.example", "at sign by way of width mapping"],
  ["lamp\uff0fwick@lamps.example", "slash by way of width mapping"],
  ["lamp\u200bwick@lamps.example", "zero width space in the localpart"],
  ["lamp\u00adwick@lamps.example", "soft hyphen in the localpart"],
  ["lamp\u202ewick@lamps.example", "override in the localpart"],
  ["lamp\u05d0@lamps.example", "both directions in the localpart"],
  ["lamp\0@lamps.example", "NUL in the localpart"],
  ["lampwick@lamps\0.example", "NUL in the domainpart"],
  ["lampwick@lamps.example/\0", "NUL in the resourcepart"],
  ["lampwick@lamps.example/a\nb", "line feed in the resourcepart"],
  ["lampwick@lamps.example/a\x7fb", "delete in the resourcepart"],
  ["lampwick@lamps.example/\u2028", "line separator in the resourcepart"],
  ["lampwick@lamps.example/\u202e", "override in the resourcepart"],
  ["lampwick@lamps.example/\u200b", "zero width space in the resourcepart"],
  ["lampwick@lamps.example/👩\u200d🚒", "joiner in an emoji"],
  ["lampwick@lamps.example/\ue000", "private use in the resourcepart"],
  ["\ud800@lamps.example", "lone surrogate in the localpart"],
  ["lampwick@\udfff.example", "lone surrogate in the domainpart"],
  ["lampwick@lamps.example/\udc00", "lone surrogate in the resourcepart"],
  ["🏮@lamps.example", "emoji in the localpart"],
  ["lampwick@🏮.example", "emoji in the domainpart"],
];

describe("parsing", () => {
  test.each(VALID)("RFC 7622 §3.5: %j is %j (%s)", (text, [local, domain, resource]) => {
    const parsed = parseJid(text);
    expect([parsed.local, parsed.domain, parsed.resource]).toEqual([local, domain, resource]);
    expect(tryJid(text)?.full).toBe(parsed.full);
    expect(jidOfBytes(toBytes(text.replaceAll("&", "&amp;")))?.full).toBe(parsed.full);
  });

  test.each(INVALID)("RFC 7622 §3.5, §4: %j is malformed (%s)", (text) => {
    expect(tryJid(text)).toBeUndefined();
    expect(() => parseJid(text)).toThrow(
      expect.objectContaining({ name: "StanzaError", condition: "jid-malformed", type: "modify" }),
    );
  });

  test("RFC 7622 §3.5: 9 and 10 are one address, neither is 11; 6 and 7 are two", () => {
    const [capital, small, final] = ["\u03a3", "\u03c3", "\u03c2"].map((local) => parseJid(`${local}@example.com/foo`));
    expect(capital?.equals(small)).toBe(true);
    expect(capital?.equals(final)).toBe(false);
    expect(parseJid("fussball@example.com").equals(parseJid("fu\u00dfball@example.com"))).toBe(false);
  });

  test("RFC 7622 §3.1: all ASCII characters, in each part", () => {
    const characters = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
    const allowed = (prepare: (text: string) => string | undefined) =>
      characters.filter((character) => prepare(`x${character}x`) !== undefined).join("");
    expect(allowed(prepareLocalpart)).toBe(
      "!#$%()*+,-.0123456789;=?ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
    );
    expect(allowed(prepareDomainpart)).toBe("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    expect(allowed(prepareResourcepart)).toBe(characters.slice(0x20, 0x7f).join(""));
  });
});

describe("lengths", () => {
  const ä = "ä"; // two octets
  test.each([
    ["localpart", prepareLocalpart],
    ["resourcepart", prepareResourcepart],
  ] as const)("RFC 7622 §3.3, §3.4: a %s has 1 to 1023 octets", (_, prepare) => {
    expect(prepare("")).toBeUndefined();
    expect(prepare("a".repeat(1023))).toBe("a".repeat(1023));
    expect(prepare("a".repeat(1024))).toBeUndefined();
    expect(prepare(`a${ä.repeat(511)}`)).toBe(`a${ä.repeat(511)}`);
    expect(prepare(ä.repeat(512))).toBeUndefined();
    expect(prepare("灯".repeat(341))).toBe("灯".repeat(341));
    expect(prepare("灯".repeat(342))).toBeUndefined();
  });

  test("RFC 7622 §3.3: the length is counted after mapping", () => {
    expect(prepareLocalpart("ａ".repeat(1023))).toBe("a".repeat(1023));
    expect(prepareLocalpart("a\u0308".repeat(511))).toBe(ä.repeat(511));
    expect(prepareLocalpart("\u03b1\u0313\u0300\u0345".repeat(341))).toBe("\u1f82".repeat(341));
    expect(prepareLocalpart("\u023a".repeat(400))).toBeUndefined(); // lower case has three octets, capitals two
  });

  test("RFC 7622 §3.1: the longest address", () => {
    const text = `${"l".repeat(1023)}@${"d".repeat(63)}.example/${"r".repeat(1023)}`;
    expect(parseJid(text).full).toBe(text);
  });

  test.each(["a", "ａ", "\u0300", "\u200c", "@", "/", ".", "[", "ö.", "\ud800", "xn--", "\u05d0"])(
    "RFC 7622 §3.1: a million of %j is refused",
    (unit) => {
      const long = unit.repeat(1_000_000);
      for (const text of [long, `${long}@lamps.example`, `lampwick@${long}`, `lampwick@lamps.example/${long}`])
        expect(tryJid(text)).toBeUndefined();
      expect(prepareLocalpart(long) ?? prepareDomainpart(long) ?? prepareResourcepart(long)).toBeUndefined();
    },
  );
});

describe("Jid", () => {
  const full = parseJid("Lampwick@Lamps.Example/Den <1> & 'öl'");

  test("RFC 7622 §3.1: strings and kinds of a full JID", () => {
    expect(full.bare).toBe("lampwick@lamps.example");
    expect(full.full).toBe("lampwick@lamps.example/Den <1> & 'öl'");
    expect(String(full)).toBe(full.full);
    expect(JSON.stringify({ full })).toBe(JSON.stringify({ full: full.full }));
    expect([full.isFull, full.isBare, full.isDomain]).toEqual([true, false, false]);
  });

  test("RFC 7622 §3.1: strings and kinds of a bare JID and a domain", () => {
    const bare = full.toBare();
    expect([bare.full, bare.bare, bare.resource]).toEqual([
      "lampwick@lamps.example",
      "lampwick@lamps.example",
      undefined,
    ]);
    expect([bare.isFull, bare.isBare, bare.isDomain]).toEqual([false, true, false]);
    const domain = parseJid("lamps.example");
    expect([domain.full, domain.bare, domain.domain]).toEqual(["lamps.example", "lamps.example", "lamps.example"]);
    expect([domain.isFull, domain.isBare, domain.isDomain]).toEqual([false, true, true]);
    const service = parseJid("lamps.example/den");
    expect([service.bare, service.isFull, service.isBare, service.isDomain]).toEqual([
      "lamps.example",
      true,
      false,
      false,
    ]);
  });

  test("RFC 7622 §3.1: the bare JID is made once, and of itself it is itself", () => {
    expect(full.toBare()).toBe(full.toBare());
    expect(full.toBare().toBare()).toBe(full.toBare());
  });

  test("RFC 6120 §8.1: as attribute it is escaped UTF-8, made once", () => {
    expect(toText(full.attribute)).toBe("lampwick@lamps.example/Den &lt;1> &amp; &apos;öl&apos;");
    expect(full.attribute).not.toBe(toText(full.attribute));
    expect(full.attribute).toBe(full.attribute);
    expect(jidOfBytes(full.attribute)?.equals(full)).toBe(true);
  });

  test("RFC 7622 §3.4: another resourcepart is prepared", () => {
    expect(full.withResource("a\u00a0b").full).toBe("lampwick@lamps.example/a b");
    expect(full.toBare().withResource("x").full).toBe("lampwick@lamps.example/x");
    for (const bad of ["", "\0", "\u200b", "a".repeat(1024)]) {
      expect(() => full.withResource(bad)).toThrow(StanzaError);
    }
  });

  test("RFC 7622 §3: of its parts, each prepared", () => {
    expect(jid("Lampwick", "Lamps.Example.", "Den").full).toBe("lampwick@lamps.example/Den");
    expect(jid(undefined, "lamps.example").full).toBe("lamps.example");
    expect(jid("l", "lamps.example", "a/b@c").resource).toBe("a/b@c");
    for (const [local, domain, resource] of [
      ["", "lamps.example", undefined],
      ["a@b", "lamps.example", undefined],
      ["a/b", "lamps.example", undefined],
      ["a", "lamps.example/x", undefined],
      ["a", "b@lamps.example", undefined],
      ["a", "", undefined],
      ["a", "lamps.example", ""],
    ] as const) {
      expect(() => jid(local, domain, resource)).toThrow(expect.objectContaining({ condition: "jid-malformed" }));
    }
  });

  test("RFC 7622 §3.2.3: equal exactly when all parts are", () => {
    expect(parseJid("a@b.example/c").equals(parseJid("A@B.example/c"))).toBe(true);
    for (const other of [
      "a@b.example/C",
      "a@b.example",
      "b.example/c",
      "b.example",
      "c@b.example/c",
      "a@c.example/c",
    ]) {
      expect(parseJid("a@b.example/c").equals(parseJid(other))).toBe(false);
    }
    expect(parseJid("b.example").equals(undefined)).toBe(false);
  });
});

describe("properties", () => {
  const text = (...units: readonly string[]) =>
    fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 6 });
  const local = fc.oneof(
    text("a", "B", "7", "ö", "Σ", "ｚ", "\\", "\u05d0", "·", "l"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
  );
  const domain = fc.oneof(
    text("a", "B", "7", "ö", "ß", "-", ".", "\u05d0"),
    fc.constantFrom("[::1]", "192.0.2.7", "xn--l-0ga.example"),
  );
  const resource = fc.oneof(
    text("a", "B", " ", "/", "@", "&", "'", "<", "🏮", "ö", "\u00a0"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
  );
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

  test("RFC 7622 §3: parse(print(x)) equals x, in text and in bytes", () => {
    let made = 0;
    fc.assert(
      fc.property(maybe(local), domain, maybe(resource), (...parts) => {
        const address = Jid.of(...parts);
        if (address === undefined) return;
        made++;
        for (const again of [parseJid(address.full), jidOfBytes(address.attribute)]) {
          expect([again?.local, again?.domain, again?.resource]).toEqual([
            address.local,
            address.domain,
            address.resource,
          ]);
          expect(again?.full).toBe(address.full);
        }
        expect(parseJid(address.bare).full).toBe(address.bare);
      }),
      { numRuns: 2000 },
    );
    expect(made).toBeGreaterThan(100);
  });

  test("RFC 7622 §4: whatever the text, it is an address or malformed", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."a@/.[]:%ö\0 \ud800") })),
        (any) => {
          const address = tryJid(any);
          if (address === undefined) expect(() => parseJid(any)).toThrow(StanzaError);
          else expect(tryJid(address.full)?.full).toBe(address.full);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
