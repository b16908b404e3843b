import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bytes, toBytes } from "./bytes.ts";
import { jidOfBytes, tryJid } from "./jid.ts";
import { TwoGenerations } from "./jid-cache.ts";
import { decodeAttribute, escapeAttribute } from "./xml/escape.ts";

const asIs = <T>(key: T): T => key;

describe("two generations", () => {
  test("never hold more than twice their size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.tuple(fc.boolean(), fc.nat(30))), (size, steps) => {
        const cache = new TwoGenerations<number, string>(size, asIs);
        for (const [write, key] of steps) {
          if (write) cache.set(key, String(key));
          else expect([undefined, String(key)]).toContain(cache.get(key));
          expect(cache.entries).toBeLessThanOrEqual(2 * size);
        }
      }),
    );
  });

  test("keep what is asked for and forget the rest", () => {
    const cache = new TwoGenerations<string, number>(2, asIs);
    cache.set("asked", 1);
    cache.set("forgotten", 2);
    for (const key of ["a", "b", "c", "d"]) {
      cache.set(key, 0);
      expect(cache.get("asked")).toBe(1);
    }
    expect(cache.get("forgotten")).toBeUndefined();
  });

  test("keep a key only as the caller wants it kept", () => {
    const kept: string[] = [];
    const cache = new TwoGenerations<string, number>(1, (key) => {
      kept.push(key);
      return key;
    });
    cache.set("a", 1);
    cache.get("a");
    expect(kept).toEqual(["a"]);
    cache.set("b", 2);
    cache.get("a");
    expect(kept).toEqual(["a", "b", "a"]);
  });
});

describe("jidOfBytes", () => {
  test("gives the same object for what was seen lately", () => {
    const raw = toBytes("lampwick@cache.example/öl");
    const first = jidOfBytes(raw);
    expect(first?.full).toBe("lampwick@cache.example/öl");
    expect(jidOfBytes(toBytes("lampwick@cache.example/öl"))).toBe(first);
  });

  test("RFC 7622 §3: never differs from what is read without a cache", () => {
    const part = fc.oneof(
      fc.string({ unit: fc.constantFrom(..."abAB7@/. ö'&<\u200d♚") }),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    fc.assert(
      fc.property(part, part, part, (local, domain, resource) => {
        const raw = escapeAttribute(`${local}@${domain}.example/${resource}`);
        const expected = tryJid(decodeAttribute(raw))?.full;
        expect(jidOfBytes(raw)?.full).toBe(expected);
        expect(jidOfBytes(raw)?.full).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["lampwick@cache.example/a&amp;b", "lampwick@cache.example/a&b"],
    ["lampwick@cache.example/&lt;&gt;&apos;&quot;", "lampwick@cache.example/<>'\""],
    ["l&#97;mpwick@cache.example", "lampwick@cache.example"],
    ["lampwick&#x40;cache.example", "lampwick@cache.example"],
    ["lampwick@cache.example&#47;room", "lampwick@cache.example/room"],
    ["lampwick@cache.example/a\tb", "lampwick@cache.example/a b"],
    ["lampwick@cache.example/a\r\nb", "lampwick@cache.example/a b"],
    ["lampwick@cache.example/&#x1F3EE;", "lampwick@cache.example/🏮"],
  ])("RFC 6120 §11.1: references in %j are decoded before it is read: %j", (raw, expected) => {
    expect(jidOfBytes(raw as Bytes)?.full).toBe(expected);
  });

  test.each([
    ["", "empty"],
    ["lampwick@cache.example/a&#9;b", "a tab by reference stays a tab"],
    ["lampwick@cache.example/&#0;", "NUL"],
    ["lampwick@cache.example/&#xD800;", "surrogate"],
    ["lampwick@cache.example/&#x110000", "no reference at all, but not closed"],
    ["lampwick@cache.example/\xff", "not UTF-8"],
    ["lampwick@cache.example/\xc0\x80", "overlong UTF-8"],
    ["lampwick@cache.example/\xed\xa0\x80", "surrogate in UTF-8"],
    ["lampwick@cache.example/\xc3", "UTF-8 cut short"],
    [`lampwick@cache.example/${"&#x1F3EE;".repeat(300)}`, "too long once decoded"],
    [`lampwick@cache.example/${"a".repeat(1_000_000)}`, "very long"],
  ])("RFC 7622 §4: %j is refused (%s)", (raw, reason) => {
    const found = jidOfBytes(raw as Bytes);
    if (reason === "no reference at all, but not closed") expect(found?.resource).toBe("&#x110000");
    else expect(found).toBeUndefined();
    expect(jidOfBytes(raw as Bytes)?.full).toBe(found?.full);
  });
});
