import { type BareJid, parseElement, parseJid, RegisterResult, rawOf, readChild, readStanza } from "@kith/protocol";
import { eachFabric, type Party, type Stranger } from "@kith/testing";
import { describe, expect, test } from "vitest";
import {
  credentials,
  onOneRouter,
  PASSWORD,
  preauth,
  type RegistrationStage,
  refusal,
  register,
  registerGet,
  registerSet,
  result,
  STANZAS,
  type StageOptions,
  stage,
  TEXT,
} from "../../test/registration-stage.ts";

const ROMEO = "romeo@example.org" as BareJid;
const JULIET = "juliet@example.org" as BareJid;
const FEATURE = "{http://jabber.org/features/iq-register}register";

const fieldsReceived = (stranger: Stranger | Party) => {
  const [xml = ""] = stranger.received();
  return RegisterResult.parse(readChild(readStanza(rawOf(parseElement(xml))), 0));
};

const form = (type: string, fields: Readonly<Record<string, string>>): string =>
  `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${type}</value></field>${Object.entries(
    fields,
  )
    .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
    .join("")}</x>`;

// Counted where the stream is: each node of a cluster would count for itself.
describe("XEP-0077 §3.1.1: how much a stranger may try", () => {
  const open = (options: StageOptions = {}): Promise<RegistrationStage> =>
    stage(onOneRouter, { registration: { mode: "open" }, ...options });

  test("one account on one stream", async () => {
    const { scene, accounts } = await open();
    const stranger = scene.stranger();
    await stranger.sends(register("juliet"));
    stranger.received();
    await stranger.sends(register("rosaline"));
    stranger.receives(refusal("not-acceptable", "modify", 406));
    expect(await accounts.exists(parseJid("rosaline@example.org").bare)).toBe(false);
  });

  test("so many attempts on one stream", async () => {
    const { scene } = await open({ users: [JULIET], registration: { mode: "open", attempts: 2 } });
    const stranger = scene.stranger();
    for (const condition of ["conflict", "conflict", "not-acceptable"]) {
      await stranger.sends(register("juliet"));
      expect(stranger.received()).toEqual([expect.stringContaining(`<${condition} `)]);
    }
    const another = scene.stranger();
    await another.sends(register("rosaline"));
    another.receives(result());
  });

  const registers = async ({ scene }: RegistrationStage, name: string, address: string): Promise<string> => {
    const stranger = scene.stranger({ address });
    await stranger.sends(register(name));
    return stranger.received()[0]?.match(/<([a-z-]+) xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/)?.[1] ?? "made";
  };
  const LIMITED = { registration: { mode: "open", perAddress: { accounts: 2, within: "1 h" } } } as const;

  test("so many accounts from one address in a time: resource-constraint, type wait", async () => {
    const limited = await open(LIMITED);
    const made = [];
    for (const name of ["a1", "a2", "a3"]) made.push(await registers(limited, name, "192.0.2.1"));
    expect(made).toEqual(["made", "made", "resource-constraint"]);
    expect(await registers(limited, "a4", "192.0.2.2")).toBe("made");
    limited.clock.advance(3_599_999);
    expect(await registers(limited, "a5", "192.0.2.1")).toBe("resource-constraint");
    limited.clock.advance(1);
    expect(await registers(limited, "a6", "192.0.2.1")).toBe("made");
  });

  test("an IPv6 network is one address, and so is an IPv4 address in IPv6", async () => {
    const limited = await open(LIMITED);
    const made = [];
    for (const [name, address] of [
      ["a1", "2001:db8::1"],
      ["a2", "2001:db8::ffff:2"],
      ["a3", "2001:db8::3"],
      ["a4", "2001:db8:0:1::1"],
    ] as const) {
      made.push(await registers(limited, name, address));
    }
    expect(made).toEqual(["made", "made", "resource-constraint", "made"]);
    for (const [name, address] of [
      ["b1", "::ffff:192.0.2.1"],
      ["b2", "192.0.2.1"],
    ] as const)
      await registers(limited, name, address);
    expect(await registers(limited, "b3", "192.0.2.1")).toBe("resource-constraint");
  });

  test("attempts that failed do not count", async () => {
    const limited = await open({ ...LIMITED, users: [JULIET] });
    for (let attempt = 0; attempt < 5; attempt++)
      expect(await registers(limited, "juliet", "192.0.2.1")).toBe("conflict");
    expect(await registers(limited, "a1", "192.0.2.1")).toBe("made");
  });

  test("those under way count: the limit cannot be overrun", async () => {
    const limited = await open(LIMITED);
    const made = await Promise.all(["a1", "a2", "a3", "a4"].map((name) => registers(limited, name, "192.0.2.1")));
    expect(made.sort()).toEqual(["made", "made", "resource-constraint", "resource-constraint"]);
  });

  test("switched off", async () => {
    const limited = await open({ registration: { mode: "open", perAddress: false } });
    for (const name of ["a1", "a2", "a3", "a4", "a5"]) expect(await registers(limited, name, "192.0.2.1")).toBe("made");
  });
});

