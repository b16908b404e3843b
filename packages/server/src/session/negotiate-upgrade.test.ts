import {
  type BareJid,
  clientMechanism,
  deriveScramKeys,
  type HashName,
  parseElement,
  readAuthentication,
  type ScramKeys,
  type ScramSalt,
  saltedPassword,
  UpgradeHash,
  UpgradeSalt,
  writeElement,
} from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../crypto.ts";
import {
  answerOf,
  authenticate,
  BINDINGS,
  byPassword,
  conditionOf,
  FROM,
  NS,
  opened,
  sasl2World,
  successOf,
} from "./test-sasl2.ts";
import { HEADER, PASSWORD, type Peer, type World } from "./test-streams.ts";

const JULIET = "juliet@capulet.example" as BareJid;
const UPGRADE = (...tasks: string[]): string =>
  tasks.map((task) => `<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>${task}</upgrade>`).join("");
const encode = (octets: Uint8Array) => Buffer.from(octets).toString("base64");

/** An account that came from elsewhere with these keys only. */
const imported = async (...hashes: HashName[]) => {
  const scene = await sasl2World();
  const keys: Partial<Record<HashName, ScramKeys>> = {};
  for (const hash of hashes)
    keys[hash] = await deriveScramKeys(nodeCrypto, hash, PASSWORD, new Uint8Array(16).fill(7), 4096);
  await put(scene.store, keys);
  const keysNow = async () => (await scene.store.accounts.get(JULIET))?.keys as Partial<Record<HashName, ScramKeys>>;
  return { ...scene, keysNow };
};
const put = async (
  store: Awaited<ReturnType<typeof sasl2World>>["store"],
  keys: Partial<Record<HashName, ScramKeys>>,
) => {
  const unit = store.begin();
  unit.add(store.accounts.put({ jid: JULIET, keys: keys as Record<HashName, ScramKeys>, created: 0 }));
  unit.commit();
  await store.flush();
};

const mechanismsOf = async (world: World, opening: string): Promise<readonly string[]> => {
  const peer = world.connectSecurely({ channelBindings: BINDINGS });
  await peer.sends(opening);
  const found = /<authentication .*<\/authentication>/s.exec(peer.received())?.[0] ?? "";
  return readAuthentication(parseElement(found)).mechanisms;
};

/** By SCRAM-SHA-1, up to the server's answer to the proof. */
const scram = async (
  peer: Peer,
  mechanisms: readonly string[],
  more: string,
): Promise<ReturnType<typeof clientMechanism>> => {
  const client = clientMechanism(
    { name: "SCRAM-SHA-1", binding: { is: "n" } },
    {
      crypto: nodeCrypto,
      credentials: { username: "juliet", password: PASSWORD },
      offer: { mechanisms, channelBindings: ["tls-exporter", "tls-server-end-point"] },
      channelBindings: new Map(),
    },
  );
  await peer.sends(authenticate("SCRAM-SHA-1", encode(await client.initial()), more));
  const { message } = answerOf(peer);
  if (message.is !== "challenge") throw new Error(message.is);
  await peer.sends(`<response xmlns='${NS}'>${encode(await client.challenge(message.data))}</response>`);
  return client;
};
const OFFERED = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"];

const next = (task: string): string => `<next xmlns='${NS}' task='${task}'/>`;
const saltOf = (peer: Peer): ScramSalt => {
  const { message } = answerOf(peer);
  const [salt] = message.is === "task-data" ? message.payload : [];
  if (salt === undefined) throw new Error(message.is);
  return UpgradeSalt.parse(salt);
};
const hashData = (salted: Uint8Array): string =>
  `<task-data xmlns='${NS}'>${writeElement(UpgradeHash.build(salted))}</task-data>`;

describe("XEP-0480 §2.1: what is announced", () => {
  test("are the upgrades there are, in the feature of XEP-0388", async () => {
    const { world } = await sasl2World();
    const peer = world.connectSecurely();
    await peer.sends(HEADER);
    expect(peer.received()).toContain(
      "</inline><upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>" +
        "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></authentication>",
    );
  });
  test("XEP-0388 §2.1: who says whose account it is gets no mechanism that it lacks keys for", async () => {
    const { world } = await imported("SHA-1");
    expect(await mechanismsOf(world, FROM)).toEqual(OFFERED);
    expect(await mechanismsOf(world, HEADER)).toContain("SCRAM-SHA-512");
    expect(await mechanismsOf(world, FROM.replace("juliet", "nobody"))).toContain("SCRAM-SHA-512");
    const other = await imported("SHA-1", "SHA-256");
    expect(await mechanismsOf(other.world, FROM)).toEqual([
      "SCRAM-SHA-256-PLUS",
      "SCRAM-SHA-1-PLUS",
      "SCRAM-SHA-256",
      "SCRAM-SHA-1",
      "PLAIN",
    ]);
  });
});

