/**
 * `npm run soak -- --connects 100000`: connections that come and go, and memory that has to be after all of them what
 * it was after the first fifth.
 */
import { RawClient, streamHeader } from "../process/raw-client.ts";
import type { KithServer } from "../process/server.ts";
import { leftovers, median, megabytes, type Sample } from "./measures.ts";
import { PASSWORD } from "./visitors.ts";

/** At the same time. */
const AT_ONCE = 20;
/** Of all, before what is held counts. */
const FIRST = 1 / 5;
/** RSS may grow by this part of what it was then. */
const GROWTH = 0.1;
const SAMPLES = 5;
const SAMPLE_MS = 1_000;
const REPORT_EVERY = 5_000;

export interface Watch {
  readonly sample: (at: number) => Promise<Sample>;
  /** Waits for the last stream to end. */
  readonly quiet: (at: number) => Promise<Sample>;
  readonly say: (fields: Readonly<Record<string, unknown>>) => void;
}

/** How one of them comes and goes, by turns. */
const VISITS: readonly ((server: KithServer, name: string) => Promise<void>)[] = [
  async (server) => (await RawClient.connect({ port: server.port("c2s") })).destroy(),
  async (server) => {
    const client = await RawClient.connect({ port: server.port("c2s") });
    client.send(streamHeader("localhost").slice(0, 40));
    client.destroy();
  },
  opensAndCloses,
  opensAndCloses,
  async (server) => {
    const client = await RawClient.connect({ port: server.port("c2s") });
    client.send(`${streamHeader("localhost")}<message>`);
    client.halfClose();
    await client.closed();
    client.destroy();
  },
  async (server) => {
    const client = await RawClient.connect({ port: server.port("c2s") });
    await client.startTls("localhost");
    client.destroy();
  },
  async (server) => {
    const client = await RawClient.connect({ port: server.port("c2s-tls"), tls: true });
    client.send(`${streamHeader("localhost")}</stream:stream>`);
    await client.closed();
    client.destroy();
  },
  async (server, name) => {
    const client = await RawClient.connect({ port: server.port("c2s") });
    await client.login(name, PASSWORD, "visit");
    client.send("<presence/></stream:stream>");
    await client.closed();
    client.destroy();
  },
];

async function opensAndCloses(server: KithServer): Promise<void> {
  const client = await RawClient.connect({ port: server.port("c2s") });
  client.send(streamHeader("localhost"));
  await client.until("</stream:features>");
  client.send("</stream:stream>");
  await client.closed();
  client.destroy();
}

/** Gives what is wrong, in sentences. `accounts`: whose sessions begin and end. */
export const soakConnects = async (
  server: KithServer,
  total: number,
  accounts: readonly string[],
  { sample, quiet, say }: Watch,
): Promise<readonly string[]> => {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  let next = 0;
  const upTo = async (end: number): Promise<void> => {
    const work = async (): Promise<void> => {
      while (next < end) {
        const number = next++;
        const name = accounts[Math.floor(number / VISITS.length) % accounts.length] ?? "";
        await VISITS[number % VISITS.length]?.(server, name);
        if ((number + 1) % REPORT_EVERY === 0) say({ connects: number + 1, ...(await sample(seconds())) });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  };
  const settled = async (): Promise<Sample> => {
    const last = await quiet(seconds());
    const samples: Sample[] = [];
    while (samples.length < SAMPLES) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      samples.push(await sample(seconds()));
    }
    return { ...last, rss: median(samples.map(({ rss }) => rss)) };
  };
  await upTo(Math.round(total * FIRST));
  const before = await settled();
  await upTo(total);
  const after = await settled();
  const growth = after.rss / before.rss - 1;
  say({ connects: total, before, after, growthPercent: Math.round(1_000 * growth) / 10 });
  const grown = `memory grew from ${megabytes(before.rss)} to ${megabytes(after.rss)}`;
  return [...(growth > GROWTH ? [grown] : []), ...leftovers(before, after)];
};
