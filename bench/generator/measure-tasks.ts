/** What is measured. */
import { setTimeout as after } from "node:timers/promises";
import type { Figures } from "../figures.ts";
import type { ProcessTree } from "../proc.ts";
import { assemble, type Crowd, inTurn, userName } from "./crowd.ts";
import { capacityFor, drive, driveToRest, type Load, type Phases } from "./drive.ts";
import { type FlowOptions, Flows } from "./flows.ts";
import { Histogram } from "./histogram.ts";
import { logIn, type Server } from "./login.ts";
import { Meter } from "./meter.ts";

/** Logins under way while a crowd assembles. */
const AT_ONCE = 50;
/** Seconds for initial presence to have gone everywhere. */
const SETTLING = 1;

export interface Bench {
  readonly server: Server;
  readonly process: ProcessTree;
  readonly phases: Phases;
}

/** Pairs of which one sends chat messages to the other's full JID. */
export interface ChatTask {
  readonly do: "chat";
  readonly prefix: string;
  readonly pairs: number;
  readonly load: Load;
  /** Octets of each body. */
  readonly bodyLength: number;
  /** An `<origin-id/>` in every message. */
  readonly originIds?: boolean;
  /** Stream management on both sides; an acknowledgement is asked for after every so many stanzas. */
  readonly acksEvery?: number;
  /** In closed loop: measures until the server has nothing left to do. */
  readonly toRest?: boolean;
}

export const chat = async (task: ChatTask, bench: Bench): Promise<Figures> => {
  const { prefix, pairs, load, acksEvery } = task;
  const crowd = await assemble({ server: bench.server, prefix, count: 2 * pairs, atOnce: AT_ONCE, acksEvery });
  await after(SETTLING * 1_000);
  const flows = chatFlows(crowd, task, bench.phases);
  const meter = new Meter(bench.process);
  const figures =
    task.toRest === true && "window" in load
      ? await driveToRest(flows, load.window, bench.phases, meter)
      : await drive(flows, load, bench.phases, meter);
  const acknowledged = acksEvery === undefined ? {} : await crowd.acknowledged();
  const { broken } = crowd;
  await crowd.leave();
  return { ...figures, ...acknowledged, broken };
};

/** Of each two clients the first sends to the second. */
export const chatFlows = (
  crowd: Crowd,
  { pairs, load, bodyLength, originIds = false }: Omit<ChatTask, "do">,
  phases: Phases,
): Flows => {
  const flows = new Flows({
    flows: Array.from({ length: pairs }, (_, pair) => chatFlow(crowd, pair)),
    fan: 1,
    receivers: pairs,
    stanza: "message",
    carrier: "body",
    textLength: bodyLength,
    capacity: capacityFor(load, pairs, phases),
    originIds,
  });
  // Senders listen as well: errors come back to them.
  crowd.clients.forEach((_, number) => {
    crowd.hear(number, (text, start, end) => flows.arrived(number >> 1, text, start, end));
  });
  return flows;
};

const chatFlow = (crowd: Crowd, pair: number): FlowOptions => {
  const receiver = crowd.clients[2 * pair + 1];
  if (receiver === undefined) throw new RangeError(`there is no pair ${pair}`);
  return { sender: crowd.sender(2 * pair), head: `<message type='chat' to='${receiver.jid}' id='` };
};

/** Users who have one another in their rosters (see `BefriendTask`) and change their status again and again. */
export interface PresenceTask {
  readonly do: "presence";
  readonly prefix: string;
  readonly users: number;
  /** Each of them gets every change, and so does the one who made it. */
  readonly contacts: number;
  readonly window: number;
  readonly statusLength: number;
}

export const presence = async (task: PresenceTask, bench: Bench): Promise<Figures> => {
  const { prefix, users, contacts, window, statusLength } = task;
  const crowd = await assemble({ server: bench.server, prefix, count: users, atOnce: AT_ONCE, withRoster: true });
  await after(2 * SETTLING * 1_000);
  const flows = new Flows({
    flows: crowd.clients.map((_, number) => ({ sender: crowd.sender(number), head: "<presence id='" })),
    fan: contacts + 1,
    receivers: users,
    stanza: "presence",
    carrier: "status",
    textLength: statusLength,
    capacity: capacityFor({ window }, users, bench.phases),
  });
  crowd.clients.forEach((_, number) => {
    crowd.hear(number, (text, start, end) => flows.arrived(number, text, start, end));
  });
  const figures = await drive(flows, { window }, bench.phases, new Meter(bench.process));
  const { broken } = crowd;
  await crowd.leave();
  return { ...figures, broken };
};

/** Logins one after the other: connect, authenticate, bind, send presence, close. */
export interface LoginTask {
  readonly do: "login";
  readonly prefix: string;
  /** Accounts, in turn. */
  readonly users: number;
  readonly logins: number;
  readonly atOnce: number;
}

export const login = async (task: LoginTask, bench: Bench): Promise<Figures> => {
  // The first round is not measured: it warms up the server and fills the cache of salted passwords.
  await logInAndOut({ ...task, logins: task.users }, bench.server, new Histogram());
  await after(SETTLING * 1_000);
  const latencies = new Histogram();
  const meter = new Meter(bench.process);
  meter.prepare();
  meter.begin();
  const broken = await logInAndOut(task, bench.server, latencies);
  return {
    ...meter.end(task.logins),
    p50Ms: latencies.quantile(0.5),
    p99Ms: latencies.quantile(0.99),
    maxMs: latencies.max,
    broken,
  };
};

/** Settles when all have left; gives how many the server cut off. */
const logInAndOut = async (task: LoginTask, server: Server, latencies: Histogram): Promise<number> => {
  let broken = 0;
  const leaving: Promise<void>[] = [];
  await inTurn(task.logins, task.atOnce, async (number) => {
    const begun = performance.now();
    const { connection } = await logIn(server, userName(task.prefix, number % task.users), `r${number}`);
    latencies.add(performance.now() - begun);
    const { promise, resolve } = Promise.withResolvers<void>();
    leaving.push(promise);
    const ended = (error: Error | undefined): void => {
      if (error !== undefined) broken++;
      resolve();
    };
    connection.receiver = { element: () => {}, ended };
    connection.send("<presence/>");
    connection.close();
  });
  await Promise.all(leaving);
  return broken;
};

/** Connections that are online and do nothing. */
export interface IdleTask {
  readonly do: "idle";
  readonly prefix: string;
  readonly connections: number;
  /** Seconds after the last login. */
  readonly hold: number;
}

export const idle = async ({ prefix, connections, hold }: IdleTask, bench: Bench): Promise<Figures> => {
  const { process, server } = bench;
  const emptyBytes = process.resident;
  const meter = new Meter(process);
  meter.prepare();
  meter.begin();
  const crowd = await assemble({ server, prefix, count: connections, atOnce: AT_ONCE, withRoster: true });
  const loggedIn = meter.end(connections);
  await after((hold / 2) * 1_000);
  const quiet = new Meter(process);
  quiet.prepare();
  quiet.begin();
  await after((hold / 2) * 1_000);
  const { serverPercent: idlePercent = 0 } = quiet.end(0);
  const heldBytes = process.resident;
  const { broken } = crowd;
  await crowd.leave();
  return {
    ...loggedIn,
    emptyBytes,
    heldBytes,
    sessionBytes: (heldBytes - emptyBytes) / connections,
    idlePercent,
    broken,
  };
};
