import { plainAuth, type RawClient, streamHeader, useOf } from "@kith/testing/process";
import { expect, test } from "vitest";
import { configOf, hostile, PASSWORD, stanzaError, streamError } from "./hostile-scene.ts";

const MEGABYTE = 1_048_576;
const PING = "<ping xmlns='urn:xmpp:ping'/>";

/** How much more memory the server may hold while somebody tries to fill it; what the kernel holds does not count. */
const MOST_GROWTH = 96 * MEGABYTE;

hostile(
  "readers that do not read",
  configOf(
    { outboxBytes: "256 KiB", readAheadBytes: "64 KiB", authenticated: { stanzaBytes: "64 KiB" } },
    { writeStall: "1 s", close: "200 ms" },
    { log: { level: "debug" } },
  ),
  ({ server, stranger }) => {
    /** Sends until `isEnough`, as fast as the other end takes it. */
    const flood = async (sender: RawClient, xml: string, isEnough: () => boolean): Promise<number> => {
      let sent = 0;
      for (; !isEnough() && sent < 64 * MEGABYTE; sent += 8 * xml.length) {
        sender.send(`${xml.repeat(8)}<iq type='get' id='${sent}'>${PING}</iq>`);
        await sender.until(`id='${sent}'`);
      }
      return sent;
    };
    const hasLogged = (text: string) => (): boolean => server().log.some((line) => line.includes(text));

    test("RFC 6120 §13.12: what waits for a reader is bounded; then its stream ends, and others are none the wiser", async () => {
      const reader = await stranger.login("idle");
      const sender = await stranger.login();
      const before = await useOf(server().pid);
      reader.stopReading();
      const address = `${reader.name}@localhost/idle`;
      const xml = `<message type='headline' to='${address}'><body>${"x".repeat(16_000)}</body></message>`;
      const sent = await flood(sender, xml, hasLogged("more is waiting to be read than may wait"));
      // The kernel holds some megabytes of a connection on one machine.
      expect(sent).toBeLessThan(32 * MEGABYTE);
      const after = await useOf(server().pid);
      expect(after.rss - before.rss).toBeLessThan(MOST_GROWTH);
      reader.readOn();
      await reader.closed();
      // Each message carries who sent it as well; the stream is judged when a turn of the loop is over.
      expect(reader.bytesReceived).toBeLessThanOrEqual(1.1 * sent);
    });

    test("RFC 6120 §13.12: whoever asks and does not read is not read from either, and is ended in time", async () => {
      const client = await stranger.login("greedy");
      const before = await useOf(server().pid);
      client.stopReading();
      const asking = `<iq type='get' id='1'>${PING}</iq>`.repeat(2_000);
      for (let sent = 0; sent < 32 * MEGABYTE; sent += asking.length) client.send(asking);
      await server().logged(/the peer does not read/);
      const after = await useOf(server().pid);
      expect(after.rss - before.rss).toBeLessThan(MOST_GROWTH);
      client.readOn();
      await client.closed();
      expect(client.bytesReceived).toBeLessThan(16 * MEGABYTE);
    });
  },
);

hostile("messages for those who are away", configOf({}), ({ stranger }) => {
  test("XEP-0160 §3: there is an end to what waits, and whoever comes gets it without being cut off", async () => {
    const victim = await stranger.login();
    victim.destroy();
    await victim.closed();
    const sender = await stranger.login();
    const count = 30;
    for (let at = 0; at < count; at++) {
      const body = "x".repeat(200_000);
      sender.send(`<message type='chat' to='${victim.name}@localhost' id='m${at}'><body>${body}</body></message>`);
    }
    sender.send(`<iq type='get' id='all'>${PING}</iq>`);
    const refused = (await sender.until("id='all'")).split(stanzaError("cancel", "service-unavailable")).length - 1;
    expect(refused).toBeGreaterThan(0);
    const again = await stranger.connect();
    await again.login(victim.name, PASSWORD, "home");
    again.send(`<presence/><iq type='get' id='1'>${PING}</iq>`);
    const waiting = await again.until("id='1'");
    expect(waiting.split("<body>").length - 1).toBe(count - refused);
    expect(again.isClosed).toBe(false);
  });
});

const RATE = { stanzasPerSecond: 100, burstStanzas: 50, bytesPerSecond: "64 KiB", burstBytes: "32 KiB" } as const;

