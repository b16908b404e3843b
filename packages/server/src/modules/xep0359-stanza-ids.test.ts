import { type Bytes, parseRaw, readStanza } from "@kith/protocol";
import { eachFabric, type Open, type Party } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { fingerprint } from "../fingerprint.ts";
import { archiveStage, body, chat, kept, ROMEO } from "./test-archive.ts";
import { stanzaIds } from "./xep0359-stanza-ids.ts";

const TO = "juliet@example.org";
const given = (by: string, id = "forged") => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/>`;
const origin = (id: string) => `<origin-id xmlns='urn:xmpp:sid:0' id='${id}'/>`;
const DELAY = "<delay xmlns='urn:xmpp:delay' stamp='2031-05-17T09:29:00Z'/>";
const bodies = (party: Party): (string | undefined)[] =>
  party.received().map((xml) => /<body>(.*?)<.body>/.exec(xml)?.[1]);

eachFabric("stanza-ids", (open: Open) => {
  describe("XEP-0359 §3: ids in the name of the server's own accounts are taken away, in whatever way they are written", () => {
    test.each([
      "juliet@example.org",
      "JULIET@Example.org",
      "juliet@example.org/balcony",
      "romeo@example.org",
      "&#x6a;uliet@ex&#97;mple.org",
      "nobody@example.org",
      "example.org",
      "juliet@example.org.",
    ])("%s", async (by) => {
      const { scene, romeo, juliet } = await archiveStage(open, { isOff: true, components: ["far.example"] });
      await romeo.sends(chat(TO, `${body("hello")}${given(by)}${origin("o")}`));
      juliet.receives(`<message from='${ROMEO}' to='${TO}' type='chat'>${body("hello")}${origin("o")}</message>`);
      await scene
        .component("far.example")
        .sends(`<message from='paris@far.example/x' to='${TO}' type='chat'>${given(by)}${body("hello")}</message>`);
      juliet.receives(`<message from='paris@far.example/x' to='${TO}' type='chat'>${body("hello")}</message>`);
    });
  });

  test.each([
    given("room@rooms.example.org"),
    given("romeo@far.example"),
    given("not@an@address"),
    given(""),
    "<stanza-id xmlns='urn:xmpp:sid:0' id='no by'/>",
    "<stanza-id xmlns='urn:example:sid' by='juliet@example.org' id='of something else'/>",
    origin("hers"),
    `<wrapped xmlns='urn:example:wrap'>${given("juliet@example.org")}</wrapped>`,
  ])("XEP-0359 §3: %s stays", async (element) => {
    const { romeo, juliet } = await archiveStage(open, { isOff: true });
    await romeo.sends(chat(TO, `${body("hello")}${element}`));
    juliet.receives(`<message from='${ROMEO}' to='${TO}' type='chat'>${body("hello")}${element}</message>`);
  });

  test("XEP-0359 §3: all of several go, and what is between them stays", async () => {
    const { romeo, juliet } = await archiveStage(open, { isOff: true });
    const [one, two] = [given("juliet@example.org", "1"), given("juliet@example.org", "2")];
    await romeo.sends(chat(TO, `${one}${body("a")}${two}<x xmlns='urn:example:x'/>${one}`));
    juliet.receives(`<message from='${ROMEO}' to='${TO}' type='chat'>${body("a")}<x xmlns='urn:example:x'/></message>`);
  });

  describe("XEP-0359 §2.2: a message that is sent again", () => {
    test("goes no further: it is stored and delivered once", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      const message = chat(TO, `${body("once")}${origin("o1")}`, "id='o1'");
      await romeo.sends(message);
      await romeo.sends(message);
      expect(bodies(juliet)).toEqual(["once"]);
      romeo.receivesNothing();
      expect(await kept(scene, "romeo@example.org")).toEqual(["once"]);
      expect(await kept(scene, "juliet@example.org")).toEqual(["once"]);
    });

    test("also from another session, to another resource, and with a delay", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      await romeo.sends(chat(`${TO}/balcony`, `${body("once")}${origin("o1")}`, "id='o1'"));
      await scene.end(romeo);
      const again = await scene.online("romeo@example.org/street");
      await again.sends(chat(TO, `${body("once")}${origin("o1")}${DELAY}`, "id='o1'"));
      await again.sends(chat(`${TO}/elsewhere`, `${DELAY}${body("once")}${origin("o1")}`, "id='o1'"));
      const spoof = given("romeo@example.org");
      await again.sends(chat(TO, `${body("once")}${spoof}${origin("o1")}`, "id='o1'"));
      expect(bodies(juliet)).toEqual(["once"]);
      expect(await kept(scene, "juliet@example.org")).toEqual(["once"]);
    });

    test.each([
      ["another body", chat(TO, `${body("twice")}${origin("o1")}`, "id='o1'")],
      ["another origin-id", chat(TO, `${body("once")}${origin("o2")}`, "id='o1'")],
      ["another id", chat(TO, `${body("once")}${origin("o1")}`, "id='o2'")],
      ["another type", `<message to='${TO}' id='o1'>${body("once")}${origin("o1")}</message>`],
      ["another language", chat(TO, `${body("once")}${origin("o1")}`, "id='o1' xml:lang='it'")],
      ["something more", chat(TO, `${body("once")}${origin("o1")}<x xmlns='urn:example:x'/>`, "id='o1'")],
    ])("with %s is another message", async (_, other) => {
      const { romeo, juliet } = await archiveStage(open);
      await romeo.sends(chat(TO, `${body("once")}${origin("o1")}`, "id='o1'"));
      await romeo.sends(other);
      expect(bodies(juliet)).toHaveLength(2);
    });

    test("without an origin-id is another message", async () => {
      const { romeo, juliet } = await archiveStage(open);
      for (const _ of [1, 2]) await romeo.sends(chat(TO, body("again"), "id='m'"));
      expect(bodies(juliet)).toEqual(["again", "again"]);
    });

    test("to somebody else, or by somebody else, is another message", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      const paris = await scene.online("paris@example.org/church");
      const content = `${body("once")}${origin("o1")}`;
      await romeo.sends(chat(TO, content, "id='o1'"));
      await romeo.sends(chat("paris@example.org", content, "id='o1'"));
      await paris.sends(chat(TO, content, "id='o1'"));
      expect(bodies(juliet)).toEqual(["once", "once"]);
      expect(bodies(paris)).toEqual(["once"]);
    });

    test("after a day is another message", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      const message = chat(TO, `${body("once")}${origin("o1")}`, "id='o1'");
      await romeo.sends(message);
      scene.clock.advance(86_400_000);
      await romeo.sends(message);
      expect(bodies(juliet)).toEqual(["once"]);
      scene.clock.advance(1);
      await romeo.sends(message);
      expect(bodies(juliet)).toEqual(["once"]);
    });

    test("is sent again although it was refused at first: then it is a new one", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      await juliet.sends(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block></iq>",
      );
      const message = chat(TO, `${body("once")}${origin("o1")}`, "id='o1'");
      await romeo.sends(message);
      expect(romeo.received().join()).toContain("<service-unavailable ");
      await juliet.sends("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
      juliet.received();
      await romeo.sends(message);
      expect(bodies(juliet)).toEqual(["once"]);
      await romeo.sends(message);
      expect(bodies(juliet)).toEqual([]);
      expect(await kept(scene, "juliet@example.org")).toEqual(["once"]);
    });

    test.each([
      ["by whom it was for", "juliet@example.org/balcony", true],
      ["by a server for its user", "far.example", false],
    ])("after an error that came back for it, %s, is a new one", async (_, from, isLocal) => {
      const { scene, romeo, juliet } = await archiveStage(open, { components: ["far.example"] });
      const to = isLocal ? TO : "tybalt@far.example";
      const far = scene.component("far.example");
      const reader = isLocal ? juliet : far;
      const message = chat(to, `${body("once")}${origin("o1")}`, "id='i1'");
      const error = `<message to='${ROMEO}' from='${from}' id='i1' type='error'><error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;
      await romeo.sends(message);
      await (isLocal ? juliet.sends(error) : far.sends(error));
      await romeo.sends(message);
      expect(reader.received()).toHaveLength(2);
      await romeo.sends(message);
      expect(reader.received()).toEqual([]);
    });

    test("after an error by somebody else, or about something else, is none", async () => {
      const { scene, romeo, juliet } = await archiveStage(open);
      const paris = await scene.online("paris@example.org/church");
      const message = chat(TO, `${body("once")}${origin("o1")}`, "id='i1'");
      await romeo.sends(message);
      const error = (id: string) => `<message to='${ROMEO}' id='${id}' type='error'><error type='wait'/></message>`;
      await paris.sends(error("i1"));
      await juliet.sends(error("i2"));
      await juliet.sends(`<message to='${ROMEO}' type='error'><error type='wait'/></message>`);
      juliet.received();
      await romeo.sends(message);
      expect(bodies(juliet)).toEqual([]);
    });

    test("is not looked for in rooms, whose business it is, nor with those who have no session here", async () => {
      const { scene, romeo, juliet } = await archiveStage(open, { components: ["far.example"] });
      const far = scene.component("far.example");
      const room = `<message to='room@far.example' type='groupchat' id='g'>${body("hi")}${origin("o1")}</message>`;
      for (const _ of [1, 2]) await romeo.sends(room);
      expect(far.received()).toHaveLength(2);
      const theirs = `<message from='a@far.example/x' to='${TO}' type='chat'>${body("hi")}${origin("o1")}</message>`;
      for (const _ of [1, 2]) await far.sends(theirs);
      expect(bodies(juliet)).toEqual(["hi", "hi"]);
    });
  });

  test("XEP-0359 §5: accounts announce that they take care of it", () => {
    const { accountFeatures } = stanzaIds({ messages: {} as never, fingerprint });
    expect(accountFeatures).toEqual(["urn:xmpp:sid:0"]);
  });
});

describe("a message without ids", () => {
  const module = stanzaIds({ messages: {} as never, fingerprint });
  const context = { session: {}, isLocal: () => true, now: () => 0 } as never;
  const plain = readStanza(parseRaw(chat(TO, `${body("hi")}<request xmlns='urn:xmpp:receipts'/>`) as Bytes));
  test("stays the same object, and nothing is asked about it", () => {
    expect(module.sending?.amend?.(plain, context)).toBe(plain);
    expect(module.receiving?.amend?.(plain, context)).toBe(plain);
    expect(module.sending?.guard?.(plain, context)).toBeUndefined();
    expect(module.sending?.archive?.(plain as never, context)).toBeUndefined();
    expect(module.receiving?.copy?.(plain, context)).toEqual([]);
  });
});