describe("XEP-0480 §2.2, §3: an upgrade", () => {
  test("of two hashes, one after the other; then the client is in, and has what it asked for", async () => {
    const { world, keysNow } = await imported("SHA-1");
    const peer = await opened(world);
    const more = `${UPGRADE("UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512")}<bind xmlns='urn:xmpp:bind:0'/>`;
    const client = await scram(peer, OFFERED, more);
    const first = answerOf(peer).message;
    expect(first).toMatchObject({ is: "continue", tasks: ["UPGR-SCRAM-SHA-256"] });
    // The proof of the server comes with the first continuation, not with success.
    await client.success(first.is === "continue" ? first.data : undefined);
    expect(world.door.sessions).toEqual([]);
    await peer.sends(next("UPGR-SCRAM-SHA-256"));
    const salt256 = saltOf(peer);
    expect(salt256.salt).toHaveLength(16);
    expect(salt256.iterations).toBe(4096);
    await peer.sends(hashData(await saltedPassword(nodeCrypto, "SHA-256", PASSWORD, salt256)));
    expect(answerOf(peer).message).toEqual({
      is: "continue",
      data: undefined,
      tasks: ["UPGR-SCRAM-SHA-512"],
      text: undefined,
    });
    await peer.sends(next("UPGR-SCRAM-SHA-512"));
    const salt512 = saltOf(peer);
    expect(salt512.salt).not.toEqual(salt256.salt);
    await peer.sends(hashData(await saltedPassword(nodeCrypto, "SHA-512", PASSWORD, salt512)));
    const success = successOf(peer);
    expect(success.data).toBeUndefined();
    expect(success.results).toMatchObject([{ name: "bound" }]);
    const keys = await keysNow();
    expect(keys["SHA-256"]).toEqual(await deriveScramKeys(nodeCrypto, "SHA-256", PASSWORD, salt256.salt, 4096));
    expect(keys["SHA-512"]).toEqual(await deriveScramKeys(nodeCrypto, "SHA-512", PASSWORD, salt512.salt, 4096));
    expect(keys["SHA-1"]).toBeDefined();
    expect(await mechanismsOf(world, FROM)).toContain("SCRAM-SHA-512");
  });
  test.each([
    ["that is not needed", ["UPGR-SCRAM-SHA-512"], ["SHA-1", "SHA-256", "SHA-512"]],
    ["that is not known", ["UPGR-LUTE", ""], ["SHA-1"]],
    ["to what is weak", ["UPGR-SCRAM-SHA-1"], ["SHA-1", "SHA-256"]],
  ] as const)("%s does not happen", async (_, tasks, hashes) => {
    const { world } = await imported(...hashes);
    const peer = await opened(world);
    await scram(peer, await mechanismsOf(world, FROM), UPGRADE(...tasks));
    expect(successOf(peer).identity.full).toBe(JULIET);
  });
  test("is for whoever has proved to know the password, by SCRAM", async () => {
    const { world } = await imported("SHA-1");
    const peer = await opened(world, { peerCertificate: { xmppAddresses: [JULIET], expires: world.clock + 1e9 } });
    await peer.sends(authenticate("EXTERNAL", "", UPGRADE("UPGR-SCRAM-SHA-256")));
    expect(successOf(peer).identity.full).toBe(JULIET);
  });
});