hostile("strangers in a hurry", configOf({ rate: RATE }), ({ stranger }) => {
  test("RFC 6120 §13.12: stanzas that come too fast are read more slowly; none is lost, nobody is cut off", async () => {
    const client = await stranger.login();
    const count = 250;
    const started = performance.now();
    client.send(Array.from({ length: count }, (_, at) => `<iq type='get' id='p${at}'>${PING}</iq>`).join(""));
    const answers = await client.until(`id='p${count - 1}'`);
    const seconds = (performance.now() - started) / 1000;
    expect([...answers.matchAll(/ id='p(\d+)'/g)].map(([, id]) => Number(id))).toEqual(
      Array.from({ length: count }, (_, at) => at),
    );
    // 50 at once, the rest at 100 a second; the time between may have earned it some.
    expect(seconds).toBeGreaterThan(1.5);
    client.send(`<iq type='get' id='after'>${PING}</iq>`);
    await client.until("id='after'");
  });

  test("RFC 6120 §13.12: so are bytes", async () => {
    const client = await stranger.login();
    const started = performance.now();
    const long = `<message to='nobody@localhost'><body>${"x".repeat(100_000)}</body></message>`;
    client.send(`${long.repeat(3)}<iq type='get' id='1'>${PING}</iq>`);
    await client.until("id='1'");
    expect(performance.now() - started).toBeGreaterThan(1_000);
    expect(client.isClosed).toBe(false);
  });
});

hostile("guessers of passwords", configOf({ guessing: true }), ({ stranger }) => {
  const guess = async (localpart: string, password: string, from?: string): Promise<{ answer: string; ms: number }> => {
    const client = await stranger.arrive(from);
    const started = performance.now();
    client.send(plainAuth(localpart, password));
    const answer = await client.until("/>");
    return { answer, ms: performance.now() - started };
  };
  const countOf = (answers: readonly { readonly answer: string }[], condition: string): number =>
    answers.filter(({ answer }) => answer.includes(`<${condition}/>`)).length;

  test("RFC 6120 §13.12: an address that guesses is slowed down, then refused; others log in as ever", async () => {
    const { name } = await stranger.login();
    // All at once is no way around.
    const guesses = await Promise.all(Array.from({ length: 45 }, (_, at) => guess(name, `guess ${at}`)));
    expect(countOf(guesses, "not-authorized") + countOf(guesses, "temporary-auth-failure")).toBe(45);
    expect(countOf(guesses, "not-authorized")).toBeLessThanOrEqual(35);
    expect(countOf(guesses, "temporary-auth-failure")).toBeGreaterThanOrEqual(10);
    const slow = guesses.filter(({ answer, ms }) => answer.includes("<not-authorized/>") && ms > 1_000);
    expect(slow.length).toBeGreaterThan(10);
    // Refused whatever the password is, so that nothing is learned.
    expect((await guess(name, PASSWORD)).answer).toContain("<temporary-auth-failure/>");
    // From elsewhere the right password is as good as ever.
    const elsewhere = await guess("alice", "of good character", "127.0.0.1");
    expect(elsewhere.answer).toContain("<success");
    expect(elsewhere.ms).toBeLessThan(1_000);
    const owner = await guess(name, PASSWORD, "127.0.9.9");
    expect(owner.answer).toContain("<success");
  });

  test("RFC 6120 §6.4.5: a stream bears so many attempts", async () => {
    const client = await stranger.arrive("127.0.8.8");
    for (let attempt = 0; attempt < 4; attempt++) client.send(plainAuth("nobody", "wrong"));
    expect(await client.closed()).toContain(streamError("policy-violation"));
  });
});

hostile("strangers who come and go", configOf({}, { close: "200 ms" }), ({ server, stranger }) => {
  test("RFC 6120 §13.12: logins that are dropped in every state leave neither sessions nor handles", async () => {
    const { name } = await stranger.login();
    const settled = await useOf(server().pid);
    const opening = streamHeader("localhost") + plainAuth(name, PASSWORD) + streamHeader("localhost");
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => stranger.connect()));
      await Promise.all(clients.map((client, at) => breakOff(client, opening, at)));
    }
    const after = await useOf(server().pid);
    expect(after.handles).toBeLessThanOrEqual(settled.handles + 5);
    expect(after.threads).toBeLessThanOrEqual(settled.threads + 4);
  });
});

/** Says so many tenths of what it has to say, then leaves, in peace or without a word. */
const breakOff = async (client: RawClient, opening: string, tenths: number): Promise<void> => {
  client.send(opening.slice(0, Math.floor((opening.length * (tenths + 1)) / 10)));
  if (tenths % 2 === 0) client.halfClose();
  else client.destroy();
  await client.closed();
};
