import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../test/node-crypto.ts";
import { FULL_OFFER, ITERATIONS, SALT } from "../../test/sasl-scene.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { clientMechanism } from "./client.ts";
import { type HashName, textOfUtf8, utf8 } from "./crypto.ts";
import type { MechanismName } from "./mechanisms.ts";
import { authMessage, deriveScramKeys, isPasswordOf, xor } from "./scram.ts";
import { readClientFinal, readClientFirst, readServerFinal, readServerFirst } from "./scram-messages.ts";
import { downgradeHash } from "./xep0474-downgrade.ts";

/** The exchanges the RFCs show: user "user", password "pencil". */
const VECTORS: readonly (readonly [string, MechanismName, HashName, readonly [string, string, string, string]])[] = [
  [
    "RFC 5802 §5",
    "SCRAM-SHA-1",
    "SHA-1",
    [
      "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
      "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ],
  ],
  [
    "RFC 7677 §3",
    "SCRAM-SHA-256",
    "SHA-256",
    [
      "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ],
  ],
];

describe.each(VECTORS)("%s", (section, name, hash, [clientFirst, serverFirst, clientFinal, serverFinal]) => {
  const nonce = clientFirst.slice(clientFirst.indexOf("r=") + 2);
  const crypto = { ...nodeCrypto, random: () => decodeBase64(nonce) ?? new Uint8Array(0) };
  const begin = () =>
    clientMechanism(
      { name, binding: { is: "n" } },
      { crypto, credentials: { username: "user", password: "pencil" }, offer: FULL_OFFER, channelBindings: new Map() },
    );

  test(`${section}: the client says what the example says`, async () => {
    const client = begin();
    expect(textOfUtf8(await client.initial())).toBe(clientFirst);
    expect(textOfUtf8(await client.challenge(utf8(serverFirst)))).toBe(clientFinal);
    await client.success(utf8(serverFinal));
  });

  test(`${section}: the keys a server keeps fit the example's proof and signature`, async () => {
    const { salt, iterations } = readServerFirst(utf8(serverFirst));
    const keys = await deriveScramKeys(nodeCrypto, hash, "pencil", salt, iterations);
    const { proof, withoutProof } = readClientFinal(utf8(clientFinal));
    const signed = authMessage(readClientFirst(utf8(clientFirst)).bare, serverFirst, withoutProof);
    const clientKey = xor(proof, await nodeCrypto.hmac(hash, keys.storedKey, signed));
    expect(await nodeCrypto.hash(hash, clientKey)).toEqual(keys.storedKey);
    expect(readServerFinal(utf8(serverFinal))).toEqual({
      is: "verifier",
      signature: await nodeCrypto.hmac(hash, keys.serverKey, signed),
    });
  });
});

describe("keys", () => {
  test("RFC 5802 §3: SHA-512 too; a password fits its own keys only", async () => {
    for (const hash of ["SHA-1", "SHA-256", "SHA-512"] as const) {
      const keys = await deriveScramKeys(nodeCrypto, hash, "wick\u00a0oil", SALT, ITERATIONS);
      expect([keys.salt, keys.iterations]).toEqual([SALT, ITERATIONS]);
      expect(keys.storedKey.length).toBe({ "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 }[hash]);
      expect(keys.storedKey).not.toEqual(keys.serverKey);
      expect(await isPasswordOf(nodeCrypto, hash, keys, "wick oil")).toBe(true);
      for (const other of ["wick oil ", "Wick oil", "", "\0", "wick\u202eoil"])
        expect(await isPasswordOf(nodeCrypto, hash, keys, other)).toBe(false);
    }
  });

  test("RFC 4013 §2: a prohibited password gets no keys, not even those of the empty one", async () => {
    for (const password of ["", "\u00ad", "a\0b"]) {
      await expect(deriveScramKeys(nodeCrypto, "SHA-1", password, SALT, ITERATIONS)).rejects.toMatchObject({
        condition: "not-authorized",
      });
    }
    const storedKey = await nodeCrypto.hash(
      "SHA-1",
      await nodeCrypto.hmac("SHA-1", await nodeCrypto.pbkdf2("SHA-1", utf8(""), SALT, ITERATIONS), utf8("Client Key")),
    );
    const ofEmpty = { salt: SALT, iterations: ITERATIONS, storedKey, serverKey: storedKey };
    expect(await isPasswordOf(nodeCrypto, "SHA-1", ofEmpty, "\0")).toBe(false);
    expect(await isPasswordOf(nodeCrypto, "SHA-1", ofEmpty, "")).toBe(false);
  });

  test("RFC 5802 §2.2: preparation is handed in", async () => {
    const shout = (text: string) => text.toUpperCase();
    const keys = await deriveScramKeys(nodeCrypto, "SHA-1", "wick", SALT, ITERATIONS, shout);
    expect(await isPasswordOf(nodeCrypto, "SHA-1", keys, "WICK")).toBe(true);
    expect(await isPasswordOf(nodeCrypto, "SHA-1", keys, "wick", shout)).toBe(true);
  });
});

describe("XEP-0474", () => {
  test("XEP-0474 §5.3: the hash of the example, whatever the order of the lists", async () => {
    const mechanisms = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"];
    const channelBindings = ["tls-server-end-point", "tls-exporter"];
    expect(await downgradeHash(nodeCrypto, "SHA-1", { mechanisms, channelBindings })).toBe(
      "G6k/rBLDqgOhRRaCuuatSDFkJ08=",
    );
    const turned = { mechanisms: mechanisms.toReversed(), channelBindings: channelBindings.toReversed() };
    expect(await downgradeHash(nodeCrypto, "SHA-1", turned)).toBe("G6k/rBLDqgOhRRaCuuatSDFkJ08=");
  });

  test("XEP-0474 §5.1: without announced types there is no second list, not even its delimiter", async () => {
    const bare = encodeBase64(await nodeCrypto.hash("SHA-256", utf8("PLAIN\x1eSCRAM-SHA-1")));
    expect(
      await downgradeHash(nodeCrypto, "SHA-256", { mechanisms: ["SCRAM-SHA-1", "PLAIN"], channelBindings: [] }),
    ).toBe(bare);
  });

  test("XEP-0474 §5.1: sorted by octets (i;octet)", async () => {
    const expected = encodeBase64(await nodeCrypto.hash("SHA-1", utf8("A\x1eZ\x1ea\x1e\uffee\x1e\u{10000}")));
    expect(
      await downgradeHash(nodeCrypto, "SHA-1", {
        mechanisms: ["a", "\u{10000}", "Z", "\uffee", "A"],
        channelBindings: [],
      }),
    ).toBe(expected);
  });
});
