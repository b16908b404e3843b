import { parseJid } from "@kith/protocol";
import { type Party, Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../src/crypto.ts";
import { Invitations } from "../src/invitations.ts";
import type { Module } from "../src/module.ts";
import { createModules } from "../src/modules/index.ts";
import { memoryStore } from "../src/store/memory.ts";
import type { Store } from "../src/store/store.ts";

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
/** The clock of a machine is set: by somebody, or because it was wrong. */
const JUMPS = [-YEAR, -HOUR, -1, 1, HOUR, YEAR];

const modules = (store: Store): readonly Module[] =>
  createModules({
    store,
    software: { name: "Kith", version: "1" },
    softwareUri: "urn:example:kith",
    sha1: () => "",
    stanzaIds: { idOf: () => "", rowOf: () => undefined },
    fingerprint: (bytes) => bytes,
    recogniseFor: 0,
    archive: undefined,
    push: { services: undefined, browsers: undefined },
    limits: {
      offlineMessages: 100,
      rosterItems: 100,
      rosterGroups: 10,
      recipientsPerMinute: undefined,
      rosterCharacters: 1_000_000,
      offlineBytes: 2_097_152,
      subscriptionRequestBytes: 524_288,
      directedPresenceCharacters: 32_768,
      subscriptionRequests: 10,
      blockedAddresses: 10,
      vcardBytes: 1_000,
      privateBytes: 1_000,
      privateNames: 10,
    },
    streamLimits: { visitor: {}, authenticated: {} },
    contactAddresses: () => ({}),
    items: () => [],
  });

const stage = async (): Promise<{ scene: Scene; ada: Party; grace: Party }> => {
  const accounts = ["ada@example.org", "grace@example.org"];
  const scene = await Scene.open("LocalFabric", { modules, accounts });
  return { scene, ada: await scene.online("ada@example.org/lab"), grace: await scene.online("grace@example.org/sea") };
};

const befriend = async (ada: Party, grace: Party): Promise<void> => {
  await ada.sends("<presence type='subscribe' to='grace@example.org'/>");
  await grace.sends("<presence type='subscribed' to='ada@example.org'/>");
  for (const party of [ada, grace]) party.received();
};

describe.each(JUMPS)("the clock is set by %i ms", (jump) => {
  test("XEP-0012 §3: nobody has been away for less than no time", async () => {
    const { scene, ada, grace } = await stage();
    await befriend(ada, grace);
    await scene.end(grace);
    ada.received();
    scene.clock.advance(jump);
    await ada.sends("<iq type='get' id='1' to='grace@example.org'><query xmlns='jabber:iq:last'/></iq>");
    const seconds = Number(/seconds=["'](-?\d+)["']/.exec(ada.received().join(""))?.[1]);
    expect(seconds).toBe(Math.max(0, Math.floor(jump / 1000)));
    expect(scene.defects).toEqual([]);
  });

  test("XEP-0160 §3, RFC 6120 §10.1: what waits comes in the order in which it was sent, whatever its stamps say", async () => {
    const { scene, ada, grace } = await stage();
    await scene.end(grace);
    for (const body of ["one", "two", "three"]) {
      await ada.sends(`<message type='chat' to='grace@example.org'><body>${body}</body></message>`);
      scene.clock.advance(jump);
    }
    const again = await scene.login("grace@example.org/sea");
    await again.sends("<presence/>");
    const bodies = again.received().flatMap((xml) => /<body>(\w+)<\/body>/.exec(xml)?.[1] ?? []);
    expect(bodies).toEqual(["one", "two", "three"]);
    expect(scene.defects).toEqual([]);
  });

  test("RFC 6121 §8.5.2.1.1: a message reaches the account, and those who are there stay there", async () => {
    const { scene, ada, grace } = await stage();
    const phone = await scene.login("grace@example.org/phone");
    scene.clock.advance(jump);
    await phone.sends("<presence/>");
    for (const party of [ada, grace, phone]) party.received();
    await ada.sends("<message type='chat' to='grace@example.org'><body>hello</body></message>");
    const copies = [grace, phone].flatMap((party) => party.received()).filter((xml) => xml.includes("<body>hello"));
    expect(copies.length).toBeGreaterThan(0);
    expect(scene.defects).toEqual([]);
  });

  test("XEP-0202 §3, XEP-0203 §4: stamps say what the clock says", async () => {
    const { scene, ada } = await stage();
    scene.clock.advance(jump);
    await ada.sends("<iq type='get' id='1' to='example.org'><time xmlns='urn:xmpp:time'/></iq>");
    const said = /<utc>([^<]+)<\/utc>/.exec(ada.received().join(""))?.[1] ?? "";
    expect(Math.abs(Date.parse(said) - scene.clock.now())).toBeLessThan(1_000);
  });
});

test.each(JUMPS)("XEP-0401 §5: an invitation is good until its time, by the clock (set by %i ms)", async (jump) => {
  const time = { now: Date.parse("2031-05-17T09:30:00Z") };
  const invitations = new Invitations({
    store: memoryStore(),
    crypto: nodeCrypto,
    now: () => time.now,
    rules: () => ({ expireMs: 2 * HOUR, perUser: 5, landingPage: undefined }),
  });
  const { domain } = parseJid("example.org");
  await invitations.create({ domain, to: "account" });
  time.now += jump;
  expect((await invitations.list(domain)).length).toBe(jump > 2 * HOUR ? 0 : 1);
});
