import type { BareJid } from "@kith/protocol";
import { expect, test } from "vitest";
import { RecentAccounts } from "./recent-accounts.ts";
import type { Account } from "./store.ts";

const accountOf = (jid: BareJid): Account => ({ jid, created: 0, keys: {} as Account["keys"] });
const named = (at: number): BareJid => `user${at}@example.org` as BareJid;
const juliet = "juliet@example.org" as BareJid;

/** Asks, and tells whether the disk was read for the answer. */
const ask = (recent: RecentAccounts, jid: BareJid, stored: Account | undefined = accountOf(jid)) => {
  let isRead = false;
  const account = recent.get(jid, () => {
    isRead = true;
    return stored;
  });
  return { account, isRead };
};

test("an account is read once", () => {
  const recent = new RecentAccounts(4);
  expect(ask(recent, juliet)).toEqual({ account: accountOf(juliet), isRead: true });
  expect(ask(recent, juliet)).toEqual({ account: accountOf(juliet), isRead: false });
});

test("RFC 6120 §13.11: that there is none is known as quickly", () => {
  const recent = new RecentAccounts(4);
  const answers = [1, 2].map(() => recent.get(juliet, () => undefined));
  expect(answers).toEqual([undefined, undefined]);
  expect(recent.get(juliet, () => accountOf(juliet))).toBeUndefined();
});

test("what changes is read again, whichever generation knew it", () => {
  const recent = new RecentAccounts(2);
  for (const others of [0, 2]) {
    ask(recent, juliet);
    for (let at = 0; at < others; at++) ask(recent, named(at));
    recent.forget(juliet);
    expect(ask(recent, juliet, { ...accountOf(juliet), created: 7 })).toMatchObject({
      account: { created: 7 },
      isRead: true,
    });
    recent.forget(juliet);
  }
});

test("whoever is asked for stays; the others are forgotten, so that there is a bound", () => {
  const recent = new RecentAccounts(2);
  ask(recent, named(0));
  for (let at = 1; at < 50; at++) {
    expect(ask(recent, juliet).isRead).toBe(at === 1);
    ask(recent, named(at));
  }
  expect(ask(recent, named(0)).isRead).toBe(true);
  expect(ask(recent, named(30)).isRead).toBe(true);
});
