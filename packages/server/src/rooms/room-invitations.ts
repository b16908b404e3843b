/** XEP-0045 §7.8.2: invitations that go through the room, and what comes of them. */
import {
  type Decline,
  hasAffiliation,
  type Invite,
  type Jid,
  MucUserPayload,
  message,
  StanzaError,
} from "@kith/protocol";
import { doerOf } from "./room-admin.ts";
import { type AffiliationChange, changeAffiliation, checkAffiliations, invitation } from "./room-affiliations.ts";
import { NOTHING, type RoomOutputs, route } from "./room-model.ts";
import type { RoomState } from "./room-state.ts";

/**
 * An occupant invites. Whoever is invited to a members-only room becomes a member (§9.5); to an open one they do not.
 * Throws StanzaError "forbidden" for whoever may not.
 */
export const invite = (room: RoomState, who: Jid, invites: readonly Invite[]): RoomOutputs => {
  const session = room.sessionFor(who, "forbidden");
  if (!mayInvite(room, who)) refuse("members invite only where the room says so");
  if (invites.length > room.limits.invitations)
    throw new StanzaError("policy-violation", { text: `at most ${room.limits.invitations} invitations at once` });
  const invitees = invites.map(({ to }) => to ?? nobody());
  if (invitees.some((to) => room.affiliationOf(to) === "outcast")) refuse("whoever is banned cannot be invited");
  const changes = room.configuration.isMembersOnly ? newMembers(room, invitees) : [];
  checkAffiliations(room, changes, who);
  const doer = doerOf(room, who);
  const told = changes.map((change) => changeAffiliation(room, change, doer));
  return [
    ...told.flatMap(({ kept }) => kept),
    ...invites.map(({ to, reason, continues }) =>
      route(invitation(room, to ?? nobody(), session.jid.toBare(), reason, continues)),
    ),
    // That they have become members they learn by the invitation.
    ...told.flatMap(({ toOthers }) => toOthers).filter((output) => output.is !== "route"),
  ];
};

/** §7.8.2, table 3: anybody in an open room; in a members-only one admins, and members where they may. */
const mayInvite = (room: RoomState, who: Jid): boolean => {
  const { isMembersOnly, allowInvites } = room.configuration;
  const affiliation = room.affiliationOf(who);
  return !isMembersOnly || hasAffiliation(affiliation, allowInvites ? "member" : "admin");
};

const newMembers = (room: RoomState, invitees: readonly Jid[]): readonly AffiliationChange[] => {
  const accounts = new Map(invitees.map((invitee) => [invitee.bare, invitee.toBare()]));
  return [...accounts.values()]
    .filter((account) => account.local !== undefined && room.affiliationOf(account) === "none")
    .map((account) => ({ account, affiliation: "member" as const }));
};

const nobody = (): never => {
  throw new StanzaError("bad-request", { text: "whom to invite?" });
};

/**
 * Somebody declines, and the one who invited them hears of it; nobody else, since anybody may write this. So it goes only to those who
 * are in the room or belong to it.
 */
export const decline = (room: RoomState, who: Jid, { to, reason }: Decline): RoomOutputs => {
  if (to === undefined || room.affiliationOf(who) === "outcast") return NOTHING;
  const inviters = invitersAt(room, to);
  const told = MucUserPayload.build({ decline: { from: who.toBare(), reason } });
  const id = room.options.newId();
  return inviters.map((inviter) => route(message({ from: room.jid, to: inviter, id }, [told])));
};

/** By occupant address, by account, or by a client's address. */
const invitersAt = (room: RoomState, to: Jid): readonly Jid[] => {
  const named = to.bare === room.jid.bare && to.resource !== undefined ? room.occupantAt(to.resource) : undefined;
  const occupants = named === undefined ? room.occupantsOf(to.bare) : [named];
  if (occupants.length > 0) return occupants.flatMap(({ sessions }) => sessions.map(({ jid }) => jid));
  return hasAffiliation(room.recordOf(to.bare).affiliation, "member") ? [to.toBare()] : [];
};

const refuse = (text: string): never => {
  throw new StanzaError("forbidden", { text });
};
