import type { BareJid, FullJid, HtMechanismName, UserAgent } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import {
  ACCESS_RULES,
  type AccessRules,
  type AccessTokens,
  type ClientLogin,
  openAccessTokens,
} from "./access-tokens.ts";
import { nodeCrypto } from "./crypto.ts";
import { memoryStore } from "./store/memory.ts";
import type { Store } from "./store/store.ts";

const JULIET = "juliet@capulet.example" as BareJid;
const ROMEO = "romeo@montague.example" as BareJid;
const FAST: HtMechanismName = "HT-SHA-256-NONE";
const DAY = 86_400_000;
const agent = (number: number): UserAgent => ({
  id: `2f6c1f0e-3c59-4b5a-8a3b-${String(number).padStart(12, "0")}`,
  software: `Lantern ${number}`,
  device: undefined,
});
const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });
const PLAINLY = { count: undefined, invalidate: false };

interface World {
  readonly access: AccessTokens;
  readonly store: Store;
  now: number;
  rules: AccessRules;
  /** Logs in by password and asks for a token. */
  byPassword(number: number, account?: BareJid): Promise<string>;
  /** What becomes of a login by token: the token that is given anew, if one is. */
  byToken(number: number, token: string): Promise<string | undefined>;
}

const open = async (store: Store = memoryStore()): Promise<World> => {
  const time = { now: Date.parse("2031-05-17T09:30:00Z"), rules: ACCESS_RULES };
  const access = await openAccessTokens({ store, crypto: nodeCrypto, now: () => time.now, rules: () => time.rules });
  const loginOf = async (
    number: number,
    mechanism: ClientLogin["mechanism"],
    account: BareJid,
  ): Promise<ClientLogin> => ({
    clientId: await access.clientId(account, agent(number).id ?? ""),
    agent: agent(number),
    mechanism,
  });
  return Object.assign(time, {
    access,
    store,
    byPassword: async (number: number, account = JULIET) => {
      const login = await loginOf(number, "SCRAM-SHA-256", account);
      const given = await access.loggedIn(account, login, { wanted: FAST, gaveUp: false, since: access.changes });
      if (given === undefined) throw new Error("no token");
      return given.token;
    },
    byToken: async (number: number, token: string) => {
      const login = await loginOf(number, FAST, JULIET);
      const known = await access.candidates(JULIET, login.clientId as NonNullable<typeof login.clientId>, FAST);
      const found = known.find((candidate) => candidate.token === token);
      if (found === undefined) throw new Error("unknown token");
      await access.use(JULIET, found, PLAINLY);
      const wish = { wanted: undefined, gaveUp: false, since: access.changes };
      return (await access.loggedIn(JULIET, login, wish))?.token;
    },
  });
};
const candidates = async ({ access }: World, number: number): Promise<readonly string[]> => {
  const id = await access.clientId(JULIET, agent(number).id ?? "");
  return (await access.candidates(JULIET, id, FAST)).map(({ token }) => token);
};

describe("what a client is known by", () => {
  test("XEP-0386 §3.2.1: is the same every time, and another one for another client, account or server", async () => {
    const { access } = await open();
    const id = await access.clientId(JULIET, agent(1).id ?? "");
    expect(await access.clientId(JULIET, agent(1).id ?? "")).toBe(id);
    expect(await (await open(memoryStore())).access.clientId(JULIET, agent(1).id ?? "")).not.toBe(id);
    expect(await access.clientId(JULIET, agent(2).id ?? "")).not.toBe(id);
    expect(await access.clientId(ROMEO, agent(1).id ?? "")).not.toBe(id);
  });
});

