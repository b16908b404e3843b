import { type HashName, isPasswordOf, parseJid, StanzaError } from "@kith/protocol";
import { ManualClock } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { type AccountOptions, type AccountRules, type AccountService, commit, openAccounts } from "./accounts.ts";
import { nodeCrypto, saslprepOfQuery, saslprepOfStored } from "./crypto.ts";
import { type ManualWriter, manualWriter, memoryStore } from "./store/memory.ts";
import type { Store } from "./store/store.ts";

const ROMEO = parseJid("romeo@example.org").bare;
const NOBODY = parseJid("nobody@example.org").bare;
const PASSWORD = "under the balcony";
const DAY = 86_400_000;

const RULES: AccountRules = {
  passwords: { minimumLength: 5, maximumLength: 40, forbidden: ["Montague"] },
  // As few as are allowed: these tests are about other things.
  iterations: 4_096,
  addressRestMs: 30 * DAY,
};

interface Stage {
  readonly accounts: AccountService;
  readonly store: Store;
  readonly clock: ManualClock;
  readonly writer: ManualWriter;
  rules: AccountRules;
  /** As a server that is started again on the same store. */
  restarted(): Promise<AccountService>;
}

/** A store that may be opened again: one in memory gives each collection out once. */
const reopened = (store: Store): Store => {
  const collections = new Map<string, ReturnType<Store["collection"]>>();
  const collection = (name: string): ReturnType<Store["collection"]> => {
    const opened = collections.get(name) ?? store.collection(name);
    collections.set(name, opened);
    return opened;
  };
  return { accounts: store.accounts, begin: () => store.begin(), collection } as Store;
};

const open = async (rules: Partial<AccountRules> = {}): Promise<Stage> => {
  const writer = manualWriter();
  writer.release();
  const clock = new ManualClock();
  const store = reopened(memoryStore({ writer }));
  const restarted = (): Promise<AccountService> =>
    openAccounts({
      store,
      crypto: nodeCrypto,
      prepare: { stored: saslprepOfStored, query: saslprepOfQuery },
      rules: () => stage.rules,
      now: clock.now,
    });
  const stage = { store, clock, writer, restarted, rules: { ...RULES, ...rules } };
  return Object.assign(stage, { accounts: await restarted() });
};

const refusal = (condition: string, text?: string | RegExp) =>
  expect.objectContaining({
    condition,
    ...(text === undefined ? {} : { message: typeof text === "string" ? text : expect.stringMatching(text) }),
  });

