/** Honest people who log in while others do their worst: how long each of them has to wait. */
import { setTimeout as after } from "node:timers/promises";
import { logIn, PASSWORD, type Server } from "../../../../bench/generator/login.ts";
import { RawClient } from "../process/raw-client.ts";
import type { KithServer } from "../process/server.ts";

/** Their accounts. */
export const NEWCOMERS = ["newcomer1", "newcomer2"] as const;
/** An address of which nothing bad is known. */
const ELSEWHERE = "127.0.0.3";
const REST_MS = 500;

export interface Welcome {
  readonly logins: number;
  /** The longest, from connecting to a bound resource, in milliseconds. */
  readonly slowest: number;
  /** Why some did not get in. */
  readonly failures: readonly string[];
}

type Way = () => Promise<void>;

/** One logs in after the other, by turns over TLS from somewhere else and in the clear from this machine. */
export class Newcomers {
  readonly #ways: readonly Way[];
  #logins = 0;
  #slowest = 0;
  #failures: string[] = [];
  #isOver = false;
  readonly #coming: Promise<void>;

  constructor(server: KithServer, load: Server) {
    this.#ways = [() => overTls(server), () => inTheClear(load)];
    this.#coming = this.#come();
  }

  /** What there was since last asked. */
  take(): Welcome {
    const welcome = { logins: this.#logins, slowest: Math.round(this.#slowest), failures: this.#failures };
    this.#logins = 0;
    this.#slowest = 0;
    this.#failures = [];
    return welcome;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#coming;
  }

  async #come(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const begun = performance.now();
      try {
        await this.#ways[turn % this.#ways.length]?.();
        this.#logins++;
      } catch (error) {
        this.#failures.push(error instanceof Error ? error.message : String(error));
      }
      this.#slowest = Math.max(this.#slowest, performance.now() - begun);
      await after(REST_MS);
    }
  }
}

const overTls = async (server: KithServer): Promise<void> => {
  const client = await RawClient.connect({ port: server.port("c2s"), from: ELSEWHERE });
  try {
    await client.startTls("localhost");
    await client.login(NEWCOMERS[0], PASSWORD, "phone");
    client.send("</stream:stream>");
  } finally {
    client.destroy();
  }
};

const inTheClear = async (server: Server): Promise<void> => {
  const { connection } = await logIn(server, NEWCOMERS[1], "desk");
  connection.receiver = { element: () => {}, ended: () => {} };
  connection.close();
};
