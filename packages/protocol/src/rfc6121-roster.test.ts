import { describe, expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { parseJid } from "./jid.ts";
import {
  preApprovalFeature,
  RosterGet,
  type RosterItem,
  RosterPush,
  RosterResult,
  RosterSet,
  rosterVersioningFeature,
} from "./rfc6121-roster.ts";
import { parseElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const query = (content: string, attributes = ""): ReturnType<typeof parseElement> =>
  parseElement(`<query xmlns='jabber:iq:roster'${attributes}>${content}</query>`);

const refusal = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof StanzaError) return `${error.condition} ${error.type}`;
    throw error;
  }
  return "accepted";
};

const nurse: RosterItem = {
  jid: parseJid("nurse@capulet.example"),
  name: "Angelica",
  groups: ["Household", "Größte Hilfe"],
  subscription: "from",
  ask: true,
  approved: false,
};

describe("roster get", () => {
  test("RFC 6121 §2.1.3, §2.6.2: with and without a version", () => {
    expect(RosterGet.parse(query(""))).toEqual({ ver: undefined });
    expect(RosterGet.parse(query("", " ver=''"))).toEqual({ ver: "" });
    expect(RosterGet.parse(query("", " ver='7-abc'"))).toEqual({ ver: "7-abc" });
    expect(RosterGet.build({ ver: undefined })).toEqual(query(""));
    expect(RosterGet.build({ ver: "" })).toEqual(query("", " ver=''"));
  });
  test("RFC 6121 §2.1.3: it must not name items", () => {
    expect(refusal(() => RosterGet.parse(query("<item jid='nurse@capulet.example'/>")))).toBe("bad-request modify");
  });
  test("RFC 6121 §2.1.3: what is not understood is ignored", () => {
    expect(RosterGet.parse(query("<item xmlns='urn:example:other'/>", " mood='kind'"))).toEqual({ ver: undefined });
  });
});

describe("roster set", () => {
  const set = (content: string): unknown => RosterSet.parse(query(content));

  test("RFC 6121 §2.1.5: an item with handle and groups, both ways", () => {
    const xml =
      "<item jid='nurse@capulet.example' name='Angelica'><group>Household</group><group>Elders</group></item>";
    const change = {
      set: { jid: parseJid("nurse@capulet.example"), name: "Angelica", groups: ["Household", "Elders"] },
    };
    expect(set(xml)).toEqual(change);
    expect(RosterSet.build(change)).toEqual(query(xml));
  });
  test("RFC 6121 §2.1.2.1, §2.1.2.2, §2.1.2.5: subscription, ask and approved are not the client's to set", () => {
    expect(set("<item jid='nurse@capulet.example' subscription='both' ask='subscribe' approved='true'/>")).toEqual({
      set: { jid: parseJid("nurse@capulet.example"), name: "", groups: [] },
    });
    expect(set("<item jid='nurse@capulet.example' subscription='Remove'/>")).toHaveProperty("set");
  });
  test("RFC 6121 §2.4.1: an empty handle is none", () => {
    expect(set("<item jid='nurse@capulet.example' name=''/>")).toEqual(set("<item jid='nurse@capulet.example'/>"));
  });
  test("RFC 6121 §2.5.1: remove, both ways; the rest of the item does not matter", () => {
    const change = { remove: parseJid("nurse@capulet.example") };
    expect(set("<item jid='nurse@capulet.example' subscription='remove' name='x'><group/></item>")).toEqual(change);
    expect(RosterSet.build(change)).toEqual(query("<item jid='nurse@capulet.example' subscription='remove'/>"));
  });
  test("RFC 6121 §2.3.3: not exactly one item", () => {
    expect(refusal(() => set(""))).toBe("bad-request modify");
    expect(refusal(() => set("<item jid='nurse@capulet.example'/><item jid='tybalt@capulet.example'/>"))).toBe(
      "bad-request modify",
    );
    expect(refusal(() => set("<item xmlns='urn:example:other' jid='nurse@capulet.example'/>"))).toBe(
      "bad-request modify",
    );
  });
  test("RFC 6121 §2.3.3: duplicate groups, compared as resourceparts are", () => {
    const groups = (...names: string[]): string =>
      refusal(() =>
        set(`<item jid='n@capulet.example'>${names.map((name) => `<group>${name}</group>`).join("")}</item>`),
      );
    expect(groups("Elders", "Elders")).toBe("bad-request modify");
    expect(groups("Elders", "Kin", "Elders")).toBe("bad-request modify");
    // The same to a reader: e with acute, composed and not.
    expect(groups("Caf\u00e9", "Cafe\u0301")).toBe("bad-request modify");
    expect(groups("Elders", "elders")).toBe("accepted");
    const long = "g".repeat(2_000);
    expect(groups(long, long)).toBe("bad-request modify");
    expect(groups(long, `${long}h`)).toBe("accepted");
  });
  test("RFC 6121 §2.3.3: an empty group", () => {
    expect(refusal(() => set("<item jid='n@capulet.example'><group/></item>"))).toBe("not-acceptable modify");
    expect(refusal(() => set("<item jid='n@capulet.example'><group></group></item>"))).toBe("not-acceptable modify");
  });
  test("RFC 6121 §2.1.2.3: the address is required, and is one", () => {
    expect(refusal(() => set("<item name='Nobody'/>"))).toBe("bad-request modify");
    for (const jid of [
      "",
      "@capulet.example",
      "nurse@",
      "nurse@capulet.example/",
      "a b@capulet.example",
      `${"n".repeat(2_000)}@c.example`,
    ]) {
      expect([jid, refusal(() => set(`<item jid='${jid}'/>`))]).toEqual([jid, "jid-malformed modify"]);
    }
    expect(refusal(() => set("<item jid='@' subscription='remove'/>"))).toBe("jid-malformed modify");
  });
  test("RFC 6121 §2.1.2.3: addresses come prepared", () => {
    expect(set("<item jid='NURSE@Capulet.Example'/>")).toEqual(set("<item jid='nurse@capulet.example'/>"));
  });
  test("RFC 6121 §2.1.2.6: ten thousand groups are read without trouble", () => {
    const groups = Array.from({ length: 10_000 }, (_, at) => `<group>g${at}</group>`).join("");
    expect(RosterSet.parse(query(`<item jid='n@capulet.example'>${groups}</item>`))).toHaveProperty(
      "set.groups.length",
      10_000,
    );
  });
});

