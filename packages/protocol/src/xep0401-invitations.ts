/** XEP-0401: invitations as links, and the ad-hoc commands that make them. */

import { type Jid, tryJid } from "./jid.ts";
import { type DataForm, fieldValue, formTypeOf, standardForm } from "./xep0004-data-forms.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";

/** Makes a user invitation (§5.1). */
export const INVITE_COMMAND = "urn:xmpp:invite#invite";
/** Makes an account invitation (§5.4). */
export const CREATE_ACCOUNT_COMMAND = "urn:xmpp:invite#create-account";
export const INVITATION_FORM = "urn:xmpp:invite#invitation";

/** An invitation as its link says it (XEP-0379 §3.2, XEP-0401 §5.1, XEP-0445 §2). */
export type InvitationLink =
  /** To somebody's contact list; `registers`: or to an account on that server first. */
  | { readonly to: "contact"; readonly contact: Jid; readonly token: string; readonly registers: boolean }
  /** To an account, whose name may be settled: a bare JID or a domain. */
  | { readonly to: "account"; readonly account: Jid; readonly token: string };

/** RFC 5122 §2.2, RFC 3986 §2.3: everything but unreserved characters is escaped. */
const percent = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const addressOf = ({ local, domain }: Jid): string => {
  // An IPv6 address stands as it is, brackets included.
  const host = domain.startsWith("[") ? domain : percent(domain);
  return local === undefined ? host : `${percent(local)}@${host}`;
};

/** The `xmpp:` URI of an invitation (RFC 5122, XEP-0147). */
export const invitationUri = (link: InvitationLink): string => {
  const token = `preauth=${percent(link.token)}`;
  if (link.to === "account") return `xmpp:${addressOf(link.account)}?register;${token}`;
  return `xmpp:${addressOf(link.contact)}?roster;${token}${link.registers ? ";ibr=y" : ""}`;
};

const URI = /^xmpp:(?<address>[^?/#]+)\?(?<query>roster|register)(?<pairs>(?:;[^;#]*)*)$/i;

/** What an `xmpp:` URI invites to; `undefined` where it is no invitation. */
export const parseInvitationUri = (uri: string): InvitationLink | undefined => {
  const { address = "", query = "", pairs = "" } = URI.exec(uri)?.groups ?? {};
  const decoded = unescaped(address);
  const jid = decoded === undefined ? undefined : tryJid(decoded);
  const values = new Map(
    pairs
      .split(";")
      .slice(1)
      .map((pair): [string, string | undefined] => {
        const at = pair.indexOf("=");
        return at < 0 ? [pair, ""] : [pair.slice(0, at), unescaped(pair.slice(at + 1))];
      }),
  );
  const token = values.get("preauth");
  if (jid === undefined || !jid.isBare || token === undefined || token === "") return undefined;
  if (query.toLowerCase() === "register") return { to: "account", account: jid, token };
  return jid.local === undefined
    ? undefined
    : { to: "contact", contact: jid, token, registers: values.get("ibr") === "y" };
};

const unescaped = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** An invitation that has been made, as a command answers with it (§5.1). */
export interface Invitation {
  readonly uri: string;
  /** A page that explains it. */
  readonly landingUrl: string | undefined;
  /** Until when it is good, in milliseconds since 1970. */
  readonly expires: number | undefined;
}

export const invitationForm = ({ uri, landingUrl, expires }: Invitation): DataForm => {
  const form = standardForm("result", INVITATION_FORM, {
    uri: [uri],
    "landing-url": landingUrl === undefined ? undefined : [landingUrl],
    expire: expires === undefined ? undefined : [formatDateTime(expires)],
  });
  return { ...form, fields: form.fields.map((field) => ({ ...field, type: field.type ?? "text-single" })) };
};

/** Reads such a form; `undefined` where it is none. The text has `expire`, its registry `expiry`: both are taken. */
export const parseInvitationForm = (form: DataForm): Invitation | undefined => {
  const uri = fieldValue(form, "uri");
  if (uri === undefined || (formTypeOf(form) ?? INVITATION_FORM) !== INVITATION_FORM) return undefined;
  const expires = fieldValue(form, "expire") ?? fieldValue(form, "expiry");
  return {
    uri,
    landingUrl: fieldValue(form, "landing-url"),
    expires: expires === undefined ? undefined : parseDateTime(expires),
  };
};
