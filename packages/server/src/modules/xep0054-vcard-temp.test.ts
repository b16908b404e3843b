import type { Bytes } from "@kith/protocol";
import { eachFabric } from "@kith/testing";
import { expect, test } from "vitest";
import { vcard } from "./xep0054-vcard-temp.ts";

const ROMEO = "romeo@example.org/orchard";
const CARD =
  "<vCard xmlns='vcard-temp'><FN>Romeo &amp; co</FN><N><GIVEN>Roméo</GIVEN></N><TEL><HOME/><NUMBER/></TEL></vCard>";
const EMPTY = "<vCard xmlns='vcard-temp'/>";
const get = (to = "") => `<iq type='get' ${to === "" ? "" : `to='${to}'`} id='v'>${EMPTY}</iq>`;
const set = (card: string, to = "") => `<iq type='set' ${to === "" ? "" : `to='${to}'`} id='v'>${card}</iq>`;
const DONE = `<iq type='result' to='${ROMEO}' id='v'/>`;
const refused = (from: string, type: string, condition: string) =>
  `<iq type='error' ${from === "" ? "" : `from='${from}'`} to='${ROMEO}' id='v'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;

eachFabric("vcard", (open) => {
  const stage = async (maxBytes?: number) => {
    const scene = await open({
      modules: (store) => [
        vcard({ cards: store.collection<Bytes>("vcard"), ...(maxBytes === undefined ? {} : { maxBytes }) }),
      ],
      accounts: ["romeo@example.org", "juliet@example.org"],
    });
    return { scene, romeo: await scene.login(ROMEO) };
  };

  test.each(["", "romeo@example.org"])(
    "XEP-0054 §3.1, §3.2: one's own card is stored and given back (to='%s')",
    async (to) => {
      const { romeo } = await stage();
      await romeo.sends(set(CARD, to));
      await romeo.sends(get(to));
      const from = to === "" ? "" : `from='${to}'`;
      romeo.receives(
        `<iq type='result' ${from} to='${ROMEO}' id='v'/>`,
        `<iq type='result' ${from} to='${ROMEO}' id='v'>${CARD}</iq>`,
      );
    },
  );

  test("XEP-0054 §3.3: anybody may see it, whether its owner is there or not", async () => {
    const { scene, romeo } = await stage();
    const juliet = await scene.login("juliet@example.org/balcony");
    await juliet.sends(set(CARD));
    await scene.end(juliet);
    await romeo.sends(get("juliet@example.org"));
    romeo.receives(`<iq type='result' from='juliet@example.org' to='${ROMEO}' id='v'>${CARD}</iq>`);
  });

  test("XEP-0054 §3.1: one has no card", async () => {
    const { romeo } = await stage();
    await romeo.sends(get());
    romeo.receives(refused("", "cancel", "item-not-found"));
  });

  test("XEP-0054 §3.3: no card and no account look the same", async () => {
    const { romeo } = await stage();
    for (const to of ["juliet@example.org", "nobody@example.org"]) {
      await romeo.sends(get(to));
      romeo.receives(refused(to, "cancel", "service-unavailable"));
    }
  });

  test("XEP-0054 §3.2: an empty card is none", async () => {
    const { romeo } = await stage();
    await romeo.sends(set(CARD));
    await romeo.sends(set(EMPTY));
    await romeo.sends(get());
    romeo.receives(DONE, DONE, refused("", "cancel", "item-not-found"));
  });

  test("XEP-0054 §3.2: nobody changes somebody else's", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(set(CARD, "juliet@example.org"));
    romeo.receives(refused("juliet@example.org", "auth", "forbidden"));
    expect(await scene.store.collection<Bytes>("vcard").get("juliet@example.org", "vCard")).toBeUndefined();
  });

  test("XEP-0054 §3.2: a card has a size, and a larger one leaves the old in place", async () => {
    const { romeo } = await stage(200);
    const ofLength = (length: number) => `<vCard xmlns='vcard-temp'><DESC>${"x".repeat(length)}</DESC></vCard>`;
    await romeo.sends(set(ofLength(200 - ofLength(0).length)));
    await romeo.sends(set(ofLength(201 - ofLength(0).length)));
    await romeo.sends(set(ofLength(240_000)));
    const tooLarge = `<iq type='error' to='${ROMEO}' id='v'><error type='modify'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text></error></iq>`;
    await romeo.sends(get());
    romeo.receives(
      DONE,
      tooLarge,
      tooLarge,
      `<iq type='result' to='${ROMEO}' id='v'>${ofLength(200 - ofLength(0).length)}</iq>`,
    );
  });

  test("XEP-0054 §5: what stands in a card is only shown", async () => {
    const { romeo } = await stage();
    const odd = `<vCard xmlns='vcard-temp' version='3.0'><iq xmlns='jabber:client' type='set'/><a xmlns='' __proto__='1'/>&lt;script&gt;</vCard>`;
    await romeo.sends(set(odd));
    await romeo.sends(get());
    romeo.receives(DONE, `<iq type='result' to='${ROMEO}' id='v'>${odd}</iq>`);
  });
});
