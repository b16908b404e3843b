/** XEP-0045 §7.14, §11: leaving a room, of one's own accord or otherwise. */
import type { Affiliation, Destruction, Presence, StatusCode } from "@kith/protocol";
import { NOTHING, type RoomOutputs } from "./room-model.ts";
import type { Occupant, Session } from "./room-occupants.ts";
import { type Doer, type PresenceNews, standingNews, tellItself, tellOthers } from "./room-presence.ts";
import type { RoomState } from "./room-state.ts";

/** How somebody leaves. */
export interface Departure {
  /** A last word (§7.14). */
  readonly content?: Presence | undefined;
  readonly statuses?: readonly StatusCode[];
  readonly actor?: Doer | undefined;
  readonly reason?: string | undefined;
  /** What it is from now on, where that has changed too. */
  readonly affiliation?: Affiliation;
}

/** What those who leave are told, and what the others are. */
export interface Farewell {
  readonly kept: RoomOutputs;
  readonly toLeaving: RoomOutputs;
  readonly toOthers: RoomOutputs;
}

const newsOf = (room: RoomState, { jid, occupant }: Session, departure: Departure): PresenceNews => ({
  type: "unavailable",
  role: "none",
  affiliation: departure.affiliation ?? room.affiliationOf(occupant.account),
  content: departure.content,
  statuses: departure.statuses ?? [],
  actor: departure.actor,
  reason: departure.reason,
  jid,
});

/** One client leaves. The occupant goes with the last; with one of several it may be another one that now stands for it. */
export const leave = (room: RoomState, session: Session, departure: Departure = {}): RoomOutputs => {
  const { occupant } = session;
  const leader = occupant.leader;
  const news = newsOf(room, session, departure);
  // §10.1.3: whoever leaves a room before it has been configured is told that it is no more.
  const last = room.phase !== "open" && room.sessions.size === 1 ? { ...news, destroy: {} } : news;
  const toLeaving = tellItself(room, occupant, last, [session.jid]);
  const kept = room.removeSession(session);
  if (occupant.sessions.length === 0)
    return [kept, ...toLeaving, ...tellOthers(room, occupant, news), ...whatIsLeft(room)];
  if (leader !== session) return [kept, ...toLeaving];
  return [kept, ...toLeaving, ...tellOthers(room, occupant, standingNews(room, occupant))];
};

/** An occupant is removed with all its clients (§8.2, §9.1, §9.4, §10.2). */
export const removeOccupant = (room: RoomState, occupant: Occupant, departure: Departure): Farewell => {
  return removeOccupants(room, [occupant], departure);
};

/** Several at once: they do not watch each other go. */
export const removeOccupants = (room: RoomState, occupants: readonly Occupant[], departure: Departure): Farewell => {
  const leaving = occupants.map((occupant) => ({
    occupant,
    sessions: [...occupant.sessions],
    news: newsOf(room, occupant.leader, departure),
  }));
  const toLeaving = leaving.flatMap(({ occupant, sessions, news }) =>
    sessions.flatMap(({ jid }) => tellItself(room, occupant, { ...news, jid }, [jid])),
  );
  const kept = leaving.flatMap(({ sessions }) => sessions.map((session) => room.removeSession(session)));
  return { kept, toLeaving, toOthers: leaving.flatMap(({ occupant, news }) => tellOthers(room, occupant, news)) };
};

/** A temporary room ends with its last occupant (§7.14), and so does one that was never configured (§10.1.3). */
export const whatIsLeft = (room: RoomState): RoomOutputs => {
  if (room.occupantCount > 0 || room.phase === "destroyed") return NOTHING;
  if (room.phase === "open" && room.configuration.isPersistent) return NOTHING;
  room.phase = "destroyed";
  return [{ is: "destroyed" }];
};

/** Everybody is told of their own removal and nobody of the others' (§10.9, §11.2). */
export const removeEverybody = (room: RoomState, departure: Departure, destroy?: Destruction): RoomOutputs => {
  const outputs = [...room.sessions.values()].map((session) => {
    const news = newsOf(room, session, departure);
    const told = tellItself(room, session.occupant, destroy === undefined ? news : { ...news, destroy }, [session.jid]);
    return { session, told };
  });
  return outputs.flatMap(({ session, told }) => [room.removeSession(session), ...told]);
};
