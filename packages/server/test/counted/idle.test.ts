import type { RawClient } from "@kith/testing/process";
import { expect, onTestFinished, test, vi } from "vitest";
import { SocketTransport } from "../../src/listen/socket.ts";
import { TimerWheel } from "../../src/listen/timer-wheel.ts";
import { StreamManager } from "../../src/session/stream-manager.ts";
import { ASK, ack, counted, manage, NOTHING, online, quiet, started } from "./counting.ts";

const HOUR = 3_600_000;
const STEP = 5_000;
/** `timeouts.idle`. */
const IDLE = 300_000;

test("RFC 6120 §4.6: a session that does nothing has no timer, and no work is done for it", async () => {
  const server = await started(true, ["romeo"]);
  const timers = server.app.timers;
  await online(server, "romeo");
  expect(server.app.timers).toBe(timers);
  const arm = vi.spyOn(TimerWheel.prototype, "arm");
  expect(await counted(server, async () => {})).toEqual(NOTHING);
  expect(arm).not.toHaveBeenCalled();
});

/** The time that timers see, moved by hand. */
const manualTime = () => {
  let passed = 0;
  const now = performance.now();
  const wheels = new Set<TimerWheel>();
  const { arm } = TimerWheel.prototype;
  vi.spyOn(performance, "now").mockImplementation(() => now + passed);
  vi.spyOn(TimerWheel.prototype, "arm").mockImplementation(function (this: TimerWheel, ...timing) {
    wheels.add(this);
    arm.apply(this, timing);
  });
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  return (ms: number): void => {
    passed += ms;
    for (const wheel of wheels) wheel.advance();
  };
};

/** Answers if the server has asked. */
const answered = async (client: RawClient, asks: number, answers: number): Promise<void> => {
  if (asks === answers) return;
  await client.until(ASK);
  const read = vi.spyOn(SocketTransport.prototype, "read");
  client.send(ack(0));
  while (read.mock.calls.length === 0) await quiet();
  read.mockRestore();
};

test("XEP-0198 §4: one whose client acknowledges is asked whether it is there when it has been silent, and nothing else is done for it", async () => {
  const server = await started(true, ["romeo"]);
  const pass = manualTime();
  const romeo = await online(server, "romeo");
  const timers = server.app.timers;
  await manage(romeo);
  expect(server.app.timers).toBe(timers + 1);
  const expired = vi.spyOn(StreamManager.prototype, "expired");
  const flush = vi.spyOn(SocketTransport.prototype, "flush");
  let answers = 0;
  for (let time = 0; time < HOUR; time += STEP) {
    pass(STEP);
    await quiet();
    await answered(romeo, flush.mock.calls.length, answers);
    answers = flush.mock.calls.length;
  }
  expect(romeo.isClosed).toBe(false);
  expect(answers).toBeGreaterThan(0);
  expect(answers).toBeLessThanOrEqual(HOUR / IDLE);
  // Once to ask, and once to see that there was an answer.
  expect(expired.mock.calls.length).toBeLessThanOrEqual(2 * (HOUR / IDLE));
});
