import { describe, expect, test } from "vitest";
import { KeyCache, ScramExchange } from "./scram.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const plain = (text: string): string => Buffer.from(text, "base64").toString();

/** The exchange of RFC 5802 §5. */
const exchange = () =>
  new ScramExchange("user", "pencil", new KeyCache("/nonexistent/keys"), "fyko+d2lbbFgONRv9qkxdawL");
const SERVER_FIRST = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";

describe("ScramExchange", () => {
  test("RFC 5802 §5: says what the example says", () => {
    const scram = exchange();
    expect(plain(scram.first())).toBe("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    expect(plain(scram.final(base64(SERVER_FIRST)))).toBe(
      "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    );
  });

  test("RFC 5802 §5: believes the server that knows the keys, and no other", () => {
    const scram = exchange();
    scram.final(base64(SERVER_FIRST));
    expect(scram.isProved(base64("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="))).toBe(true);
    expect(scram.isProved(base64("v=rmF9pqV8S7suAoZWja4dJRkFsKA="))).toBe(false);
    expect(scram.isProved("")).toBe(false);
  });

  test("a challenge that makes no sense is told", () => {
    expect(() => exchange().final(base64("e=other-error"))).toThrow('a SCRAM challenge was "e=other-error"');
  });

  test("RFC 5802 §3: keys are derived once for each salt and number of iterations", () => {
    const cache = new KeyCache("/nonexistent/keys");
    const first = cache.keysOf("romeo", "secret", "c2FsdA==", 4_096);
    expect(cache.keysOf("romeo", "not looked at", "c2FsdA==", 4_096)).toBe(first);
    expect(cache.keysOf("romeo", "secret", "c2FsdA==", 4_097)).not.toEqual(first);
  });
});
