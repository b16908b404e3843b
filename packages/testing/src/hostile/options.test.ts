import { expect, test } from "vitest";
import { KIND_NAMES } from "./deeds.ts";
import { readOptions, UsageError } from "./options.ts";

test("without options it is the run that is to be passed", () => {
  expect(readOptions([], 2)).toEqual({
    seconds: 300,
    pairs: 200,
    rate: 2_000,
    connects: 240,
    p99: 20,
    kinds: KIND_NAMES,
    cores: { server: 0, load: 1 },
  });
});

test("where there is one core only, or nobody is to be kept on one, nobody is", () => {
  expect(readOptions([], 1)?.cores).toBeUndefined();
  expect(readOptions(["--unpinned"], 8)?.cores).toBeUndefined();
  expect(readOptions(["--help"], 2)).toBeUndefined();
});

test.each([["--seconds", "x"], ["--pairs", "0"], ["--p99", ""], ["--only", "kindness"], ["--loud"], ["more"]])(
  "%s %s makes no sense",
  (...args) => {
    expect(() => readOptions(args, 2)).toThrow(UsageError);
  },
);

test("one kind alone", () => {
  expect(readOptions(["--only", "wrong passwords"], 2)?.kinds).toEqual(["wrong passwords"]);
});
