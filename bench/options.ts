/** The command line. */
import { parseArgs } from "node:util";
import type { Contender } from "./contenders/contender.ts";
import { ejabberd, ejabberdSqlite } from "./contenders/ejabberd.ts";
import { kith } from "./contenders/kith.ts";
import { prosody, prosodySqlite } from "./contenders/prosody.ts";
import { SCENARIO_NAMES, type ScenarioName } from "./scenarios.ts";

export const USAGE = `npm run bench -- [SCENARIO…] [options]

Scenarios (all of them where none is named):
  chat-w10          200 pairs, each with 10 messages under way
  chat-w1           200 pairs, each with 1 message under way
  chat-1000         1,000 pairs, each with 1 message under way
  chat-rate         200 pairs, 2,000 messages/s in all
  tls-chat-w10      as chat-w10, over TLS
  presence          500 users with 20 contacts each, each with 1 change of presence under way
  login             3,000 logins, 50 at a time
  idle              10,000 sessions that do nothing, with 10 contacts each
  tls-idle          the same over TLS
  archive-w10       as chat-w10, kept in archives that hold 1,000,000 messages beforehand
  archive-text-w10  the same, and words in messages can be searched for
  archive-rate      as chat-rate, kept in archives
  sm-w10            as chat-w10, with stream management
  sm-archive-w10    as archive-w10, with stream management
  mam-page          pages of 50 from one account's archive of 1,000,000 messages

Who runs:
  --runtime node|bun            what Kith runs on; may be given twice (default: node)
  --peer prosody|ejabberd       beside Kith on the same work; may be given several times
  --peer prosody-sqlite|ejabberd-sqlite
                                with archives in SQLite; where there are archives
  --no-kith                     peers only

How:
  --runs N                      runs of each, in turn (default 5; fewer are not for publishing)
  --warmup S, --duration S      seconds of a run before and while it is measured (3, 10)
  --connections N, --hold S     of the idle scenarios (10,000, 30)
  --server-core N, --generator-core N   (0, 1)
  --data DIR                    keeps accounts there for the next time (default: a temporary folder)

What comes out:
  --json FILE                   appends each run as a line of JSON
  --markdown                    prints the tables of docs/performance.md
  --from FILE                   prints tables of such lines and runs nothing
`;

export interface Options {
  readonly scenarios: readonly ScenarioName[];
  readonly contenders: readonly Contender[];
  readonly runs: number;
  readonly warmup: number;
  readonly duration: number;
  readonly connections: number;
  readonly hold: number;
  readonly serverCore: number;
  readonly generatorCore: number;
  readonly data: string | undefined;
  readonly json: string | undefined;
  readonly markdown: boolean;
  readonly from: string | undefined;
}

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {}

/** Reads the command line; `undefined` where only help is asked for. Throws UsageError. */
export const readOptions = (args: readonly string[]): Options | undefined => {
  const { values, positionals } = parsed(args);
  if (values.help) return undefined;
  const unknown = positionals.find((name) => !isScenario(name));
  if (unknown !== undefined) throw new UsageError(`there is no scenario "${unknown}"`);
  const scenarios = positionals.filter(isScenario);
  return {
    scenarios: scenarios.length > 0 ? scenarios : SCENARIO_NAMES,
    contenders: contendersOf(values),
    runs: within("runs", values.runs, 1, 100),
    warmup: within("warmup", values.warmup, 0, 60),
    duration: within("duration", values.duration, 1, 300),
    connections: within("connections", values.connections, 100, 15_000),
    hold: within("hold", values.hold, 1, 600),
    serverCore: within("server-core", values["server-core"], 0, 1_023),
    generatorCore: within("generator-core", values["generator-core"], 0, 1_023),
    data: values.data,
    json: values.json,
    markdown: values.markdown,
    from: values.from,
  };
};

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        runtime: { type: "string", multiple: true, default: ["node"] },
        peer: { type: "string", multiple: true, default: [] },
        "no-kith": { type: "boolean", default: false },
        runs: { type: "string", default: "5" },
        warmup: { type: "string", default: "3" },
        duration: { type: "string", default: "10" },
        connections: { type: "string", default: "10000" },
        hold: { type: "string", default: "30" },
        "server-core": { type: "string", default: "0" },
        "generator-core": { type: "string", default: "1" },
        data: { type: "string" },
        json: { type: "string" },
        markdown: { type: "boolean", default: false },
        from: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

const isScenario = (name: string): name is ScenarioName => (SCENARIO_NAMES as readonly string[]).includes(name);

interface Who {
  readonly runtime: readonly string[];
  readonly peer: readonly string[];
  readonly "no-kith": boolean;
}

const contendersOf = ({ runtime, peer, "no-kith": noKith }: Who): readonly Contender[] => {
  const ours = noKith ? [] : runtime.map(kithOn);
  const contenders = [...ours, ...peer.map(peerNamed)];
  if (contenders.length === 0) throw new UsageError("nobody is left to run: --no-kith needs a --peer");
  return contenders;
};

const kithOn = (runtime: string): Contender => {
  if (runtime === "node" || runtime === "bun") return kith(runtime);
  throw new UsageError(`--runtime is node or bun, not "${runtime}"`);
};

const PEERS: ReadonlyMap<string, () => Contender> = new Map([
  ["prosody", prosody],
  ["prosody-sqlite", prosodySqlite],
  ["ejabberd", ejabberd],
  ["ejabberd-sqlite", ejabberdSqlite],
]);

const peerNamed = (name: string): Contender => {
  const peer = PEERS.get(name);
  if (peer !== undefined) return peer();
  throw new UsageError(`--peer is ${[...PEERS.keys()].join(", ")}, not "${name}"`);
};

const within = (name: string, text: string, least: number, most: number): number => {
  const number = Number(text);
  if (text !== "" && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
};
