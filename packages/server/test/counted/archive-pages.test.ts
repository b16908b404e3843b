import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatementSync } from "node:sqlite";
import type { BareJid, Bytes } from "@kith/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { ArchiveReader } from "../../src/store/archive-reader.ts";
import type { ArchiveQuery, NewMessage } from "../../src/store/messages.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { openForReading } from "../../src/store/sqlite-connection.ts";
import type { Store } from "../../src/store/store.ts";
import { counted, NOTHING, online, started } from "./counting.ts";

const ROMEO = "romeo@localhost" as BareJid;
const PAGE = 50;
const FEW = 200;
const MANY = 8_000;
/** One page, and what says where it lies. */
const MOST_STATEMENTS = 5;
const MOST_ROWS = PAGE + 6;

const messageTo = (recipient: string, number: number): NewMessage => ({
  stanza: `<message from='${ROMEO}/home' to='${recipient}' type='chat'><body>${number}</body></message>` as Bytes,
  sender: ROMEO,
  recipient: undefined,
  isArchived: { sent: true, received: false },
  waits: false,
  from: ROMEO,
  to: recipient,
  isGroupchat: false,
  isSearchable: false,
  origin: undefined,
  key: undefined,
});

/** Romeo has so many messages in his archive, to two people in turn. */
const put = async (store: Store, count: number): Promise<void> => {
  const unit = store.begin();
  for (let number = 0; number < count; number++)
    unit.keep(messageTo(number % 2 === 0 ? "ada@elsewhere" : "grace@elsewhere", number));
  await new Promise((resolve) => unit.commit().onSettled(resolve));
  while (store.messages.lag.index > 0) await new Promise((resolve) => setImmediate(resolve));
};

/** A database with so many messages. */
const filled = async (count: number): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "kith-counted-"));
  const store = await openSqliteStore({ directory, digestAfter: { messages: count, delay: 1 } });
  await put(store, count);
  await store.close();
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, "kith.db");
};

/** How much of the disk's was asked and answered for one page, and how long the page was. */
const costOf = (file: string, query: Partial<ArchiveQuery>) => {
  const database = openForReading(file);
  onTestFinished(() => database.close());
  const reader = new ArchiveReader(database);
  let rows = 0;
  const { all, iterate } = StatementSync.prototype;
  const alls = vi.spyOn(StatementSync.prototype, "all").mockImplementation(function (this: StatementSync, ...values) {
    const found = all.apply(this, values);
    rows += found.length;
    return found;
  });
  function* counting(found: Iterable<unknown>) {
    for (const row of found) {
      rows++;
      yield row;
    }
  }
  const iterates = vi.spyOn(StatementSync.prototype, "iterate").mockImplementation(function (
    this: StatementSync,
    ...values
  ) {
    return counting(iterate.apply(this, values)) as ReturnType<typeof iterate>;
  });
  const others = (["get", "run"] as const).map((way) => vi.spyOn(StatementSync.prototype, way));
  const page = reader.page({ owner: ROMEO, withGroupchat: false, from: "oldest", limit: PAGE, ...query }, []);
  const statements = [alls, iterates, ...others].reduce((sum, { mock }) => sum + mock.calls.length, 0);
  vi.restoreAllMocks();
  return { length: page.messages.length, statements, rows };
};

/** Pages of an archive of so many messages. */
const QUERIES: Readonly<Record<string, (count: number) => Partial<ArchiveQuery>>> = {
  "the first": () => ({}),
  "the last": () => ({ from: "newest" }),
  "the one after a message in the middle": (count) => ({ page: { after: count / 2 } }),
  "the one before a message in the middle": (count) => ({ from: "newest", page: { before: count / 2 } }),
  "one of a conversation": (count) => ({ with: { bare: "ada@elsewhere" }, page: { after: count / 4 } }),
};

test("XEP-0313 §4.2: a page costs the same wherever it lies, and however long the archive is", async () => {
  for (const count of [FEW, MANY]) {
    const file = await filled(count);
    for (const [name, query] of Object.entries(QUERIES)) {
      const { length, statements, rows } = costOf(file, query(count));
      const found = `${name} of ${count}`;
      expect({ found, length }).toEqual({ found, length: PAGE });
      expect({ found, statements: statements <= MOST_STATEMENTS, rows: rows <= MOST_ROWS }).toEqual({
        found,
        statements: true,
        rows: true,
      });
    }
  }
});

test("XEP-0313 §4.2: a page is one read and one write, and the thread that serves everybody asks the disk for nothing", async () => {
  const server = await started(true, ["romeo"]);
  const { store } = server;
  await put(store, FEW);
  const romeo = await online(server, "romeo");
  const query = async (id: string): Promise<void> => {
    romeo.send(
      `<iq type='set' id='${id}'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>${PAGE}</max></set></query></iq>`,
    );
    await romeo.until("</fin></iq>");
  };
  await query("warm");
  expect(await counted(server, () => query("counted"))).toEqual({ ...NOTHING, reads: 1, writes: 1 });
});
