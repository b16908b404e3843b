import { parseElement } from "@kith/protocol";
import { eachFabric, type Open, type Party } from "@kith/testing";
import { describe, expect, test } from "vitest";
import {
  type ArchiveStage,
  archiveStage,
  asks,
  body,
  chat,
  IDS,
  JULIET,
  kept,
  queryOf,
  ROMEO,
  rsm,
  STAMP,
} from "./test-archive.ts";
import { archive } from "./xep0313-archive.ts";

const TO = "juliet@example.org";
const error = (condition: string, type: string) =>
  `<error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
const bodies = (party: Party): (string | undefined)[] =>
  party.received().flatMap((xml) => /<body>(.*?)<.body>/.exec(xml)?.[1] ?? []);

/** So many messages, of a minute each, the odd ones from Romeo; and their ids in Juliet's archive. */
const talk = async ({ scene, romeo, juliet }: ArchiveStage, count = 5): Promise<readonly string[]> => {
  for (let at = 1; at <= count; at++) {
    await (at % 2 === 1 ? romeo.sends(chat(TO, body(`m${at}`))) : juliet.sends(chat(ROMEO, body(`m${at}`))));
    scene.clock.advance(60_000);
  }
  for (const party of [romeo, juliet]) {
    party.received();
    await party.livens();
  }
  return Array.from({ length: count }, (_, at) => IDS.idOf(at + 1, at % 2 === 0 ? "received" : "sent"));
};

eachFabric("archive", (open: Open) => {
  describe("XEP-0313 §4: a query", () => {
    test("is answered with a message for each, oldest first, and then with the result", async () => {
      const stage = await archiveStage(open);
      const { scene, romeo, juliet } = stage;
      await romeo.sends(chat(TO, `${body("one")}<thread>t</thread>`, "id='m1' xml:lang='it'"));
      scene.clock.advance(61_250);
      await juliet.sends(chat(ROMEO, body("two")));
      juliet.received();
      await juliet.sends(`<iq type='set' id='ask'>${queryOf({}, "", " queryid='f27'")}</iq>`);
      const result = (id: string, stamp: string, message: string) =>
        `<message from='juliet@example.org' to='${JULIET}' id='*'><result xmlns='urn:xmpp:mam:2' queryid='f27' id='${id}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/>${message}</forwarded></result></message>`;
      const [one, two] = [IDS.idOf(1, "received"), IDS.idOf(2, "sent")];
      juliet.receives(
        result(
          one,
          STAMP,
          `<message xmlns='jabber:client' from='${ROMEO}' to='${TO}' type='chat' id='m1' xml:lang='it'>${body("one")}<thread>t</thread></message>`,
        ),
        result(
          two,
          "2031-05-17T09:31:01.250Z",
          `<message xmlns='jabber:client' from='${JULIET}' to='${ROMEO}' type='chat'>${body("two")}</message>`,
        ),
        `<iq type='result' id='ask' to='${JULIET}'><fin xmlns='urn:xmpp:mam:2' complete='true'>${rsm(`<first>${one}</first><last>${two}</last>`)}</fin></iq>`,
      );
    });

    test("goes to the session that asks, and to no other", async () => {
      const stage = await archiveStage(open);
      await talk(stage);
      const other = await stage.scene.online("juliet@example.org/garden");
      expect((await asks(stage.juliet, queryOf())).bodies).toHaveLength(5);
      other.receivesNothing();
      stage.romeo.receivesNothing();
      expect((await asks(other, `${queryOf()}`)).bodies).toHaveLength(5);
    });

    test("of an empty archive, and one that nothing matches, ends at once", async () => {
      const stage = await archiveStage(open);
      const { juliet } = stage;
      await juliet.sends(`<iq type='set' id='ask'>${queryOf()}</iq>`);
      const end = `<iq type='result' id='ask' to='${JULIET}'><fin xmlns='urn:xmpp:mam:2' complete='true'>${rsm("")}</fin></iq>`;
      juliet.receives(end);
      await talk(stage);
      await juliet.sends(`<iq type='set' id='ask' to='${TO}'>${queryOf({ with: "paris@example.org" })}</iq>`);
      juliet.receives(end.replace("id='ask'", `id='ask' from='${TO}'`));
    });

    test("§3.3: without a queryid there is none", async () => {
      const stage = await archiveStage(open);
      await talk(stage, 1);
      const [result] = (await asks(stage.juliet, queryOf())).results;
      expect(result).not.toContain("queryid");
    });

    test("a queryid comes back whatever it is", async () => {
      const stage = await archiveStage(open);
      await talk(stage, 1);
      const { results } = await asks(stage.juliet, queryOf({}, "", ` queryid='&lt;"ü&apos;&#10;'`));
      const [result] = parseElement(results[0] ?? "").children;
      expect(typeof result === "object" && result.attributes.queryid).toBe("<\"ü'\n");
    });
  });

  describe("XEP-0313 §4.1: filters", () => {
    test("§4.1.1: with an address, or one resource of it", async () => {
      const stage = await archiveStage(open);
      const { scene, romeo, juliet } = stage;
      const paris = await scene.online("paris@example.org/church");
      await romeo.sends(chat(TO, body("from romeo")));
      await paris.sends(chat(TO, body("from paris")));
      await juliet.sends(chat("romeo@example.org/street", body("to romeo elsewhere")));
      await juliet.sends(chat(TO, body("to herself")));
      const found = async (address: string) => (await asks(juliet, queryOf({ with: address }))).bodies;
      expect(await found("romeo@example.org")).toEqual(["from romeo", "to romeo elsewhere"]);
      expect(await found(ROMEO)).toEqual(["from romeo"]);
      expect(await found("Paris@EXAMPLE.org")).toEqual(["from paris"]);
      expect(await found(TO)).toEqual(["to herself"]);
      expect(await found("example.org")).toEqual([]);
    });

    test("§4.1.2: from and until a time, both included", async () => {
      const stage = await archiveStage(open);
      await talk(stage);
      const found = async (fields: Record<string, string>) => (await asks(stage.juliet, queryOf(fields))).bodies;
      expect(await found({ start: "2031-05-17T09:31:00Z" })).toEqual(["m2", "m3", "m4", "m5"]);
      expect(await found({ start: "2031-05-17T09:31:00.001Z" })).toEqual(["m3", "m4", "m5"]);
      expect(await found({ end: "2031-05-17T11:31:00+02:00" })).toEqual(["m1", "m2"]);
      expect(await found({ start: "2031-05-17T09:31:00Z", end: "2031-05-17T09:32:00Z" })).toEqual(["m2", "m3"]);
      expect(await found({ start: "2032-01-01T00:00:00Z" })).toEqual([]);
      expect(await found({ start: "2031-05-17T09:33:00Z", end: "2031-05-17T09:31:00Z" })).toEqual([]);
    });

    test("§4.1.3: before and after messages, and single ones", async () => {
      const stage = await archiveStage(open);
      const ids = await talk(stage);
      const found = async (fields: Record<string, string | readonly string[]>) =>
        (await asks(stage.juliet, queryOf(fields))).bodies;
      const [one = "", two = "", , four = ""] = ids;
      expect(await found({ "after-id": two })).toEqual(["m3", "m4", "m5"]);
      expect(await found({ "before-id": four })).toEqual(["m1", "m2", "m3"]);
      expect(await found({ "after-id": one, "before-id": four })).toEqual(["m2", "m3"]);
      expect(await found({ "after-id": four, "before-id": one })).toEqual([]);
      expect(await found({ ids: [four, one, four] })).toEqual(["m1", "m4"]);
      expect(await found({ ids: [four, one], with: "paris@example.org" })).toEqual([]);
      expect(await found({ "after-id": two, end: "2031-05-17T09:33:00Z" })).toEqual(["m3", "m4"]);
    });

    test("XEP-0431: words, where they are indexed", async () => {
      const stage = await archiveStage(open, { fullText: true });
      const { romeo, juliet } = stage;
      await romeo.sends(chat(TO, body("what light through yonder window breaks")));
      await romeo.sends(chat(TO, body("it is the east")));
      await juliet.sends(chat(ROMEO, "<subject>the window</subject>"));
      const found = async (text: string) =>
        (await asks(juliet, queryOf({ "{urn:xmpp:fulltext:0}fulltext": text }))).ids.length;
      expect(await found("window")).toBe(2);
      expect(await found("window light")).toBe(1);
      expect(await found("moon")).toBe(0);
      expect(await found(`" OR window NEAR( * -:`)).toBe(0);
      expect(await found("")).toBe(3);
    });

    test("§4.1.5: what cannot be searched is not known as a field", async () => {
      const stage = await archiveStage(open);
      const { end } = await asks(stage.juliet, queryOf({ "{urn:xmpp:fulltext:0}fulltext": "window" }));
      expect(end).toContain("<feature-not-implemented ");
    });
  });

  describe("XEP-0313 §4.3: pages", () => {
    const page = async (stage: ArchiveStage, set: string, more = "") => {
      const { bodies: found, end } = await asks(stage.juliet, queryOf({}, rsm(set) + more));
      return { found, isComplete: /complete='true'/.test(end), end };
    };

    test("forwards by the id of the last", async () => {
      const stage = await archiveStage(open);
      const [, two = "", , four = "", five = ""] = await talk(stage);
      expect(await page(stage, "<max>2</max>")).toMatchObject({ found: ["m1", "m2"], isComplete: false });
      const second = await page(stage, `<max>2</max><after>${two}</after>`);
      expect(second).toMatchObject({ found: ["m3", "m4"], isComplete: false });
      expect(second.end).toContain(`<last>${four}</last>`);
      expect(await page(stage, `<max>2</max><after>${four}</after>`)).toMatchObject({
        found: ["m5"],
        isComplete: true,
      });
      expect(await page(stage, `<after>${five}</after>`)).toMatchObject({ found: [], isComplete: true });
    });

    test("§4.3.3: backwards from the end, each page oldest first", async () => {
      const stage = await archiveStage(open);
      const [, two = "", three = "", four = ""] = await talk(stage);
      expect(await page(stage, "<max>2</max><before/>")).toMatchObject({ found: ["m4", "m5"], isComplete: false });
      const second = await page(stage, `<max>2</max><before>${four}</before>`);
      expect(second).toMatchObject({ found: ["m2", "m3"], isComplete: false });
      expect(second.end).toContain(`<first>${two}</first><last>${three}</last>`);
      expect(await page(stage, `<max>2</max><before>${two}</before>`)).toMatchObject({
        found: ["m1"],
        isComplete: true,
      });
    });

    test("§4.3.4: flipped, the latest comes first; which they are stays the same", async () => {
      const stage = await archiveStage(open);
      const [one = "", two = ""] = await talk(stage);
      const { found, end } = await page(stage, "<max>2</max>", "<flip-page/>");
      expect(found).toEqual(["m2", "m1"]);
      expect(end).toContain(`<first>${one}</first><last>${two}</last>`);
      expect((await page(stage, "<max>2</max><before/>", "<flip-page/>")).found).toEqual(["m5", "m4"]);
    });

    test("§8: both ids of the form and of the page count", async () => {
      const stage = await archiveStage(open);
      const [one = "", two = "", , , five = ""] = await talk(stage);
      const query = queryOf({ "after-id": one, "before-id": five }, rsm(`<max>5</max><after>${two}</after>`));
      const { bodies: found, end } = await asks(stage.juliet, query);
      expect(found).toEqual(["m3", "m4"]);
      expect(end).toContain("complete='true'");
    });

    test("XEP-0059 §2.7: of no length, there is but the count", async () => {
      const stage = await archiveStage(open);
      await talk(stage);
      const count = await page(stage, "<max>0</max>");
      expect(count).toMatchObject({ found: [], isComplete: false });
      expect(count.end).toContain(rsm("<count>5</count>"));
      const { end } = await asks(stage.juliet, queryOf({ start: "2031-05-17T09:33:00Z" }, rsm("<max>0</max>")));
      expect(end).toContain(rsm("<count>2</count>"));
    });

    test("are no longer than the server likes", async () => {
      const stage = await archiveStage(open, { page: 2, maxPage: 3 });
      await talk(stage);
      expect((await asks(stage.juliet, queryOf())).bodies).toEqual(["m1", "m2"]);
      expect(await page(stage, "")).toMatchObject({ found: ["m1", "m2"], isComplete: false });
      expect(await page(stage, "<max>1000000</max>")).toMatchObject({ found: ["m1", "m2", "m3"], isComplete: false });
    });
  });

  describe("XEP-0313 §4: what is refused", () => {
    const refusal = async (stage: ArchiveStage, query: string) =>
      /<error type='(\w+)'><([\w-]+) /.exec((await asks(stage.juliet, query)).end)?.slice(1);

    test.each(["after-id", "before-id", "ids"])("§4.1.3: %s that is not in the archive", async (field) => {
      const stage = await archiveStage(open);
      const [one = "", two = ""] = await talk(stage);
      const missing = [
        IDS.idOf(99, "received"),
        IDS.idOf(1, "sent"),
        IDS.idOf(2, "received"),
        "",
        "1",
        one.slice(1),
        `${two}=`,
      ];
      for (const id of missing.filter((text) => text !== ""))
        expect(await refusal(stage, queryOf({ [field]: id }))).toEqual(["cancel", "item-not-found"]);
      if (field === "ids")
        expect(await refusal(stage, queryOf({ ids: [one, IDS.idOf(99, "sent")] }))).toEqual([
          "cancel",
          "item-not-found",
        ]);
    });

    test.each(["after", "before"])("§4.3.2: a page %s what is not in the archive", async (name) => {
      const stage = await archiveStage(open);
      await talk(stage);
      const set = (id: string) => rsm(`<${name}>${id}</${name}>`);
      expect(await refusal(stage, queryOf({}, set("09af3-cc343-b409f")))).toEqual(["cancel", "item-not-found"]);
      expect(await refusal(stage, queryOf({}, set(IDS.idOf(77, "sent"))))).toEqual(["cancel", "item-not-found"]);
    });

    test("an id of somebody else's archive is none", async () => {
      const stage = await archiveStage(open);
      const paris = await stage.scene.online("paris@example.org/church");
      await stage.romeo.sends(chat("paris@example.org", body("not for her")));
      const [id = ""] = (await asks(paris, queryOf())).ids;
      expect(id).toBe(IDS.idOf(1, "received"));
      expect(await refusal(stage, queryOf({ ids: id }))).toEqual(["cancel", "item-not-found"]);
    });

    test.each([
      ["a field nobody knows", queryOf({ "urn:example:moon": "full" }), "cancel", "feature-not-implemented"],
      ["a node", queryOf({}, "", " node='urn:example:node'"), "cancel", "feature-not-implemented"],
      ["a page by its index", queryOf({}, rsm("<max>2</max><index>3</index>")), "cancel", "feature-not-implemented"],
      ["two places at once", queryOf({}, rsm("<before/><after>x</after>")), "modify", "bad-request"],
      ["no number", queryOf({}, rsm("<max>-1</max>")), "modify", "bad-request"],
      ["no address", queryOf({ with: "@" }), "modify", "jid-malformed"],
      ["no time", queryOf({ start: "yesterday" }), "modify", "bad-request"],
      ["no truth", queryOf({ "include-groupchat": "maybe" }), "modify", "bad-request"],
      ["several values of one", queryOf({ with: ["a@example.org", "b@example.org"] }), "modify", "bad-request"],
      [
        "too many ids",
        queryOf({ ids: Array.from({ length: 251 }, (_, at) => `i${at}`) }),
        "modify",
        "policy-violation",
      ],
    ])("%s", async (_, query, type, condition) => {
      const stage = await archiveStage(open);
      await talk(stage, 1);
      expect(await refusal(stage, query)).toEqual([type, condition]);
    });

    test("§8.1: somebody else's archive", async () => {
      const { romeo } = await archiveStage(open);
      for (const request of [
        `<iq type='set' id='q' to='${TO}'>${queryOf()}</iq>`,
        `<iq type='get' id='q' to='${TO}'><query xmlns='urn:xmpp:mam:2'/></iq>`,
        `<iq type='get' id='q' to='${TO}'><metadata xmlns='urn:xmpp:mam:2'/></iq>`,
      ]) {
        await romeo.sends(request);
        romeo.receives(`<iq type='error' id='q' from='${TO}' to='${ROMEO}'>${error("forbidden", "auth")}</iq>`);
      }
    });
  });

  test("XEP-0313 §4.1.5: the form says what may be asked", async () => {
    const { juliet } = await archiveStage(open, { fullText: true });
    await juliet.sends("<iq type='get' id='form'><query xmlns='urn:xmpp:mam:2'/></iq>");
    const [form = ""] = juliet.received();
    const fields = [...form.matchAll(/var='([^']+)'/g)].map(([, name]) => name);
    expect(fields).toEqual([
      "FORM_TYPE",
      "with",
      "start",
      "end",
      "before-id",
      "after-id",
      "ids",
      "include-groupchat",
      "{urn:xmpp:fulltext:0}fulltext",
    ]);
  });

  describe("XEP-0313 §5: metadata", () => {
    const METADATA = "<iq type='get' id='meta'><metadata xmlns='urn:xmpp:mam:2'/></iq>";
    test("of an empty archive there are none", async () => {
      const { juliet } = await archiveStage(open);
      await juliet.sends(METADATA);
      juliet.receives(`<iq type='result' id='meta' to='${JULIET}'><metadata xmlns='urn:xmpp:mam:2'/></iq>`);
    });
    test("the first and the last message", async () => {
      const stage = await archiveStage(open);
      const ids = await talk(stage);
      await stage.juliet.sends(METADATA);
      const [one, five] = [ids[0], ids[4]];
      stage.juliet.receives(
        `<iq type='result' id='meta' to='${JULIET}'><metadata xmlns='urn:xmpp:mam:2'><start id='${one}' timestamp='${STAMP}'/><end id='${five}' timestamp='2031-05-17T09:34:00Z'/></metadata></iq>`,
      );
    });
  });

  describe("XEP-0313 §3.4: the id of a message", () => {
    test("is told to the clients of the account whose archive it is, and to nobody else", async () => {
      const { romeo, juliet } = await archiveStage(open);
      await romeo.sends(chat(TO, body("hello")));
      const [live = ""] = juliet.received();
      const { ids } = await asks(juliet, queryOf());
      expect(live).toContain(`<stanza-id xmlns='urn:xmpp:sid:0' by='${TO}' id='${ids[0]}'/>`);
      expect(live).not.toContain("by='romeo@example.org'");
      expect((await asks(romeo, queryOf())).ids).not.toEqual(ids);
    });
    test("of a message to oneself is the same everywhere", async () => {
      const { juliet } = await archiveStage(open);
      await juliet.sends(chat(TO, body("note")));
      const [live = ""] = juliet.received();
      const { ids } = await asks(juliet, queryOf());
      expect(ids).toHaveLength(1);
      expect(live).toContain(`id='${ids[0]}'`);
    });
    test("is not told of what the archive has not", async () => {
      const { romeo, juliet } = await archiveStage(open);
      await romeo.sends(chat(TO, `${body("hush")}<no-permanent-store xmlns='urn:xmpp:hints'/>`));
      expect(juliet.received().join()).not.toContain("stanza-id");
      expect((await asks(juliet, queryOf())).ids).toEqual([]);
    });
  });

  describe("XEP-0313 §5.1: what is kept", () => {
    test("what is refused is not in the archive of whoever refuses it (XEP-0191)", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      await juliet.sends(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block></iq>",
      );
      await romeo.sends(chat(TO, body("are you there?")));
      expect(await kept(scene, TO)).toEqual([]);
      expect(await kept(scene, "romeo@example.org")).toEqual(["are you there?"]);
      await juliet.sends(chat(ROMEO, body("no")));
      expect(await kept(scene, TO)).toEqual([]);
    });

    test("what nobody got is: it waits", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      await scene.end(juliet);
      await romeo.sends(chat(TO, body("later")));
      expect(await kept(scene, TO)).toEqual(["later"]);
    });

    test("§5.1.1: once, however many clients get it", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      const garden = await scene.online("juliet@example.org/garden");
      await romeo.sends(chat(TO, body("once")));
      expect([...bodies(juliet), ...bodies(garden)].length).toBeGreaterThan(0);
      expect(await kept(scene, TO)).toEqual(["once"]);
    });

    test("what comes from elsewhere, and goes there", async () => {
      const { scene, romeo } = await archiveStage(open, { components: ["far.example"] });
      const far = scene.component("far.example");
      await romeo.sends(chat("paris@far.example", body("to")));
      await far.sends(`<message from='paris@far.example/x' to='romeo@example.org'>${body("from")}</message>`);
      expect(await kept(scene, "romeo@example.org")).toEqual(["to", "from"]);
    });

    test("XEP-0308: a correction stands beside what it corrects", async () => {
      const { scene, romeo } = await archiveStage(open);
      await romeo.sends(chat(TO, body("yonder airlock"), "id='bad1'"));
      const replace = "<replace xmlns='urn:xmpp:message-correct:0' id='bad1'/>";
      await romeo.sends(chat(TO, `${body("yonder window")}${replace}`, "id='good1'"));
      for (const account of [TO, "romeo@example.org"])
        expect(await kept(scene, account)).toEqual(["yonder airlock", "yonder window"]);
    });
  });

  describe("XEP-0313 §4.1.4: messages in rooms", () => {
    const room = (text: string, id: string, more = "") =>
      `<message from='room@far.example/paris' to='${JULIET}' type='groupchat'>${body(text)}<stanza-id xmlns='urn:xmpp:sid:0' by='room@far.example' id='${id}'/>${more}</message>`;

    test("are not kept by their occupants", async () => {
      const { scene, juliet } = await archiveStage(open, { components: ["far.example"] });
      await scene.component("far.example").sends(room("hi", "r1"));
      expect(juliet.received()).toHaveLength(1);
      expect(await kept(scene, TO)).toEqual([]);
      expect((await asks(juliet, queryOf({ "include-groupchat": "true" }))).bodies).toEqual([]);
    });

    test("are where that is wished: once, and shown on demand", async () => {
      const { scene, juliet } = await archiveStage(open, { components: ["far.example"], groupchat: true });
      const far = scene.component("far.example");
      const garden = await scene.online("juliet@example.org/garden");
      await juliet.sends(`<message to='room@far.example' type='groupchat'>${body("mine, on its way")}</message>`);
      await far.sends(room("hi", "r1"));
      await far.sends(room("hi", "r1").replace("/balcony", "/garden"));
      await far.sends(room("hi", "r2"));
      await far.sends(
        room("old", "r0", "<delay xmlns='urn:xmpp:delay' from='room@far.example' stamp='2031-05-01T00:00:00Z'/>"),
      );
      expect(bodies(juliet)).toEqual(["hi", "hi", "old"]);
      expect(bodies(garden)).toEqual(["hi"]);
      expect(await kept(scene, TO)).toEqual(["hi", "hi"]);
      expect((await asks(juliet, queryOf())).bodies).toEqual([]);
      expect((await asks(juliet, queryOf({ "include-groupchat": "0" }))).bodies).toEqual([]);
      expect((await asks(juliet, queryOf({ "include-groupchat": "true" }))).bodies).toEqual(["hi", "hi"]);
    });
  });

  describe("a message is not sent twice, from the archive and because it waits", () => {
    const waiting = async ({ scene }: ArchiveStage): Promise<number> =>
      (await scene.store.messages.countWaiting("juliet@example.org" as never)).count;
    const away = async (): Promise<ArchiveStage> => {
      const stage = await archiveStage(open);
      await stage.scene.end(stage.juliet);
      for (const text of ["one", "two", "three"]) await stage.romeo.sends(chat(TO, body(text)));
      return stage;
    };

    test("XEP-0313 §5.1.1: what a query has shown does not wait any longer, once it has arrived", async () => {
      const stage = await away();
      const juliet = await stage.scene.login(JULIET);
      expect((await asks(juliet, queryOf({}, rsm("<max>2</max>")))).bodies).toEqual(["one", "two"]);
      expect(await waiting(stage)).toBe(3);
      await juliet.livens();
      expect(await waiting(stage)).toBe(1);
      await juliet.sends("<presence/>");
      expect(bodies(juliet)).toEqual(["three"]);
    });

    test("nor is it sent while it is on its way", async () => {
      const stage = await away();
      const juliet = await stage.scene.login(JULIET);
      await asks(juliet, queryOf());
      const garden = await stage.scene.login("juliet@example.org/garden");
      await garden.sends("<presence/>");
      expect(bodies(garden)).toEqual([]);
    });

    test("but it is when what the query has shown has not arrived", async () => {
      const stage = await away();
      const lost = await stage.scene.login(JULIET);
      expect((await asks(lost, queryOf())).bodies).toHaveLength(3);
      await stage.scene.end(lost);
      const juliet = await stage.scene.login(JULIET);
      await juliet.sends("<presence/>");
      expect(bodies(juliet)).toEqual(["one", "two", "three"]);
    });

    test("and what no archive has comes all the same", async () => {
      const stage = await away();
      await stage.romeo.sends(chat(TO, `${body("hush")}<no-permanent-store xmlns='urn:xmpp:hints'/>`));
      const juliet = await stage.scene.login(JULIET);
      expect((await asks(juliet, queryOf())).bodies).toEqual(["one", "two", "three"]);
      await juliet.sends("<presence/>");
      expect(bodies(juliet)).toEqual(["hush"]);
    });

    test("XEP-0386 §4: a session that catches up by the archive gets from what waits only what is not in it", async () => {
      const stage = await away();
      await stage.romeo.sends(chat(TO, `${body("hush")}<no-permanent-store xmlns='urn:xmpp:hints'/>`));
      const { messages } = stage.scene.store;
      const { boundReport } = archive({ messages, ids: IDS, isWanted: () => true });
      const metadata = await boundReport?.("juliet@example.org" as never);
      expect(metadata?.children.map((child) => typeof child !== "string" && child.attributes.id)).toEqual([
        IDS.idOf(1, "received"),
        IDS.idOf(3, "received"),
      ]);
      expect(await waiting(stage)).toBe(1);
      const juliet = await stage.scene.login(JULIET);
      await juliet.sends("<presence/>");
      expect(bodies(juliet)).toEqual(["hush"]);
    });
  });

  test("XEP-0313 §7: accounts announce what their archives can do", () => {
    const features = (options: object) =>
      archive({ messages: {} as never, ids: IDS, isWanted: () => true, ...options }).accountFeatures;
    const all = [
      "urn:xmpp:mam:2",
      "urn:xmpp:mam:2#extended",
      "urn:xmpp:mam:2#groupchat-field",
      "http://jabber.org/protocol/rsm",
    ];
    expect(features({})).toEqual(all);
    expect(features({ groupchat: true, fullText: true })).toEqual([
      ...all,
      "urn:xmpp:mam:2#groupchat-available",
      "urn:xmpp:fulltext:0",
    ]);
  });
});
