import type { BareJid } from "@kith/protocol";
import { expect, test } from "vitest";
import { GuessLimiter, type GuessLimits } from "./guess-limiter.ts";

const LIMITS: GuessLimits = {
  freePerAddress: 2,
  mostPerAddress: 4,
  freePerAccount: 3,
  mostPerAccount: 6,
  forgetMs: 10_000,
  delayMs: 100,
  longestDelayMs: 500,
  remembered: 100,
};
const juliet = "juliet@capulet.example" as BareJid;
const romeo = "romeo@montague.example" as BareJid;

const failing = (limiter: GuessLimiter, address: string, account: BareJid | undefined, times: number): void => {
  for (let time = 0; time < times; time++) limiter.failed(address, account, 0);
};

test("RFC 6120 §13.9.4: guesses from one address get slower, then are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 8 }, (_, at) => {
    const verdict = limiter.check("192.0.2.1", `user${at}@capulet.example` as BareJid, 0);
    limiter.failed("192.0.2.1", `user${at}@capulet.example` as BareJid, 0);
    return verdict;
  });
  expect(verdicts).toEqual([0, 0, 100, 200, 400, 500, "refuse", "refuse"]);
  expect(limiter.check("192.0.2.2", juliet, 0)).toBe(0);
});

test("RFC 6120 §13.9.4: guesses at one account from everywhere get slower, then are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 11 }, (_, at) => {
    const verdict = limiter.check(`192.0.2.${at}`, juliet, 0);
    limiter.failed(`192.0.2.${at}`, juliet, 0);
    return verdict;
  });
  expect(verdicts).toEqual([0, 0, 0, 100, 200, 400, 500, 500, 500, "refuse", "refuse"]);
  expect(limiter.check("192.0.2.200", romeo, 0)).toBe(0);
});

test("nobody can be locked out from where they have logged in", () => {
  const limiter = new GuessLimiter(LIMITS);
  limiter.succeeded("192.0.2.1", juliet);
  for (let at = 10; at < 40; at++) limiter.failed(`192.0.2.${at}`, juliet, 0);
  expect(limiter.check("192.0.2.1", juliet, 0)).toBe(0);
  expect(limiter.check("192.0.2.2", juliet, 0)).toBe("refuse");
});

test("an address that has logged in once may not guess on without end", () => {
  const limiter = new GuessLimiter(LIMITS);
  limiter.succeeded("192.0.2.1", juliet);
  failing(limiter, "192.0.2.1", juliet, 6);
  expect(limiter.check("192.0.2.1", juliet, 0)).toBe("refuse");
  // Its failures say nothing about guesses from elsewhere.
  expect(limiter.check("192.0.2.2", juliet, 0)).toBe(0);
});

test("failures are forgotten one after the other", () => {
  const limiter = new GuessLimiter(LIMITS);
  failing(limiter, "192.0.2.1", undefined, 6);
  expect(limiter.check("192.0.2.1", juliet, 9_999)).toBe("refuse");
  expect(limiter.check("192.0.2.1", juliet, 10_000)).toBe(500);
  expect(limiter.check("192.0.2.1", juliet, 20_000)).toBe(400);
  expect(limiter.check("192.0.2.1", juliet, 40_000)).toBe(100);
  expect(limiter.check("192.0.2.1", juliet, 50_000)).toBe(0);
});

test("an attempt that names no account counts for its address", () => {
  const limiter = new GuessLimiter(LIMITS);
  failing(limiter, "192.0.2.1", undefined, 3);
  expect(limiter.check("192.0.2.1", juliet, 0)).toBe(200);
});

test("what is remembered has a bound: the oldest goes first", () => {
  const limiter = new GuessLimiter({ ...LIMITS, remembered: 2 });
  failing(limiter, "192.0.2.1", undefined, 6);
  failing(limiter, "192.0.2.2", undefined, 6);
  failing(limiter, "192.0.2.3", undefined, 6);
  expect(limiter.check("192.0.2.1", juliet, 0)).toBe(0);
  expect(limiter.check("192.0.2.3", juliet, 0)).toBe("refuse");
  for (const at of [4, 5, 6]) limiter.succeeded(`192.0.2.${at}`, juliet);
  for (let at = 10; at < 40; at++) limiter.failed(`192.0.2.${at}`, juliet, 0);
  expect(limiter.check("192.0.2.4", juliet, 0)).toBe("refuse");
  expect(limiter.check("192.0.2.6", juliet, 0)).toBe(0);
});

test("a clock that steps back forgets nothing and adds nothing", () => {
  const limiter = new GuessLimiter(LIMITS);
  for (let time = 0; time < 3; time++) limiter.failed("192.0.2.1", undefined, 1_000_000);
  expect(limiter.check("192.0.2.1", juliet, 0)).toBe(200);
});

test("without limits nothing is limited", () => {
  const limiter = new GuessLimiter(undefined);
  failing(limiter, "192.0.2.1", juliet, 1_000);
  limiter.succeeded("192.0.2.1", juliet);
  expect(limiter.check("192.0.2.1", juliet, 0)).toBe(0);
});
