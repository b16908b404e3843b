/** XEP-0045 §9.1 to §9.5, §10.3 to §10.8: what somebody is to the room for good, and what follows when that changes. */
import {
  type Affiliation,
  hasAffiliation,
  initialRole,
  type Jid,
  MucUserPayload,
  message,
  StanzaError,
} from "@kith/protocol";
import { removeOccupant } from "./room-leaving.ts";
import { type AffiliationRecord, NOTHING, type RoomOutputs, route, send, type Told, UNTOLD } from "./room-model.ts";
import type { Occupant } from "./room-occupants.ts";
import { type Doer, standingNews, tellAll } from "./room-presence.ts";
import { tellNewModerator } from "./room-roles.ts";
import type { RoomState } from "./room-state.ts";

export interface AffiliationChange {
  /** A bare JID; a domain can be banned. */
  readonly account: Jid;
  readonly affiliation: Affiliation;
  /** To be reserved; `""`: no longer any. */
  readonly nick?: string | undefined;
  readonly reason?: string | undefined;
}

/**
 * Throws StanzaError "conflict" where no owner would be left (§10.4), "not-acceptable" where a domain is to be more than banned,
 * "resource-constraint" where there would be too many.
 */
export const checkAffiliations = (
  room: RoomState,
  changes: readonly AffiliationChange[],
  by: Jid | undefined,
): void => {
  if (changes.length === 0) return;
  for (const { account, affiliation } of changes) {
    if (account.local === undefined && affiliation !== "outcast" && affiliation !== "none")
      throw new StanzaError("not-acceptable", { text: "a domain can be banned, nothing else" });
  }
  if (!leavesAnOwner(room, changes))
    throw new StanzaError("conflict", { text: by === undefined ? "a room has an owner" : "you are the last owner" });
  const added = changes.filter(({ account }) => !room.affiliated.has(account.bare)).length;
  if (added > 0 && room.affiliated.size + added > room.limits.affiliations)
    throw new StanzaError("resource-constraint", { text: "the room has too many affiliations" });
};

const leavesAnOwner = (room: RoomState, changes: readonly AffiliationChange[]): boolean => {
  const changed = new Map(changes.map(({ account, affiliation }) => [account.bare, affiliation]));
  if ([...changed.values()].includes("owner")) return true;
  for (const [account, { affiliation }] of room.affiliated) {
    if (affiliation === "owner" && !changed.has(account)) return true;
  }
  return false;
};

/** The change, which may be made, and all that follows from it. */
export const changeAffiliation = (room: RoomState, change: AffiliationChange, actor: Doer | undefined): Told => {
  const { account, affiliation, reason } = change;
  const before = room.recordOf(account.bare);
  const kept = room.setRecord(account.bare, recordAfter(before, change));
  const occupants = occupantsUnder(room, account);
  if (before.affiliation === affiliation) return { ...UNTOLD, kept };
  const told = occupants.map((occupant) => tellOccupant(room, occupant, before.affiliation, change, actor));
  return {
    kept: [...kept, ...told.flatMap((one) => one.kept)],
    toRemoved: told.flatMap((one) => one.toRemoved),
    toOthers: [
      ...told.flatMap((one) => one.toOthers),
      ...(occupants.length > 0 ? NOTHING : tellAbsent(room, account, before.affiliation, affiliation, actor, reason)),
    ],
  };
};

/** §9.1: an outcast has no nickname reserved, nor whoever is nothing to the room. */
const recordAfter = (
  { nick, hats, voice }: AffiliationRecord,
  { affiliation, nick: wanted, reason }: AffiliationChange,
): AffiliationRecord => {
  if (affiliation === "outcast") return { affiliation, ...(reason === undefined ? {} : { reason }) };
  const reserved = hasAffiliation(affiliation, "member") ? (wanted ?? nick) : undefined;
  return {
    affiliation,
    ...(reserved === undefined || reserved === "" ? {} : { nick: reserved }),
    // An affiliation gives voice anew; that it was taken away is forgotten.
    ...(voice === undefined || hasAffiliation(affiliation, "member") ? {} : { voice }),
    ...(hats === undefined ? {} : { hats }),
  };
};

