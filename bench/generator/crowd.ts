/** Many clients: one after the other, so many at a time. */
import { setTimeout as after } from "node:timers/promises";
import { type Client, logIn, type Server } from "./login.ts";
import { Managed, type Sender } from "./managed.ts";

/** Runs jobs 0 to `count` - 1, at most `atOnce` at a time. Rejects with the first failure. */
export const inTurn = async (count: number, atOnce: number, job: (number: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work));
};

/** Account names are a prefix and a number from 1. */
export const userName = (prefix: string, number: number): string => `${prefix}${number + 1}`;

export interface CrowdOptions {
  readonly server: Server;
  readonly prefix: string;
  readonly count: number;
  /** Logins at the same time. */
  readonly atOnce: number;
  /** Asks for the roster first, as most clients do. */
  readonly withRoster?: boolean;
  /** With stream management: an acknowledgement is asked for after every so many stanzas. */
  readonly acksEvery?: number | undefined;
}

/** Clients that are online. */
export class Crowd {
  /** By number. */
  readonly clients: Client[] = [];
  /** Connections that have ended without our asking. */
  broken = 0;
  readonly #gone: Promise<void>[] = [];
  readonly #managed = new Map<number, Managed>();

  add(number: number, client: Client): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = (error: Error | undefined): void => {
      if (error !== undefined) this.broken++;
      resolve();
    };
    // At once, before anything else can arrive: what comes from now on is not part of logging in.
    client.connection.receiver = { element: ignore, ended };
    this.clients[number] = client;
    this.#gone.push(promise);
  }

  /** Gives a client's elements to a function. */
  hear(number: number, element: (text: string, start: number, end: number) => void): void {
    const connection = this.clients[number]?.connection;
    const heard = this.#managed.get(number)?.hearing(element) ?? element;
    if (connection !== undefined) connection.receiver = { element: heard, ended: connection.receiver.ended };
  }

  /** Turns stream management on for a client. Settles when the server has. */
  async manage(number: number, acksEvery: number): Promise<void> {
    const connection = this.clients[number]?.connection;
    if (connection === undefined) return;
    this.#managed.set(number, await Managed.enable(connection, acksEvery));
    this.hear(number, ignore);
  }

  /** What a client's stanzas are sent through. */
  sender(number: number): Sender {
    const sender = this.#managed.get(number) ?? this.clients[number]?.connection;
    if (sender === undefined) throw new RangeError(`there is no client ${number}`);
    return sender;
  }

  /** Asks for all that has not been acknowledged, and acknowledges all that came. Settles with what is missing. */
  async acknowledged(): Promise<{ readonly unacknowledged: number; readonly wrongAcks: number }> {
    const managed = [...this.#managed.values()];
    for (const one of managed) {
      one.ask();
      one.acknowledge();
    }
    const end = performance.now() + PATIENCE_MS;
    while (managed.some(({ unacknowledged }) => unacknowledged > 0) && performance.now() < end)
      await after(LOOK_AGAIN_MS);
    return {
      unacknowledged: managed.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0),
      wrongAcks: managed.reduce((sum, { wrong }) => sum + wrong, 0),
    };
  }

  /** Ends all streams. Settles when they are closed. */
  async leave(): Promise<void> {
    for (const { connection } of this.clients) connection.close();
    const patience = setTimeout(() => {
      for (const { connection } of this.clients) connection.destroy();
    }, PATIENCE_MS);
    await Promise.all(this.#gone);
    clearTimeout(patience);
  }
}

const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 20;
const ignore = (): void => {};
export const ROSTER_REQUEST = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";

/** Brings a crowd online. */
export const assemble = async (options: CrowdOptions): Promise<Crowd> => {
  const { server, prefix, count, atOnce, withRoster, acksEvery } = options;
  const crowd = new Crowd();
  await inTurn(count, atOnce, async (number) => {
    const client = await logIn(server, userName(prefix, number), `r${number}`);
    crowd.add(number, client);
    if (acksEvery !== undefined) await crowd.manage(number, acksEvery);
    const sender = crowd.sender(number);
    if (withRoster === true) sender.send(ROSTER_REQUEST);
    sender.send("<presence/>");
  });
  return crowd;
};
