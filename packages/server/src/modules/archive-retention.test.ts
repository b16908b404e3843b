import { expect, test } from "vitest";
import type { Context } from "../module.ts";
import type { Expiry } from "../store/messages.ts";
import { archiveRetention, type RetentionOptions } from "./archive-retention.ts";

const HOUR = 3_600_000;

/** A module whose time is moved by hand: what it asked to be removed, and the next time it wants to be called. */
const stage = (options: Partial<RetentionOptions> = {}) => {
  const asked: Expiry[] = [];
  const failures: unknown[] = [];
  let next: { readonly ms: number; readonly run: () => void } | undefined;
  let now = 1_000_000_000;
  const module = archiveRetention({
    messages: {
      expire: async (expiry) => {
        asked.push(expiry);
        return 1;
      },
    },
    keepFor: 24 * HOUR,
    keepNewest: 100,
    every: HOUR,
    after: (ms, run) => {
      next = { ms, run };
      return () => {
        next = undefined;
      };
    },
    failed: (error) => failures.push(error),
    ...options,
  });
  const passes = async (): Promise<void> => {
    now += next?.ms ?? 0;
    const { run } = next ?? {};
    next = undefined;
    run?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const context = { now: () => now } as Context;
  return { module, asked, failures, passes, start: () => module.started?.(context), next: () => next?.ms };
};

test("XEP-0313 §3.2: again and again, what is too old and too much goes", async () => {
  const { asked, passes, start, next } = stage();
  await start();
  expect(asked).toEqual([]);
  expect(next()).toBe(HOUR);
  await passes();
  await passes();
  expect(asked).toEqual([
    { before: 1_000_000_000 - 23 * HOUR, keep: 100 },
    { before: 1_000_000_000 - 22 * HOUR, keep: 100 },
  ]);
});

test.each([
  [{ keepNewest: undefined }, { before: 1_000_000_000 - 23 * HOUR }],
  [{ keepFor: undefined }, { keep: 100 }],
])("only what is wished: %j", async (options, expected) => {
  const { asked, passes, start } = stage(options);
  await start();
  await passes();
  expect(asked).toEqual([expected]);
});

test("where everything is kept, nothing is ever looked for", async () => {
  const { start, next } = stage({ keepFor: undefined, keepNewest: undefined });
  await start();
  expect(next()).toBeUndefined();
});

test("one run is over before the next begins, and what went wrong is tried again", async () => {
  const runs: PromiseWithResolvers<number>[] = [];
  const expire = () => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  };
  const { failures, passes, start, next } = stage({ messages: { expire } });
  await start();
  await passes();
  expect(runs).toHaveLength(1);
  expect(next()).toBeUndefined();
  runs[0]?.reject(new Error("disk"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toHaveLength(1);
  expect(next()).toBe(HOUR);
});

test("stopped, it finishes what it does and does no more", async () => {
  const run = Promise.withResolvers<number>();
  const { module, passes, start, next } = stage({ messages: { expire: () => run.promise } });
  await start();
  await passes();
  let isStopped = false;
  const stopped = Promise.resolve(module.stopped?.()).then(() => {
    isStopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  run.resolve(0);
  await stopped;
  expect(next()).toBeUndefined();
});

test("stopped while it waits, it is called no more", async () => {
  const { module, start, next } = stage();
  await start();
  await module.stopped?.();
  expect(next()).toBeUndefined();
});
