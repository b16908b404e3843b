import { type FSWatcher, watch } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../router/log.ts";
import { type Expiring, Timer, type Timers } from "../session/timer.ts";

/** Changes come in bursts (certificate, then key; new file, then rename): they are over when nothing happened for so long. */
const QUIET_MS = 500;

/**
 * Tells when files may have changed, whichever way they are replaced: written, renamed over, or behind a symbolic link that
 * is swapped (certbot, mounted secrets). Watches the folders, since a file that is replaced is not the one that was watched.
 */
export class FileWatch implements Expiring {
  readonly #files: readonly string[];
  readonly #changed: () => void;
  readonly #timers: Timers;
  readonly #log: Log;
  readonly #quiet = new Timer(this);
  #watchers = new Map<string, FSWatcher>();
  #isClosed = false;

  private constructor(files: readonly string[], changed: () => void, timers: Timers, log: Log) {
    this.#files = files;
    this.#changed = changed;
    this.#timers = timers;
    this.#log = log;
  }

  static async open(files: readonly string[], changed: () => void, timers: Timers, log: Log): Promise<FileWatch> {
    const watching = new FileWatch(files, changed, timers, log);
    await watching.#follow();
    return watching;
  }

  close(): void {
    this.#isClosed = true;
    this.#timers.disarm(this.#quiet);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  expired(): void {
    // A link may lead elsewhere now.
    void this.#follow();
    this.#changed();
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
      const watcher = watch(folder, { persistent: false }, () => this.#timers.arm(this.#quiet, QUIET_MS));
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
