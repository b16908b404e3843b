/** XEP-0045 §7.2: entering a room. */
import {
  type Affiliation,
  element,
  hasAffiliation,
  idOf,
  initialRole,
  type Jid,
  type JoinRequest,
  type Message,
  message,
  type OccupantRole,
  type Presence,
  parseJid,
  StanzaError,
  type StatusCode,
  withPayload,
  withRawChild,
} from "@kith/protocol";
import { delayBy } from "./room-history.ts";
import { type AffiliationRecord, keep, NOTHING, type RoomOutputs, send } from "./room-model.ts";
import { checkNickname } from "./room-nicknames.ts";
import type { Occupant, Session } from "./room-occupants.ts";
import { roomRoster, standingNews, tellItself, tellOthers } from "./room-presence.ts";
import { ownPresence, priorityOf } from "./room-stanzas.ts";
import type { RoomState } from "./room-state.ts";

/** Somebody who is not in the room wants in. Throws the errors of §7.2.17. */
export const enter = (room: RoomState, received: Presence, who: Jid, asked: string, join: JoinRequest, at: number) => {
  const affiliation = room.affiliationOf(who);
  checkEntry(room, affiliation, join);
  const nick = nicknameFor(room, who, asked);
  checkNickname(nick, room.limits.nickname);
  checkNickIsFree(room, who, nick);
  const there = room.occupantLike(nick);
  checkPlace(room, who, affiliation, there);
  checkPresenceSize(room, received);
  const isNew = room.phase === "created";
  const occupant = there ?? room.addOccupant(who, nick, roleOnEntry(room, who, affiliation));
  const before = there?.leader;
  const own = ownPresence(received, occupant.role !== "visitor" || room.configuration.allowVisitorStatus);
  const session = room.addSession(occupant, who, own, priorityOf(received));
  if (isNew) room.begin();
  const isChanged = occupant.nick !== asked;
  const outputs: RoomOutputs = [
    ...(isNew ? keepAll(room) : NOTHING),
    ...roomRoster(room, session),
    ...(occupant.leader === before ? NOTHING : tellOthers(room, occupant, standingNews(room, occupant))),
    ...selfPresence(room, session, idOf(received), [
      ...(isNew ? [201 as const] : []),
      ...(isChanged ? [210 as const] : []),
    ]),
    ...whatWasSaid(room, session, join, at),
  ];
  return [...room.keepOccupant(occupant), ...outputs];
};

/** A client that is in the room enters once more: it has lost its way and is sent everything again (§7.2.1, §17.3). */
export const resynchronise = (
  room: RoomState,
  session: Session,
  id: string | undefined,
  join: JoinRequest,
  at: number,
): RoomOutputs => [
  ...roomRoster(room, session),
  ...selfPresence(room, session, id, []),
  ...whatWasSaid(room, session, join, at),
];

/** A new room writes down what it is. */
const keepAll = (room: RoomState): RoomOutputs => [
  keep({ what: "room", value: room.settings }),
  ...Array.from(room.affiliated, ([jid, value]) => keep({ what: "affiliation", jid, value })),
];

const checkEntry = (room: RoomState, affiliation: Affiliation, { password }: JoinRequest): void => {
  const { isMembersOnly, isPasswordProtected, password: secret } = room.configuration;
  // §7.2.10. The owner may come in with a second client.
  if (room.phase !== "open" && affiliation !== "owner") refuse("item-not-found", "the room is not open yet");
  if (affiliation === "outcast") refuse("forbidden", "you are banned from this room");
  if (isMembersOnly && affiliation === "none") refuse("registration-required", "the room is for members only");
  if (isPasswordProtected && password !== secret) refuse("not-authorized", "the room asks for a password");
};

/** §7.10: where nicknames are locked down, who has registered one goes by it. */
const nicknameFor = (room: RoomState, who: Jid, asked: string): string => {
  const reserved = room.configuration.locksNicknames ? room.recordOf(who.bare).nick : undefined;
  return reserved ?? asked;
};

