import { expect, test } from "vitest";
import { parseUnsigned } from "./datatypes.ts";

test.each([
  ["0", 0],
  ["7", 7],
  ["+7", 7],
  ["007", 7],
  [" \n7\t", 7],
  ["4294967295", 4_294_967_295],
  ["00000000000000000004294967295", 4_294_967_295],
])("XML Schema Part 2 §3.3.22: %j is an unsignedInt", (text, number) => {
  expect(parseUnsigned(text)).toBe(number);
});

test.each([
  "",
  " ",
  "-1",
  "-0",
  "1.0",
  "1e3",
  "0x10",
  "4294967296",
  "9".repeat(400),
  "Infinity",
  "NaN",
  "٣",
  "1 2",
  "++1",
])("XML Schema Part 2 §3.3.22: %j is no unsignedInt", (text) => {
  expect(parseUnsigned(text)).toBeUndefined();
});

test("XML Schema Part 2 §4.3.7: an upper bound of one's own", () => {
  expect(parseUnsigned("250", 250)).toBe(250);
  expect(parseUnsigned("251", 250)).toBeUndefined();
});
