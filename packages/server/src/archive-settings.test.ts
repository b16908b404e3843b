import { ManualClock } from "@kith/testing";
import { expect, test } from "vitest";
import { archiveSettings } from "./archive-settings.ts";
import { readConfig } from "./config.ts";
import type { KithConfig } from "./config-options.ts";
import type { Log } from "./router/log.ts";

const stage = (archive: NonNullable<KithConfig["archive"]>) => {
  const errors: unknown[] = [];
  const clock = new ManualClock();
  const log = { error: (fields: unknown) => errors.push(fields) } as unknown as Log;
  const config = readConfig({ archive }, { file: undefined, directory: "/" });
  return { settings: archiveSettings(config, clock.timers, log), clock, errors };
};

test("conversations are kept, for good, unless something else is said", () => {
  const { settings } = stage({});
  expect(settings).toMatchObject({ default: "always", groupchat: false, receipts: true, fullText: false });
  expect(settings).toMatchObject({ pageSize: 50, maxPage: 250 });
  expect(settings?.retention).toMatchObject({ keepFor: undefined, keepNewest: undefined, every: 3_600_000 });
});

test("or not at all", () => {
  expect(stage({ enabled: false }).settings).toBeUndefined();
});

test("what is too old is looked for by the server's own clock", () => {
  const { settings, clock, errors } = stage({ retention: { keepFor: "30 d", keepNewest: 5_000, every: "10 min" } });
  expect(settings?.retention).toMatchObject({ keepFor: 2_592_000_000, keepNewest: 5_000, every: 600_000 });
  const calls: number[] = [];
  settings?.retention.after(600_000, () => calls.push(clock.now()));
  const disarm = settings?.retention.after(600_000, () => calls.push(0));
  disarm?.();
  clock.advance(599_999);
  expect(calls).toEqual([]);
  clock.advance(1);
  expect(calls).toEqual([clock.now()]);
  settings?.retention.failed(new Error("disk"));
  expect(errors).toHaveLength(1);
});
