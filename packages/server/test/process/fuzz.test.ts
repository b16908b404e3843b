import { join } from "node:path";
import { PROGRAM, Program } from "@kith/testing/process";
import { expect, test } from "vitest";

const FUZZ = join(import.meta.dirname, "../../../testing/src/fuzz/main.ts");
/** For each of two runs, on each runtime. CI runs `npm run fuzz` for a minute as well. */
const SECONDS = 10;
/** A busy machine is slow; one that tries fewer than so many inputs a second tries nothing. */
const LEAST_A_SECOND = { "XML reader": 10, streams: 1 } as const;

interface Report {
  readonly fuzz: keyof typeof LEAST_A_SECOND;
  readonly seed: number;
  readonly seconds: number;
  readonly inputs: number;
  readonly failed: boolean;
  readonly [counted: string]: unknown;
}

const reportOf = (line: string): readonly Report[] => (line.startsWith("{") ? [JSON.parse(line) as Report] : []);

const fuzz = async (
  ...seed: readonly string[]
): Promise<{ readonly output: string; readonly reports: readonly Report[] }> => {
  const program = new Program(PROGRAM, [FUZZ, "--seconds", String(SECONDS), ...seed]);
  await program.exited;
  const lines = [...program.output.all, ...program.errors.all];
  return { output: lines.join("\n"), reports: lines.flatMap(reportOf) };
};

test.each([
  ["the same inputs as ever", ["--seed", "1"]],
  ["inputs of the day", []],
])("RFC 6120 §13: the XML reader and whole streams stand %s", { timeout: 120_000 }, async (_, seed) => {
  const { output, reports } = await fuzz(...seed);
  // Said always: a run that has failed is repeated with its seed.
  process.stdout.write(`${output}\n`);
  expect(
    reports.map(({ fuzz: name, failed }) => [name, failed]),
    output,
  ).toEqual([
    ["XML reader", false],
    ["streams", false],
  ]);
  for (const { fuzz: name, seconds, inputs } of reports)
    expect(inputs, output).toBeGreaterThan(seconds * LEAST_A_SECOND[name]);
  const [reader, streams] = reports;
  // What is generated must get somewhere: streams that are accepted and refused, sessions bound, requests answered.
  for (const counted of ["closed", "refused"]) expect(reader?.[counted], output).toBeGreaterThan(20);
  for (const counted of ["bound", "answers", "chats"]) expect(streams?.[counted], output).toBeGreaterThan(10);
});
