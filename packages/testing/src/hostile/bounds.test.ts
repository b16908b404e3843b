import { expect, test } from "vitest";
import { BOUNDS, faultsOf, type Phase } from "./bounds.ts";

const bounds = { ...BOUNDS, p99: 20, connects: 200 };
const chatted = {
  messages: 1_000,
  lost: 0,
  doubled: 0,
  reordered: 0,
  damaged: 0,
  refused: 0,
  p50: 1,
  p99: 19.9,
  slowest: 80,
  latestSend: 1,
};
const GOOD: Phase = {
  name: "day",
  chatted,
  welcome: { logins: 3, slowest: 1_999, failures: [] },
  attack: {
    connects: {
      "slow handshakes": 500,
      "never-ending stanzas": 500,
      "readers that do not read": 500,
      "wrong passwords": 500,
    },
    ended: 1,
    held: 1,
    seconds: 10,
  },
  broken: 0,
  rss: 299_999_999,
  serverPercent: 1,
  waitedPercent: 1,
  loadPercent: 1,
};

test("what holds has no faults, and neither has a quiet time", () => {
  expect(faultsOf(GOOD, bounds)).toEqual([]);
  expect(faultsOf({ ...GOOD, attack: undefined }, bounds)).toEqual([]);
});

test.each<[Partial<Phase>, string]>([
  [{ broken: 2 }, "day: 2 connections of the pairs were closed"],
  [{ chatted: { ...chatted, lost: 1 } }, "day: 1 messages were lost"],
  [{ chatted: { ...chatted, doubled: 4 } }, "day: 4 messages were doubled"],
  [{ chatted: { ...chatted, p99: 20 } }, "day: p99 was 20.0 ms; allowed: less than 20"],
  [{ welcome: { ...GOOD.welcome, slowest: 2_000 } }, "day: an honest login took 2000 ms"],
  [{ welcome: { ...GOOD.welcome, failures: ["reset"] } }, "day: an honest login failed: reset"],
  [{ welcome: { ...GOOD.welcome, logins: 0 } }, "day: nobody logged in"],
  [{ rss: 300_000_000 }, "day: the server held 300 MB"],
  [
    { attack: { ...(GOOD.attack as NonNullable<Phase["attack"]>), seconds: 20 } },
    "day: there were 100 hostile connections a second; wanted: 200",
  ],
])("%o", (change, fault) => {
  expect(faultsOf({ ...GOOD, ...change }, bounds)).toEqual([fault]);
});
