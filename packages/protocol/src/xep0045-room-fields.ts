/** XEP-0045 §16.5.3: the fields of a room's configuration, each read and written. */
import { parseUnsigned } from "./datatypes.ts";
import { StanzaError } from "./errors.ts";
import { booleanOf, type FormField } from "./xep0004-data-forms.ts";
import type { OccupantRole, RoomConfiguration } from "./xep0045-room-config.ts";
import { element } from "./xml/element.ts";

/** One field of the form and the part of the configuration it stands for. */
export interface RoomField {
  readonly var: string;
  /** Throws StanzaError "not-acceptable" for values that mean nothing. */
  readonly apply: (configuration: RoomConfiguration, values: readonly string[]) => RoomConfiguration;
  readonly build: (configuration: RoomConfiguration) => FormField;
}

/** How the values of a field are read and written. `undefined`: was not answered, stays as it is. */
interface Codec<T> {
  readonly type: FormField["type"];
  readonly read: (values: readonly string[]) => Reading<T>;
  readonly write: (value: T) => readonly string[];
  readonly options?: FormField["options"];
}
type Reading<T> = T | undefined | typeof WRONG | typeof LIFTED;
/** Means nothing; and: there shall be no limit, which is `undefined` in the configuration. */
const WRONG = Symbol("wrong");
const LIFTED = Symbol("lifted");

const field = <K extends keyof RoomConfiguration>(
  key: K,
  name: string,
  codec: Codec<RoomConfiguration[K]>,
  label: string,
  more: Pick<FormField, "desc" | "extensions"> = {},
): RoomField => ({
  var: name,
  apply: (configuration, values) => {
    const value = codec.read(values);
    if (value === WRONG) throw new StanzaError("not-acceptable", { text: `a value of ${name} means nothing here` });
    return value === undefined ? configuration : { ...configuration, [key]: value === LIFTED ? undefined : value };
  },
  build: (configuration) => ({
    var: name,
    type: codec.type,
    label,
    values: codec.write(configuration[key]),
    ...(codec.options === undefined ? {} : { options: codec.options }),
    ...more,
  }),
});
/** A field without a value has not been answered. */
const single =
  <T>(read: (value: string) => Reading<T>) =>
  ([value]: readonly string[]): Reading<T> =>
    value === undefined ? undefined : read(value);

const BOOLEAN: Codec<boolean> = {
  type: "boolean",
  read: single((value) => booleanOf(value.trim()) ?? WRONG),
  write: (value) => [value ? "1" : "0"],
};

const text = (maxLength: number, type: "text-single" | "text-private" = "text-single"): Codec<string> => ({
  type,
  // What has been emptied may come without any value.
  read: ([value = ""]) => (value.length <= maxLength ? value : WRONG),
  write: (value) => (value === "" ? [] : [value]),
});

