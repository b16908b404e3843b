/** What `npm run chaos` may be told. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { BROKEN_PROMISES, type BrokenPromise, FAULT_POINTS, type FaultPoint } from "../../../server/src/faults.ts";
import type { Runtime } from "../process/server.ts";

export interface ChaosOptions {
  /** How often the server is killed, at most. */
  readonly kills: number;
  /** After so many minutes no further kill follows; `undefined`: however long it takes. */
  readonly minutes: number | undefined;
  /** Decides everything that is random but for time itself. */
  readonly seed: number;
  readonly runtime: Runtime;
  /** Where it is killed, if not everywhere in turn. */
  readonly at: FaultPoint | undefined;
  /** A promise that the server is told to break, to see whether that is found out. */
  readonly breaks: BrokenPromise | undefined;
}

export const USAGE = `npm run chaos -- [options]

People chat, with and without stream management, while their connections are cut, stalled and half-opened, and their
server is killed and started again. What was acknowledged has to be everywhere exactly once, and in order.

  --kills N         how often the server is killed (200)
  --minutes M       no further kill after so many minutes
  --seed S          repeats the choices of another run, which printed it
  --runtime R       what the server runs on: node (default) or bun
  --at POINT        kills it at one point only: ${FAULT_POINTS.map((point) => `"${point}"`).join(", ")}
  --breaks PROMISE  has the server break a promise: ${BROKEN_PROMISES.map((promise) => `"${promise}"`).join(", ")}
`;

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {}

/** Reads the command line; `undefined` where only help is asked for. Throws UsageError. */
export const readOptions = (args: readonly string[]): ChaosOptions | undefined => {
  const values = parsed(args);
  if (values.help) return undefined;
  return {
    kills: within("kills", values.kills, 1, 100_000),
    minutes: values.minutes === undefined ? undefined : within("minutes", values.minutes, 1, 100_000),
    seed: values.seed === undefined ? randomInt(2 ** 32) : within("seed", values.seed, 0, 2 ** 32 - 1),
    runtime: oneOf("runtime", values.runtime, ["node", "bun"]),
    at: values.at === undefined ? undefined : oneOf("at", values.at, FAULT_POINTS),
    breaks: values.breaks === undefined ? undefined : oneOf("breaks", values.breaks, BROKEN_PROMISES),
  };
};

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kills: { type: "string", default: "200" },
        minutes: { type: "string" },
        seed: { type: "string" },
        runtime: { type: "string", default: process.env.KITH_RUNTIME ?? "node" },
        at: { type: "string" },
        breaks: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

const within = (name: string, text: string, least: number, most: number): number => {
  const number = Number(text);
  if (text !== "" && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
};

const oneOf = <T extends string>(name: string, text: string, values: readonly T[]): T => {
  const value = values.find((one) => one === text);
  if (value !== undefined) return value;
  throw new UsageError(`--${name} is ${values.map((one) => `"${one}"`).join(" or ")}, not "${text}"`);
};
