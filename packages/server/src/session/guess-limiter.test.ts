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

const guess = (limiter: GuessLimiter, address: string, account: BareJid): GuessVerdict =>
  limiter.judge(address, account, false, 0);
const logIn = (limiter: GuessLimiter, address: string, account: BareJid): GuessVerdict =>
  limiter.judge(address, account, true, 0);

const failing = (limiter: GuessLimiter, address: string, account: BareJid, times: number): void => {
  for (let time = 0; time < times; time++) guess(limiter, address, account);
};

/** What a login with the right password meets with. */
const verdict = (limiter: GuessLimiter, address: string, account: BareJid, now: number): GuessVerdict => {
  const admitted = limiter.admits(address, account, now);
  const found = limiter.judge(address, account, true, now);
  expect(admitted).toBe(found !== "refuse");
  return found;
};

test("RFC 6120 §13.9.4: guesses from one address get slower, then are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 8 }, (_, at) =>
    guess(limiter, "192.0.2.1", `user${at}@capulet.example` as BareJid),
  );
  expect(verdicts).toEqual([0, 0, 100, 200, 400, 500, "refuse", "refuse"]);
  expect(verdict(limiter, "192.0.2.2", juliet, 0)).toBe(0);
});

test("RFC 6120 §13.9.4: guesses at one account from everywhere get slower, then are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const verdicts = Array.from({ length: 11 }, (_, at) => guess(limiter, `192.0.2.${at}`, juliet));
  expect(verdicts).toEqual([0, 0, 0, 100, 200, 400, 500, 500, 500, "refuse", "refuse"]);
  expect(verdict(limiter, "192.0.2.200", romeo, 0)).toBe(0);
});

test("nobody can be locked out from where they have logged in", () => {
  const limiter = new GuessLimiter(LIMITS);
  logIn(limiter, "192.0.2.1", juliet);
  for (let at = 10; at < 40; at++) guess(limiter, `192.0.2.${at}`, juliet);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(0);
  expect(verdict(limiter, "192.0.2.2", juliet, 0)).toBe("refuse");
});

test("an address that has logged in once may not guess on without end", () => {
  const limiter = new GuessLimiter(LIMITS);
  logIn(limiter, "192.0.2.1", juliet);
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
  for (const at of [4, 5, 6]) logIn(good, `192.0.2.${at}`, juliet);
  for (let at = 10; at < 40; at++) guess(good, `192.0.2.${at}`, juliet);
  expect(verdict(good, "192.0.2.4", juliet, 0)).toBe("refuse");
  expect(verdict(good, "192.0.2.6", juliet, 0)).toBe(0);
});

test("logins of thousands at once from one address, and of one account's devices, neither wait nor are refused", () => {
  const limiter = new GuessLimiter(LIMITS);
  const accounts = Array.from({ length: 5_000 }, (_, at) => `user${at}@capulet.example` as BareJid);
  // All have begun before the first is done.
  expect(accounts.every((account) => limiter.admits("192.0.2.1", account, 0))).toBe(true);
  expect(accounts.map((account) => logIn(limiter, "192.0.2.1", account)).every((found) => found === 0)).toBe(true);
  const devices = Array.from({ length: 500 }, (_, at) => `192.0.2.${at}`);
  expect(devices.every((address) => limiter.admits(address, juliet, 0))).toBe(true);
  expect(devices.map((address) => logIn(limiter, address, juliet)).every((found) => found === 0)).toBe(true);
});

test("RFC 6120 §13.9.4: guesses begun at the same time get no more answers than one after the other", () => {
  const limiter = new GuessLimiter(LIMITS);
  expect(Array.from({ length: 50 }, () => limiter.admits("192.0.2.1", juliet, 0))).not.toContain(false);
  const verdicts = Array.from({ length: 49 }, () => guess(limiter, "192.0.2.1", juliet));
  expect(verdicts.slice(0, 6)).toEqual([0, 0, 100, 200, 400, 500]);
  expect(new Set(verdicts.slice(6))).toEqual(new Set(["refuse"]));
  // The last one was right, and nobody gets to know.
  expect(logIn(limiter, "192.0.2.1", juliet)).toBe("refuse");
  // Nor has it made the address a good one: there the account's own failures would say nothing.
  for (let at = 10; at < 40; at++) guess(limiter, `192.0.2.${at}`, juliet);
  expect(verdict(limiter, "192.0.2.1", romeo, 20_000)).toBe(400);
  expect(verdict(limiter, "192.0.2.1", juliet, 20_000)).toBe(500);
});

test("RFC 6120 §13.9.4: a right answer waits as long as a wrong one would", () => {
  const limiter = new GuessLimiter(LIMITS);
  failing(limiter, "192.0.2.1", romeo, 4);
  expect(logIn(limiter, "192.0.2.1", juliet)).toBe(400);
  expect(guess(limiter, "192.0.2.1", juliet)).toBe(400);
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
  logIn(limiter, "192.0.2.1", juliet);
  expect(verdict(limiter, "192.0.2.1", juliet, 0)).toBe(0);
});
