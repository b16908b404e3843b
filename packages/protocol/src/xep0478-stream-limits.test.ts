import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { StreamLimits } from "./xep0478-stream-limits.ts";
import { parseElement } from "./xml/read.ts";

test.each([
  ["", { maxBytes: undefined, idleSeconds: undefined }],
  ["<max-bytes>262144</max-bytes>", { maxBytes: 262_144, idleSeconds: undefined }],
  ["<max-bytes>10240</max-bytes><idle-seconds>900</idle-seconds>", { maxBytes: 10_240, idleSeconds: 900 }],
])("XEP-0478 §3.1: <limits>%s</limits>", (children, value) => {
  const limits = parseElement(`<limits xmlns='urn:xmpp:stream-limits:0'>${children}</limits>`);
  expect(StreamLimits.parse(limits)).toEqual(value);
  expect(StreamLimits.build(value)).toEqual(limits);
});

test.each(["", "many", "-1", "1e9", "99999999999"])("XEP-0478 §12: %j is no limit", (text) => {
  const limits = parseElement(`<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>${text}</max-bytes></limits>`);
  expect(() => StreamLimits.parse(limits)).toThrow(StanzaError);
});
