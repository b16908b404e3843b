import { eachFabric, type Open, type Party, type Scene } from "@kith/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Module } from "../module.ts";
import { Contacts } from "../modules/rfc6121-contacts.ts";
import { Ledger } from "../modules/rfc6121-ledger.ts";
import { presenceExchange } from "../modules/rfc6121-presence.ts";
import { offline } from "../modules/xep0160-offline.ts";
import { manualWriter, memoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";

// What `npm run chaos` has found, each as the scene that it comes down to.

const ROMEO = "romeo@example.org/orchard";
const JULIET = "juliet@example.org/balcony";

const archive: Module = {
  name: "archive",
  xeps: [],
  sending: { archive: ({ type }) => (type === "chat" ? { isArchived: true } : undefined) },
  receiving: { archive: ({ type }) => (type === "chat" ? { isArchived: true } : undefined) },
};

/** Opened once more on the same store it is a server that was killed and started again. */
const verona = async (open: Open, store: Store): Promise<Scene> => {
  const scene = await open({
    store,
    modules: (shared) => [
      presenceExchange({ contacts: new Contacts(shared), ledger: new Ledger(shared) }),
      archive,
      offline({ messages: shared.messages, isBlocked: () => false }),
    ],
    accounts: ["romeo@example.org", "juliet@example.org"],
  });
  onTestFinished(() => expect(scene.defects).toEqual([]));
  return scene;
};

const chat = (to: string, text: string): string => `<message to='${to}' type='chat'><body>${text}</body></message>`;
const told = (party: Party): readonly string[] =>
  party.received().flatMap((xml) => /<body>(.*?)<.body>/.exec(xml)?.[1] ?? []);

eachFabric("Found by chaos", (open, kind) => {
  describe("XEP-0198 §5: a stream that was left by a server that is gone", () => {
    test("gets what it has not had once and where it was, also if it was given to it again meanwhile", async () => {
      const store = memoryStore();
      const before = await verona(open, store);
      const romeo = await before.online(ROMEO);
      const juliet = await before.online(JULIET);
      const id = juliet.manages();
      for (const text of ["one", "two"]) await romeo.sends(chat(JULIET, text));
      const after = await verona(open, store);
      await (await after.online(ROMEO)).sends(chat(JULIET, "three"));
      // What waits is given to whoever is there when another session ends.
      const other = await after.online("juliet@example.org/chamber", "<presence><priority>-1</priority></presence>");
      await after.end(other);
      const { party } = await after.resume(juliet, id, 0);
      expect(told(party)).toEqual(["one", "two", "three"]);
    });

    test("is told all that came while it was away, however often the server was killed meanwhile", async () => {
      const store = memoryStore();
      const first = await verona(open, store);
      const juliet = await first.online(JULIET);
      const id = juliet.manages();
      await first.settled();
      // Addressed to a resource that is gone: where it goes is found out when it is stored already.
      for (const text of ["one", "two"]) {
        const next = await verona(open, store);
        await (await next.online(ROMEO)).sends(chat("juliet@example.org/gone", text));
      }
      const last = await verona(open, store);
      await (await last.online(ROMEO)).sends(chat("juliet@example.org/gone", "three"));
      const { party } = await last.resume(juliet, id, 0);
      expect(told(party)).toEqual(["one", "two", "three"]);
    });

    test("has had what it says it has had, so that nobody gets it again", async () => {
      const store = memoryStore();
      const before = await verona(open, store);
      const romeo = await before.online(ROMEO);
      const juliet = await before.online(JULIET);
      const id = juliet.manages();
      for (const text of ["one", "two"]) await romeo.sends(chat(JULIET, text));
      const after = await verona(open, store);
      const { party } = await after.resume(juliet, id, 2);
      const other = await after.login("juliet@example.org/chamber");
      await other.sends("<presence/>");
      expect([told(party), told(other)]).toEqual([[], []]);
    });

    test.each([
      [0, ["one", "aside", "two"]],
      [1, ["aside", "two"]],
      [3, []],
    ])("and so it does after another restart, where it has had %i", async (h, texts) => {
      const store = memoryStore();
      const first = await verona(open, store);
      const romeo = await first.online(ROMEO);
      const juliet = await first.online(JULIET);
      const id = juliet.manages();
      await romeo.sends(chat(JULIET, "one"));
      // Stored, and given to nobody later.
      await romeo.sends(chat(JULIET, "aside").replace("</body>", "</body><no-store xmlns='urn:xmpp:hints'/>"));
      await romeo.sends(chat(JULIET, "two"));
      const second = await verona(open, store);
      await second.end(
        await second.online("juliet@example.org/chamber", "<presence><priority>-1</priority></presence>"),
      );
      const third = await verona(open, store);
      const { party } = await third.resume(juliet, id, h);
      expect(told(party)).toEqual(texts);
    });
  });

  test("XEP-0198 §4: what was stored counts after a restart, whatever else of the stream was written meanwhile", async () => {
    const writer = manualWriter();
    writer.release();
    const store = memoryStore({ writer });
    const before = await verona(open, store);
    await before.online(JULIET);
    const romeo = await before.online(ROMEO);
    const id = romeo.manages();
    await before.settled();
    writer.hold();
    await romeo.sendsUnsettled(chat(JULIET, "one"));
    // Where the stream is gets written with its presence, while the message is not counted yet.
    await romeo.sendsUnsettled("<presence><show>away</show></presence>");
    writer.release();
    await before.settled();
    const after = await verona(open, store);
    expect((await after.resume(romeo, id, 0)).h).toBeGreaterThanOrEqual(1);
  });

  // What a session on another node holds is known there.
  if (kind === "LocalFabric")
    describe("XEP-0160 §3: what a session is being sent already it is not given again", () => {
      test("although it is still being stored when the session becomes available", async () => {
        const writer = manualWriter();
        writer.release();
        const scene = await verona(open, memoryStore({ writer }));
        const romeo = await scene.online(ROMEO);
        const juliet = await scene.login(JULIET);
        writer.hold();
        await romeo.sendsUnsettled(chat(JULIET, "one"));
        await juliet.sendsUnsettled("<presence/>");
        writer.release();
        await scene.settled();
        expect(told(juliet)).toEqual(["one"]);
      });

      test("and it has arrived once the client is heard, also if its stanzas are counted since", async () => {
        const scene = await verona(open, memoryStore());
        const romeo = await scene.online(ROMEO);
        const juliet = await scene.online(JULIET);
        await romeo.sends(chat(JULIET, "one"));
        juliet.manages();
        await juliet.livens();
        expect(await scene.store.messages.waiting("juliet@example.org" as never)).toEqual([]);
      });
    });
});
