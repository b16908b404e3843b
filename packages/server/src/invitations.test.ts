import { type BareJid, type DomainJid, parseInvitationUri, parseJid } from "@kith/protocol";
import { ManualClock } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "./crypto.ts";
import { type InvitationOptions, Invitations, type KnownInvitation } from "./invitations.ts";
import type { Visitor } from "./module.ts";
import { manualWriter, memoryStore } from "./store/memory.ts";
import type { Store, Write } from "./store/store.ts";

const HOST = "example.org" as DomainJid;
const ROMEO = "romeo@example.org" as BareJid;
const JULIET = "juliet@example.org" as BareJid;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const open = (rules: Partial<ReturnType<InvitationOptions["rules"]>> = {}) => {
  const writer = manualWriter();
  writer.release();
  const clock = new ManualClock();
  const whole = memoryStore({ writer });
  const opened: Record<string, ReturnType<Store["collection"]>> = {};
  const store: Store = Object.assign(Object.create(whole) as Store, {
    accounts: whole.accounts,
    begin: () => whole.begin(),
    collection: (name: string) => {
      opened[name] = whole.collection(name);
      return opened[name];
    },
  });
  const invitations = new Invitations({
    store,
    crypto: nodeCrypto,
    now: clock.now,
    rules: () => ({ expireMs: 7 * DAY, perUser: 3, landingPage: undefined, ...rules }),
  });
  const add = (writes: readonly Write[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const unit = store.begin();
      for (const write of writes) unit.add(write);
      unit.commit().onSettled((committed) => (committed ? resolve() : reject(new Error("not committed"))));
    });
  const account = (jid: BareJid): Promise<void> => {
    const keys = { salt: new Uint8Array(), iterations: 1, storedKey: new Uint8Array(), serverKey: new Uint8Array() };
    return add([store.accounts.put({ jid, created: 0, keys: { "SHA-1": keys, "SHA-256": keys, "SHA-512": keys } })]);
  };
  const found = async (token: string): Promise<KnownInvitation> => {
    const invitation = await invitations.find(HOST, token);
    if (invitation === undefined) throw new Error("no such invitation");
    return invitation;
  };
  /** Everything that is stored, as text. */
  const stored = async (): Promise<string> =>
    JSON.stringify(
      await Promise.all(Object.values(opened).map(async (collection) => [...(await collection.all(HOST))])),
    );
  return { invitations, clock, writer, store, add, account, found, stored };
};
const visitor = (): Visitor => ({ stream: {}, domain: HOST, address: "192.0.2.1", secure: true });

