import { eachFabric, type Open, type Party, type Scene } from "@kith/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Module } from "../module.ts";
import { Contacts } from "../modules/rfc6121-contacts.ts";
import { Ledger } from "../modules/rfc6121-ledger.ts";
import { presenceExchange } from "../modules/rfc6121-presence.ts";
import { memoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";

/** Keeps every chat message in both archives, lets it wait, and stores what nobody was there for. */
const keeper: Module = {
  name: "keeper",
  xeps: [],
  sending: { archive: ({ type }) => (type === "chat" ? { isArchived: true } : undefined) },
  receiving: { archive: ({ type }) => (type === "chat" ? { isArchived: true, waits: true } : undefined) },
  undelivered: (message) => (message.type === "chat" ? [{ do: "wait", message }] : undefined),
};

const IDS = /<stanza-id[^>]*\/>/g;
const bare = (xml: readonly string[]): string[] => xml.map((stanza) => stanza.replace(IDS, ""));
const chat = (to: string, text: string): string => `<message to='${to}' type='chat'><body>${text}</body></message>`;
const from = (sender: string, to: string, text: string): string =>
  `<message from='${sender}' to='${to}' type='chat'><body>${text}</body></message>`;
const ROMEO = "romeo@example.org/orchard";
const JULIET = "juliet@example.org/balcony";

const verona = async (open: Open, store: Store = memoryStore(), more: readonly Module[] = []): Promise<Scene> => {
  const scene = await open({
    store,
    modules: (shared) => [
      presenceExchange({ contacts: new Contacts(shared), ledger: new Ledger(shared) }),
      keeper,
      ...more,
    ],
    accounts: ["romeo@example.org", "juliet@example.org"],
  });
  onTestFinished(() => expect(scene.defects).toEqual([]));
  return scene;
};

const acks = (party: Party): string[] => party.received().filter((xml) => xml.startsWith("<a "));

eachFabric("Stream management", (open) => {
  describe("counting", () => {
    test("XEP-0198 §4: an <r/> is answered at once with what has been handled", async () => {
      const scene = await verona(open);
      const romeo = await scene.online(ROMEO);
      romeo.manages();
      romeo.asks();
      expect(acks(romeo)).toEqual(["<a xmlns='urn:xmpp:sm:3' h='0'/>"]);
      await romeo.sends("<presence><show>away</show></presence>");
      await romeo.sends(chat("juliet@example.org", "Good morrow"));
      romeo.asks();
      expect(acks(romeo)).toEqual(["<a xmlns='urn:xmpp:sm:3' h='2'/>"]);
    });

    test("XEP-0198 §6: a client that acknowledges more than it was sent loses its stream", async () => {
      const scene = await verona(open);
      const romeo = await scene.online(ROMEO);
      romeo.manages();
      await expect(romeo.acknowledges(1)).rejects.toMatchObject({ condition: "undefined-condition" });
    });
  });

  describe("resumption", () => {
    test("XEP-0198 §5: what the client had not acknowledged is sent again, in order and once", async () => {
      const scene = await verona(open);
      const romeo = await scene.online(ROMEO);
      const juliet = await scene.online(JULIET);
      const id = juliet.manages();
      await romeo.sends(chat(JULIET, "one"));
      await romeo.sends(chat(JULIET, "two"));
      expect(juliet.received()).toHaveLength(2);
      await scene.end(juliet);
      await romeo.sends(chat(JULIET, "three"));
      const { party, h } = await scene.resume(juliet, id, 1);
      expect(h).toBe(0);
      expect(bare(party.received())).toEqual([from(ROMEO, JULIET, "two"), from(ROMEO, JULIET, "three")]);
      await party.acknowledges(3);
      expect(await scene.store.messages.waiting("juliet@example.org" as never)).toEqual([]);
    });

    test("XEP-0198 §5: a session without a connection stays available, and says goodbye when its time is over", async () => {
      const scene = await verona(open);
      const romeo = await scene.online(ROMEO);
      const juliet = await scene.online(JULIET);
      await juliet.sends(`<presence to='${ROMEO}'/>`);
      romeo.received();
      juliet.manages(60);
      await scene.end(juliet);
      romeo.receivesNothing();
      scene.clock.advance(59_999);
      await scene.settled();
      romeo.receivesNothing();
      scene.clock.advance(1);
      await scene.settled();
      romeo.receives(`<presence type='unavailable' from='${JULIET}' to='${ROMEO}'/>`);
    });

    test("XEP-0198 §5: once its time is over there is nothing to resume, and messages wait", async () => {
      const scene = await verona(open);
      const romeo = await scene.online(ROMEO);
      const juliet = await scene.online(JULIET);
      const id = juliet.manages(60);
      await scene.end(juliet);
      await romeo.sends(chat("juliet@example.org", "Parting"));
      scene.clock.advance(60_000);
      await scene.settled();
      expect((await scene.resume(juliet, id, 0)).h).toBeUndefined();
      expect(await scene.store.messages.waiting("juliet@example.org" as never)).toHaveLength(1);
    });

    test("XEP-0198 §5: a request that the client never had is answered with an error", async () => {
      const scene = await verona(open);
      const romeo = await scene.online(ROMEO);
      const juliet = await scene.online(JULIET);
      await juliet.sends(`<presence to='${ROMEO}'/>`);
      romeo.received();
      juliet.manages(60);
      await scene.end(juliet);
      await romeo.sends(`<iq type='get' id='v' to='${JULIET}'><query xmlns='jabber:iq:version'/></iq>`);
      romeo.receivesNothing();
      scene.clock.advance(60_000);
      await scene.settled();
      expect(romeo.received().at(-1)).toContain("<recipient-unavailable");
    });

    test("XEP-0198 §5: a client that says goodbye cannot come back", async () => {
      const scene = await verona(open);
      const juliet = await scene.online(JULIET);
      const id = juliet.manages();
      await scene.end(juliet, "closed");
      expect((await scene.resume(juliet, id, 0)).h).toBeUndefined();
    });

    test("XEP-0198 §5: a stream that is still connected elsewhere moves, and the old connection ends", async () => {
      const scene = await verona(open);
      const juliet = await scene.online(JULIET);
      const id = juliet.manages();
      const { party } = await scene.resume(juliet, id, 0);
      expect(juliet.closedBy?.condition).toBe("conflict");
      await scene.end(juliet);
      const romeo = await scene.online(ROMEO);
      await romeo.sends(chat(JULIET, "still there?"));
      expect(bare(party.received())).toEqual([from(ROMEO, JULIET, "still there?")]);
    });

    test("XEP-0198 §5: another account's stream cannot be resumed", async () => {
      const scene = await verona(open);
      const juliet = await scene.online(JULIET);
      const id = juliet.manages();
      const romeo = await scene.online(ROMEO);
      expect((await scene.resume(romeo, id, 0)).h).toBeUndefined();
    });
  });

  describe("a client that gives no sign of life", () => {
    test("is asked, then its messages are missed, then its connection counts as gone", async () => {
      const missed: string[] = [];
      const noting: Module = {
        name: "noting",
        xeps: [],
        missed: ({ to }) => {
          missed.push(to?.full ?? "");
          return [];
        },
      };
      const scene = await verona(open, memoryStore(), [noting]);
      const romeo = await scene.online(ROMEO);
      const juliet = await scene.online(JULIET);
      juliet.manages();
      await romeo.sends(chat(JULIET, "one"));
      juliet.received();
      scene.clock.advance(2_000);
      expect(juliet.received()).toEqual(["<r xmlns='urn:xmpp:sm:3'/>"]);
      scene.clock.advance(10_000);
      await scene.settled();
      expect(missed).toEqual([JULIET]);
      scene.clock.advance(20_000);
      expect(juliet.closedBy?.condition).toBe("connection-timeout");
    });
  });

  describe("a restart", () => {
    test("XEP-0198 §5: the stream goes on with what was stored, and nobody hears of it", async () => {
      const store = memoryStore();
      const before = await verona(open, store);
      const romeo = await before.online(ROMEO);
      const juliet = await before.online(JULIET);
      const [hers, his] = [juliet.manages(), romeo.manages()];
      for (const text of ["one", "two", "three"]) await romeo.sends(chat(JULIET, text));
      expect(juliet.received()).toHaveLength(3);
      await before.stop();
      const after = await verona(open, store);
      const { party, h } = await after.resume(juliet, hers, 2);
      expect(h).toBe(0);
      expect(bare(party.received())).toEqual([from(ROMEO, JULIET, "three")]);
      const again = await after.resume(romeo, his, 0);
      expect(again.h).toBe(3);
      again.party.receivesNothing();
      await again.party.sends(chat(JULIET, "four"));
      expect(bare(party.received())).toEqual([from(ROMEO, JULIET, "four")]);
      party.manages();
      await after.end(party);
      const third = await after.resume(party, hers, 3);
      expect(bare(third.party.received())).toEqual([from(ROMEO, JULIET, "four")]);
    });

    test("again and again: what was sent once more and not acknowledged is sent until it is", async () => {
      const store = memoryStore();
      const first = await verona(open, store);
      const juliet = await first.online(JULIET);
      const id = juliet.manages();
      const romeo = await first.online(ROMEO);
      await romeo.sends(chat(JULIET, "one"));
      const second = await verona(open, store);
      const again = await second.resume(juliet, id, 0);
      expect(bare(again.party.received())).toEqual([from(ROMEO, JULIET, "one")]);
      await second.settled();
      const third = await verona(open, store);
      const romeoThen = await third.online(ROMEO);
      await romeoThen.sends(chat(JULIET, "two"));
      const fourth = await verona(open, store);
      const { party } = await fourth.resume(juliet, id, 0);
      expect(bare(party.received())).toEqual([from(ROMEO, JULIET, "one"), from(ROMEO, JULIET, "two")]);
      await party.acknowledges(1);
      await fourth.settled();
      const fifth = await verona(open, store);
      const last = await fifth.resume(juliet, id, 1);
      expect(bare(last.party.received())).toEqual([from(ROMEO, JULIET, "two")]);
    });

    test("XEP-0280 §7: copies are sent again as copies", async () => {
      const store = memoryStore();
      const copying: Module = {
        name: "copying",
        xeps: [],
        receiving: {
          copy: (stanza) =>
            stanza.kind === "message" && stanza.to !== undefined
              ? [{ do: "carbon", account: stanza.to.bare, message: stanza, carbon: "received" }]
              : [],
        },
      };
      const first = await verona(open, store, [copying]);
      const juliet = await first.online(JULIET);
      const garden = await first.online("juliet@example.org/garden");
      garden.marks("carbons");
      const [id, gardens] = [juliet.manages(), garden.manages()];
      await first.settled();
      const second = await verona(open, store, [copying]);
      const romeo = await second.online(ROMEO);
      await romeo.sends(chat(JULIET, "one"));
      const third = await verona(open, store, [copying]);
      expect(bare((await third.resume(juliet, id, 0)).party.received())).toEqual([from(ROMEO, JULIET, "one")]);
      const copies = (await third.resume(garden, gardens, 0)).party.received();
      expect(copies).toHaveLength(1);
      expect(copies[0]).toContain("<received xmlns='urn:xmpp:carbons:2'>");
    });

    test("twice, with messages between: what was never sent is sent in the end", async () => {
      const store = memoryStore();
      const first = await verona(open, store);
      const juliet = await first.online(JULIET);
      const id = juliet.manages();
      const romeo = await first.online(ROMEO);
      await romeo.sends(chat(JULIET, "one"));
      await first.stop();
      const second = await verona(open, store);
      const romeoAgain = await second.online(ROMEO);
      await romeoAgain.sends(chat(JULIET, "two"));
      await second.stop();
      const third = await verona(open, store);
      const { party } = await third.resume(juliet, id, 0);
      expect(bare(party.received())).toEqual([from(ROMEO, JULIET, "one"), from(ROMEO, JULIET, "two")]);
    });
  });
});
