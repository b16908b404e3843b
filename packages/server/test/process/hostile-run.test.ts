import { join } from "node:path";
import { Program, runtime } from "@kith/testing/process";
import { expect, test } from "vitest";

const HOSTILE = join(import.meta.dirname, "../../../testing/src/hostile/main.ts");
/** The run itself is for a machine that does nothing else; here it is short, and others are at work. */
const SHORT = ["--seconds", "12", "--pairs", "30", "--rate", "300", "--connects", "100", "--unpinned"];

/** A busy machine may take its time; that nobody is cut off or shut out, and nothing lost, is for every machine. */
const isAboutTime = (fault: string): boolean =>
  /an honest login took \d+ ms$|hostile connections a second|p99 was|the server held/.test(fault);
/** A server that has to wait for its core holds more than it need. */
const MOST_MEGABYTES = 400;

interface Figures {
  readonly phase?: string;
  readonly connects?: Readonly<Record<string, number>>;
  readonly logins?: number;
  readonly rssMegabytes?: number;
  readonly fault?: string;
}

test(`RFC 6120 §13.12: pairs chat on and newcomers get in while others do their worst (${runtime})`, async () => {
  // The load runs where the tests do; it starts the server on the runtime at hand.
  const program = new Program(process.execPath, [HOSTILE, ...SHORT], { env: { KITH_RUNTIME: runtime } });
  await program.exited;
  const said = [...program.output.all, ...program.errors.all].join("\n");
  const lines = program.output.all.map((line) => JSON.parse(line) as Figures);
  const attacked = lines.filter(({ connects, phase }) => phase !== undefined && connects !== undefined);
  expect(
    attacked.map(({ phase }) => phase),
    said,
  ).toEqual(["from 127.0.0.2", "from 200 addresses in 127.1.0.0/16"]);
  for (const { connects = {}, logins = 0, rssMegabytes } of attacked) {
    expect(rssMegabytes, said).toBeLessThan(MOST_MEGABYTES);
    expect(Math.min(...Object.values(connects)), said).toBeGreaterThan(50);
    expect(logins, said).toBeGreaterThan(1);
  }
  const faults = lines.flatMap(({ fault }) => fault ?? []).filter((fault) => !isAboutTime(fault));
  expect(faults, said).toEqual([]);
});
