/** XEP-0045: what a room tells its occupants, and what goes through it between people. */
import { parseUnsigned } from "./datatypes.ts";
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { type Affiliation, affiliationNamed, type Role, roleNamed } from "./xep0045-privileges.ts";
import { childOf, childrenOf, type Element, element, textOfChild } from "./xml/element.ts";

export const NS_MUC_USER = "http://jabber.org/protocol/muc#user";

/** Who has done something to an occupant; a nickname where the room hides addresses. */
export interface Actor {
  readonly jid?: Jid | undefined;
  readonly nick?: string | undefined;
}

/** What an occupant is (§7.2.2), has become, or shall become (§8, §9). */
export interface MucItem {
  readonly affiliation?: Affiliation | undefined;
  readonly role?: Role | undefined;
  /** Full in presence (§17.3), bare in lists of affiliations (§17.4). */
  readonly jid?: Jid | undefined;
  /** `""` stands for: none any more (§9.5). */
  readonly nick?: string | undefined;
  readonly actor?: Actor | undefined;
  readonly reason?: string | undefined;
  readonly continues?: Continuation | undefined;
}

/** A conversation between two that goes on in a room (§7.9). */
export interface Continuation {
  readonly thread?: string | undefined;
}

/** To the room: `to` the invitee. From the room: `from` the inviter (§7.8.2). */
export interface Invite {
  readonly to?: Jid | undefined;
  readonly from?: Jid | undefined;
  readonly reason?: string | undefined;
  readonly continues?: Continuation | undefined;
}

/** To the room: `to` the inviter. From the room: `from` the one who declines (§7.8.2). */
export interface Decline {
  readonly to?: Jid | undefined;
  readonly from?: Jid | undefined;
  readonly reason?: string | undefined;
}

/** A room that is no more, and where to go instead (§10.9). */
export interface Destruction {
  readonly alternate?: Jid | undefined;
  readonly password?: string | undefined;
  readonly reason?: string | undefined;
}

export interface MucUser {
  readonly items?: readonly MucItem[] | undefined;
  /** 100 to 999; those that are not registered are to be ignored. */
  readonly statuses?: readonly number[] | undefined;
  readonly invites?: readonly Invite[] | undefined;
  readonly decline?: Decline | undefined;
  readonly destroy?: Destruction | undefined;
  /** The room's, with an invitation. */
  readonly password?: string | undefined;
}

/** `<x/>` in presence and messages from a room, and in messages to it that invite, decline or are private (§7.5). */
export const MucUserPayload = payload<MucUser, "presence" | "message">({
  ns: NS_MUC_USER,
  name: "x",
  places: ["presence", "message"],
  parse: (x) => {
    const decline = childOf(x, "decline");
    const destroy = childOf(x, "destroy");
    return {
      items: childrenOf(x, "item").map(parseItem),
      statuses: childrenOf(x, "status").map(parseStatus),
      invites: childrenOf(x, "invite").map(parseInvite),
      decline: decline === undefined ? undefined : parseDecline(decline),
      destroy: destroy === undefined ? undefined : parseDestruction(destroy),
      password: textOfChild(x, "password"),
    };
  },
  build: ({ items = [], statuses = [], invites = [], decline, destroy, password }) =>
    element(NS_MUC_USER, "x", {}, [
      ...items.map((item) => buildItem(item, NS_MUC_USER)),
      ...invites.map(buildInvite),
      decline !== undefined &&
        element(NS_MUC_USER, "decline", { from: decline.from?.full, to: decline.to?.full }, [reason(decline.reason)]),
      destroy !== undefined && buildDestruction(destroy, NS_MUC_USER),
      password !== undefined && element(NS_MUC_USER, "password", {}, [password]),
      ...statuses.map((code) => element(NS_MUC_USER, "status", { code })),
    ]),
});

/** `<item/>` of this namespace and of muc#admin, which is the same (§19.2, §19.3). */
export const parseItem = (item: Element): MucItem => {
  const { affiliation, role, jid, nick } = item.attributes;
  const actor = childOf(item, "actor");
  const continues = childOf(item, "continue");
  return {
    affiliation: affiliation === undefined ? undefined : (affiliationNamed(affiliation) ?? refuse("no affiliation")),
    role: role === undefined ? undefined : (roleNamed(role) ?? refuse("no role")),
    jid: addressIn(jid),
    nick,
    actor: actor === undefined ? undefined : { jid: addressIn(actor.attributes.jid), nick: actor.attributes.nick },
    reason: textOfChild(item, "reason"),
    continues: continues === undefined ? undefined : { thread: continues.attributes.thread },
  };
};

export const buildItem = (item: MucItem, ns: string): Element => {
  const { affiliation, role, jid, nick, actor, continues } = item;
  return element(ns, "item", { affiliation, role, jid: jid?.full, nick }, [
    actor !== undefined && element(ns, "actor", { jid: actor.jid?.full, nick: actor.nick }),
    continues !== undefined && element(ns, "continue", { thread: continues.thread }),
    reason(item.reason, ns),
  ]);
};

/** `<destroy/>` of this namespace and of muc#owner (§19.2, §19.4). */
export const parseDestruction = (destroy: Element): Destruction => ({
  alternate: addressIn(destroy.attributes.jid),
  password: textOfChild(destroy, "password"),
  reason: textOfChild(destroy, "reason"),
});

export const buildDestruction = ({ alternate, password, reason: why }: Destruction, ns: string): Element =>
  element(ns, "destroy", { jid: alternate?.full }, [
    password !== undefined && element(ns, "password", {}, [password]),
    reason(why, ns),
  ]);

const parseStatus = ({ attributes: { code = "" } }: Element): number => {
  const number = parseUnsigned(code, 999);
  return number !== undefined && number >= 100 ? number : refuse("no status code");
};

const parseInvite = (invite: Element): Invite => {
  const continues = childOf(invite, "continue");
  return {
    ...parseDecline(invite),
    continues: continues === undefined ? undefined : { thread: continues.attributes.thread },
  };
};

const parseDecline = (decline: Element): Decline => ({
  to: addressIn(decline.attributes.to),
  from: addressIn(decline.attributes.from),
  reason: textOfChild(decline, "reason"),
});

const buildInvite = ({ to, from, reason: why, continues }: Invite): Element =>
  element(NS_MUC_USER, "invite", { from: from?.full, to: to?.full }, [
    reason(why),
    continues !== undefined && element(NS_MUC_USER, "continue", { thread: continues.thread }),
  ]);

const addressIn = (text: string | undefined): Jid | undefined => (text === undefined ? undefined : parseJid(text));

const reason = (why: string | undefined, ns: string = NS_MUC_USER): Element | undefined =>
  why === undefined ? undefined : element(ns, "reason", {}, [why]);

const refuse = (text: string): never => {
  throw new StanzaError("bad-request", { text });
};
