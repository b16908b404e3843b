/**
 * Tells the main thread that something is due, to within the kernel's timer slack of 50 µs: the event loop's own timers know whole
 * milliseconds only. The main thread decides by its own look at the clock what to do.
 */
import { parentPort, workerData } from "node:worker_threads";

export interface TickerData {
  /** On the clock of `clock()`. */
  readonly startMs: number;
  readonly stepMs: number;
}

/** Milliseconds on a clock that all threads share. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1_000_000;

const nothing = new Int32Array(new SharedArrayBuffer(4));

const run = ({ startMs, stepMs }: TickerData): never => {
  for (let tick = 0; ; tick++) {
    const wait = startMs + tick * stepMs - clock();
    if (wait > 0) Atomics.wait(nothing, 0, 0, wait);
    parentPort?.postMessage(tick);
  }
};

if (parentPort !== null) run(workerData as TickerData);