describe("an invitation is made", () => {
  test("XEP-0379 §6.1: the token is alpha-numeric, long enough not to be guessed, and another each time", async () => {
    const { invitations } = open();
    const made = await Promise.all(
      Array.from({ length: 50 }, () => invitations.create({ domain: HOST, to: "account" })),
    );
    const tokens = new Set(made.map(({ token }) => token));
    expect(tokens.size).toBe(50);
    // 5 bits a letter.
    for (const token of tokens) expect(token).toMatch(/^[0-9a-z]{24}$/);
  });

  test("the token itself is not kept", async () => {
    const { invitations, stored } = open();
    const { token, id } = await invitations.create({ domain: HOST, to: "account" });
    expect(await stored()).toContain(id);
    expect(await stored()).not.toContain(token);
  });

  test.each([
    ["an account", { to: "account" }, "xmpp:example.org?register;preauth=TOKEN"],
    ["a named account", { to: "account", username: "juliet" }, "xmpp:juliet@example.org?register;preauth=TOKEN"],
    [
      "a contact, and an account first",
      { to: "contact", inviter: ROMEO, registers: true },
      "xmpp:romeo@example.org?roster;preauth=TOKEN;ibr=y",
    ],
    ["a contact", { to: "contact", inviter: ROMEO, registers: false }, "xmpp:romeo@example.org?roster;preauth=TOKEN"],
  ] as const)("XEP-0401 §5, XEP-0445 §2: to %s", async (_, order, uri) => {
    const { invitations } = open();
    const made = await invitations.create({ domain: HOST, ...order });
    expect(made.uri).toBe(uri.replace("TOKEN", made.token));
    expect(parseInvitationUri(made.uri)).toMatchObject({ to: order.to, token: made.token });
  });

  test("with a page that explains it, where there is one", async () => {
    const { invitations } = open({ landingPage: "https://example.org/join?u={uri}#{token}" });
    const made = await invitations.create({ domain: HOST, to: "account" });
    expect(made.landingUrl).toBe(`https://example.org/join?u=${encodeURIComponent(made.uri)}#${made.token}`);
    expect((await open().invitations.create({ domain: HOST, to: "account" })).landingUrl).toBeUndefined();
  });

  test("XEP-0379 §6.2: it expires, when it is told to or by the rule", async () => {
    const { invitations, clock } = open();
    const first = await invitations.create({ domain: HOST, to: "account", expireMs: HOUR });
    const second = await invitations.create({ domain: HOST, to: "account" });
    expect([first.expires, second.expires]).toEqual([clock.now() + HOUR, clock.now() + 7 * DAY]);
    clock.advance(HOUR - 1);
    expect(await invitations.find(HOST, first.token)).toBeDefined();
    clock.advance(1);
    expect(await invitations.find(HOST, first.token)).toBeUndefined();
    expect(await invitations.list(HOST)).toHaveLength(1);
  });

  test("the disk fails: it was not made", async () => {
    const { invitations, writer } = open();
    writer.failNext();
    await expect(invitations.create({ domain: HOST, to: "account" })).rejects.toMatchObject({
      condition: "resource-constraint",
    });
    expect(await invitations.list(HOST)).toEqual([]);
  });

  test("XEP-0401 §6.2: a name is kept until the invitation is taken up, withdrawn, or expires", async () => {
    const { invitations, clock } = open();
    const order = { domain: HOST, to: "account", username: "juliet" } as const;
    const made = await invitations.create(order);
    expect(await invitations.keeps(HOST, "juliet")).toBe(made.id);
    expect(await invitations.keeps("example.net" as DomainJid, "juliet")).toBeUndefined();
    await expect(invitations.create(order)).rejects.toMatchObject({ condition: "conflict" });
    clock.advance(7 * DAY);
    expect(await invitations.keeps(HOST, "juliet")).toBeUndefined();
    await invitations.create(order);
  });

  test("to a name that is somebody's already: conflict", async () => {
    const { invitations, account } = open();
    await account(JULIET);
    const made = invitations.create({ domain: HOST, to: "account", username: "juliet" });
    await expect(made).rejects.toMatchObject({ condition: "conflict" });
  });

  test("of one user so many at once", async () => {
    const { invitations, clock } = open();
    const order = { domain: HOST, to: "contact", inviter: ROMEO, registers: false } as const;
    for (let made = 0; made < 3; made++) await invitations.create({ ...order, expireMs: HOUR });
    await expect(invitations.create(order)).rejects.toMatchObject({ condition: "resource-constraint" });
    await invitations.create({ ...order, inviter: JULIET });
    clock.advance(HOUR);
    await invitations.create(order);
  });

  test("those that expired long ago are cleared away", async () => {
    const { invitations, clock, stored } = open();
    const { id } = await invitations.create({ domain: HOST, to: "account", expireMs: HOUR });
    clock.advance(DAY);
    await invitations.create({ domain: HOST, to: "account" });
    expect(await stored()).toContain(id);
    clock.advance(DAY);
    await invitations.create({ domain: HOST, to: "account" });
    expect(await stored()).not.toContain(id);
  });
});

