import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

const RATE = { bytesPerSecond: 100, burstBytes: 1_000, stanzasPerSecond: 2, burstStanzas: 10 };

test("RFC 6120 §13.12: a burst is free", () => {
  expect(new Pace(RATE, 0).rest(1_000, 0)).toBe(0);
});

test("RFC 6120 §13.12: what is over the burst is to be rested for, by the rate", () => {
  const pace = new Pace(RATE, 0);
  expect(pace.rest(1_250, 0)).toBe(2_500);
  expect(pace.rest(0, 2_500)).toBe(0);
  expect(pace.rest(100, 2_500)).toBe(1_000);
});

test("RFC 6120 §13.12: elements count whatever their size", () => {
  const pace = new Pace(RATE, 0);
  for (let count = 0; count < 13; count++) pace.countElement();
  expect(pace.rest(0, 0)).toBe(1_500);
});

test("RFC 6120 §13.12: the greater of both debts counts", () => {
  const pace = new Pace(RATE, 0);
  for (let count = 0; count < 12; count++) pace.countElement();
  expect(pace.rest(1_050, 0)).toBe(1_000);
});

test("RFC 6120 §13.12: rest does not save up beyond the burst, and what was sent after it is not forgiven", () => {
  const pace = new Pace(RATE, 0);
  for (let count = 0; count < 30; count++) pace.countElement();
  expect(pace.rest(1_100, 3_600_000)).toBe(10_000);
});

test("a clock that steps back is no gain and no loss", () => {
  const pace = new Pace(RATE, 10_000);
  expect(pace.rest(1_000, 5_000)).toBe(0);
  expect(pace.rest(100, 5_000)).toBe(1_000);
});
