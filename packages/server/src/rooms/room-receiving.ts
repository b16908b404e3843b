/** XEP-0045: which transition a stanza is for. */
import {
  AdminGet,
  AdminSet,
  childNamed,
  FORM_MUC_REQUEST,
  Form,
  formTypeOf,
  type Iq,
  idOf,
  isChild,
  type Jid,
  type Message,
  MucJoin,
  type MucUser,
  MucUserPayload,
  NS_DATA_FORMS,
  NS_MUC,
  NS_MUC_ADMIN,
  NS_MUC_OWNER,
  NS_MUC_USER,
  NS_REGISTER,
  OwnerSet,
  type Payload,
  type Presence,
  presence,
  readChild,
  type Stanza,
  type StanzaCondition,
  StanzaError,
  stanzaErrorOf,
} from "@kith/protocol";
import { administer, doerOf } from "./room-admin.ts";
import { changeAvailability, changeNickname } from "./room-changing.ts";
import { enter, resynchronise } from "./room-entering.ts";
import { decline, invite } from "./room-invitations.ts";
import { leave } from "./room-leaving.ts";
import { answerList } from "./room-lists.ts";
import { bounce, speak, whisper } from "./room-messages.ts";
import { NOTHING, type RoomOutputs, route } from "./room-model.ts";
import type { Session } from "./room-occupants.ts";
import { answerConfiguration, manage } from "./room-owner.ts";
import { forwardRequest, returnAnswer } from "./room-queries.ts";
import { answerRegistration, register } from "./room-registration.ts";
import { ownPresence } from "./room-stanzas.ts";
import type { RoomState } from "./room-state.ts";
import { handleVoiceForm } from "./room-voice.ts";

/** `undefined`: an IQ that is none of a room's. */
export const receive = (room: RoomState, stanza: Stanza, at: number): RoomOutputs | undefined => {
  const { from, to } = stanza;
  if (from === undefined || to === undefined || room.phase === "destroyed") return NOTHING;
  switch (stanza.kind) {
    case "presence":
      return receivePresence(room, stanza, from, to, at);
    case "message":
      return receiveMessage(room, stanza, from, to, at);
    case "iq":
      return receiveIq(room, stanza, from, to);
  }
};

// --- Presence ---

/** §17.3: only presence without a type enters, only "unavailable" leaves. */
const receivePresence = (room: RoomState, received: Presence, from: Jid, to: Jid, at: number): RoomOutputs => {
  const session = room.sessionOf(from);
  switch (received.type) {
    case "available":
      return receiveAvailable(room, received, from, to, at);
    case "unavailable":
      return session === undefined
        ? NOTHING
        : leave(room, session, { content: ownPresence(received, hasStatus(room, session)) });
    case "error":
      return session === undefined ? NOTHING : removeGhost(room, received, session);
    default:
      return NOTHING;
  }
};

const hasStatus = (room: RoomState, { occupant }: Session): boolean =>
  occupant.role !== "visitor" || room.configuration.allowVisitorStatus;

const receiveAvailable = (room: RoomState, received: Presence, from: Jid, to: Jid, at: number): RoomOutputs => {
  const session = room.sessionOf(from);
  const nick = to.resource;
  if (nick === undefined) throw new StanzaError("jid-malformed", { text: "a room is entered under a nickname" });
  const x = childNamed(received, NS_MUC, "x");
  const join = x === undefined ? undefined : MucJoin.parse(x);
  if (session === undefined)
    return join === undefined ? expel(room, from, to) : enter(room, received, from, nick, join, at);
  if (session.occupant.nick !== nick) {
    const changed = changeNickname(room, session, received, nick);
    return join === undefined ? changed : [...changed, ...resynchronise(room, session, undefined, join, at)];
  }
  if (join === undefined) return changeAvailability(room, session, received);
  const told = updatedOnEntry(room, session, received);
  return [...told, ...resynchronise(room, session, idOf(received), join, at)];
};

/** §17.3: others hear of it where the presence has changed; the client itself is told everything anyway. */
const updatedOnEntry = (room: RoomState, session: Session, received: Presence): RoomOutputs => {
  const own = ownPresence(received, hasStatus(room, session));
  if (own.payload === session.presence.payload) return NOTHING;
  return changeAvailability(room, session, received).filter(
    (output) => output.is !== "send" || output.to.length !== 1 || output.to[0] !== session.jid,
  );
};

