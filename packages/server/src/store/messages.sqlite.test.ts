import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Hand, juliet, messagesSuite, newMessage, nurse, type OpenedMessages, romeo } from "./messages.suite.ts";
import { messagesModel } from "./messages-model.suite.ts";
import { openSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
import { pragma } from "./sqlite-connection.ts";
import { jid } from "./store.suite.ts";
import { openMemory } from "./test-messages.ts";
import { Child, databaseIn, POISON, poison, temporaryPaths } from "./test-support.ts";

const newPath = temporaryPaths();

// Made once and copied, for there are many tests.
const template = newPath();
beforeAll(async () => (await openSqliteStore({ directory: template })).close());

const open = async (options: Partial<SqliteStoreOptions>): Promise<OpenedMessages> => {
  const directory = newPath();
  mkdirSync(directory);
  copyFileSync(join(template, "kith.db"), join(directory, "kith.db"));
  const clock = { now: 1_000_000 };
  const store = await openSqliteStore({ directory, synchronous: "NORMAL", now: () => clock.now, ...options });
  // A tool in another's hand: it makes units fail, and makes the writer wait.
  const tool = databaseIn(directory);
  poison(tool);
  const close = store.close.bind(store);
  return {
    store: Object.assign(store, {
      close: () => {
        if (tool.isOpen) tool.close();
        return close();
      },
    }),
    clock,
    hold: () => {
      tool.exec("begin immediate");
      return () => tool.exec("rollback");
    },
    commitFailing: (unit) => {
      unit.add({ op: "put", collection: POISON, owner: POISON, key: POISON, value: 1 });
      return unit.commit();
    },
  };
};

messagesSuite("the SQLite store", () => open({}));
messagesSuite("the SQLite store that digests at once and forgets every owner but one", () =>
  open({ cacheOwners: 1, digestAfter: { messages: 1, delay: 0 } }),
);

const plain = () => openMemory(2000);
messagesModel("the SQLite store", () => open({}), plain, 15);
messagesModel(
  "the SQLite store that digests at once",
  () => open({ cacheOwners: 1, digestAfter: { messages: 1, delay: 0 } }),
  plain,
  15,
);

/** Opens a directory again and again. */
const opening = (directory: string, options: Partial<SqliteStoreOptions> = {}) => ({
  open: async (): Promise<Hand> => {
    const store = await openSqliteStore({ directory, synchronous: "NORMAL", now: () => 1000, ...options });
    const never = (): never => {
      throw new Error("not here");
    };
    return new Hand({ store, clock: { now: 1000 }, hold: never, commitFailing: never });
  },
});

describe("opened again", () => {
  test("all is there: archives, what waits and what does not, keys, places in streams", async () => {
    const { open } = opening(newPath());
    let hand = await open();
    const origin = { stream: "o", number: 3 };
    const rows = await hand.commit(
      newMessage("a", { key: "k", origin }),
      newMessage("b", { isArchived: { sent: false, received: false } }),
      newMessage("c", { isSearchable: true }),
    );
    const at = (place: number): number => rows[place] ?? 0;
    await hand.commit(hand.messages.delivered(at(0), { stream: "s", number: 1, as: "carbon" }));
    hand.messages.settle(juliet, [at(1), at(2)]);
    for (let round = 0; round < 2; round++) {
      await hand.store.close();
      hand = await open();
      const { messages } = hand;
      expect(await hand.waiting()).toEqual(["a"]);
      expect(await hand.page()).toEqual(["a", "c"]);
      expect(await hand.page({ owner: romeo, text: "C" })).toEqual(["c"]);
      expect(await messages.sentBefore(romeo, "k", 0)).toBe(at(0));
      const traces = await messages.traces(romeo, 0);
      expect(traces.slice(0, 2).map(({ row, origin, deliveries }) => [row, origin, deliveries])).toEqual([
        [at(0), origin, [{ stream: "s", number: 1, as: "carbon" }]],
        [at(2), undefined, []],
      ]);
      expect(messages.lastRow).toBe(3 + round);
      expect(messages.lag.index).toBe(0);
      const row = await hand.store1("d", { recipient: nurse });
      expect(row).toBe(4 + round);
      expect((await messages.find(nurse, [row]))[0]?.stamp).toBe(1000);
    }
    await hand.store.close();
  });

  test("no row comes twice, though all messages be gone; stamps never step back", async () => {
    const directory = newPath();
    let now = 5000;
    const { open } = opening(directory, { now: () => now });
    let hand = await open();
    const neither = { isArchived: { sent: false, received: false } };
    const row = await hand.store1("a", neither);
    hand.messages.settle(juliet, [row]);
    await hand.store.close();
    now = 4000;
    hand = await open();
    expect(await hand.messages.traces(juliet, 0)).toEqual([]);
    expect(hand.messages.lastRow).toBe(row);
    const next = await hand.store1("b", neither);
    expect(next).toBe(row + 1);
    await hand.store.close();
    hand = await open();
    now = 3000;
    const [last] = await hand.commit(newMessage("c"));
    expect((await hand.messages.find(juliet, [last ?? 0]))[0]?.stamp).toBeGreaterThanOrEqual(4000);
    await hand.store.close();
  });

  test("an account whose removal was not finished has nothing, and it is finished", async () => {
    const directory = newPath();
    const { open } = opening(directory);
    let hand = await open();
    await hand.commit(...Array.from({ length: 1200 }, (_, at) => newMessage(String(at))));
    await hand.commit(hand.store.accounts.remove(juliet, 1));
    await hand.store.close();
    hand = await open();
    expect(await hand.page()).toEqual([]);
    expect(await hand.waiting()).toEqual([]);
    expect(
      (await hand.messages.page({ owner: romeo, withGroupchat: false, from: "oldest", limit: 2000 })).messages.length,
    ).toBe(1200);
    const tool = databaseIn(directory);
    const left = tool.prepare("select count(*) as n from removed_messages");
    while (left.get()?.n !== 0) await new Promise((resolve) => setImmediate(resolve));
    expect(tool.prepare("select count(*) as n from message_of where owner = ?").get(juliet)?.n).toBe(0);
    expect(tool.prepare("select count(*) as n from message_with where owner = ?").get(juliet)?.n).toBe(0);
    expect(pragma(tool, "integrity_check")).toBe("ok");
    tool.close();
    await hand.store.close();
  });
});

test("nothing of a text is left in the database once it was replaced", async () => {
  const directory = newPath();
  const { open } = opening(directory);
  const hand = await open();
  const row = await hand.store1("Xyzzyplugh", { isSearchable: true });
  await hand.digest();
  while (hand.messages.lag.search > 0) await new Promise((resolve) => setImmediate(resolve));
  await hand.commit(hand.messages.replace(row, newMessage("tombstone").stanza));
  await hand.store.close();
  const file = readFileSync(join(directory, "kith.db"), "latin1").toLowerCase();
  expect(file).toContain("tombstone");
  expect(file).not.toContain("xyzzyplugh");
});

test("killed again and again: what was committed is in both archives once, in order; what was not settled waits", async () => {
  const directory = newPath();
  const source = `
    import { openSqliteStore } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};
    const [, , directory] = process.argv;
    const store = await openSqliteStore({ directory, digestAfter: { messages: 40, delay: 5 } });
    let open = 0;
    const go = () => {
      for (; open < 30; open++) {
        const unit = store.begin();
        const to = "juliet" + (store.messages.lastRow % 3) + "@example.org";
        const kept = unit.keep({ stanza: "<message/>", sender: "romeo@example.org", recipient: to, from: "romeo@example.org", to,
          isArchived: { sent: true, received: true }, waits: true, isGroupchat: false, isSearchable: false, origin: undefined, key: undefined });
        unit.commit().onSettled((committed) => {
          open--;
          if (kept.row % 2 === 0) store.messages.settle(to, [kept.row]);
          process.stdout.write(kept.row + " " + to + " " + committed + "\\n");
        });
      }
      setImmediate(go);
    };
    go();`;
  const acknowledged = new Map<number, string>();
  for (let round = 0; round < 3; round++) {
    const child = new Child(source, newPath(), directory);
    const lines: (string | undefined)[] = [];
    while (lines.length < 150) lines.push(await child.line());
    lines.push(...(await child.kill()));
    for (const line of lines) {
      const [row, to, committed] = (line ?? "").split(" ");
      if (committed === undefined) continue;
      expect(committed).toBe("true");
      acknowledged.set(Number(row), to ?? "");
    }
    const { messages, store } = await opening(directory).open();
    const sent = (await messages.page({ owner: romeo, withGroupchat: false, from: "oldest", limit: 100_000 })).messages;
    const rows = sent.map(({ row }) => row);
    expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
    expect([...acknowledged.keys()].filter((row) => !rows.includes(row))).toEqual([]);
    for (const name of ["juliet0", "juliet1", "juliet2"]) {
      const owner = jid(`${name}@example.org`);
      const own = sent.filter(({ recipient }) => recipient === owner).map(({ row }) => row);
      const page = await messages.page({ owner, withGroupchat: false, from: "oldest", limit: 100_000 });
      expect(page.messages.map(({ row }) => row)).toEqual(own);
      const waiting = (await messages.waiting(owner)).map(({ row }) => row);
      expect(own.filter((row) => row % 2 === 1 && !waiting.includes(row))).toEqual([]);
      expect(waiting.filter((row) => !own.includes(row))).toEqual([]);
    }
    await store.close();
  }
}, 60_000);
