import { createHash } from "node:crypto";
import { type Bytes, type DomainJid, Form, parseElement, parseJid, type Subscription } from "@kith/protocol";
import { eachFabric, type Open } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { Module } from "../module.ts";
import { disco, serverInfo } from "./xep0030-disco.ts";
import { caps } from "./xep0115-caps.ts";
import { contact } from "./xep0157-contact.ts";
import { ping } from "./xep0199-ping.ts";

const INFO = "http://jabber.org/protocol/disco#info";
const ITEMS = "http://jabber.org/protocol/disco#items";
const ROMEO = "romeo@example.org/orchard";
const NODE = "https://verona.example";

const subscriptions: Readonly<Record<string, Subscription>> = {
  "juliet@example.org romeo@example.org": "from",
  "nurse@example.org romeo@example.org": "both",
  "tybalt@example.org romeo@example.org": "to",
};

/** Declares what other modules would. */
const sundry: Module = {
  name: "sundry",
  xeps: [],
  features: ["urn:xmpp:ping", "msgoffline", "é", "Z"],
  accountFeatures: ["urn:example:account"],
  identities: [{ category: "pubsub", type: "service" }],
};

const sha1 = (data: Bytes): string => createHash("sha1").update(data, "latin1").digest("base64");

const discoverable = (
  modules: () => readonly Module[],
  contacts: Parameters<typeof contact>[0] = () => ({}),
): readonly Module[] => {
  const capabilities = caps({ node: NODE, info: (domain) => serverInfo(modules(), domain, "Verona"), hash: sha1 });
  return [
    ping(),
    sundry,
    contact(contacts),
    capabilities,
    disco({
      modules,
      name: "Verona",
      items: (domain) => (domain === "example.org" ? [{ jid: parseJid("rooms.example.org"), name: "Rooms" }] : []),
      subscriptionOf: (account, other) => subscriptions[`${account} ${other}`] ?? "none",
      capsNode: capabilities.nodeOf,
    }),
  ];
};

const stage = async (open: Open, contacts?: Parameters<typeof contact>[0]) => {
  const scene = await open({
    modules: (_, { modules }) => discoverable(modules, contacts),
    accounts: ["romeo", "juliet", "nurse", "tybalt", "paris"].map((name) => `${name}@example.org`),
    domains: ["example.org", "example.net"],
  });
  return { scene, romeo: await scene.login(ROMEO) };
};

const ask = (ns: string, to: string, node = "") =>
  `<iq type='get' ${to === "" ? "" : `to='${to}'`} id='d'><query xmlns='${ns}'${node === "" ? "" : ` node='${node}'`}/></iq>`;
const told = (ns: string, from: string, content: string, node = "") =>
  `<iq type='result' ${from === "" ? "" : `from='${from}'`} to='${ROMEO}' id='d'><query xmlns='${ns}'${node === "" ? "" : ` node='${node}'`}>${content}</query></iq>`;
