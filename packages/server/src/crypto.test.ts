import { deriveScramKeys, type HashName, isPasswordOf, parseJid, tryJid, useIdna } from "@kith/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { idna, nodeCrypto, randomToken, saslprepOfQuery, saslprepOfStored } from "./crypto.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

describe("Crypto by Node", () => {
  test.each<readonly [HashName, string]>([
    ["SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "SHA-512",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ],
  ])("FIPS 180: %s of abc", async (hash, expected) => {
    expect(hexOf(await nodeCrypto.hash(hash, utf8("abc")))).toBe(expected);
  });

  test("RFC 4231 §4.3: HMAC", async () => {
    const mac = await nodeCrypto.hmac("SHA-256", utf8("Jefe"), utf8("what do ya want for nothing?"));
    expect(hexOf(mac)).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  test("RFC 6070: PBKDF2, as many octets as the hash gives", async () => {
    const derived = await nodeCrypto.pbkdf2("SHA-1", utf8("password"), utf8("salt"), 4096);
    expect(hexOf(derived)).toBe("4b007901b765489abead49d926f721d065a429c1");
    const lengths = await Promise.all(
      (["SHA-1", "SHA-256", "SHA-512"] as const).map((hash) => nodeCrypto.pbkdf2(hash, utf8("p"), utf8("s"), 1)),
    );
    expect(lengths.map(({ length }) => length)).toEqual([20, 32, 64]);
  });

  test("RFC 5802 §5: keys of the exchange's password", async () => {
    const salt = Uint8Array.from(Buffer.from("QSXCR+Q6sek8bf92", "base64"));
    const keys = await deriveScramKeys(nodeCrypto, "SHA-1", "pencil", salt, 4096, saslprepOfStored);
    expect(hexOf(keys.storedKey)).toBe("e9d94660c39d65c38fbad91c358f14da0eef2bd6");
    expect(await isPasswordOf(nodeCrypto, "SHA-1", keys, "pencil", saslprepOfQuery)).toBe(true);
    expect(await isPasswordOf(nodeCrypto, "SHA-1", keys, "pencils", saslprepOfQuery)).toBe(false);
  });

  test("random octets, and a comparison", () => {
    expect(nodeCrypto.random(32)).toHaveLength(32);
    expect(hexOf(nodeCrypto.random(32))).not.toBe(hexOf(nodeCrypto.random(32)));
    expect(nodeCrypto.timingSafeEqual(hex("0102"), hex("0102"))).toBe(true);
    expect(nodeCrypto.timingSafeEqual(hex("0102"), hex("0103"))).toBe(false);
  });
});

describe("SASLprep", () => {
  test.each([
    ["I\u00adX", "IX"],
    ["user", "user"],
    ["USER", "USER"],
    ["\u00aa", "a"],
    ["\u2168", "IX"],
    ["a\u00a0b", "a b"],
  ])("RFC 4013 §3: %j becomes %j", (given, prepared) => {
    expect(saslprepOfStored(given)).toBe(prepared);
    expect(saslprepOfQuery(given)).toBe(prepared);
  });

  test.each(["\u0007", "\u06271", "a\ud800", "\ue000"])("RFC 4013 §2.3, §2.4: %j is prohibited", (given) => {
    expect(() => saslprepOfStored(given)).toThrow();
    expect(() => saslprepOfQuery(given)).toThrow();
  });

  test("RFC 4013 §2.5: what Unicode 3.2 does not know is let through in a query only", () => {
    expect(() => saslprepOfStored("\u0221")).toThrow();
    expect(saslprepOfQuery("\u0221")).toBe("\u0221");
  });
});

describe("RFC 7622 §3.2: IDNA", () => {
  afterEach(() => useIdna());

  test.each([
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["faß.example", "xn--fa-hia.example"],
    ["a b.example", undefined],
    ["xn--a.example", undefined],
    ["\u0627a.example", undefined],
  ])("%j becomes %j", (given, ascii) => {
    expect(idna(given)).toBe(ascii);
  });

  test.each([
    "bücher.example",
    "xn--bcher-kva.example",
    "faß.example",
    "例え.テスト",
    "xn--r8jz45g.xn--zckzah",
    "٠١٢.example",
    "إختبار.example",
    "a\u200db.example",
    "☃.example",
    "ⅷ.example",
    "ex\u00adample.org",
    "。example",
    "xn--.example",
    "xn--0.example",
    "a..b",
    "ａｂｃ.example",
    "👍.example",
    "ÅNGSTRÖM.example",
    "A\u030angstrom.example",
    "₨.example",
    "1.2.3.4",
    "[::1]",
    "-a.example",
    "a-.example",
    "ab--c.example",
  ])("an address at %j is the same as without the library, or none with either", (domain) => {
    const without = tryJid(`romeo@${domain}`)?.full;
    useIdna(idna);
    expect(tryJid(`juliet@${domain}`)?.full.replace("juliet", "romeo")).toBe(without);
  });

  test("addresses are prepared with it", () => {
    useIdna(idna);
    expect(parseJid("mercutio@xn--bcher-kva.example").domain).toBe("bücher.example");
  });
});

test("RFC 6120 §4.7.3: random octets and tokens never come twice, of whatever length and in whatever order", () => {
  const seen = new Set<string>();
  const lengths = [1, 9, 16, 24, 4096];
  for (let round = 0; round < 400; round++) {
    const octets = lengths[round % lengths.length] ?? 0;
    const random = nodeCrypto.random(octets);
    expect(random).toHaveLength(octets);
    if (octets >= 9) seen.add(Buffer.from(random).toString("hex")).add(randomToken(octets));
  }
  expect(randomToken(9)).toMatch(/^[\w-]{12}$/);
  expect(seen.size).toBe(640);
});

test("random octets are the taker's own", () => {
  const random = nodeCrypto.random(32);
  const copy = Uint8Array.from(random);
  for (let round = 0; round < 500; round++) nodeCrypto.random(32);
  expect(random).toEqual(copy);
});
