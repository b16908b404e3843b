/** What a login costs, counted: reads and writes of its socket, statements of SQLite, units that have to be committed. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatementSync } from "node:sqlite";
import { type BareJid, clientMechanism, decodeBase64, encodeBase64, NS_SASL } from "@kith/protocol";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { nodeCrypto } from "../src/crypto.ts";
import { SocketTransport } from "../src/listen/socket.ts";
import type { Log } from "../src/router/log.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { WriterThread } from "../src/store/writer-thread.ts";

const PASSWORD = "under the balcony";
const silent = (): void => {};
const log: Log = { error: silent, warn: silent, info: silent, debug: silent };

afterEach(() => {
  vi.restoreAllMocks();
});

/** A whole server in this process, with one account. */
const started = async (): Promise<number> => {
  const directory = await mkdtemp(join(tmpdir(), "kith-"));
  const config = readConfig(
    {
      hosts: { localhost: {} },
      listeners: [{ kind: "c2s", address: "127.0.0.1", port: 0 }],
      plaintextFromLoopback: true,
      scram: { iterations: 4_096 },
      storage: { directory },
    },
    { file: undefined, directory },
  );
  const store = await openSqliteStore({ directory });
  const app = await createApp({ config, store, log, version: "0" });
  onTestFinished(async () => {
    await app.stop();
    await store.close();
    await rm(directory, { recursive: true });
  });
  await app.accounts.create("juliet@localhost" as BareJid, PASSWORD);
  const [listening] = await app.listen();
  return listening?.port ?? 0;
};

/** Speaks in turns: sends, then waits for an answer that ends as it should. */
const converse = async (port: number) => {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.setEncoding("latin1");
  const pieces: AsyncIterator<string> = socket[Symbol.asyncIterator]();
  return {
    say: async (bytes: string, end: RegExp): Promise<string> => {
      socket.write(bytes);
      let answer = "";
      while (!end.test(answer)) {
        const piece = await pieces.next();
        if (piece.done === true) throw new Error(`the stream ended with ${answer}`);
        answer += piece.value;
      }
      return answer;
    },
    closed: async (): Promise<void> => {
      while ((await pieces.next()).done !== true);
    },
  };
};

const HEADER =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const FEATURES = /<\/stream:features>$/;
const sasl = (name: string, data: Uint8Array, more = ""): string =>
  `<${name} xmlns='${NS_SASL}'${more}>${encodeBase64(data)}</${name}>`;
const dataOf = (element: string): Uint8Array => decodeBase64(/>([^<]*)</.exec(element)?.[1] ?? "") ?? new Uint8Array();

/** Connects, authenticates, binds, shows presence and leaves, each in its own turn but for the last two. */
const logInAndOut = async (port: number): Promise<void> => {
  const client = await converse(port);
  const features = await client.say(HEADER, FEATURES);
  const [, announced = ""] = /<mechanisms [^>]*>(.*?)<\/mechanisms>/.exec(features) ?? [];
  const mechanisms = [...announced.matchAll(/<mechanism>([^<]+)/g)].map(([, name = ""]) => name);
  const attempt = clientMechanism(
    { name: "SCRAM-SHA-1", binding: { is: "n" } },
    {
      crypto: nodeCrypto,
      credentials: { username: "juliet", password: PASSWORD },
      offer: { mechanisms, channelBindings: [] },
      channelBindings: new Map(),
    },
  );
  const challenge = await client.say(
    sasl("auth", await attempt.initial(), " mechanism='SCRAM-SHA-1'"),
    /<\/challenge>$/,
  );
  const success = await client.say(sasl("response", await attempt.challenge(dataOf(challenge))), /<\/success>$/);
  await attempt.success(dataOf(success));
  await client.say(HEADER, FEATURES);
  await client.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", /<\/iq>$/);
  await client.say("<presence/></stream:stream>", /<\/stream:stream>$/);
  await client.closed();
};

interface Cost {
  readonly reads: number;
  readonly writes: number;
  readonly statements: number;
  readonly unitsNow: number;
  readonly unitsSoon: number;
}

/** Counts what the server does meanwhile. The generator's end of the connection does not count. */
const costOf = async (work: () => Promise<void>): Promise<Cost> => {
  const reads = vi.spyOn(SocketTransport.prototype, "read");
  const writes = vi.spyOn(Socket.prototype, "write");
  const statements = (["all", "get", "run"] as const).map((way) => vi.spyOn(StatementSync.prototype, way));
  const units = vi.spyOn(WriterThread.prototype, "write");
  await work();
  const hasteOf = (haste: string): number => units.mock.calls.filter(([, asked = "now"]) => asked === haste).length;
  const cost = {
    reads: reads.mock.calls.length,
    writes: writes.mock.contexts.filter(
      (socket) => "server" in (socket as object) && (socket as { server?: unknown }).server,
    ).length,
    statements: statements.reduce((sum, { mock }) => sum + mock.calls.length, 0),
    unitsNow: hasteOf("now"),
    unitsSoon: hasteOf("soon"),
  };
  vi.restoreAllMocks();
  return cost;
};

test("a login is as many reads and writes as the protocol has turns, and waits for no commit", async () => {
  const port = await started();
  expect(await costOf(() => logInAndOut(port))).toEqual({
    reads: 6,
    writes: 6,
    // Whether there is such an account, its keys, and four collections: who has what to do with it, and what it left behind.
    statements: 6,
    unitsNow: 0,
    unitsSoon: 1,
  });
});

test("whoever comes back is known: SQLite is not asked", async () => {
  const port = await started();
  await logInAndOut(port);
  expect(await costOf(() => logInAndOut(port))).toEqual({
    reads: 6,
    writes: 6,
    statements: 0,
    unitsNow: 0,
    unitsSoon: 1,
  });
});
