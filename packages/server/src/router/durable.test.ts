import { eachFabric, type Open, type Party, type Scene } from "@kith/testing";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Module } from "../module.ts";
import { type ManualWriter, manualWriter, memoryStore } from "../store/memory.ts";

// Acknowledged means durable (ARCHITECTURE.md, "What survives"): a message counts once it is committed, and the answer never waits.

const says = (message: { readonly payload: string }, word: string): boolean => message.payload.includes(word);

/** Keeps chat messages in both archives, but for those that say "secret". */
const keeper = (isKept: boolean): Module => ({
  name: "keeper",
  xeps: [],
  sending: { archive: (message) => (isKept && !says(message, "secret") ? { isArchived: true } : undefined) },
  receiving: { archive: (message) => (says(message, "secret") ? undefined : { waits: true }) },
  undelivered: (message) => [{ do: "wait", message }],
});

interface Stage {
  readonly scene: Scene;
  readonly romeo: Party;
  readonly juliet: Party;
  readonly writer: ManualWriter;
}

const stage = async (open: Open, { isKept = true } = {}): Promise<Stage> => {
  const writer = manualWriter();
  writer.release();
  const scene = await open({
    store: memoryStore({ writer }),
    accounts: ["romeo@example.org", "juliet@example.org"],
    modules: () => [keeper(isKept)],
  });
  onTestFinished(() => {
    writer.release();
    expect(scene.defects).toEqual([]);
  });
  const romeo = await scene.login("romeo@example.org/orchard");
  const juliet = await scene.login("juliet@example.org/balcony");
  return { scene, romeo, juliet, writer };
};

/** Lets everything happen that needs no disk. */
const quiet = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
};
const chat = (text: string): string =>
  `<message to='juliet@example.org/balcony' type='chat'><body>${text}</body></message>`;
const ack = (h: number): string => `<a xmlns='urn:xmpp:sm:3' h='${h}'/>`;
const BODY = /<body>([^<]*)<\/body>|<(presence|iq)/;
const told = (party: Party): string[] => party.received().map((xml) => BODY.exec(xml)?.slice(1).join("") ?? xml);

eachFabric("Acknowledged means durable", (open, kind) => {
  test("XEP-0198 §4: <r/> is answered at once, and again as soon as there is more to tell", async () => {
    const { romeo, writer } = await stage(open);
    romeo.manages();
    await quiet();
    writer.hold();
    await romeo.sendsUnsettled(chat("one"));
    await romeo.sendsUnsettled(chat("two"));
    romeo.asks();
    expect(romeo.received()).toEqual([ack(0)]);
    writer.commit(1);
    await quiet();
    expect(romeo.received()).toEqual([ack(1)]);
    writer.commit();
    await quiet();
    expect(romeo.received()).toEqual([ack(2)]);
    writer.commit();
    await quiet();
    romeo.receivesNothing();
  });

  test("several commits that settle in one turn are told in one <a/>", async () => {
    const { romeo, writer } = await stage(open);
    romeo.manages();
    await quiet();
    writer.hold();
    for (const text of ["one", "two", "three"]) await romeo.sendsUnsettled(chat(text));
    romeo.asks();
    writer.commit();
    await quiet();
    expect(romeo.received()).toEqual([ack(0), ack(3)]);
  });

  test("what stores nothing counts when it is handled, but not before what came earlier", async () => {
    const { romeo, writer } = await stage(open);
    romeo.manages();
    await quiet();
    writer.hold();
    await romeo.sendsUnsettled("<presence/>");
    romeo.asks();
    await romeo.sendsUnsettled(chat("one"));
    await romeo.sendsUnsettled(chat("a secret"));
    romeo.asks();
    expect(romeo.received().filter((xml) => xml.startsWith("<a "))).toEqual([ack(1), ack(1)]);
    writer.release();
    await quiet();
    expect(
      romeo
        .received()
        .filter((xml) => xml.startsWith("<a "))
        .at(-1),
    ).toBe(ack(3));
  });

  test("a commit that fails counts as handled, and its sender is told", async () => {
    const { romeo, juliet, writer } = await stage(open);
    romeo.manages();
    await quiet();
    writer.hold();
    await romeo.sendsUnsettled(chat("one"));
    romeo.asks();
    writer.fail(1);
    await quiet();
    const received = romeo.received();
    expect(received).toContain(ack(1));
    expect(received.join("")).toContain("<resource-constraint");
    juliet.receivesNothing();
  });

  // On the other fabric a stanza is handed to another machine, whose clients' acknowledgements stay there.
  if (kind === "LocalFabric")
    describe("nothing is stored, and both ends acknowledge", () => {
      test("a message counts once the recipient's client has it", async () => {
        const { romeo, juliet } = await stage(open, { isKept: false });
        romeo.manages();
        juliet.manages();
        await romeo.sends(chat("one"));
        await romeo.sends(chat("two"));
        romeo.asks();
        await juliet.acknowledges(1);
        await juliet.acknowledges(2);
        expect(romeo.received()).toEqual([ack(0), ack(1), ack(2)]);
      });

      test("one that may be lost counts when it is handled, whenever its recipient comes back", async () => {
        const { scene, romeo, juliet } = await stage(open, { isKept: false });
        romeo.manages();
        juliet.manages();
        await scene.end(juliet);
        await romeo.sends(chat("secret"));
        romeo.asks();
        expect(romeo.received()).toEqual([ack(1)]);
      });

      test("or once it is stored, since the client did not come back for it", async () => {
        const { scene, romeo, juliet } = await stage(open, { isKept: false });
        romeo.manages();
        juliet.manages(60);
        await scene.end(juliet);
        await romeo.sends(chat("one"));
        romeo.asks();
        expect(romeo.received()).toEqual([ack(0)]);
        scene.clock.advance(60_000);
        await scene.settled();
        expect(romeo.received()).toContain(ack(1));
        expect(await scene.store.messages.waiting("juliet@example.org" as never)).toHaveLength(1);
      });
    });

  test("RFC 6120 §10.1: whatever is stored, and however slowly, everything arrives in the order in which it was sent", async () => {
    const step = fc.constantFrom(...STEPS);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, isManaged) => {
        const { romeo, juliet, writer } = await stage(open);
        if (isManaged) juliet.manages();
        await quiet();
        juliet.received();
        writer.hold();
        for (const [at, next] of steps.entries()) await act(next, at, romeo, writer);
        writer.release();
        await quiet();
        const sent = steps.flatMap((next, at) => (next.startsWith("commit") ? [] : [shownAs(next, at)]));
        expect(told(juliet).filter((text) => !text.startsWith("<"))).toEqual(sent);
      }),
      { numRuns: 40 },
    );
  });
});

const STEPS = ["kept", "secret", "presence", "iq", "commit", "commit all"] as const;

const act = async (step: (typeof STEPS)[number], at: number, sender: Party, writer: ManualWriter): Promise<void> => {
  if (step === "commit") writer.commit(1);
  else if (step === "commit all") writer.commit();
  else await sender.sendsUnsettled(stanzaOf(step, at));
};
const shownAs = (step: string, at: number): string => (step === "presence" || step === "iq" ? step : `${step} ${at}`);
const stanzaOf = (kind: string, at: number): string => {
  if (kind === "presence") return "<presence to='juliet@example.org/balcony'/>";
  if (kind === "iq") return `<iq to='juliet@example.org/balcony' type='result' id='i${at}'/>`;
  return chat(`${kind} ${at}`);
};
