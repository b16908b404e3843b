import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BareJid, parseElement } from "@kith/protocol";
import { openSqliteStore } from "@kith/server";
import { expect, onTestFinished, test } from "vitest";
import { type Fill, fillStore, messagesOf } from "./history.ts";

const PAIRS: Fill = { do: "fill", prefix: "u", count: 1_500, users: 6, between: "pairs" };
const ONE: Fill = { ...PAIRS, between: "first-and-others" };
const DAY = 86_400_000;

test("pairs answer one another, and with one account all others do", () => {
  const spoken = (fill: Fill) =>
    [...messagesOf(fill, 0, 10, false)].map(({ from, to }) => `${from.split("@")[0]} ${to.split("@")[0]}`);
  expect(spoken(PAIRS)).toEqual([
    "u1 u2",
    "u3 u4",
    "u5 u6",
    "u2 u1",
    "u4 u3",
    "u6 u5",
    "u1 u2",
    "u3 u4",
    "u5 u6",
    "u2 u1",
  ]);
  expect(spoken(ONE).slice(0, 6)).toEqual(["u1 u2", "u1 u3", "u1 u4", "u1 u5", "u1 u6", "u2 u1"]);
});

test("each message is one that the server would have stored: as long as those measured, known by an id of its own", () => {
  const messages = [...messagesOf(PAIRS, 0, 200, true)];
  expect(new Set(messages.map(({ stanza }) => /<body>([^<]*)</.exec(stanza)?.[1]?.length))).toEqual(new Set([100]));
  expect(new Set(messages.map(({ key }) => key)).size).toBe(200);
  const [first] = messages;
  const element = parseElement(first?.stanza ?? "");
  expect(element.attributes).toMatchObject({ from: "u1@localhost/phone", to: "u2@localhost", type: "chat" });
  expect(element.children.map((child) => (typeof child === "string" ? child : child.name))).toEqual([
    "origin-id",
    "body",
  ]);
});

test.each([false, true])(
  "what is filled in is in the archives of both sides, within the last year; searchable: %s",
  async (isSearchable) => {
    const directory = await mkdtemp(join(tmpdir(), "kith-bench-test-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    await fillStore(directory, ONE, isSearchable);
    const store = await openSqliteStore({ directory });
    onTestFinished(() => store.close());
    const owner = "u1@localhost" as BareJid;
    const query = { owner, withGroupchat: false, from: "oldest", limit: 50, counted: true } as const;
    const page = await store.messages.page(query);
    expect([page.messages.length, page.count]).toEqual([50, 1_500]);
    expect((await store.messages.page({ ...query, owner: "u6@localhost" as BareJid })).count).toBe(300);
    const bounds = await store.messages.bounds(owner);
    expect(bounds?.oldest.stamp).toBeGreaterThan(Date.now() - 367 * DAY);
    expect(bounds?.newest.stamp).toBeLessThan(Date.now() - DAY + 1);
    expect(bounds?.newest.stamp).toBeGreaterThan(bounds?.oldest.stamp ?? 0);
    const found = await store.messages.page({ ...query, text: "1499" });
    expect(found.count).toBe(isSearchable ? 1 : 0);
  },
);
