import { describe, expect, test } from "vitest";
import { ProcessTree, readCores, readResident, readStat, treeOf } from "./proc.ts";

/** A line as proc_pid_stat(5) describes it, with the fields that count. */
const statLine = ({ name = "node", parent = 1, times = [0, 0, 0, 0] as readonly number[] }) =>
  `4711 (${name}) S ${parent} 4711 4711 0 -1 4194560 5 6 7 8 ${times.join(" ")} 20 0 11 0 99 1000 25\n`;

describe("/proc", () => {
  test("proc_pid_stat(5): times are those of user and system, and of children that have ended", () => {
    expect(readStat(statLine({ parent: 42, times: [1_250, 430, 15, 5] }))).toEqual({ parent: 42, cpuSeconds: 17 });
  });

  test.each(["a b", "x) S 7 (y", "((", ") 1 2 3 (S"])("proc_pid_stat(5): a process may be called %j", (name) => {
    expect(readStat(statLine({ name, parent: 42, times: [100, 0, 0, 0] }))).toEqual({ parent: 42, cpuSeconds: 1 });
  });

  test("proc_pid_status(5): resident memory is told in KiB; a zombie has none", () => {
    const status = "Name:\tnode\nVmPeak:\t 9000 kB\nVmRSS:\t  1234 kB\nRssAnon:\t 1000 kB\n";
    expect(readResident(status)).toBe(1_234 * 1_024);
    expect(readResident("Name:\tnode\nState:\tZ (zombie)\n")).toBe(0);
  });

  test("proc_pid_status(5): cores", () => {
    expect(readCores("Cpus_allowed:\t3\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0\n")).toBe("0-1");
    expect(readCores("")).toBe("");
  });

  test("a tree is a process and all below it, in whatever order they are found, and nobody else", () => {
    const parents = new Map([
      [40, 30],
      [30, 20],
      [20, 10],
      [10, 1],
      [21, 10],
      [11, 1],
      [12, 11],
    ]);
    expect(treeOf(10, parents).toSorted((one, other) => one - other)).toEqual([10, 20, 21, 30, 40]);
    expect(treeOf(99, parents)).toEqual([99]);
  });

  test.runIf(process.platform === "linux")("this process has memory, cores, and time that grows", () => {
    const tree = new ProcessTree(process.pid);
    const before = tree.cpuSeconds;
    while (tree.cpuSeconds === before);
    expect(tree.cpuSeconds).toBeGreaterThan(before);
    expect(tree.resident).toBeGreaterThan(10_000_000);
    expect(tree.cores).toMatch(/^\d/);
  });

  test.runIf(process.platform === "linux")("a process that has gone counts for nothing", () => {
    const gone = new ProcessTree(2 ** 22 + 1);
    expect([gone.cpuSeconds, gone.resident, gone.cores]).toEqual([0, 0, ""]);
  });
});
