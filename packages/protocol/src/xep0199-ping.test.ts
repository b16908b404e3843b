import { expect, test } from "vitest";
import { Ping } from "./xep0199-ping.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0199 §4: a ping is empty", () => {
  expect(Ping.build(undefined)).toEqual(parseElement("<ping xmlns='urn:xmpp:ping'/>"));
  expect(Ping.parse(parseElement("<ping xmlns='urn:xmpp:ping'/>"))).toBeUndefined();
});