describe("XEP-0480 §2.3: what fails", () => {
  const atTask = async (hashes: readonly HashName[] = ["SHA-1"]) => {
    const scene = await imported(...hashes);
    const peer = await opened(scene.world);
    await scram(peer, OFFERED, `${UPGRADE("UPGR-SCRAM-SHA-256")}<bind xmlns='urn:xmpp:bind:0'/>`);
    expect(answerOf(peer).message.is).toBe("continue");
    return { ...scene, peer };
  };
  test.each([
    ["another task", next("UPGR-SCRAM-SHA-512")],
    ["data before the task has begun", hashData(new Uint8Array(32))],
    ["a response", `<response xmlns='${NS}'>eA==</response>`],
  ])("%s", async (_, message) => {
    const { peer, world, keysNow } = await atTask();
    await peer.sends(message);
    expect(conditionOf(peer)).toBe("malformed-request");
    expect(world.door.sessions).toEqual([]);
    expect(Object.keys(await keysNow())).toEqual(["SHA-1"]);
  });
  test.each([
    ["the task once more", next("UPGR-SCRAM-SHA-256")],
    ["no hash", `<task-data xmlns='${NS}'/>`],
    ["an empty hash", `<task-data xmlns='${NS}'><hash xmlns='urn:xmpp:scram-upgrade:0'/></task-data>`],
    ["a hash of another length", hashData(new Uint8Array(64))],
  ])("§3: %s once it has begun", async (_, message) => {
    const { peer, world, keysNow } = await atTask();
    await peer.sends(next("UPGR-SCRAM-SHA-256"));
    saltOf(peer);
    await peer.sends(message);
    expect(conditionOf(peer)).toBe("malformed-request");
    expect(world.door.sessions).toEqual([]);
    expect(Object.keys(await keysNow())).toEqual(["SHA-1"]);
  });
  test("giving up: the client is not in, and can begin again", async () => {
    const { peer, world } = await atTask();
    await peer.sends(`<abort xmlns='${NS}'/>`);
    expect(conditionOf(peer)).toBe("aborted");
    expect(world.door.sessions).toEqual([]);
    await scram(peer, OFFERED, "");
    expect(successOf(peer).identity.full).toBe(JULIET);
  });
  test.each([byPassword(), "<presence/>"])("XEP-0388 §5.7: %s instead of the task ends the stream", async (message) => {
    const { peer } = await atTask();
    await peer.sends(message);
    expect(peer.received()).toMatch(/^<stream:error><not-authorized /);
  });
  test("a password that has been changed meanwhile is not half taken back", async () => {
    const { peer, store, keysNow } = await atTask();
    await peer.sends(next("UPGR-SCRAM-SHA-256"));
    const salt = saltOf(peer);
    await put(store, { "SHA-1": await deriveScramKeys(nodeCrypto, "SHA-1", "another", new Uint8Array(16), 4096) });
    await peer.sends(hashData(await saltedPassword(nodeCrypto, "SHA-256", PASSWORD, salt)));
    expect(conditionOf(peer)).toBe("credentials-expired");
    expect(Object.keys(await keysNow())).toEqual(["SHA-1"]);
  });
  test("keys that have come from elsewhere meanwhile stay", async () => {
    const { peer, store, keysNow } = await atTask();
    await peer.sends(next("UPGR-SCRAM-SHA-256"));
    const salt = saltOf(peer);
    const before = await keysNow();
    const theirs = await deriveScramKeys(nodeCrypto, "SHA-256", PASSWORD, new Uint8Array(16).fill(1), 4096);
    await put(store, { ...before, "SHA-256": theirs });
    await peer.sends(hashData(await saltedPassword(nodeCrypto, "SHA-256", PASSWORD, salt)));
    expect(successOf(peer).identity.resource).toBeDefined();
    expect((await keysNow())["SHA-256"]).toEqual(theirs);
  });
  test("keys that cannot be stored: the client is told to try again later", async () => {
    const { peer, breakStore } = await atTask();
    await peer.sends(next("UPGR-SCRAM-SHA-256"));
    const salt = saltOf(peer);
    breakStore();
    await peer.sends(hashData(await saltedPassword(nodeCrypto, "SHA-256", PASSWORD, salt)));
    expect(conditionOf(peer)).toBe("temporary-auth-failure");
  });
  test("an account that has been removed meanwhile is not made again", async () => {
    const { peer, store } = await atTask();
    await peer.sends(next("UPGR-SCRAM-SHA-256"));
    const salt = saltOf(peer);
    const unit = store.begin();
    unit.add(store.accounts.remove(JULIET, 1));
    unit.commit();
    await peer.sends(hashData(await saltedPassword(nodeCrypto, "SHA-256", PASSWORD, salt)));
    expect(conditionOf(peer)).toBe("credentials-expired");
    expect(await store.accounts.get(JULIET)).toBeUndefined();
  });
});
