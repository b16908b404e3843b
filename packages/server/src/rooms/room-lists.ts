/** XEP-0045 §8.5, §9.2, §9.5, §9.8, §10.5, §10.8: lists of occupants by role and of accounts by affiliation. */
import {
  AdminResult,
  type Affiliation,
  hasAffiliation,
  type Iq,
  type Jid,
  type ListRequest,
  type MucItem,
  parseJid,
  type Role,
  resultOf,
  StanzaError,
} from "@kith/protocol";
import { type RoomOutputs, route } from "./room-model.ts";
import type { RoomState } from "./room-state.ts";

/** The list that is asked for. Throws StanzaError "forbidden" where it is not for whoever asks. */
export const answerList = (room: RoomState, request: Iq, who: Jid, list: ListRequest): RoomOutputs => {
  const items = list.of === "role" ? listRole(room, who, list.role) : listAffiliation(room, who, list.affiliation);
  return [route(resultOf(request, [AdminResult.build(items)]))];
};

/** Moderators are a list for admins (§9.8), others for moderators (§8.5). */
const listRole = (room: RoomState, who: Jid, role: Role): readonly MucItem[] => {
  const standing = room.standingOf(who);
  if (role === "none") throw new StanzaError("bad-request", { text: "who has no role is not in the room" });
  const may = role === "moderator" ? hasAffiliation(standing.affiliation, "admin") : standing.role === "moderator";
  if (!may) throw forbidden();
  const items: MucItem[] = [];
  for (const occupant of room.occupants) {
    if (occupant.role !== role) continue;
    const affiliation = room.affiliationOf(occupant.account);
    items.push({ affiliation, role, nick: occupant.nick, jid: occupant.leader.jid });
  }
  return items;
};

const listAffiliation = (room: RoomState, who: Jid, affiliation: Affiliation): readonly MucItem[] => {
  if (affiliation === "none")
    throw new StanzaError("bad-request", { text: "who is nothing to the room is on no list" });
  if (!mayList(room, who, affiliation)) throw forbidden();
  return affiliatedAs(room, affiliation);
};

/** §17.4: no role; the nickname where one is reserved, which an outcast has not. */
export const affiliatedAs = (room: RoomState, affiliation: Affiliation): readonly MucItem[] => {
  const items: MucItem[] = [];
  for (const [account, record] of room.affiliated) {
    if (record.affiliation === affiliation)
      items.push({ affiliation, jid: parseJid(account), nick: record.nick, reason: record.reason });
  }
  return items;
};

const mayList = (room: RoomState, who: Jid, affiliation: Affiliation): boolean => {
  const own = room.affiliationOf(who);
  const isOpen = room.configuration.whois === "anyone";
  switch (affiliation) {
    case "owner":
    case "admin":
      // §10.5, §10.8: in a semi-anonymous room the owners' alone.
      return own === "owner" || (isOpen && (hasAffiliation(own, "member") || room.sessionOf(who) !== undefined));
    case "member":
      return hasAffiliation(own, "admin") || mayListMembers(room, who, own, isOpen);
    default:
      return hasAffiliation(own, "admin");
  }
};

/** Table 6, §9.5: members where nothing is hidden; occupants whose role the configuration names, of those who see addresses anyhow. */
const mayListMembers = (room: RoomState, who: Jid, own: Affiliation, isOpen: boolean): boolean => {
  if (own === "outcast") return false;
  if (isOpen && own === "member") return true;
  const { role } = room.standingOf(who);
  return role !== "none" && room.seesAddresses(role) && room.configuration.memberList.includes(role);
};

const forbidden = (): StanzaError => new StanzaError("forbidden", { text: "this list is not for you" });
