/** Measures a server from outside, and the generator itself, between two moments. */
import type { Figures } from "../figures.ts";
import { ProcessTree } from "../proc.ts";

/** Memory is looked at so often. */
const SAMPLE_MS = 200;

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

  #sample(): void {
    this.#peak = Math.max(this.#peak, this.#server.resident);
  }
}
