/** What has to hold while others do their worst, and whether it did. */
import type { Progress } from "./attack.ts";
import type { Welcome } from "./newcomers.ts";
import type { Chatted } from "./pairs.ts";

export interface Bounds {
  /** What 99 of 100 messages may take, in milliseconds. */
  readonly p99: number;
  /** How long an honest login may take, in milliseconds. */
  readonly login: number;
  /** Resident memory of the server, in bytes. */
  readonly rss: number;
  /** New hostile connections a second, without which it is no attack. */
  readonly connects: number;
}

export const BOUNDS: Omit<Bounds, "p99" | "connects"> = { login: 2_000, rss: 300_000_000 };

/** One time of attack: who attacked, and what became of everybody. */
export interface Phase {
  readonly name: string;
  readonly chatted: Chatted;
  readonly welcome: Welcome;
  /** What the attackers had done at its end; `undefined` while there were none. */
  readonly attack: Progress | undefined;
  /** Connections of the pairs that were closed. */
  readonly broken: number;
  /** The most that the server held, in bytes. */
  readonly rss: number;
  /** Of a core, server and load. */
  readonly serverPercent: number;
  readonly loadPercent: number;
  /** Of the time: how long the server's main thread waited for its core, which others had. */
  readonly waitedPercent: number;
}

const MEGABYTE = 1_000_000;
export const connectsOf = ({ connects }: Progress): number =>
  Object.values(connects).reduce((sum, one) => sum + one, 0);

/** What did not hold, in sentences. */
export const faultsOf = ({ name, chatted, welcome, attack, broken, rss }: Phase, bounds: Bounds): readonly string[] => {
  const { lost, doubled, reordered, damaged, refused, p99 } = chatted;
  const perSecond = attack === undefined ? undefined : connectsOf(attack) / attack.seconds;
  const faults = [
    ...(broken > 0 ? [`${broken} connections of the pairs were closed`] : []),
    ...Object.entries({ lost, doubled, reordered, damaged, refused }).flatMap(([what, count]) =>
      count > 0 ? [`${count} messages were ${what}`] : [],
    ),
    ...(p99 >= bounds.p99 ? [`p99 was ${p99.toFixed(1)} ms; allowed: less than ${bounds.p99}`] : []),
    ...welcome.failures.map((reason) => `an honest login failed: ${reason}`),
    ...(welcome.logins === 0 ? ["nobody logged in"] : []),
    ...(welcome.slowest >= bounds.login ? [`an honest login took ${welcome.slowest} ms`] : []),
    ...(rss >= bounds.rss ? [`the server held ${Math.round(rss / MEGABYTE)} MB`] : []),
    ...(perSecond !== undefined && perSecond < bounds.connects
      ? [`there were ${Math.round(perSecond)} hostile connections a second; wanted: ${bounds.connects}`]
      : []),
  ];
  return faults.map((fault) => `${name}: ${fault}`);
};

const round = (number: number): number => Math.round(number * 100) / 100;

/** For a line of JSON. */
export const figuresOf = ({
  name,
  chatted,
  welcome,
  attack,
  broken,
  rss,
  serverPercent,
  waitedPercent,
  loadPercent,
}: Phase) => ({
  phase: name,
  ...chatted,
  p50: round(chatted.p50),
  p99: round(chatted.p99),
  slowest: round(chatted.slowest),
  latestSend: round(chatted.latestSend),
  broken,
  logins: welcome.logins,
  slowestLogin: welcome.slowest,
  rssMegabytes: Math.round(rss / MEGABYTE),
  serverPercent: Math.round(serverPercent),
  waitedPercent: Math.round(waitedPercent),
  loadPercent: Math.round(loadPercent),
  ...(attack === undefined ? {} : { connects: attack.connects, ended: attack.ended, held: attack.held }),
});
