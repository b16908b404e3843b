/** What is compared: servers that can be installed, started and ended. */
import type { Child, Core } from "../children.ts";

/** "setup": accounts are being made, and nothing is measured. */
export type Purpose = "setup" | "measuring";

export interface Contender {
  /** As on the command line, such as "kith-node" or "prosody". */
  readonly name: string;
  /** For people, such as "Prosody". */
  readonly title: string;
  /** Contenders with the same data are one server on different runtimes. */
  readonly data: string;
  /** Makes sure that it is there; says in which version. */
  prepare(): Promise<string>;
  /** Starts it with its data in a folder. Settles when it accepts streams. */
  start(folder: string, core: Core, purpose: Purpose): Promise<RunningServer>;
}

export interface RunningServer {
  readonly child: Child;
  readonly port: number;
}

/** Seconds that a server may take to start. */
export const START_LIMIT = 60;
