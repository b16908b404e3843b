import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RawClient, runtime, startServer } from "@kith/testing/process";
import { describe, expect, test } from "vitest";

const PASSWORD = "wherefore7";
const MESSAGES = 60;
const NS = "urn:xmpp:sm:3";

/** Every write of the server, to disk or to a client, and when the disk has said that it has it. */
const TRACED = "pwrite64,write,writev,sendto,sendmsg,fdatasync,fsync";
const canTrace = spawnSync("strace", ["-f", "-o", "/dev/null", "true"]).status === 0;

/** What the trace tells, in order. */
type Step =
  | { readonly is: "stored"; readonly messages: readonly number[] }
  | { readonly is: "synced" }
  | { readonly is: "acknowledged"; readonly h: number };

const stepsOf = (trace: string): readonly Step[] => trace.split("\n").flatMap(stepsIn);

const stepsIn = (line: string): readonly Step[] => {
  // Of one that takes its time there are two lines, and the second is when it is done.
  if (/fd?a?t?a?sync.*= 0$/.test(line)) return [{ is: "synced" }];
  if (line.includes(" pwrite64(")) {
    const messages = [...line.matchAll(/power-(\d+)\./g)].map(([, number]) => Number(number));
    return messages.length === 0 ? [] : [{ is: "stored", messages }];
  }
  const counts = [...line.matchAll(/<a xmlns='urn:xmpp:sm:3' h='(\d+)'/g)].map(([, h]) => Number(h));
  return counts.map((h) => ({ is: "acknowledged", h }));
};

/** Acknowledged before it was on disk. A message that lies across two pages cannot be seen, and is passed over. */
const tooEarly = (steps: readonly Step[]): { readonly seen: number; readonly early: readonly number[] } => {
  const all = new Set(steps.flatMap((step) => (step.is === "stored" ? step.messages : [])));
  const written = new Set<number>();
  const durable = new Set<number>();
  const early = new Set<number>();
  for (const step of steps) {
    if (step.is === "stored") addAll(written, step.messages);
    else if (step.is === "synced") addAll(durable, written);
    else
      addAll(
        early,
        firstOf(step.h).filter((message) => all.has(message) && !durable.has(message)),
      );
  }
  return { seen: all.size, early: [...early] };
};

const addAll = (to: Set<number>, numbers: Iterable<number>): void => {
  for (const number of numbers) to.add(number);
};
const firstOf = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at + 1);

describe(`loss of power (${runtime})`, () => {
  // Where nobody may be traced there is nothing to be seen; that is no fault of the server's.
  if (canTrace)
    test("an acknowledgement follows the fsync of the row of everything it acknowledges", async () => {
      const folder = await mkdtemp(join(tmpdir(), "kith-trace-"));
      const file = join(folder, "trace");
      // Detached, so that the process started here is the server itself.
      const under = ["strace", "-D", "-f", "-q", "-s", "1000000", "-e", `trace=${TRACED}`, "-o", file];
      await using server = await startServer({ config: { plaintextFromLoopback: true }, under });
      for (const jid of ["romeo@localhost", "juliet@localhost"]) await server.addUser(jid, PASSWORD);
      const romeo = await RawClient.connect({ port: server.port("c2s") });
      await romeo.login("romeo", PASSWORD, "orchard");
      romeo.send(`<enable xmlns='${NS}'/>`);
      await romeo.until("<enabled");
      for (let number = 1; number <= MESSAGES; number++) {
        romeo.send(
          `<message to='juliet@localhost' type='chat'><body>power-${number}.</body></message><r xmlns='${NS}'/>`,
        );
        // Some alone, some in company.
        if (number % 7 === 0) await romeo.until(`h='${number}'`);
      }
      await romeo.until(`h='${MESSAGES}'`);
      expect(await server.stop()).toBe(0);
      const { seen, early } = tooEarly(stepsOf(await readFile(file, "latin1")));
      await rm(folder, { recursive: true });
      expect(early).toEqual([]);
      expect(seen).toBeGreaterThan(MESSAGES * 0.8);
    });

  test("the trace would show one that came too early", () => {
    const write = (number: number): string => `7 pwrite64(23, "…power-${number}.…", 4096, 0) = 4096`;
    const ack = (h: number): string => `7 write(30, "<a xmlns='${NS}' h='${h}'/>", 34) = 34`;
    const sync = "7 fdatasync(23) = 0";
    expect(tooEarly(stepsOf([write(1), sync, ack(1), write(2), ack(2), sync].join("\n")))).toEqual({
      seen: 2,
      early: [2],
    });
    const split = ["7 fdatasync(23 <unfinished ...>", ack(1), "7 <... fdatasync resumed>) = 0"];
    expect(tooEarly(stepsOf([write(1), ...split].join("\n"))).early).toEqual([1]);
  });
});