describe("XEP-0484: tokens", () => {
  test("are kept by what they are made of, not as they are", async () => {
    const kept: string[] = [];
    const world = await open(noting(kept));
    const token = await world.byPassword(1);
    expect(await candidates(world, 1)).toEqual([token]);
    expect(kept).toHaveLength(2);
    expect(kept.join("")).not.toContain(token);
    expect(kept.join("")).not.toContain(agent(1).id);
  });
  test("§3.3: end when they are said to, in whole seconds", async () => {
    const world = await open();
    world.now += 1;
    const login = { clientId: await world.access.clientId(JULIET, "x"), agent: undefined, mechanism: "PLAIN" } as const;
    const given = await world.access.loggedIn(JULIET, login, { wanted: FAST, gaveUp: false, since: 0 });
    expect(given?.expiry).toBe(Math.ceil((world.now + 21 * DAY) / 1000) * 1000);
    world.now = (given?.expiry ?? 0) - 1;
    const [known] = await world.access.candidates(JULIET, login.clientId, FAST);
    if (known === undefined) throw new Error("no token");
    await world.access.use(JULIET, known, PLAINLY);
    world.now += 1;
    await expect(world.access.use(JULIET, known, PLAINLY)).rejects.toThrow(condition("credentials-expired"));
  });
  test("§3.5, §5.1: there are two at the most, and the older one ends with the use of the newer", async () => {
    const world = await open();
    const first = await world.byPassword(1);
    expect(await world.byToken(1, first)).toBeUndefined();
    world.now += DAY;
    const second = (await world.byToken(1, first)) ?? "";
    expect(await candidates(world, 1)).toEqual([second, first]);
    const third = (await world.byToken(1, first)) ?? "";
    expect(await candidates(world, 1)).toEqual([third, first]);
    expect(await world.byToken(1, third)).toBeUndefined();
    expect(await candidates(world, 1)).toEqual([third]);
  });
  test("§3.5: one that has been revoked while it was being proved is of no use", async () => {
    const world = await open();
    await world.byPassword(1);
    const id = await world.access.clientId(JULIET, agent(1).id ?? "");
    const [known] = await world.access.candidates(JULIET, id, FAST);
    await world.access.revoke(JULIET, id);
    if (known === undefined) throw new Error("no token");
    await expect(world.access.use(JULIET, known, PLAINLY)).rejects.toThrow(condition("not-authorized"));
  });
  test("outlive the process, and go with the account", async () => {
    const store = memoryStore();
    const world = await open(store);
    await world.byPassword(1);
    const unit = store.begin();
    unit.add(store.accounts.remove(JULIET, undefined));
    unit.commit();
    expect(await candidates(world, 1)).toEqual([]);
  });
  test("what cannot be stored is not given, and its use fails", async () => {
    const world = await open(failing());
    const login = { clientId: await world.access.clientId(JULIET, "x"), agent: undefined, mechanism: "PLAIN" } as const;
    await expect(world.access.loggedIn(JULIET, login, { wanted: FAST, gaveUp: false, since: 0 })).rejects.toThrow(
      condition("temporary-auth-failure"),
    );
  });
});

/** A store that notes what is put into it. */
const noting = (kept: string[]): Store => {
  const store = memoryStore();
  const begin = store.begin.bind(store);
  store.begin = () => {
    const unit = begin();
    const add = unit.add.bind(unit);
    unit.add = (write) => {
      kept.push(JSON.stringify(write));
      add(write);
    };
    return unit;
  };
  return store;
};

/** A store whose commits fail but for the first, which is the secret's. */
const failing = (): Store => {
  const store = memoryStore();
  const begin = store.begin.bind(store);
  let commits = 0;
  store.begin = () => {
    const unit = begin();
    const commit = unit.commit.bind(unit);
    unit.commit = (haste) => {
      const ticket = commit(haste);
      return ++commits === 1 ? ticket : { state: "failed", onSettled: (listener) => listener(false) };
    };
    return unit;
  };
  return store;
};

