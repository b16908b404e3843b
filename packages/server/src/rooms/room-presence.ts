/** XEP-0045 §7.2.2 to §7.2.4, §17.3: what the presence of an occupant looks like, to whom. */
import {
  type Actor,
  type Affiliation,
  type Destruction,
  Hats,
  type Jid,
  type MucItem,
  MucUserPayload,
  occupantIdBytes,
  type Presence,
  presence,
  type Role,
  type StatusCode,
  unescape as unescaped,
  withPayload,
  withRawChild,
  writeElement,
} from "@kith/protocol";
import { NOTHING, type RoomOutputs, send } from "./room-model.ts";
import type { Occupant, Session } from "./room-occupants.ts";
import type { RoomState } from "./room-state.ts";

/** Somebody who has done something to an occupant: nickname where they are in the room. */
export interface Doer {
  readonly jid: Jid;
  readonly nick: string | undefined;
}

/** What has happened to an occupant, as far as presence tells. */
export interface PresenceNews {
  readonly type: "available" | "unavailable";
  /** What it is from now on; "none": no occupant (§7.14). */
  readonly role: Role;
  readonly affiliation: Affiliation;
  /** Whose content is shown: the presence of the leader, or a last one. */
  readonly content: Presence | undefined;
  readonly statuses?: readonly StatusCode[];
  /** For its own clients only, beside 110. */
  readonly ownStatuses?: readonly StatusCode[];
  /** The new nickname (§7.6). */
  readonly nick?: string;
  readonly actor?: Doer | undefined;
  readonly reason?: string | undefined;
  readonly destroy?: Destruction;
  /** The client's own address. */
  readonly jid: Jid;
  /** The id of the request, for the client that sent it. */
  readonly id?: string | undefined;
}

/** The presence as one class of recipients is shown it. */
const render = (room: RoomState, occupant: Occupant, news: PresenceNews, view: View): Presence => {
  const { type, content, destroy } = news;
  const lang = content?.lang === undefined ? undefined : unescaped(content.lang);
  const bare = presence({ type, from: occupant.jid, lang, id: view.id });
  const own = content === undefined ? bare : withPayload(bare, content.payload, content.index);
  const item = itemOf(news, view);
  const statuses = view.isOwn
    ? [...(news.ownStatuses ?? []), 110, ...(news.statuses ?? [])].sort((one, other) => one - other)
    : (news.statuses ?? []);
  const about = writeElement(MucUserPayload.build({ items: [item], statuses, destroy }));
  const identified = withRawChild(withRawChild(own, about), occupantIdBytes(occupant.occupantId));
  const { hats = [] } = room.recordOf(occupant.account.bare);
  return type === "unavailable" || hats.length === 0
    ? identified
    : withRawChild(identified, writeElement(Hats.build(hats)));
};

interface View {
  /** Sees real addresses. */
  readonly isNamed: boolean;
  /** Is the occupant itself. */
  readonly isOwn: boolean;
  readonly id?: string | undefined;
}

const itemOf = ({ affiliation, role, jid, nick, actor, reason }: PresenceNews, view: View): MucItem => ({
  affiliation,
  role,
  jid: view.isNamed || view.isOwn ? jid : undefined,
  nick,
  actor: actor === undefined ? undefined : actorFor(actor, view.isNamed),
  reason,
});

/** The nickname, which everybody knows; the address of somebody who is not there only where addresses are seen. */
const actorFor = ({ jid, nick }: Doer, isNamed: boolean): Actor | undefined => {
  if (isNamed) return { jid: jid.toBare(), nick };
  return nick === undefined ? undefined : { nick };
};

const NAMED: View = { isNamed: true, isOwn: false };
const UNNAMED: View = { isNamed: false, isOwn: false };

/** What is to be told of an occupant that stays as it is. */
export const standingNews = (room: RoomState, occupant: Occupant): PresenceNews => {
  const { leader } = occupant;
  return {
    type: "available",
    role: occupant.role,
    affiliation: room.affiliationOf(occupant.account),
    content: leader.presence,
    jid: leader.jid,
  };
};

/** The presence of an occupant as it stands; written once, however many are sent it. */
export const shownPresence = (room: RoomState, occupant: Occupant, isNamed: boolean): Presence => {
  const { shown } = occupant;
  if (isNamed) {
    shown.named ??= render(room, occupant, standingNews(room, occupant), NAMED);
    return shown.named;
  }
  shown.unnamed ??= render(room, occupant, standingNews(room, occupant), UNNAMED);
  return shown.unnamed;
};

/** Everybody else's presence for one who enters, or who now sees more (§7.2.2): nothing is written anew. */
export const roomRoster = (room: RoomState, reader: Session): RoomOutputs => {
  const isNamed = room.seesAddresses(reader.occupant.role);
  const stanzas: Presence[] = [];
  for (const occupant of room.occupants) {
    if (occupant !== reader.occupant && isBroadcast(room, occupant.role))
      stanzas.push(shownPresence(room, occupant, isNamed));
  }
  return send(stanzas, [reader.jid]);
};

/** Are others shown the presence of occupants with this role? */
export const isBroadcast = (room: RoomState, role: Role): boolean =>
  role !== "none" && room.configuration.presenceBroadcast.includes(role);

/**
 * Tells everybody else. Somebody whose presence is no longer for others to see leaves, as far as these can see; what others were never shown
 * they are not shown the end of.
 */
export const tellOthers = (room: RoomState, occupant: Occupant, news: PresenceNews): RoomOutputs => {
  const isVisible = news.type === "available" && isBroadcast(room, news.role);
  if (!isVisible && !occupant.isShown) return NOTHING;
  // A nickname is changed by going and coming, and nobody is lost on the way.
  if (news.nick === undefined) occupant.isShown = isVisible;
  const shown: PresenceNews = isVisible || news.type === "unavailable" ? news : hidden(news);
  const { named, unnamed } = room.others(occupant);
  return [
    ...(named.length === 0 ? NOTHING : send([render(room, occupant, shown, NAMED)], named)),
    ...(unnamed.length === 0 ? NOTHING : send([render(room, occupant, shown, UNNAMED)], unnamed)),
  ];
};

const hidden = (news: PresenceNews): PresenceNews => ({
  ...news,
  type: "unavailable",
  role: "none",
  content: undefined,
});

/** Tells the occupant's own clients, or some of them, with status 110 (§7.2.2). */
export const tellItself = (
  room: RoomState,
  occupant: Occupant,
  news: PresenceNews,
  to: readonly Jid[] = occupant.sessions.map(({ jid }) => jid),
): RoomOutputs => {
  const view: View = { isNamed: room.seesAddresses(occupant.role), isOwn: true, id: news.id };
  return send([render(room, occupant, news, view)], to);
};

/** Tells the occupant and all others of what it is now. */
export const tellAll = (room: RoomState, occupant: Occupant, news: PresenceNews): RoomOutputs => [
  ...tellItself(room, occupant, news),
  ...tellOthers(room, occupant, news),
];
