/** XEP-0045 §5: roles and affiliations, what each may do, and who may change whose. */
import type { StanzaCondition } from "./errors.ts";

/** From the least to the most powerful (§5.1). "none": no occupant. */
export const ROLES = ["none", "visitor", "participant", "moderator"] as const;
export type Role = (typeof ROLES)[number];

/** From the least to the most powerful (§5.2). "none": whoever has nothing to do with the room. */
export const AFFILIATIONS = ["outcast", "none", "member", "admin", "owner"] as const;
export type Affiliation = (typeof AFFILIATIONS)[number];

export const roleNamed = (text: string | undefined): Role | undefined => ROLES.find((role) => role === text);
export const affiliationNamed = (text: string | undefined): Affiliation | undefined =>
  AFFILIATIONS.find((affiliation) => affiliation === text);

export const hasRole = (role: Role, atLeast: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(atLeast);
export const hasAffiliation = (affiliation: Affiliation, atLeast: Affiliation): boolean =>
  AFFILIATIONS.indexOf(affiliation) >= AFFILIATIONS.indexOf(atLeast);

/** Whether a privilege comes with a role or an affiliation; the defaults are for a room's configuration to change. */
export type Grant = "yes" | "no" | "yes by default" | "no by default" | "not applicable";

const [yes, no, maybe, hardly, never] = ["yes", "no", "yes by default", "no by default", "not applicable"] as const;

const roles = <T>(none: T, visitor: T, participant: T, moderator: T): Readonly<Record<Role, T>> => ({
  none,
  visitor,
  participant,
  moderator,
});

/** Table 3. */
const BY_ROLE = {
  "be present": roles(no, yes, yes, yes),
  "receive messages": roles(no, yes, yes, yes),
  "receive occupant presence": roles(no, yes, yes, yes),
  "broadcast presence": roles(no, maybe, yes, yes),
  "change availability status": roles(no, maybe, yes, yes),
  "change nickname": roles(no, maybe, yes, yes),
  "send private messages": roles(no, maybe, yes, yes),
  "invite others": roles(no, maybe, maybe, yes),
  // A visitor may be given voice where the room is not moderated.
  "send messages to all": roles(no, hardly, yes, yes),
  "modify subject": roles(no, hardly, maybe, yes),
  "kick participants and visitors": roles(no, no, no, yes),
  "grant voice": roles(no, no, no, yes),
  "revoke voice": roles(no, no, no, yes),
} as const satisfies Record<string, Readonly<Record<Role, Grant>>>;
export type RolePrivilege = keyof typeof BY_ROLE;
export const ROLE_PRIVILEGES = Object.keys(BY_ROLE) as readonly RolePrivilege[];

/** Privileges Associated With Roles (§5.1.1, table 3). */
export const grantToRole = (privilege: RolePrivilege, role: Role): Grant => BY_ROLE[privilege][role];

const affiliations = <T>(outcast: T, none: T, member: T, admin: T, owner: T): Readonly<Record<Affiliation, T>> => ({
  outcast,
  none,
  member,
  admin,
  owner,
});

/** Table 6. */
const BY_AFFILIATION = {
  "enter open room": affiliations(no, yes, yes, yes, yes),
  "register with open room": affiliations(no, yes, never, never, never),
  "retrieve member list": affiliations(no, no, maybe, yes, yes),
  "enter members-only room": affiliations(no, no, yes, yes, yes),
  "ban members and unaffiliated users": affiliations(no, no, no, yes, yes),
  "edit member list": affiliations(no, no, no, yes, yes),
  "assign and remove moderator role": affiliations(no, no, no, yes, yes),
  "edit admin list": affiliations(no, no, no, no, yes),
  "edit owner list": affiliations(no, no, no, no, yes),
  "change room configuration": affiliations(no, no, no, no, yes),
  "destroy room": affiliations(no, no, no, no, yes),
} as const satisfies Record<string, Readonly<Record<Affiliation, Grant>>>;
export type AffiliationPrivilege = keyof typeof BY_AFFILIATION;
export const AFFILIATION_PRIVILEGES = Object.keys(BY_AFFILIATION) as readonly AffiliationPrivilege[];

/** Privileges Associated With Affiliations (§5.2.1, table 6). Members do not get the list where it shows what the room hides. */
export const grantToAffiliation = (privilege: AffiliationPrivilege, affiliation: Affiliation): Grant =>
  BY_AFFILIATION[privilege][affiliation];

export const affiliationMay = (affiliation: Affiliation, privilege: AffiliationPrivilege): boolean =>
  grantToAffiliation(privilege, affiliation) === "yes";

/** As far as a room's kind decides about roles. */
export interface RoomKind {
  readonly isModerated: boolean;
  readonly isMembersOnly: boolean;
}

/** The role somebody enters with (§5.1.2, table 4); `undefined`: may not enter. */
export const initialRole = (affiliation: Affiliation, { isModerated, isMembersOnly }: RoomKind): Role | undefined => {
  switch (affiliation) {
    case "owner":
    case "admin":
      return "moderator";
    case "member":
      return "participant";
    case "none":
      if (isMembersOnly) return undefined;
      return isModerated ? "visitor" : "participant";
    case "outcast":
      return undefined;
  }
};

/** What makes a role become another (§5.1.3, table 5). Whoever leaves always may. */
export type RoleTrigger =
  | "nothing"
  | "entering a moderated room"
  | "entering an unmoderated room"
  | "an admin or owner entering"
  | "a moderator"
  | "an admin or owner";

/** Table 5: by the role as it is, and by what it becomes. */
const ROLE_CHANGES: Readonly<Record<Role, Readonly<Record<Role, RoleTrigger>>>> = {
  none: roles("nothing", "entering a moderated room", "entering an unmoderated room", "an admin or owner entering"),
  visitor: roles("a moderator", "nothing", "a moderator", "an admin or owner"),
  participant: roles("a moderator", "a moderator", "nothing", "an admin or owner"),
  moderator: roles("an admin or owner", "an admin or owner", "an admin or owner", "nothing"),
};

/** Role State Chart (§5.1.3, table 5). */
export const roleTrigger = (from: Role, to: Role): RoleTrigger => ROLE_CHANGES[from][to];

/** What makes an affiliation become another (§5.2.2, table 7), beside a user's own registration. */
export type AffiliationTrigger = "nothing" | "an admin or owner" | "an owner";

/** Affiliation State Chart (§5.2.2, table 7): whatever makes or unmakes an admin or an owner is an owner's to do. */
export const affiliationTrigger = (from: Affiliation, to: Affiliation): AffiliationTrigger => {
  if (from === to) return "nothing";
  return hasAffiliation(from, "admin") || hasAffiliation(to, "admin") ? "an owner" : "an admin or owner";
};

/** Somebody with a standing in a room. */
export interface Standing {
  readonly role: Role;
  readonly affiliation: Affiliation;
}

/**
 * Why somebody may not give an occupant another role (§5.1.3, §8.2 to §8.4, §9.6, §9.7); `undefined`: they may.
 * "forbidden": it is not theirs to do. "not-allowed": not to this one.
 */
export const roleChangeRefusal = (actor: Standing, target: Standing, to: Role): StanzaCondition | undefined => {
  const isAdmin = hasAffiliation(actor.affiliation, "admin");
  // §8: what moderators do is done by moderators; §9.6, §9.7: moderators are made and unmade by admins, wherever they are.
  const isStatus = to === "moderator" || (target.role === "moderator" && to !== "none");
  if (actor.role !== "moderator" && !(isAdmin && isStatus)) return "forbidden";
  if (isShielded(actor.affiliation, target, to)) return "not-allowed";
  if (roleTrigger(target.role, to) !== "an admin or owner" || isAdmin) return undefined;
  // Kicking a moderator is a moderator's kind of deed, only not against this one.
  return to === "none" ? "not-allowed" : "forbidden";
};

/** Does the target's own affiliation keep it from losing its role? */
const isShielded = (actor: Affiliation, target: Standing, to: Role): boolean => {
  // §8.2: nobody is kicked by somebody with a lower affiliation.
  if (to === "none") return !hasAffiliation(actor, target.affiliation);
  if (hasRole(to, target.role)) return false;
  // §8.4, §9.7: an admin's or owner's voice and moderator status are nobody's to take.
  if (hasAffiliation(target.affiliation, "admin")) return true;
  // §8.4: nor the voice of somebody "at or above the moderator's level". To be unaffiliated is to have no level.
  return target.affiliation !== "none" && hasAffiliation(target.affiliation, actor);
};

/**
 * Why somebody may not give an account another affiliation (§5.2.2, §9.1, §9.2, §10.3 to §10.8); `undefined`: they may.
 * "not-allowed": a ban of somebody as high or higher. That the last owner stays one is for the caller to see to.
 */
export const affiliationChangeRefusal = (
  actor: Affiliation,
  from: Affiliation,
  to: Affiliation,
): StanzaCondition | undefined => {
  if (!hasAffiliation(actor, "admin")) return "forbidden";
  if (actor === "owner" || affiliationTrigger(from, to) !== "an owner") return undefined;
  return to === "outcast" ? "not-allowed" : "forbidden";
};
