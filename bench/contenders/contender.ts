/** What is compared: servers that can be installed, started and ended. */
import type { Child, Core } from "../children.ts";
import type { Fill } from "../history.ts";

/** "setup": accounts are being made, and nothing is measured. */
export type Purpose = "setup" | "measuring";

/** Are messages kept? "full-text": and can words in them be searched for? */
export type ArchiveSwitch = "off" | "on" | "full-text";

export interface Setting {
  readonly purpose: Purpose;
  readonly archive: ArchiveSwitch;
}

export interface Contender {
  /** As on the command line, such as "kith-node" or "prosody". */
  readonly name: string;
  /** For people, such as "Prosody". */
  readonly title: string;
  /** Contenders with the same data are one server on different runtimes. */
  readonly data: string;
  /** It takes part where archives are switched so. */
  readonly archives: readonly ArchiveSwitch[];
  /** Makes sure that it is there; says in which version. */
  prepare(): Promise<string>;
  /** Puts messages into its archive while it does not run. Where that cannot be done, archives are empty at first. */
  readonly fill?: (folder: string, fill: Fill, archive: ArchiveSwitch) => Promise<void>;
  /** Starts it with its data in a folder. Settles when it accepts streams. */
  start(folder: string, core: Core, setting: Setting): Promise<RunningServer>;
}

export interface RunningServer {
  readonly child: Child;
  readonly port: number;
}

/** Seconds that a server may take to start. */
export const START_LIMIT = 60;
