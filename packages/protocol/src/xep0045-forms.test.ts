import { expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import type { DataForm } from "./xep0004-data-forms.ts";
import {
  FORM_MUC_REGISTER,
  FORM_MUC_REQUEST,
  nickRegistrationForm,
  parseNickRegistration,
  parseVoiceForm,
  submittedNickRegistration,
  voiceApprovalForm,
  voiceDecisionForm,
  voiceRequestForm,
} from "./xep0045-forms.ts";

const ANA = parseJid("ana@host.example/pad");
const form = (type: string, fields: Readonly<Record<string, string>>): DataForm => ({
  type: "submit",
  fields: [
    { var: "FORM_TYPE", values: [type] },
    ...Object.entries(fields).map(([name, value]) => ({ var: name, values: [value] })),
  ],
});
const bad = expect.objectContaining({ condition: "bad-request" });

test("XEP-0045 §7.13: a request for voice", () => {
  expect(parseVoiceForm(voiceRequestForm())).toEqual({ is: "request" });
});

test("XEP-0045 §8.6: what moderators are asked", () => {
  const asked = voiceApprovalForm(ANA, "Ana");
  expect(asked.type).toBe("form");
  expect(asked.fields.map(({ var: name, type, values }) => [name, type, values])).toEqual([
    ["FORM_TYPE", "hidden", [FORM_MUC_REQUEST]],
    ["muc#role", "list-single", ["participant"]],
    ["muc#jid", "jid-single", ["ana@host.example/pad"]],
    ["muc#roomnick", "text-single", ["Ana"]],
    ["muc#request_allow", "boolean", ["0"]],
  ]);
});

test.each([true, false])("XEP-0045 §8.6: what moderators answer: %s", (isGranted) => {
  expect(parseVoiceForm(voiceDecisionForm(ANA, "Ana", isGranted))).toEqual({
    is: "decision",
    nick: "Ana",
    jid: ANA,
    isGranted,
  });
});

test("XEP-0045 §8.6: an answer that does not say whose address it is, or says none", () => {
  const answer = { "muc#roomnick": "Ana", "muc#request_allow": "true" };
  expect(parseVoiceForm(form(FORM_MUC_REQUEST, answer))).toEqual({
    is: "decision",
    nick: "Ana",
    jid: undefined,
    isGranted: true,
  });
  expect(parseVoiceForm(form(FORM_MUC_REQUEST, { ...answer, "muc#jid": "@" }))).toMatchObject({ jid: undefined });
});

test.each<[string, DataForm]>([
  ["a form of another kind", form(FORM_MUC_REGISTER, { "muc#role": "participant" })],
  ["a form of no kind", { type: "submit", fields: [{ var: "muc#role", values: ["participant"] }] }],
  ["a form to be filled in", voiceApprovalForm(ANA, "Ana")],
  ["a request for more than voice", form(FORM_MUC_REQUEST, { "muc#role": "moderator" })],
  ["a request for nothing", form(FORM_MUC_REQUEST, {})],
  ["a decision about nobody", form(FORM_MUC_REQUEST, { "muc#request_allow": "1" })],
  ["no decision", form(FORM_MUC_REQUEST, { "muc#roomnick": "Ana", "muc#request_allow": "maybe" })],
])("XEP-0045 §7.13, §8.6: bad-request for %s", (_, wrong) => {
  expect(() => parseVoiceForm(wrong)).toThrow(bad);
});

test("XEP-0045 §7.10: a nickname is registered, with everything there is to say", () => {
  const registration = {
    nick: "Ana",
    first: "Ana",
    last: "Lima",
    url: "https://ana.example/",
    email: "ana@mail.example",
    faqEntry: "one\ntwo",
    isAllowed: undefined,
  };
  expect(parseNickRegistration(submittedNickRegistration(registration))).toEqual(registration);
  expect(parseNickRegistration(submittedNickRegistration({ nick: "Ana" }))).toMatchObject({
    nick: "Ana",
    faqEntry: undefined,
  });
});

test.each([true, false])("XEP-0045 §9.9: an admin decides: %s", (isAllowed) => {
  expect(parseNickRegistration(submittedNickRegistration({ nick: "Ana", isAllowed }))).toMatchObject({ isAllowed });
});

test("XEP-0045 §7.10: the form that is to be filled in, empty or with what is registered", () => {
  const [type, nick] = nickRegistrationForm().fields;
  expect(type).toEqual({ var: "FORM_TYPE", type: "hidden", values: [FORM_MUC_REGISTER] });
  expect(nick).toEqual({ var: "muc#register_roomnick", type: "text-single", label: "Nickname", required: true });
  expect(nickRegistrationForm("Ana").fields[1]?.values).toEqual(["Ana"]);
});

test.each<[string, DataForm]>([
  ["a form of another kind", form(FORM_MUC_REQUEST, { "muc#register_roomnick": "Ana" })],
  ["a form to be filled in", nickRegistrationForm("Ana")],
  ["no nickname", form(FORM_MUC_REGISTER, {})],
  ["no decision", form(FORM_MUC_REGISTER, { "muc#register_roomnick": "Ana", "muc#register_allow": "" })],
])("XEP-0045 §7.10: bad-request for %s", (_, wrong) => {
  expect(() => parseNickRegistration(wrong)).toThrow(bad);
});
