/** XEP-0045 §7.4, §7.5, §8.1: what is said to everybody, to one occupant, and what it is all about. */
import {
  hasAffiliation,
  hasChild,
  type Message,
  MucUserPayload,
  NS_CONTENT,
  type Standing,
  StanzaError,
  withRawChild,
  writeElement,
} from "@kith/protocol";
import { type HistoryEntry, NOTHING, type RoomOutputs, send } from "./room-model.ts";
import type { Occupant, Session } from "./room-occupants.ts";
import { contentOf, isHistoric, isSubjectChange, keptMessage, ownMessage, reflected } from "./room-stanzas.ts";
import type { RoomState } from "./room-state.ts";

/** A message of type "groupchat" to the room. */
export const speak = (room: RoomState, received: Message, session: Session, at: number): RoomOutputs => {
  if (room.phase !== "open") refuse("item-not-found", "the room is not open yet");
  return isSubjectChange(received) ? changeSubject(room, received, session, at) : sayToAll(room, received, session, at);
};

const sayToAll = (room: RoomState, received: Message, session: Session, at: number): RoomOutputs => {
  const { occupant } = session;
  if (!hasVoice(room, occupant)) refuse("forbidden", "you have no voice here");
  checkPace(room, received, occupant, at);
  const said = reflected(ownMessage(received, room.jid), occupant.jid, occupant.occupantId, room.options.newId);
  const isArchived = isHistoric(received);
  const entry = entryOf(said, session, at, isArchived);
  if (isArchived) room.history.add(entry);
  return [{ is: "say", message: said, to: room.everyone, entry }];
};

const entryOf = (said: Message, { jid }: Session, at: number, isArchived: boolean): HistoryEntry => ({
  message: isArchived ? keptMessage(said) : said,
  stamp: at,
  stanzaId: undefined,
  sender: jid,
  isArchived,
});

/** Table 3: a visitor has none, but in a room that is not moderated, unless it was taken from them. */
export const hasVoice = (room: RoomState, { role, account }: Occupant): boolean =>
  role !== "visitor" || (!room.configuration.isModerated && room.recordOf(account.bare).voice !== "revoked");

/** XEP-0500 §5: one message in so many seconds, whatever clients and nicknames an account has; not for admins and owners. */
const checkPace = (room: RoomState, received: Message, { account }: Occupant, at: number): void => {
  const { slowMode } = room.configuration;
  if (slowMode === 0 || !hasChild(received, NS_CONTENT, "body")) return;
  if (hasAffiliation(room.affiliationOf(account), "admin")) return;
  const last = room.spoke.get(account.bare);
  if (last !== undefined && at - last < slowMode * 1000)
    throw new StanzaError("policy-violation", {
      type: "wait",
      text: `slow mode: one message in ${slowMode} seconds`,
    });
  noteMoment(room.spoke, account.bare, at, slowMode * 1000);
};

/** Remembers when somebody did something, and forgets the moments that no longer matter: the oldest are first. */
export const noteMoment = <K>(moments: Map<K, number>, who: K, at: number, lifetime: number): void => {
  moments.delete(who);
  moments.set(who, at);
  for (const [oldest, moment] of moments) {
    if (at - moment < lifetime) return;
    moments.delete(oldest);
  }
};

const changeSubject = (room: RoomState, received: Message, session: Session, at: number): RoomOutputs => {
  const { occupant } = session;
  if (!maySetSubject(room, occupant)) refuse("forbidden", "the subject is not yours to change");
  const said = reflected(ownMessage(received, room.jid), occupant.jid, occupant.occupantId, room.options.newId);
  const kept = room.setSubject({ ...contentOf(said), from: occupant.jid.full, stamp: at });
  return [kept, { is: "say", message: said, to: room.everyone, entry: entryOf(said, session, at, true) }];
};

/** §8.1: moderators, and participants where the configuration says so. */
const maySetSubject = (room: RoomState, { role }: Occupant): boolean =>
  role === "moderator" || (role === "participant" && room.configuration.changeSubject);

const EMPTY_MUC_USER = writeElement(MucUserPayload.build({}));

/** A message to one occupant (§7.5): to all its clients. */
export const whisper = (room: RoomState, received: Message, session: Session, nick: string): RoomOutputs => {
  const { occupant } = session;
  const standing: Standing = { role: occupant.role, affiliation: room.affiliationOf(occupant.account) };
  if (received.type === "groupchat") refuse("bad-request", "a message to everybody is addressed to the room");
  const addressee = room.occupantAt(nick) ?? refuse("item-not-found", "there is nobody of this nickname");
  if (!mayWhisper(room, standing)) refuse("forbidden", "private messages are not for you to send here");
  const own = ownMessage(received, room.jid);
  const passed = reflected(own, occupant.jid, occupant.occupantId, room.options.newId);
  return send(
    [withRawChild(passed, EMPTY_MUC_USER)],
    addressee.sessions.map(({ jid }) => jid),
  );
};

const mayWhisper = (room: RoomState, { role }: Standing): boolean => {
  switch (room.configuration.privateMessages) {
    case "anyone":
      return true;
    case "participants":
      return role !== "visitor";
    case "moderators":
      return role === "moderator";
    case "none":
      return false;
  }
};

/** An answer "this cannot be" to a private message, for whoever sent that. */
export const bounce = (room: RoomState, received: Message, session: Session, nick: string): RoomOutputs => {
  const addressee = room.occupantAt(nick);
  if (addressee === undefined) return NOTHING;
  const { occupant } = session;
  const passed = reflected(ownMessage(received, room.jid), occupant.jid, occupant.occupantId, room.options.newId);
  return send(
    [passed],
    addressee.sessions.map(({ jid }) => jid),
  );
};

const refuse = (condition: ConstructorParameters<typeof StanzaError>[0], text: string): never => {
  throw new StanzaError(condition, { text });
};
