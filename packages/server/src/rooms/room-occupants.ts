/** XEP-0045 §4.1, §7.2.8: occupants and their clients. */
import type { Jid, OccupantRole, Presence } from "@kith/protocol";
import type { SessionData } from "./room-model.ts";
import { contentOf } from "./room-stanzas.ts";

/** One client of an occupant. */
export interface Session {
  readonly jid: Jid;
  readonly occupant: Occupant;
  /** What it says of itself, without what a room alone may say (§17.3). */
  presence: Presence;
  priority: number;
  /** The later of two is the one with the higher number. */
  order: number;
}

/** Somebody in the room under a nickname, with one client or several (§7.2.8). */
export class Occupant {
  readonly account: Jid;
  readonly occupantId: string;
  readonly sessions: Session[] = [];
  nick: string;
  jid: Jid;
  role: OccupantRole;
  /** The others have been told of it. */
  isShown = false;
  /** As it is shown to those who see real addresses and to the others; written when first needed. */
  shown: { named?: Presence; unnamed?: Presence } = {};

  constructor(account: Jid, nick: string, jid: Jid, role: OccupantRole, occupantId: string) {
    this.account = account;
    this.nick = nick;
    this.jid = jid;
    this.role = role;
    this.occupantId = occupantId;
  }

  /** The client that stands for the occupant: the one with the highest priority; of several the one that came or spoke up last. */
  get leader(): Session {
    let leader = this.sessions[0];
    if (leader === undefined) throw new Error("an occupant without a client");
    for (const session of this.sessions) if (isBefore(leader, session)) leader = session;
    return leader;
  }
}

const isBefore = (one: Session, other: Session): boolean =>
  one.priority === other.priority ? one.order < other.order : one.priority < other.priority;

/** An IQ on its way between two occupants. */
export interface ForwardedRequest {
  readonly requester: Jid;
  readonly id: string;
  /** Who was asked: the real address, and the occupant's at that time. */
  readonly asked: Jid;
  readonly occupant: Jid;
}

/** The client as plain data. */
export const dataOf = ({ jid, occupant, presence, priority, order }: Session): SessionData => ({
  jid: jid.full,
  nick: occupant.nick,
  role: occupant.role,
  priority,
  presence: contentOf(presence),
  isShown: occupant.isShown,
  order,
});
