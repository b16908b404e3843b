/** What the suites of hostile strangers share: a server, two honest people who chat all the time, and a stranger. */
import {
  type Conversation,
  HonestPair,
  type KithServer,
  RawClient,
  runtime,
  startServer,
  streamHeader,
} from "@kith/testing/process";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished } from "vitest";

export const PASSWORD = "of bad character";
const NS_STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
const NS_STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas";
/** Where the strangers come from; the honest pair is at 127.0.0.1. */
export const STRANGER = "127.0.0.2";
/** How long a message of the honest pair may be under way at the worst, on a busy machine. In milliseconds. */
const SLOWEST = 3_000;

const NO_LIMITS = { guessing: false, rate: false, unauthenticatedPerAddress: false } as const;

/** Anybody may register, and this machine needs no TLS: what is tried here is the same with it. */
export const configOf = (limits: object, timeouts: object = {}, more: object = {}): Record<string, unknown> => ({
  hosts: { localhost: { registration: "open" } },
  registration: { perAddress: false },
  plaintextFromLoopback: true,
  scram: { iterations: 4_096 },
  limits: { ...NO_LIMITS, ...limits },
  timeouts,
  ...more,
});

/** A server with two honest people, who chat during all of it. */
export const hostile = (
  what: string,
  config: Record<string, unknown>,
  tests: (parts: { readonly server: () => KithServer; readonly stranger: Stranger }) => void,
): void => {
  describe(`${what} (${runtime})`, () => {
    let server: KithServer;
    let pair: HonestPair;
    beforeAll(async () => {
      server = await startServer({ config });
      pair = await HonestPair.meet(server);
    });
    afterEach(async () => {
      const { slowest }: Conversation = await pair.seen();
      expect(slowest).toBeLessThan(SLOWEST);
    });
    afterAll(async () => {
      await pair?.part();
      expect(server?.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
      await server?.[Symbol.asyncDispose]();
    });
    tests({ server: () => server, stranger: new Stranger(() => server) });
  });
};

/** Somebody who connects from somewhere else, as often as they like. */
export class Stranger {
  readonly #server: () => KithServer;
  #names = 0;
  constructor(server: () => KithServer) {
    this.#server = server;
  }

  async connect(from = STRANGER, port: "c2s" | "c2s-tls" = "c2s"): Promise<RawClient> {
    const client = await RawClient.connect({ port: this.#server().port(port), from });
    onTestFinished(() => client.destroy());
    return client;
  }

  /** With a stream that is open. */
  async arrive(from = STRANGER): Promise<RawClient> {
    const client = await this.connect(from);
    client.send(streamHeader("localhost"));
    await client.until("</stream:features>");
    return client;
  }

  /** With an account of their own, and a bound resource. */
  async login(resource = "lair"): Promise<RawClient & { readonly name: string }> {
    const name = `mallory${++this.#names}`;
    const registering = await this.connect();
    await registering.register(name, PASSWORD);
    registering.destroy();
    const client = await this.connect();
    await client.login(name, PASSWORD, resource);
    return Object.assign(client, { name });
  }
}

export const streamError = (condition: string): string => `<stream:error><${condition} xmlns='${NS_STREAM_ERRORS}'/>`;
export const stanzaError = (type: string, condition: string): string =>
  `<error type='${type}'><${condition} xmlns='${NS_STANZA_ERRORS}'/>`;

/** It ends with this stream error, and the connection with it. */
export const expectEnd = async (client: RawClient, condition: string): Promise<void> => {
  const rest = await client.closed();
  expect(rest).toContain(streamError(condition));
  expect(rest.endsWith("</stream:stream>")).toBe(true);
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
