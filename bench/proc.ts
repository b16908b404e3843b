/** What Linux tells of processes: times, memory, children. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in these for every program, whatever the kernel's own clock (USER_HZ). */
const TICKS_PER_SECOND = 100;

export interface Stat {
  readonly parent: number;
  /** User and system time in seconds, of all threads, and of children that have ended and been waited for. */
  readonly cpuSeconds: number;
}

/** Reads `/proc/PID/stat` (proc_pid_stat(5)). The name in brackets may hold anything, brackets and spaces included. */
export const readStat = (text: string): Stat => {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(fields[number - FIRST_BEHIND_NAME]);
  const ticks = field(UTIME) + field(UTIME + 1) + field(UTIME + 2) + field(UTIME + 3);
  return { parent: field(PARENT), cpuSeconds: ticks / TICKS_PER_SECOND };
};
/** Numbered from 1, as in the manual. */
const FIRST_BEHIND_NAME = 3;
const PARENT = 4;
/** utime, stime, cutime, cstime. */
const UTIME = 14;

/** Reads the resident memory out of `/proc/PID/status`, in bytes; 0 for a process that has none any more. */
export const readResident = (text: string): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1_024;

/** The cores that `/proc/PID/status` says a process may run on, such as "0" or "0-1". */
export const readCores = (text: string): string => /^Cpus_allowed_list:\s+(\S+)$/m.exec(text)?.[1] ?? "";

/** A process and everything below it, out of who is whose parent. */
export const treeOf = (root: number, parents: ReadonlyMap<number, number>): readonly number[] => {
  const tree = new Set([root]);
  for (let before = 0; before < tree.size; ) {
    before = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
};

/** A running server: its process and all its children. */
export class ProcessTree {
  readonly #root: number;
  #pids: readonly number[] = [];

  constructor(root: number) {
    this.#root = root;
    this.rescan();
  }

  /** Looks for children that have come since; gives the time they have used. It takes some milliseconds. */
  rescan(): number {
    const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
    const parents = new Map(pids.flatMap((pid) => entryOf(pid)));
    const known = new Set(this.#pids);
    this.#pids = treeOf(this.#root, parents);
    return cpuSecondsOf(this.#pids.filter((pid) => !known.has(pid)));
  }

  /** User and system time since they started, in seconds, to within 10 ms. */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#pids);
  }

  /** In bytes. */
  get resident(): number {
    return sum(this.#pids, (pid) => readResident(fileOf(pid, "status")));
  }

  get cores(): string {
    return ifThere(() => readCores(fileOf(this.#root, "status"))) ?? "";
  }
}

const sum = (pids: readonly number[], figure: (pid: number) => number): number =>
  pids.reduce((total, pid) => total + (ifThere(() => figure(pid)) ?? 0), 0);

const cpuSecondsOf = (pids: readonly number[]): number => sum(pids, (pid) => readStat(fileOf(pid, "stat")).cpuSeconds);

const fileOf = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, "latin1");

const entryOf = (pid: number): readonly (readonly [number, number])[] => {
  const stat = ifThere(() => readStat(fileOf(pid, "stat")));
  return stat === undefined ? [] : [[pid, stat.parent]];
};

/** A process may end while it is being looked at. */
const ifThere = <T>(look: () => T): T | undefined => {
  try {
    return look();
  } catch {
    return undefined;
  }
};
