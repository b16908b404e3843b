import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { PATIENCE } from "../process/happenings.ts";

const run = promisify(execFile);

/** In milliseconds. A screen tells nobody that it has changed: it can only be looked at. */
const GLANCE = 50;

/** Lines; more than a test fills, since what has scrolled away cannot be read. */
const HEIGHT = 200;

/** A program in a terminal of its own (tmux), typed into and read as a person would. */
export class Terminal {
  readonly #socket: string;
  readonly #seen = new Map<string, number>();

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async open(name: string, command: string): Promise<Terminal> {
    const terminal = new Terminal(name);
    // The screen outlives the program: what it said last can be read.
    const keep = ["start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";"];
    const size = ["-x", "160", "-y", String(HEIGHT)];
    await terminal.#tmux("-f", "/dev/null", ...keep, "new-session", "-d", ...size, command);
    return terminal;
  }

  async type(line: string): Promise<void> {
    await this.#tmux("send-keys", "-l", line);
    await this.#tmux("send-keys", "Enter");
  }

  async screen(): Promise<string> {
    return this.#tmux("capture-pane", "-p");
  }

  /**
   * Settles when the pattern is on the screen once more than earlier calls with the same `key` have seen it. `again`, if
   * given, is typed before each further glance.
   */
  async shows(
    pattern: RegExp,
    { key = pattern.source, again }: { key?: string; again?: string } = {},
  ): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE;
    const seen = this.#seen.get(key) ?? 0;
    for (;;) {
      const hasEnded = await this.#hasEnded();
      const screen = await this.screen();
      const match = [...screen.matchAll(new RegExp(pattern, "gm"))][seen];
      if (match !== undefined) {
        this.#seen.set(key, seen + 1);
        return match;
      }
      if (hasEnded || Date.now() > deadline) {
        const why = hasEnded ? "before it ended" : `within ${PATIENCE} ms`;
        throw new Error(`no ${pattern} ${why}; on the screen:\n${screen.replaceAll(/\n+/g, "\n")}`);
      }
      if (again !== undefined) await this.type(again);
      await pause(GLANCE);
    }
  }

  /** Settles when the program has ended. */
  async ended(): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!(await this.#hasEnded())) {
      if (Date.now() > deadline) throw new Error(`it has not ended within ${PATIENCE} ms`);
      await pause(GLANCE);
    }
  }

  async close(): Promise<void> {
    await this.#tmux("kill-server").catch(() => {
      // It has been closed before.
    });
  }

  async #hasEnded(): Promise<boolean> {
    return (await this.#tmux("display-message", "-p", "#{pane_dead}")).trim() === "1";
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: "C.UTF-8", TERM: "screen-256color" };
    const { stdout } = await run("tmux", ["-u", "-L", this.#socket, ...args], { env });
    return stdout;
  }
}
