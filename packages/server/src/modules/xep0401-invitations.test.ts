import {
  type BareJid,
  CommandResult,
  type CommandState,
  type DomainJid,
  parseElement,
  parseInvitationForm,
  parseInvitationUri,
  rawOf,
  readChild,
  readStanza,
} from "@kith/protocol";
import { eachFabric, type Party } from "@kith/testing";
import { describe, expect, test } from "vitest";
import { STANZAS, type StageOptions, stage } from "../../test/registration-stage.ts";

const HOST = "example.org" as DomainJid;
const ROMEO = "romeo@example.org" as BareJid;
const PRINCE = "prince@example.org" as BareJid;
const INVITE = "urn:xmpp:invite#invite";
const CREATE = "urn:xmpp:invite#create-account";

const command = (node: string, attributes = "action='execute'", children = "", to: string = HOST): string =>
  `<iq type='set' id='c' to='${to}'><command xmlns='http://jabber.org/protocol/commands' node='${node}' ${attributes}>${children}</command></iq>`;
const submitted = (fields: Readonly<Record<string, string>>): string =>
  `<x xmlns='jabber:x:data' type='submit'>${Object.entries(fields)
    .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    .join("")}</x>`;

/** What a command has answered. */
const stateReceived = (party: Party): CommandState => {
  const [xml = "", ...others] = party.received();
  expect(others).toEqual([]);
  expect(xml).toMatch(/^<iq [^>]*type='result'/);
  return CommandResult.parse(readChild(readStanza(rawOf(parseElement(xml))), 0));
};
const invitationReceived = (party: Party) => {
  const { status, form } = stateReceived(party);
  expect(status).toBe("completed");
  const made = form === undefined ? undefined : parseInvitationForm(form);
  return { ...made, link: parseInvitationUri(made?.uri ?? "") };
};
const refused = (party: Party, condition: string, type: string, extra = ""): string =>
  `<iq type='error' id='c' to='${party.jid}' from='${HOST}'><error type='${type}'><${condition} xmlns='${STANZAS}'/>${extra}</error></iq>`;
const problem = (name: string): string => `<${name} xmlns='http://jabber.org/protocol/commands'/>`;
/** What was refused, without the explanations. */
const terse = (party: Party): string[] => party.received().map((xml) => xml.replace(/<text [^>]*>[^<]*<\/text>/g, ""));

