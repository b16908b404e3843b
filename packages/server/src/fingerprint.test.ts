import type { Bytes } from "@kith/protocol";
import { expect, test } from "vitest";
import { fingerprint } from "./fingerprint.ts";

const of = (text: string): string => fingerprint(text as Bytes);

test("a fingerprint is 12 characters, the same for the same text however it came about", () => {
  const text = "a message, of some length";
  expect(of(text)).toMatch(/^[\w-]{12}$/);
  expect(of(["a message", ", of some", " length"].join(""))).toBe(of(text));
  expect(of(`<<${text}>>`.slice(2, -2))).toBe(of(text));
});

test("nothing is left of a text before, however long it was", () => {
  const texts = [
    "",
    "a",
    "ab",
    "abc",
    "abcd",
    "abcde",
    "\0",
    "\0\0",
    "a\0",
    "x".repeat(65_536),
    "y".repeat(65_537),
    "z".repeat(300_000),
  ];
  const first = texts.map(of);
  expect(texts.toReversed().map(of)).toEqual(first.toReversed());
  expect(new Set(first).size).toBe(texts.length);
});

test("texts that differ by a little have different fingerprints", () => {
  const seen = new Map<string, string>();
  const base = "<body>what's in a name</body><origin-id xmlns='urn:xmpp:sid:0' id='0'/>";
  const texts: string[] = [];
  for (let at = 0; at < base.length; at++) {
    for (const character of ["a", "b", "\xff", "\x80"]) texts.push(base.slice(0, at) + character + base.slice(at + 1));
    texts.push(base.slice(0, at) + base.slice(at + 1), `${base.slice(0, at)} ${base.slice(at)}`);
  }
  for (let at = 0; at < 50_000; at++) texts.push(`<body>${at}</body>`);
  const collisions = texts.filter((text) => {
    const print = of(text);
    const other = seen.get(print);
    seen.set(print, text);
    return other !== undefined && other !== text;
  });
  expect(collisions).toEqual([]);
});