describe("roster result", () => {
  test("RFC 6121 §2.1.4: written and read back", () => {
    const content = {
      ver: "12-x",
      items: [
        nurse,
        { ...nurse, jid: parseJid("tybalt@capulet.example"), name: "", groups: [], ask: false, approved: true },
      ],
    };
    const element = RosterResult.build(content);
    expect(element).toEqual(
      query(
        "<item jid='nurse@capulet.example' name='Angelica' subscription='from' ask='subscribe'>" +
          "<group>Household</group><group>Größte Hilfe</group></item>" +
          "<item jid='tybalt@capulet.example' subscription='from' approved='true'/>",
        " ver='12-x'",
      ),
    );
    expect(RosterResult.parse(element)).toEqual(content);
  });
  test("RFC 6121 §2.1.4: an empty roster is an empty query", () => {
    expect(RosterResult.build({ ver: "0", items: [] })).toEqual(query("", " ver='0'"));
  });
  test("RFC 6121 §2.1.2.5: a client ignores subscriptions it does not know; an item with no address is left out", () => {
    const { items } = RosterResult.parse(
      query("<item jid='a@x.example' subscription='remove'/><item jid='@'/><item name='n'/>"),
    );
    expect(items.map(({ jid, subscription }) => [jid.full, subscription])).toEqual([["a@x.example", "none"]]);
  });
  test("RFC 6121 §2.1.2.1: approved is a boolean of XML Schema", () => {
    const approved = (value: string): unknown =>
      RosterResult.parse(query(`<item jid='a@x.example' approved='${value}'/>`)).items[0]?.approved;
    expect(["true", "1", "false", "0", "yes"].map(approved)).toEqual([true, true, false, false, false]);
  });
});

describe("roster push", () => {
  test("RFC 6121 §2.1.6: an item, and one that is gone, both ways", () => {
    for (const news of [
      { ver: "3-x", set: nurse },
      { ver: "4-x", removed: nurse.jid },
      { ver: undefined, removed: nurse.jid },
    ]) {
      expect(RosterPush.parse(RosterPush.build(news))).toEqual(news);
    }
    expect(RosterPush.build({ ver: "4-x", removed: nurse.jid })).toEqual(
      query("<item jid='nurse@capulet.example' subscription='remove'/>", " ver='4-x'"),
    );
  });
  test("RFC 6121 §2.1.6: exactly one item", () => {
    expect(refusal(() => RosterPush.parse(query("")))).toBe("bad-request modify");
    expect(refusal(() => RosterPush.parse(query("<item jid='a@x.example'/><item jid='b@x.example'/>")))).toBe(
      "bad-request modify",
    );
  });
});

test("RFC 6121 §2.1.2.4: names are escaped where they are written", () => {
  const hostile = { ...nurse, name: "<b>&'\"", groups: ["]]>"] };
  const xml = writeElement(RosterPush.build({ ver: "1", set: hostile }));
  expect(RosterPush.parse(parseElement(xml))).toEqual({ ver: "1", set: hostile });
});

test("RFC 6121 §2.6.1, §3.4: the stream features", () => {
  expect(rosterVersioningFeature).toEqual(parseElement("<ver xmlns='urn:xmpp:features:rosterver'/>"));
  expect(preApprovalFeature).toEqual(parseElement("<sub xmlns='urn:xmpp:features:pre-approval'/>"));
});
