/** Keeps flows going for a time, and measures in the middle of it. */
import { setTimeout as after } from "node:timers/promises";
import type { Figures } from "../figures.ts";
import type { Flows } from "./flows.ts";
import type { Meter } from "./meter.ts";
import { Ticker } from "./ticker.ts";

/** How stanzas are sent: so many under way all the time, or so many a second in all. */
export type Load = { readonly window: number } | { readonly rate: number };

export interface Phases {
  /** Seconds. */
  readonly warmup: number;
  readonly duration: number;
}

/** After the last stanza was sent, how long it may be until another one arrives. Seconds; a server that waits for its disk may need many. */
const DRAIN = 60;
const DRAIN_STEP_MS = 20;
/** Seconds that a run at a fixed rate may take longer than it should, with nothing arriving. */
const SLACK = 15;
/** For what has piled up while the meter was getting ready. */
const SETTLING_MS = 500;

/** How many stanzas one flow may have under way with this load: a power of two. */
export const capacityFor = (load: Load, flows: number, { warmup, duration }: Phases): number => {
  const most = "window" in load ? load.window : Math.ceil((load.rate * (warmup + duration + SLACK)) / flows);
  return 2 ** Math.ceil(Math.log2(Math.max(most, 1)));
};

/** Runs the flows through warm-up, measuring and draining. */
export const drive = async (flows: Flows, load: Load, phases: Phases, meter: Meter): Promise<Figures> => {
  if ("rate" in load) await warmUp(flows, phases.warmup);
  const sending = "window" in load ? closedLoop(flows, load.window) : await fixedRate(flows, load.rate);
  await after(phases.warmup * 1_000);
  meter.prepare();
  await after(SETTLING_MS);
  meter.begin();
  flows.isMeasuring = true;
  await after(phases.duration * 1_000);
  flows.isMeasuring = false;
  const figures = meter.end(flows.measured);
  const sent = await sending.stop();
  await drained(flows);
  return { ...figures, ...sent, ...latenciesOf(flows), ...accountsOf(flows) };
};

/**
 * As `drive` in closed loop, but what is measured is all that follows from a number of stanzas: it begins when the server rests and
 * ends when it rests again, so that work that it has put off counts.
 */
export const driveToRest = async (flows: Flows, window: number, phases: Phases, meter: Meter): Promise<Figures> => {
  const send = async (seconds: number): Promise<void> => {
    const sending = closedLoop(flows, window);
    await after(seconds * 1_000);
    await sending.stop();
    await drained(flows);
  };
  await send(phases.warmup);
  await meter.rest();
  meter.prepare();
  await after(SETTLING_MS);
  meter.begin();
  const begun = performance.now();
  flows.isMeasuring = true;
  await send(phases.duration);
  const perSecond = (flows.measured * 1_000) / (performance.now() - begun);
  const restSeconds = await meter.rest();
  const figures = meter.end(flows.measured);
  return { ...figures, perSecond, restSeconds, ...latenciesOf(flows), ...accountsOf(flows) };
};

/** What is going to be measured at a leisurely rate has been busy before, as a server that has run for a day has been. */
const warmUp = async (flows: Flows, seconds: number): Promise<void> => {
  const sending = closedLoop(flows, 1);
  await after(seconds * 1_000);
  await sending.stop();
  await drained(flows);
};

interface Sending {
  /** Resolves with what there is to say of the sending itself. */
  stop(): Promise<Figures>;
}

const closedLoop = (flows: Flows, window: number): Sending => {
  flows.completed = (flow) => flows.send(flow, performance.now());
  for (let round = 0; round < window; round++)
    for (let flow = 0; flow < flows.count; flow++) flows.send(flow, performance.now());
  return {
    stop: async () => {
      flows.completed = undefined;
      return {};
    },
  };
};

const fixedRate = async (flows: Flows, rate: number): Promise<Sending> => {
  const stepMs = 1_000 / rate;
  const ticker = await Ticker.open(stepMs);
  let due = ticker.start;
  let sent = 0;
  let latest = 0;
  ticker.onTick = () => {
    for (; due <= performance.now(); due = ticker.start + sent * stepMs) {
      flows.send(sent % flows.count, due);
      if (flows.isMeasuring) latest = Math.max(latest, performance.now() - due);
      sent++;
    }
  };
  return {
    stop: async () => {
      await ticker.stop();
      return { latestSendMs: latest };
    },
  };
};

const drained = async (flows: Flows): Promise<void> => {
  const { sequences, expected } = flows;
  let end = performance.now() + DRAIN * 1_000;
  for (let delivered = sequences.delivered; delivered < expected && performance.now() < end; ) {
    await after(DRAIN_STEP_MS);
    if (sequences.delivered > delivered) end = performance.now() + DRAIN * 1_000;
    delivered = sequences.delivered;
  }
};

const latenciesOf = ({ latencies }: Flows): Figures => ({
  p50Ms: latencies.quantile(0.5),
  p99Ms: latencies.quantile(0.99),
  maxMs: latencies.max,
});

const accountsOf = ({ expected, sequences, damaged, errors }: Flows): Figures => ({
  lost: expected - sequences.delivered,
  doubled: sequences.doubled,
  reordered: sequences.reordered,
  damaged,
  errors,
});
