import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { utf8 } from "./crypto.ts";

describe("base 64", () => {
  test.each([
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ])("RFC 4648 §10: %j is %j", (text, encoded) => {
    expect(encodeBase64(utf8(text))).toBe(encoded);
    expect(decodeBase64(encoded)).toEqual(utf8(text));
  });

  test.each([
    ["Zg", "no padding"],
    ["Zg=", "too little padding"],
    ["Zg===", "too much padding"],
    ["Zh==", "unused bits are not zero"],
    ["Zm9=", "unused bits are not zero"],
    ["=", "only padding"],
    ["====", "only padding"],
    ["Z===", "one character"],
    ["Zm=v", "padding inside"],
    ["Zg==Zg==", "padding inside"],
    ["Zm9v\n", "line feed"],
    [" Zm9v", "space"],
    ["Zm 9v===", "space inside"],
    ["Zm9-", "alphabet of base64url"],
    ["Zm9_", "alphabet of base64url"],
    ["Zm9\u0176", "a character that is V plus 256"],
    ["Zm9\0", "NUL"],
    ["Zm9ö", "letter beyond ASCII"],
  ])("RFC 6120 §6.3.5: %j is refused (%s)", (encoded) => {
    expect(decodeBase64(encoded)).toBeUndefined();
  });

  test("RFC 4648 §4: encodes as others do, and decodes that and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const encoded = Buffer.from(data).toString("base64");
        expect(encodeBase64(data)).toBe(encoded);
        expect(decodeBase64(encoded)).toEqual(data);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."AZaz09+/=-_ ") }), (text) => {
        const data = decodeBase64(text);
        if (data !== undefined) expect(encodeBase64(data)).toBe(text);
      }),
    );
  });
});
