/** XEP-0425: a moderator does away with a message. */
import { type Jid, message, moderatedRetraction, moderatedTombstone, StanzaError } from "@kith/protocol";
import type { HistoryEntry, RoomOutputs } from "./room-model.ts";
import type { RoomState } from "./room-state.ts";

/** Throws StanzaError "forbidden" for whoever is no moderator, "not-acceptable" for whoever is not in the room. */
export const checkModerator = (room: RoomState, who: Jid): void => {
  if (room.sessionFor(who, "not-acceptable").occupant.role !== "moderator")
    throw new StanzaError("forbidden", { text: "for moderators of the room" });
};

/**
 * The message with this id, which the room's archive gave it, is history no more, and everybody is told so by the room itself (§3.1).
 * That there is such a message is for the archive to know.
 */
export const moderate = (
  room: RoomState,
  who: Jid,
  id: string,
  reason: string | undefined,
  at: number,
): RoomOutputs => {
  checkModerator(room, who);
  const { jid: by, occupantId } = room.sessionFor(who, "not-acceptable").occupant;
  const moderation = { by, occupantId, reason };
  room.history.retract(id, moderatedTombstone({ stamp: at }, moderation));
  const told = message({ type: "groupchat", from: room.jid, id: room.options.newId() }, [
    moderatedRetraction(id, moderation),
  ]);
  const entry: HistoryEntry = { message: told, stamp: at, stanzaId: undefined, sender: room.jid, isArchived: true };
  return [{ is: "say", message: told, to: room.everyone, entry }];
};
