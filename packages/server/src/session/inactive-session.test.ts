import { eachFabric, type Open } from "@kith/testing";
import { expect, test } from "vitest";
import type { Module } from "../module.ts";
import { offline } from "../modules/xep0160-offline.ts";
import { ping } from "../modules/xep0199-ping.ts";
import { carbons } from "../modules/xep0280-carbons.ts";

const MIRA = "mira@attic.example";
const PHONE = `${MIRA}/phone`;
const TABLET = `${MIRA}/tablet`;
const BOAT = "jonas@gulls.example/boat";

const presence = (from: string, status: string, type = ""): string =>
  `<presence from='${from}' to='${PHONE}'${type}><status>${status}</status></presence>`;
const state = (name: string): string =>
  `<message from='${BOAT}' to='${PHONE}' type='chat'><${name} xmlns='http://jabber.org/protocol/chatstates'/></message>`;
const body = (text: string): string =>
  `<message from='${BOAT}' to='${PHONE}' type='chat'><body>${text}</body></message>`;
const receipt = (id: string): string =>
  `<message from='${BOAT}' to='${PHONE}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`;
const PING = "<iq type='get' id='p' to='attic.example'><ping xmlns='urn:xmpp:ping'/></iq>";
const PONG = `<iq type='result' id='p' from='attic.example' to='${PHONE}'/>`;

/** Everything is in everybody's archive. */
const keepAll: Module = {
  name: "keeps all",
  xeps: [],
  sending: { archive: () => ({ isArchived: true }) },
  receiving: { archive: () => ({ isArchived: true }) },
};
const ID = /<stanza-id[^>]*\/>/g;

eachFabric("an inactive client", (open: Open) => {
  const stage = async (more: readonly Module[] = []) => {
    const scene = await open({
      modules: (store) => [offline({ messages: store.messages, isBlocked: () => false }), ping(), carbons(), ...more],
      domains: ["attic.example"],
      accounts: [MIRA],
      components: ["gulls.example"],
    });
    const gulls = scene.component("gulls.example");
    const phone = await scene.online(PHONE);
    phone.setActive(false);
    const sends = async (...stanzas: readonly string[]): Promise<void> => {
      for (const stanza of stanzas) await gulls.sends(stanza);
    };
    return { scene, phone, sends };
  };

  test("XEP-0352 §3.2: is told what can wait once it is active again, the latest of it", async () => {
    const { phone, sends } = await stage();
    await sends(presence(BOAT, "at sea"), state("composing"), presence(BOAT, "ashore"), state("paused"));
    phone.receivesNothing();
    phone.setActive(true);
    phone.receives(presence(BOAT, "ashore"), state("paused"));
    await sends(presence(BOAT, "at home"));
    phone.receives(presence(BOAT, "at home"));
  });

  test("RFC 6120 §10.1: is told it before anything that cannot wait, in the order in which it came", async () => {
    const { phone, sends } = await stage();
    await sends(state("composing"), presence(BOAT, "at sea"), body("Ahoy"), presence(BOAT, "ashore"));
    phone.receives(state("composing"), presence(BOAT, "at sea"), body("Ahoy"));
    await phone.sends(PING);
    phone.receives(presence(BOAT, "ashore"), PONG);
  });

  test("XEP-0352 §5.1: once it is active what waited comes before the answer to what it asks next", async () => {
    const { phone, sends } = await stage();
    await sends(presence(BOAT, "at sea"));
    phone.setActive(true);
    await phone.sends(PING);
    phone.receives(presence(BOAT, "at sea"), PONG);
  });

  test("XEP-0280, XEP-0352: copies of what can wait wait too, and copies of what cannot do not", async () => {
    const { scene, phone } = await stage();
    await phone.sends("<iq type='set' id='on'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    phone.received();
    const tablet = await scene.login(TABLET);
    await tablet.sends(
      `<message to='${BOAT}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
    );
    phone.receivesNothing();
    await tablet.sends(`<message to='${BOAT}' type='chat'><body>Ahoy</body></message>`);
    const [first, second, ...more] = phone.received();
    expect(first).toMatch(/urn:xmpp:carbons:2.*composing/);
    expect(second).toMatch(/urn:xmpp:carbons:2.*Ahoy/);
    expect(more).toEqual([]);
  });

  test("XEP-0352 §5.2: is active once its stream is resumed, and has missed nothing", async () => {
    const { scene, phone, sends } = await stage();
    const id = phone.manages();
    await sends(presence(BOAT, "at sea"));
    await scene.end(phone);
    await sends(presence(BOAT, "ashore"), state("paused"));
    const { party, h } = await scene.resume(phone, id, 0);
    expect(h).toBe(0);
    const came = party.received().filter((xml) => !xml.startsWith("<r "));
    expect(came.join("")).toContain("ashore");
    expect(came.join("")).toContain("paused");
    await sends(presence(BOAT, "at home"));
    expect(party.received().join("")).toContain("at home");
  });

  test("XEP-0160 §3: what waited for a client that is gone without having got it goes to the next", async () => {
    const { scene, phone, sends } = await stage([keepAll]);
    await sends(receipt("m1"), receipt("m2"), receipt("m1"));
    phone.receivesNothing();
    await scene.end(phone);
    const tablet = await scene.login(TABLET);
    await tablet.sends("<presence/>");
    const came = tablet.received().filter((xml) => xml.startsWith("<message"));
    expect(came.map((xml) => xml.replace(ID, ""))).toHaveLength(2);
    expect(came.map((xml) => / id='(m\d)'/.exec(xml)?.[1])).toEqual(["m2", "m1"]);
  });

  test("XEP-0352 §3.2: what a later one made needless does not come back", async () => {
    const { scene, phone, sends } = await stage([keepAll]);
    await sends(receipt("m1"), receipt("m1"));
    phone.setActive(true);
    expect(phone.received()).toHaveLength(1);
    await phone.livens();
    await scene.end(phone);
    const tablet = await scene.login(TABLET);
    await tablet.sends("<presence/>");
    expect(tablet.received().filter((xml) => xml.startsWith("<message"))).toEqual([]);
  });
});
