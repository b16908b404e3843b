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
    await terminal.#tmux("-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", String(HEIGHT), command);
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
      const screen = await this.screen();
      const match = [...screen.matchAll(new RegExp(pattern, "gm"))][seen];
      if (match !== undefined) {
        this.#seen.set(key, seen + 1);
        return match;
      }
      if (Date.now() > deadline)
        throw new Error(`no ${pattern} within ${PATIENCE} ms on the screen:\n${screen.replaceAll(/\n+/g, "\n")}`);
      if (again !== undefined) await this.type(again);
      await pause(GLANCE);
    }
  }

  /** Settles when the program has ended. */
  async ended(): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (await this.#isRunning()) {
      if (Date.now() > deadline) throw new Error(`it has not ended within ${PATIENCE} ms`);
      await pause(GLANCE);
    }
  }

  async close(): Promise<void> {
    await this.#tmux("kill-server").catch(() => {
      // It has ended by itself.
    });
  }

  async #isRunning(): Promise<boolean> {
    try {
      await this.#tmux("has-session");
      return true;
    } catch {
      return false;
    }
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: "C.UTF-8", TERM: "screen-256color" };
    const { stdout } = await run("tmux", ["-u", "-L", this.#socket, ...args], { env });
    return stdout;
  }
}
