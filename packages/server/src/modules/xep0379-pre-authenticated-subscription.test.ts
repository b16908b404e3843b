import type { BareJid, DomainJid } from "@kith/protocol";
import { eachFabric, type Open, type Party } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { preauth, register, result, type StageOptions, stage } from "../../test/registration-stage.ts";

const HOST = "example.org" as DomainJid;
const ROMEO = "romeo@example.org" as BareJid;
const JULIET = "juliet@example.org" as BareJid;

/** The roster as it is now; what came before is taken away. */
const rosterOf = async (party: Party): Promise<string[]> => {
  party.received();
  await party.sends("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
  return party.received().flatMap((xml) => itemsIn(xml));
};
const itemsIn = (xml: string): string[] =>
  [...xml.matchAll(/<item ([^>]*)\/?>/g)].map(([, attributes = ""]) => {
    const value = (name: string) => new RegExp(`\\b${name}='([^']*)'`).exec(attributes)?.[1];
    return [value("jid"), value("subscription"), value("ask"), value("approved") && "approved"]
      .filter(Boolean)
      .join(" ");
  });
/** The last roster push about each contact, in what came. */
const pushed = (stanzas: readonly string[]): string[] => {
  const last = new Map(
    stanzas
      .filter((xml) => xml.includes("jabber:iq:roster"))
      .flatMap(itemsIn)
      .map((item) => [item.split(" ")[0], item]),
  );
  return [...last.values()];
};

eachFabric("invitations", (open: Open) => {
  describe.each([false, true])("with a store that has to be waited for: %s", (slow) => {
    const opened = (options: StageOptions = {}) => stage(open, { users: [ROMEO], slow, ...options });

    /** A client that wants to know about its roster, and is there. */
    const online = async ({ scene }: Awaited<ReturnType<typeof opened>>, jid: string): Promise<Party> => {
      const party = await scene.login(jid);
      await rosterOf(party);
      await party.sends("<presence/>");
      party.received();
      return party;
    };
    const subscribe = (to: string, token?: string): string =>
      token === undefined
        ? `<presence type='subscribe' to='${to}'/>`
        : `<presence type='subscribe' to='${to}'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></presence>`;

    test("XEP-0401 §5.5: who registers with an invitation and the inviter are contacts, and the inviter is told at once", async () => {
      const staged = await opened();
      const romeo = await online(staged, "romeo@example.org/orchard");
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: true,
      });
      const stranger = staged.scene.stranger();
      await stranger.sends(preauth(token));
      await stranger.sends(register("juliet"));
      stranger.receives(result("p"), result());
      const news = romeo.received();
      expect(pushed(news)).toEqual(["juliet@example.org both"]);
      // Nobody has to be asked.
      expect(news.filter((xml) => xml.includes("type='subscribe'"))).toEqual([]);
      const juliet = await staged.scene.login("juliet@example.org/balcony");
      expect(await rosterOf(juliet)).toEqual(["romeo@example.org both"]);
      await juliet.sends("<presence/>");
      expect(juliet.received()).toContainEqual(expect.stringMatching(/^<presence from='romeo@example\.org\/orchard'/));
      expect(romeo.received()).toContainEqual(expect.stringMatching(/^<presence from='juliet@example\.org\/balcony'/));
    });

    test("the inviter is away, and finds the contact when coming back", async () => {
      const staged = await opened();
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "account",
        username: "juliet",
        inviter: ROMEO,
      });
      const stranger = staged.scene.stranger();
      await stranger.sends(preauth(token));
      await stranger.sends(register("juliet"));
      stranger.received();
      const [romeo, juliet] = [
        await staged.scene.login("romeo@example.org/orchard"),
        await staged.scene.login("juliet@example.org/balcony"),
      ];
      expect(await rosterOf(romeo)).toEqual(["juliet@example.org both"]);
      expect(await rosterOf(juliet)).toEqual(["romeo@example.org both"]);
    });

    test("the server stopped before they were: it goes on when the new user logs in", async () => {
      const staged = await opened();
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: true,
      });
      const invitation = await staged.invitations.find(HOST, token);
      if (invitation === undefined) throw new Error("no invitation");
      await staged.invitations.takeUp(invitation, JULIET, (writes) =>
        staged.accounts.create(JULIET, "under the balcony", { writes }),
      );
      const romeo = await online(staged, "romeo@example.org/orchard");
      expect(await rosterOf(romeo)).toEqual([]);
      const juliet = await staged.scene.login("juliet@example.org/balcony");
      expect(pushed(romeo.received())).toEqual(["juliet@example.org both"]);
      expect(await rosterOf(juliet)).toEqual(["romeo@example.org both"]);
      const again = await staged.scene.login("juliet@example.org/chamber");
      expect([romeo.received(), again.received()]).toEqual([[], []]);
    });

    test("the inviter's account is gone: there is an account, and nobody to be a contact", async () => {
      const staged = await opened();
      const { token } = await staged.invitations.create({ domain: HOST, to: "account", inviter: ROMEO });
      const stranger = staged.scene.stranger();
      await stranger.sends(preauth(token));
      await staged.scene.removeAccount(ROMEO);
      await stranger.sends(register("juliet"));
      const answers = stranger.received();
      // What an account has invited to ends with it.
      expect(answers.at(-1)).toContain("<not-allowed ");
      expect(await staged.accounts.exists(JULIET)).toBe(false);
    });

    test("XEP-0379 §3.4, §3.5: a request with the token is approved, and answered with a request", async () => {
      const staged = await opened({ users: [ROMEO, JULIET] });
      const [romeo, juliet] = [
        await online(staged, "romeo@example.org/orchard"),
        await online(staged, "juliet@example.org/balcony"),
      ];
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
      await juliet.sends(subscribe(ROMEO, token));
      const [toRomeo, toJuliet] = [romeo.received(), juliet.received()];
      expect(pushed(toJuliet)).toEqual(["romeo@example.org to"]);
      expect(toJuliet).toContainEqual(
        expect.stringMatching(/^<presence from='romeo@example\.org' [^>]*type='subscribe'/),
      );
      expect(pushed(toRomeo)).toEqual(["juliet@example.org from subscribe"]);
      expect(toRomeo.filter((xml) => xml.includes("type='subscribe'") || xml.includes(token))).toEqual([]);
      await juliet.sends("<presence type='subscribed' to='romeo@example.org'/>");
      expect([await rosterOf(romeo), await rosterOf(juliet)]).toEqual([
        ["juliet@example.org both"],
        ["romeo@example.org both"],
      ]);
    });

    test("XEP-0379 §3.4: with pre-approval nobody has to do anything more", async () => {
      const staged = await opened({ users: [ROMEO, JULIET] });
      const [romeo, juliet] = [
        await online(staged, "romeo@example.org/orchard"),
        await online(staged, "juliet@example.org/balcony"),
      ];
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
      await juliet.sends("<presence type='subscribed' to='romeo@example.org'/>");
      await juliet.sends(subscribe(ROMEO, token));
      expect([await rosterOf(romeo), await rosterOf(juliet)]).toEqual([
        ["juliet@example.org both"],
        ["romeo@example.org both"],
      ]);
    });

    test("from elsewhere too", async () => {
      const staged = await opened();
      const romeo = await online(staged, "romeo@example.org/orchard");
      const far = staged.scene.component("far.example");
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: true,
      });
      await far.sends(
        `<presence type='subscribe' from='benvolio@far.example' to='${ROMEO}'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></presence>`,
      );
      const types = far.received().map((xml) => / type='(\w+)'/.exec(xml)?.[1] ?? "available");
      expect(types.sort()).toEqual(["available", "subscribe", "subscribed"]);
      expect(pushed(romeo.received())).toEqual(["benvolio@far.example from subscribe"]);
    });

    test("who has asked before and got no answer is approved by the token that comes later", async () => {
      const staged = await opened({ users: [ROMEO, JULIET] });
      const [romeo, juliet] = [
        await online(staged, "romeo@example.org/orchard"),
        await online(staged, "juliet@example.org/balcony"),
      ];
      await juliet.sends(subscribe(ROMEO));
      expect(romeo.received()).toEqual([expect.stringContaining("type='subscribe'")]);
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
      await juliet.sends(subscribe(ROMEO, token));
      const toJuliet = juliet.received();
      expect(pushed(toJuliet)).toEqual(["romeo@example.org to"]);
      expect(toJuliet).toContainEqual(expect.stringMatching(/^<presence from='romeo@example\.org\/orchard'/));
      expect(pushed(romeo.received())).toEqual(["juliet@example.org from subscribe"]);
    });

    test.each([
      ["a wrong token", (token: string) => subscribe(ROMEO, `${token}x`)],
      ["no token", () => subscribe(ROMEO)],
      ["an empty token", () => subscribe(ROMEO, "")],
      [
        "an element that is no token",
        () => `<presence type='subscribe' to='${ROMEO}'><preauth xmlns='urn:xmpp:pars:0'/></presence>`,
      ],
    ])("XEP-0379 §4.1: %s is a request like any other", async (_, request) => {
      const staged = await opened({ users: [ROMEO, JULIET] });
      const [romeo, juliet] = [
        await online(staged, "romeo@example.org/orchard"),
        await online(staged, "juliet@example.org/balcony"),
      ];
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
      await juliet.sends(request(token));
      expect(romeo.received()).toEqual([
        expect.stringMatching(/^<presence from='juliet@example\.org' [^>]*type='subscribe'/),
      ]);
      expect(pushed(juliet.received())).toEqual(["romeo@example.org none subscribe"]);
      expect(await staged.invitations.find(HOST, token)).toBeDefined();
    });

    test("XEP-0379 §6.2: a token approves one request", async () => {
      const staged = await opened({ users: [ROMEO, JULIET, "tybalt@example.org"] });
      const romeo = await online(staged, "romeo@example.org/orchard");
      const [juliet, tybalt] = [
        await online(staged, "juliet@example.org/balcony"),
        await online(staged, "tybalt@example.org/street"),
      ];
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
      await Promise.all([juliet.sends(subscribe(ROMEO, token)), tybalt.sends(subscribe(ROMEO, token))]);
      const items = (await rosterOf(romeo)).filter((item) => item.includes(" from "));
      expect(items).toHaveLength(1);
      expect(await staged.invitations.find(HOST, token)).toBeUndefined();
    });

    test("a token of somebody else's approves nothing", async () => {
      const staged = await opened({ users: [ROMEO, JULIET, "tybalt@example.org"] });
      const tybalt = await online(staged, "tybalt@example.org/street");
      const juliet = await online(staged, "juliet@example.org/balcony");
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
      await tybalt.sends(subscribe(JULIET, token));
      expect(juliet.received()).toEqual([expect.stringContaining("type='subscribe'")]);
      expect(await staged.invitations.find(HOST, token)).toBeDefined();
    });

    test("the disk fails while it is used: nobody is approved, and the token is as good as before", async () => {
      const staged = await opened({ users: [ROMEO, JULIET] });
      const juliet = await online(staged, "juliet@example.org/balcony");
      const { token } = await staged.invitations.create({
        domain: HOST,
        to: "contact",
        inviter: ROMEO,
        registers: true,
      });
      // The unit of the request, wherever it is committed, and of whatever follows from it.
      staged.writer.failNext(2);
      await juliet.sends(subscribe(ROMEO, token));
      juliet.received();
      expect(await staged.invitations.find(HOST, token)).toBeDefined();
    });
  });
});

eachFabric("invitations and blocking", (open: Open) => {
  test("XEP-0191 §3.3: a blocked contact's token is of no use", async () => {
    const staged = await stage(open, { users: [ROMEO, JULIET] });
    const [romeo, juliet] = [
      await staged.scene.online("romeo@example.org/orchard"),
      await staged.scene.online("juliet@example.org/balcony"),
    ];
    await romeo.sends(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${JULIET}'/></block></iq>`);
    romeo.received();
    const { token } = await staged.invitations.create({
      domain: HOST,
      to: "contact",
      inviter: ROMEO,
      registers: false,
    });
    await juliet.sends(
      `<presence type='subscribe' to='${ROMEO}'><preauth xmlns='urn:xmpp:pars:0' token='${token}'/></presence>`,
    );
    expect(romeo.received()).toEqual([]);
    expect(await staged.invitations.find(HOST, token)).toBeDefined();
  });
});
