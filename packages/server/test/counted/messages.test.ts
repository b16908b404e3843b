import type { RawClient } from "@kith/testing/process";
import { describe, expect, test } from "vitest";
import { ASK, ack, type Counts, counted, manage, NOTHING, online, type Running, started } from "./counting.ts";

// What a message costs, counted: whoever makes it dearer sees that without a stopwatch.

let messages = 0;
const message = (to: string): string => {
  const id = `m${++messages}`;
  return `<message type='chat' to='${to}' id='${id}'><origin-id xmlns='urn:xmpp:sid:0' id='${id}'/><body>${id}</body></message>`;
};

interface Stage extends Running {
  readonly romeo: RawClient;
  readonly juliet: RawClient;
  /** Romeo sends so many messages in one piece; settles when Juliet has the last. */
  readonly sends: (count: number, to?: string) => Promise<void>;
}

/** Two who have talked before, so that the server knows them. */
const stage = async (archive: "archive off" | "archive on", isManaged = false): Promise<Stage> => {
  const server = await started(archive === "archive on", ["romeo", "juliet"]);
  const [romeo, juliet] = [await online(server, "romeo"), await online(server, "juliet")];
  if (isManaged) for (const client of [romeo, juliet]) await manage(client);
  const sends = async (count: number, to = "juliet@localhost/home"): Promise<void> => {
    romeo.send(Array.from({ length: count }, () => message(to)).join(""));
    await juliet.until(`<body>m${messages}</body>`);
  };
  await sends(1);
  return { ...server, romeo, juliet, sends };
};

/** As few as the server takes out of one read in one turn of the loop. */
const SEVERAL = 20;
const DELIVERED: Counts = { ...NOTHING, reads: 1, writes: 1 };
const STORED: Counts = { ...DELIVERED, unitsNow: 1, commits: 1, rows: 1 };

describe.each(["juliet@localhost/home", "juliet@localhost"])("a message to %s", (to) => {
  test("RFC 6121 §8.5: between two idle users it is one read and one write, and nothing is asked of the disk or told it", async () => {
    const { sends, ...server } = await stage("archive off");
    expect(await counted(server, () => sends(1, to))).toEqual(DELIVERED);
    expect(await counted(server, () => sends(SEVERAL, to))).toEqual(DELIVERED);
  });

  test("XEP-0313 §5.1: kept by both sides it is one row and one commit, and nothing is read", async () => {
    const { sends, ...server } = await stage("archive on");
    expect(await counted(server, () => sends(1, to))).toEqual(STORED);
  });
});

test("XEP-0313 §5.1: messages of one turn share their commit, and leave in one write", async () => {
  const { sends, ...server } = await stage("archive on");
  const counts = await counted(server, () => sends(SEVERAL));
  expect(counts).toEqual({ ...STORED, unitsNow: SEVERAL, rows: SEVERAL });
});

test("RFC 6120 §4.6: that a client has got its messages costs no commit", async () => {
  const { sends, juliet, romeo, ...server } = await stage("archive on");
  await sends(SEVERAL);
  const counts = await counted(server, async () => {
    juliet.send(`<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await juliet.until("id='p'");
  });
  expect(counts).toEqual(DELIVERED);
});

describe("XEP-0198", () => {
  test.each(["archive off", "archive on"] as const)("§4: a message costs no more than without, %s", async (archive) => {
    const { sends, ...server } = await stage(archive, true);
    expect(await counted(server, () => sends(1))).toEqual(archive === "archive on" ? STORED : DELIVERED);
  });

  test("§4: its place in both streams is stored with it, whatever the number of messages", async () => {
    const { sends, ...server } = await stage("archive on", true);
    const counts = await counted(server, () => sends(SEVERAL));
    expect(counts).toEqual({ ...STORED, unitsNow: SEVERAL, rows: SEVERAL });
  });

  test("§4: what a client acknowledges is a read, and no commit", async () => {
    const { sends, juliet, romeo, ...server } = await stage("archive on", true);
    await sends(SEVERAL);
    const counts = await counted(server, async () => {
      juliet.send(ack(SEVERAL + 1) + ASK);
      await juliet.until("<a ");
    });
    expect(counts).toEqual(DELIVERED);
  });

  test("§4: what is stored with messages need not be stored again when their sender asks for an acknowledgement", async () => {
    const { sends, juliet, romeo, ...server } = await stage("archive on", true);
    await sends(SEVERAL);
    const counts = await counted(server, async () => {
      romeo.send(ASK);
      await romeo.until("<a ");
    });
    expect(counts).toEqual(DELIVERED);
  });

  test("§4: where nothing is stored with messages, what a sender is told is stored by itself: once, however many they were", async () => {
    const { sends, juliet, romeo, ...server } = await stage("archive off", true);
    await sends(SEVERAL);
    juliet.send(ack(SEVERAL + 1));
    const { commits, ...counts } = await counted(server, async () => {
      romeo.send(ASK);
      await romeo.until("<a ");
    });
    expect(commits).toBeLessThanOrEqual(1);
    expect(counts).toMatchObject({ statements: 0, rows: 0 });
  });
});
