import type { DomainJid } from "@kith/protocol";
import { parseElement } from "@kith/protocol";
import { expect, test } from "vitest";
import { streamLimits } from "./xep0478-stream-limits.ts";

const visitor = { domain: "example.org" as DomainJid, address: "::1", secure: true };

test("XEP-0478 §3.1, §4: the limits change with authentication", () => {
  const { streamFeatures } = streamLimits({
    visitor: { maxBytes: 10_240, idleSeconds: 60 },
    authenticated: { maxBytes: 262_144 },
  });
  expect(streamFeatures?.visitor?.(visitor)).toEqual([
    parseElement(
      "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10240</max-bytes><idle-seconds>60</idle-seconds></limits>",
    ),
  ]);
  expect(streamFeatures?.authenticated?.(visitor.domain)).toEqual([
    parseElement("<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes></limits>"),
  ]);
});

test("XEP-0478 §3.1: where there are no limits nothing is said", () => {
  const { streamFeatures } = streamLimits({ visitor: {}, authenticated: {} });
  expect(streamFeatures?.visitor?.(visitor)).toEqual([]);
  expect(streamFeatures?.authenticated?.(visitor.domain)).toEqual([]);
});
