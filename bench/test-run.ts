/** A run for tests. */
import type { Run } from "./run.ts";

export const testRun = (told: Partial<Run> = {}): Run => ({
  scenario: "chat-w1",
  title: "Chat, 200 pairs, window 1",
  unit: "message",
  contender: "kith-node",
  contenderTitle: "Kith on Node",
  version: "1.2.3",
  run: 1,
  at: "2026-02-03T04:05:06.789Z",
  seconds: { warmup: 3, duration: 10 },
  serverCores: "0",
  generatorCores: "1",
  machine: { processor: "Abacus", cores: 2, memoryGiB: 24, system: "Testix 1, Linux 6.1" },
  figures: {},
  ...told,
});
