import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import { Form } from "./xep0004-data-forms.ts";
import { invitationForm, invitationUri, parseInvitationForm, parseInvitationUri } from "./xep0401-invitations.ts";

describe("XEP-0401 §5, XEP-0445 §2: an invitation as a URI", () => {
  test.each([
    [
      "xmpp:romeo@example.org?roster;preauth=T0k3n;ibr=y",
      { to: "contact", contact: parseJid("romeo@example.org"), token: "T0k3n", registers: true },
    ],
    [
      "xmpp:romeo@example.org?roster;preauth=T0k3n",
      { to: "contact", contact: parseJid("romeo@example.org"), token: "T0k3n", registers: false },
    ],
    [
      "xmpp:juliet@example.org?register;preauth=T0k3n",
      { to: "account", account: parseJid("juliet@example.org"), token: "T0k3n" },
    ],
    ["xmpp:example.org?register;preauth=T0k3n", { to: "account", account: parseJid("example.org"), token: "T0k3n" }],
  ] as const)("%s", (uri, link) => {
    expect(invitationUri(link)).toBe(uri);
    expect(parseInvitationUri(uri)).toEqual(link);
  });

  test("RFC 5122 §2.2: what a URI cannot have is escaped, and comes back", () => {
    const link = {
      to: "contact",
      contact: parseJid("d\\27artagnan;=?#%@bücher.example"),
      token: "a;b=c&d",
      registers: true,
    } as const;
    const uri = invitationUri(link);
    expect(uri).toBe("xmpp:d%5C27artagnan%3B%3D%3F%23%25@b%C3%BCcher.example?roster;preauth=a%3Bb%3Dc%26d;ibr=y");
    expect(parseInvitationUri(uri)).toEqual(link);
  });

  test("RFC 5122 §2.2: an IPv6 address keeps its brackets", () => {
    const link = { to: "account", account: parseJid("juliet@[2001:db8::1]"), token: "T" } as const;
    expect(invitationUri(link)).toBe("xmpp:juliet@[2001:db8::1]?register;preauth=T");
    expect(parseInvitationUri(invitationUri(link))).toEqual(link);
  });

  test("XEP-0147: other keys, in any order, are not ours to understand", () => {
    expect(parseInvitationUri("xmpp:romeo@example.org?roster;name=Romeo+M;ibr=y;group=a;preauth=T")).toEqual({
      to: "contact",
      contact: parseJid("romeo@example.org"),
      token: "T",
      registers: true,
    });
  });

  test.each([
    "",
    "xmpp:",
    "xmpp:romeo@example.org",
    "xmpp:romeo@example.org?roster",
    "xmpp:romeo@example.org?roster;preauth=",
    "xmpp:romeo@example.org?message;preauth=T",
    "xmpp:example.org?roster;preauth=T",
    "xmpp:romeo@example.org/phone?roster;preauth=T",
    "xmpp:romeo@example.org%2Fphone?roster;preauth=T",
    "xmpp:@example.org?register;preauth=T",
    "xmpp:%ff@example.org?register;preauth=T",
    "xmpp:romeo@example.org?register;preauth=%zz",
    "https://example.org?register;preauth=T",
    `xmpp:${"a".repeat(2000)}@example.org?register;preauth=T`,
  ])("no invitation: %.60s", (uri) => {
    expect(parseInvitationUri(uri)).toBeUndefined();
  });

  test("any token and any localpart come back", () => {
    const localpart = fc.string({
      unit: fc.constantFrom(..."abcz019-_.!#$%()*+,;=?[\\]^`{|}~é中"),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(localpart, fc.string({ minLength: 1, unit: "grapheme" }), fc.boolean(), (local, token, registers) => {
        const contact = parseJid(`${local}@example.org`);
        const link = { to: "contact", contact, token, registers } as const;
        expect(parseInvitationUri(invitationUri(link))).toEqual(link);
      }),
    );
  });
});

describe("XEP-0401 §5.1: an invitation as the result of a command", () => {
  const made = {
    uri: "xmpp:romeo@example.org?roster;preauth=T",
    landingUrl: "https://example.org/i#T",
    expires: Date.parse("2031-03-01T08:00:00Z"),
  };

  test("all of it", () => {
    const form = invitationForm(made);
    expect(form.fields).toEqual([
      { var: "FORM_TYPE", type: "hidden", values: ["urn:xmpp:invite#invitation"] },
      { var: "uri", type: "text-single", values: [made.uri] },
      { var: "landing-url", type: "text-single", values: [made.landingUrl] },
      { var: "expire", type: "text-single", values: ["2031-03-01T08:00:00Z"] },
    ]);
    expect(parseInvitationForm(Form.parse(Form.build(form)))).toEqual(made);
  });

  test("without landing page and end", () => {
    const bare = { uri: made.uri, landingUrl: undefined, expires: undefined };
    expect(parseInvitationForm(Form.parse(Form.build(invitationForm(bare))))).toEqual(bare);
  });

  test("§10.1: the field's other name", () => {
    const fields = [
      { var: "uri", values: [made.uri] },
      { var: "expiry", values: ["2031-03-01T08:00:00Z"] },
    ];
    expect(parseInvitationForm({ type: "result", fields })?.expires).toBe(made.expires);
  });

  test.each([
    ["no uri", [{ var: "landing-url", values: ["https://example.org"] }]],
    [
      "another form",
      [
        { var: "FORM_TYPE", type: "hidden" as const, values: ["urn:example:other"] },
        { var: "uri", values: ["xmpp:a"] },
      ],
    ],
  ])("not an invitation: %s", (_, fields) => {
    expect(parseInvitationForm({ type: "result", fields })).toBeUndefined();
  });
});
