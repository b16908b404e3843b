import { eachFabric, type Open, type Party } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { type ArchiveStage, archiveStage, asks, body, chat, JULIET, kept, queryOf, ROMEO } from "./test-archive.ts";
import { retraction } from "./xep0424-retraction.ts";

const TO = "juliet@example.org";
const retract = (id: string) => `<retract xmlns='urn:xmpp:message-retract:1' id='${id}'/>`;
const retracted = (id: string, stamp: string) =>
  `<retracted xmlns='urn:xmpp:message-retract:1' id='${id}' stamp='${stamp}'/>`;
const block = "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org'/></block></iq>";

eachFabric("retraction", (open: Open) => {
  const said = async (stage: ArchiveStage, attributes = "id='w1'", content = body("to the wrong one")) => {
    await stage.romeo.sends(chat(TO, content, attributes));
    stage.scene.clock.advance(60_000);
  };
  const hasSaid = (party: Party) => asks(party, queryOf());

  test("XEP-0424 §4: a tombstone takes the place of the message in both archives, and the retraction stays", async () => {
    const stage = await archiveStage(open);
    const { scene, romeo, juliet } = stage;
    await said(
      stage,
      "id='w1' xml:lang='it'",
      `${body("to the wrong one")}<origin-id xmlns='urn:xmpp:sid:0' id='w1'/>`,
    );
    await romeo.sends(chat(TO, body("between"), "id='w2'"));
    const before = await hasSaid(juliet);
    await romeo.sends(chat(TO, retract("w1"), "id='r1'"));
    juliet.receives(
      `<message from='${ROMEO}' to='${TO}' type='chat' id='r1'>${retract("w1")}<stanza-id xmlns='urn:xmpp:sid:0' by='${TO}' id='*'/></message>`,
    );
    for (const party of [romeo, juliet]) {
      const { results, bodies } = await hasSaid(party);
      expect(bodies).toEqual(["", "between", ""]);
      expect(results[0]).toContain(
        `type='chat' id='w1' xml:lang='it'><origin-id xmlns='urn:xmpp:sid:0' id='w1'/>${retracted("r1", "2031-05-17T09:31:00Z")}</message>`,
      );
      expect(results[2]).toContain(retract("w1"));
    }
    const after = await hasSaid(juliet);
    expect(after.ids.slice(0, 2)).toEqual(before.ids);
    expect(after.results.join()).not.toContain("to the wrong one");
    expect(await kept(scene, TO)).toHaveLength(3);
  });

  test("XEP-0424 §4: it is found no longer by what it said", async () => {
    const stage = await archiveStage(open, { fullText: true });
    await said(stage);
    const search = () => asks(stage.juliet, queryOf({ "{urn:xmpp:fulltext:0}fulltext": "wrong" }));
    expect((await search()).ids).toHaveLength(1);
    await stage.romeo.sends(chat(TO, retract("w1"), "id='r1'"));
    expect((await search()).ids).toHaveLength(0);
  });

  describe("XEP-0424 §5: it is left as it is", () => {
    const untouched = async (stage: ArchiveStage) => {
      for (const account of [TO, "romeo@example.org"])
        expect((await kept(stage.scene, account)).slice(0, 1)).toEqual(["to the wrong one"]);
    };
    test("where somebody else retracts", async () => {
      const stage = await archiveStage(open);
      await said(stage);
      const paris = await stage.scene.online("paris@example.org/church");
      await paris.sends(chat(TO, retract("w1"), "id='r1'"));
      await stage.juliet.sends(chat(ROMEO, retract("w1"), "id='r2'"));
      await stage.juliet.sends(chat(TO, retract("w1"), "id='r3'"));
      await untouched(stage);
    });
    test("where it was said to somebody else", async () => {
      const stage = await archiveStage(open);
      await said(stage);
      await stage.romeo.sends(chat("paris@example.org", retract("w1"), "id='r1'"));
      await untouched(stage);
    });
    test.each([
      ["no such message", chat(TO, retract("w9"), "id='r1'")],
      ["a retraction without an id of its own", chat(TO, retract("w1"))],
      ["a retraction of nothing", chat(TO, "<retract xmlns='urn:xmpp:message-retract:1'/>", "id='r1'")],
      ["an empty id", chat(TO, retract(""), "id='r1'")],
      ["another namespace", chat(TO, "<retract xmlns='urn:example:x' id='w1'/>", "id='r1'")],
      [
        "an error that came back",
        `<message to='${TO}' type='error' id='r1'>${retract("w1")}<error type='wait'/></message>`,
      ],
      ["a headline", `<message to='${TO}' type='headline' id='r1'>${retract("w1")}</message>`],
    ])("where there is %s", async (_, retraction_) => {
      const stage = await archiveStage(open);
      await said(stage);
      await stage.romeo.sends(retraction_);
      await untouched(stage);
    });
    test("where whom it was said to refuses the retraction; theirs is theirs", async () => {
      const stage = await archiveStage(open);
      await said(stage);
      await stage.juliet.sends(block);
      await stage.romeo.sends(chat(TO, retract("w1"), "id='r1'"));
      expect(stage.romeo.received().join()).toContain("<service-unavailable ");
      expect(await kept(stage.scene, TO)).toEqual(["to the wrong one"]);
    });
  });

  test("XEP-0424 §5: from another client of the same account", async () => {
    const stage = await archiveStage(open);
    await said(stage);
    const street = await stage.scene.online("romeo@example.org/street");
    await street.sends(chat(JULIET, retract("w1"), "id='r1'"));
    expect(await kept(stage.scene, TO)).toEqual(["", ""]);
  });

  test("XEP-0424 §4: of a message to or from elsewhere, in the archive that there is", async () => {
    const stage = await archiveStage(open, { components: ["far.example"] });
    const { scene, romeo } = stage;
    const far = scene.component("far.example");
    await romeo.sends(chat("paris@far.example", body("away"), "id='w1'"));
    await far.sends(
      `<message from='paris@far.example/a' to='romeo@example.org' type='chat' id='v1'>${body("here")}</message>`,
    );
    await romeo.sends(chat("paris@far.example", retract("w1"), "id='r1'"));
    await far.sends(
      `<message from='paris@far.example/b' to='romeo@example.org' type='chat' id='q1'>${retract("v1")}</message>`,
    );
    expect(await kept(scene, "romeo@example.org")).toEqual(["", "", "", ""]);
  });

  test("XEP-0424 §5: neither a retraction nor a tombstone can be retracted", async () => {
    const stage = await archiveStage(open);
    await said(stage);
    await stage.romeo.sends(chat(TO, retract("w1"), "id='r1'"));
    const before = await hasSaid(stage.juliet);
    await stage.romeo.sends(chat(TO, retract("r1"), "id='r2'"));
    await stage.romeo.sends(chat(TO, retract("w1"), "id='r3'"));
    const after = await hasSaid(stage.juliet);
    const withoutIds = (results: readonly string[]) => results.map((xml) => xml.slice(xml.indexOf("<result")));
    expect(withoutIds(after.results).slice(0, 2)).toEqual(withoutIds(before.results));
    expect(after.results).toHaveLength(4);
  });

  test("XEP-0424 §5: whoever comes later gets the tombstone and the retraction", async () => {
    const stage = await archiveStage(open);
    await stage.scene.end(stage.juliet);
    await said(stage);
    await stage.romeo.sends(chat(TO, retract("w1"), "id='r1'"));
    const juliet = await stage.scene.login(JULIET);
    await juliet.sends("<presence/>");
    const received = juliet.received().filter((xml) => xml.startsWith("<message"));
    expect(received).toHaveLength(2);
    expect(received[0]).toContain("<retracted ");
    expect(received.join()).not.toContain("wrong one");
  });
});

test("XEP-0424 §2, §4: it is announced", () => {
  const { features, accountFeatures } = retraction({ messages: {} as never });
  expect(features).toEqual(["urn:xmpp:message-retract:1"]);
  expect(accountFeatures).toEqual(["urn:xmpp:message-retract:1", "urn:xmpp:message-retract:1#tombstone"]);
});
