import { describe, expect, test } from "vitest";
import {
  AFFILIATION_PRIVILEGES,
  AFFILIATIONS,
  type Affiliation,
  type AffiliationPrivilege,
  type AffiliationTrigger,
  affiliationChangeRefusal,
  affiliationMay,
  affiliationNamed,
  affiliationTrigger,
  type Grant,
  grantToAffiliation,
  grantToRole,
  hasAffiliation,
  hasRole,
  initialRole,
  ROLE_PRIVILEGES,
  ROLES,
  type Role,
  type RolePrivilege,
  type RoleTrigger,
  roleChangeRefusal,
  roleNamed,
  roleTrigger,
} from "./xep0045-privileges.ts";

// The tables as the specification prints them: "Yes*" is a default that configuration changes, "No*" and "No**" likewise.
const GRANTS: Readonly<Record<string, Grant>> = {
  Yes: "yes",
  No: "no",
  "Yes*": "yes by default",
  "No*": "no by default",
  "N/A": "not applicable",
};

const cells = (table: string): [string, string, string][] => {
  const [head = [], ...rows] = table
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.flatMap(([name = "", ...values]) =>
    values.map((value, at): [string, string, string] => [name, head[at + 1] ?? "", value]),
  );
};

describe("XEP-0045 §5.1: table 2", () => {
  test.each(["moderator", "none", "participant", "visitor"])("a role is called %s", (name) => {
    expect(roleNamed(name)).toBe(name);
  });
  test.each(["Moderator", "", "__proto__", "owner", undefined])("%s is no role", (name) => {
    expect(roleNamed(name)).toBeUndefined();
  });
});

describe("XEP-0045 §5.1.1: table 3", () => {
  const TABLE = `
    privilege                      | none | visitor | participant | moderator
    be present                     | No   | Yes     | Yes         | Yes
    receive messages               | No   | Yes     | Yes         | Yes
    receive occupant presence      | No   | Yes     | Yes         | Yes
    broadcast presence             | No   | Yes*    | Yes         | Yes
    change availability status     | No   | Yes*    | Yes         | Yes
    change nickname                | No   | Yes*    | Yes         | Yes
    send private messages          | No   | Yes*    | Yes         | Yes
    invite others                  | No   | Yes*    | Yes*        | Yes
    send messages to all           | No   | No*     | Yes         | Yes
    modify subject                 | No   | No*     | Yes*        | Yes
    kick participants and visitors | No   | No      | No          | Yes
    grant voice                    | No   | No      | No          | Yes
    revoke voice                   | No   | No      | No          | Yes`;
  test.each(cells(TABLE))("%s: %s: %s", (privilege, role, grant) => {
    expect(grantToRole(privilege as RolePrivilege, role as Role)).toBe(GRANTS[grant]);
  });
  test("has no other privileges", () => {
    expect(cells(TABLE)).toHaveLength(ROLE_PRIVILEGES.length * ROLES.length);
  });
});

describe("XEP-0045 §5.1.2: table 4", () => {
  const KINDS: Readonly<Record<string, { isModerated: boolean; isMembersOnly: boolean }>> = {
    moderated: { isModerated: true, isMembersOnly: false },
    unmoderated: { isModerated: false, isMembersOnly: false },
    "members-only": { isModerated: false, isMembersOnly: true },
    open: { isModerated: false, isMembersOnly: false },
    "moderated and members-only": { isModerated: true, isMembersOnly: true },
  };
  test.each(
    cells(`
    room type                  | outcast | none        | member      | admin     | owner
    moderated                  | -       | visitor     | participant | moderator | moderator
    unmoderated                | -       | participant | participant | moderator | moderator
    members-only               | -       | -           | participant | moderator | moderator
    open                       | -       | participant | participant | moderator | moderator
    moderated and members-only | -       | -           | participant | moderator | moderator`),
  )("%s: %s enters as %s", (kind, affiliation, role) => {
    const room = KINDS[kind] ?? { isModerated: false, isMembersOnly: false };
    expect(initialRole(affiliation as Affiliation, room)).toBe(role === "-" ? undefined : role);
  });
});

