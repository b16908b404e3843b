import { eachFabric, type Outsider, type Party, type Scene } from "@kith/testing";
import { describe, expect, test } from "vitest";
import type { RosterLimits } from "./rfc6121-roster.ts";
import { befriend, get, interested, present, push, result, set, stage, terse, verOf, whole } from "./test-rfc6121.ts";

const forbidden = (party: Party, by: string): string =>
  `<iq type='error' id='set' to='${party.jid}' from='${by}'><error type='auth'>` +
  "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";

eachFabric("roster", (open) => {
  describe("getting it", () => {
    test("RFC 6121 §2.1.4: an empty roster is an empty query with a version", async () => {
      const ada = await (await stage(open)).login("ada@example.org/lab");
      await ada.sends(get());
      ada.receives(whole(ada, ""));
    });
    test("RFC 6121 §2.1.3: addressed to one's own bare JID it is the same", async () => {
      const ada = await (await stage(open)).login("ada@example.org/lab");
      await ada.sends(get().replace("<iq", "<iq to='ada@example.org'"));
      ada.receives(whole(ada, "", " from='ada@example.org'"));
    });
    test("RFC 6121 §2: nobody else's roster is given out, whether there is one or not", async () => {
      const ada = await (await stage(open)).login("ada@example.org/lab");
      for (const other of ["grace@example.org", "nobody@example.org"]) {
        await ada.sends(get().replace("<iq", `<iq to='${other}'`));
        expect(terse(ada)).toEqual([expect.stringContaining("<service-unavailable")]);
      }
    });
    test("RFC 6121 §2.1.3: a get with items is a bad request", async () => {
      const ada = await (await stage(open)).login("ada@example.org/lab");
      await ada.sends(get().replace("/></iq>", "><item jid='grace@example.org'/></query></iq>"));
      expect(terse(ada)).toEqual([expect.stringContaining("<bad-request")]);
    });
  });

  describe("adding and updating", () => {
    test("RFC 6121 §2.3.2: result to who asked, push to all interested resources and to no other", async () => {
      const scene = await stage(open);
      const lab = await interested(scene, "ada@example.org/lab");
      const home = await interested(scene, "ada@example.org/home");
      const phone = await scene.online("ada@example.org/phone");
      const grace = await interested(scene, "grace@example.org/ship");
      for (const party of [lab, home]) party.received();
      const item = "<item jid='grace@example.org' name='Grace'><group>Navy</group></item>";
      await lab.sends(set(item));
      const shown = "<item jid='grace@example.org' name='Grace' subscription='none'><group>Navy</group></item>";
      lab.receives(result(lab), push(lab, shown));
      home.receives(push(home, shown));
      phone.receivesNothing();
      grace.receivesNothing();
      await phone.sends(get());
      phone.receives(whole(phone, shown));
    });
    test("RFC 6121 §2.2: who has not asked for the roster may still change it, and gets no push", async () => {
      const ada = await (await stage(open)).login("ada@example.org/lab");
      await ada.sends(set("<item jid='grace@example.org'/>"));
      ada.receives(result(ada));
    });
    test("RFC 6121 §2.4.1: an item is replaced as a whole", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      const steps = [
        [
          "<item jid='grace@example.org' name='G'><group>A</group><group>B</group></item>",
          "name='G' subscription='none'><group>A</group><group>B</group></item>",
        ],
        [
          "<item jid='grace@example.org' name='G'><group>B</group></item>",
          "name='G' subscription='none'><group>B</group></item>",
        ],
        ["<item jid='grace@example.org' name='Amazing'/>", "name='Amazing' subscription='none'/>"],
        ["<item jid='grace@example.org' name=''/>", "subscription='none'/>"],
      ] as const;
      for (const [item, shown] of steps) {
        await ada.sends(set(item));
        ada.receives(result(ada), push(ada, `<item jid='grace@example.org' ${shown}`));
      }
    });
    test("RFC 6121 §2.1.5: a subscription other than remove is ignored", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      await ada.sends(set("<item jid='grace@example.org' subscription='both' ask='subscribe' approved='true'/>"));
      ada.receives(result(ada), push(ada, "<item jid='grace@example.org' subscription='none'/>"));
    });
    test("RFC 6121 §2.1.2: data is kept as it was given", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      const item =
        "<item jid='ΓΡΑΜΜΗ@Example.ORG' name=' &lt;ζ&gt; &amp; &apos; \u{1f980} '><group> x  y </group><group>X Y</group></item>";
      await ada.sends(set(item));
      ada.receives(
        result(ada),
        push(ada, item.replace("ΓΡΑΜΜΗ@Example.ORG'", "γραμμη@example.org' subscription='none'")),
      );
    });
  });

  describe("refusals", () => {
    test("RFC 6121 §2.1.5, §2.3.3: somebody else's roster is forbidden", async () => {
      const scene = await stage(open);
      const ada = await scene.login("ada@example.org/lab");
      const grace = await interested(scene, "grace@example.org/ship");
      await ada.sends(set("<item jid='linus@example.org'/>").replace("<iq", "<iq to='grace@example.org'"));
      ada.receives(forbidden(ada, "grace@example.org"));
      const far = scene.component("far.example");
      await far.sends(
        set("<item jid='linus@example.org'/>").replace("<iq", "<iq from='x@far.example/y' to='grace@example.org'"),
      );
      expect(far.received()).toEqual([expect.stringContaining("<forbidden")]);
      grace.receivesNothing();
      await grace.sends(get());
      grace.receives(whole(grace, ""));
    });

    const limits: RosterLimits = { items: 3, groups: 4, nameBytes: 20, characters: 120 };
    test.each([
      ["§2.3.3 more than one item", "<item jid='a@x.example'/><item jid='b@x.example'/>", "bad-request", "modify"],
      ["§2.1.5 no item", "", "bad-request", "modify"],
      [
        "§2.3.3 duplicate groups",
        "<item jid='a@x.example'><group>S</group><group>S</group></item>",
        "bad-request",
        "modify",
      ],
      ["§2.1.2.3 no address", "<item name='n'/>", "bad-request", "modify"],
      ["§2.1.2.3 malformed address", "<item jid='a@@x.example'/>", "jid-malformed", "modify"],
      ["§2.3.3 oversized handle", `<item jid='a@x.example' name='${"n".repeat(21)}'/>`, "not-acceptable", "modify"],
      [
        "§2.3.3 oversized handle, in bytes",
        `<item jid='a@x.example' name='${"ö".repeat(11)}'/>`,
        "not-acceptable",
        "modify",
      ],
      ["§2.3.3 empty group", "<item jid='a@x.example'><group/></item>", "not-acceptable", "modify"],
      [
        "§2.3.3 oversized group",
        `<item jid='a@x.example'><group>${"g".repeat(21)}</group></item>`,
        "not-acceptable",
        "modify",
      ],
      [
        "§2.3.3 too many groups",
        `<item jid='a@x.example'>${[1, 2, 3, 4, 5].map((g) => `<group>${g}</group>`).join("")}</item>`,
        "not-acceptable",
        "modify",
      ],
      ["§2.3.3 oneself", "<item jid='ada@example.org'/>", "not-allowed", "cancel"],
      ["§2.3.3 oneself, a resource", "<item jid='ada@example.org/lab'/>", "not-allowed", "cancel"],
      [
        "§2.5.3 removing what is not there",
        "<item jid='a@x.example' subscription='remove'/>",
        "item-not-found",
        "cancel",
      ],
    ])("RFC 6121 %s", async (_, item, condition, type) => {
      const ada = await interested(await stage(open, { roster: limits }), "ada@example.org/lab");
      await ada.sends(set(item));
      const [error, ...others] = terse(ada);
      expect(others).toEqual([]);
      expect(error).toContain(`<error type='${type}'><${condition} `);
      await ada.sends(get());
      ada.receives(whole(ada, ""));
    });

    test("RFC 6121 §2.3.3: names of just the limit are accepted; ten thousand groups and a huge name are not", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      const name = "n".repeat(1_023);
      await ada.sends(set(`<item jid='a@x.example' name='${name}'><group>${name}</group></item>`));
      ada.receives(
        result(ada),
        push(ada, `<item jid='a@x.example' name='${name}' subscription='none'><group>${name}</group></item>`),
      );
      const groups = Array.from({ length: 10_000 }, (_, at) => `<group>${at}</group>`).join("");
      for (const hostile of [
        `<item jid='b@x.example'>${groups}</item>`,
        `<item jid='b@x.example' name='${"n".repeat(100_000)}'/>`,
      ]) {
        await ada.sends(set(hostile));
        expect(terse(ada)).toEqual([expect.stringContaining("<not-acceptable")]);
      }
    });
    test("RFC 6121 §2.3.3: a roster that is full takes no new item, but changes old ones", async () => {
      const ada = await interested(await stage(open, { roster: limits }), "ada@example.org/lab");
      for (const name of ["a", "b", "c"]) await ada.sends(set(`<item jid='${name}@x.example'/>`));
      ada.received();
      await ada.sends(set("<item jid='d@x.example'/>"));
      expect(terse(ada)).toEqual([expect.stringContaining("<policy-violation")]);
      await ada.sends(set("<item jid='a@x.example' name='A'/>"));
      ada.receives(result(ada), push(ada, "<item jid='a@x.example' name='A' subscription='none'/>"));
      await ada.sends(set("<item jid='a@x.example' subscription='remove'/>"));
      await ada.sends(set("<item jid='d@x.example'/>"));
      expect(ada.received()).toHaveLength(4);
    });
  });

  test("RFC 6120 §13.12: a roster that is too long in all takes nothing more, but what makes it shorter", async () => {
    const limits: RosterLimits = { items: 100, groups: 4, nameBytes: 200, characters: 120 };
    const ada = await interested(await stage(open, { roster: limits }), "ada@example.org/lab");
    await ada.sends(set(`<item jid='a@x.example' name='${"n".repeat(50)}'><group>${"g".repeat(20)}</group></item>`));
    ada.received();
    for (const longer of [
      `<item jid='b@x.example' name='${"n".repeat(40)}'/>`,
      `<item jid='b@x.example'><group>${"g".repeat(40)}</group></item>`,
      `<item jid='a@x.example' name='${"n".repeat(120)}'/>`,
    ]) {
      await ada.sends(set(longer));
      expect(terse(ada)).toEqual([expect.stringContaining("<policy-violation")]);
    }
    await ada.sends(set("<item jid='a@x.example' name='n'/>"));
    await ada.sends(set(`<item jid='b@x.example' name='${"n".repeat(40)}'/>`));
    expect(ada.received()).toHaveLength(4);
  });

  describe("removing", () => {
    test("RFC 6121 §2.5.2: result, push with remove, and the item is gone", async () => {
      const scene = await stage(open);
      const lab = await interested(scene, "ada@example.org/lab");
      const home = await interested(scene, "ada@example.org/home");
      await lab.sends(set("<item jid='a@x.example'/>"));
      for (const party of [lab, home]) party.received();
      await lab.sends(set("<item jid='a@x.example' subscription='remove'/>"));
      lab.receives(result(lab), push(lab, "<item jid='a@x.example' subscription='remove'/>"));
      home.receives(push(home, "<item jid='a@x.example' subscription='remove'/>"));
      await home.sends(get());
      home.receives(whole(home, ""));
    });

    const eve = (type: string) => (_: Party, far: Outsider) =>
      far.sends(`<presence type='${type}' from='eve@far.example' to='ada@example.org'/>`);
    const ada = (xml: string) => (party: Party) => party.sends(xml);
    /** How Ada and somebody elsewhere get to a subscription, as Ada sees it. */
    const ways = {
      none: [ada(set("<item jid='eve@far.example'/>"))],
      asked: [ada("<presence type='subscribe' to='eve@far.example'/>")],
      to: [ada("<presence type='subscribe' to='eve@far.example'/>"), eve("subscribed")],
      from: [eve("subscribe"), ada("<presence type='subscribed' to='eve@far.example'/>")],
    } as const;
    const RELATIONS = { ...ways, both: [...ways.to, ...ways.from] } as const;
    const related = async (
      scene: Scene,
      subscription: keyof typeof RELATIONS,
    ): Promise<{ ada: Party; far: Outsider }> => {
      const far = scene.component("far.example");
      const party = await interested(scene, "ada@example.org/lab");
      await party.sends("<presence/>");
      for (const step of RELATIONS[subscription]) await step(party, far);
      party.received();
      far.received();
      return { ada: party, far };
    };
    const sent = (type: string, from = "ada@example.org"): string =>
      `<presence type='${type}' id='*' from='${from}' to='eve@far.example'/>`;

    test.each([
      ["to", [sent("unsubscribe")]],
      ["from", [sent("unavailable", "ada@example.org/lab"), sent("unsubscribed")]],
      ["both", [sent("unavailable", "ada@example.org/lab"), sent("unsubscribed"), sent("unsubscribe")]],
      ["asked", [sent("unsubscribe")]],
      ["none", []],
    ] as const)("RFC 6121 §2.5.2: with subscription %s the contact is told", async (subscription, stanzas) => {
      const scene = await stage(open);
      const { ada, far } = await related(scene, subscription);
      await ada.sends(set("<item jid='eve@far.example' subscription='remove'/>"));
      ada.receives(result(ada), push(ada, "<item jid='eve@far.example' subscription='remove'/>"));
      far.receives(...stanzas);
      // Nothing that the contact's server says to that changes anything any more.
      await far.sends("<presence type='unsubscribed' from='eve@far.example' to='ada@example.org'/>");
      ada.receivesNothing();
      far.receivesNothing();
    });

    test("RFC 6121 §2.5.2: between two local accounts both rosters end up without the subscription", async () => {
      const scene = await stage(open);
      const ada = await interested(scene, "ada@example.org/lab");
      const grace = await interested(scene, "grace@example.org/ship");
      await befriend(ada, grace);
      await befriend(grace, ada);
      await ada.sends(set("<item jid='grace@example.org' subscription='remove'/>"));
      ada.receives(result(ada), push(ada, "<item jid='grace@example.org' subscription='remove'/>"));
      grace.receives(
        "<presence type='unsubscribed' id='*' from='ada@example.org' to='grace@example.org'/>",
        push(grace, "<item jid='ada@example.org' subscription='from'/>"),
        "<presence type='unsubscribe' id='*' from='ada@example.org' to='grace@example.org'/>",
        push(grace, "<item jid='ada@example.org' subscription='none'/>"),
      );
      await grace.sends(get());
      grace.receives(whole(grace, "<item jid='ada@example.org' subscription='none'/>"));
    });

    test("RFC 6121 §3.1.3: a request that waits for the user is not answered by removing the item", async () => {
      const scene = await stage(open);
      const ada = await interested(scene, "ada@example.org/lab");
      await ada.sends(set("<item jid='eve@far.example'/>"));
      const far = scene.component("far.example");
      await far.sends("<presence type='subscribe' from='eve@far.example' to='ada@example.org'/>");
      await ada.sends(set("<item jid='eve@far.example' subscription='remove'/>"));
      ada.received();
      far.receivesNothing();
      await ada.sends("<presence/>");
      expect(ada.received()).toContainEqual(expect.stringContaining("type='subscribe'"));
    });
  });

  describe("versions", () => {
    test("RFC 6121 §2.6.3: pushes come in order, each with a version of its own", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      for (const name of ["a", "b", "a"]) await ada.sends(set(`<item jid='${name}@x.example' name='${name}'/>`));
      await ada.sends(set("<item jid='b@x.example' subscription='remove'/>"));
      const versions = ada
        .received()
        .filter((xml) => xml.includes("type='set'"))
        .map(verOf);
      expect(new Set(versions).size).toBe(4);
      await ada.sends(get());
      expect(verOf(ada.received()[0])).toBe(versions[3]);
    });
    test("RFC 6121 §2.6.3: nothing has changed: an empty result, which is not an empty query", async () => {
      const scene = await stage(open);
      const ada = await interested(scene, "ada@example.org/lab");
      await ada.sends(get());
      const untouched = verOf(ada.received()[0]);
      await ada.sends(get(untouched));
      ada.receives(result(ada, "get"));
      await ada.sends(set("<item jid='a@x.example'/>"));
      const ver = verOf(ada.received()[1]);
      await ada.sends(get(ver));
      ada.receives(result(ada, "get"));
    });
    test("RFC 6121 §2.6.2: an empty version asks for everything", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      await ada.sends(get(""));
      ada.receives(whole(ada, ""));
      await ada.sends(set("<item jid='a@x.example'/>"));
      ada.received();
      await ada.sends(get(""));
      ada.receives(whole(ada, "<item jid='a@x.example' subscription='none'/>"));
    });
    test("RFC 6121 §2.6.3: what has changed since comes as pushes in order of change, the last state of each item only", async () => {
      const scene = await stage(open);
      const ada = await interested(scene, "ada@example.org/lab");
      for (const name of ["a", "b", "c", "d", "e", "f"]) await ada.sends(set(`<item jid='${name}@x.example'/>`));
      const ver = verOf(ada.received().at(-1));
      await ada.sends(set("<item jid='c@x.example' name='C1'/>"));
      await ada.sends(set("<item jid='a@x.example' subscription='remove'/>"));
      await ada.sends(set("<item jid='c@x.example' name='C2'/>"));
      const changes = ada.received().filter((xml) => xml.includes("type='set'"));
      const home = await scene.login("ada@example.org/home");
      await home.sends(get(ver));
      const [answer, ...pushes] = home.received();
      expect(answer).not.toContain("<query");
      expect(pushes.map(verOf)).toEqual([verOf(changes[1]), verOf(changes[2])]);
      expect(pushes[0]).toContain("jid='a@x.example' subscription='remove'");
      expect(pushes[1]).toContain("name='C2'");
      // It is an interested resource now as after any get.
      await ada.sends(set("<item jid='b@x.example' name='B'/>"));
      home.receives(push(home, "<item jid='b@x.example' name='B' subscription='none'/>"));
    });
    test("RFC 6121 §2.6.3: where much has changed the whole roster takes less", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      await ada.sends(set("<item jid='a@x.example'/>"));
      const ver = verOf(ada.received()[1]);
      for (const name of ["b", "c", "d"]) await ada.sends(set(`<item jid='${name}@x.example'/>`));
      ada.received();
      await ada.sends(get(ver));
      const [answer, ...pushes] = ada.received();
      expect(pushes).toEqual([]);
      expect(answer?.match(/<item /g)).toHaveLength(4);
    });
    test.each(["nonsense", "99-id-1", "1", "-1-x", "1e3-x", "9".repeat(400), "1-other"])(
      "RFC 6121 §2.6.3: a version the server does not know (%s) gets everything",
      async (ver) => {
        const ada = await interested(await stage(open), "ada@example.org/lab");
        await ada.sends(set("<item jid='a@x.example'/>"));
        ada.received();
        await ada.sends(get(ver));
        ada.receives(whole(ada, "<item jid='a@x.example' subscription='none'/>"));
      },
    );
    test("RFC 6121 §2.6.3: a client that was away for more removals than are remembered gets everything", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      for (let at = 0; at < 200; at++) await ada.sends(set(`<item jid='keep${at}@x.example'/>`));
      await ada.sends(set("<item jid='gone@x.example'/>"));
      const old = verOf(ada.received().at(-1));
      await ada.sends(set("<item jid='gone@x.example' subscription='remove'/>"));
      const ver = verOf(ada.received().at(-1));
      for (let at = 0; at < 64; at++) await ada.sends(set(`<item jid='keep${at}@x.example' subscription='remove'/>`));
      ada.received();
      await ada.sends(get(ver));
      expect(ada.received()).toHaveLength(1 + 64);
      await ada.sends(get(old));
      expect(ada.received()).toHaveLength(1);
    });
    test("RFC 6121 §2.6.3: a removed item that is back is no removal any more", async () => {
      const ada = await interested(await stage(open), "ada@example.org/lab");
      for (const name of ["a", "b", "c", "d"]) await ada.sends(set(`<item jid='${name}@x.example'/>`));
      const ver = verOf(ada.received().at(-1));
      await ada.sends(set("<item jid='a@x.example' subscription='remove'/>"));
      await ada.sends(set("<item jid='a@x.example' name='again'/>"));
      ada.received();
      await ada.sends(get(ver));
      ada.receives(result(ada, "get"), push(ada, "<item jid='a@x.example' name='again' subscription='none'/>"));
    });
  });

  test("RFC 6121 §2.1.6: the answers of clients to pushes are ignored", async () => {
    const ada = await interested(await stage(open), "ada@example.org/lab");
    await ada.sends(set("<item jid='a@x.example'/>"));
    const id = / id='([^']*)'/.exec(ada.received()[1] ?? "")?.[1];
    await ada.sends(`<iq type='result' id='${id}'/>`);
    await ada.sends(
      `<iq type='error' id='${id}'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
    ada.receivesNothing();
  });

  describe("an account that is removed", () => {
    test("RFC 6121 §3.2, §3.3: cancels its subscriptions and refuses what waits", async () => {
      const scene = await stage(open);
      const far = scene.component("far.example");
      const ada = await present(scene, "ada@example.org/lab");
      const grace = await present(scene, "grace@example.org/ship");
      await befriend(ada, grace);
      await befriend(grace, ada);
      await far.sends("<presence type='subscribe' from='eve@far.example' to='ada@example.org'/>");
      await ada.sends("<presence to='room@far.example/ada'/>");
      for (const party of [ada, grace, far]) party.received();
      await scene.removeAccount("ada@example.org");
      expect(ada.closedBy?.condition).toBe("not-authorized");
      far.receivesInAnyOrder(
        "<presence type='unsubscribed' id='*' from='ada@example.org' to='eve@far.example'/>",
        "<presence type='unavailable' from='ada@example.org/lab' to='room@far.example/ada'/>",
      );
      grace.receives(
        "<presence type='unavailable' id='*' from='ada@example.org/lab' to='grace@example.org'/>",
        "<presence type='unsubscribed' id='*' from='ada@example.org' to='grace@example.org'/>",
        push(grace, "<item jid='ada@example.org' subscription='from'/>"),
        "<presence type='unsubscribe' id='*' from='ada@example.org' to='grace@example.org'/>",
        push(grace, "<item jid='ada@example.org' subscription='none'/>"),
      );
      for (const collection of ["roster", "roster-version", "subscription-requests", "presence-ledger"]) {
        expect([...(await scene.store.collection(collection).all("ada@example.org"))]).toEqual([]);
      }
      expect(scene.defects).toEqual([]);
    });
  });
});
