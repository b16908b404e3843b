/** Processes that the bench starts: each on a core of its own, each ended by its process id and no other. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as after } from "node:timers/promises";

export interface ChildOptions {
  readonly core: Core;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Where its standard error goes, and its standard output unless that is read. */
  readonly logFile: string;
  readonly readsOutput?: boolean;
}

/** One core, or all of them for what is not measured. */
export type Core = number | "any";

const LAST_LINES = 20;
const END_MS = 30_000;
const LOOK_AGAIN_MS = 50;

const running = new Set<Child>();
let isStopping = false;

/** A started process. */
export class Child {
  readonly name: string;
  /** What it has written to its standard output, if that is read. */
  output = "";
  readonly #logFile: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;
  #end: number | NodeJS.Signals | undefined;

  constructor(name: string, command: readonly string[], options: ChildOptions) {
    if (isStopping) throw new Error(`${name} is not started any more`);
    const { core, cwd, env = {}, logFile, readsOutput = false } = options;
    const log = openSync(logFile, "w");
    const pinned = core === "any" ? command : ["taskset", "-c", String(core), ...command];
    // The shell only raises the limit of open files, then becomes the program: the process id stays.
    this.#process = spawn("sh", ["-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh", ...pinned], {
      cwd,
      env: { ...inherited(), ...env },
      stdio: ["ignore", readsOutput ? "pipe" : log, log],
    });
    closeSync(log);
    this.name = name;
    this.#logFile = logFile;
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
    this.#exited = new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("close", (code, signal) => resolve(code ?? signal ?? 1));
    });
    running.add(this);
    this.#exited.then(
      (end) => this.#ended(end),
      () => this.#ended(1),
    );
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error(`${this.name} could not be started`);
    return this.#process.pid;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Settles when it has ended by itself; rejects, with what it said, unless that went well. */
  async succeeded(): Promise<void> {
    const end = await this.#exited;
    if (end !== 0) throw this.failure(`ended with ${end}`);
  }

  /** Settles when a condition holds; rejects when the process has ended before or the time is up. */
  async until(what: string, seconds: number, holds: () => boolean | Promise<boolean>): Promise<void> {
    const latest = performance.now() + seconds * 1_000;
    while (!(await holds())) {
      if (this.#end !== undefined) throw this.failure(`ended with ${this.#end} before ${what}`);
      if (performance.now() > latest) throw this.failure(`took more than ${seconds} s before ${what}`);
      await after(LOOK_AGAIN_MS);
    }
  }

  /** Asks it to end; after a while ends it. Settles when it has ended. */
  async stop(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#process.kill("SIGTERM");
    const patience = setTimeout(() => this.#process.kill("SIGKILL"), END_MS);
    await this.#exited;
    clearTimeout(patience);
  }

  failure(what: string): Error {
    const said = readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n  ");
    return new Error(`${this.name} ${what}${said === "" ? "" : `, saying:\n  ${said}`}`);
  }

  #ended(end: number | NodeJS.Signals): void {
    this.#end = end;
    running.delete(this);
  }
}

/** Ends everything that still runs, and starts nothing any more. */
export const stopAll = async (): Promise<void> => {
  isStopping = true;
  await Promise.all([...running].map((child) => child.stop()));
};

/** Only what programs need to run: the rest might change how they do. */
const inherited = (): Record<string, string> => {
  const { PATH = "/usr/sbin:/usr/bin:/sbin:/bin", HOME = "/", TMPDIR = "/tmp" } = process.env;
  return { PATH: `${PATH}:/usr/sbin:/sbin`, HOME, TMPDIR, LANG: "C.UTF-8" };
};

/** A port of this machine that nobody uses now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

/** Does somebody accept connections there? */
export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => answer(true)).once("error", () => answer(false));
  });
