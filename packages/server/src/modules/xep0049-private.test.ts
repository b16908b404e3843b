import type { Bytes } from "@kith/protocol";
import { eachFabric, type Open } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { privateXml } from "./xep0049-private.ts";

const ROMEO = "romeo@example.org/orchard";
const query = (type: "get" | "set", children: string, to = "") =>
  `<iq type='${type}' ${to === "" ? "" : `to='${to}'`} id='p'><query xmlns='jabber:iq:private'>${children}</query></iq>`;
const told = (children: string) =>
  `<iq type='result' to='${ROMEO}' id='p'><query xmlns='jabber:iq:private'>${children}</query></iq>`;
const DONE = `<iq type='result' to='${ROMEO}' id='p'/>`;
const refused = (type: string, condition: string) =>
  `<iq type='error' to='${ROMEO}' id='p'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*</text></error></iq>`;

const NOTES = "<notes xmlns='urn:example:notes'><note at='1'>a &lt; b &amp; ü</note></notes>";
const ASK_NOTES = "<notes xmlns='urn:example:notes'/>";

eachFabric("private XML", (open: Open) => {
  const stage = async (limits: { maxNames?: number; maxBytes?: number } = {}) => {
    const scene = await open({
      modules: (store) => [privateXml({ storage: store.collection<Bytes>("private"), ...limits })],
      accounts: ["romeo@example.org", "juliet@example.org"],
    });
    return { scene, romeo: await scene.login(ROMEO) };
  };

  test("XEP-0049 §2.3: what is stored is given back, to every session of the account", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(query("set", NOTES));
    romeo.receives(DONE);
    await romeo.sends(query("get", ASK_NOTES));
    romeo.receives(told(NOTES));
    const phone = await scene.login("romeo@example.org/phone");
    await phone.sends(query("get", ASK_NOTES, "romeo@example.org"));
    expect(phone.received().join()).toContain("a &lt; b &amp; ");
    const juliet = await scene.login("juliet@example.org/balcony");
    await juliet.sends(query("get", ASK_NOTES));
    expect(juliet.received().join()).not.toContain("note at");
  });

  test("XEP-0049 §2.3: what was never stored is empty", async () => {
    const { romeo } = await stage();
    await romeo.sends(query("get", ASK_NOTES));
    romeo.receives(told(ASK_NOTES));
  });

  test("XEP-0049 §2.3: several elements at once; a new one replaces the old of its name and no other", async () => {
    const { romeo } = await stage();
    const [more, other] = ["<more xmlns='urn:example:notes'>1</more>", "<notes xmlns='urn:example:other'>2</notes>"];
    await romeo.sends(query("set", NOTES + more + other));
    await romeo.sends(query("set", "<notes xmlns='urn:example:notes'><note>new</note></notes>"));
    romeo.receives(DONE, DONE);
    await romeo.sends(query("get", `${ASK_NOTES}<more xmlns='urn:example:notes'/>`));
    romeo.receives(told(`<notes xmlns='urn:example:notes'><note>new</note></notes>${more}`));
    await romeo.sends(query("get", "<notes xmlns='urn:example:other'/>"));
    romeo.receives(told(other));
  });

  test("XEP-0049 §2.3: elements of one name that are stored together stay together", async () => {
    const { romeo } = await stage();
    const both = "<n xmlns='urn:example:n'>1</n><n xmlns='urn:example:n'>2</n>";
    await romeo.sends(query("set", both));
    await romeo.sends(query("get", "<n xmlns='urn:example:n'/><n xmlns='urn:example:n'/>"));
    romeo.receives(DONE, told(both));
  });

  test("XEP-0049 §2.3: an empty element takes away what was there", async () => {
    const { scene, romeo } = await stage();
    await romeo.sends(query("set", NOTES));
    await romeo.sends(query("set", ASK_NOTES));
    await romeo.sends(query("get", ASK_NOTES));
    romeo.receives(DONE, DONE, told(ASK_NOTES));
    expect((await scene.store.collection<Bytes>("private").all("romeo@example.org")).size).toBe(0);
  });

  describe("XEP-0049 §3: refuses", () => {
    test.each([
      ["a get without an element", query("get", ""), "modify", "bad-request"],
      [
        "a get that asks in two namespaces",
        query("get", "<a xmlns='urn:example:1'/><a xmlns='urn:example:2'/>"),
        "modify",
        "bad-request",
      ],
      ["a set without an element", query("set", "text only"), "modify", "not-acceptable"],
      ["an element without namespace of its own", query("set", "<a>1</a>"), "modify", "not-acceptable"],
      ["an element in no namespace", query("set", "<a xmlns=''>1</a>"), "modify", "not-acceptable"],
      [
        "an element of the stream's namespace",
        query("set", "<message xmlns='jabber:client'><body>1</body></message>"),
        "modify",
        "not-acceptable",
      ],
      ["to store a roster", query("set", "<query xmlns='jabber:iq:roster'/>"), "modify", "not-acceptable"],
      ["to store a card", query("set", "<vCard xmlns='vcard-temp'><FN>R</FN></vCard>"), "modify", "not-acceptable"],
      ["to ask for a card", query("get", "<vCard xmlns='vcard-temp'/>"), "modify", "not-acceptable"],
      [
        "one reserved among others",
        query("set", `${NOTES}<x xmlns='http://jabber.org/protocol/muc'/>`),
        "modify",
        "not-acceptable",
      ],
    ])("%s", async (_, xml, type, condition) => {
      const { scene, romeo } = await stage();
      await romeo.sends(xml);
      romeo.receives(refused(type, condition));
      expect((await scene.store.collection<Bytes>("private").all("romeo@example.org")).size).toBe(0);
    });
  });

  test.each(["juliet@example.org", "nobody@example.org"])(
    "XEP-0049 §2.3, §4: somebody else's is out of reach (%s)",
    async (to) => {
      const { romeo } = await stage();
      for (const type of ["get", "set"] as const) {
        await romeo.sends(query(type, NOTES, to));
        romeo.receives(
          `<iq type='error' from='${to}' to='${ROMEO}' id='p'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
        );
      }
    },
  );

  test("an account stores so many bytes and no more; what replaces or makes room is let in", async () => {
    const { romeo } = await stage({ maxBytes: 200 });
    const ofLength = (name: string, length: number) => `<${name} xmlns='urn:example:n'>${"x".repeat(length)}</${name}>`;
    await romeo.sends(query("set", ofLength("a", 100)));
    romeo.receives(DONE);
    await romeo.sends(query("set", ofLength("b", 100)));
    romeo.receives(refused("modify", "policy-violation"));
    await romeo.sends(query("set", ofLength("a", 120)));
    await romeo.sends(query("set", `<a xmlns='urn:example:n'/>${ofLength("b", 100)}`));
    romeo.receives(DONE, DONE);
  });

  test("an account uses so many names and no more", async () => {
    const { scene, romeo } = await stage({ maxNames: 3 });
    const names = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => `<n${from + at} xmlns='urn:example:n'>1</n${from + at}>`).join("");
    await romeo.sends(query("set", names(0, 3)));
    await romeo.sends(query("set", names(2, 3)));
    romeo.receives(DONE, DONE);
    await romeo.sends(query("set", names(3, 4)));
    await romeo.sends(query("set", names(0, 5000)));
    await romeo.sends(query("get", names(0, 5000)));
    romeo.receives(...Array(3).fill(refused("modify", "policy-violation")));
    await romeo.sends(query("set", `<n0 xmlns='urn:example:n'/>${names(3, 4)}`));
    romeo.receives(DONE);
    expect((await scene.store.collection<Bytes>("private").all("romeo@example.org")).size).toBe(3);
  });

  test("names such as __proto__ are names like any other", async () => {
    const { romeo } = await stage();
    const odd = "<__proto__ xmlns='urn:example:n' constructor='1'>x</__proto__>";
    await romeo.sends(query("set", odd));
    await romeo.sends(query("get", "<__proto__ xmlns='urn:example:n'/>"));
    romeo.receives(DONE, told(odd));
  });
});
