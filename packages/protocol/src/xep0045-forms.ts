/** XEP-0045 §7.10, §7.13, §8.6, §9.9: forms by which voice and nicknames are asked for and granted. */
import { StanzaError } from "./errors.ts";
import { type Jid, tryJid } from "./jid.ts";
import { booleanOf, type DataForm, FORM_TYPE, type FormField, fieldValue, formTypeOf } from "./xep0004-data-forms.ts";

export const FORM_MUC_REQUEST = "http://jabber.org/protocol/muc#request";
export const FORM_MUC_REGISTER = "http://jabber.org/protocol/muc#register";

/** A visitor's request for voice (§7.13), or what a moderator makes of it (§8.6). */
export type VoiceForm =
  | { readonly is: "request" }
  | { readonly is: "decision"; readonly nick: string; readonly jid: Jid | undefined; readonly isGranted: boolean };

/** Reads a submitted form of muc#request. Throws StanzaError "bad-request" for any other. */
export const parseVoiceForm = (form: DataForm): VoiceForm => {
  if (form.type !== "submit" || formTypeOf(form) !== FORM_MUC_REQUEST) return refuse("no request for voice");
  const role = fieldValue(form, "muc#role");
  if (role !== undefined && role !== "participant") return refuse("voice is the only role that can be asked for");
  const allow = fieldValue(form, "muc#request_allow");
  if (allow === undefined) return role === undefined ? refuse("which role?") : { is: "request" };
  const jid = fieldValue(form, "muc#jid");
  return {
    is: "decision",
    nick: fieldValue(form, "muc#roomnick") ?? refuse("whose voice?"),
    jid: jid === undefined ? undefined : tryJid(jid),
    isGranted: booleanOf(allow) ?? refuse("granted or not?"),
  };
};

/** What a visitor sends (§7.13). */
export const voiceRequestForm = (): DataForm => ({
  type: "submit",
  fields: [formType(FORM_MUC_REQUEST), { var: "muc#role", type: "list-single", values: ["participant"] }],
});

/** What a moderator is sent (§8.6). */
export const voiceApprovalForm = (jid: Jid, nick: string): DataForm => ({
  type: "form",
  title: "Request for voice",
  instructions: ["Grant voice to this person, or leave it at that."],
  fields: [
    formType(FORM_MUC_REQUEST),
    { var: "muc#role", type: "list-single", label: "Requested role", values: ["participant"] },
    { var: "muc#jid", type: "jid-single", label: "Address", values: [jid.full] },
    { var: "muc#roomnick", type: "text-single", label: "Nickname", values: [nick] },
    { var: "muc#request_allow", type: "boolean", label: "Grant voice to this person?", values: ["0"] },
  ],
});

/** What a moderator sends back (§8.6). */
export const voiceDecisionForm = (jid: Jid, nick: string, isGranted: boolean): DataForm => ({
  type: "submit",
  fields: [
    formType(FORM_MUC_REQUEST),
    { var: "muc#role", values: ["participant"] },
    { var: "muc#jid", values: [jid.full] },
    { var: "muc#roomnick", values: [nick] },
    { var: "muc#request_allow", values: [isGranted ? "1" : "0"] },
  ],
});

/** What somebody registers with (§7.10, §16.5.1). The room needs a nickname; the rest is for whoever approves. */
export interface NickRegistration {
  readonly nick: string;
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  readonly url?: string | undefined;
  readonly email?: string | undefined;
  readonly faqEntry?: string | undefined;
  /** What an admin decides (§9.9). */
  readonly isAllowed?: boolean | undefined;
}

/** Reads a submitted form of muc#register. Throws StanzaError "bad-request" for any other, and where no nickname is in it. */
export const parseNickRegistration = (form: DataForm): NickRegistration => {
  if (form.type !== "submit" || formTypeOf(form) !== FORM_MUC_REGISTER) return refuse("no registration with a room");
  const allow = fieldValue(form, "muc#register_allow");
  return {
    nick: fieldValue(form, "muc#register_roomnick") ?? refuse("which nickname?"),
    first: fieldValue(form, "muc#register_first"),
    last: fieldValue(form, "muc#register_last"),
    url: fieldValue(form, "muc#register_url"),
    email: fieldValue(form, "muc#register_email"),
    faqEntry: form.fields.find((field) => field.var === "muc#register_faqentry")?.values?.join("\n"),
    isAllowed: allow === undefined ? undefined : (booleanOf(allow) ?? refuse("allowed or not?")),
  };
};

/** What a room asks for: a nickname (§7.10). */
export const nickRegistrationForm = (nick?: string): DataForm => ({
  type: "form",
  title: "Registration of a nickname",
  instructions: ["The nickname is kept for you in this room."],
  fields: [
    formType(FORM_MUC_REGISTER),
    {
      var: "muc#register_roomnick",
      type: "text-single",
      label: "Nickname",
      required: true,
      ...(nick === undefined ? {} : { values: [nick] }),
    },
  ],
});

/** A registration as it is submitted, by somebody who wants one or by an admin who decides (§7.10, §9.9). */
export const submittedNickRegistration = (registration: NickRegistration): DataForm => {
  const { nick, first, last, url, email, faqEntry, isAllowed } = registration;
  const given: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["muc#register_roomnick", [nick]],
    ["muc#register_first", listed(first)],
    ["muc#register_last", listed(last)],
    ["muc#register_url", listed(url)],
    ["muc#register_email", listed(email)],
    ["muc#register_faqentry", faqEntry?.split("\n")],
    ["muc#register_allow", isAllowed === undefined ? undefined : [isAllowed ? "1" : "0"]],
  ];
  const fields = given.flatMap(([name, values]) => (values === undefined ? [] : [{ var: name, values }]));
  return { type: "submit", fields: [formType(FORM_MUC_REGISTER), ...fields] };
};

const listed = (value: string | undefined): readonly string[] | undefined =>
  value === undefined ? undefined : [value];

const formType = (type: string): FormField => ({ var: FORM_TYPE, type: "hidden", values: [type] });

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};
