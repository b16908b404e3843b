import { type KithServer, type RawClient, streamHeader } from "@kith/testing/process";
import { expect, test } from "vitest";
import { configOf, expectEnd, hostile, pause, STRANGER } from "./hostile-scene.ts";

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
          client.send(OPENINGS[at % 3] ?? "");
          client.destroy();
        }
      }
      expect(await streamsOf(server(), before)).toBe(before);
    });
  },
);

/** Nothing, half a header, a header. */
const OPENINGS = ["", streamHeader("localhost").slice(0, 40), streamHeader("localhost")];

/** How many streams there are; waits for `expected`, if it is given, for a while. */
const streamsOf = async (server: KithServer, expected?: number): Promise<number> => {
  for (let tries = 0; ; tries++) {
    const { output } = await server.kith(["status"]);
    const { streams } = JSON.parse(output) as { readonly streams: number };
    if (expected === undefined || streams === expected || tries === 20) return streams;
  }
};
