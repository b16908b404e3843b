/** Runs `kith` commands in this process: what they would write to a terminal is kept, signals are sent by hand. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createApp } from "../src/app.ts";
import type { ExitCode } from "../src/cli/exit-codes.ts";
import type { Input, Io, Signal } from "../src/cli/io.ts";
import { runProgram } from "../src/cli/program.ts";
import type { ServerParts } from "../src/cli/server.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";

export const realParts: ServerParts = {
  version: "1.2.3",
  openStore: ({ storage: { directory, synchronous } }, log) => openSqliteStore({ directory, synchronous, log }),
  createApp: (config, store, log) => createApp({ config, store, log, version: "1.2.3" }),
};

/** What somebody types at a terminal, or a program sends. */
export class FakeInput extends PassThrough {
  isTTY = false;
  readonly modes: boolean[] = [];
  setRawMode(raw: boolean): this {
    this.modes.push(raw);
    return this;
  }
}

export interface Ended {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export class CommandLine {
  readonly input = new FakeInput();
  readonly exits: number[] = [];
  out = "";
  err = "";
  #signals = new Map<Signal, () => void>();
  #onDefect: ((error: unknown) => void) | undefined;
  #waiting: { readonly test: (line: CommandLine) => boolean; readonly resolve: () => void }[] = [];
  readonly ended: Promise<Ended>;

  constructor(folder: string, args: readonly string[], options: CommandOptions) {
    const { environment = {}, terminal = false, parts = realParts } = options;
    this.input.isTTY = terminal;
    const io: Io = {
      out: { isTTY: terminal, write: (text: string) => this.#wrote("out", text) },
      err: { isTTY: terminal, write: (text: string) => this.#wrote("err", text) },
      input: this.input as unknown as Input,
      environment,
      directory: folder,
      onSignal: (signal, listener) => this.#signals.set(signal, listener),
      onDefect: (listener) => {
        this.#onDefect = listener;
      },
      exit: (code) => {
        this.exits.push(code);
        this.#check();
      },
    };
    this.ended = runProgram(args, io, parts).then((code) => ({ code, out: this.out, err: this.err }));
  }

  /** Settles when what was written (or done) makes it true. */
  until(test: (line: CommandLine) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ test, resolve });
      this.#check();
    });
  }

  signal(signal: Signal): void {
    this.#signals.get(signal)?.();
  }

  /** Something threw and nobody caught it. */
  defect(error: unknown): void {
    this.#onDefect?.(error);
  }

  #wrote(to: "out" | "err", text: string): void {
    this[to] += text;
    this.#check();
  }

  #check(): void {
    const done = this.#waiting.filter(({ test }) => test(this));
    this.#waiting = this.#waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  }
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Are input and output a terminal? */
  readonly terminal?: boolean;
  readonly parts?: ServerParts;
}

/** A folder to run commands in, gone at the end. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "kith-cli-")));
  }
  private constructor(path: string) {
    this.path = path;
  }

  async write(name: string, content: string): Promise<string> {
    await writeFile(join(this.path, name), content);
    return join(this.path, name);
  }

  start(args: readonly string[], options: CommandOptions = {}): CommandLine {
    return new CommandLine(this.path, args, options);
  }

  /** Runs a command to its end; `input` comes on its standard input. */
  run(
    args: readonly string[],
    { input, ...options }: CommandOptions & { readonly input?: string } = {},
  ): Promise<Ended> {
    const line = this.start(args, options);
    line.input.end(input ?? "");
    return line.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
