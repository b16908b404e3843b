/** The process as commands see it; handed in, so that they run in tests without one. */
import type { Environment } from "../config-environment.ts";

export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

export interface Input {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
  setEncoding(encoding: "utf8"): unknown;
  on(event: "data", listener: (text: string) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "data", listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export type Signal = "SIGTERM" | "SIGINT" | "SIGHUP";

export interface Io {
  /** For programs: what was asked for, and nothing else. */
  readonly out: Output;
  /** For people: logs, sentences, prompts. */
  readonly err: Output;
  readonly input: Input;
  readonly environment: Environment;
  /** The working directory. */
  readonly directory: string;
  onSignal(signal: Signal, listener: () => void): void;
  /** Something threw and nobody caught it. */
  onDefect(listener: (error: unknown) => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

export const processIo = (): Io => ({
  out: readByWhoever(process.stdout),
  err: readByWhoever(process.stderr),
  input: process.stdin as Input,
  environment: process.env,
  directory: process.cwd(),
  onSignal: (signal, listener) => process.on(signal, listener),
  onDefect: (listener) => {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
  },
  exit: (code) => process.exit(code),
});

/** Whoever reads it may go: no log collector takes the server with it. Somebody who closes the terminal wants it to end. */
const readByWhoever = (output: NodeJS.WriteStream): Output => {
  let isGone = false;
  output.on("error", () => {
    if (output.isTTY && !isGone) process.kill(process.pid, "SIGTERM");
    isGone = true;
  });
  return output;
};

export const line = (output: Output, text: string): void => {
  output.write(`${text}\n`);
};
