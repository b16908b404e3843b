import { describe, expect, test } from "vitest";
import { type MemoryWriter, manualWriter, memoryStore } from "./memory.ts";
import { type Opened, settled, storeSuite } from "./store.suite.ts";
import type { Store, Ticket } from "./store.ts";

const open = async (cacheOwners: number, isAhead = false): Promise<Opened> => {
  const manual = manualWriter();
  manual.release();
  let fails = false;
  const ahead: MemoryWriter = {
    write: (unit) => {
      if (!fails) unit.store();
      manual.write(unit);
    },
  };
  return {
    store: memoryStore({ writer: isAhead ? ahead : manual, cacheOwners }),
    hold: () => {
      manual.hold();
      return () => manual.release();
    },
    commitFailing: (unit) => {
      fails = true;
      manual.failNext();
      const ticket = unit.commit();
      fails = false;
      return ticket;
    },
  };
};

storeSuite("the memory store", () => open(2000), 200);
storeSuite("the memory store that forgets every owner but one", () => open(1), 200);
// As with a writer in a thread of its own: what it has written is read before it has said so.
storeSuite("the memory store whose disk is ahead of the news", () => open(1, true), 200);

describe("a manual writer", () => {
  const put = (store: Store, key: string): Ticket => {
    const unit = store.begin();
    unit.add({ op: "put", collection: "books", owner: "romeo", key, value: 1 });
    return unit.commit();
  };
  const states = (tickets: readonly Ticket[]): string => tickets.map(({ state }) => state).join(" ");

  test("holds units until told, oldest first", () => {
    const writer = manualWriter();
    const store = memoryStore({ writer });
    const books = store.collection<number>("books");
    const tickets = ["a", "b", "c", "d"].map((key) => put(store, key));
    expect(writer.waiting).toBe(4);
    writer.commit(1);
    expect(states(tickets)).toBe("committed open open open");
    writer.fail();
    expect(states(tickets)).toBe("committed failed open open");
    expect(books.all("romeo")).toEqual(
      new Map([
        ["a", 1],
        ["c", 1],
        ["d", 1],
      ]),
    );
    writer.commit();
    expect(states(tickets)).toBe("committed failed committed committed");
    expect(writer.waiting).toBe(0);
  });

  test("fails the next ones when their turn comes", () => {
    const writer = manualWriter();
    const store = memoryStore({ writer });
    const before = put(store, "a");
    writer.failNext(2);
    const tickets = [before, put(store, "b"), put(store, "c"), put(store, "d")];
    expect(states(tickets)).toBe("open open open open");
    writer.commit();
    expect(states(tickets)).toBe("committed failed failed committed");
  });

  test("released, commits what waits at once and the rest as it comes; holds again when told", async () => {
    const writer = manualWriter();
    const store = memoryStore({ writer });
    const first = put(store, "a");
    writer.release();
    expect(first.state).toBe("committed");
    const second = put(store, "b");
    expect(second.state).toBe("open");
    expect(await settled(second)).toBe(true);
    const third = put(store, "c");
    writer.hold();
    await Promise.resolve();
    expect(third.state).toBe("open");
    writer.commit();
    expect(third.state).toBe("committed");
  });
});

test("by default units settle in a microtask", async () => {
  const unit = memoryStore().begin();
  const ticket = unit.commit();
  expect(ticket.state).toBe("open");
  await Promise.resolve();
  expect(ticket.state).toBe("committed");
});

test("a listener that throws is a defect, and keeps nobody else from being told", async () => {
  const defects: unknown[] = [];
  const store = memoryStore({ onDefect: (error) => defects.push(error) });
  const called: string[] = [];
  const ticket = store.begin().commit();
  for (const name of ["first", "second", "third"])
    ticket.onSettled(() => {
      called.push(name);
      throw new Error(name);
    });
  const next = store.begin().commit();
  expect(await settled(next)).toBe(true);
  expect(called).toEqual(["first", "second", "third"]);
  expect(defects).toEqual([new Error("first"), new Error("second"), new Error("third")]);
});