/** §7.2.18: somebody who believes to be in the room, and is not. */
const expel = (room: RoomState, who: Jid, to: Jid): RoomOutputs => {
  const item = { affiliation: room.affiliationOf(who), role: "none" as const, reason: "You are not in the room." };
  const told = presence({ type: "unavailable", from: to, to: who }, [
    MucUserPayload.build({ items: [item], statuses: [110, 307, 333] }),
  ]);
  return [route(told)];
};

/** §18.1.2: errors that say that a client is not there. */
const GHOSTLY: ReadonlySet<StanzaCondition> = new Set<StanzaCondition>([
  "gone",
  "item-not-found",
  "recipient-unavailable",
  "redirect",
  "remote-server-not-found",
  "remote-server-timeout",
]);

const removeGhost = (room: RoomState, received: Stanza, session: Session): RoomOutputs =>
  GHOSTLY.has(stanzaErrorOf(received).condition) ? leave(room, session, { statuses: [333] }) : NOTHING;

// --- Messages ---

const receiveMessage = (room: RoomState, received: Message, from: Jid, to: Jid, at: number): RoomOutputs => {
  if (received.type === "error") return receiveError(room, received, from, to);
  if (to.resource !== undefined) return whisper(room, received, room.sessionFor(from, "not-acceptable"), to.resource);
  if (received.type === "groupchat") return speak(room, received, speaker(room, from), at);
  return receiveNormal(room, received, from, at);
};

const speaker = (room: RoomState, from: Jid): Session => {
  // §17.2: a room that is not open yet does not exist.
  if (room.phase !== "open" && room.sessionOf(from) === undefined)
    throw new StanzaError("item-not-found", { text: "there is no such room" });
  return room.sessionFor(from, "not-acceptable");
};

const receiveError = (room: RoomState, received: Message, from: Jid, to: Jid): RoomOutputs => {
  const session = room.sessionOf(from);
  if (session === undefined) return NOTHING;
  const removed = removeGhost(room, received, session);
  return removed.length > 0 || to.resource === undefined ? removed : bounce(room, received, session, to.resource);
};

/** To the room, but not to everybody: invitations (§7.8.2) and forms (§7.13, §8.6). */
const receiveNormal = (room: RoomState, received: Message, from: Jid, at: number): RoomOutputs => {
  const x = childNamed(received, NS_MUC_USER, "x");
  const { invites = [], decline: declined }: MucUser = x === undefined ? {} : MucUserPayload.parse(x);
  if (invites.length > 0) return invite(room, from, invites);
  if (declined !== undefined) return decline(room, from, declined);
  const form = childNamed(received, NS_DATA_FORMS, "x");
  const parsed = form === undefined ? undefined : Form.parse(form);
  // A moderator who cancels a form decides nothing.
  if (parsed?.type === "cancel") return NOTHING;
  if (parsed !== undefined && formTypeOf(parsed) === FORM_MUC_REQUEST) return handleVoiceForm(room, from, parsed, at);
  throw new StanzaError("bad-request", { text: "messages to everybody are of type groupchat" });
};

// --- IQs ---

const receiveIq = (room: RoomState, received: Iq, from: Jid, to: Jid): RoomOutputs | undefined => {
  const isAnswer = received.type === "result" || received.type === "error";
  if (to.resource !== undefined)
    return isAnswer ? returnAnswer(room, received, from) : forwardRequest(room, received, from, to.resource);
  if (isAnswer) return NOTHING;
  if (isChild(received, 0, NS_MUC_ADMIN, "query")) return receiveAdmin(room, received, from);
  if (isChild(received, 0, NS_MUC_OWNER, "query")) return receiveOwner(room, received, from);
  if (isChild(received, 0, NS_REGISTER, "query")) return receiveRegister(room, received, from);
  return undefined;
};

const receiveAdmin = (room: RoomState, received: Iq, from: Jid): RoomOutputs =>
  received.type === "get"
    ? answerList(room, received, from, payloadOf(received, AdminGet))
    : administer(room, received, from, payloadOf(received, AdminSet));

const receiveOwner = (room: RoomState, received: Iq, from: Jid): RoomOutputs =>
  received.type === "get"
    ? answerConfiguration(room, received, from)
    : manage(room, received, from, payloadOf(received, OwnerSet), doerOf(room, from));

const receiveRegister = (room: RoomState, received: Iq, from: Jid): RoomOutputs =>
  received.type === "get"
    ? answerRegistration(room, received, from)
    : register(room, received, from, readChild(received, 0));

const payloadOf = <T>(received: Iq, payload: Payload<T>): T => payload.parse(readChild(received, 0));
