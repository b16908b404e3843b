import { describe, expect, test } from "vitest";
import { parseJid } from "./jid.ts";
import { type DataForm, fieldValue, fieldValues } from "./xep0004-data-forms.ts";
import {
  checkRoomConfiguration,
  DEFAULT_ROOM_CONFIGURATION as DEFAULT,
  FORM_ROOM_CONFIG,
  parseRoomConfiguration,
  type RoomConfiguration,
  roomConfigurationForm,
  submittedRoomConfiguration,
} from "./xep0045-room-config.ts";
import { roomFeatures, roomInfoForm, roomInfoOf } from "./xep0045-room-info.ts";

const ROOM = parseJid("den@rooms.example");
const FORM_TYPE = { var: "FORM_TYPE", type: "hidden" as const, values: [FORM_ROOM_CONFIG] };
const submit = (fields: Readonly<Record<string, readonly string[]>>): DataForm => ({
  type: "submit",
  fields: [FORM_TYPE, ...Object.entries(fields).map(([name, values]) => ({ var: name, values }))],
});
const refusal = (condition: string) => expect.objectContaining({ condition });

const EVERYTHING: RoomConfiguration = {
  name: "The Den",
  description: "Talk & tea",
  language: "pt-BR",
  pubsub: "xmpp:pubsub.example?;node=den",
  isPersistent: true,
  isPublic: false,
  isModerated: true,
  isMembersOnly: true,
  isPasswordProtected: true,
  password: "sesame",
  whois: "anyone",
  maxUsers: 50,
  maxHistory: 5,
  privateMessages: "participants",
  allowInvites: true,
  changeSubject: true,
  isLogged: true,
  isArchived: false,
  memberList: ["moderator"],
  presenceBroadcast: ["moderator", "participant"],
  slowMode: 20,
  allowVoiceRequests: false,
  voiceRequestInterval: 300,
  allowVisitorStatus: false,
  allowVisitorNickChange: false,
  allowRegistration: false,
  locksNicknames: true,
};

/** The field as it is registered (§16.5.3, XEP-0500), two values of it, and what they stand for. */
const FIELDS: readonly [string, string, keyof RoomConfiguration, readonly string[], unknown][] = [
  ["muc#maxhistoryfetch", "text-single", "maxHistory", ["0"], 0],
  ["muc#roomconfig_allowpm", "list-single", "privateMessages", ["none"], "none"],
  ["muc#roomconfig_allowinvites", "boolean", "allowInvites", ["true"], true],
  ["muc#roomconfig_changesubject", "boolean", "changeSubject", ["1"], true],
  ["muc#roomconfig_enablelogging", "boolean", "isLogged", ["1"], true],
  [
    "muc#roomconfig_getmemberlist",
    "list-multi",
    "memberList",
    ["participant", "moderator"],
    ["moderator", "participant"],
  ],
  ["muc#roomconfig_lang", "text-single", "language", ["en"], "en"],
  ["muc#roomconfig_pubsub", "text-single", "pubsub", ["xmpp:p.example?;node=n"], "xmpp:p.example?;node=n"],
  ["muc#roomconfig_maxusers", "list-single", "maxUsers", ["30"], 30],
  ["muc#roomconfig_membersonly", "boolean", "isMembersOnly", ["1"], true],
  ["muc#roomconfig_moderatedroom", "boolean", "isModerated", ["1"], true],
  ["muc#roomconfig_persistentroom", "boolean", "isPersistent", ["1"], true],
  ["muc#roomconfig_presencebroadcast", "list-multi", "presenceBroadcast", [], []],
  ["muc#roomconfig_publicroom", "boolean", "isPublic", ["false"], false],
  ["muc#roomconfig_roomdesc", "text-single", "description", ["Tea"], "Tea"],
  ["muc#roomconfig_roomname", "text-single", "name", ["Den"], "Den"],
  ["muc#roomconfig_roomsecret", "text-private", "password", ["sesame"], "sesame"],
  ["muc#roomconfig_whois", "list-single", "whois", ["anyone"], "anyone"],
  ["muc#roomconfig_slow_mode_duration", "text-single", "slowMode", ["20"], 20],
  ["muc#roomconfig_enablearchiving", "boolean", "isArchived", ["0"], false],
  ["muc#roomconfig_allowvoicerequests", "boolean", "allowVoiceRequests", ["0"], false],
  ["muc#roomconfig_voicerequestmininterval", "text-single", "voiceRequestInterval", ["0"], 0],
  ["muc#roomconfig_allowvisitorstatus", "boolean", "allowVisitorStatus", ["0"], false],
  ["muc#roomconfig_allowvisitornickchange", "boolean", "allowVisitorNickChange", ["0"], false],
  ["{urn:xmpp:kith}roomconfig_registration", "boolean", "allowRegistration", ["0"], false],
  ["{urn:xmpp:kith}roomconfig_locknicknames", "boolean", "locksNicknames", ["1"], true],
];

