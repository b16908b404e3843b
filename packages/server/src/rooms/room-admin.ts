/** XEP-0045 §8, §9, §10.3 to §10.8: roles and affiliations changed, one or many at once, all or none. */
import {
  type Affiliation,
  affiliationChangeRefusal,
  type BareJid,
  type Change,
  hasAffiliation,
  type Iq,
  type Jid,
  resultOf,
  roleChangeRefusal,
  type StanzaCondition,
  StanzaError,
  tryJid,
} from "@kith/protocol";
import { type AffiliationChange, changeAffiliation, checkAffiliations } from "./room-affiliations.ts";
import { whatIsLeft } from "./room-leaving.ts";
import { NOTHING, type RoomOutput, type RoomOutputs, route, send, type Told } from "./room-model.ts";
import { checkNickname } from "./room-nicknames.ts";
import type { Doer } from "./room-presence.ts";
import { changeRole, type RoleChange } from "./room-roles.ts";
import type { RoomState } from "./room-state.ts";

type Changes = { readonly roles: readonly RoleChange[]; readonly affiliations: readonly AffiliationChange[] };

/** A request of muc#admin. Nothing is changed where anything may not be (§9.2). */
export const administer = (room: RoomState, request: Iq, who: Jid, changes: readonly Change[]): RoomOutputs => {
  const wanted = wantedOf(room, who, changes);
  checkAffiliations(room, wanted.affiliations, who);
  const doer = doerOf(room, who);
  const told = [
    ...wanted.affiliations.map((change) => changeAffiliation(room, change, doer)),
    ...wanted.roles.map((change) => changeRole(room, change, doer)),
  ];
  return inOrder(room, told, [route(resultOf(request))]);
};

/** What is kept; who is removed hears of it; then whoever wanted it; then everybody who is still there (§8.2). */
export const inOrder = (room: RoomState, told: readonly Told[], answer: RoomOutputs): RoomOutputs => {
  const removals = told.filter(({ toRemoved }) => toRemoved.length > 0).length;
  const toOthers = told.flatMap((one) => one.toOthers);
  return [
    ...told.flatMap(({ kept }) => kept),
    ...told.flatMap(({ toRemoved }) => toRemoved),
    ...answer,
    ...(removals > 1 ? toOthers.flatMap((output) => toThoseThere(room, output)) : toOthers),
    ...(removals > 0 ? whatIsLeft(room) : NOTHING),
  ];
};

/** Whoever was removed after another one is not told of that one. */
const toThoseThere = (room: RoomState, output: RoomOutput): RoomOutputs =>
  output.is === "send"
    ? send(
        output.stanzas,
        output.to.filter((jid) => room.sessions.has(jid.full)),
      )
    : [output];

/** As whom an occupant, or somebody who is not there, is shown to have done something. */
export const doerOf = (room: RoomState, who: Jid): Doer => ({
  jid: who,
  nick: (room.sessionOf(who)?.occupant ?? room.occupantsOf(who.bare)[0])?.nick,
});

const wantedOf = (room: RoomState, who: Jid, changes: readonly Change[]): Changes => {
  const roles: RoleChange[] = [];
  const affiliations: AffiliationChange[] = [];
  for (const change of changes)
    if (change.of === "affiliation") affiliations.push(wantedAffiliation(room, who, change));
  const pending = new Map(affiliations.map(({ account, affiliation }) => [account.bare, affiliation]));
  for (const change of changes) if (change.of === "role") roles.push(wantedRole(room, who, change, pending));
  return { roles, affiliations };
};

/** `pending`: what becomes of affiliations by the same request. */
const wantedRole = (
  room: RoomState,
  who: Jid,
  { nick, role, reason }: Change & { of: "role" },
  pending: ReadonlyMap<BareJid, Affiliation>,
): RoleChange => {
  const actor = room.standingOf(who);
  // Who may change nobody's role does not learn who is there.
  if (actor.role !== "moderator" && !hasAffiliation(actor.affiliation, "admin")) refuse("forbidden");
  const occupant = room.occupantAt(nick);
  if (occupant === undefined) return refuse("item-not-found");
  const { account } = occupant;
  const target = { role: occupant.role, affiliation: pending.get(account.bare) ?? room.affiliationOf(account) };
  // Whoever kicks themselves out may (§8.2).
  const isOwnExit = role === "none" && account.bare === who.bare;
  const refusal = isOwnExit ? undefined : roleChangeRefusal(actor, target, role);
  return refusal === undefined ? { occupant, role, reason } : refuse(refusal);
};

const wantedAffiliation = (
  room: RoomState,
  who: Jid,
  { jid, affiliation, nick, reason }: Change & { of: "affiliation" },
): AffiliationChange => {
  const account = jid.toBare();
  const actor = room.affiliationOf(who);
  const from = room.recordOf(account.bare).affiliation;
  // §9.1: nobody bans themselves.
  if (affiliation === "outcast" && hasAffiliation(actor, "admin") && isAmong(who, account)) refuse("conflict");
  const refusal = affiliationChangeRefusal(actor, from, affiliation);
  if (refusal !== undefined) refuse(refusal);
  checkReservation(room, account, affiliation, nick);
  return { account, affiliation, nick, reason };
};

const isAmong = (who: Jid, account: Jid): boolean =>
  account.local === undefined ? who.domain === account.domain : who.bare === account.bare;

const checkReservation = (room: RoomState, account: Jid, affiliation: Affiliation, nick: string | undefined): void => {
  if (nick === undefined || nick === "" || !hasAffiliation(affiliation, "member")) return;
  if (tryJid(`${room.jid.bare}/${nick}`)?.resource !== nick) refuse("jid-malformed");
  checkNickname(nick, room.limits.nickname);
  const owner = room.reservedFor(nick);
  if (owner !== undefined && owner !== account.bare) refuse("conflict");
};

/** By whoever runs the server: everything may be done that leaves the room an owner. */
export const affiliateByOperator = (room: RoomState, wanted: readonly AffiliationChange[]): RoomOutputs => {
  const changes = wanted.map((change) => ({ ...change, account: change.account.toBare() }));
  checkAffiliations(room, changes, undefined);
  return inOrder(
    room,
    changes.map((change) => changeAffiliation(room, change, undefined)),
    NOTHING,
  );
};

const refuse = (condition: StanzaCondition): never => {
  throw new StanzaError(condition, { text: REFUSALS[condition] ?? condition });
};
const REFUSALS: Partial<Record<StanzaCondition, string>> = {
  conflict: "not oneself, nor a nickname that is reserved for somebody else",
  forbidden: "this is not yours to change",
  "item-not-found": "there is nobody of this nickname",
  "not-allowed": "not somebody of this affiliation",
};
