/** XEP-0045 §6.4, §16.3, §16.5.4: what a room says of itself. */
import { parseUnsigned } from "./datatypes.ts";
import type { Jid } from "./jid.ts";
import { booleanOf, type DataForm, FORM_TYPE, type FormField, fieldValue, fieldValues } from "./xep0004-data-forms.ts";
import { FEATURE_STABLE_ID, NS_MUC } from "./xep0045-muc.ts";
import type { RoomConfiguration } from "./xep0045-room-config.ts";

export const FORM_ROOM_INFO = "http://jabber.org/protocol/muc#roominfo";

/** The features that say of what kind a room is (§16.3), and that it reflects ids (§7.4). */
export const roomFeatures = (configuration: RoomConfiguration): readonly string[] => [
  NS_MUC,
  FEATURE_STABLE_ID,
  configuration.isPublic ? "muc_public" : "muc_hidden",
  configuration.isPersistent ? "muc_persistent" : "muc_temporary",
  configuration.isMembersOnly ? "muc_membersonly" : "muc_open",
  configuration.isModerated ? "muc_moderated" : "muc_unmoderated",
  configuration.isPasswordProtected ? "muc_passwordprotected" : "muc_unsecured",
  configuration.whois === "anyone" ? "muc_nonanonymous" : "muc_semianonymous",
];

/** What else there is to know (§6.4, §16.5.4; XEP-0486, XEP-0500, XEP-0317). `undefined`: is not told. */
export interface RoomInfo {
  readonly description?: string | undefined;
  readonly contacts?: readonly Jid[] | undefined;
  readonly subject?: string | undefined;
  /** May participants change the subject? */
  readonly subjectMay?: boolean | undefined;
  readonly occupants?: number | undefined;
  readonly ldapGroup?: string | undefined;
  readonly language?: string | undefined;
  readonly logs?: string | undefined;
  readonly maxHistory?: number | undefined;
  readonly pubsub?: string | undefined;
  /** XEP-0486: SHA-1 of each picture, in hexadecimal. */
  readonly avatarHashes?: readonly string[] | undefined;
  /** XEP-0500: seconds. */
  readonly slowMode?: number | undefined;
  /** XEP-0317 §2: changes when the room's hats do. */
  readonly hatsHash?: string | undefined;
}

/** The form in a room's disco#info. */
export const roomInfoForm = (info: RoomInfo): DataForm => ({
  type: "result",
  fields: [
    { var: FORM_TYPE, type: "hidden", values: [FORM_ROOM_INFO] },
    ...single("muc#roominfo_description", "Description", info.description),
    ...several(
      "muc#roominfo_contactjid",
      "jid-multi",
      "Contact addresses",
      info.contacts?.map(({ bare }) => bare),
    ),
    ...single("muc#roominfo_subject", "Subject", info.subject),
    ...several("muc#roominfo_subjectmod", "boolean", "Participants may change the subject", flag(info.subjectMay)),
    ...single("muc#roominfo_occupants", "Occupants", info.occupants),
    ...single("muc#roominfo_ldapgroup", "LDAP group", info.ldapGroup),
    ...single("muc#roominfo_lang", "Language", info.language),
    ...single("muc#roominfo_logs", "Logs", info.logs),
    ...single("muc#maxhistoryfetch", "Messages of history", info.maxHistory),
    ...single("muc#roomconfig_pubsub", "Associated node", info.pubsub),
    ...several("muc#roominfo_avatarhash", "text-multi", "Hashes of the avatar", info.avatarHashes),
    ...single("muc#roominfo_slow_mode_duration", "Seconds between messages", info.slowMode),
    ...single("hats#hash", "Hash of the hats", info.hatsHash),
  ],
});

/** Reads the form; what is not told, or cannot be read, is `undefined`. Addresses are left to whoever shows them. */
export const roomInfoOf = (form: DataForm): Omit<RoomInfo, "contacts"> & { readonly contacts?: readonly string[] } => ({
  description: fieldValue(form, "muc#roominfo_description"),
  contacts: fieldValues(form, "muc#roominfo_contactjid") ?? [],
  subject: fieldValue(form, "muc#roominfo_subject"),
  subjectMay: booleanOf(fieldValue(form, "muc#roominfo_subjectmod")),
  occupants: count(form, "muc#roominfo_occupants"),
  ldapGroup: fieldValue(form, "muc#roominfo_ldapgroup"),
  language: fieldValue(form, "muc#roominfo_lang"),
  logs: fieldValue(form, "muc#roominfo_logs"),
  maxHistory: count(form, "muc#maxhistoryfetch"),
  pubsub: fieldValue(form, "muc#roomconfig_pubsub"),
  avatarHashes: fieldValues(form, "muc#roominfo_avatarhash"),
  slowMode: count(form, "muc#roominfo_slow_mode_duration") ?? 0,
  hatsHash: fieldValue(form, "hats#hash"),
});

const count = (form: DataForm, name: string): number | undefined => {
  const value = fieldValue(form, name);
  return value === undefined ? undefined : parseUnsigned(value);
};

const flag = (value: boolean | undefined): readonly string[] | undefined =>
  value === undefined ? undefined : [value ? "1" : "0"];

const single = (name: string, label: string, value: string | number | undefined): readonly FormField[] =>
  several(name, "text-single", label, value === undefined ? undefined : [String(value)]);

const several = (
  name: string,
  type: FormField["type"],
  label: string,
  values: readonly string[] | undefined,
): readonly FormField[] => (values === undefined ? [] : [{ var: name, type, label, values }]);
