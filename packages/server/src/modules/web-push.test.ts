import { eachFabric, type Open, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Module } from "../module.ts";
import {
  type StoredWebPush,
  type VapidKeys,
  type WebPushOptions,
  type WebPushOutcome,
  type WebPushSender,
  webPush,
} from "./web-push.ts";
import { disco } from "./xep0030-disco.ts";

const MIRA = "mira@attic.example";
const TAB = `${MIRA}/tab`;
const JONAS = "jonas@attic.example";
const BOAT = `${JONAS}/boat`;
const NS = "https://kith.chat/protocol/web-push";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const ONE = "https://push.browser.example/1";
const TWO = "https://push.browser.example/2";
const POINT = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString("base64url");
const SECRET = Buffer.alloc(16, 9).toString("base64url");
const BODY = "<body>The gulls are back.</body>";

const enable = (endpoint: string, p256dh = POINT, auth = SECRET): string =>
  `<iq type='set' id='e'><enable xmlns='${NS}' endpoint='${endpoint}' p256dh='${p256dh}' auth='${auth}'/></iq>`;
const disable = (attributes = ""): string => `<iq type='set' id='d'><disable xmlns='${NS}' ${attributes}/></iq>`;
const done = (id: string): string => `<iq type='result' to='${TAB}' id='${id}'/>`;
const keeper: Module = { name: "keeper", xeps: [], undelivered: () => [] };

interface Sent {
  readonly endpoint: string;
  readonly payload: string;
  readonly publicKey: string;
  readonly subject: string;
}

/** Push services that answer when they are told to. */
class Browsers implements WebPushSender {
  readonly sent: Sent[] = [];
  readonly open: ((outcome: WebPushOutcome) => void)[] = [];
  made = 0;
  /** What they answer at once; `undefined`: they wait until they are told. */
  outcome: WebPushOutcome | undefined = "sent";

  createKeys(): VapidKeys {
    this.made++;
    return { publicKey: `public-${this.made}`, privateKey: `private-${this.made}` };
  }
  accepts(endpoint: string): boolean {
    return endpoint.startsWith("https://push.browser.example/");
  }
  send(...[{ endpoint }, payload, { publicKey, subject }]: Parameters<WebPushSender["send"]>): Promise<WebPushOutcome> {
    this.sent.push({ endpoint, payload, publicKey, subject });
    const { promise, resolve } = Promise.withResolvers<WebPushOutcome>();
    if (this.outcome === undefined) this.open.push(resolve);
    else resolve(this.outcome);
    return promise;
  }
  /** What they were told, by endpoint. */
  told(): Record<string, unknown> {
    return Object.fromEntries(this.sent.splice(0).map(({ endpoint, payload }) => [endpoint, JSON.parse(payload)]));
  }
}