/** §7.2.8: the nickname is neither somebody else's, nor reserved for somebody else. */
export const checkNickIsFree = (room: RoomState, who: Jid, nick: string): void => {
  const there = room.occupantLike(nick);
  if (there !== undefined && (there.account.bare !== who.bare || there.nick !== nick))
    refuse("conflict", "somebody else has this nickname");
  const owner = room.reservedFor(nick);
  if (owner !== undefined && owner !== who.bare) refuse("conflict", "the nickname is reserved for somebody else");
};

/** §7.2.9. Another client of somebody who is there takes no place. */
const checkPlace = (room: RoomState, who: Jid, affiliation: Affiliation, there: Occupant | undefined): void => {
  if (there !== undefined) {
    if (there.sessions.length >= room.limits.sessionsPerNick)
      throw new StanzaError("resource-constraint", { text: "too many clients under this nickname" });
    return;
  }
  if (room.occupantsOf(who.bare).length >= room.limits.nicksPerAccount)
    throw new StanzaError("resource-constraint", { text: "too many nicknames for one account" });
  const places = room.configuration.maxUsers ?? room.limits.maxUsers;
  const reserved = hasAffiliation(affiliation, "admin") ? room.limits.reservedPlaces : 0;
  if (room.occupantCount >= places + reserved)
    throw new StanzaError("service-unavailable", { type: "wait", text: "the room is full" });
};

/** Everybody is sent it, and everybody who comes later. Throws StanzaError "policy-violation". */
export const checkPresenceSize = (room: RoomState, { payload }: Presence): void => {
  if (payload.length > room.limits.presence)
    throw new StanzaError("policy-violation", { text: `presence in a room has at most ${room.limits.presence} bytes` });
};

/** The role by affiliation and kind of room (§5.1.2), and by what moderators have said about voice before (§5.1). */
const roleOnEntry = (room: RoomState, who: Jid, affiliation: Affiliation): OccupantRole => {
  const role = initialRole(affiliation, room.configuration);
  // Whoever may not enter has been refused.
  if (role === undefined || role === "none") return "visitor";
  return withVoice(role, room.recordOf(who.bare));
};

const withVoice = (role: OccupantRole, { voice }: AffiliationRecord): OccupantRole => {
  if (role === "visitor" && voice === "granted") return "participant";
  return role === "participant" && voice === "revoked" ? "visitor" : role;
};

/** §7.2.2, §7.2.3, §7.2.12: oneself, and what one has to know of the room. */
const selfPresence = (
  room: RoomState,
  session: Session,
  id: string | undefined,
  statuses: readonly StatusCode[],
): RoomOutputs => {
  const { whois, isLogged } = room.configuration;
  const ownStatuses: StatusCode[] = [...statuses];
  if (whois === "anyone") ownStatuses.push(100);
  if (isLogged) ownStatuses.push(170);
  return tellItself(
    room,
    session.occupant,
    { ...standingNews(room, session.occupant), jid: session.jid, ownStatuses, id },
    [session.jid],
  );
};

/** §7.1: history, then the subject, then whatever happens. */
const whatWasSaid = (room: RoomState, { jid }: Session, { history = {} }: JoinRequest, at: number): RoomOutputs => [
  ...send(room.historyFor(jid, history, at), [jid]),
  ...send([subjectMessage(room)], [jid]),
];

/** §7.2.15: the subject as it stands, stamped with the time of its change; an empty one by the room where there never was one. */
const subjectMessage = (room: RoomState): Message => {
  const { subject, options } = room;
  const id = options.newId();
  if (subject === undefined) return message({ type: "groupchat", from: room.jid, id }, [element("", "subject")]);
  const set = message({ type: "groupchat", from: parseJid(subject.from), id, lang: subject.lang });
  return withRawChild(withPayload(set, subject.payload, subject.index), delayBy(room.jid, subject.stamp));
};

const refuse = (condition: ConstructorParameters<typeof StanzaError>[0], text: string): never => {
  throw new StanzaError(condition, { text });
};
