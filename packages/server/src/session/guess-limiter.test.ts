import type { BareJid } from "@kith/protocol";
import { expect, test } from "vitest";
import { GuessLimiter, type GuessLimits, type GuessVerdict } from "./guess-limiter.ts";

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

/** Attempts that nobody takes back. */
const failing = (limiter: GuessLimiter, address: string, account: BareJid, times: number): void => {
  for (let time = 0; time < times; time++) limiter.attempt(address, account, 0);
};

/** What an attempt would meet with. */
const verdict = (limiter: GuessLimiter, address: string, account: BareJid, now: number): GuessVerdict => {
  const found = limiter.attempt(address, account, now);
  if (found !== "refuse") limiter.forgiven(address, account);
  return found;
};

test("RFC 6120 §13.9.4: guesses from one address get slower, then are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 8 }, (_, at) =>
    limiter.attempt("192.0.2.1", `user${at}@capulet.example` as BareJid, 0),
  );
  expect(verdicts).toEqual([0, 0, 100, 200, 400, 500, "refuse", "refuse"]);
  expect(verdict(limiter, "192.0.2.2", juliet, 0)).toBe(0);
});

test("RFC 6120 §13.9.4: guesses at one account from everywhere get slower, then are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 11 }, (_, at) => limiter.attempt(`192.0.2.${at}`, juliet, 0));
  expect(verdicts).toEqual([0, 0, 0, 100, 200, 400, 500, 500, 500, "refuse", "refuse"]);
  expect(verdict(limiter, "192.0.2.200", romeo, 0)).toBe(0);
});

test("nobody can be locked out from where they have logged in", () => {
  const limiter = new GuessLimiter(LIMITS);
  limiter.succeeded("192.0.2.1", juliet);
  for (let at = 10; at < 40; at++) limiter.attempt(`192.0.2.${at}`, juliet, 0);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(0);
  expect(verdict(limiter, "192.0.2.2", juliet, 0)).toBe("refuse");
});

test("an address that has logged in once may not guess on without end", () => {
  const limiter = new GuessLimiter(LIMITS);
  limiter.succeeded("192.0.2.1", juliet);
  failing(limiter, "192.0.2.1", juliet, 6);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe("refuse");
  // Its failures say nothing about guesses from elsewhere.
  expect(verdict(limiter, "192.0.2.2", juliet, 0)).toBe(0);
});

test("failures are forgotten one after the other", () => {
  const limiter = new GuessLimiter(LIMITS);
  failing(limiter, "192.0.2.1", romeo, 6);
  expect(verdict(limiter, "192.0.2.1", juliet, 9_999)).toBe("refuse");
  expect(verdict(limiter, "192.0.2.1", juliet, 10_000)).toBe(500);
  expect(verdict(limiter, "192.0.2.1", juliet, 20_000)).toBe(400);
  expect(verdict(limiter, "192.0.2.1", juliet, 40_000)).toBe(100);
  expect(verdict(limiter, "192.0.2.1", juliet, 50_000)).toBe(0);
});

test("an attempt that names no account counts for its address", () => {
  const limiter = new GuessLimiter(LIMITS);
  for (let time = 0; time < 3; time++) limiter.failed("192.0.2.1", 0);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(200);
});

test("what is remembered has a bound: the oldest goes first", () => {
  const limiter = new GuessLimiter({ ...LIMITS, remembered: 2 });
  const guessed = [1, 2, 3].map((at) => `user${at}@capulet.example` as BareJid);
  for (const [at, account] of guessed.entries()) failing(limiter, `192.0.2.${at}`, account, 6);
  expect(verdict(limiter, "192.0.2.0", romeo, 0)).toBe(0);
  expect(verdict(limiter, "192.0.2.2", romeo, 0)).toBe("refuse");
  const good = new GuessLimiter({ ...LIMITS, remembered: 2 });
  for (const at of [4, 5, 6]) good.succeeded(`192.0.2.${at}`, juliet);
  for (let at = 10; at < 40; at++) good.attempt(`192.0.2.${at}`, juliet, 0);
  expect(verdict(good, "192.0.2.4", juliet, 0)).toBe("refuse");
  expect(verdict(good, "192.0.2.6", juliet, 0)).toBe(0);
});

test("attempts at the same time count while they are under way, and no longer if they succeed", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 7 }, () => limiter.attempt("192.0.2.1", juliet, 0));
  expect(verdicts).toEqual([0, 0, 100, 200, 400, 500, "refuse"]);
  for (let time = 0; time < 6; time++) limiter.succeeded("192.0.2.1", juliet);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(0);
  expect(verdict(limiter, "192.0.2.2", juliet, 0)).toBeLessThanOrEqual(500);
});

test("what is refused does not count, so that a pause is enough", () => {
  const limiter = new GuessLimiter(LIMITS);
  failing(limiter, "192.0.2.1", juliet, 1_000);
  expect(verdict(limiter, "192.0.2.1", juliet, 10_000)).toBe(500);
});

test("a clock that steps back forgets nothing and adds nothing", () => {
  const limiter = new GuessLimiter(LIMITS);
  for (let time = 0; time < 3; time++) limiter.failed("192.0.2.1", 1_000_000);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(200);
});

test("without limits nothing is limited", () => {
  const limiter = new GuessLimiter(undefined);
  failing(limiter, "192.0.2.1", juliet, 1_000);
  limiter.succeeded("192.0.2.1", juliet);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(0);
});
