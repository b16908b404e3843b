export { type AffiliatedView, type OccupantView, Room } from "./room.ts";
export type { AffiliationChange } from "./room-affiliations.ts";
export type { RoomHistory } from "./room-history.ts";
export {
  type AffiliationRecord,
  type HistoryEntry,
  ROOM_LIMITS,
  type RoomData,
  type RoomKeeping,
  type RoomLimits,
  type RoomOptions,
  type RoomOutput,
  type RoomOutputs,
  type RoomSettings,
  type SessionData,
  type SubjectData,
} from "./room-model.ts";
export { nickKey } from "./room-nicknames.ts";
