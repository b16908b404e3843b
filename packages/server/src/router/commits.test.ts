import { element, message, parseJid, payload, textOf } from "@kith/protocol";
import { eachFabric, type Open, type Party } from "@kith/testing";
import { expect, test } from "vitest";
import { type Module, onSet, route, write } from "../module.ts";
import { type ManualWriter, manualWriter, memoryStore } from "../store/memory.ts";
import type { Collection } from "../store/store.ts";

// RFC 6120 §10.1 and what an answer promises: nothing is shown before it is durable, and nothing overtakes it.

const NS = "urn:example:ledger";
const Entry = payload({
  ns: NS,
  name: "entry",
  places: ["iq-set"],
  parse: (entry) => textOf(entry),
  build: (text: string) => element(NS, "entry", {}, [text]),
});

/** Stores what it is told, and tells Juliet. */
const ledger = (entries: Collection<string>): Module => ({
  name: "ledger",
  xeps: [],
  iq: [
    onSet(Entry, ["own-account"], (text, { at }) => ({
      before: [
        write(entries.put(at.bare, text, text)),
        route(message({ from: at, to: parseJid("juliet@example.org/balcony") }, [element("", "body", {}, [text])])),
      ],
    })),
  ],
});

interface Stage {
  readonly romeo: Party;
  readonly juliet: Party;
  readonly writer: ManualWriter;
  readonly entries: () => readonly string[];
}

/** Everybody is there, and the disk has stopped. */
const stage = async (open: Open): Promise<Stage> => {
  const writer = manualWriter();
  writer.release();
  const opened: Collection<string>[] = [];
  const scene = await open({
    store: memoryStore({ writer }),
    accounts: ["romeo@example.org", "juliet@example.org"],
    modules: (store) => {
      const entries = store.collection<string>("ledger");
      opened.push(entries);
      return [ledger(entries)];
    },
  });
  const romeo = await scene.login("romeo@example.org/orchard");
  const juliet = await scene.login("juliet@example.org/balcony");
  writer.hold();
  return {
    romeo,
    juliet,
    writer,
    entries: () =>
      opened
        .slice(0, 1)
        .flatMap((entries) => [...(entries.all("romeo@example.org") as ReadonlyMap<string, string>).keys()]),
  };
};

/** Lets everything happen that needs no disk. */
const quiet = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
};
const enter = (id: string): string => `<iq type='set' id='${id}'><entry xmlns='${NS}'>${id}</entry></iq>`;
const result = (id: string): string => `<iq to='romeo@example.org/orchard' type='result' id='${id}'/>`;
const told = (id: string): string =>
  `<message from='romeo@example.org' to='juliet@example.org/balcony'><body>${id}</body></message>`;

eachFabric("commits", (open) => {
  test("neither the result nor what others are told leaves before the commit; then both do, in order", async () => {
    const { romeo, juliet, writer, entries } = await stage(open);
    await romeo.sendsUnsettled(enter("a"));
    await romeo.sendsUnsettled(enter("b"));
    await quiet();
    expect(entries()).toEqual(["a", "b"]);
    romeo.receivesNothing();
    juliet.receivesNothing();
    writer.commit(1);
    await quiet();
    romeo.receives(result("a"));
    juliet.receives(told("a"));
    writer.release();
    await quiet();
    romeo.receives(result("b"));
    juliet.receives(told("b"));
  });

  test("RFC 6120 §10.1: a message that stores nothing does not overtake one that is being stored", async () => {
    const { romeo, juliet, writer } = await stage(open);
    await romeo.sendsUnsettled(enter("a"));
    await romeo.sendsUnsettled("<message to='juliet@example.org/balcony'><body>after</body></message>");
    await quiet();
    juliet.receivesNothing();
    writer.release();
    await quiet();
    juliet.receives(
      told("a"),
      "<message from='romeo@example.org/orchard' to='juliet@example.org/balcony'><body>after</body></message>",
    );
  });

  test("a commit that fails is answered with resource-constraint, shows nothing, and is undone", async () => {
    const { romeo, juliet, writer, entries } = await stage(open);
    await romeo.sendsUnsettled(enter("a"));
    await romeo.sendsUnsettled(enter("b"));
    writer.fail(1);
    writer.release();
    await quiet();
    romeo.receivesInAnyOrder(
      "<iq to='romeo@example.org/orchard' type='error' id='a'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
      result("b"),
    );
    juliet.receives(told("b"));
    expect(entries()).toEqual(["b"]);
  });
});