eachFabric("web push", (open: Open) => {
  const stage = async (options: Partial<WebPushOptions> = {}) => {
    const browsers = new Browsers();
    const waiting = { count: 0 };
    const scene = await open({
      modules: (store, tools) => [
        keeper,
        webPush({
          subscriptions: store.collection<StoredWebPush>("web-push"),
          keys: store.collection<VapidKeys>("web-push-keys"),
          sender: browsers,
          subject: (domain) => `mailto:admin@${domain}`,
          waiting: () => waiting.count,
          ...options,
        }),
        disco({ modules: tools.modules, name: "Kith", items: () => [], subscriptionOf: () => "none" }),
      ],
      domains: ["attic.example"],
      accounts: [MIRA, JONAS],
    });
    const stored = async (): Promise<readonly string[]> =>
      [...(await scene.store.collection<StoredWebPush>("web-push").all(MIRA)).keys()].toSorted();
    return { scene, browsers, waiting, stored };
  };
  const away = async (scene: Scene, ...requests: string[]) => {
    const tab = await scene.online(TAB);
    for (const request of requests) await tab.sends(request);
    expect(tab.received().filter((xml) => xml.includes("error"))).toEqual([]);
    await scene.end(tab);
    const jonas = await scene.online(BOAT);
    const write = (children = BODY): string => `<message to='${MIRA}' type='chat'>${children}</message>`;
    return {
      jonas,
      says: (children?: string): Promise<void> => jonas.sends(write(children)),
      /** Does not wait for push services. */
      mutters: (): Promise<void> => jonas.sendsUnsettled(write()),
    };
  };

  test("docs/push.md: it is announced at the account, and tells the key, the same ever after", async () => {
    const { scene, browsers } = await stage();
    const tab = await scene.login(TAB);
    await tab.sends(`<iq type='get' to='${MIRA}' id='i'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`);
    expect(tab.received().join("")).toContain(`<feature var='${NS}'/>`);
    for (let count = 0; count < 2; count++) {
      await tab.sends(`<iq type='get' id='k'><key xmlns='${NS}'/></iq>`);
      tab.receives(`<iq type='result' to='${TAB}' id='k'><key xmlns='${NS}'>public-1</key></iq>`);
    }
    expect(browsers.made).toBe(1);
  });

  describe("docs/push.md: enabling", () => {
    test("and once more with other keys; the same again stores nothing", async () => {
      const { scene, stored } = await stage();
      const tab = await scene.login(TAB);
      await tab.sends(enable(ONE));
      await tab.sends(enable(ONE));
      await tab.sends(enable(ONE, POINT, Buffer.alloc(16, 1).toString("base64url")));
      await tab.sends(enable(TWO));
      tab.receives(done("e"), done("e"), done("e"), done("e"));
      expect(await stored()).toEqual([ONE, TWO]);
    });

    test.each([
      ["no endpoint", enable(""), "bad-request"],
      ["somewhere else", enable("https://127.0.0.1/x"), "not-acceptable"],
      ["no key", enable(ONE, ""), "bad-request"],
      ["a short key", enable(ONE, POINT.slice(4)), "bad-request"],
      ["a compressed key", enable(ONE, Buffer.alloc(33, 2).toString("base64url")), "bad-request"],
      ["a key in other letters", enable(ONE, POINT.replaceAll("B", "+")), "bad-request"],
      ["a secret of another length", enable(ONE, POINT, Buffer.alloc(17).toString("base64url")), "bad-request"],
      ["no secret", enable(ONE, POINT, ""), "bad-request"],
      ["a very long secret", enable(ONE, POINT, "A".repeat(10_000)), "bad-request"],
    ])("refuses %s", async (_, request, condition) => {
      const { scene, stored } = await stage();
      const tab = await scene.login(TAB);
      await tab.sends(request);
      expect(tab.received().join("")).toContain(`<${condition} xmlns='${STANZAS}'/>`);
      expect(await stored()).toEqual([]);
    });

    test("for nobody but oneself", async () => {
      const { scene, stored } = await stage();
      const jonas = await scene.login(BOAT);
      for (const child of [`<key xmlns='${NS}'/>`, enable(ONE).slice(22, -5), `<disable xmlns='${NS}'/>`]) {
        await jonas.sends(`<iq type='${child.includes("key") ? "get" : "set"}' to='${MIRA}' id='x'>${child}</iq>`);
        expect(jonas.received().join("")).toContain("type='error'");
      }
      expect(await stored()).toEqual([]);
    });

    test("no more than so many: the oldest makes room", async () => {
      const { scene, stored } = await stage({ limit: 2 });
      const tab = await scene.login(TAB);
      for (const endpoint of [ONE, TWO, TWO, `${TWO}3`]) {
        scene.clock.advance(1_000);
        await tab.sends(enable(endpoint));
      }
      expect(await stored()).toEqual([TWO, `${TWO}3`]);
    });
  });

  test("docs/push.md: disabling one, one that is not there, and all", async () => {
    const { scene, stored } = await stage();
    const tab = await scene.login(TAB);
    for (const endpoint of [ONE, TWO]) await tab.sends(enable(endpoint));
    tab.received();
    await tab.sends(disable(`endpoint='${ONE}'`));
    expect(await stored()).toEqual([TWO]);
    await tab.sends(disable(`endpoint='${ONE}'`));
    expect(await stored()).toEqual([TWO]);
    await tab.sends(disable());
    expect(await stored()).toEqual([]);
    tab.receives(done("d"), done("d"), done("d"));
  });

  describe("docs/push.md: telling", () => {
    test("every browser, that there is something and how much, signed by the server", async () => {
      const { scene, browsers, waiting } = await stage();
      const { says } = await away(scene, enable(ONE), enable(TWO));
      waiting.count = 4;
      await says();
      expect(browsers.sent[0]).toMatchObject({ publicKey: "public-1", subject: "mailto:admin@attic.example" });
      expect(browsers.told()).toEqual({ [ONE]: { count: 4 }, [TWO]: { count: 4 } });
    });

    test("who and what, where whoever runs the server says so", async () => {
      const { scene, browsers } = await stage({ telling: { sender: true, body: true } });
      const { says } = await away(scene, enable(ONE));
      await says();
      expect(browsers.told()).toEqual({ [ONE]: { count: 1, from: JONAS, body: "The gulls are back." } });
    });

    test("less rather than too much", async () => {
      const { scene, browsers } = await stage({ telling: { sender: true, body: true } });
      const { says } = await away(scene, enable(ONE));
      await says(`<body>${"🌹".repeat(240)}</body>`);
      expect(Buffer.byteLength(browsers.sent[0]?.payload ?? "")).toBeLessThan(3_900);
      browsers.told();
      await says(`<body>${"&#x202e;".repeat(480)}\u{fffd}</body>`);
      expect(Buffer.byteLength(browsers.sent[0]?.payload ?? "")).toBeLessThan(3_900);
    });

    test("not for what nobody is to be woken up for, nor while somebody is there", async () => {
      const { scene, browsers } = await stage();
      const { says } = await away(scene, enable(ONE));
      await says("<composing xmlns='http://jabber.org/protocol/chatstates'/>");
      await scene.online(TAB);
      await says();
      expect(browsers.sent).toEqual([]);
    });

    test("whoever writes does not wait for a push service", async () => {
      const { scene, browsers } = await stage();
      const { jonas, mutters } = await away(scene, enable(ONE));
      browsers.outcome = undefined;
      await mutters();
      while (browsers.open.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await jonas.sendsUnsettled("<iq type='get' id='x'><unknown xmlns='urn:example:birds'/></iq>");
      while (jonas.received().length === 0) await new Promise((resolve) => setImmediate(resolve));
      browsers.open[0]?.("sent");
      await scene.settled();
    });

    test("one at a time; what comes meanwhile is told together afterwards, unless it has been seen", async () => {
      const { scene, browsers, waiting } = await stage();
      const { mutters } = await away(scene, enable(ONE));
      browsers.outcome = undefined;
      for (const count of [1, 2, 3]) {
        waiting.count = count;
        await mutters();
        while (browsers.sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(browsers.told()).toEqual({ [ONE]: { count: 1 } });
      browsers.open.shift()?.("sent");
      while (browsers.open.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(browsers.told()).toEqual({ [ONE]: { count: 3 } });
      browsers.open.shift()?.("sent");
      await scene.settled();
      expect(browsers.sent).toEqual([]);
    });
  });

  describe("RFC 8030 §7.3: what comes of it", () => {
    test("what is gone is forgotten, and nothing else", async () => {
      const { scene, browsers, stored } = await stage();
      const { says } = await away(scene, enable(ONE));
      browsers.outcome = "gone";
      const tab = await scene.login(TAB);
      await says();
      expect(await stored()).toEqual([]);
      await tab.sends(enable(TWO));
      browsers.outcome = "sent";
      await says();
      expect(await stored()).toEqual([TWO]);
    });

    test("what fails is left alone for a while, and given up when it always does", async () => {
      const { scene, browsers, stored } = await stage();
      const { says } = await away(scene, enable(ONE));
      browsers.outcome = "failed";
      for (let count = 1; count <= 16; count++) {
        expect(await stored()).toEqual([ONE]);
        await says();
        await says();
        expect(browsers.sent).toHaveLength(count);
        scene.clock.advance(3_600_000);
      }
      expect(await stored()).toEqual([]);
    });

    test("goes with the account", async () => {
      const { scene, stored, browsers } = await stage();
      const { says } = await away(scene, enable(ONE));
      await scene.removeAccount(MIRA);
      expect(await stored()).toEqual([]);
      await says();
      expect(browsers.sent).toEqual([]);
    });
  });
});