describe("an invitation is withdrawn", () => {
  test("by the beginning of its id, if that is clear", async () => {
    const { invitations } = open();
    const made = await invitations.create({ domain: HOST, to: "account" });
    await invitations.create({ domain: HOST, to: "account" });
    expect(await invitations.revoke(HOST, "")).toBeUndefined();
    expect(await invitations.revoke(HOST, "nothing")).toBeUndefined();
    expect((await invitations.revoke(HOST, made.id.slice(0, 12)))?.id).toBe(made.id);
    expect(await invitations.find(HOST, made.token)).toBeUndefined();
    expect(await invitations.revoke(HOST, made.id)).toBeUndefined();
  });

  test("with the account that made it", async () => {
    const { invitations, add } = open();
    const made = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: true });
    const other = await invitations.create({ domain: HOST, to: "contact", inviter: JULIET, registers: true });
    await add(await invitations.forget(parseJid(ROMEO)));
    expect(await invitations.find(HOST, made.token)).toBeUndefined();
    expect(await invitations.find(HOST, other.token)).toBeDefined();
  });
});

test("whoever is expected and removes the account is expected no more, nor is the next owner of the address", async () => {
  const { invitations, account, add, found } = open();
  await account(ROMEO);
  const { token } = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: true });
  await invitations.takeUp(await found(token), JULIET, add);
  await add(await invitations.forget(parseJid(JULIET)));
  expect(await invitations.approves(parseJid(ROMEO), JULIET, undefined)).toBeUndefined();
});

describe("XEP-0445 §4: a stream shows a token", () => {
  test("and is remembered for it", async () => {
    const { invitations } = open();
    const { token, id } = await invitations.create({ domain: HOST, to: "account" });
    const [one, other] = [visitor(), visitor()];
    expect((await invitations.show(one, token))?.id).toBe(id);
    expect(invitations.shownBy(one)?.id).toBe(id);
    expect(invitations.shownBy(other)).toBeUndefined();
  });

  test.each(["", "0", "x".repeat(1_024), "../..", "__proto__", "\u0000", "é", "\ud800"])(
    "a token that is none: %j",
    async (token) => {
      const { invitations } = open();
      await invitations.create({ domain: HOST, to: "account" });
      const one = visitor();
      expect(await invitations.show(one, token)).toBeUndefined();
      expect(invitations.shownBy(one)).toBeUndefined();
    },
  );

  test("one that makes contacts only, or is another host's, opens nothing", async () => {
    const { invitations } = open();
    const contact = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: false });
    const elsewhere = await invitations.create({ domain: "example.net" as DomainJid, to: "account" });
    expect(await invitations.show(visitor(), contact.token)).toBeUndefined();
    expect(await invitations.show(visitor(), elsewhere.token)).toBeUndefined();
  });

  test("a wrong one does not take away the right one", async () => {
    const { invitations } = open();
    const { token, id } = await invitations.create({ domain: HOST, to: "account" });
    const one = visitor();
    await invitations.show(one, token);
    await invitations.show(one, "wrong");
    expect(invitations.shownBy(one)?.id).toBe(id);
  });
});

