/** XEP-0045 §10: configuring a room and destroying it. */
import {
  type Affiliation,
  checkRoomConfiguration,
  type Destruction,
  hasAffiliation,
  type Iq,
  type Jid,
  MucUserPayload,
  message,
  type OwnerRequest,
  OwnerResult,
  parseJid,
  parseRoomConfiguration,
  type RoomConfiguration,
  resultOf,
  roomConfigurationForm,
  StanzaError,
  type StatusCode,
  type SubmittedConfiguration,
} from "@kith/protocol";
import { inOrder } from "./room-admin.ts";
import { type AffiliationChange, changeAffiliation, checkAffiliations } from "./room-affiliations.ts";
import { removeEverybody, removeOccupants } from "./room-leaving.ts";
import { NOTHING, type RoomOutputs, route, send, type Told } from "./room-model.ts";
import type { Doer } from "./room-presence.ts";
import type { RoomState } from "./room-state.ts";

/** The form with everything as it is (§10.1.3, §10.2). Throws StanzaError "forbidden" for whoever is no owner. */
export const answerConfiguration = (room: RoomState, request: Iq, who: Jid): RoomOutputs => {
  checkOwner(room, who);
  const { configuration } = room;
  const form = roomConfigurationForm(room.jid, {
    configuration,
    admins: accountsAs(room, "admin"),
    owners: accountsAs(room, "owner"),
  });
  return [route(resultOf(request, [OwnerResult.build(form)]))];
};

const accountsAs = (room: RoomState, affiliation: Affiliation): readonly Jid[] =>
  Array.from(room.affiliated)
    .filter(([, record]) => record.affiliation === affiliation)
    .map(([account]) => parseJid(account));

/** What an owner wants of the room. */
export const manage = (room: RoomState, request: Iq, who: Jid, wanted: OwnerRequest, doer: Doer): RoomOutputs => {
  checkOwner(room, who);
  const answer = [route(resultOf(request))];
  switch (wanted.do) {
    case "configure": {
      const submitted = parseRoomConfiguration(wanted.form, room.configuration, room.limits);
      return configure(room, submitted, doer, answer);
    }
    case "cancel":
      // §10.1.3: a room that has not been configured is no room.
      return room.phase === "open" ? answer : [...destroy(room, {}), ...answer];
    case "destroy":
      return [...destroy(room, wanted.destruction), ...answer];
  }
};

const checkOwner = (room: RoomState, who: Jid): void => {
  if (room.affiliationOf(who) !== "owner") throw new StanzaError("forbidden", { text: "for owners of the room" });
};

/** All are told, and the room is no more (§10.9). */
export const destroy = (room: RoomState, destruction: Destruction): RoomOutputs => {
  const told = removeEverybody(room, { affiliation: "none" }, destruction);
  room.phase = "destroyed";
  return [...told, { is: "destroyed" }];
};

/** A new configuration and all its consequences (§10.2); the first one opens the room (§10.1.2, §10.1.3). */
export const configure = (
  room: RoomState,
  { configuration, admins, owners }: SubmittedConfiguration,
  doer: Doer | undefined,
  answer: RoomOutputs,
): RoomOutputs => {
  checkRoomConfiguration(configuration, room.limits);
  const changes = listChanges(room, configuration, admins, owners);
  checkAffiliations(room, changes, doer?.jid);
  const before = room.configuration;
  room.phase = "open";
  const kept = room.configure(configuration);
  const told = [
    ...changes.map((change) => changeAffiliation(room, change, doer)),
    ...removeNonMembers(room, before, configuration),
  ];
  const outputs = inOrder(room, told, answer);
  return [kept, ...outputs, ...announce(room, statusesOf(before, configuration))];
};

/** The two lists are whole (§10.3 to §10.8): who is not on them any more is demoted as far as the next one (§10.2). */
const listChanges = (
  room: RoomState,
  { isMembersOnly }: RoomConfiguration,
  admins: readonly Jid[] | undefined,
  owners: readonly Jid[] | undefined,
): readonly AffiliationChange[] => {
  if (admins === undefined && owners === undefined) return [];
  const before = { owners: accountsAs(room, "owner"), admins: accountsAs(room, "admin") };
  const wantedOwners = new Set((owners ?? before.owners).map(({ bare }) => bare));
  const wantedAdmins = new Set((admins ?? before.admins).map(({ bare }) => bare));
  const affiliationFor = ({ bare }: Jid): Affiliation => {
    if (wantedOwners.has(bare)) return "owner";
    if (wantedAdmins.has(bare) || room.recordOf(bare).affiliation === "owner") return "admin";
    return isMembersOnly ? "member" : "none";
  };
  const concerned = [...(owners ?? []), ...(admins ?? []), ...before.owners, ...before.admins];
  return [...new Map(concerned.map((account) => [account.bare, account])).values()]
    .map((account) => ({ account, affiliation: affiliationFor(account) }))
    .filter(({ account, affiliation }) => room.recordOf(account.bare).affiliation !== affiliation);
};

/** §10.2: status 322. */
const removeNonMembers = (room: RoomState, before: RoomConfiguration, after: RoomConfiguration): readonly Told[] => {
  if (before.isMembersOnly || !after.isMembersOnly) return [];
  const strangers = [...room.occupants].filter(({ account }) => !hasAffiliation(room.affiliationOf(account), "member"));
  const farewell = removeOccupants(room, strangers, { statuses: [322] });
  return [{ kept: farewell.kept, toRemoved: farewell.toLeaving, toOthers: farewell.toOthers }];
};

/** §10.2.1: what a change means for everybody's privacy, and 104 for whatever else has changed. */
const statusesOf = (before: RoomConfiguration, after: RoomConfiguration): readonly StatusCode[] => {
  const statuses: StatusCode[] = [];
  if (isOtherwiseChanged(before, after)) statuses.push(104);
  if (before.isLogged !== after.isLogged) statuses.push(after.isLogged ? 170 : 171);
  if (before.whois !== after.whois) statuses.push(after.whois === "anyone" ? 172 : 173);
  return statuses;
};

const isOtherwiseChanged = (before: RoomConfiguration, after: RoomConfiguration): boolean =>
  (Object.keys(after) as (keyof RoomConfiguration)[]).some(
    (key) => key !== "isLogged" && key !== "whois" && String(before[key]) !== String(after[key]),
  );

/** A message of the room's own with statuses, to everybody (§10.2.1). */
export const announce = (room: RoomState, statuses: readonly StatusCode[]): RoomOutputs => {
  if (statuses.length === 0) return NOTHING;
  const told = message({ type: "groupchat", from: room.jid, id: room.options.newId() }, [
    MucUserPayload.build({ statuses }),
  ]);
  return send([told], room.everyone);
};
