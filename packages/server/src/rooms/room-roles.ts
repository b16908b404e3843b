/** XEP-0045 §8.2 to §8.5, §9.6 to §9.8: what an occupant may do in this visit. */
import type { Role } from "@kith/protocol";
import { removeOccupant } from "./room-leaving.ts";
import { NOTHING, type RoomOutputs, type Told, UNTOLD } from "./room-model.ts";
import type { Occupant } from "./room-occupants.ts";
import { type Doer, roomRoster, standingNews, tellAll } from "./room-presence.ts";
import type { RoomState } from "./room-state.ts";

export interface RoleChange {
  readonly occupant: Occupant;
  readonly role: Role;
  readonly reason?: string | undefined;
}

/** The change, which may be made. Somebody who is removed is kicked (307). */
export const changeRole = (room: RoomState, { occupant, role, reason }: RoleChange, actor: Doer | undefined): Told => {
  // Named twice in one request, and gone by now.
  if (occupant.sessions.length === 0) return UNTOLD;
  if (role === "none") {
    const { kept, toLeaving, toOthers } = removeOccupant(room, occupant, { statuses: [307], actor, reason });
    return { kept, toRemoved: toLeaving, toOthers };
  }
  const before = occupant.role;
  const noted = noteVoice(room, occupant, role);
  if (before === role) return { ...UNTOLD, kept: noted };
  room.setRole(occupant, role);
  const news = { ...standingNews(room, occupant), actor, reason };
  const toOthers = [...tellAll(room, occupant, news), ...tellNewModerator(room, occupant, before)];
  return { kept: [...noted, ...room.keepOccupant(occupant)], toRemoved: NOTHING, toOthers };
};

/** A moderator sees addresses that others do not (§8): whoever has just become one is shown everybody anew. */
export const tellNewModerator = (room: RoomState, occupant: Occupant, before: Role): RoomOutputs => {
  const seesMore = room.seesAddresses(occupant.role) && !room.seesAddresses(before);
  return seesMore ? occupant.sessions.flatMap((session) => roomRoster(room, session)) : NOTHING;
};

/** §5.1: what has been said about somebody's voice holds when they come back. */
const noteVoice = (room: RoomState, { role, account }: Occupant, to: Role): RoomOutputs => {
  const record = room.recordOf(account.bare);
  if (to === "visitor") return room.setRecord(account.bare, { ...record, voice: "revoked" });
  const isGrant = role === "visitor" && to === "participant";
  if (isGrant && room.configuration.isModerated) return room.setRecord(account.bare, { ...record, voice: "granted" });
  return record.voice === "revoked" ? room.setRecord(account.bare, { ...record, voice: undefined }) : NOTHING;
};
