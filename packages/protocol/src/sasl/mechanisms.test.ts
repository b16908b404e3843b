import { describe, expect, test } from "vitest";
import { type ChannelBindings, NO_CHANNEL_BINDINGS } from "./channel-binding.ts";
import { bindsChannel, isMechanismName, MECHANISM_NAMES, offered } from "./mechanisms.ts";

const TLS: ChannelBindings = new Map([["tls-exporter", new Uint8Array(32)]]);

describe("offer", () => {
  test("RFC 6120 §6.3.4: EXTERNAL first, then by strength, passwords in clear last but one", () => {
    expect(offered({ secure: true, channelBindings: TLS, external: true, anonymous: true })).toEqual([
      "EXTERNAL",
      "SCRAM-SHA-512-PLUS",
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-1-PLUS",
      "SCRAM-SHA-512",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
      "ANONYMOUS",
    ]);
  });

  test("RFC 6120 §13.8: SCRAM and PLAIN unless said otherwise", () => {
    expect(offered({ secure: true, channelBindings: NO_CHANNEL_BINDINGS })).toEqual([
      "SCRAM-SHA-512",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
    ]);
  });

  test("RFC 6120 §13.8.3: PLAIN only over TLS, or where it is wanted everywhere, or nowhere", () => {
    const has = (secure: boolean, plain: "never" | "over-tls" | "always") =>
      offered({ secure, plain, channelBindings: NO_CHANNEL_BINDINGS }).includes("PLAIN");
    expect([has(false, "over-tls"), has(true, "over-tls")]).toEqual([false, true]);
    expect([has(false, "always"), has(true, "always")]).toEqual([true, true]);
    expect([has(false, "never"), has(true, "never")]).toEqual([false, false]);
  });

  test("RFC 5802 §6: nothing binds a channel, and nobody has a certificate, without TLS", () => {
    const names = offered({ secure: false, channelBindings: TLS, external: true });
    expect(names).toEqual(["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]);
    expect(names.some(bindsChannel)).toBe(false);
  });

  test("RFC 7677: only hashes there are keys for", () => {
    expect(offered({ secure: true, channelBindings: TLS, hashes: ["SHA-256"], plain: "never" })).toEqual([
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-256",
    ]);
    expect(offered({ secure: true, channelBindings: TLS, hashes: [], plain: "never" })).toEqual([]);
  });

  test("RFC 6120 §6.5.7: names are known exactly as they are written", () => {
    expect(MECHANISM_NAMES.every(isMechanismName)).toBe(true);
    for (const name of ["", "plain", "SCRAM-SHA-1 ", "DIGEST-MD5", "toString", "__proto__", "constructor"])
      expect(isMechanismName(name)).toBe(false);
  });
});
