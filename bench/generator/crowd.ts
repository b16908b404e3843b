/** Many clients: one after the other, so many at a time. */
import { type Client, logIn, type Server } from "./login.ts";

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
}

/** Clients that are online. */
export class Crowd {
  /** By number. */
  readonly clients: Client[] = [];
  /** Connections that have ended without our asking. */
  broken = 0;
  readonly #gone: Promise<void>[] = [];

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
    if (connection !== undefined) connection.receiver = { element, ended: connection.receiver.ended };
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
const ignore = (): void => {};
export const ROSTER_REQUEST = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";

/** Brings a crowd online. */
export const assemble = async ({ server, prefix, count, atOnce, withRoster }: CrowdOptions): Promise<Crowd> => {
  const crowd = new Crowd();
  await inTurn(count, atOnce, async (number) => {
    const client = await logIn(server, userName(prefix, number), `r${number}`);
    crowd.add(number, client);
    client.connection.send(withRoster === true ? `${ROSTER_REQUEST}<presence/>` : "<presence/>");
  });
  return crowd;
};
