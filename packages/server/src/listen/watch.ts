import { type FSWatcher, watch } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../router/log.ts";
import { type Expiring, Timer, type Timers } from "../session/timer.ts";

/** Changes come in bursts (certificate, then key; new file, then rename): they are over when nothing happened for so long. */
const QUIET_MS = 500;
/** In a folder where something always happens, they are looked at all the same after so long. */
const LONGEST_MS = 5_000;

/** Many events that mean one: tells when they are over, or have gone on for too long. */
export class Burst implements Expiring {
  readonly #timers: Timers;
  readonly #over: () => void;
  readonly #timer = new Timer(this);
  /** When it began. */
  #since = 0;

  constructor(timers: Timers, over: () => void) {
    this.#timers = timers;
    this.#over = over;
  }

  stir(): void {
    const { now } = this.#timers;
    if (!this.#timer.isArmed) this.#since = now;
    this.#timers.arm(this.#timer, Math.max(0, Math.min(QUIET_MS, this.#since + LONGEST_MS - now)));
  }

  stop(): void {
    this.#timers.disarm(this.#timer);
  }

  expired(): void {
    this.#over();
  }
}

/**
 * Tells when files may have changed, whichever way they are replaced: written, renamed over, or behind a symbolic link that
 * is swapped (certbot, mounted secrets). Watches the folders, since a file that is replaced is not the one that was watched.
 */
export class FileWatch {
  readonly #files: readonly string[];
  readonly #log: Log;
  readonly #burst: Burst;
  readonly #watchers = new Map<string, FSWatcher>();
  #isClosed = false;

  private constructor(files: readonly string[], changed: () => void, timers: Timers, log: Log) {
    this.#files = files;
    this.#log = log;
    this.#burst = new Burst(timers, () => {
      // A link may lead elsewhere now.
      void this.#follow();
      changed();
    });
  }

  static async open(files: readonly string[], changed: () => void, timers: Timers, log: Log): Promise<FileWatch> {
    const watching = new FileWatch(files, changed, timers, log);
    await watching.#follow();
    return watching;
  }

  close(): void {
    this.#isClosed = true;
    this.#burst.stop();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #follow(): Promise<void> {
    const wanted = new Set<string>();
    for (const file of this.#files) {
      wanted.add(dirname(file));
      try {
        wanted.add(dirname(await realpath(file)));
      } catch {
        // Between two versions there may be none.
      }
    }
    if (this.#isClosed) return;
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#burst.stir());
      watcher.on("error", (error) => {
        this.#log.warn({ err: error, folder }, "certificates are not watched any longer");
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#log.warn({ err: error, folder }, "certificates cannot be watched");
    }
  }
}
