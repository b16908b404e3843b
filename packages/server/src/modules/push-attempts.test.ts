import type { BareJid } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { Attempts } from "./push-attempts.ts";

const MIRA = "mira@attic.example" as BareJid;
const JONAS = "jonas@attic.example" as BareJid;
const LIMITS = { patience: 1_000, pause: 100, longestPause: 350, failures: 4 };
const opened = (): Attempts<string> => new Attempts(LIMITS);

describe("one attempt at a time", () => {
  test("what comes meanwhile is told once, as the latest of it", () => {
    const attempts = opened();
    expect(attempts.begin(MIRA, "s", "one", 0)).toBe("now");
    expect(attempts.begin(MIRA, "s", "two", 1)).toBe("later");
    expect(attempts.begin(MIRA, "s", "three", 2)).toBe("later");
    expect(attempts.succeeded(MIRA, "s")).toBe("three");
    expect(attempts.begin(MIRA, "s", "three", 3)).toBe("now");
    expect(attempts.succeeded(MIRA, "s")).toBeUndefined();
    expect(attempts.size).toBe(0);
  });

  test("each service and each account for itself", () => {
    const attempts = opened();
    expect(attempts.begin(MIRA, "s", "one", 0)).toBe("now");
    expect(attempts.begin(MIRA, "t", "one", 0)).toBe("now");
    expect(attempts.begin(JONAS, "s", "one", 0)).toBe("now");
    expect(attempts.begin(MIRA, "s", "two", 0)).toBe("later");
  });

  test("what has been seen is not told afterwards", () => {
    const attempts = opened();
    attempts.begin(MIRA, "s", "one", 0);
    attempts.begin(MIRA, "s", "two", 0);
    attempts.seen(MIRA);
    attempts.seen(JONAS);
    expect(attempts.succeeded(MIRA, "s")).toBeUndefined();
  });
});

describe("failures", () => {
  test("are left alone for a while, twice as long each time, up to a longest", () => {
    const attempts = opened();
    let now = 0;
    for (const pause of [100, 200, 350]) {
      expect(attempts.begin(MIRA, "s", "x", now)).toBe("now");
      expect(attempts.failed(MIRA, "s", now)).toBe("later");
      expect(attempts.begin(MIRA, "s", "x", now + pause - 1)).toBe("later");
      now += pause;
    }
    expect(attempts.begin(MIRA, "s", "x", now)).toBe("now");
    expect(attempts.failed(MIRA, "s", now)).toBe("hopeless");
    expect(attempts.size).toBe(0);
  });

  test("do not count any longer after a success", () => {
    const attempts = opened();
    for (let round = 0; round < 10; round++) {
      const now = round * 10_000;
      for (const more of [0, 1_000, 2_000]) {
        expect(attempts.begin(MIRA, "s", "x", now + more)).toBe("now");
        expect(attempts.failed(MIRA, "s", now + more)).toBe("later");
      }
      expect(attempts.begin(MIRA, "s", "x", now + 3_000)).toBe("now");
      attempts.succeeded(MIRA, "s");
    }
  });

  test("no answer is one, as soon as patience is over", () => {
    const attempts = opened();
    attempts.begin(MIRA, "s", "one", 0);
    expect(attempts.begin(MIRA, "s", "two", 999)).toBe("later");
    expect(attempts.begin(MIRA, "s", "three", 1_000)).toBe("later");
    expect(attempts.begin(MIRA, "s", "four", 1_100)).toBe("now");
    let now = 1_100;
    for (const pause of [200, 350]) {
      now += 1_000;
      expect(attempts.begin(MIRA, "s", "x", now)).toBe("later");
      now += pause;
      expect(attempts.begin(MIRA, "s", "x", now)).toBe("now");
    }
    expect(attempts.begin(MIRA, "s", "x", now + 1_000)).toBe("hopeless");
  });

  test("what came while one failed is not told after it", () => {
    const attempts = opened();
    attempts.begin(MIRA, "s", "one", 0);
    attempts.begin(MIRA, "s", "two", 0);
    attempts.failed(MIRA, "s", 0);
    expect(attempts.begin(MIRA, "s", "three", 100)).toBe("now");
    expect(attempts.succeeded(MIRA, "s")).toBeUndefined();
  });
});

test("what is forgotten begins anew", () => {
  const attempts = opened();
  attempts.begin(MIRA, "s", "x", 0);
  attempts.begin(MIRA, "t", "x", 0);
  attempts.forget(MIRA, "s");
  attempts.forget(MIRA, "unknown");
  attempts.forget(JONAS, "s");
  expect(attempts.begin(MIRA, "s", "x", 0)).toBe("now");
  attempts.forgetAll(MIRA);
  expect(attempts.size).toBe(0);
});
