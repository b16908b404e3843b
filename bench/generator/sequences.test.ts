import { describe, expect, test } from "vitest";
import { Sequences } from "./sequences.ts";

/** What arrives on one stream, and what the accounts say then. */
const accountsOf = (...numbers: readonly number[]) => {
  const sequences = new Sequences(1);
  const taken = numbers.filter((number) => sequences.arrived(0, number));
  const { delivered, doubled, reordered } = sequences;
  return { delivered, doubled, reordered, taken };
};

describe("Sequences", () => {
  test("what comes in order is delivered", () => {
    expect(accountsOf(0, 1, 2, 3)).toEqual({ delivered: 4, doubled: 0, reordered: 0, taken: [0, 1, 2, 3] });
  });

  test("what never comes is not delivered, and what follows it is", () => {
    expect(accountsOf(0, 1, 4)).toEqual({ delivered: 3, doubled: 0, reordered: 0, taken: [0, 1, 4] });
  });

  test("the first may be missing", () => {
    expect(accountsOf(1, 2)).toMatchObject({ delivered: 2, doubled: 0 });
  });

  test("what comes twice is doubled, at once or later", () => {
    expect(accountsOf(0, 0, 1, 2, 1)).toEqual({ delivered: 3, doubled: 2, reordered: 0, taken: [0, 1, 2] });
  });

  test("what is overtaken is delivered all the same, and reordered", () => {
    expect(accountsOf(0, 2, 3, 1)).toEqual({ delivered: 4, doubled: 0, reordered: 1, taken: [0, 2, 3, 1] });
  });

  test("what is overtaken and comes twice is both", () => {
    expect(accountsOf(1, 0, 0)).toMatchObject({ delivered: 2, doubled: 1, reordered: 1 });
  });

  test("streams have nothing to do with one another", () => {
    const sequences = new Sequences(3);
    expect([0, 1, 2].map((stream) => sequences.arrived(stream, 0))).toEqual([true, true, true]);
    expect(sequences.arrived(1, 0)).toBe(false);
    expect(sequences).toMatchObject({ delivered: 3, doubled: 1 });
  });

  test("any mixture of losses, doubles and detours adds up", () => {
    const sent = Array.from({ length: 1_000 }, (_, number) => number);
    const isLost = (number: number): boolean => number % 17 === 3;
    const isDoubled = (number: number): boolean => number % 23 === 5;
    // Each tenth trades places with the one before it.
    const order = sent.toSorted((one, other) => detour(one) - detour(other)).filter((number) => !isLost(number));
    const { delivered, doubled } = accountsOf(
      ...order.flatMap((number) => (isDoubled(number) ? [number, number] : number)),
    );
    expect(sent.length - delivered).toBe(sent.filter(isLost).length);
    expect(doubled).toBe(sent.filter((number) => isDoubled(number) && !isLost(number)).length);
  });
});

const detour = (number: number): number => (number % 10 === 0 ? number - 1.5 : number);
