import { describe, expect, test } from "vitest";
import { readOptions, UsageError } from "./options.ts";

describe("the command line of chaos", () => {
  test("says what is wanted, and what is not said has a default", () => {
    expect(readOptions(["--seed", "7"])).toMatchObject({
      kills: 200,
      seed: 7,
      minutes: undefined,
      at: undefined,
      breaks: undefined,
    });
    expect(
      readOptions("--kills 10 --seed 4294967295 --minutes 5 --runtime bun --breaks".split(" ").concat("gate off")),
    ).toEqual({ kills: 10, minutes: 5, seed: 4_294_967_295, runtime: "bun", at: undefined, breaks: "gate off" });
    expect(readOptions(["--at", "after the write"])?.at).toBe("after the write");
  });

  test("chooses a seed that can be told again", () => {
    expect(readOptions([])?.seed).toBeGreaterThanOrEqual(0);
  });

  test("asks for help", () => expect(readOptions(["--help"])).toBeUndefined());

  test.each([
    ["--kills", "0"],
    ["--kills", "many"],
    ["--kills", ""],
    ["--seed", "-1"],
    ["--seed", "1.5"],
    ["--seed", "4294967296"],
    ["--minutes", "0"],
    ["--runtime", "deno"],
    ["--at", "night"],
    ["--breaks", "everything"],
    ["--unknown", "x"],
    ["stray", "words"],
  ])("%s %s makes no sense", (...args) => {
    expect(() => readOptions(args)).toThrow(UsageError);
  });
});
