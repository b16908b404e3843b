import type { RawClient } from "@kith/testing/process";
import { expect, test } from "vitest";
import { counted, NOTHING, online, type Running, started } from "./counting.ts";

const CONTACTS = ["ada", "grace", "hedy", "katherine", "mary"];

/** Romeo, and contacts who are subscribed to his presence; all of them online. */
const stage = async (): Promise<Running & { readonly romeo: RawClient; readonly contacts: readonly RawClient[] }> => {
  const server = await started(true, ["romeo", ...CONTACTS]);
  const romeo = await online(server, "romeo");
  const contacts: RawClient[] = [];
  for (const name of CONTACTS) {
    const contact = await online(server, name);
    contact.send("<presence type='subscribe' to='romeo@localhost'/>");
    await romeo.until("type='subscribe'");
    romeo.send(`<presence type='subscribed' to='${name}@localhost'/>`);
    await contact.until("from='romeo@localhost/home'");
    contacts.push(contact);
  }
  return { ...server, romeo, contacts };
};

test("RFC 6121 §4.4.2: a change of presence is one read and a write for each who is told, and nothing is asked of the disk or told it", async () => {
  const { romeo, contacts, ...server } = await stage();
  const says = (status: string) => async (): Promise<void> => {
    romeo.send(`<presence><status>${status}</status></presence>`);
    for (const client of [romeo, ...contacts]) await client.until(`<status>${status}</status>`);
  };
  await says("once")();
  expect(await counted(server, says("twice"))).toEqual({ ...NOTHING, reads: 1, writes: CONTACTS.length + 1 });
});

test("RFC 6121 §4.6: directed presence is one read and one write", async () => {
  const { romeo, contacts, ...server } = await stage();
  const [ada] = contacts;
  const counts = await counted(server, async () => {
    romeo.send("<presence to='ada@localhost/home'><status>only you</status></presence>");
    await ada?.until("<status>only you</status>");
  });
  expect(counts).toEqual({ ...NOTHING, reads: 1, writes: 1 });
});
