import { expect, test } from "vitest";
import type { Connection } from "./connection.ts";
import { Managed } from "./managed.ts";

/** A connection that keeps what is sent on it. */
const enabled = async (every: number) => {
  const sent: string[] = [];
  const connection = {
    receiver: { element: () => {}, ended: () => {} },
    send: (text: string) => sent.push(text),
  } as unknown as Connection;
  const enabling = Managed.enable(connection, every);
  connection.receiver.element("<enabled xmlns='urn:xmpp:sm:3'/>", 0, 32);
  const managed = await enabling;
  const heard: string[] = [];
  const hear = managed.hearing((text, start, end) => heard.push(text.slice(start, end)));
  return { managed, heard, hears: (text: string) => hear(text, 0, text.length), sent: () => sent.splice(0) };
};

const ENABLE = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
const R = "<r xmlns='urn:xmpp:sm:3'/>";
const a = (h: number | string): string => `<a xmlns='urn:xmpp:sm:3' h='${h}'/>`;

test("XEP-0198 §3: it is enabled before anything is counted; where it is not, that is an error", async () => {
  const { sent } = await enabled(10);
  expect(sent()).toEqual([ENABLE]);
  const connection = { receiver: { element: () => {}, ended: () => {} }, send: () => {} } as unknown as Connection;
  const enabling = Managed.enable(connection, 10);
  connection.receiver.element("<failed xmlns='urn:xmpp:sm:3'/>", 0, 31);
  await expect(enabling).rejects.toThrow("<failed ");
});

test("XEP-0198 §4: after every so many stanzas an acknowledgement is asked for", async () => {
  const { managed, sent } = await enabled(3);
  sent();
  for (let number = 1; number <= 7; number++) managed.send(`<message id='${number}'/>`);
  expect(sent().filter((text) => text.endsWith(R))).toEqual([`<message id='3'/>${R}`, `<message id='6'/>${R}`]);
  expect(managed.unacknowledged).toBe(7);
});

test("XEP-0198 §4: stanzas that came are counted, and told when the server asks; the server's own elements are no stanzas", async () => {
  const { heard, hears, sent } = await enabled(10);
  sent();
  for (const stanza of ["<message from='a@b'/>", "<presence/>", "<iq type='get' id='1'/>"]) hears(stanza);
  hears(R);
  hears("<r xmlns='urn:xmpp:sm:3'></r>");
  expect(sent()).toEqual([a(3), a(3)]);
  expect(heard).toEqual(["<message from='a@b'/>", "<presence/>", "<iq type='get' id='1'/>"]);
});

test("XEP-0198 §4, §6: what the server acknowledges waits no longer; what it cannot have had is wrong", async () => {
  const { managed, hears } = await enabled(10);
  for (let number = 0; number < 5; number++) managed.send("<presence/>");
  hears(a(3));
  hears(a(3));
  expect([managed.unacknowledged, managed.wrong]).toEqual([2, 0]);
  hears(a(6));
  hears("<a xmlns='urn:xmpp:sm:3'/>");
  expect([managed.unacknowledged, managed.wrong]).toEqual([2, 2]);
  hears(a(5));
  expect([managed.unacknowledged, managed.wrong]).toEqual([0, 2]);
});