const LANGUAGE_TAG = /^(?:[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)?$/;
const LANGUAGE: Codec<string> = {
  ...text(64),
  read: ([value = ""]) => (value.length <= 64 && LANGUAGE_TAG.test(value.trim()) ? value.trim() : WRONG),
};

const number = (max: number): Codec<number> => ({
  type: "text-single",
  read: single((value) => parseUnsigned(value, max) ?? WRONG),
  write: (value) => [String(value)],
});

const choice = <T extends string>(options: readonly { readonly value: T; readonly label: string }[]): Codec<T> => ({
  type: "list-single",
  read: single((value) => options.find((option) => option.value === value)?.value ?? WRONG),
  write: (value) => [value],
  options,
});

const ROLES_OF_OCCUPANTS: readonly { readonly value: OccupantRole; readonly label: string }[] = [
  { value: "moderator", label: "Moderators" },
  { value: "participant", label: "Participants" },
  { value: "visitor", label: "Visitors" },
];
const isRole = (value: string): boolean => ROLES_OF_OCCUPANTS.some((role) => role.value === value);
const ROLE_LIST: Codec<readonly OccupantRole[]> = {
  type: "list-multi",
  read: (values) =>
    values.every(isRole) ? ROLES_OF_OCCUPANTS.map(({ value }) => value).filter((role) => values.includes(role)) : WRONG,
  write: (roles) => roles,
  options: ROLES_OF_OCCUPANTS,
};

const SIZES = ["10", "20", "50", "100", "500", "1000", "5000"];
const MAX_USERS: Codec<number | undefined> = {
  type: "list-single",
  read: single((value) => (value === "none" ? LIFTED : parseUnsigned(value, MAX_INT) || WRONG)),
  write: (value) => [value === undefined ? "none" : String(value)],
  options: [...SIZES.map((size) => ({ value: size, label: size })), { value: "none", label: "Any number" }],
};
/** xs:int. */
const MAX_INT = 0x7fff_ffff;

const DAY_IN_SECONDS = 86_400;
/** XEP-0500 §"Security Considerations": a value that is none is not to be minded. */
const SLOW_MODE: Codec<number> = {
  ...number(DAY_IN_SECONDS),
  read: ([value = ""]) => parseUnsigned(value, DAY_IN_SECONDS),
};
const NS_VALIDATE = "http://jabber.org/protocol/xdata-validate";
const FROM_ZERO = element(NS_VALIDATE, "validate", { datatype: "xs:integer" }, [
  element(NS_VALIDATE, "range", { min: "0" }),
]);

const WHOIS = choice([
  { value: "moderators", label: "Moderators only" },
  { value: "anyone", label: "Anyone" },
]);
const PRIVATE_MESSAGES = choice([
  { value: "anyone", label: "Anyone" },
  { value: "participants", label: "Whoever has voice" },
  { value: "moderators", label: "Moderators only" },
  { value: "none", label: "Nobody" },
]);

/**
 * Registered fields, XEP-0500's, and those that other servers have under these names; the two in `urn:xmpp:kith` are Kith's own
 * (XEP-0068 §3.4: what is not registered names its namespace).
 */
export const ROOM_FIELDS: readonly RoomField[] = [
  field("name", "muc#roomconfig_roomname", text(256), "Name of the room"),
  field("description", "muc#roomconfig_roomdesc", text(2_048), "What the room is about"),
  field("language", "muc#roomconfig_lang", LANGUAGE, "Language that is spoken here"),
  field("isPersistent", "muc#roomconfig_persistentroom", BOOLEAN, "Keep the room when everybody has left?"),
  field("isPublic", "muc#roomconfig_publicroom", BOOLEAN, "Let people find the room?"),
  field("isMembersOnly", "muc#roomconfig_membersonly", BOOLEAN, "For members only?"),
  field("allowInvites", "muc#roomconfig_allowinvites", BOOLEAN, "May members invite others?"),
  field("isPasswordProtected", "muc#roomconfig_passwordprotectedroom", BOOLEAN, "Ask for a password?"),
  field("password", "muc#roomconfig_roomsecret", text(256, "text-private"), "Password"),
  field("whois", "muc#roomconfig_whois", WHOIS, "Who sees real addresses?"),
  field("maxUsers", "muc#roomconfig_maxusers", MAX_USERS, "How many people may be here at once?"),
  field("isModerated", "muc#roomconfig_moderatedroom", BOOLEAN, "Is voice given by moderators?"),
  field("allowVoiceRequests", "muc#roomconfig_allowvoicerequests", BOOLEAN, "May visitors ask for voice?"),
  field(
    "voiceRequestInterval",
    "muc#roomconfig_voicerequestmininterval",
    number(DAY_IN_SECONDS),
    "Seconds until voice may be asked for again",
  ),
  field("changeSubject", "muc#roomconfig_changesubject", BOOLEAN, "May participants change the subject?"),
  field("privateMessages", "muc#roomconfig_allowpm", PRIVATE_MESSAGES, "Who may send private messages?"),
  field("allowVisitorStatus", "muc#roomconfig_allowvisitorstatus", BOOLEAN, "Show the status texts of visitors?"),
  field("allowVisitorNickChange", "muc#roomconfig_allowvisitornickchange", BOOLEAN, "May visitors change nicknames?"),
  field("presenceBroadcast", "muc#roomconfig_presencebroadcast", ROLE_LIST, "Whose presence is shown?"),
  field("memberList", "muc#roomconfig_getmemberlist", ROLE_LIST, "Who may see the list of members?"),
  field("slowMode", "muc#roomconfig_slow_mode_duration", SLOW_MODE, "Seconds between two messages of one person", {
    desc: "0: no limit",
    extensions: [FROM_ZERO],
  }),
  field("maxHistory", "muc#maxhistoryfetch", number(MAX_INT), "Earlier messages shown on entering"),
  field("isArchived", "muc#roomconfig_enablearchiving", BOOLEAN, "Keep an archive for those who may enter?"),
  field("isLogged", "muc#roomconfig_enablelogging", BOOLEAN, "Publish what is said?"),
  field("allowRegistration", "{urn:xmpp:kith}roomconfig_registration", BOOLEAN, "May people register nicknames?"),
  field("locksNicknames", "{urn:xmpp:kith}roomconfig_locknicknames", BOOLEAN, "Hold people to registered nicknames?"),
  field("pubsub", "muc#roomconfig_pubsub", text(1_024), "Address of a node that belongs to the room"),
];
