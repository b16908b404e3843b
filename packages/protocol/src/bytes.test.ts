import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bytes, detached, latin1, toBytes, toText, toUint8Array } from "./bytes.ts";

describe("bytes", () => {
  test("are UTF-8, one character a byte", () => {
    expect(toBytes("Zoë 🦊")).toBe("Zo\u00c3\u00ab \u00f0\u009f\u00a6\u008a");
    expect(toText(toBytes("Zoë 🦊"))).toBe("Zoë 🦊");
    expect(toBytes("\ud800")).toBe("\u00ef\u00bf\u00bd");
    expect(toText("\u00ef\u00bb\u00bfa" as Bytes)).toBe("\ufeffa");
  });

  test("that are no UTF-8 are no text", () => {
    for (const bad of ["\u0080", "\u00c0\u0080", "\u00ed\u00a0\u0080", "\u00c3"]) {
      expect(() => toText(bad as Bytes)).toThrow(TypeError);
    }
  });

  test("any text comes back, any array comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(toText(toBytes(text))).toBe(text.toWellFormed());
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
        expect([...toUint8Array(latin1(array))]).toEqual([...array]);
        expect(latin1(array, 1, 3)).toBe(latin1(array.slice(1, 3)));
      }),
    );
  });

  test("long arrays come back too", () => {
    const array = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251);
    expect(toUint8Array(latin1(array))).toEqual(array);
    expect(latin1(array, 5, 50_000)).toBe(Buffer.from(array.subarray(5, 50_000)).toString("latin1"));
  });
});

describe("detached", () => {
  test("is the same text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(detached(text)).toBe(text);
      }),
    );
  });

  test("does not keep the stanza alive that a value was cut from", () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const count = 20_000;
    const payload = "x".repeat(1000);
    /** Bytes of heap that `count` kept values of 40 bytes cost, each cut from a stanza of 1 kB. */
    const cost = (keep: (value: Bytes) => Bytes): number => {
      const kept: Bytes[] = [];
      collect();
      const before = getHeapStatistics().used_heap_size;
      for (let at = 0; at < count; at++) {
        const stanza = Buffer.from(`<message to='${String(at).padStart(40, "0")}'><body>${payload}`).toString(
          "latin1",
        ) as Bytes;
        kept.push(keep(stanza.substring(13, 53) as Bytes));
      }
      collect();
      const grown = getHeapStatistics().used_heap_size - before;
      expect(kept.length).toBe(count);
      return grown;
    };
    // 40 bytes, a header, a place in the array; without `detached` a kilobyte each, which shows that this can fail.
    expect(cost(detached)).toBeLessThan(count * 150);
    expect(cost((value) => value)).toBeGreaterThan(count * 900);
  });
});
