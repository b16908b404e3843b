import type { BareJid } from "@kith/protocol";
import { eachFabric, type Open, type Outsider, type Scene, type SceneTools } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Module } from "../module.ts";
import { disco } from "./xep0030-disco.ts";
import { offline } from "./xep0160-offline.ts";
import { type PushOptions, push, type StoredPush } from "./xep0357-push.ts";

const MIRA = "mira@attic.example";
const PHONE = `${MIRA}/phone`;
const JONAS = "jonas@attic.example";
const BOAT = `${JONAS}/boat`;
const SERVICE = "push.gulls.example";
const NS = "urn:xmpp:push:0";
const PUBSUB = "http://jabber.org/protocol/pubsub";
const STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";
const DATA = "jabber:x:data";
const BODY = "<body>The gulls are back.</body>";

const field = (name: string, value: string, type = ""): string =>
  `<field var='${name}'${type}><value>${value}</value></field>`;
const HIDDEN = " type='hidden'";
const form = (of: string, fields: string): string =>
  `<x xmlns='${DATA}' type='submit'>${field("FORM_TYPE", of, HIDDEN)}${fields}</x>`;
const OPTIONS = form(`${PUBSUB}#publish-options`, field("secret", "s&amp;1"));
const enable = (attributes: string, children = "", id = "e"): string =>
  `<iq type='set' id='${id}'><enable xmlns='${NS}' ${attributes}>${children}</enable></iq>`;
const disable = (attributes: string): string => `<iq type='set' id='d'><disable xmlns='${NS}' ${attributes}/></iq>`;
const done = (id: string): string => `<iq type='result' to='${PHONE}' id='${id}'/>`;
const published = (node: string, summary: string, options = ""): string =>
  `<iq type='set' from='attic.example' to='${SERVICE}' id='*'><pubsub xmlns='${PUBSUB}'><publish${node}><item><notification xmlns='${NS}'>${form("urn:xmpp:push:summary", summary)}</notification></item></publish>${options}</pubsub></iq>`;
const COUNT = field("message-count", "1");
const refused = (condition: string, type = "cancel"): string =>
  `<error type='${type}'><${condition} xmlns='${STANZAS}'/></error>`;

/** Takes care of messages that nobody was there for, so that they are missed. */
const keeper: Module = { name: "keeper", xeps: [], undelivered: () => [] };

interface Staged {
  readonly options?: Partial<PushOptions>;
  readonly components?: readonly string[];
  readonly more?: (tools: SceneTools) => readonly Module[];
}

/** The id of the request that came, and how to answer it. */
const answerer = (service: Outsider) => {
  const asked = (): string[] => service.received().flatMap((xml) => / id='([^']+)'/.exec(xml)?.[1] ?? []);
  const answer = (id: string, type: string, children = "", from = SERVICE): Promise<void> =>
    service.sends(`<iq type='${type}' from='${from}' to='attic.example' id='${id}'>${children}</iq>`);
  return { asked, answer };
};

