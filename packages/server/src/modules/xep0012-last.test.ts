import type { Subscription } from "@kith/protocol";
import { eachFabric, type Open } from "@kith/testing";
import { expect, test } from "vitest";
import { last, type StoredLastActivity } from "./xep0012-last.ts";

const ROMEO = "romeo@example.org/orchard";
const ask = (to: string) =>
  `<iq type='get' ${to === "" ? "" : `to='${to}'`} id='l'><query xmlns='jabber:iq:last'/></iq>`;
const told = (from: string, seconds: number, status = "") =>
  `<iq type='result' ${from === "" ? "" : `from='${from}'`} to='${ROMEO}' id='l'><query xmlns='jabber:iq:last' seconds='${seconds}'>${status}</query></iq>`;
const refused = (from: string, type: string, condition: string) =>
  `<iq type='error' from='${from}' to='${ROMEO}' id='l'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;

const stage = async (open: Open, subscription: Subscription = "both") => {
  const scene = await open({
    modules: (store) => [
      last({ departures: store.collection<StoredLastActivity>("last"), subscriptionOf: () => subscription }),
    ],
    accounts: ["romeo@example.org", "juliet@example.org"],
  });
  return { scene, romeo: await scene.login(ROMEO) };
};

eachFabric("last", (open) => {
  test("XEP-0012 §5: how long the server has been running", async () => {
    const { scene, romeo } = await stage(open);
    await romeo.sends(ask("example.org"));
    romeo.receives(told("example.org", 0));
    scene.clock.advance(123_456_999);
    await romeo.sends(ask("example.org"));
    romeo.receives(told("example.org", 123_456));
  });

  test("XEP-0012 §3: how long an account has been away, and what it said when it went", async () => {
    const { scene, romeo } = await stage(open, "from");
    const juliet = await scene.online("juliet@example.org/balcony");
    await juliet.sends("<presence type='unavailable'><status>Gone to the friar &amp; back</status></presence>");
    scene.clock.advance(903_400);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 903, "Gone to the friar &amp; back"));
  });

  test("XEP-0012 §3: a lost stream counts, and says nothing; not even what was said before", async () => {
    const { scene, romeo } = await stage(open);
    const juliet = await scene.online("juliet@example.org/balcony");
    await juliet.sends("<presence type='unavailable'><status>Gone</status></presence>");
    await juliet.sends("<presence/>");
    scene.clock.advance(5000);
    await scene.end(juliet);
    scene.clock.advance(7000);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 7));
  });

  test("XEP-0012 §3: the status of a session that was not available does not count", async () => {
    const { scene, romeo } = await stage(open);
    const juliet = await scene.login("juliet@example.org/balcony");
    await juliet.sends("<presence type='unavailable'><status>Never here</status></presence>");
    await juliet.sends("<presence/>");
    await scene.end(juliet);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 0));
  });

  test("XEP-0012 §3: what was said to one contact is not told to others", async () => {
    const { scene, romeo } = await stage(open);
    const juliet = await scene.online("juliet@example.org/balcony");
    await juliet.sends("<presence type='unavailable' to='friar@example.net'><status>To you alone</status></presence>");
    await scene.end(juliet);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 0));
  });

  test("XEP-0012 §3: 0 as long as any resource is available, then since the last went", async () => {
    const { scene, romeo } = await stage(open);
    const [balcony, chamber] = [
      await scene.online("juliet@example.org/balcony"),
      await scene.online("juliet@example.org/chamber"),
    ];
    scene.clock.advance(10_000);
    await scene.end(balcony);
    scene.clock.advance(10_000);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 0));
    await scene.end(chamber);
    scene.clock.advance(3000);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 3));
  });

  test.each(["", "romeo@example.org"])("XEP-0012 §3: one's own account is connected (to='%s')", async (to) => {
    const { romeo } = await stage(open);
    await romeo.sends(ask(to));
    romeo.receives(told(to, 0));
  });

  test.each(["none", "to"] as const)(
    "XEP-0012 §3, §8: whoever does not see its presence (%s) is forbidden to ask",
    async (subscription) => {
      const { scene, romeo } = await stage(open, subscription);
      await romeo.sends(ask("juliet@example.org"));
      const away = romeo.received();
      await scene.online("juliet@example.org/balcony");
      await romeo.sends(ask("juliet@example.org"));
      expect(romeo.received()).toEqual(away);
      await romeo.sends(ask("juliet@example.org"));
      romeo.receives(refused("juliet@example.org", "auth", "forbidden"));
    },
  );

  test("XEP-0012 §3: nothing is known of an account that has never been there", async () => {
    const { romeo } = await stage(open);
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(refused("juliet@example.org", "cancel", "item-not-found"));
  });

  test("RFC 6121 §8.5.1: an account that does not exist", async () => {
    const { romeo } = await stage(open);
    await romeo.sends(ask("nobody@example.org"));
    romeo.receives(refused("nobody@example.org", "cancel", "service-unavailable"));
  });

  test("XEP-0012 §3: a very long status is cut, and stays text", async () => {
    const { scene, romeo } = await stage(open);
    const juliet = await scene.online("juliet@example.org/balcony");
    await juliet.sends(
      `<presence type='unavailable'><status>${"a".repeat(1023)}${"\u{1f339}".repeat(50_000)}</status></presence>`,
    );
    await romeo.sends(ask("juliet@example.org"));
    romeo.receives(told("juliet@example.org", 0, "a".repeat(1023)));
  });

  test("XEP-0256 §1: what presence says of it is passed on", async () => {
    const { scene, romeo } = await stage(open);
    const juliet = await scene.online("juliet@example.org/balcony");
    await romeo.sends(
      "<presence to='juliet@example.org/balcony'><show>away</show><query xmlns='jabber:iq:last' seconds='600'/></presence>",
    );
    juliet.receives(
      `<presence from='${ROMEO}' to='juliet@example.org/balcony'><show>away</show><query xmlns='jabber:iq:last' seconds='600'/></presence>`,
    );
  });
});
