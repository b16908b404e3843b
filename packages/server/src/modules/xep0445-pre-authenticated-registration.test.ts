import { eachFabric } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { preauth, result, STANZAS, type StageOptions, stage, TEXT } from "../../test/registration-stage.ts";

const FEATURE = "{urn:xmpp:ibr-token:0}register";
const REFUSED = `<iq type='error' id='p' from='example.org'><error type='cancel'><item-not-found xmlns='${STANZAS}'/>${TEXT}</error></iq>`;

eachFabric("pre-authenticated registration", (onFabric) => {
  const opened = async (options: StageOptions = {}) => {
    const staged = await stage(onFabric, options);
    const made = await staged.invitations.create({ domain: "example.org" as never, to: "account" });
    return { ...staged, token: made.token };
  };

  describe("XEP-0445 §3: it is announced", () => {
    test.each([
      ["by invitation", "invitation", true],
      ["open to anybody, for whoever has an invitation all the same", "open", true],
      ["closed", "closed", false],
    ] as const)("registration is %s", async (_, mode, isAnnounced) => {
      const { scene } = await opened({ registration: { mode } });
      expect(scene.stranger().features().includes(FEATURE)).toBe(isAnnounced);
      expect(scene.stranger({ secure: false }).features()).not.toContain(FEATURE);
    });
  });

  describe("XEP-0445 §4: a token is shown", () => {
    test("a good one, more than once", async () => {
      const { scene, token } = await opened();
      const stranger = scene.stranger();
      await stranger.sends(preauth(token));
      await stranger.sends(preauth(token));
      stranger.receives(result("p"), result("p"));
    });

    test.each([
      ["a wrong one", (token: string) => preauth(`${token.slice(0, -1)}!`)],
      ["one in other letters", (token: string) => preauth(token.toUpperCase())],
      ["a very long one", () => preauth("x".repeat(1_024))],
    ])("%s: item-not-found", async (_, xml) => {
      const { scene, token } = await opened();
      const stranger = scene.stranger();
      await stranger.sends(xml(token));
      stranger.receives(REFUSED);
    });

    test.each(["<preauth xmlns='urn:xmpp:pars:0'/>", "<preauth xmlns='urn:xmpp:pars:0' token=''/>"])(
      "none: bad-request (%s)",
      async (child) => {
        const { scene } = await opened();
        const stranger = scene.stranger();
        await stranger.sends(`<iq type='set' id='p' to='example.org'>${child}</iq>`);
        expect(stranger.received()).toEqual([expect.stringContaining("<bad-request ")]);
      },
    );

    test("where nobody can register, and over an unprotected channel: item-not-found", async () => {
      const closed = await opened({ registration: { mode: "closed" } });
      const stranger = closed.scene.stranger();
      await stranger.sends(preauth(closed.token));
      stranger.receives(REFUSED);
      const { scene, token } = await opened();
      const insecure = scene.stranger({ secure: false });
      await insecure.sends(preauth(token));
      insecure.receives(REFUSED);
    });

    test("one of another host", async () => {
      const { scene, token } = await opened({ hosts: { "example.org": {}, "example.net": {} } });
      const stranger = scene.stranger({ domain: "example.net" });
      await stranger.sends(preauth(token).replace("example.org", "example.net"));
      expect(stranger.received()).toEqual([expect.stringContaining("<item-not-found ")]);
    });
  });
});
