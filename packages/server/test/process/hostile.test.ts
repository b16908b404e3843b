import {
  type Conversation,
  HonestPair,
  type KithServer,
  RawClient,
  runtime,
  startServer,
  streamHeader,
} from "@kith/testing/process";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";

const PASSWORD = "of bad character";
const NS_STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams";
const NS_STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas";
/** Where the strangers come from; the honest pair is at 127.0.0.1. */
const STRANGER = "127.0.0.2";
/** How long a message of the honest pair may be under way at the worst, on a busy machine. In milliseconds. */
const SLOWEST = 3_000;

const NO_LIMITS = { guessing: false, rate: false, unauthenticatedPerAddress: false } as const;

/** Anybody may register, and this machine needs no TLS: what is tried here is the same with it. */
const configOf = (limits: object, timeouts: object = {}, more: object = {}): Record<string, unknown> => ({
  hosts: { localhost: { registration: "open" } },
  registration: { perAddress: false },
  plaintextFromLoopback: true,
  scram: { iterations: 4_096 },
  limits: { ...NO_LIMITS, ...limits },
  timeouts,
  ...more,
});

/** A server with two honest people, who chat during all of it. */
const hostile = (
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
class Stranger {
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

const streamError = (condition: string): string => `<stream:error><${condition} xmlns='${NS_STREAM_ERRORS}'/>`;
const stanzaError = (type: string, condition: string): string =>
  `<error type='${type}'><${condition} xmlns='${NS_STANZA_ERRORS}'/>`;

/** It ends with this stream error, and the connection with it. */
const expectEnd = async (client: RawClient, condition: string): Promise<void> => {
  const rest = await client.closed();
  expect(rest).toContain(streamError(condition));
  expect(rest.endsWith("</stream:stream>")).toBe(true);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

hostile("XML from strangers", configOf({ authenticated: { stanzaBytes: "32 KiB" } }), ({ stranger }) => {
  const both = [
    ["before authentication", () => stranger.arrive()],
    ["after binding", () => stranger.login()],
  ] as const;

  describe.each(both)("%s", (_, arrive) => {
    test("RFC 6120 §4.9.3.14: a stanza that never ends is refused at the limit", async () => {
      const client = await arrive();
      client.send(`<message><body>${"x".repeat(40_000)}`);
      await expectEnd(client, "policy-violation");
    });

    test("RFC 6120 §4.9.3.14: so are elements inside one another", async () => {
      const client = await arrive();
      client.send(`<message>${"<a>".repeat(2_000)}`);
      await expectEnd(client, "policy-violation");
    });

    test("RFC 6120 §4.9.3.14: and attributes, and namespace prefixes", async () => {
      for (const many of [
        Array.from({ length: 200 }, (_, at) => ` a${at}=''`),
        Array.from({ length: 200 }, (_, at) => ` xmlns:p${at}='urn:p'`),
      ]) {
        const client = await arrive();
        client.send(`<message${many.join("")}/>`);
        await expectEnd(client, "policy-violation");
      }
    });

    test("RFC 6120 §11.1: an entity bomb is refused at its first bytes", async () => {
      const client = await arrive();
      const entities = Array.from({ length: 10 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`);
      client.send(`<!DOCTYPE b [<!ENTITY e0 "boom">${entities.join("")}]><message><body>&e10;</body></message>`);
      await expectEnd(client, "restricted-xml");
    });

    test.each(["<!-- x -->", "<?php evil() ?>", "<message><body>&e;</body></message>"])(
      "RFC 6120 §11.1: %s is refused",
      async (xml) => {
        const client = await arrive();
        client.send(xml);
        await expectEnd(client, "restricted-xml");
      },
    );

    test.each([
      ["overlong", [0xc0, 0xaf]],
      ["a surrogate", [0xed, 0xa0, 0x80]],
      ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
      ["a lone continuation", [0x80]],
    ])("RFC 6120 §11.6: what is no UTF-8 is refused (%s)", async (_name, bytes) => {
      const client = await arrive();
      client.send(
        Buffer.concat([Buffer.from("<message><body>"), Buffer.from(bytes), Buffer.from("</body></message>")]),
      );
      await expectEnd(client, "unsupported-encoding");
    });

    test("RFC 6120 §4.9.3.13: what is not well-formed is refused", async () => {
      const client = await arrive();
      client.send("<message></presence>");
      await expectEnd(client, "not-well-formed");
    });
  });
});

hostile(
  "time and connections",
  configOf(
    { unauthenticatedPerAddress: 6, unauthenticated: 12 },
    { tlsHandshake: "500 ms", negotiation: "1 s", close: "200 ms" },
  ),
  ({ server, stranger }) => {
    test("RFC 6120 §13.12: half a TLS handshake is dropped in time, without a word", async () => {
      const silent = await stranger.connect(STRANGER, "c2s-tls");
      const half = await stranger.connect(STRANGER, "c2s-tls");
      // The first bytes of a record that is said to be longer.
      half.send(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
      expect([await silent.closed(), await half.closed()]).toEqual(["", ""]);
    });

    test("RFC 6120 §13.12: and half a handshake after STARTTLS", async () => {
      const client = await stranger.arrive();
      client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      await client.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      client.send(Uint8Array.of(0x16, 0x03, 0x01));
      expect(await client.closed()).toBe("");
    });

    test("RFC 6120 §4.9.3.4: whoever says nothing is ended in time", async () => {
      const client = await stranger.connect();
      await expectEnd(client, "connection-timeout");
    });

    test("RFC 6120 §4.9.3.4: so is a header that trickles in", async () => {
      const client = await stranger.connect();
      for (const letter of streamHeader("localhost")) {
        if (client.isClosed) break;
        client.send(letter);
        await pause(30);
      }
      await expectEnd(client, "connection-timeout");
    });

    test("RFC 6120 §4.9.3.4: and white space without end", async () => {
      const client = await stranger.arrive();
      while (!client.isClosed) {
        client.send(" ");
        await pause(50);
      }
      await expectEnd(client, "connection-timeout");
    });

    test("RFC 6120 §13.12: an address gets so many connections that have not authenticated, and no more", async () => {
      const admitted = await Promise.all(Array.from({ length: 6 }, () => stranger.arrive("127.0.0.3")));
      const refused = await stranger.connect("127.0.0.3");
      expect(await refused.closed()).toBe("");
      // Somewhere else there is room.
      await stranger.arrive("127.0.0.4");
      expect(admitted.map(({ isClosed }) => isClosed)).toEqual(Array.from({ length: 6 }, () => false));
    });

    test("RFC 6120 §13.12: too many in all push out each other, and the newcomer is served", async () => {
      const addresses = ["127.0.1.1", "127.0.1.2", "127.0.1.3"];
      const crowd: RawClient[] = [];
      for (let at = 0; at < 15; at++) crowd.push(await stranger.arrive(addresses[at % 3]));
      const newcomer = await stranger.arrive("127.0.1.9");
      newcomer.send("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>");
      await newcomer.until("id='1'");
      const dropped = crowd.filter(({ isClosed }) => isClosed);
      expect(dropped.length).toBeGreaterThanOrEqual(4);
    });

    test("RFC 6120 §13.12: connections that come and go leave nothing behind", async () => {
      const before = await streamsOf(server());
      for (let round = 0; round < 40; round++) {
        const clients = await Promise.all(Array.from({ length: 6 }, (_, at) => stranger.connect(`127.0.2.${at + 1}`)));
        for (const [at, client] of clients.entries()) {
          if (at % 3 > 0) client.send(streamHeader("localhost").slice(0, at % 3 === 1 ? 40 : undefined));
          client.destroy();
        }
      }
      expect(await streamsOf(server(), before)).toBe(before);
    });
  },
);

/** How many streams there are; waits for `expected`, if it is given, for a while. */
const streamsOf = async (server: KithServer, expected?: number): Promise<number> => {
  for (let tries = 0; ; tries++) {
    const { output } = await server.kith(["status"]);
    const { streams } = JSON.parse(output) as { readonly streams: number };
    if (expected === undefined || streams === expected || tries === 20) return streams;
  }
};
