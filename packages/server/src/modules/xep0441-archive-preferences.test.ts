import { parseJid } from "@kith/protocol";
import { eachFabric, type Open, type Party, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../store/memory.ts";
import { archiveStage, body, chat, JULIET, kept, ROMEO } from "./test-archive.ts";
import { archivePreferences, type StoredArchivePreferences } from "./xep0441-archive-preferences.ts";

const TO = "juliet@example.org";
const prefs = (otherwise: string, always: readonly string[] = [], never: readonly string[] = []) => {
  const list = (name: string, jids: readonly string[]) =>
    jids.length === 0 ? `<${name}/>` : `<${name}>${jids.map((jid) => `<jid>${jid}</jid>`).join("")}</${name}>`;
  const [first, second] = [list("always", always), list("never", never)];
  return `<prefs xmlns='urn:xmpp:mam:2' default='${otherwise}'>${first}${second}</prefs>`;
};
const set = (content: string) => `<iq type='set' id='p'>${content}</iq>`;
const GET = "<iq type='get' id='p'><prefs xmlns='urn:xmpp:mam:2'/></iq>";
const result = (content: string) => `<iq type='result' id='p' to='${JULIET}'>${content}</iq>`;

eachFabric("archive preferences", (open: Open) => {
  const says = async (party: Party, content: string) => {
    party.received();
    await party.sends(set(content));
  };
  /** A word from each side. */
  const exchange = async (scene: Scene, romeo: Party, juliet: Party) => {
    await romeo.sends(chat(JULIET, body("his")));
    await juliet.sends(chat(ROMEO, body("hers")));
    return kept(scene, TO);
  };

  test("XEP-0441 §2.1: whoever has said nothing gets what the server thinks", async () => {
    for (const otherwise of ["always", "never", "roster"] as const) {
      const { juliet } = await archiveStage(open, { otherwise });
      await juliet.sends(GET);
      juliet.receives(result(prefs(otherwise)));
    }
  });

  test("XEP-0441 §2.1: what is set is answered, and stays", async () => {
    const { scene, juliet } = await archiveStage(open);
    const wishes = prefs("roster", ["romeo@example.org"], ["paris@example.org/church", "example.com"]);
    await says(juliet, wishes);
    juliet.receives(result(wishes));
    const other = await scene.online("juliet@example.org/garden");
    await other.sends(GET);
    expect(other.received().join()).toContain(wishes);
  });

  test("XEP-0441 §2.1.2, §2.1.3: lists that are missing are empty; addresses are prepared, and named once", async () => {
    const { juliet } = await archiveStage(open);
    await says(juliet, "<prefs xmlns='urn:xmpp:mam:2' default='never'/>");
    juliet.receives(result(prefs("never")));
    await says(juliet, prefs("always", ["ROMEO@example.org", "romeo@Example.ORG"]));
    juliet.receives(result(prefs("always", ["romeo@example.org"])));
  });

  test.each([
    ["always", [], [], ["his", "hers"]],
    ["never", [], [], []],
    ["never", ["romeo@example.org"], [], ["his", "hers"]],
    ["always", [], ["romeo@example.org"], []],
    ["never", [ROMEO], [], ["his", "hers"]],
    ["never", ["romeo@example.org/street"], [], []],
    ["always", [], ["romeo@example.org/street"], ["his", "hers"]],
    ["always", ["romeo@example.org"], ["romeo@example.org"], []],
    ["always", [], ["example.org"], ["his", "hers"]],
  ] as const)("XEP-0441 §2.3: %s, but always %j and never %j", async (otherwise, always, never, expected) => {
    const { scene, romeo, juliet } = await archiveStage(open);
    await says(juliet, prefs(otherwise, always, never));
    expect(await exchange(scene, romeo, juliet)).toEqual(expected);
    // What he keeps is his affair.
    expect(await kept(scene, "romeo@example.org")).toEqual(["his", "hers"]);
  });

  test("XEP-0441 §2.1.1: roster: what is exchanged with contacts", async () => {
    const { scene, romeo, juliet } = await archiveStage(open, { contacts: ["romeo@example.org"] });
    const paris = await scene.online("paris@example.org/church");
    await says(juliet, prefs("roster"));
    await paris.sends(chat(TO, body("from no contact")));
    expect(await exchange(scene, romeo, juliet)).toEqual(["his", "hers"]);
  });

  test("what is not kept is delivered all the same, and waits for whoever is away", async () => {
    const { scene, romeo, juliet } = await archiveStage(open, { otherwise: "never" });
    await romeo.sends(chat(TO, body("hello")));
    juliet.receives(`<message from='${ROMEO}' to='${TO}' type='chat'>${body("hello")}</message>`);
    await scene.end(juliet);
    await romeo.sends(chat(TO, body("later")));
    expect(await kept(scene, TO)).toEqual([]);
    const again = await scene.login(JULIET);
    await again.sends("<presence/>");
    expect(again.received().join()).toContain(body("later"));
  });

  describe("XEP-0441 §2.1: what makes no sense changes nothing", () => {
    test.each([
      ["no default", "<prefs xmlns='urn:xmpp:mam:2'/>"],
      ["another default", "<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>"],
      ["no address", prefs("always", ["@"])],
      ["an empty address", prefs("always", [""])],
      [
        "too many",
        prefs(
          "always",
          Array.from({ length: 1_001 }, (_, at) => `a${at}@example.org`),
        ),
      ],
    ])("%s", async (_, wishes) => {
      const { juliet } = await archiveStage(open);
      await says(juliet, wishes);
      expect(juliet.received().join()).toContain("type='error'");
      await juliet.sends(GET);
      juliet.receives(result(prefs("always")));
    });
  });
});

test("whoever keeps everything costs nothing but to look", () => {
  const preferences = memoryStore().collection<StoredArchivePreferences>("p");
  const { isWanted } = archivePreferences({ preferences, isContact: () => Promise.reject(new Error("not asked")) });
  expect(isWanted("a@example.org" as never, parseJid("b@example.org"))).toBe(true);
});
