import { readdir, readFile } from "node:fs/promises";

/** What a process holds, as Linux tells it. */
export interface ProcessUse {
  /** Resident memory, in bytes. */
  readonly rss: number;
  /** Files and sockets. */
  readonly handles: number;
  readonly threads: number;
  /** In milliseconds, user and system, all threads. */
  readonly cpu: number;
  /** In milliseconds: how long its main thread could have run, and waited for a core that others had. */
  readonly waited: number;
}

/** Clock ticks a second; the same on every Linux that there is. */
const TICKS = 100;

export const useOf = async (pid: number): Promise<ProcessUse> => {
  const [status, stat, schedule, handles] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/task/${pid}/schedstat`, "utf8"),
    readdir(`/proc/${pid}/fd`),
  ]);
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  // After the name, which may hold anything, in brackets: user and system time are the 12th and 13th.
  const times = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    rss: number("VmRSS") * 1024,
    handles: handles.length,
    threads: number("Threads"),
    cpu: ((Number(times[11]) + Number(times[12])) * 1000) / TICKS,
    // Time on a core and time waiting for one, in nanoseconds.
    waited: Number(schedule.split(" ")[1]) / 1_000_000,
  };
};