describe("XEP-0045 §5.1.3: table 5", () => {
  const TRIGGERS: Readonly<Record<string, RoleTrigger>> = {
    "--": "nothing",
    M: "entering a moderated room",
    U: "entering an unmoderated room",
    A: "an admin or owner entering",
    moderator: "a moderator",
    admin: "an admin or owner",
  };
  const TABLE = `
    from        | none      | visitor   | participant | moderator
    none        | --        | M         | U           | A
    visitor     | moderator | --        | moderator   | admin
    participant | moderator | moderator | --          | admin
    moderator   | admin     | admin     | admin       | --`;
  test.each(cells(TABLE))("%s to %s: %s", (from, to, trigger) => {
    expect(roleTrigger(from as Role, to as Role)).toBe(TRIGGERS[trigger]);
  });

  // Who does it: a moderator of no affiliation, a member who is one, an admin, an owner, and somebody who is none of them.
  const ACTORS: Readonly<Record<string, { role: Role; affiliation: Affiliation }>> = {
    visitor: { role: "visitor", affiliation: "none" },
    participant: { role: "participant", affiliation: "member" },
    moderator: { role: "moderator", affiliation: "none" },
    "member moderator": { role: "moderator", affiliation: "member" },
    admin: { role: "moderator", affiliation: "admin" },
    "absent admin": { role: "none", affiliation: "admin" },
    owner: { role: "moderator", affiliation: "owner" },
  };
  const CHANGES: Readonly<Record<string, [{ role: Role; affiliation: Affiliation }, Role]>> = {
    "kick a visitor": [{ role: "visitor", affiliation: "none" }, "none"],
    "kick a member": [{ role: "participant", affiliation: "member" }, "none"],
    "kick a moderator": [{ role: "moderator", affiliation: "none" }, "none"],
    "kick an admin": [{ role: "moderator", affiliation: "admin" }, "none"],
    "kick an owner": [{ role: "moderator", affiliation: "owner" }, "none"],
    "grant voice": [{ role: "visitor", affiliation: "none" }, "participant"],
    "revoke voice": [{ role: "participant", affiliation: "none" }, "visitor"],
    "revoke a member's voice": [{ role: "participant", affiliation: "member" }, "visitor"],
    "revoke an admin's voice": [{ role: "participant", affiliation: "admin" }, "visitor"],
    "make a moderator": [{ role: "participant", affiliation: "none" }, "moderator"],
    "unmake a moderator": [{ role: "moderator", affiliation: "none" }, "participant"],
    "silence a moderator": [{ role: "moderator", affiliation: "none" }, "visitor"],
    "unmake a member moderator": [{ role: "moderator", affiliation: "member" }, "participant"],
    "unmake an admin": [{ role: "moderator", affiliation: "admin" }, "participant"],
    "unmake an owner": [{ role: "moderator", affiliation: "owner" }, "participant"],
    "leave a visitor as it is": [{ role: "visitor", affiliation: "none" }, "visitor"],
  };
  test.each(
    cells(`
    change                    | visitor   | participant | moderator   | member moderator | admin       | absent admin | owner
    kick a visitor            | forbidden | forbidden   | may         | may              | may         | forbidden    | may
    kick a member             | forbidden | forbidden   | not-allowed | may              | may         | forbidden    | may
    kick a moderator          | forbidden | forbidden   | not-allowed | not-allowed      | may         | forbidden    | may
    kick an admin             | forbidden | forbidden   | not-allowed | not-allowed      | may         | forbidden    | may
    kick an owner             | forbidden | forbidden   | not-allowed | not-allowed      | not-allowed | forbidden    | may
    grant voice               | forbidden | forbidden   | may         | may              | may         | forbidden    | may
    revoke voice              | forbidden | forbidden   | may         | may              | may         | forbidden    | may
    revoke a member's voice   | forbidden | forbidden   | not-allowed | not-allowed      | may         | forbidden    | may
    revoke an admin's voice   | forbidden | forbidden   | not-allowed | not-allowed      | not-allowed | forbidden    | not-allowed
    make a moderator          | forbidden | forbidden   | forbidden   | forbidden        | may         | may          | may
    unmake a moderator        | forbidden | forbidden   | forbidden   | forbidden        | may         | may          | may
    silence a moderator       | forbidden | forbidden   | forbidden   | forbidden        | may         | may          | may
    unmake a member moderator | forbidden | forbidden   | not-allowed | not-allowed      | may         | may          | may
    unmake an admin           | forbidden | forbidden   | not-allowed | not-allowed      | not-allowed | not-allowed  | not-allowed
    unmake an owner           | forbidden | forbidden   | not-allowed | not-allowed      | not-allowed | not-allowed  | not-allowed
    leave a visitor as it is  | forbidden | forbidden   | may         | may              | may         | forbidden    | may`),
  )("%s: by %s: %s", (change, actor, refusal) => {
    const by = ACTORS[actor];
    const [target, to] = CHANGES[change] ?? [];
    if (by === undefined || target === undefined || to === undefined) throw new Error("no such case");
    expect(roleChangeRefusal(by, target, to)).toBe(refusal === "may" ? undefined : refusal);
  });
});