/** Whom a change concerns: all under this account's name; under a domain all who are nothing else to the room (§9.2). */
const occupantsUnder = (room: RoomState, account: Jid): readonly Occupant[] => {
  if (account.local !== undefined) return [...room.occupantsOf(account.bare)];
  return [...room.occupants].filter(
    (occupant) =>
      occupant.account.domain === account.domain && room.recordOf(occupant.account.bare).affiliation === "none",
  );
};

const tellOccupant = (
  room: RoomState,
  occupant: Occupant,
  from: Affiliation,
  { affiliation, reason }: AffiliationChange,
  actor: Doer | undefined,
): Told => {
  const status = removalStatus(room, affiliation);
  if (status !== undefined) {
    const farewell = removeOccupant(room, occupant, { statuses: [status], actor, reason, affiliation });
    return { kept: farewell.kept, toRemoved: farewell.toLeaving, toOthers: farewell.toOthers };
  }
  const before = occupant.role;
  room.setRole(occupant, roleAfter(room, before, from, affiliation));
  const news = { ...standingNews(room, occupant), actor, reason };
  const toOthers = [...tellAll(room, occupant, news), ...tellNewModerator(room, occupant, before)];
  return { kept: room.keepOccupant(occupant), toRemoved: NOTHING, toOthers };
};

/** §9.1: banned; §9.4: not a member any more where one has to be. */
const removalStatus = (room: RoomState, affiliation: Affiliation): 301 | 321 | undefined => {
  if (affiliation === "outcast") return 301;
  return affiliation === "none" && room.configuration.isMembersOnly ? 321 : undefined;
};

/** §5.1.3: what is gained with an affiliation; whoever is an admin or owner no longer has the role they would enter with. */
const roleAfter = (room: RoomState, role: Occupant["role"], from: Affiliation, to: Affiliation): Occupant["role"] => {
  if (hasAffiliation(to, "admin")) return "moderator";
  if (hasAffiliation(from, "admin"))
    return initialRole(to, room.configuration) === "participant" ? "participant" : "visitor";
  return to === "member" && role === "visitor" ? "participant" : role;
};

/**
 * Somebody who is not there: those who may see addresses hear of it (§10.3), and so does the person (§18.1); who has become a member of a
 * members-only room is invited (§9.5).
 */
const tellAbsent = (
  room: RoomState,
  account: Jid,
  before: Affiliation,
  affiliation: Affiliation,
  actor: Doer | undefined,
  reason: string | undefined,
): RoomOutputs => {
  const item = { affiliation, jid: account, role: "none" as const, reason };
  const told = message({ from: room.jid, id: room.options.newId() }, [MucUserPayload.build({ items: [item] })]);
  const seeing = room.others(undefined).named;
  const isInvited = room.configuration.isMembersOnly && before === "none" && hasAffiliation(affiliation, "member");
  if (account.local === undefined) return send([told], seeing);
  const own = isInvited
    ? invitation(room, account, actor?.jid.toBare() ?? room.jid, reason)
    : message({ from: room.jid, to: account, id: room.options.newId() }, [
        MucUserPayload.build({ items: [{ affiliation, role: "none", reason }], statuses: [101] }),
      ]);
  return [...send([told], seeing), route(own)];
};

/** §7.8.2, §9.5: from the room, with the password where it asks for one. */
export const invitation = (
  room: RoomState,
  to: Jid,
  from: Jid,
  reason?: string,
  continues?: { thread?: string | undefined },
) => {
  const { isPasswordProtected, password } = room.configuration;
  return message({ from: room.jid, to, id: room.options.newId() }, [
    MucUserPayload.build({
      invites: [{ from, reason, continues }],
      password: isPasswordProtected ? password : undefined,
    }),
  ]);
};
