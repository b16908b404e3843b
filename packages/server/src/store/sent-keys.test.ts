import fc from "fast-check";
import { expect, test } from "vitest";
import { REMEMBERED, SentKeys } from "./sent-keys.ts";

test("the newest message with a key is known as long as it is among the newest of all", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 900 }), (choices) => {
      const keys = new SentKeys(0, []);
      const sent: string[] = [];
      for (const choice of choices) {
        const key = `key-${choice}-the-same-end`;
        keys.numbered(keys.add(key, 0, 0), sent.push(key), 5);
      }
      const oldest = Math.max(0, sent.length - REMEMBERED);
      for (let choice = 0; choice <= 400; choice++) {
        const key = `key-${choice}-the-same-end`;
        const at = sent.lastIndexOf(key);
        expect(keys.get(key, 5)).toBe(at >= oldest ? at + 1 : undefined);
      }
    }),
  );
});

test("what is forgotten is not known, what has no number has row 0, what is too old is not it", () => {
  const keys = new SentKeys(0, [
    { row: 7, stamp: 70, key: "b" },
    { row: 3, stamp: 30, key: "a" },
  ]);
  expect([keys.get("a", 30), keys.get("a", 31), keys.get("b", 0), keys.size]).toEqual([3, undefined, 7, 2]);
  keys.forget(7);
  expect([keys.get("b", 0), keys.get("a", 0)]).toEqual([undefined, 3]);
  const number = keys.add("b", 0, 0);
  expect(keys.get("b", 99)).toBe(0);
  keys.numbered(number, 9, 90);
  expect([keys.get("b", 90), keys.get("b", 91)]).toEqual([9, undefined]);
  for (let at = 0; at < REMEMBERED; at++) keys.add(`c${at}`, 10 + at, 100);
  keys.numbered(number, 9, 90);
  expect([keys.get("b", 0), keys.get("c0", 0), keys.size]).toEqual([undefined, 10, REMEMBERED]);
});
