import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface, type Interface } from "node:readline";
import { Happenings } from "./happenings.ts";

/** How a program ended: its exit code, or 128 and the number of the signal that ended it. */
export type ExitCode = number;

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told every line of its standard output, as soon as it is there. */
  readonly heard?: (line: string) => void;
}

/** A running program, line by line. */
export class Program {
  readonly output = new Happenings<string>();
  readonly errors = new Happenings<string>();
  readonly exited: Promise<ExitCode>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #errorLines: Interface;
  readonly #name: string;

  constructor(program: string, args: readonly string[], { cwd, env, heard = () => {} }: ProgramOptions = {}) {
    this.#name = [program.split("/").at(-1), ...args].join(" ");
    const inherited = Object.fromEntries(INHERITED.flatMap((name) => entryOf(name)));
    this.#child = spawn(program, args, { cwd, env: { ...inherited, ...env } });
    this.#child.stdin.on("error", () => {
      // It has ended; whoever waits for it learns that from its exit.
    });
    const take = (line: string): void => {
      this.output.add(line);
      heard(line);
    };
    this.#errorLines = createInterface({ input: this.#child.stderr });
    const read = [
      eachLine(createInterface({ input: this.#child.stdout }), take),
      eachLine(this.#errorLines, (line) => this.errors.add(line)),
    ];
    const ended = new Promise<ExitCode>((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) =>
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
    this.exited = this.#end(ended, read);
    // Whoever waits for lines is told as well.
    this.exited.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  closeInput(): void {
    this.#child.stdin.end();
  }

  /** Nobody reads its standard error any more. */
  closeErrors(): void {
    this.#errorLines.close();
    this.#child.stderr.destroy();
  }

  async #end(ended: Promise<ExitCode>, read: readonly Promise<void>[]): Promise<ExitCode> {
    try {
      const code = await ended;
      await Promise.all(read);
      this.#endLines(`${this.#name} ended with ${code}`);
      return code;
    } catch (error) {
      this.#endLines(`${this.#name}: ${error instanceof Error ? error.message : error}`);
      throw error;
    }
  }

  #endLines(reason: string): void {
    const said = this.errors.all.slice(-20).join("\n");
    const error = new Error(said === "" ? reason : `${reason}, saying:\n${said}`);
    this.output.end(error);
    this.errors.end(error);
  }
}

/** Not the test runner's own variables. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL"];
const entryOf = (name: string): [string, string][] => {
  const value = process.env[name];
  return value === undefined ? [] : [[name, value]];
};

const eachLine = async (lines: Interface, take: (line: string) => void): Promise<void> => {
  for await (const line of lines) take(line);
};
