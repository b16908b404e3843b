/** Runs as tables: for a terminal, and in Markdown for docs/performance.md. */
import { type FigureName, PAGE_PLACES } from "./figures.ts";
import { oneByOne } from "./layout.ts";
import type { Run } from "./run.ts";
import { SCENARIO_NAMES, type Unit } from "./scenarios.ts";
import { type Series, type Spread, seriesOf } from "./statistics.ts";

const UNITS: Readonly<Record<Unit, string>> = {
  message: "message",
  delivery: "delivery",
  login: "login",
  session: "session",
  page: "page",
};
const PLURALS: Readonly<Record<Unit, string>> = {
  message: "messages",
  delivery: "deliveries",
  login: "logins",
  session: "logins",
  page: "pages",
};

const KILO = 1_000;
const MEGA = 1_000_000;

/** A number with about three digits that count, and a comma between thousands. */
export const rounded = (number: number): string => {
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  return number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** The median, and the range unless it is no wider. */
const textOf = (spread: Spread | undefined, divisor = 1): string => {
  if (spread === undefined) return "";
  const [median, min, max] = [spread.median, spread.min, spread.max].map((number) => rounded(number / divisor));
  return min === max ? `${median}` : `${median} (${min}–${max})`;
};

interface Line {
  readonly label: (unit: Unit) => string;
  readonly figure: FigureName;
  readonly divisor?: number;
}

const LINES: readonly Line[] = [
  { label: (unit) => `${PLURALS[unit]} a second`, figure: "perSecond" },
  { label: (unit) => `server CPU, µs a ${unit === "session" ? "login" : UNITS[unit]}`, figure: "serverMicros" },
  { label: () => "server CPU, % of a core", figure: "serverPercent" },
  { label: () => "p50, ms", figure: "p50Ms" },
  { label: () => "p99, ms", figure: "p99Ms" },
  { label: () => "max, ms", figure: "maxMs" },
  ...PAGE_PLACES.flatMap((place): readonly Line[] => [
    { label: () => `${place} page, p50, ms`, figure: `${place}P50Ms` },
    { label: () => `${place} page, p99, ms`, figure: `${place}P99Ms` },
  ]),
  { label: () => "latest send, ms", figure: "latestSendMs" },
  { label: () => "at work afterwards, s", figure: "restSeconds" },
  { label: () => "memory a session, kB", figure: "sessionBytes", divisor: KILO },
  { label: () => "memory empty, MB", figure: "emptyBytes", divisor: MEGA },
  { label: () => "memory with all sessions, MB", figure: "heldBytes", divisor: MEGA },
  { label: () => "server CPU when idle, % of a core", figure: "idlePercent" },
  { label: () => "memory at most, MB", figure: "peakBytes", divisor: MEGA },
  { label: () => "generator CPU, % of its core", figure: "generatorPercent" },
];

/** One table a scenario, a column a contender, for a terminal. */
export const terminalTables = (runs: readonly Run[]): string =>
  byTitle(runs)
    .map(([title, all]) => terminalTable(title, all))
    .join("\n");

const terminalTable = (title: string, all: readonly Series[]): string => {
  const [first] = all;
  if (first === undefined) return "";
  const head = [
    "",
    ...all.map(
      ({ contender, runs }) => `${contender.contenderTitle}, ${runs.length} ${runs.length === 1 ? "run" : "runs"}`,
    ),
  ];
  const lines = LINES.map(({ label, figure, divisor }) => [
    label(first.scenario.unit),
    ...all.map((series) => textOf(series.spread(figure), divisor)),
  ]).filter(([, ...cells]) => cells.some((cell) => cell !== ""));
  return `${title}\n${oneByOne([head, ...lines])}${warnings(all)
    .map((text) => `  ${text}\n`)
    .join("")}`;
};

/** What speaks against the figures. */
const warnings = (all: readonly Series[]): readonly string[] =>
  all.flatMap((series) => {
    const { contenderTitle } = series.contender;
    const bound = series.isGeneratorBound
      ? [`${contenderTitle}: the generator used more than 90 % of its core; throughput is a lower bound`]
      : [];
    return [...bound, ...series.faults.map(([name, count]) => `${contenderTitle}: ${count} ${name}`)];
  });

/** The two tables of docs/performance.md, and what has to be said of them. */
export const markdownTables = (runs: readonly Run[]): string => {
  const contenders = [...new Map(runs.map((run) => [run.contender, run])).values()];
  const rows = byTitle(runs);
  const cost = table(["", ...contenders.map(({ contenderTitle }) => contenderTitle)], rows, contenders, costRow);
  const latencies = table(
    ["p50 / p99 / max, ms", ...contenders.map(({ contenderTitle }) => contenderTitle)],
    rows.filter(([, all]) => all.some((series) => series.spread("p50Ms") !== undefined)),
    contenders,
    latencyRow,
  );
  const notes = rows.flatMap(([title, all]) => warnings(all).map((text) => `- ${title}: ${text}.`));
  return [provenance(runs, contenders), cost, latencies, notes.join("\n")].filter((part) => part !== "").join("\n\n");
};

const provenance = (runs: readonly Run[], contenders: readonly Run[]): string => {
  const [first] = runs;
  if (first === undefined) return "";
  const { processor, cores, memoryGiB, system } = first.machine;
  const counts = seriesOf(runs).map((series) => series.runs.length);
  const versions = contenders.map(({ contenderTitle, version }) => `${contenderTitle} ${version}`).join("; ");
  return (
    `${first.at.slice(0, 10)}; ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}. ${versions}. ` +
    `Medians of ${rangeOf(counts)} runs, with the smallest and the largest figure in brackets.` +
    (Math.min(...counts) < ENOUGH_RUNS ? " **Too few runs to publish.**" : "")
  );
};

/** Fewer say too little of what is chance. */
const ENOUGH_RUNS = 5;

const rangeOf = (counts: readonly number[]): string => {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
};

type Row = readonly [title: string, all: readonly Series[]];
type Cells = (title: string, unit: Unit) => { readonly label: string; readonly cell: (series: Series) => string };

const costRow: Cells = (title, unit) => {
  switch (unit) {
    case "session":
      return {
        label: `${title}: memory a session, CPU while idle`,
        cell: (series) =>
          `${textOf(series.spread("sessionBytes"), KILO)} kB, ${textOf(series.spread("idlePercent"))} % of a core`,
      };
    case "page":
      return {
        label: `${title}: p99 of the first, one in the middle, the last`,
        cell: (series) => `${PAGE_PLACES.map((place) => textOf(series.spread(`${place}P99Ms`))).join(", ")} ms`,
      };
    default:
      return { label: `${title}: CPU a ${UNITS[unit]}`, cell: costOf };
  }
};

const costOf = (series: Series): string => {
  const mark = series.isGeneratorBound ? " †" : "";
  const rate = series.spread("perSecond");
  const perSecond = rate === undefined ? "" : `, ${rounded(rate.median)}/s${mark}`;
  return `${textOf(series.spread("serverMicros"))} µs${perSecond}`;
};

const latencyRow: Cells = (title) => ({
  label: title,
  cell: (series) =>
    (["p50Ms", "p99Ms", "maxMs"] as const)
      .map((figure) => {
        const spread = series.spread(figure);
        return spread === undefined ? "" : rounded(spread.median);
      })
      .join(" / "),
});

/** There are no figures: whoever it is took no part. */
const NONE = "–";

const table = (head: readonly string[], rows: readonly Row[], contenders: readonly Run[], cells: Cells): string => {
  const body = rows.map(([title, all]) => {
    const { label, cell } = cells(title, all[0]?.scenario.unit ?? "message");
    const columns = contenders.map(({ contender }) => {
      const series = all.find((one) => one.contender.contender === contender);
      return series === undefined ? NONE : cell(series);
    });
    return [label, ...columns];
  });
  const rule = head.map((_, at) => (at === 0 ? "---" : "---:"));
  return [head, rule, ...body].map((line) => `| ${line.join(" | ")} |`).join("\n");
};

/** In the order of the scenarios. */
const byTitle = (runs: readonly Run[]): readonly Row[] => {
  const order: readonly string[] = SCENARIO_NAMES;
  const groups = Map.groupBy(seriesOf(runs), ({ scenario }) => scenario.title);
  return [...groups].toSorted(([, [one]], [, [other]]) => positionIn(order, one) - positionIn(order, other));
};

const positionIn = (order: readonly string[], series: Series | undefined): number =>
  order.indexOf(series?.scenario.scenario ?? "");
