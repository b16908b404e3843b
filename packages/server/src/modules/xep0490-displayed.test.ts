import { type BareJid, message, parseElement, parseJid, toText, writeElement } from "@kith/protocol";
import { eachFabric, type Open } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { toOwnSessions } from "../module.ts";
import { carbons } from "./xep0280-carbons.ts";
import { displayed, type PublishDisplayed } from "./xep0490-displayed.ts";

const MIRA = "mira@attic.example";
const DESK = `${MIRA}/desk`;
const PHONE = `${MIRA}/phone`;
const JONAS = "jonas@attic.example";
const BOAT = `${JONAS}/boat`;
const MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>";
const DISPLAYED = `<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='${MIRA}' id='0f7'/></displayed>`;
const ENABLE = "<iq type='set' id='on'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

interface Published {
  readonly account: BareJid;
  readonly item: string;
  readonly displayed: string;
}

eachFabric("displayed", (open: Open) => {
  /** Something that publishes as PEP would, noting what. */
  const stage = async (publishes = true) => {
    const published: Published[] = [];
    const publish: PublishDisplayed = (account, item, element) => {
      published.push({ account, item, displayed: toText(writeElement(element)) });
      return [toOwnSessions(account, message({ type: "headline", from: parseJid(account) }), "available")];
    };
    const seen: string[] = [];
    const scene = await open({
      modules: () => [
        displayed(publishes ? { publish } : {}),
        { name: "archive", xeps: [], sending: { archive: (sent) => void seen.push(toText(sent.payload)) } },
        carbons(),
      ],
      domains: ["attic.example"],
      accounts: [MIRA, JONAS],
    });
    const desk = await scene.online(DESK);
    const phone = await scene.online(PHONE);
    const jonas = await scene.online(BOAT);
    await phone.sends(ENABLE);
    for (const one of [desk, phone, jonas]) one.received();
    return { scene, desk, phone, jonas, published, seen };
  };

  test("XEP-0490 §4.5.3, §5.2: it is taken out before anybody sees it, archives and carbons included, and published", async () => {
    const { desk, phone, jonas, published, seen } = await stage();
    await desk.sends(`<message to='${JONAS}' id='x'>${MARKER}${DISPLAYED}</message>`);
    jonas.receives(`<message from='${DESK}' to='${JONAS}' id='x'>${MARKER}</message>`);
    const [event, copy] = phone.received().toSorted((one) => (one.includes("headline") ? -1 : 1));
    expect(event).toContain("headline");
    expect(copy).toContain("urn:xmpp:carbons:2");
    expect(copy).not.toContain("urn:xmpp:mds:displayed:0");
    expect(seen).toEqual([MARKER]);
    expect(published).toEqual([
      { account: MIRA, item: JONAS, displayed: toText(writeElement(parseElement(DISPLAYED))) },
    ]);
  });

  test("XEP-0490 §4.5.3: each is published once, and a message without one publishes nothing", async () => {
    const { desk, published } = await stage();
    await desk.sends(`<message to='${JONAS}'>${MARKER}${DISPLAYED}</message>`);
    await desk.sends(`<message to='${JONAS}'>${MARKER}</message>`);
    await desk.sends("<presence/>");
    expect(published).toHaveLength(1);
    await desk.sends(`<message to='${JONAS}/boat'>${MARKER}${DISPLAYED}${DISPLAYED}</message>`);
    expect(published.map(({ item }) => item)).toEqual([JONAS, BOAT]);
  });

  test("XEP-0490 §5.2: what is in it is not judged", async () => {
    const { desk, jonas, published } = await stage();
    await desk.sends(
      `<message to='${JONAS}'>${MARKER}<displayed xmlns='urn:xmpp:mds:displayed:0'>odd</displayed></message>`,
    );
    jonas.receives(`<message from='${DESK}' to='${JONAS}'>${MARKER}</message>`);
    expect(published).toHaveLength(1);
  });

  test("XEP-0490 §7: an error repeats one for nobody to publish", async () => {
    const { desk, jonas, published } = await stage();
    await desk.sends(`<message to='${BOAT}' type='error'>${DISPLAYED}<error type='cancel'/></message>`);
    jonas.receives(`<message from='${DESK}' to='${BOAT}' type='error'><error type='cancel'/></message>`);
    expect(published).toEqual([]);
  });

  test("XEP-0490 §7: without anybody to publish it is taken out all the same", async () => {
    const { desk, jonas, phone, seen } = await stage(false);
    await desk.sends(`<message to='${JONAS}' type='chat'>${MARKER}${DISPLAYED}</message>`);
    jonas.receives(`<message from='${DESK}' to='${JONAS}' type='chat'>${MARKER}</message>`);
    expect(phone.received().join("")).not.toContain("urn:xmpp:mds:displayed:0");
    expect(seen).toEqual([MARKER]);
  });
});

describe("XEP-0490 §4.5.2: what is announced", () => {
  test("nothing until there is somebody to publish", () => {
    expect(displayed().accountFeatures).toBeUndefined();
    expect(displayed().xeps[0]?.note).toBeDefined();
    const assisted = displayed({ publish: () => [] });
    expect(assisted.accountFeatures).toEqual(["urn:xmpp:mds:server-assist:0"]);
    expect(assisted.xeps[0]?.note).toBeUndefined();
  });
});
