/**
 * A process that writes an octet whenever something is due, to within some 10 µs: the event loop's own timers know whole
 * milliseconds only. Who reads them looks at the clock and decides what to do.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync, writeSync } from "node:fs";

/** Milliseconds on a clock that all processes share. */
const clock = (): number => Number(process.hrtime.bigint()) / 1_000_000;

const OCTETS_OF_START = 8;
const START_AFTER_MS = 10;

export class Ticker {
  /** When the first tick was due, as `performance.now()`. */
  readonly start: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, start: number) {
    this.#process = process;
    this.start = start;
  }

  /** Settles when the process is about to tick every so many milliseconds. */
  static async open(stepMs: number): Promise<Ticker> {
    const child = spawn(process.execPath, [import.meta.filename, String(stepMs)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [first] = (await once(child.stdout, "data")) as [Buffer];
    return new Ticker(child, first.readDoubleLE(0) - clock() + performance.now());
  }

  /** Calls a function at each tick; where several have been waiting, once for all of them. */
  set onTick(tick: () => void) {
    this.#process.stdout?.on("data", tick);
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

const run = (stepMs: number): void => {
  askForPrecision();
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const start = clock() + START_AFTER_MS;
  const greeting = Buffer.alloc(OCTETS_OF_START);
  greeting.writeDoubleLE(start);
  writeSync(process.stdout.fd, greeting);
  const octet = Buffer.from(".");
  for (let tick = 0; ; tick++) {
    const wait = start + tick * stepMs - clock();
    if (wait > 0) Atomics.wait(nothing, 0, 0, wait);
    if (!written(octet)) return;
  }
};

/** The kernel wakes processes up to 50 µs late, to save power, unless they say otherwise. */
const askForPrecision = (): void => {
  try {
    writeFileSync("/proc/self/timerslack_ns", "1");
  } catch {
    // Where that is not allowed, sends are so much later, and "latest send" says so.
  }
};

/** `false` where nobody reads any more. */
const written = (octet: Buffer): boolean => {
  try {
    writeSync(process.stdout.fd, octet);
    return true;
  } catch (error) {
    // Enough ticks are waiting to be read: one more says nothing new.
    return (error as NodeJS.ErrnoException).code === "EAGAIN";
  }
};

if (import.meta.main) run(Number(process.argv[2]));
