/**
 * `npm run soak`: a server process with people and strangers who come and go for so many minutes; fails if it holds more
 * and more memory, handles, threads or timers, loses a message, or logs an error. With `--connects` so many connections come and go
 * instead, and memory has to stay what it was after the first fifth of them.
 *
 *     npm run soak -- --minutes 60 --people 20 --seed 42
 *     npm run soak -- --connects 100000
 *     KITH_RUNTIME=bun npm run soak
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { connectControl } from "../../../server/src/control/control-client.ts";
import { Random } from "../fuzz/random.ts";
import { HonestPair } from "../process/honest-pair.ts";
import { useOf } from "../process/process-use.ts";
import { RawClient } from "../process/raw-client.ts";
import { type KithServer, runtime, startServer } from "../process/server.ts";
import { soakConnects } from "./connects.ts";
import { judge, type Sample } from "./measures.ts";
import { type Done, PASSWORD, Visitor } from "./visitors.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    people: { type: "string", default: "12" },
    seed: { type: "string" },
    connects: { type: "string" },
  },
});

const ACCOUNTS = 40;
const SAMPLE_MS = 1_000;
const REPORT_EVERY = 30;
const say = (fields: Readonly<Record<string, unknown>>): void =>
  void process.stdout.write(`${JSON.stringify(fields)}\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const sampler = async (server: KithServer): Promise<(at: number) => Promise<Sample>> => {
  const control = await connectControl(`${server.folder}/data`);
  if (control === undefined) throw new Error("the server cannot be asked for its status");
  return async (at) => {
    const [use, { streams, timers, resources }] = await Promise.all([useOf(server.pid), control.run("status", {})]);
    return { at, streams, timers, resources, ...use };
  };
};

const register = async (server: KithServer): Promise<readonly string[]> => {
  const names = Array.from({ length: ACCOUNTS }, (_, at) => `person${at}`);
  for (const name of names) {
    const client = await RawClient.connect({ port: server.port("c2s") });
    await client.register(name, PASSWORD);
    client.destroy();
  }
  return names;
};

/** Waits for the last stream to end. */
const quiet = async (sample: (at: number) => Promise<Sample>, at: number): Promise<Sample> => {
  for (let tries = 0; ; tries++) {
    const left = await sample(at);
    if (left.streams === 0 || tries > 60) return left;
    await pause(SAMPLE_MS);
  }
};

const CONFIG = {
  hosts: { localhost: { registration: "open" } },
  registration: { perAddress: false },
  plaintextFromLoopback: true,
  scram: { iterations: 4_096 },
  limits: { guessing: false, unauthenticatedPerAddress: false },
  timeouts: { negotiation: "5 s", close: "1 s" },
} as const;

const comeAndGo = async (connects: number): Promise<readonly string[]> => {
  await using server = await startServer({ config: CONFIG });
  const accounts = await register(server);
  const sample = await sampler(server);
  say({ soak: runtime, connects });
  const faults = await soakConnects(server, connects, accounts, { sample, quiet: (at) => quiet(sample, at), say });
  return [...faults, ...(await endOf(server))];
};

/** Errors in its log, and how it ended. */
const endOf = async (server: KithServer): Promise<readonly string[]> => {
  const errors = server.log.filter((line) => line.includes('"level":"error"'));
  const code = await server.stop();
  return [...errors, ...(code === 0 ? [] : [`the server ended with ${code}`])];
};

const soak = async (minutes: number, people: number, seed: number): Promise<readonly string[]> => {
  await using server = await startServer({ config: CONFIG });
  const accounts = await register(server);
  const sample = await sampler(server);
  const idle = await quiet(sample, 0);
  const pair = await HonestPair.meet(server);
  const random = new Random(seed);
  const done: Done = {};
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  let isOver = false;
  const visits = Array.from({ length: people }, () =>
    new Visitor(server, random.fork(), accounts, done).until(() => isOver),
  );
  const visited = Promise.all(visits);
  const samples: Sample[] = [];
  while (seconds() < 60 * minutes) {
    await Promise.race([pause(SAMPLE_MS), visited]);
    samples.push(await sample(seconds()));
    if (samples.length % REPORT_EVERY === 0) say({ ...samples.at(-1), ...done, pair: await pair.seen() });
  }
  isOver = true;
  await visited;
  const conversation = await pair.seen();
  await pair.part();
  const left = await quiet(sample, seconds());
  const { faults, rss } = judge(samples, idle, left);
  say({
    soak: runtime,
    seed,
    minutes,
    people,
    ...done,
    ...conversation,
    rss,
    handles: left.handles,
    threads: left.threads,
    timers: left.timers,
  });
  return [...faults, ...(await endOf(server))];
};

const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
const faults =
  values.connects === undefined
    ? await soak(Number(values.minutes), Number(values.people), seed)
    : await comeAndGo(Number(values.connects));
for (const fault of faults) say({ fault });
process.exit(faults.length > 0 ? 1 : 0);