describe("XEP-0045 §5.2.1: table 6", () => {
  const TABLE = `
    privilege                          | outcast | none | member | admin | owner
    enter open room                    | No      | Yes  | Yes    | Yes   | Yes
    register with open room            | No      | Yes  | N/A    | N/A   | N/A
    retrieve member list               | No      | No   | Yes*   | Yes   | Yes
    enter members-only room            | No      | No   | Yes    | Yes   | Yes
    ban members and unaffiliated users | No      | No   | No     | Yes   | Yes
    edit member list                   | No      | No   | No     | Yes   | Yes
    assign and remove moderator role   | No      | No   | No     | Yes   | Yes
    edit admin list                    | No      | No   | No     | No    | Yes
    edit owner list                    | No      | No   | No     | No    | Yes
    change room configuration          | No      | No   | No     | No    | Yes
    destroy room                       | No      | No   | No     | No    | Yes`;
  test.each(cells(TABLE))("%s: %s: %s", (privilege, affiliation, grant) => {
    expect(grantToAffiliation(privilege as AffiliationPrivilege, affiliation as Affiliation)).toBe(GRANTS[grant]);
    expect(affiliationMay(affiliation as Affiliation, privilege as AffiliationPrivilege)).toBe(grant === "Yes");
  });
  test("has no other privileges", () => {
    expect(cells(TABLE)).toHaveLength(AFFILIATION_PRIVILEGES.length * AFFILIATIONS.length);
  });
});

describe("XEP-0045 §5.2.2: table 7", () => {
  const TRIGGERS: Readonly<Record<string, AffiliationTrigger>> = {
    "--": "nothing",
    admin: "an admin or owner",
    owner: "an owner",
  };
  const TABLE = cells(`
    from    | outcast | none  | member | admin | owner
    outcast | --      | admin | admin  | owner | owner
    none    | admin   | --    | admin  | owner | owner
    member  | admin   | admin | --     | owner | owner
    admin   | owner   | owner | owner  | --    | owner
    owner   | owner   | owner | owner  | owner | --`);
  test.each(TABLE)("%s to %s: %s", (from, to, trigger) => {
    expect(affiliationTrigger(from as Affiliation, to as Affiliation)).toBe(TRIGGERS[trigger]);
  });
  test.each(TABLE)("%s to %s: who may (%s)", (from, to, trigger) => {
    const refusal = (actor: Affiliation) => affiliationChangeRefusal(actor, from as Affiliation, to as Affiliation);
    for (const actor of ["outcast", "none", "member"] as const) expect(refusal(actor)).toBe("forbidden");
    expect(refusal("owner")).toBeUndefined();
    // §9.1: a ban of somebody higher is "not-allowed"; whatever else touches the lists of admins and owners is "forbidden".
    const byAdmin = to === "outcast" ? "not-allowed" : "forbidden";
    expect(refusal("admin")).toBe(trigger === "owner" ? byAdmin : undefined);
  });
});

test("XEP-0045 §5: roles and affiliations are ordered", () => {
  expect(hasRole("moderator", "participant")).toBe(true);
  expect(hasRole("visitor", "visitor")).toBe(true);
  expect(hasRole("none", "visitor")).toBe(false);
  expect(hasAffiliation("owner", "admin")).toBe(true);
  expect(hasAffiliation("outcast", "none")).toBe(false);
  expect(affiliationNamed("member")).toBe("member");
  expect(affiliationNamed("constructor")).toBeUndefined();
  expect(affiliationNamed(undefined)).toBeUndefined();
});