describe("XEP-0045 §16.5.3", () => {
  test.each(FIELDS)("%s is a %s for %s", (name, type, key, values, value) => {
    const { configuration } = parseRoomConfiguration(submit({ [name]: values }), DEFAULT);
    expect(configuration).toEqual({ ...DEFAULT, [key]: value });
    const field = roomConfigurationForm(ROOM, { configuration }).fields.find((candidate) => candidate.var === name);
    expect(field?.type).toBe(type);
    expect([...(field?.values ?? [])].sort()).toEqual(
      name.includes("publicroom") ? ["0"] : [...values].map((one) => (one === "true" ? "1" : one)).sort(),
    );
  });

  test("muc#roomconfig_passwordprotectedroom is a boolean, with a password", () => {
    const form = submit({ "muc#roomconfig_passwordprotectedroom": ["1"], "muc#roomconfig_roomsecret": ["sesame"] });
    expect(parseRoomConfiguration(form, DEFAULT).configuration).toMatchObject({
      isPasswordProtected: true,
      password: "sesame",
    });
  });

  test("everything there and back", () => {
    const submitted = {
      configuration: EVERYTHING,
      admins: [parseJid("ad@host.example")],
      owners: [parseJid("ow@host.example")],
    };
    const form = submittedRoomConfiguration(submitted);
    expect(parseRoomConfiguration(form, DEFAULT)).toEqual(submitted);
    expect(
      submittedRoomConfiguration({ configuration: DEFAULT }).fields.some(({ var: name }) =>
        name?.endsWith("roomadmins"),
      ),
    ).toBe(false);
  });

  test("the form lists admins and owners, and says of which room it is", () => {
    const form = roomConfigurationForm(ROOM, {
      configuration: DEFAULT,
      admins: [parseJid("ad@host.example")],
      owners: [parseJid("ow@host.example")],
    });
    expect(form.type).toBe("form");
    expect(form.title).toContain("den@rooms.example");
    expect(fieldValue(form, "FORM_TYPE")).toBe(FORM_ROOM_CONFIG);
    expect(fieldValues(form, "muc#roomconfig_roomadmins")).toEqual(["ad@host.example"]);
    expect(fieldValues(form, "muc#roomconfig_roomowners")).toEqual(["ow@host.example"]);
  });

  test("XEP-0500 §4.1: slow mode says that it counts from zero", () => {
    const field = roomConfigurationForm(ROOM, { configuration: DEFAULT }).fields.find(({ var: name }) =>
      name?.includes("slow_mode"),
    );
    expect(field?.extensions?.[0]).toMatchObject({ name: "validate", attributes: { datatype: "xs:integer" } });
  });
});

