/** Measures a server from outside, and the generator itself, between two moments. */
import { setTimeout as after } from "node:timers/promises";
import type { Figures } from "../figures.ts";
import { ProcessTree } from "../proc.ts";

/** Memory is looked at so often. */
const SAMPLE_MS = 200;

/** A server rests when it has used next to no time in so many looks after one another. Work may wait for a second before it is begun. */
const QUIET_LOOKS = 5;
const LOOK_MS = 500;
const QUIET_SECONDS = 0.01;
const REST_LIMIT_MS = 300_000;

export class Meter {
  readonly #server: ProcessTree;
  #startedAt = 0;
  #serverSeconds = 0;
  #ownSeconds = 0;
  /** The ticker counts as well. */
  readonly #generator = new ProcessTree(process.pid);
  #peak = 0;
  #sampling: NodeJS.Timeout | undefined;

  constructor(server: ProcessTree) {
    this.#server = server;
  }

  /** Finds out which processes there are. It takes some milliseconds, so that it is done a while before `begin`. */
  prepare(): void {
    this.#server.rescan();
    this.#generator.rescan();
  }

  begin(): void {
    this.#peak = 0;
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#startedAt = performance.now();
    this.#serverSeconds = this.#server.cpuSeconds;
    this.#ownSeconds = this.#generator.cpuSeconds;
  }

  /** The figures of so many units of work since `begin`. */
  end(units: number): Figures {
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const ownSeconds = this.#generator.cpuSeconds - this.#ownSeconds;
    const serverSeconds = this.#server.cpuSeconds - this.#serverSeconds + this.#server.rescan();
    clearInterval(this.#sampling);
    this.#sample();
    return {
      seconds,
      units,
      perSecond: units / seconds,
      serverMicros: units === 0 ? 0 : (serverSeconds * 1_000_000) / units,
      serverPercent: (serverSeconds / seconds) * 100,
      generatorPercent: (ownSeconds / seconds) * 100,
      peakBytes: this.#peak,
    };
  }

  /** Settles when the server has hardly used its core for a while: it has done what was left to be done. Answers how long that took, in seconds. */
  async rest(): Promise<number> {
    const begun = performance.now();
    let quiet = 0;
    while (quiet < QUIET_LOOKS) {
      if (performance.now() - begun > REST_LIMIT_MS) throw new Error("the server does not come to rest");
      const before = this.#server.cpuSeconds;
      await after(LOOK_MS);
      quiet = this.#server.cpuSeconds - before > QUIET_SECONDS ? 0 : quiet + 1;
    }
    return (performance.now() - begun - QUIET_LOOKS * LOOK_MS) / 1_000;
  }

  #sample(): void {
    this.#peak = Math.max(this.#peak, this.#server.resident);
  }
}
