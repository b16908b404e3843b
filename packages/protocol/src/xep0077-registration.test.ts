import { describe, expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { errorElement } from "./stanza-error.ts";
import {
  asRegistrationError,
  RegisterGet,
  RegisterResult,
  RegisterSet,
  registerFeature,
  registrationError,
  registrationForm,
} from "./xep0077-registration.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";

const query = (children = "") => parseElement(`<query xmlns='jabber:iq:register'>${children}</query>`);
const form = (type: string, fields: string) => `<x xmlns='jabber:x:data' type='${type}'>${fields}</x>`;
const field = (name: string, value: string) => `<field var='${name}'><value>${value}</value></field>`;
const formType = (value: string) => `<field var='FORM_TYPE' type='hidden'><value>${value}</value></field>`;

test("XEP-0077 §8: the stream feature", () => {
  expect(registerFeature).toEqual(parseElement("<register xmlns='http://jabber.org/features/iq-register'/>"));
});

test("XEP-0077 §3.1: asking for the fields", () => {
  expect(RegisterGet.build(undefined)).toEqual(query());
  expect(RegisterGet.parse(query("<whatever/>"))).toBeUndefined();
});

describe("XEP-0077 §3.1: what is asked for, and what is on file", () => {
  test.each([
    ["fields", "<instructions>Choose.</instructions><username/><password/><email/>"],
    ["on file", "<registered/><username>mercutio</username><password/>"],
    [
      "redirection (§5)",
      "<instructions>Go there.</instructions><x xmlns='jabber:x:oob'><url>https://example.org/join</url></x>",
    ],
    ["a form beside the fields (§4)", `<username/><password/>${form("form", formType("jabber:iq:register"))}`],
    ["nothing", ""],
  ])("%s", (_, children) => {
    const parsed = RegisterResult.parse(query(children));
    expect(RegisterResult.parse(RegisterResult.build(parsed))).toEqual(parsed);
    expect(RegisterResult.build(parsed).children).toHaveLength(query(children).children.length);
  });

  test("each part is found", () => {
    const info = RegisterResult.parse(
      query(
        "<registered/><instructions>i</instructions><username>mercutio</username><x xmlns='jabber:x:oob'><url>u:u</url></x>",
      ),
    );
    expect(info).toEqual({
      registered: true,
      instructions: "i",
      fields: { username: "mercutio" },
      form: undefined,
      url: "u:u",
    });
  });

  test("§4 rule 1: fields that are not of the schema are not read", () => {
    expect(RegisterResult.parse(query("<shoesize/><username xmlns='urn:example:other'>x</username>")).fields).toEqual(
      {},
    );
  });
});

describe("XEP-0077 §3.1, §4: what is submitted", () => {
  test("fields", () => {
    const set = query("<username>mercutio</username><password>queen &amp; mab</password>");
    expect(RegisterSet.parse(set)).toEqual({
      do: "submit",
      values: { username: "mercutio", password: "queen & mab" },
      form: undefined,
      others: {},
    });
    expect(RegisterSet.build(RegisterSet.parse(set))).toEqual(set);
  });

  test("§3.1: an empty field is there, and empty", () => {
    expect(RegisterSet.parse(query("<username>mercutio</username><password/>"))).toMatchObject({
      values: { username: "mercutio", password: "" },
    });
    expect(RegisterSet.parse(query(""))).toMatchObject({ do: "submit", values: {} });
  });

  test("§4 rule 5: a form takes precedence over fields", () => {
    const both = `<username>a</username>${form("submit", formType("jabber:iq:register") + field("username", "b") + field("x-shoe", "43"))}`;
    expect(RegisterSet.parse(query(both))).toEqual({
      do: "submit",
      values: { username: "b" },
      form: "jabber:iq:register",
      others: { "x-shoe": "43" },
    });
  });

  test.each(["jabber:iq:register", "jabber:iq:register:cancel", "jabber:iq:register:changepassword"])(
    "§14.2: a form of type %s is read and written back",
    (type) => {
      const fields =
        formType(type) + field("username", "mercutio") + field("password", "p") + field("old_password", "o");
      const parsed = RegisterSet.parse(query(form("submit", fields)));
      expect(parsed).toMatchObject({ form: type, others: { old_password: "o" } });
      expect(RegisterSet.parse(RegisterSet.build(parsed))).toEqual(parsed);
    },
  );

  test("a form that does not say which it is", () => {
    const parsed = RegisterSet.parse(query(form("submit", field("username", "mercutio"))));
    expect(parsed).toMatchObject({ form: "", values: { username: "mercutio" } });
    expect(RegisterSet.parse(RegisterSet.build(parsed))).toEqual(parsed);
  });

  test.each([
    ["of another kind", form("submit", formType("urn:example:other"))],
    ["cancelled", form("cancel", "")],
    ["not filled in", form("form", formType("jabber:iq:register"))],
    ["no form at all", form("nonsense", "")],
  ])("a form that is %s is refused with bad-request", (_, x) => {
    expect(() => RegisterSet.parse(query(x))).toThrow(expect.objectContaining({ condition: "bad-request" }));
  });

  test.each(["__proto__", "constructor", "toString"])("a field called %s is a field like any other", (name) => {
    const parsed = RegisterSet.parse(query(form("submit", field(name, "x"))));
    expect(parsed.do === "submit" && Object.entries(parsed.others)).toEqual([[name, "x"]]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe("XEP-0077 §3.2: leaving", () => {
  test("<remove/> alone", () => {
    expect(RegisterSet.parse(query("<remove/>"))).toEqual({ do: "remove" });
    expect(RegisterSet.build({ do: "remove" })).toEqual(query("<remove/>"));
  });

  test.each([
    "<remove/><username>mercutio</username>",
    "<password>p</password><remove/>",
    "<remove/><remove/>",
    "<remove/><x xmlns='urn:example:x'/>",
  ])("bad-request for %s", (children) => {
    expect(() => RegisterSet.parse(query(children))).toThrow(expect.objectContaining({ condition: "bad-request" }));
  });
});

test("XEP-0077 §4: the form that asks for a user name and a password", () => {
  expect(registrationForm("juliet").fields).toContainEqual(
    expect.objectContaining({ var: "username", required: true, values: ["juliet"] }),
  );
  expect(registrationForm(undefined).fields.map((one) => one.var)).toEqual(["FORM_TYPE", "username", "password"]);
});

describe("XEP-0077 §9: errors are of the new and of the old style", () => {
  test.each([
    ["conflict", 409, "cancel"],
    ["not-acceptable", 406, "modify"],
    ["bad-request", 400, "modify"],
    ["not-allowed", 405, "cancel"],
    ["unexpected-request", 400, "wait"],
    ["registration-required", 407, "auth"],
  ] as const)("%s is %d", (condition, code, type) => {
    const { attributes } = errorElement(registrationError(condition, "why"));
    expect(attributes).toEqual(element("", "error", { type, code }).attributes);
  });

  test("an error of another origin gets its number, and keeps all else", () => {
    const extra = [element("urn:example:x", "why")];
    const error = asRegistrationError(new StanzaError("conflict", { type: "modify", text: "taken", extra }));
    expect(error).toMatchObject({
      condition: "conflict",
      type: "modify",
      options: { text: "taken", extra, legacyCode: 409 },
    });
    expect(asRegistrationError(new StanzaError("gone")).options.legacyCode).toBeUndefined();
  });
});