describe("XEP-0045 §10.1.3", () => {
  test("what a form does not mention stays, and what is not known does not count", () => {
    const form = submit({ "muc#roomconfig_roomname": ["Den"], "urn:other#field": ["x"], ["__proto__"]: ["x"] });
    expect(parseRoomConfiguration(form, EVERYTHING)).toEqual({
      configuration: { ...EVERYTHING, name: "Den" },
      admins: undefined,
      owners: undefined,
    });
  });

  test("an empty form changes nothing: an instant room", () => {
    expect(parseRoomConfiguration({ type: "submit", fields: [] }, DEFAULT).configuration).toEqual(DEFAULT);
  });

  test("a form of another kind is none", () => {
    const other: DataForm = { type: "submit", fields: [{ var: "FORM_TYPE", values: ["jabber:iq:search"] }] };
    expect(() => parseRoomConfiguration(other, DEFAULT)).toThrow(refusal("bad-request"));
  });

  test("a text that comes without a value has been emptied; a choice has not been made", () => {
    const form = submit({
      "muc#roomconfig_roomname": [],
      "muc#roomconfig_lang": [],
      "muc#roomconfig_whois": [],
      "muc#roomconfig_moderatedroom": [],
      "muc#roomconfig_maxusers": [],
    });
    expect(parseRoomConfiguration(form, EVERYTHING).configuration).toEqual({ ...EVERYTHING, name: "", language: "" });
  });

  test("no limit for occupants", () => {
    const form = submit({ "muc#roomconfig_maxusers": ["none"] });
    expect(parseRoomConfiguration(form, EVERYTHING).configuration.maxUsers).toBeUndefined();
  });

  test.each([
    ["muc#roomconfig_moderatedroom", "yes"],
    ["muc#roomconfig_whois", "none"],
    ["muc#roomconfig_whois", "toString"],
    ["muc#roomconfig_allowpm", ""],
    ["muc#roomconfig_maxusers", "0"],
    ["muc#roomconfig_maxusers", "-5"],
    ["muc#roomconfig_maxusers", "100001"],
    ["muc#roomconfig_maxusers", "9".repeat(400)],
    ["muc#maxhistoryfetch", "1001"],
    ["muc#maxhistoryfetch", "ten"],
    ["muc#roomconfig_presencebroadcast", "none"],
    ["muc#roomconfig_getmemberlist", "owner"],
    ["muc#roomconfig_lang", "en_US"],
    ["muc#roomconfig_lang", "en-".repeat(40)],
    ["muc#roomconfig_roomname", "x".repeat(257)],
    ["muc#roomconfig_roomdesc", "x".repeat(2049)],
    ["muc#roomconfig_roomsecret", "x".repeat(257)],
    ["muc#roomconfig_pubsub", "x".repeat(1025)],
    ["muc#roomconfig_voicerequestmininterval", "86401"],
    ["muc#roomconfig_passwordprotectedroom", "1"],
    ["muc#roomconfig_roomowners", "@"],
    ["muc#roomconfig_roomadmins", "host.example"],
  ])("%s: %s is not acceptable", (name, value) => {
    expect(() => parseRoomConfiguration(submit({ [name]: [value] }), DEFAULT)).toThrow(refusal("not-acceptable"));
  });

  test.each(["-1", "soon", "1.5", "86401"])("XEP-0500 §7: a duration of %s is not minded", (value) => {
    const form = submit({ "muc#roomconfig_slow_mode_duration": [value] });
    expect(parseRoomConfiguration(form, EVERYTHING).configuration).toEqual(EVERYTHING);
  });

  test("XEP-0500 §4.1: zero switches slow mode off", () => {
    const form = submit({ "muc#roomconfig_slow_mode_duration": ["0"] });
    expect(parseRoomConfiguration(form, EVERYTHING).configuration.slowMode).toBe(0);
  });

  test("accounts are bare, blank lines are none, and there is an end to them", () => {
    const lists = submit({
      "muc#roomconfig_roomadmins": ["ad@host.example/pad", " ", ""],
      "muc#roomconfig_roomowners": [],
    });
    expect(parseRoomConfiguration(lists, DEFAULT)).toMatchObject({ admins: [parseJid("ad@host.example")], owners: [] });
    const many = submit({
      "muc#roomconfig_roomadmins": Array.from({ length: 1001 }, (_, at) => `u${at}@host.example`),
    });
    expect(() => parseRoomConfiguration(many, DEFAULT)).toThrow(refusal("not-acceptable"));
  });

  test("limits are the service's", () => {
    const limits = { maxUsers: 10, maxHistory: 5 };
    expect(() => checkRoomConfiguration({ ...DEFAULT, maxHistory: 5, maxUsers: 10 }, limits)).not.toThrow();
    expect(() => checkRoomConfiguration({ ...DEFAULT, maxHistory: 6 }, limits)).toThrow(refusal("not-acceptable"));
    expect(() => checkRoomConfiguration({ ...DEFAULT, maxHistory: 5, maxUsers: 11 }, limits)).toThrow(
      refusal("not-acceptable"),
    );
  });
});

describe("XEP-0045 §6.4, §16.3", () => {
  test("the features of a room as it is made", () => {
    expect(roomFeatures(DEFAULT)).toEqual([
      "http://jabber.org/protocol/muc",
      "http://jabber.org/protocol/muc#stable_id",
      "muc_public",
      "muc_temporary",
      "muc_open",
      "muc_unmoderated",
      "muc_unsecured",
      "muc_semianonymous",
    ]);
  });

  test("and of one that is everything else", () => {
    expect(roomFeatures(EVERYTHING).slice(2)).toEqual([
      "muc_hidden",
      "muc_persistent",
      "muc_membersonly",
      "muc_moderated",
      "muc_passwordprotected",
      "muc_nonanonymous",
    ]);
  });

  test("§16.5.4, XEP-0486, XEP-0500, XEP-0317: what else there is to know, there and back", () => {
    const info = {
      description: "Tea",
      contacts: [parseJid("ow@host.example")],
      subject: "Biscuits",
      subjectMay: true,
      occupants: 3,
      ldapGroup: "cn=den",
      language: "en",
      logs: "https://logs.example/den",
      maxHistory: 20,
      pubsub: "xmpp:p.example?;node=n",
      avatarHashes: ["a31c", "b9b2"],
      slowMode: 20,
      hatsHash: "d0f8",
    };
    const form = roomInfoForm(info);
    expect(form.type).toBe("result");
    expect(fieldValue(form, "FORM_TYPE")).toBe("http://jabber.org/protocol/muc#roominfo");
    expect(roomInfoOf(form)).toEqual({ ...info, contacts: ["ow@host.example"] });
  });

  test("nothing to know", () => {
    const form = roomInfoForm({ subjectMay: false });
    expect(form.fields).toHaveLength(2);
    expect(roomInfoOf(form)).toMatchObject({ subjectMay: false, occupants: undefined, slowMode: 0, contacts: [] });
    expect(roomInfoOf({ type: "result", fields: [] }).subjectMay).toBeUndefined();
  });

  test("a number of occupants that is none", () => {
    const form: DataForm = {
      type: "result",
      fields: [
        { var: "muc#roominfo_occupants", values: ["lots"] },
        { var: "muc#roominfo_slow_mode_duration", values: ["-3"] },
      ],
    };
    expect(roomInfoOf(form)).toMatchObject({ occupants: undefined, slowMode: 0 });
  });
});
