/** What the generator's process is asked to do, and what it answers: one JSON text each. */
import type { Figures } from "../figures.ts";
import type { Phases } from "./drive.ts";
import type { ChatTask, IdleTask, LoginTask, PresenceTask } from "./measure-tasks.ts";
import type { PagesTask } from "./pages.ts";
import type { BefriendTask, RegisterTask } from "./setup-tasks.ts";

/** Over the network. */
export type SetupTask = RegisterTask | BefriendTask;
export type MeasureTask = ChatTask | PresenceTask | LoginTask | IdleTask | PagesTask;

export interface Job {
  readonly task: SetupTask | MeasureTask;
  readonly port: number;
  readonly tls: boolean;
  /** Of the server. */
  readonly pid: number;
  /** Where salted passwords are kept. */
  readonly keysFile: string;
  readonly phases: Phases;
  /** Seconds after which the generator gives up. */
  readonly timeLimit: number;
}

export interface JobResult {
  readonly figures: Figures;
  /** The cores each may run on. */
  readonly serverCores: string;
  readonly generatorCores: string;
}
