/** Tries inputs of one kind for a while, and makes the first that breaks something small. */
import { type Bytes, SCANNER_LIMITS, type ScannerLimits, toText } from "@kith/protocol";
import { Broken } from "./broken.ts";
import { minimise } from "./minimise.ts";
import { mutated } from "./mutate.ts";
import { Random } from "./random.ts";
import { type Step, StreamSteps } from "./stream-steps.ts";
import { checkStreams } from "./streams.ts";
import { XmlDocuments } from "./xml-documents.ts";
import { checkReader, type ReaderCase } from "./xml-reader.ts";

/** What was counted, by name. */
export type Tally = Readonly<Record<string, number>>;

export interface Failure {
  /** Gives this very input again. */
  readonly seed: number;
  readonly reason: string;
  /** The input, made small, for people. */
  readonly input: string;
}

export interface Campaign {
  readonly inputs: number;
  readonly tally: Tally;
  readonly failure: Failure | undefined;
}

/** One kind of input. */
export interface Target {
  readonly name: string;
  /** Makes the input of this seed and tries it. Throws `Broken`. */
  readonly attempt: (seed: number) => Tally | Promise<Tally>;
  /** The same input, as small as it still fails. */
  readonly explain: (seed: number) => Promise<string>;
}

/** Until time is over (`seconds`) or something is broken. The inputs follow from `seed` alone. */
export const campaign = async ({ attempt, explain }: Target, seed: number, seconds: number): Promise<Campaign> => {
  const random = new Random(seed);
  const end = performance.now() + 1000 * seconds;
  const tally: Record<string, number> = {};
  let inputs = 0;
  while (performance.now() < end) {
    const chosen = random.fork();
    inputs++;
    const reason = await failureOf(async () => add(tally, await attempt(chosen)));
    if (reason !== undefined) return { inputs, tally, failure: { seed: chosen, reason, input: await explain(chosen) } };
  }
  return { inputs, tally, failure: undefined };
};

const add = (tally: Record<string, number>, more: Tally): void => {
  for (const [name, count] of Object.entries(more)) tally[name] = (tally[name] ?? 0) + count;
};

const failureOf = async (step: () => void | Promise<void>): Promise<string | undefined> => {
  try {
    await step();
    return undefined;
  } catch (error) {
    if (error instanceof Broken) return error.message;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
};

// ── The XML reader ─────────────────────────────────────────────────────────────────────────────────────────────────

const readerCase = (seed: number): ReaderCase => {
  const random = new Random(seed);
  const written = new TextEncoder().encode(new XmlDocuments(random).streams());
  const bytes = random.oneIn(2) ? written : mutated(written, random, random.between(1, 3));
  return { bytes, limits: random.oneIn(4) ? tightLimits(random) : SCANNER_LIMITS, seed: random.fork() };
};

const tightLimits = (random: Random): ScannerLimits => ({
  stanzaBytes: random.between(60, 2_000),
  depth: random.between(1, 6),
  attributes: random.between(1, 6),
  children: random.between(1, 6),
  prefixes: random.between(0, 4),
});

export const reader: Target = {
  name: "XML reader",
  attempt: (seed) => ({ [checkReader(readerCase(seed))]: 1 }),
  explain: async (seed) => {
    const input = readerCase(seed);
    const fails = (bytes: readonly number[]): Promise<boolean> =>
      failureOf(() => void checkReader({ ...input, bytes: Uint8Array.from(bytes) })).then(
        (reason) => reason !== undefined,
      );
    const bytes = Uint8Array.from(await minimise([...input.bytes], fails));
    const reason = await failureOf(() => void checkReader({ ...input, bytes }));
    const limits = input.limits === SCANNER_LIMITS ? "" : `\nlimits: ${JSON.stringify(input.limits)}`;
    return `${asText(bytes)}${limits}\n${reason}`;
  },
};

/** As text if it is UTF-8. */
const asText = (bytes: Uint8Array): string => {
  const latin1 = Buffer.from(bytes).toString("latin1");
  try {
    return JSON.stringify(toText(latin1 as Bytes));
  } catch {
    return `${JSON.stringify(latin1)} (bytes)`;
  }
};

// ── Whole streams ──────────────────────────────────────────────────────────────────────────────────────────────────

const STEPS = { least: 5, most: 60 } as const;
/** A sequence takes milliseconds. */
const TRIES = 300;

const streamCase = (seed: number): { readonly steps: readonly Step[]; readonly seed: number } => {
  const random = new Random(seed);
  return { steps: new StreamSteps(random).sequence(random.between(STEPS.least, STEPS.most)), seed: random.fork() };
};

export const streams: Target = {
  name: "streams",
  attempt: async (seed) => {
    const input = streamCase(seed);
    return { ...(await checkStreams(input)), steps: input.steps.length };
  },
  explain: async (seed) => {
    const input = streamCase(seed);
    const reasonOf = (steps: readonly Step[]): Promise<string | undefined> =>
      failureOf(async () => void (await checkStreams({ ...input, steps })));
    const fails = (steps: readonly Step[]): Promise<boolean> => reasonOf(steps).then((reason) => reason !== undefined);
    const steps = await minimise(input.steps, fails, TRIES);
    return `${steps.map((step) => JSON.stringify(step)).join("\n")}\n${await reasonOf(steps)}`;
  },
};
