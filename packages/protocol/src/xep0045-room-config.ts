/** XEP-0045 §10.1.3, §16.5.3: how a room is configured, and the form by which it is. XEP-0500: slow mode. */
import { StanzaError } from "./errors.ts";
import { type Jid, tryJid } from "./jid.ts";
import { type DataForm, FORM_TYPE, type FormField, fieldValues, formTypeOf } from "./xep0004-data-forms.ts";
import type { Role, RoomKind } from "./xep0045-privileges.ts";
import { ROOM_FIELDS } from "./xep0045-room-fields.ts";

export const FORM_ROOM_CONFIG = "http://jabber.org/protocol/muc#roomconfig";

/** Who sees real addresses: moderators in a semi-anonymous room, anyone in a non-anonymous one. */
export type Whois = "moderators" | "anyone";
/** Who may send private messages. */
export type PrivateMessages = "anyone" | "participants" | "moderators" | "none";
/** A role that an occupant can have. */
export type OccupantRole = Exclude<Role, "none">;

export interface RoomConfiguration extends RoomKind {
  /** For people; `""`: none. */
  readonly name: string;
  readonly description: string;
  /** A language tag (RFC 5646), or `""`. */
  readonly language: string;
  /** The URI of a node that belongs to the room, or `""`. */
  readonly pubsub: string;
  /** Lasts when everybody has left. */
  readonly isPersistent: boolean;
  /** Can be found. */
  readonly isPublic: boolean;
  readonly isPasswordProtected: boolean;
  /** Counts only where `isPasswordProtected`. */
  readonly password: string;
  readonly whois: Whois;
  /** `undefined`: no limit of the room's own. */
  readonly maxUsers: number | undefined;
  /** How many messages somebody who enters is shown at most. */
  readonly maxHistory: number;
  readonly privateMessages: PrivateMessages;
  /** May members of a members-only room invite others, who become members? */
  readonly allowInvites: boolean;
  /** May participants change the subject, not only moderators? */
  readonly changeSubject: boolean;
  /** What is said is published for everybody to read. */
  readonly isLogged: boolean;
  /** The room keeps an archive for those who may enter it (XEP-0313). */
  readonly isArchived: boolean;
  /** Whoever has one of these roles may see who the members are, as far as the room shows addresses. */
  readonly memberList: readonly OccupantRole[];
  /** Whose presence the others see. */
  readonly presenceBroadcast: readonly OccupantRole[];
  /** Seconds between two messages of one account; 0: any number of messages (XEP-0500). */
  readonly slowMode: number;
  readonly allowVoiceRequests: boolean;
  /** Seconds between two requests of one account. */
  readonly voiceRequestInterval: number;
  readonly allowVisitorStatus: boolean;
  readonly allowVisitorNickChange: boolean;
  /** May anybody register a nickname, and become a member by it? Not in a members-only room. */
  readonly allowRegistration: boolean;
  /** Whoever has registered a nickname goes by that one. */
  readonly locksNicknames: boolean;
}

/** A room as it is when nobody has said anything else. */
export const DEFAULT_ROOM_CONFIGURATION: RoomConfiguration = {
  name: "",
  description: "",
  language: "",
  pubsub: "",
  isPersistent: false,
  isPublic: true,
  isModerated: false,
  isMembersOnly: false,
  isPasswordProtected: false,
  password: "",
  whois: "moderators",
  maxUsers: undefined,
  maxHistory: 20,
  privateMessages: "anyone",
  allowInvites: false,
  changeSubject: false,
  isLogged: false,
  isArchived: true,
  memberList: ["moderator", "participant", "visitor"],
  presenceBroadcast: ["moderator", "participant", "visitor"],
  slowMode: 0,
  allowVoiceRequests: true,
  voiceRequestInterval: 60,
  allowVisitorStatus: true,
  allowVisitorNickChange: true,
  allowRegistration: true,
  locksNicknames: false,
};

/** What a configuration may ask for at most. */
export interface RoomConfigurationLimits {
  readonly maxUsers: number;
  readonly maxHistory: number;
}
export const ROOM_CONFIGURATION_LIMITS: RoomConfigurationLimits = { maxUsers: 100_000, maxHistory: 1_000 };