const refused = (from: string, condition: string) =>
  `<iq type='error' from='${from}' to='${ROMEO}' id='d'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;

const SERVER =
  `<identity category='server' type='im' name='Verona'/><identity category='pubsub' type='service'/>` +
  ["Z", "http://jabber.org/protocol/caps", INFO, ITEMS, "msgoffline", "urn:xmpp:ping", "é"]
    .map((feature) => `<feature var='${feature}'/>`)
    .join("");
const ACCOUNT =
  `<identity category='account' type='registered'/>` +
  [INFO, ITEMS, "urn:example:account"].map((feature) => `<feature var='${feature}'/>`).join("");

eachFabric("disco", (open) => {
  describe("of the server", () => {
    test("XEP-0030 §3.1: its identities and the features its modules declare, each once, sorted", async () => {
      const { romeo } = await stage(open);
      await romeo.sends(ask(INFO, "example.org"));
      romeo.receives(told(INFO, "example.org", SERVER));
    });

    test("XEP-0157 §3, XEP-0128 §2: its contact addresses, for the virtual host that is asked", async () => {
      const { romeo } = await stage(open, (domain) => ({ abuse: [`mailto:abuse@${domain}`] }));
      await romeo.sends(ask(INFO, "example.net"));
      const form = `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field><field var='abuse-addresses'><value>mailto:abuse@example.net</value></field></x>`;
      romeo.receives(told(INFO, "example.net", SERVER + form));
    });

    test("XEP-0030 §4.1: its components and services, of the virtual host that is asked", async () => {
      const { romeo } = await stage(open);
      await romeo.sends(ask(ITEMS, "example.org"));
      romeo.receives(told(ITEMS, "example.org", "<item jid='rooms.example.org' name='Rooms'/>"));
      await romeo.sends(ask(ITEMS, "example.net"));
      romeo.receives(told(ITEMS, "example.net", ""));
    });

    test.each([INFO, ITEMS])("XEP-0030 §7: there are no nodes (%s)", async (ns) => {
      const { romeo } = await stage(open);
      await romeo.sends(ask(ns, "example.org", "beds/thyme"));
      romeo.receives(refused("example.org", "item-not-found"));
    });

    test("XEP-0115 §6.2: but that of its capabilities, which is mirrored", async () => {
      const { romeo } = await stage(open);
      const node = caps({
        node: NODE,
        info: (domain) =>
          serverInfo(
            discoverable(() => []),
            domain,
            "Verona",
          ),
        hash: sha1,
      });
      const known = node.nodeOf("example.org" as DomainJid);
      await romeo.sends(ask(INFO, "example.org", known));
      romeo.receives(told(INFO, "example.org", SERVER, known));
      await romeo.sends(ask(ITEMS, "example.org", known));
      romeo.receives(refused("example.org", "item-not-found"));
      await romeo.sends(ask(INFO, "romeo@example.org", known));
      romeo.receives(refused("romeo@example.org", "item-not-found"));
      await romeo.sends(ask(INFO, "example.org", `${NODE}#`));
      romeo.receives(refused("example.org", "item-not-found"));
    });
  });

  describe("of an account", () => {
    test.each(["", "romeo@example.org"])("XEP-0030 §3.1: one's own (to='%s')", async (to) => {
      const { romeo } = await stage(open);
      await romeo.sends(ask(INFO, to));
      romeo.receives(told(INFO, to, ACCOUNT));
    });

    test.each(["juliet@example.org", "nurse@example.org"])(
      "XEP-0030 §8: whoever sees its presence may ask (%s)",
      async (to) => {
        const { scene, romeo } = await stage(open);
        await romeo.sends(ask(INFO, to));
        romeo.receives(told(INFO, to, ACCOUNT));
        await romeo.sends(ask(ITEMS, to));
        romeo.receives(told(ITEMS, to, ""));

        await scene.login(`${to}/asleep`);
        await scene.online(`${to}/chamber`, "<presence><priority>-1</priority></presence>");
        await scene.online(`${to}/balcony`);
        await romeo.sends(ask(ITEMS, to));
        romeo.receives(told(ITEMS, to, `<item jid='${to}/balcony'/><item jid='${to}/chamber'/>`));
      },
    );

    test.each(["tybalt@example.org", "paris@example.org", "nobody@example.org"])(
      "XEP-0030 §8: to others it might as well not exist (%s)",
      async (to) => {
        const { scene, romeo } = await stage(open);
        if (!to.startsWith("nobody")) await scene.online(`${to}/square`);
        for (const ns of [INFO, ITEMS]) {
          for (const node of ["", "beds"]) {
            await romeo.sends(ask(ns, to, node));
            romeo.receives(refused(to, "service-unavailable"));
          }
        }
      },
    );

    test.each([INFO, ITEMS])("XEP-0030 §7: it has no nodes (%s)", async (ns) => {
      const { romeo } = await stage(open);
      await romeo.sends(ask(ns, "juliet@example.org", "beds"));
      romeo.receives(refused("juliet@example.org", "item-not-found"));
    });
  });

  test("XEP-0030 §3.1: a resource answers for itself", async () => {
    const { scene, romeo } = await stage(open);
    const juliet = await scene.online("juliet@example.org/balcony");
    await romeo.sends(ask(INFO, "juliet@example.org/balcony"));
    juliet.receives(
      `<iq type='get' from='${ROMEO}' to='juliet@example.org/balcony' id='d'><query xmlns='${INFO}'/></iq>`,
    );
    romeo.receivesNothing();
  });
});

test("XEP-0115 §6.3: the stream feature stands for exactly what disco#info says", () => {
  const modules: Module[] = [];
  modules.push(...discoverable(() => modules));
  const feature = modules.flatMap((module) => module.streamFeatures?.authenticated?.("example.org" as DomainJid) ?? []);
  const input =
    "pubsub/service//<server/im//Verona<Z<http://jabber.org/protocol/caps<http://jabber.org/protocol/disco#info<http://jabber.org/protocol/disco#items<msgoffline<urn:xmpp:ping<é<";
  const ver = createHash("sha1").update(input, "utf8").digest("base64");
  expect(feature).toEqual([
    parseElement(`<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='${NODE}' ver='${ver}'/>`),
  ]);
  expect(modules.flatMap((module) => module.streamFeatures?.visitor ?? [])).toEqual([]);
});

test("XEP-0157 §3: where nobody is named there is no form", () => {
  expect(contact(() => ({ sales: [] })).infoForms?.("example.org" as DomainJid)).toEqual([]);
  const [form] = contact(() => ({ sales: ["xmpp:paris@example.org"] })).infoForms?.("example.org" as DomainJid) ?? [];
  expect(form && Form.parse(form).fields).toHaveLength(2);
});
