import type { Bytes } from "@kith/protocol";

/** Longer texts get room of their own. */
const USUAL = 65_536;
const usual = roomFor(USUAL);

/** The octets of a text, and the same as words of four octets. */
interface Room {
  readonly octets: Buffer;
  readonly words: Int32Array;
}

function roomFor(length: number): Room {
  const memory = new ArrayBuffer((length + 7) & ~3);
  return { octets: Buffer.from(memory), words: new Int32Array(memory) };
}

/**
 * 64 bits that are the same for the same text and hardly ever for another, as 12 characters. Made to be fast: whoever wants to find two texts
 * with the same fingerprint can.
 */
export const fingerprint = (text: Bytes): string => {
  const { length } = text;
  const { octets, words } = length <= USUAL ? usual : roomFor(length);
  octets.write(text, 0, length, "latin1");
  // The last word may be left half from the text before.
  octets[length] = octets[length + 1] = octets[length + 2] = 0;
  const count = (length + 3) >>> 2;
  let one = length ^ 0x2545f491;
  let two = 0x1b873593;
  for (let at = 0; at < count; at++) {
    const word = words[at] as number;
    one = Math.imul(one ^ word, 0x9e3779b1);
    one ^= one >>> 15;
    two = Math.imul(two + word, 0x85ebca6b);
    two = (two << 13) | (two >>> 19);
  }
  return written(spread(one ^ two)) + written(spread(two ^ Math.imul(one, 0xc2b2ae35)));
};

/** Every bit of the one decides about every bit of the other. */
const spread = (half: number): number => {
  let bits = Math.imul(half ^ (half >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return bits ^ (bits >>> 16);
};

const CODES = Uint8Array.from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-", (digit) =>
  digit.charCodeAt(0),
);
const code = (bits: number): number => CODES[bits & 63] as number;
const written = (bits: number): string =>
  String.fromCharCode(
    code(bits),
    code(bits >>> 6),
    code(bits >>> 12),
    code(bits >>> 18),
    code(bits >>> 24),
    code(bits >>> 30),
  );