/** A configuration, and the accounts that shall be admins and owners: whole lists, not changes; `undefined`: as they are. */
export interface SubmittedConfiguration {
  readonly configuration: RoomConfiguration;
  readonly admins?: readonly Jid[] | undefined;
  readonly owners?: readonly Jid[] | undefined;
}

const ADMINS = "muc#roomconfig_roomadmins";
const OWNERS = "muc#roomconfig_roomowners";
/** Accounts in one of the two lists. */
const MAX_ACCOUNTS = 1_000;

/**
 * What an owner wants the configuration to be. What a form does not mention stays as it is; fields that are not known do not count.
 * Throws StanzaError "bad-request" for another kind of form, and "not-acceptable" for values that mean nothing here or are too much, or
 * for a password that is blank where one is needed (§10.1.3).
 */
export const parseRoomConfiguration = (
  form: DataForm,
  current: RoomConfiguration,
  limits: RoomConfigurationLimits = ROOM_CONFIGURATION_LIMITS,
): SubmittedConfiguration => {
  const type = formTypeOf(form);
  if (type !== undefined && type !== FORM_ROOM_CONFIG) throw new StanzaError("bad-request", { text: "another form" });
  let configuration = current;
  for (const field of ROOM_FIELDS) {
    const values = fieldValues(form, field.var);
    if (values !== undefined) configuration = field.apply(configuration, values);
  }
  checkRoomConfiguration(configuration, limits);
  return { configuration, admins: accountsIn(form, ADMINS), owners: accountsIn(form, OWNERS) };
};

/** Throws StanzaError "not-acceptable" for a configuration that no room may have. */
export const checkRoomConfiguration = (
  { isPasswordProtected, password, maxUsers, maxHistory }: RoomConfiguration,
  limits: RoomConfigurationLimits = ROOM_CONFIGURATION_LIMITS,
): void => {
  if (isPasswordProtected && password === "") refuse("a room that is protected by a password needs one");
  if (maxUsers !== undefined && maxUsers > limits.maxUsers) refuse(`at most ${limits.maxUsers} occupants`);
  if (maxHistory > limits.maxHistory) refuse(`at most ${limits.maxHistory} messages of history`);
};

/** The form to be filled in, with the values as they are (§10.1.3, §10.2). */
export const roomConfigurationForm = (
  room: Jid,
  { configuration, admins = [], owners = [] }: SubmittedConfiguration,
): DataForm => ({
  type: "form",
  title: `Configuration of ${room.bare}`,
  instructions: ["Change what shall be different."],
  fields: [
    { var: FORM_TYPE, type: "hidden", values: [FORM_ROOM_CONFIG] },
    ...ROOM_FIELDS.map((field) => field.build(configuration)),
    accountsField(ADMINS, "Administrators of the room", admins),
    accountsField(OWNERS, "Owners of the room", owners),
  ],
});

/** The filled-in form: every field, as a client submits it. */
export const submittedRoomConfiguration = ({ configuration, admins, owners }: SubmittedConfiguration): DataForm => ({
  type: "submit",
  fields: [
    { var: FORM_TYPE, type: "hidden", values: [FORM_ROOM_CONFIG] },
    ...ROOM_FIELDS.map((field) => ({ var: field.var, values: field.build(configuration).values })),
    ...(admins === undefined ? [] : [{ var: ADMINS, values: admins.map(({ bare }) => bare) }]),
    ...(owners === undefined ? [] : [{ var: OWNERS, values: owners.map(({ bare }) => bare) }]),
  ],
});

const accountsField = (name: string, label: string, accounts: readonly Jid[]): FormField => ({
  var: name,
  type: "jid-multi",
  label,
  values: accounts.map(({ bare }) => bare),
});

const accountsIn = (form: DataForm, name: string): readonly Jid[] | undefined => {
  const values = fieldValues(form, name);
  if (values === undefined) return undefined;
  if (values.length > MAX_ACCOUNTS) refuse("too many accounts");
  return values.filter((value) => value.trim() !== "").map(accountOf);
};
const accountOf = (text: string): Jid => {
  const account = tryJid(text.trim())?.toBare();
  return account?.local === undefined ? refuse(`${text.slice(0, 80)} is no account`) : account;
};

const refuse = (text: string): never => {
  throw new StanzaError("not-acceptable", { text });
};
