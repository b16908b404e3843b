/** What `npm run hostile` may be told. */
import { parseArgs } from "node:util";
import { KIND_NAMES, type Kind } from "./deeds.ts";

export interface HostileOptions {
  /** Of attack, in all: half of it from one address, half from many. */
  readonly seconds: number;
  readonly pairs: number;
  /** Messages a second, of all pairs together. */
  readonly rate: number;
  /** New connections a second, of all attackers together. */
  readonly connects: number;
  /** What 99 of 100 messages may take at most, in milliseconds. */
  readonly p99: number;
  /** Who attacks; all of them in a run that proves anything. */
  readonly kinds: readonly Kind[];
  /** The server's core and everybody else's; `undefined`: wherever the system likes. */
  readonly cores: { readonly server: number; readonly load: number } | undefined;
}

export const USAGE = `npm run hostile -- [options]

200 pairs chat while attackers do their worst, half of the time from one address, half from 200 of them.

  --seconds N     of attack in all (300)
  --pairs N       who chat (200)
  --rate N        messages a second, of all pairs together (2,000)
  --connects N    new connections a second, of all attackers together (240)
  --p99 MS        what 99 of 100 messages may take at most (20)
  --only KIND     one kind of attackers alone, to see what it costs: ${KIND_NAMES.map((kind) => `"${kind}"`).join(", ")}
  --unpinned      server and load are not kept on cores of their own

KITH_RUNTIME=bun has the server run on Bun. It needs Linux; server and load have a core each where there is "taskset".
`;

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {}

/** Reads the command line; `undefined` where only help is asked for. Throws UsageError. */
export const readOptions = (args: readonly string[], cores: number): HostileOptions | undefined => {
  const values = parsed(args);
  if (values.help) return undefined;
  return {
    seconds: within("seconds", values.seconds, 2, 86_400),
    pairs: within("pairs", values.pairs, 1, 1_000),
    rate: within("rate", values.rate, 1, 10_000),
    connects: within("connects", values.connects, 1, 2_000),
    p99: within("p99", values.p99, 1, 60_000),
    kinds: values.only === undefined ? KIND_NAMES : [kindNamed(values.only)],
    cores: values.unpinned || cores < 2 ? undefined : { server: 0, load: 1 },
  };
};

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: { type: "string", default: "300" },
        pairs: { type: "string", default: "200" },
        rate: { type: "string", default: "2000" },
        connects: { type: "string", default: "240" },
        p99: { type: "string", default: "20" },
        only: { type: "string" },
        unpinned: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

const kindNamed = (name: string): Kind => {
  const kind = KIND_NAMES.find((one) => one === name);
  if (kind !== undefined) return kind;
  throw new UsageError(`there is no kind of attackers "${name}"`);
};

const within = (name: string, text: string, least: number, most: number): number => {
  const number = Number(text);
  if (text !== "" && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
};
