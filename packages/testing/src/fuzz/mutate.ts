import type { Random } from "./random.ts";

/** What is worth inserting: bytes that mean something to a reader of XML, and bytes that are no UTF-8. */
const INTRUDERS: readonly Uint8Array[] = [
  ..."<>&'\"=/ :;!?[]-#x0\n\t\r\0",
  "]]>",
  "<a>",
  "</a>",
  "<a/>",
  "</stream:stream>",
  "&#0;",
  "&#x10FFFF;",
  "&nope;",
  "<!--",
  "-->",
  "<?xml version='1.0'?>",
  "<!DOCTYPE a [<!ENTITY b 'c'>]>",
  "<![CDATA[",
  " xmlns=''",
  " xmlns:p=''",
  " xmlns:xml='urn:one'",
  " p:a='' q:a=''",
  "\ufeff",
  "\uffff",
]
  .map((text) => new TextEncoder().encode(text))
  .concat(
    [[0xff], [0x80], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf5, 0x80]].map(
      (bytes) => Uint8Array.from(bytes),
    ),
  );

const splice = (bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array => {
  const end = Math.min(bytes.length, at + remove);
  const result = new Uint8Array(at + insert.length + bytes.length - end);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(end), at + insert.length);
  return result;
};

const NOTHING = new Uint8Array(0);
const LONGEST = 65_536;

/** One change somewhere: a part left out, doubled or moved, a byte changed, something inserted, the end cut off. */
const changed = (bytes: Uint8Array, random: Random): Uint8Array => {
  const at = random.int(bytes.length + 1);
  const part = bytes.subarray(at, at + random.between(1, random.oneIn(4) ? 200 : 6));
  return random.choose([
    [4, () => splice(bytes, at, random.int(3), random.pick(INTRUDERS))],
    [2, () => splice(bytes, at, part.length, NOTHING)],
    [2, () => splice(bytes, random.int(bytes.length + 1), 0, part)],
    [2, () => splice(bytes, at, 1, Uint8Array.of(random.int(256)))],
    [1, () => bytes.slice(0, at)],
  ]);
};

/** As many changes as told. The result is never very long. */
export const mutated = (bytes: Uint8Array, random: Random, changes: number): Uint8Array => {
  let result = bytes;
  for (let change = 0; change < changes && result.length < LONGEST; change++) result = changed(result, random);
  return result;
};