eachFabric("registration", (onFabric) => {
  const open = (options: StageOptions = {}): Promise<RegistrationStage> =>
    stage(onFabric, { registration: { mode: "open" }, ...options });

  describe("XEP-0077 §3.1: a stranger registers where anybody may", () => {
    test("§8: it is announced, over a protected channel", async () => {
      const { scene } = await open();
      expect(scene.stranger().features()).toContain(FEATURE);
      expect(scene.stranger({ secure: false }).features()).not.toContain(FEATURE);
    });

    test("is told what to fill in: fields for old clients, a form for others", async () => {
      const { scene } = await open();
      const stranger = scene.stranger();
      await stranger.sends(registerGet());
      const info = fieldsReceived(stranger);
      expect(info).toMatchObject({ registered: false, fields: { username: "", password: "" }, form: { type: "form" } });
      expect(info.form?.fields.map((field) => field.var)).toEqual(["FORM_TYPE", "username", "password"]);
    });

    test.each([
      ["by fields", register("juliet")],
      ["by a form", registerSet(form("jabber:iq:register", { username: "juliet", password: PASSWORD }), "example.org")],
      ["without saying where", registerSet(credentials("juliet"))],
    ])("makes an account %s, and can log in", async (_, xml) => {
      const { scene, accounts } = await open();
      const stranger = scene.stranger();
      await stranger.sends(xml);
      expect(stranger.received()).toEqual([expect.stringMatching(/^<iq [^>]*type='result' id='s'\/>$/)]);
      expect(await accounts.verifyPassword(JULIET, PASSWORD)).toBe(true);
      await scene.login("juliet@example.org/balcony");
    });

    test("RFC 7622 §3.3: a user name is prepared", async () => {
      const { scene, accounts } = await open();
      const stranger = scene.stranger();
      await stranger.sends(register("JULIET"));
      stranger.receives(result());
      expect(await accounts.exists(JULIET)).toBe(true);
    });

    test("a name that is in use: conflict", async () => {
      const { scene, accounts } = await open({ users: [JULIET] });
      const stranger = scene.stranger();
      await stranger.sends(register("juliet", "another one"));
      stranger.receives(refusal("conflict", "cancel", 409));
      expect(await accounts.verifyPassword(JULIET, PASSWORD)).toBe(true);
    });

    test("two who want the same name at once: one gets it", async () => {
      const { scene, accounts } = await open();
      const [one, other] = [scene.stranger(), scene.stranger()];
      await Promise.all([one.sends(register("juliet", "first one")), other.sends(register("juliet", "second one"))]);
      one.receives(result());
      other.receives(refusal("conflict", "cancel", 409));
      expect(await accounts.verifyPassword(JULIET, "first one")).toBe(true);
    });

    test.each([
      ["no user name", "<password>under the balcony</password>"],
      ["no password", "<username>juliet</username>"],
      ["an empty password", "<username>juliet</username><password/>"],
      ["an empty user name", "<username/><password>under the balcony</password>"],
      ["nothing", ""],
      ["an empty form", form("jabber:iq:register", {})],
      ["a password that is too short", credentials("juliet", "abcd")],
      ["its name as password", credentials("juliet", "juliet")],
      ["a user name with a space", credentials("juliet capulet")],
      ["a user name with a slash", credentials("juliet/balcony")],
      ["a whole address as user name", credentials("juliet@example.org")],
      ["a user name that is too long", credentials("j".repeat(1_024))],
      ["a user name in full-width letters with an at sign", credentials("juliet\uff20example")],
      ["a reserved name", credentials("Admin")],
      ["a password with a tab", credentials("juliet", "under&#9;the balcony")],
    ])("not-acceptable: %s", async (_, children) => {
      const { scene, store } = await open();
      const stranger = scene.stranger();
      await stranger.sends(registerSet(children, "example.org"));
      stranger.receives(refusal("not-acceptable", "modify", 406));
      expect(await store.accounts.list()).toEqual([]);
    });

    test("a form of another kind, or one that was given up: bad-request", async () => {
      const { scene } = await open();
      const stranger = scene.stranger();
      await stranger.sends(
        registerSet(form("urn:example:other", { username: "juliet", password: PASSWORD }), "example.org"),
      );
      stranger.receives(refusal("bad-request", "modify", 400));
      await stranger.sends(registerSet("<x xmlns='jabber:x:data' type='cancel'/>", "example.org"));
      stranger.receives(refusal("bad-request", "modify", 400));
    });

    test("§3.2, §3.3: who is not registered cannot cancel that: unexpected-request", async () => {
      const { scene } = await open({ users: [JULIET] });
      const stranger = scene.stranger();
      await stranger.sends(registerSet("<remove/>", "example.org"));
      stranger.receives(refusal("unexpected-request", "wait", 400));
    });

    test("§11: never over a channel that is not protected", async () => {
      const { scene, accounts } = await open();
      const stranger = scene.stranger({ secure: false });
      await stranger.sends(registerGet());
      stranger.receives(refusal("not-authorized", "modify", 401, "g"));
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("not-authorized", "modify", 401));
      expect(await accounts.exists(JULIET)).toBe(false);
    });

    test("the disk fails: resource-constraint, and the name is as free as before", async () => {
      const { scene, writer } = await open();
      const stranger = scene.stranger();
      writer.failNext();
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("resource-constraint", "wait", 500));
      await stranger.sends(register("juliet"));
      stranger.receives(result());
    });
  });

  describe("where registration is not open to everybody", () => {
    test("closed: service-unavailable, and not announced", async () => {
      const { scene, accounts } = await open({ registration: { mode: "closed" } });
      const stranger = scene.stranger();
      expect(stranger.features()).not.toContain(FEATURE);
      await stranger.sends(registerGet());
      stranger.receives(refusal("service-unavailable", "cancel", 503, "g"));
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("service-unavailable", "cancel", 503));
      expect(await accounts.exists(JULIET)).toBe(false);
    });

    test("§5: closed with a redirection, which is announced and told", async () => {
      const redirect = { url: "https://example.org/join", instructions: "Ask the prince." };
      const { scene } = await open({ registration: { mode: "closed", redirect } });
      const stranger = scene.stranger();
      expect(stranger.features()).toContain(FEATURE);
      await stranger.sends(registerGet());
      expect(fieldsReceived(stranger)).toEqual({
        registered: false,
        instructions: "Ask the prince.",
        fields: {},
        form: undefined,
        url: "https://example.org/join",
      });
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("service-unavailable", "cancel", 503));
    });

    test("by invitation: not-allowed without one", async () => {
      const { scene, accounts } = await open({ registration: { mode: "invitation" } });
      const stranger = scene.stranger();
      expect(stranger.features()).toContain(FEATURE);
      await stranger.sends(registerGet());
      stranger.receives(refusal("not-allowed", "cancel", 405, "g"));
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("not-allowed", "cancel", 405));
      expect(await accounts.exists(JULIET)).toBe(false);
    });

    test("each host has its own rule", async () => {
      const hosts = { "example.org": { registration: "closed" }, "example.net": { registration: "open" } } as const;
      const { scene, accounts } = await open({ hosts });
      expect(scene.stranger().features()).not.toContain(FEATURE);
      const stranger = scene.stranger({ domain: "example.net" });
      expect(stranger.features()).toContain(FEATURE);
      await stranger.sends(registerSet(credentials("juliet"), "example.net"));
      stranger.receives("<iq type='result' id='s' from='example.net'/>");
      expect(await accounts.exists(parseJid("juliet@example.net").bare)).toBe(true);
    });
  });

  describe("XEP-0445 §4: with an invitation", () => {
    const invited = async (order: { username?: string } = {}, options: StageOptions = {}) => {
      const staged = await open({ registration: { mode: "invitation", perAddress: { accounts: 1 } }, ...options });
      const { token } = await staged.invitations.create({ domain: "example.org" as never, to: "account", ...order });
      const shown = async (): Promise<Stranger> => {
        const stranger = staged.scene.stranger();
        await stranger.sends(preauth(token));
        stranger.receives(result("p"));
        return stranger;
      };
      return { ...staged, token, shown };
    };

    test("whoever shows it may register, once", async () => {
      const { scene, accounts, token, shown } = await invited();
      const stranger = await shown();
      await stranger.sends(registerGet());
      expect(fieldsReceived(stranger)).toMatchObject({ fields: { username: "" } });
      await stranger.sends(register("juliet"));
      stranger.receives(result());
      expect(await accounts.verifyPassword(JULIET, PASSWORD)).toBe(true);
      const late = scene.stranger();
      await late.sends(preauth(token));
      expect(late.received()).toEqual([expect.stringContaining("<item-not-found ")]);
      await late.sends(register("rosaline"));
      late.receives(refusal("not-allowed", "cancel", 405));
    });

    test("a failed registration leaves it as good as before", async () => {
      const { shown, writer } = await invited({}, { users: [JULIET] });
      const stranger = await shown();
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("conflict", "cancel", 409));
      await stranger.sends(register("rosaline", "no"));
      stranger.receives(refusal("not-acceptable", "modify", 406));
      writer.failNext();
      await stranger.sends(register("rosaline"));
      stranger.receives(refusal("resource-constraint", "wait", 500));
      const another = await shown();
      await another.sends(register("rosaline"));
      another.receives(result());
      await stranger.sends(register("tybalt"));
      stranger.receives(refusal("not-allowed", "cancel", 405));
    });

    test("shown on several streams at once: one of them gets an account", async () => {
      const { shown, store } = await invited();
      const strangers = await Promise.all([shown(), shown(), shown()]);
      await Promise.all(strangers.map((stranger, at) => stranger.sends(register(`guest${at}`))));
      const answers = strangers.map((stranger) => stranger.received()[0]?.match(/type='(\w+)'/)?.[1]);
      expect(answers.sort()).toEqual(["error", "error", "result"]);
      expect(await store.accounts.list()).toHaveLength(1);
    });

    test("the first of them fails: the next gets it", async () => {
      const { shown, store, writer } = await invited();
      const [one, other] = [await shown(), await shown()];
      writer.failNext();
      await Promise.all([one.sends(register("guest1")), other.sends(register("guest2"))]);
      one.receives(refusal("resource-constraint", "wait", 500));
      other.receives(result());
      expect(await store.accounts.list()).toEqual(["guest2@example.org"]);
    });

    test("one that expires after it was shown is still good on that stream", async () => {
      const { shown, clock, scene, token } = await invited();
      const stranger = await shown();
      clock.advance(8 * 86_400_000);
      const late = scene.stranger();
      await late.sends(preauth(token));
      expect(late.received()).toEqual([expect.stringContaining("<item-not-found ")]);
      await stranger.sends(register("juliet"));
      stranger.receives(result());
    });

    test("one that is withdrawn after it was shown is not", async () => {
      const { shown, invitations } = await invited();
      const stranger = await shown();
      const [open] = await invitations.list("example.org" as never);
      await invitations.revoke("example.org" as never, open?.id ?? "");
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("not-allowed", "cancel", 405));
    });

    test("§5: a name that comes with it is kept for it, reserved or not", async () => {
      const { shown, scene, accounts, invitations } = await invited({ username: "admin" });
      const { token } = await invitations.create({ domain: "example.org" as never, to: "account" });
      const other = scene.stranger();
      await other.sends(preauth(token));
      other.received();
      await other.sends(register("admin"));
      other.receives(refusal("conflict", "cancel", 409));
      const stranger = await shown();
      await stranger.sends(registerGet());
      const info = fieldsReceived(stranger);
      expect([info.fields.username, info.form?.fields[1]?.values]).toEqual(["admin", ["admin"]]);
      await stranger.sends(register("juliet"));
      stranger.receives(refusal("not-acceptable", "modify", 406));
      await stranger.sends(register("admin"));
      stranger.receives(result());
      expect(await accounts.exists(parseJid("admin@example.org").bare)).toBe(true);
    });

    test("where anybody may register it counts for the name, and against no address", async () => {
      const { shown, scene } = await invited(
        { username: "juliet" },
        { registration: { mode: "open", perAddress: { accounts: 1 } } },
      );
      const stranger = scene.stranger();
      await stranger.sends(register("rosaline"));
      stranger.receives(result());
      const other = scene.stranger();
      await other.sends(register("juliet"));
      other.receives(refusal("conflict", "cancel", 409));
      const invitee = await shown();
      await invitee.sends(register("juliet"));
      invitee.receives(result());
    });
  });

  describe("XEP-0077 §3.1: a user asks", () => {
    test.each([
      ["the server", "to='example.org'", "from='example.org'"],
      ["nobody in particular", "", ""],
    ])("%s: is registered, and the name on file; never the password", async (_, to, from) => {
      const { scene } = await open({ users: [ROMEO] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends(`<iq type='get' id='g' ${to}><query xmlns='jabber:iq:register'/></iq>`);
      romeo.receives(
        `<iq type='result' id='g' to='romeo@example.org/orchard' ${from}><query xmlns='jabber:iq:register'><registered/><instructions>*</instructions><username>romeo</username><password/></query></iq>`,
      );
    });

    test("another host, somebody else, or from elsewhere: service-unavailable", async () => {
      const { scene, accounts } = await open({
        users: [ROMEO, JULIET],
        hosts: { "example.org": {}, "example.net": {} },
      });
      const romeo = await scene.login("romeo@example.org/orchard");
      const far = scene.component("far.example");
      const unavailable = expect.stringContaining("<service-unavailable ");
      await romeo.sends(registerGet("example.net"));
      await romeo.sends(registerSet(credentials("romeo"), "example.net"));
      await romeo.sends(registerGet(JULIET));
      await romeo.sends(registerSet("<remove/>", JULIET));
      expect(romeo.received()).toEqual([unavailable, unavailable, unavailable, unavailable]);
      await far.sends(
        `<iq type='set' id='s' from='romeo@far.example/x' to='example.org'><query xmlns='jabber:iq:register'><remove/></query></iq>`,
      );
      expect(far.received()).toEqual([unavailable]);
      expect([await accounts.exists(ROMEO), await accounts.exists(JULIET)]).toEqual([true, true]);
    });

    test("a temporary account: registration-required", async () => {
      const { scene } = await open();
      const guest = await scene.login("guest@example.org/x");
      await guest.sends(registerGet());
      await guest.sends(registerSet("<remove/>"));
      const required = expect.stringContaining("<registration-required ");
      expect(guest.received()).toEqual([required, required]);
    });
  });

  const answer = (party: Party, condition: string, type: string, code: number, from = ""): string =>
    `<iq type='error' id='s' to='${party.jid}' ${from}><error type='${type}' code='${code}'><${condition} xmlns='${STANZAS}'/>${TEXT}</error></iq>`;

  describe("XEP-0077 §3.3: a user changes the password", () => {
    const logins = async (options: StageOptions = {}) => {
      const staged = await open({ users: [ROMEO, JULIET], ...options });
      const [orchard, tomb] = [
        await staged.scene.login("romeo@example.org/orchard"),
        await staged.scene.login("romeo@example.org/tomb"),
      ];
      return { ...staged, orchard, tomb };
    };

    test.each([
      ["by fields", credentials("romeo", "a new one")],
      [
        "by a form",
        form("jabber:iq:register:changepassword", { username: "romeo", old_password: PASSWORD, password: "a new one" }),
      ],
      [
        "by a form with the whole address",
        form("jabber:iq:register:changepassword", { username: ROMEO, password: "a new one" }),
      ],
    ])("%s; the other sessions end and have to prove themselves again", async (_, children) => {
      const { accounts, orchard, tomb } = await logins();
      await orchard.sends(registerSet(children, "example.org"));
      orchard.receives(`<iq type='result' id='s' to='${orchard.jid}' from='example.org'/>`);
      expect([
        await accounts.verifyPassword(ROMEO, "a new one"),
        await accounts.verifyPassword(ROMEO, PASSWORD),
      ]).toEqual([true, false]);
      expect([orchard.closedBy?.condition, tomb.closedBy?.condition]).toEqual([undefined, "reset"]);
      expect(await accounts.verifyPassword(JULIET, PASSWORD)).toBe(true);
    });

    test.each([
      ["no user name: bad-request", "<password>a new one</password>", "bad-request", "modify", 400],
      ["no password: bad-request", "<username>romeo</username>", "bad-request", "modify", 400],
      ["an empty password is none", credentials("romeo", ""), "bad-request", "modify", 400],
      ["nothing at all", "", "bad-request", "modify", 400],
      ["somebody else's: forbidden", credentials("juliet", "a new one"), "forbidden", "cancel", 403],
      ["somebody else's at another host", credentials("romeo@example.net", "a new one"), "forbidden", "cancel", 403],
      ["one that the policy refuses: not-acceptable", credentials("romeo", "abcd"), "not-acceptable", "modify", 406],
      [
        "an old password that is wrong: not-authorized",
        form("jabber:iq:register:changepassword", {
          username: "romeo",
          old_password: "wrong one",
          password: "a new one",
        }),
        "not-authorized",
        "modify",
        401,
      ],
      [
        "a form of another kind",
        form("urn:example:other", { username: "romeo", password: "a new one" }),
        "bad-request",
        "modify",
        400,
      ],
    ] as const)("%s", async (_, children, condition, type, code) => {
      const { accounts, orchard, tomb } = await logins();
      await orchard.sends(registerSet(children));
      orchard.receives(answer(orchard, condition, type, code));
      expect(await accounts.verifyPassword(ROMEO, PASSWORD)).toBe(true);
      expect(await accounts.verifyPassword(JULIET, PASSWORD)).toBe(true);
      expect(tomb.isClosed).toBe(false);
    });

    test("switched off: not-allowed", async () => {
      const { accounts, orchard } = await logins({ registration: { passwordChange: false } });
      await orchard.sends(registerSet(credentials("romeo", "a new one"), "example.org"));
      orchard.receives(answer(orchard, "not-allowed", "cancel", 405, "from='example.org'"));
      expect(await accounts.verifyPassword(ROMEO, PASSWORD)).toBe(true);
    });

    test("the disk fails: resource-constraint, the old one stays, and nobody is sent away", async () => {
      const { accounts, orchard, tomb, writer } = await logins();
      writer.failNext();
      await orchard.sends(registerSet(credentials("romeo", "a new one")));
      orchard.receives(answer(orchard, "resource-constraint", "wait", 500));
      expect(await accounts.verifyPassword(ROMEO, PASSWORD)).toBe(true);
      expect(tomb.isClosed).toBe(false);
    });
  });

  describe("XEP-0077 §3.2: a user leaves", () => {
    test.each([
      ["by <remove/>", "<remove/>"],
      ["by a form", form("jabber:iq:register:cancel", { username: ROMEO, password: PASSWORD })],
    ])("%s: told so, then every session ends with not-authorized; the address rests", async (_, children) => {
      const { scene, accounts } = await open({ users: [ROMEO, JULIET] });
      const [orchard, tomb] = [
        await scene.login("romeo@example.org/orchard"),
        await scene.login("romeo@example.org/tomb"),
      ];
      await orchard.sends(registerSet(children));
      orchard.receives(`<iq type='result' id='s' to='${orchard.jid}'/>`);
      expect([orchard.closedBy?.condition, tomb.closedBy?.condition]).toEqual(["not-authorized", "not-authorized"]);
      expect([await accounts.exists(ROMEO), await accounts.exists(JULIET)]).toEqual([false, true]);
      const stranger = scene.stranger();
      await stranger.sends(register("romeo"));
      stranger.receives(refusal("conflict", "cancel", 409));
    });

    test.each([
      [
        "<remove/> beside something else: bad-request",
        "<remove/><username>romeo</username>",
        "bad-request",
        "modify",
        400,
      ],
      [
        "a wrong password: not-authorized",
        form("jabber:iq:register:cancel", { username: "romeo", password: "wrong" }),
        "not-authorized",
        "modify",
        401,
      ],
      [
        "somebody else's name: forbidden",
        form("jabber:iq:register:cancel", { username: "juliet", password: PASSWORD }),
        "forbidden",
        "cancel",
        403,
      ],
    ] as const)("%s", async (_, children, condition, type, code) => {
      const { scene, accounts } = await open({ users: [ROMEO, JULIET] });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends(registerSet(children));
      romeo.receives(answer(romeo, condition, type, code));
      expect([await accounts.exists(ROMEO), await accounts.exists(JULIET)]).toEqual([true, true]);
    });

    test("switched off: not-allowed", async () => {
      const { scene, accounts } = await open({ users: [ROMEO], registration: { cancellation: false } });
      const romeo = await scene.login("romeo@example.org/orchard");
      await romeo.sends(registerSet("<remove/>"));
      romeo.receives(answer(romeo, "not-allowed", "cancel", 405));
      expect(await accounts.exists(ROMEO)).toBe(true);
    });
  });

  test("XEP-0077 §10: the server says that it supports it", async () => {
    const { scene } = await open({ users: [ROMEO] });
    const romeo = await scene.login("romeo@example.org/orchard");
    await romeo.sends(
      "<iq type='get' id='d' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    );
    expect(romeo.received()).toEqual([expect.stringContaining("<feature var='jabber:iq:register'/>")]);
  });
});