eachFabric("commands", (open) => {
  const opened = async (options: StageOptions = {}) => {
    const staged = await stage(open, { users: [ROMEO, PRINCE], administrators: [PRINCE], ...options });
    const romeo = await staged.scene.login("romeo@example.org/orchard");
    const prince = await staged.scene.login("prince@example.org/court");
    return { ...staged, romeo, prince };
  };

  describe("XEP-0401 §3, XEP-0050 §3: discovery", () => {
    const items =
      "<iq type='get' id='d' to='example.org'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>";
    const listed = (party: Party, ...commands: readonly (readonly [string, string])[]): string =>
      `<iq type='result' id='d' from='example.org' to='${party.jid}'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'>${commands
        .map(([node, name]) => `<item jid='example.org' node='${node}' name='${name}'/>`)
        .join("")}</query></iq>`;

    test("everybody is shown what they may run", async () => {
      const { romeo, prince, scene } = await opened();
      await romeo.sends(items);
      romeo.receives(listed(romeo, [INVITE, "Invite user"]));
      await prince.sends(items);
      prince.receives(listed(prince, [INVITE, "Invite user"], [CREATE, "Create account"]));
      const far = scene.component("far.example");
      await far.sends(items.replace("id='d'", "id='d' from='benvolio@far.example/x'"));
      far.receives(
        "<iq type='result' id='d' from='example.org' to='benvolio@far.example/x'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>",
      );
    });

    const info = (node: string): string =>
      `<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/></iq>`;

    test("a command says what it is, to those who may run it", async () => {
      const { romeo } = await opened();
      await romeo.sends(info(INVITE));
      romeo.receives(
        `<iq type='result' id='i' from='example.org' to='${romeo.jid}'><query xmlns='http://jabber.org/protocol/disco#info' node='${INVITE}'><identity category='automation' type='command-node' name='Invite user'/><feature var='http://jabber.org/protocol/commands'/><feature var='jabber:x:data'/></query></iq>`,
      );
      await romeo.sends(info(CREATE));
      expect(terse(romeo)).toEqual([
        `<iq from='example.org' to='${romeo.jid}' type='error' id='i'><error type='cancel'><forbidden xmlns='${STANZAS}'/></error></iq>`,
      ]);
      await romeo.sends(info("http://jabber.org/protocol/commands"));
      expect(romeo.received()[0]).toContain("category='automation' type='command-list'");
      await romeo.sends(info("urn:example:other"));
      expect(romeo.received()[0]).toContain("<item-not-found ");
    });

    test("the server says that it has commands", async () => {
      const { romeo } = await opened();
      await romeo.sends(
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
      );
      expect(romeo.received()[0]).toContain("<feature var='http://jabber.org/protocol/commands'/>");
    });
  });

  describe("XEP-0401 §5.1: a user invites", () => {
    test("to the contact list; not to an account, which is for administrators to say", async () => {
      const { romeo, invitations, clock } = await opened();
      await romeo.sends(command(INVITE));
      const made = invitationReceived(romeo);
      expect(made.link).toMatchObject({
        to: "contact",
        contact: expect.objectContaining({ full: ROMEO }),
        registers: false,
      });
      expect(made.expires).toBe(clock.now() + 7 * 86_400_000);
      expect(made.landingUrl).toBeUndefined();
      expect(await invitations.find(HOST, made.link?.token ?? "")).toMatchObject({
        to: "contact",
        inviter: ROMEO,
        registers: false,
      });
    });

    test("to an account first, where users may", async () => {
      const { romeo } = await opened({
        invitations: { accountsBy: "users", landingPage: "https://example.org/i#{token}" },
      });
      await romeo.sends(command(INVITE));
      const made = invitationReceived(romeo);
      expect(made.link).toMatchObject({ registers: true });
      expect(made.landingUrl).toBe(`https://example.org/i#${made.link?.token}`);
    });

    test("an administrator may always, unless nobody can register: then no ibr=y", async () => {
      const { prince } = await opened();
      await prince.sends(command(INVITE));
      expect(invitationReceived(prince).link).toMatchObject({ registers: true });
      const closed = await opened({ registration: { mode: "closed" } });
      await closed.prince.sends(command(INVITE));
      expect(invitationReceived(closed.prince).link).toMatchObject({ registers: false });
    });

    test("so many at once: resource-constraint", async () => {
      const { romeo } = await opened({ invitations: { perUser: 1 } });
      await romeo.sends(command(INVITE));
      invitationReceived(romeo);
      await romeo.sends(command(INVITE));
      expect(romeo.received()).toEqual([expect.stringContaining("<resource-constraint ")]);
    });

    test("nobody from elsewhere, and no temporary account", async () => {
      const { scene, invitations } = await opened({ invitations: { accountsBy: "users" } });
      const far = scene.component("far.example");
      await far.sends(command(INVITE).replace("id='c'", "id='c' from='benvolio@far.example/x'"));
      await far.sends(command(CREATE).replace("id='c'", "id='c' from='prince@far.example/x'"));
      const guest = await scene.login("guest@example.org/x");
      await guest.sends(command(INVITE));
      await guest.sends(command(CREATE));
      const forbidden = expect.stringContaining("<forbidden ");
      expect([far.received(), guest.received()]).toEqual([
        [forbidden, forbidden],
        [forbidden, forbidden],
      ]);
      expect(await invitations.list(HOST)).toEqual([]);
    });
  });

  describe("XEP-0401 §5.4: an administrator invites to an account", () => {
    /** Begins, and gives the session's id. */
    const begun = async (party: Party): Promise<string> => {
      await party.sends(command(CREATE));
      const state = stateReceived(party);
      expect(state).toMatchObject({ status: "executing", actions: { execute: "complete", allowed: ["complete"] } });
      expect(state.form?.fields.map((field) => [field.var, field.type])).toEqual([
        ["username", "text-single"],
        ["roster-subscription", "boolean"],
      ]);
      return state.sessionId ?? "";
    };

    test.each([
      [{ username: "Juliet" }, "xmpp:juliet@example.org?register;preauth=", { username: "juliet", inviter: undefined }],
      [{ username: "" }, "xmpp:example.org?register;preauth=", { username: undefined, inviter: undefined }],
      [{ "roster-subscription": "true" }, "xmpp:example.org?register;preauth=", { inviter: PRINCE }],
      [
        { username: "juliet", "roster-subscription": "1" },
        "xmpp:juliet@example.org?register;preauth=",
        { username: "juliet", inviter: PRINCE },
      ],
      [{ "roster-subscription": "maybe" }, "xmpp:example.org?register;preauth=", { inviter: undefined }],
    ] as const)("%o", async (fields, uri, stored) => {
      const { prince, invitations } = await opened();
      const session = await begun(prince);
      await prince.sends(command(CREATE, `sessionid='${session}' action='complete'`, submitted(fields as never)));
      const made = invitationReceived(prince);
      expect(made.uri).toMatch(new RegExp(`^${uri.replace(/[?.]/g, "\\$&")}[0-9a-z]{24}$`));
      const kept = await invitations.find(HOST, made.link?.token ?? "");
      expect(kept).toMatchObject({ to: "account", registers: true });
      expect({ username: kept?.username, inviter: kept?.inviter }).toEqual({
        username: undefined,
        ...stored,
      });
    });

    test("the whole form in one request", async () => {
      const { prince } = await opened();
      await prince.sends(command(CREATE, "", submitted({ username: "juliet" })));
      expect(invitationReceived(prince).link).toMatchObject({
        to: "account",
        account: expect.objectContaining({ full: "juliet@example.org" }),
      });
    });

    test("a name that cannot be, is somebody's or is kept", async () => {
      const { prince } = await opened();
      await prince.sends(command(CREATE, "", submitted({ username: "a b" })));
      await prince.sends(command(CREATE, "", submitted({ username: "romeo" })));
      await prince.sends(command(CREATE, "", submitted({ username: "juliet" })));
      await prince.sends(command(CREATE, "", submitted({ username: "juliet" })));
      const [bad, taken, , kept] = terse(prince);
      expect([bad, taken, kept]).toEqual([
        expect.stringContaining(`<bad-request xmlns='${STANZAS}'/>${problem("bad-payload")}`),
        expect.stringContaining("<conflict "),
        expect.stringContaining("<conflict "),
      ]);
    });

    test("a refused form may be corrected in the same session", async () => {
      const { prince } = await opened();
      const session = await begun(prince);
      await prince.sends(command(CREATE, `sessionid='${session}'`, submitted({ username: "a b" })));
      prince.received();
      await prince.sends(command(CREATE, `sessionid='${session}'`, submitted({ username: "ab" })));
      expect(invitationReceived(prince).link).toMatchObject({
        account: expect.objectContaining({ full: "ab@example.org" }),
      });
    });

    test("who is no administrator: forbidden, also for a session of somebody else's", async () => {
      const { romeo, prince } = await opened();
      await romeo.sends(command(CREATE));
      expect(terse(romeo)).toEqual([
        `<iq from='example.org' to='${romeo.jid}' type='error' id='c'>${`<error type='cancel'><forbidden xmlns='${STANZAS}'/></error>`}</iq>`,
      ]);
      const session = await begun(prince);
      await romeo.sends(command(CREATE, `sessionid='${session}'`, submitted({})));
      expect(romeo.received()).toEqual([expect.stringContaining("<forbidden ")]);
    });

    test("where nobody can register: forbidden", async () => {
      const { prince } = await opened({ registration: { mode: "closed" } });
      await prince.sends(command(CREATE));
      expect(prince.received()).toEqual([expect.stringContaining("<forbidden ")]);
    });

    test("an administrator of one host is none of another", async () => {
      const hosts = { "example.org": {}, "example.net": { administrators: ["duke@example.net"] } };
      const { prince, romeo } = await opened({ hosts, administrators: [], users: [ROMEO, PRINCE, "duke@example.net"] });
      await prince.sends(command(CREATE, "", "", "example.net"));
      await romeo.sends(command(INVITE, "", "", "example.net"));
      expect([prince.received(), romeo.received()]).toEqual([
        [expect.stringContaining("<forbidden ")],
        [expect.stringContaining("<forbidden ")],
      ]);
    });

    describe("XEP-0050 §3.4, §5.4: sessions", () => {
      test("one is cancelled, and cannot be used any more", async () => {
        const { prince } = await opened();
        const session = await begun(prince);
        await prince.sends(command(CREATE, `sessionid='${session}' action='cancel'`));
        expect(stateReceived(prince)).toMatchObject({ status: "canceled", sessionId: session });
        await prince.sends(command(CREATE, `sessionid='${session}'`, submitted({})));
        expect(terse(prince)).toEqual([
          expect.stringContaining(`<not-allowed xmlns='${STANZAS}'/>${problem("session-expired")}`),
        ]);
      });

      test("one that is completed, forgotten or made up: session-expired", async () => {
        const { prince, clock } = await opened();
        const [first, second] = [await begun(prince), await begun(prince)];
        await prince.sends(command(CREATE, `sessionid='${first}'`, submitted({})));
        prince.received();
        clock.advance(600_001);
        for (const session of [first, second, "made-up", "__proto__"]) {
          await prince.sends(command(CREATE, `sessionid='${session}'`, submitted({})));
          expect(terse(prince)).toEqual([expect.stringContaining(problem("session-expired"))]);
        }
      });

      test("one of another resource: bad-sessionid", async () => {
        const { prince, scene } = await opened();
        // Both on the router that has the session.
        const others = [await scene.login("prince@example.org/garden"), await scene.login("prince@example.org/hall")];
        const session = await begun(prince);
        for (const other of others) await other.sends(command(CREATE, `sessionid='${session}'`, submitted({})));
        const answers = others.flatMap(terse);
        expect(answers.some((xml) => xml.includes(problem("bad-sessionid")))).toBe(true);
        expect(answers.every((xml) => xml.includes("type='error'"))).toBe(true);
      });

      test.each([
        ["prev", "", "bad-action"],
        ["next", "", "bad-action"],
        ["complete", "", "bad-payload"],
        ["explode", "", "malformed-action"],
        ["complete", "<x xmlns='jabber:x:data' type='novel'/>", "bad-payload"],
      ])("action %s with %j: %s", async (action, children, expected) => {
        const { prince } = await opened();
        const session = await begun(prince);
        await prince.sends(command(CREATE, `sessionid='${session}' action='${action}'`, children));
        expect(terse(prince)).toEqual([
          expect.stringContaining(`<bad-request xmlns='${STANZAS}'/>${problem(expected)}`),
        ]);
      });
    });
  });

  test("XEP-0050 §5.4: no such command", async () => {
    const { romeo } = await opened();
    await romeo.sends(command("urn:example:other"));
    romeo.receives(refused(romeo, "item-not-found", "cancel"));
  });

  test("what an account has invited to ends with the account", async () => {
    const { romeo, scene, invitations } = await opened();
    await romeo.sends(command(INVITE));
    expect(await invitations.list(HOST)).toHaveLength(1);
    await scene.removeAccount(ROMEO);
    expect(await invitations.list(HOST)).toEqual([]);
  });
});