describe("an invitation is taken up", () => {
  test("once, whoever else tries meanwhile", async () => {
    const { invitations, add, found } = open();
    const { token } = await invitations.create({ domain: HOST, to: "account" });
    const invitation = await found(token);
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((guest) => invitations.takeUp(invitation, `guest${guest}@example.org` as BareJid, add)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect(outcomes[1]).toMatchObject({ reason: { condition: "not-allowed" } });
  });

  test("not at all where the use fails, however it does", async () => {
    const { invitations, writer, add, found } = open();
    const { token } = await invitations.create({ domain: HOST, to: "account" });
    const invitation = await found(token);
    await expect(invitations.takeUp(invitation, JULIET, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    writer.failNext();
    await expect(invitations.takeUp(invitation, JULIET, add)).rejects.toThrow("not committed");
    await invitations.takeUp(invitation, JULIET, add);
    await expect(invitations.takeUp(invitation, JULIET, add)).rejects.toMatchObject({ condition: "not-allowed" });
  });

  test("the inviter, if there still is one, and the invitee expect each other; the invitee asks", async () => {
    const { invitations, account, add, found } = open();
    const first = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: true });
    await invitations.takeUp(await found(first.token), JULIET, add);
    expect((await invitations.toAsk(JULIET)).contacts).toEqual([]);
    await account(ROMEO);
    const second = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: true });
    await invitations.takeUp(await found(second.token), JULIET, add);
    expect((await invitations.toAsk(JULIET)).contacts).toEqual([ROMEO]);
    expect((await invitations.toAsk(ROMEO)).contacts).toEqual([]);
    expect(await invitations.approves(parseJid(ROMEO), JULIET, undefined)).toMatchObject({ asks: true });
    expect(await invitations.approves(parseJid(JULIET), ROMEO, undefined)).toMatchObject({ asks: false });
  });

  test("after a month nobody is expected any more", async () => {
    const { invitations, account, add, found, clock } = open();
    await account(ROMEO);
    const { token } = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: true });
    await invitations.takeUp(await found(token), JULIET, add);
    clock.advance(30 * DAY);
    const { contacts, writes } = await invitations.toAsk(JULIET);
    expect(contacts).toEqual([]);
    await add(writes);
    expect((await invitations.toAsk(JULIET)).writes).toEqual([]);
    expect(await invitations.approves(parseJid(ROMEO), JULIET, undefined)).toBeUndefined();
  });
});

describe("XEP-0379 §3.5: a token approves a request", () => {
  test("of whoever has it, for the account that made it, once", async () => {
    const { invitations, add } = open();
    const { token } = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: false });
    const far = "benvolio@far.example" as BareJid;
    expect(await invitations.approves(parseJid(JULIET), far, token)).toBeUndefined();
    expect(await invitations.approves(parseJid(ROMEO), far, "wrong")).toBeUndefined();
    expect(await invitations.approves(parseJid(ROMEO), far, undefined)).toBeUndefined();
    const approval = await invitations.approves(parseJid(ROMEO), far, token);
    expect(approval?.asks).toBe(true);
    await add(approval?.writes ?? []);
    expect(await invitations.approves(parseJid(ROMEO), far, token)).toBeUndefined();
  });

  test("two who use it at once, before either is stored: one is approved", async () => {
    const { invitations } = open();
    const { token } = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: false });
    const approvals = await Promise.all(
      ["a@far.example", "b@far.example"].map((from) => invitations.approves(parseJid(ROMEO), from as BareJid, token)),
    );
    expect(approvals.filter((approval) => approval !== undefined)).toHaveLength(1);
  });

  test("an invitation to an account, or one that is over, approves nothing", async () => {
    const { invitations, clock } = open();
    const account = await invitations.create({ domain: HOST, to: "account", inviter: ROMEO });
    const contact = await invitations.create({
      domain: HOST,
      to: "contact",
      inviter: ROMEO,
      registers: true,
      expireMs: HOUR,
    });
    clock.advance(HOUR);
    expect(await invitations.approves(parseJid(ROMEO), JULIET, account.token)).toBeUndefined();
    expect(await invitations.approves(parseJid(ROMEO), JULIET, contact.token)).toBeUndefined();
  });

  test("one that is being used for a request makes no account, unless it was not stored after all", async () => {
    const { invitations, add, found, clock } = open();
    const { token } = await invitations.create({ domain: HOST, to: "contact", inviter: ROMEO, registers: true });
    const invitation = await found(token);
    expect(await invitations.approves(parseJid(ROMEO), JULIET, token)).toBeDefined();
    await expect(invitations.takeUp(invitation, JULIET, add)).rejects.toMatchObject({ condition: "not-allowed" });
    clock.advance(HOUR);
    await invitations.takeUp(invitation, JULIET, add);
  });
});