describe("an account is made", () => {
  test("RFC 6120 §13.8: of its password nothing is kept but SCRAM keys, for each hash", async () => {
    const { accounts, store, clock } = await open();
    await accounts.create(ROMEO, PASSWORD);
    const account = await store.accounts.get(ROMEO);
    expect(account).toMatchObject({ jid: ROMEO, created: clock.now() });
    for (const hash of ["SHA-1", "SHA-256", "SHA-512"] as const satisfies HashName[]) {
      const keys = account?.keys[hash];
      expect(keys?.iterations).toBe(4_096);
      expect(keys?.salt).toHaveLength(16);
      expect(keys !== undefined && (await isPasswordOf(nodeCrypto, hash, keys, PASSWORD))).toBe(true);
      expect(await accounts.scramKeys(ROMEO, hash)).toEqual(keys);
    }
    expect(JSON.stringify(account)).not.toContain(PASSWORD);
  });

  test("XEP-0438: no two sets of keys have the same salt", async () => {
    const { accounts, store } = await open();
    await accounts.create(ROMEO, PASSWORD);
    await accounts.create(NOBODY, PASSWORD);
    const keys = [await store.accounts.get(ROMEO), await store.accounts.get(NOBODY)].flatMap((account) =>
      Object.values(account?.keys ?? {}),
    );
    expect(new Set(keys.map(({ salt }) => Buffer.from(salt).toString("hex"))).size).toBe(6);
  });

  test("RFC 4013: the password is prepared, and so is what is tried", async () => {
    const { accounts } = await open();
    await accounts.create(ROMEO, "ba\u00adl\u2168cony");
    expect(await accounts.verifyPassword(ROMEO, "balIXcony")).toBe(true);
    expect(await accounts.verifyPassword(ROMEO, "ba\u00adl\u2168cony")).toBe(true);
    expect(await accounts.verifyPassword(ROMEO, "balixcony")).toBe(false);
  });

  test("an address that is in use: conflict, and nothing changes", async () => {
    const { accounts } = await open();
    await accounts.create(ROMEO, PASSWORD);
    await expect(accounts.create(ROMEO, "another one")).rejects.toEqual(refusal("conflict", "The address is in use."));
    expect(await accounts.verifyPassword(ROMEO, PASSWORD)).toBe(true);
  });

  test("two who want the same address at once: one gets it", async () => {
    const { accounts } = await open();
    const outcomes = await Promise.allSettled([
      accounts.create(ROMEO, "first one"),
      accounts.create(ROMEO, "second one"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(await accounts.verifyPassword(ROMEO, "first one")).toBe(true);
  });

  test("one who failed does not stand in the way of the next", async () => {
    const { accounts, writer } = await open();
    writer.failNext();
    const outcomes = await Promise.allSettled([
      accounts.create(ROMEO, "first one"),
      accounts.create(ROMEO, "second one"),
    ]);
    expect(outcomes[0]).toMatchObject({ reason: refusal("resource-constraint") });
    expect(outcomes[1]).toMatchObject({ status: "fulfilled" });
    expect(await accounts.verifyPassword(ROMEO, "second one")).toBe(true);
  });

  test("with what belongs to it: all of it, or nothing", async () => {
    const { accounts, store, writer } = await open();
    const notes = store.collection<string>("notes");
    const writes = [notes.put(ROMEO, "from", "invitation")];
    writer.failNext();
    await expect(accounts.create(ROMEO, PASSWORD, { writes })).rejects.toEqual(refusal("resource-constraint"));
    expect([await accounts.exists(ROMEO), await notes.get(ROMEO, "from")]).toEqual([false, undefined]);
    await accounts.create(ROMEO, PASSWORD, { writes });
    expect([await accounts.exists(ROMEO), await notes.get(ROMEO, "from")]).toEqual([true, "invitation"]);
  });

  test("it settles when the account is on disk, and not before", async () => {
    const { accounts, writer } = await open();
    writer.hold();
    let isDone = false;
    const made = accounts.create(ROMEO, PASSWORD).then(() => {
      isDone = true;
    });
    while (writer.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    writer.release();
    await made;
    expect(isDone).toBe(true);
  });
});

describe("the address of a removed account", () => {
  const removed = async (): Promise<Stage> => {
    const stage = await open();
    await stage.accounts.create(ROMEO, PASSWORD);
    await commit(stage.store, [stage.store.accounts.remove(ROMEO, stage.clock.now())]);
    return stage;
  };

  test("cannot be had again at once", async () => {
    const { accounts, clock } = await removed();
    await expect(accounts.create(ROMEO, PASSWORD)).rejects.toEqual(refusal("conflict", /lately/));
    clock.advance(30 * DAY - 1);
    await expect(accounts.create(ROMEO, PASSWORD)).rejects.toEqual(refusal("conflict"));
    clock.advance(1);
    await accounts.create(ROMEO, PASSWORD);
    expect(await accounts.exists(ROMEO)).toBe(true);
  });

  test("can be had if an administrator says so, or if the rules no longer mind", async () => {
    const first = await removed();
    await first.accounts.create(ROMEO, PASSWORD, { reuseAddress: true });
    expect(await first.accounts.exists(ROMEO)).toBe(true);
    const second = await removed();
    second.rules = { ...RULES, addressRestMs: 0 };
    await second.accounts.create(ROMEO, PASSWORD);
    expect(await second.accounts.exists(ROMEO)).toBe(true);
  });
});

describe("the password policy", () => {
  test.each([
    ["too short", "abcd", "The password must have at least 5 characters."],
    ["empty", "", "The password must have at least 5 characters."],
    ["nothing once it is prepared (RFC 4013 §2.1)", "\u00ad".repeat(9), /^The password /],
    ["too short, counted in characters", "\u{20000}\u{20000}", "The password must have at least 5 characters."],
    ["too long", "x".repeat(41), "The password must have at most 40 characters."],
    ["very long", "x".repeat(1_000_000), "The password must have at most 40 characters."],
    ["forbidden, in whatever case", "mONTAGUE", "The password is too easy to guess."],
    ["the name of the account", "Romeo", "The password must not be the name of the account."],
    ["the address of the account", "romeo@example.org", "The password must not be the name of the account."],
    ["a control character", "balcony\u0007", /characters that passwords cannot have/],
    ["an emoji (RFC 5802 §2.2: a stored string)", "balcony😀", /characters that passwords cannot have/],
    ["half a character", "balcony\ud83d", /characters that passwords cannot have/],
  ])("refuses one that is %s", async (_, password, text) => {
    const { accounts } = await open();
    await expect(accounts.create(ROMEO, password)).rejects.toEqual(refusal("not-acceptable", text));
    expect(await accounts.exists(ROMEO)).toBe(false);
  });

  test.each(["abcde", "x".repeat(40), "пароль", "\u{2000b}".repeat(5), "a b c"])("takes %j", async (password) => {
    const { accounts } = await open();
    await accounts.create(ROMEO, password);
    expect(await accounts.verifyPassword(ROMEO, password)).toBe(true);
  });

  test("is the one of the moment", async () => {
    const stage = await open();
    stage.rules = { ...RULES, passwords: { ...RULES.passwords, minimumLength: 20 } };
    await expect(stage.accounts.create(ROMEO, PASSWORD)).rejects.toEqual(refusal("not-acceptable", /at least 20/));
  });
});

describe("a password is changed", () => {
  test("XEP-0438: with new salts, and as many iterations as are the rule now", async () => {
    const stage = await open();
    const { accounts } = stage;
    const before = await accounts.create(ROMEO, PASSWORD);
    stage.clock.advance(DAY);
    stage.rules = { ...RULES, iterations: 5_000 };
    const after = await accounts.changePassword(ROMEO, "in the tomb");
    expect(after.created).toBe(before.created);
    expect(after.keys["SHA-256"].iterations).toBe(5_000);
    expect(after.keys["SHA-256"].salt).not.toEqual(before.keys["SHA-256"].salt);
    expect([
      await accounts.verifyPassword(ROMEO, PASSWORD),
      await accounts.verifyPassword(ROMEO, "in the tomb"),
    ]).toEqual([false, true]);
  });

  test("refused: by the policy, where there is no account, where it cannot be stored", async () => {
    const { accounts, writer } = await open();
    await accounts.create(ROMEO, PASSWORD);
    await expect(accounts.changePassword(ROMEO, "no")).rejects.toEqual(refusal("not-acceptable"));
    await expect(accounts.changePassword(NOBODY, "in the tomb")).rejects.toEqual(refusal("item-not-found"));
    expect(await accounts.exists(NOBODY)).toBe(false);
    writer.failNext();
    await expect(accounts.changePassword(ROMEO, "in the tomb")).rejects.toEqual(refusal("resource-constraint"));
    expect(await accounts.verifyPassword(ROMEO, PASSWORD)).toBe(true);
  });

  test("an account that is removed meanwhile does not come back", async () => {
    const { accounts, store, clock } = await open();
    await accounts.create(ROMEO, PASSWORD);
    const changing = accounts.changePassword(ROMEO, "in the tomb");
    await commit(store, [store.accounts.remove(ROMEO, clock.now())]);
    await expect(changing).rejects.toEqual(refusal("item-not-found"));
    expect(await accounts.exists(ROMEO)).toBe(false);
  });
});

describe("RFC 6120 §13.11: an account that does not exist cannot be told from one that does", () => {
  const HASHES = ["SHA-1", "SHA-256", "SHA-512"] as const;

  test("its keys look like any account's", async () => {
    const { accounts } = await open();
    await accounts.create(ROMEO, PASSWORD);
    for (const hash of HASHES) {
      const [real, madeUp] = [await accounts.scramKeys(ROMEO, hash), await accounts.scramKeys(NOBODY, hash)];
      expect(madeUp.iterations).toBe(real.iterations);
      expect([madeUp.salt, madeUp.storedKey, madeUp.serverKey].map(({ length }) => length)).toEqual(
        [real.salt, real.storedKey, real.serverKey].map(({ length }) => length),
      );
    }
  });

  test("they are always the same, after a restart too; of each account and hash others", async () => {
    const stage = await open();
    const all = async (accounts: AccountService) =>
      Promise.all([NOBODY, ROMEO].flatMap((jid) => HASHES.map((hash) => accounts.scramKeys(jid, hash))));
    const first = await all(stage.accounts);
    expect(await all(stage.accounts)).toEqual(first);
    expect(await all(await stage.restarted())).toEqual(first);
    expect(new Set(first.map(({ salt }) => Buffer.from(salt).toString("hex"))).size).toBe(6);
  });

  test("another server makes up others", async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.accounts.scramKeys(NOBODY, "SHA-1")).not.toEqual(await other.accounts.scramKeys(NOBODY, "SHA-1"));
  });

  test("where the number of iterations was raised, some have the old one and some the new, each always the same", async () => {
    const stage = await open();
    const names = Array.from({ length: 64 }, (_, at) => parseJid(`nobody${at}@example.org`).bare);
    const iterations = async (accounts: AccountService) =>
      Promise.all(names.map(async (jid) => (await accounts.scramKeys(jid, "SHA-1")).iterations));
    expect(new Set(await iterations(stage.accounts))).toEqual(new Set([4_096]));
    const saltsBefore = await Promise.all(
      names.map(async (jid) => (await stage.accounts.scramKeys(jid, "SHA-1")).salt),
    );
    stage.rules = { ...RULES, iterations: 9_000 };
    const restarted = await stage.restarted();
    const after = await iterations(restarted);
    expect(new Set(after)).toEqual(new Set([4_096, 9_000]));
    expect(await iterations(await stage.restarted())).toEqual(after);
    // As with a real account: a new number comes with a new salt, and the old one with the old.
    for (const [at, jid] of names.entries()) {
      const { salt, iterations: now } = await restarted.scramKeys(jid, "SHA-1");
      if (now === 4_096) expect(salt).toEqual(saltsBefore[at]);
      else expect(salt).not.toEqual(saltsBefore[at]);
    }
  });

  test("no password is right, not even one that would fit the keys", async () => {
    const { accounts } = await open();
    expect(await accounts.verifyPassword(NOBODY, PASSWORD)).toBe(false);
    expect(await accounts.verifyPassword(NOBODY, "")).toBe(false);
  });
});

test("a store that fails when the server starts: it does not start", async () => {
  const writer = manualWriter();
  writer.failNext();
  writer.release();
  const options: AccountOptions = {
    store: memoryStore({ writer }),
    crypto: nodeCrypto,
    prepare: { stored: saslprepOfStored, query: saslprepOfQuery },
    rules: () => RULES,
    now: Date.now,
  };
  await expect(openAccounts(options)).rejects.toThrow(StanzaError);
});