describe("XEP-0494: the clients of an account", () => {
  const session = (name: string): FullJid => `${JULIET}/${name}` as FullJid;

  test("§3.1: are told with the time they were first and last seen", async () => {
    const world = await open();
    const first = world.now;
    const token = await world.byPassword(1);
    world.now += DAY / 2;
    await world.byToken(1, token);
    const [client] = await world.access.list(JULIET);
    expect(client).toMatchObject({
      firstSeen: first,
      lastSeen: world.now,
      connected: false,
      password: true,
      fast: true,
    });
    expect(client?.software).toBe("Lantern 1");
  });
  test("§3.1: who was seen last comes first; who is there is seen now", async () => {
    const world = await open();
    await world.byPassword(1);
    const id = await world.access.clientId(JULIET, agent(1).id ?? "");
    world.access.began(JULIET, session("one"), { clientId: id, agent: agent(1), mechanism: FAST });
    world.now += 1000;
    await world.byPassword(2);
    world.now += 1000;
    const listed = await world.access.list(JULIET);
    expect(listed.map(({ software, lastSeen, connected }) => [software, world.now - lastSeen, connected])).toEqual([
      ["Lantern 1", 0, true],
      ["Lantern 2", 1000, false],
    ]);
    world.access.ended(JULIET, session("one"));
    world.access.ended(JULIET, session("one"));
    expect((await world.access.list(JULIET)).map(({ connected }) => connected)).toEqual([false, false]);
  });
  test("§3.1: a session whose client is not known, or was forgotten, is on the list", async () => {
    const world = await open();
    world.access.began(JULIET, session("old"));
    world.access.began(JULIET, session("anonymous"), { clientId: undefined, agent: undefined, mechanism: "EXTERNAL" });
    const id = await world.access.clientId(JULIET, agent(1).id ?? "");
    world.access.began(JULIET, session("one"));
    world.access.began(JULIET, session("one"), { clientId: id, agent: agent(1), mechanism: FAST });
    const listed = await world.access.list(JULIET);
    expect(listed.map(({ password, fast, software }) => [password, fast, software])).toEqual([
      [true, false, undefined],
      [false, false, undefined],
      [false, false, "Lantern 1"],
    ]);
    expect(listed[2]?.id).toBe(id);
    // What is not known is learnt once.
    world.access.began(JULIET, session("one"));
    expect(world.access.sessionsOf(JULIET, id)).toEqual([session("one")]);
  });
  test("§3.2: a session is revoked by the id it has on the list", async () => {
    const world = await open();
    world.access.began(JULIET, session("old"));
    world.access.began(JULIET, session("certified"), { clientId: undefined, agent: undefined, mechanism: "EXTERNAL" });
    const [old, certified] = await world.access.list(JULIET);
    expect(await world.access.revoke(JULIET, old?.id ?? "")).toEqual({
      sessions: [session("old")],
      knowsPassword: true,
    });
    expect(await world.access.revoke(JULIET, certified?.id ?? "")).toEqual({
      sessions: [session("certified")],
      knowsPassword: false,
    });
    expect(await world.access.revoke(ROMEO, old?.id ?? "")).toBeUndefined();
  });
  test("§6: what they say of themselves is not kept where that is not wanted", async () => {
    const world = await open();
    world.rules = { ...ACCESS_RULES, describeClients: false };
    await world.byPassword(1);
    expect(await world.access.list(JULIET)).toMatchObject([{ software: undefined, device: undefined }]);
  });
  test("§6: are forgotten after a time, unless they can come back by themselves", async () => {
    const world = await open();
    world.rules = { ...ACCESS_RULES, tokenLifetimeMs: 200 * DAY };
    await world.byPassword(1);
    world.rules = ACCESS_RULES;
    await world.byPassword(2);
    world.now += 60 * DAY;
    expect(await world.access.list(JULIET)).toHaveLength(2);
    world.now += 1;
    expect((await world.access.list(JULIET)).map(({ software }) => software)).toEqual(["Lantern 1"]);
    // The row goes when there is a new one.
    await world.byPassword(3);
    expect((await world.access.list(JULIET)).map(({ software }) => software)).toEqual(["Lantern 3", "Lantern 1"]);
  });
  test("are so many at the most: whoever was not seen for longest has to show the password again", async () => {
    const world = await open();
    world.rules = { ...ACCESS_RULES, clientsPerAccount: 3 };
    for (const number of [1, 2, 3, 4, 5]) {
      world.now += 1000;
      await world.byPassword(number);
    }
    expect((await world.access.list(JULIET)).map(({ software }) => software)).toEqual([
      "Lantern 5",
      "Lantern 4",
      "Lantern 3",
    ]);
    expect(await candidates(world, 1)).toEqual([]);
    expect(await candidates(world, 3)).toHaveLength(1);
    // Who is known takes nobody's place.
    await world.byPassword(3);
    expect(await candidates(world, 5)).toHaveLength(1);
  });
  test("that are not identified leave nothing behind", async () => {
    const world = await open();
    const login = { clientId: undefined, agent: agent(1), mechanism: "PLAIN" } as const;
    expect(await world.access.loggedIn(JULIET, login, { wanted: FAST, gaveUp: false, since: 0 })).toBeUndefined();
    expect(await world.access.list(JULIET)).toEqual([]);
  });
  test("XEP-0484 §6: a password that is changed is forgotten with all that it let in", async () => {
    const world = await open();
    const since = world.access.changes;
    await world.byPassword(1);
    const unit = world.store.begin();
    for (const write of world.access.forgetting(JULIET)) unit.add(write);
    unit.commit();
    expect(await world.access.list(JULIET)).toEqual([]);
    // Whoever was under way with the old one gets no token by it, and is not taken to know the new one.
    const login = { clientId: await world.access.clientId(JULIET, "x"), agent: undefined, mechanism: "PLAIN" } as const;
    expect(await world.access.loggedIn(JULIET, login, { wanted: FAST, gaveUp: false, since })).toBeUndefined();
    expect(await world.access.list(JULIET)).toMatchObject([{ password: false, fast: false }]);
  });
});
