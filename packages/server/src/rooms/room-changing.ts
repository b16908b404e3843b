/** XEP-0045 §7.6, §7.7: another nickname, another availability. */
import { idOf, type Jid, type Presence, StanzaError } from "@kith/protocol";
import { checkNickIsFree, checkPresenceSize } from "./room-entering.ts";
import type { RoomOutputs } from "./room-model.ts";
import { checkNickname, nickKey } from "./room-nicknames.ts";
import type { Occupant, Session } from "./room-occupants.ts";
import { standingNews, tellItself, tellOthers } from "./room-presence.ts";
import { ownPresence, priorityOf } from "./room-stanzas.ts";
import type { RoomState } from "./room-state.ts";

/** Availability (§7.7). Where another client stands for the occupant, only the one that spoke hears of it. */
export const changeAvailability = (room: RoomState, session: Session, received: Presence): RoomOutputs => {
  checkPresenceSize(room, received);
  update(room, session, received);
  const { occupant } = session;
  const news = standingNews(room, occupant);
  const others = occupant.sessions.filter((sibling) => sibling !== session).map(({ jid }) => jid);
  const isShown = occupant.leader === session;
  const told = [
    ...tellItself(room, occupant, { ...news, id: idOf(received) }, [session.jid]),
    ...(isShown ? [...tellItself(room, occupant, news, others), ...tellOthers(room, occupant, news)] : []),
  ];
  return [...room.keepOccupant(occupant), ...told];
};

/** A nickname (§7.6): the occupant takes all its clients along. Throws "conflict", "not-acceptable", "not-allowed". */
export const changeNickname = (room: RoomState, session: Session, received: Presence, nick: string): RoomOutputs => {
  const { occupant } = session;
  checkNewNickname(room, occupant, session.jid, nick);
  checkPresenceSize(room, received);
  const gone = { ...standingNews(room, occupant), type: "unavailable" as const, content: undefined, nick };
  const farewell = [
    ...tellItself(room, occupant, { ...gone, statuses: [303] }),
    ...tellOthers(room, occupant, { ...gone, statuses: [303] }),
  ];
  room.rename(occupant, nick);
  update(room, session, received);
  const news = standingNews(room, occupant);
  const others = occupant.sessions.filter((sibling) => sibling !== session).map(({ jid }) => jid);
  return [
    ...room.keepOccupant(occupant),
    ...farewell,
    ...tellItself(room, occupant, { ...news, id: idOf(received) }, [session.jid]),
    ...tellItself(room, occupant, news, others),
    ...tellOthers(room, occupant, news),
  ];
};

const checkNewNickname = (room: RoomState, occupant: Occupant, who: Jid, nick: string): void => {
  const { locksNicknames, allowVisitorNickChange } = room.configuration;
  if (occupant.role === "visitor" && !allowVisitorNickChange)
    throw new StanzaError("not-allowed", { text: "visitors keep their nicknames" });
  const reserved = locksNicknames ? room.recordOf(who.bare).nick : undefined;
  if (reserved !== undefined && reserved !== nick)
    throw new StanzaError("not-acceptable", { type: "cancel", text: "you have registered another nickname" });
  checkNickname(nick, room.limits.nickname);
  // One's own nickname, written another way.
  if (nickKey(nick) === nickKey(occupant.nick)) return;
  if (room.occupantLike(nick) !== undefined) throw new StanzaError("conflict", { text: "the nickname is in use" });
  checkNickIsFree(room, who, nick);
};

const update = (room: RoomState, session: Session, received: Presence): void => {
  const isStatusShown = session.occupant.role !== "visitor" || room.configuration.allowVisitorStatus;
  room.updateSession(session, ownPresence(received, isStatusShown), priorityOf(received));
};
