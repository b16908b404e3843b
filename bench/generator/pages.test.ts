import { expect, test } from "vitest";
import type { Connection } from "./connection.ts";
import type { Client } from "./login.ts";
import { Reader } from "./pages.ts";

const DAY = 86_400_000;
const FIRST = Date.parse("2031-05-01T00:00:00Z");

/** A client of a server whose archive has a message a day, 100 in all. `forgets`: one message of a page. */
const archive = ({ forgets = false } = {}) => {
  const asked: string[] = [];
  const hear = (text: string): void => connection.receiver.element(text, 0, text.length);
  const answer = (query: string): void => {
    const [, id = "", max = ""] = /^<iq type='set' id='([^']+)'>.*<max>(\d+)<\/max>/.exec(query) ?? [];
    const first = positionOf(query, Number(max));
    for (let number = first; number < first + Number(max); number++)
      if (!forgets || number !== first) hear(result(id, number));
    hear(
      `<iq type='result' id='${id}'><fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><last>m${first + Number(max) - 1}</last></set></fin></iq>`,
    );
  };
  const connection = {
    receiver: { element: (_text: string, _start: number, _end: number) => {}, ended: () => {} },
    send: (query: string) => {
      asked.push(query);
      queueMicrotask(() => answer(query));
    },
  };
  const client: Client = { connection: connection as unknown as Connection, user: "u1", jid: "u1@localhost/reader" };
  return { client, asked: () => asked.splice(0) };
};

const positionOf = (query: string, max: number): number => {
  const [, start] = /<field var='start'><value>([^<]+)</.exec(query) ?? [];
  if (start !== undefined) return Math.ceil((Date.parse(start) - FIRST) / DAY);
  const [, after] = /<after>m(\d+)<\/after>/.exec(query) ?? [];
  if (after !== undefined) return Number(after) + 1;
  return query.includes("<before/>") ? 100 - max : 0;
};

const result = (id: string, number: number): string =>
  `<message from='u1@localhost'><result xmlns='urn:xmpp:mam:2' queryid='${id}' id='m${number}'><forwarded xmlns='urn:xmpp:forward:0'>` +
  `<delay xmlns='urn:xmpp:delay' stamp='${new Date(FIRST + number * DAY).toISOString()}'/><message xmlns='jabber:client'/></forwarded></result></message>`;

test("XEP-0059 §2.2, §2.3, §2.5: the first page, the last, and one after a message in the middle are asked for", async () => {
  const { client, asked } = archive();
  const reader = await Reader.open(client, 5);
  asked();
  for (const place of ["first", "last", "middle"] as const) await reader.page(place);
  const [first, last, middle] = asked().map((query) => /<set [^>]*>(.*)<\/set>/.exec(query)?.[1]);
  expect([first, last]).toEqual(["<max>5</max>", "<max>5</max><before/>"]);
  const [, number] = /^<max>5<\/max><after>m(\d+)<\/after>$/.exec(middle ?? "") ?? [];
  expect(Number(number)).toBeGreaterThan(40);
  expect(Number(number)).toBeLessThan(70);
});

test("a page that is not as long as it was asked for is an error", async () => {
  const { client } = archive({ forgets: true });
  await expect(Reader.open(client, 5)).rejects.toThrow("a page had 4 messages");
});