eachFabric("push", (open: Open) => {
  const stage = async ({ options = {}, components = [SERVICE], more = () => [] }: Staged = {}) => {
    const waiting = { count: 0 };
    const scene = await open({
      modules: (store, tools) => [
        keeper,
        push({ services: store.collection<StoredPush>("push"), waiting: () => waiting.count, ...options }),
        disco({ modules: tools.modules, name: "Kith", items: () => [], subscriptionOf: () => "none" }),
        ...more(tools),
      ],
      domains: ["attic.example"],
      accounts: [MIRA, JONAS],
      components,
    });
    const stored = async (): Promise<readonly StoredPush[]> => [
      ...(await scene.store.collection<StoredPush>("push").all(MIRA)).values(),
    ];
    return { scene, waiting, stored };
  };

  /** Mira's phone has enabled the service and is gone; Jonas is there to write to her. */
  const away = async (scene: Scene, ...requests: string[]) => {
    const service = scene.component(SERVICE);
    const phone = await scene.online(PHONE);
    for (const request of requests) await phone.sends(request);
    phone.received();
    await scene.end(phone);
    const jonas = await scene.online(BOAT);
    const says = (children = BODY, attributes = "type='chat'"): Promise<void> =>
      jonas.sends(`<message to='${MIRA}' ${attributes}>${children}</message>`);
    return { service, jonas, says, ...answerer(service) };
  };
  const ENABLE = enable(`jid='${SERVICE}' node='n1'`);

  describe("XEP-0357 §5: enabling", () => {
    test("is announced at the account, and answered", async () => {
      const { scene } = await stage();
      const phone = await scene.login(PHONE);
      await phone.sends(
        `<iq type='get' to='${MIRA}' id='i'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
      );
      expect(phone.received().join("")).toContain(`<feature var='${NS}'/>`);
      await phone.sends(ENABLE);
      await phone.sends(enable(`jid='${SERVICE}' node='n1'`, OPTIONS, "again"));
      phone.receives(done("e"), done("again"));
    });

    test.each([
      ["no service", "node='n'", "", "bad-request", "modify"],
      ["no address", "jid='@'", "", "jid-malformed", "modify"],
      ["a form of another kind", `jid='${SERVICE}'`, form("urn:example:birds", ""), "bad-request", "modify"],
      ["a form that is not submitted", `jid='${SERVICE}'`, OPTIONS.replace("submit", "form"), "bad-request", "modify"],
      [
        "very long options",
        `jid='${SERVICE}'`,
        form(`${PUBSUB}#publish-options`, field("a", "x".repeat(5_000))),
        "policy-violation",
        "modify",
      ],
      ["a very long node", `jid='${SERVICE}' node='${"n".repeat(5_000)}'`, "", "policy-violation", "modify"],
      ["a person", `jid='${BOAT}'`, "", "not-allowed", "cancel"],
      ["a person's account", `jid='${JONAS}'`, "", "not-allowed", "cancel"],
    ])("refuses %s", async (_, attributes, children, condition, type) => {
      const { scene, stored } = await stage();
      const phone = await scene.login(PHONE);
      await phone.sends(enable(attributes, children));
      const [answer = ""] = phone.received();
      expect(answer).toContain(`<error type='${type}'><${condition} xmlns='${STANZAS}'/>`);
      expect(await stored()).toEqual([]);
    });

    test("for nobody but oneself", async () => {
      const { scene } = await stage();
      const jonas = await scene.online(BOAT);
      await jonas.sends(`<iq type='set' to='${MIRA}' id='e'><enable xmlns='${NS}' jid='${SERVICE}'/></iq>`);
      expect(jonas.received().join("")).toContain("service-unavailable");
    });

    test("the latest request for a node counts; asked again the same, nothing is stored anew", async () => {
      const { scene, stored } = await stage();
      const phone = await scene.login(PHONE);
      await phone.sends(enable(`jid='${SERVICE}' node='n1'`, OPTIONS));
      const [first] = await stored();
      scene.clock.advance(1_000);
      await phone.sends(enable(`jid='${SERVICE}' node='n1'`, OPTIONS));
      expect(await stored()).toEqual([first]);
      await phone.sends(ENABLE);
      expect(await stored()).toEqual([{ jid: SERVICE, node: "n1", since: first?.since }]);
    });

    test("no more than so many: the oldest makes room", async () => {
      const { scene, stored } = await stage({ options: { limit: 2 } });
      const phone = await scene.login(PHONE);
      for (const node of ["n1", "n2", "n2", "n3"]) {
        scene.clock.advance(1_000);
        await phone.sends(enable(`jid='${SERVICE}' node='${node}'`));
      }
      expect((await stored()).map(({ node }) => node).toSorted()).toEqual(["n2", "n3"]);
    });
  });

  describe("XEP-0357 §7: publishing", () => {
    test("for a message that nobody was there for: how many wait, and no more", async () => {
      const { scene, waiting } = await stage();
      const { service, says } = await away(scene, ENABLE);
      waiting.count = 7;
      await says();
      service.receives(published(" node='n1'", field("message-count", "7")));
    });

    test("with what the service wants to see", async () => {
      const { scene } = await stage();
      const { service, says } = await away(scene, enable(`jid='${SERVICE}' node='n1'`, OPTIONS));
      await says();
      service.receives(published(" node='n1'", COUNT, `<publish-options>${OPTIONS}</publish-options>`));
    });

    test("with sender and text where whoever runs the server says so", async () => {
      const { scene } = await stage({ options: { telling: { sender: true, body: true } } });
      const { service, says } = await away(scene, ENABLE);
      await says();
      service.receives(
        published(
          " node='n1'",
          COUNT + field("last-message-sender", JONAS) + field("last-message-body", "The gulls are back."),
        ),
      );
    });

    test("to every node of every service", async () => {
      const { scene } = await stage();
      const { service, says } = await away(
        scene,
        ENABLE,
        enable(`jid='${SERVICE}' node='n2'`),
        enable(`jid='${SERVICE}'`),
      );
      await says();
      service.receivesInAnyOrder(published(" node='n1'", COUNT), published(" node='n2'", COUNT), published("", COUNT));
    });

    test("not for what nobody is to be woken up for, nor while somebody is there", async () => {
      const { scene } = await stage();
      const { service, says } = await away(scene, ENABLE);
      await says("<composing xmlns='http://jabber.org/protocol/chatstates'/>");
      await says("<displayed xmlns='urn:xmpp:chat-markers:0' id='x'/>");
      service.receivesNothing();
      await scene.online(PHONE);
      await says();
      service.receivesNothing();
    });

    test("not to a service that was never enabled, or no more", async () => {
      const { scene } = await stage();
      const { service, says } = await away(scene, ENABLE, disable(`jid='${SERVICE}'`));
      await says();
      service.receivesNothing();
    });

    test("one request at a time; what comes meanwhile is told together after it", async () => {
      const { scene, waiting } = await stage();
      const { service, says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [id = ""] = asked();
      for (const count of [2, 3, 4]) {
        waiting.count = count;
        await says();
      }
      service.receivesNothing();
      await answer(id, "result");
      service.receives(published(" node='n1'", field("message-count", "4")));
    });

    test("nothing more after it where somebody has come meanwhile", async () => {
      const { scene } = await stage();
      const { service, says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [id = ""] = asked();
      await says();
      await scene.online(PHONE);
      await answer(id, "result");
      service.receivesNothing();
    });

    test("and what was answered is over", async () => {
      const { scene } = await stage();
      const { service, says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [id = ""] = asked();
      await answer(id, "result");
      await answer(id, "result");
      await answer(id, "error", refused("item-not-found"));
      service.receivesNothing();
      await says();
      expect(asked()).toHaveLength(1);
    });
  });

  describe("XEP-0357 §7.1: errors", () => {
    test.each([
      ["item-not-found", "cancel"],
      ["forbidden", "auth"],
      ["not-acceptable", "modify"],
      ["service-unavailable", "cancel"],
      ["precondition-not-met", "cancel"],
    ])("%s: the node is disabled, and no other", async (condition, type) => {
      const { scene, stored } = await stage();
      const { says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [id = ""] = asked();
      const phone = await scene.online(PHONE);
      await phone.sends(enable(`jid='${SERVICE}' node='n2'`));
      await answer(id, "error", refused(condition, type));
      expect((await stored()).map(({ node }) => node)).toEqual(["n2"]);
    });

    test.each([
      ["resource-constraint", "wait"],
      ["remote-server-timeout", "cancel"],
      ["remote-server-not-found", "cancel"],
      ["internal-server-error", "cancel"],
      ["undefined-condition", "wait"],
    ])("%s of type %s passes: it stays enabled and is left alone for a while", async (condition, type) => {
      const { scene, stored } = await stage();
      const { service, says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [id = ""] = asked();
      await answer(id, "error", refused(condition, type));
      expect(await stored()).toHaveLength(1);
      await says();
      service.receivesNothing();
      scene.clock.advance(30_000);
      await says();
      expect(asked()).toHaveLength(1);
    });

    test("too many that pass in a row are one that does not", async () => {
      const { scene, stored } = await stage();
      const { says, asked, answer } = await away(scene, ENABLE);
      for (let count = 0; count < 16; count++) {
        expect(await stored()).toHaveLength(1);
        await says();
        const [id = ""] = asked();
        await answer(id, "error", refused("resource-constraint", "wait"));
        scene.clock.advance(3_600_000);
      }
      expect(await stored()).toEqual([]);
    });

    test("no answer is left alone, and counts as an error that passes", async () => {
      const { scene, stored } = await stage();
      const { service, says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [late = ""] = asked();
      scene.clock.advance(60_000);
      await says();
      service.receivesNothing();
      scene.clock.advance(30_000);
      await says();
      expect(asked()).toHaveLength(1);
      await answer(late, "error", refused("item-not-found"));
      expect(await stored()).toHaveLength(1);
    });

    test("a service that is away, or that no server can be found for, may come back", async () => {
      const { scene, stored } = await stage();
      const phone = await scene.online(PHONE);
      await phone.sends(ENABLE);
      await phone.sends(enable("jid='push.nowhere.example' node='n2'"));
      await scene.end(phone);
      const jonas = await scene.online(BOAT);
      await jonas.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
      jonas.receivesNothing();
      expect(await stored()).toHaveLength(2);
      const service = scene.component(SERVICE);
      scene.clock.advance(30_000);
      await jonas.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
      service.receives(published(" node='n1'", COUNT));
    });

    test("an answer from somebody who was not asked is none", async () => {
      const { scene, stored } = await stage({ components: [SERVICE, "evil.example"] });
      const { service, says, asked, answer } = await away(scene, ENABLE);
      const evil = scene.component("evil.example");
      await says();
      const [id = ""] = asked();
      await evil.sends(
        `<iq type='error' from='evil.example' to='attic.example' id='${id}'>${refused("item-not-found")}</iq>`,
      );
      await answer(id, "error", refused("item-not-found"), `${SERVICE}/other`);
      await answer("made-up", "error", refused("item-not-found"));
      expect(await stored()).toHaveLength(1);
      await says();
      service.receivesNothing();
    });

    test("a node that was disabled meanwhile is told nothing more", async () => {
      const { scene } = await stage();
      const { service, says, asked, answer } = await away(scene, ENABLE);
      await says();
      const [id = ""] = asked();
      await says();
      const phone = await scene.login(PHONE);
      await phone.sends(disable(`jid='${SERVICE}' node='n1'`));
      await answer(id, "result");
      service.receivesNothing();
    });
  });

  describe("XEP-0357 §6: disabling", () => {
    test.each([
      ["one node", `jid='${SERVICE}' node='n1'`, ["n2"]],
      ["all of a service", `jid='${SERVICE}'`, []],
      ["a node that is not enabled", `jid='${SERVICE}' node='n3'`, ["n1", "n2"]],
      ["a service that is not enabled", "jid='push.other.example'", ["n1", "n2"]],
    ])("%s", async (_, attributes, left) => {
      const { scene, stored } = await stage();
      const phone = await scene.login(PHONE);
      for (const node of ["n1", "n2"]) await phone.sends(enable(`jid='${SERVICE}' node='${node}'`));
      phone.received();
      await phone.sends(disable(attributes));
      phone.receives(done("d"));
      expect((await stored()).map(({ node }) => node).toSorted()).toEqual(left);
    });

    test.each(["node='n'", "jid='@'"])("refuses <disable %s/>", async (attributes) => {
      const { scene } = await stage();
      const phone = await scene.login(PHONE);
      await phone.sends(disable(attributes));
      expect(phone.received().join("")).toContain("type='error'");
    });

    test("goes with the account", async () => {
      const { scene, stored } = await stage();
      await away(scene, ENABLE);
      await scene.removeAccount(MIRA);
      expect(await stored()).toEqual([]);
    });
  });

  describe("XEP-0357 §8: the service disables", () => {
    const revoked = (from: string, node: string, affiliation = "none", jid = MIRA): string =>
      `<message from='${from}' to='${MIRA}'><pubsub xmlns='${PUBSUB}' node='${node}'><affiliation jid='${jid}' affiliation='${affiliation}'/></pubsub></message>`;

    test("a node that may not be published to any longer", async () => {
      const { scene, stored } = await stage();
      const { service } = await away(scene, ENABLE, enable(`jid='${SERVICE}' node='n2'`));
      await service.sends(revoked(SERVICE, "n1"));
      expect((await stored()).map(({ node }) => node)).toEqual(["n2"]);
    });

    test.each([
      ["somebody else", revoked("evil.example", "n1")],
      ["a resource of the service", revoked(`${SERVICE}/x`, "n1")],
      ["the service, about another node", revoked(SERVICE, "n9")],
      ["the service, about somebody else", revoked(SERVICE, "n1", "none", JONAS)],
      ["the service, that it may be published to", revoked(SERVICE, "n1", "publish-only")],
    ])("not: %s", async (_, xml) => {
      const { scene, stored } = await stage({ components: [SERVICE, "evil.example"] });
      await away(scene, ENABLE);
      const evil = scene.component("evil.example");
      await evil.sends(xml);
      expect(await stored()).toHaveLength(1);
    });
  });
});

eachFabric("push, with messages that really wait", (open: Open) => {
  const stage = async () => {
    const scene = await open({
      modules: (store) => [
        offline({ messages: store.messages, isBlocked: () => false }),
        push({
          services: store.collection<StoredPush>("push"),
          waiting: async (account) => (await store.messages.countWaiting(account)).count,
        }),
      ],
      domains: ["attic.example"],
      accounts: [MIRA, JONAS],
      components: [SERVICE],
    });
    const service = scene.component(SERVICE);
    const phone = await scene.online(PHONE);
    await phone.sends(enable(`jid='${SERVICE}' node='n1'`));
    phone.received();
    const jonas = await scene.online(BOAT);
    const says = (): Promise<void> => jonas.sends(`<message to='${MIRA}' type='chat'>${BODY}</message>`);
    const counted = (): string[] =>
      service.received().map((xml) => /message-count'><value>(\d+)/.exec(xml)?.[1] ?? "not told");
    return { scene, service, phone, says, counted };
  };

  test("XEP-0357 §7: one that waits is counted with those that have waited before", async () => {
    const { scene, service, phone, says, counted } = await stage();
    const { asked, answer } = answerer(service);
    await scene.end(phone);
    await says();
    const [id = ""] = asked();
    await says();
    await answer(id, "result");
    expect(counted()).toEqual(["2"]);
  });

  test("XEP-0357 §7, XEP-0198 §5: a client that has lost its connection is woken up to come back", async () => {
    const { scene, phone, says, counted } = await stage();
    const id = phone.manages();
    await says();
    expect(counted()).toEqual([]);
    await scene.end(phone);
    await says();
    expect(counted()).toHaveLength(1);
    const { party, h } = await scene.resume(phone, id, 0);
    expect(h).toBe(0);
    expect(party.received().filter((xml) => xml.includes("gulls"))).toHaveLength(2);
    await says();
    expect(counted()).toEqual([]);
  });
});

test("of whom nothing is enabled nothing is asked", async () => {
  const services = { all: () => new Map() } as unknown as PushOptions["services"];
  const waiting = (): never => {
    throw new Error("nobody is to count");
  };
  const { missed } = push({ services, waiting });
  const { parseElement, rawOf, readStanza } = await import("@kith/protocol");
  const message = readStanza(rawOf(parseElement(`<message to='${MIRA}' type='chat'>${BODY}</message>`)));
  expect(await missed?.(message as never, MIRA as BareJid, {} as never)).toEqual([]);
});
