/** What a room is made of, is given, and gives: plain data and names, no behaviour. */
import type {
  Affiliation,
  BareJid,
  Bytes,
  ChildIndex,
  FullJid,
  Hat,
  Jid,
  Message,
  OccupantRole,
  RoomConfiguration,
  RoomConfigurationLimits,
  Stanza,
} from "@kith/protocol";

/** What a stranger cannot make grow beyond. */
export interface RoomLimits extends RoomConfigurationLimits {
  /** Characters of a nickname. */
  readonly nickname: number;
  /** Bytes of what an occupant's presence contains: everybody who enters is sent everybody's. */
  readonly presence: number;
  /** Clients that share one nickname. */
  readonly sessionsPerNick: number;
  /** Nicknames that one account goes by at once. */
  readonly nicksPerAccount: number;
  /** How many admins and owners get in when the room is full (XEP-0045 §7.2.9). */
  readonly reservedPlaces: number;
  /** Accounts with an affiliation. */
  readonly affiliations: number;
  /** Accounts without one of which something is remembered, such as that they were given voice. */
  readonly remembered: number;
  /** Messages of which a room keeps count, and their bytes. */
  readonly history: number;
  readonly historyBytes: number;
  /** IQ requests between occupants that wait for an answer. */
  readonly requests: number;
  /** Invitations in one message. */
  readonly invitations: number;
}

export const ROOM_LIMITS: RoomLimits = {
  maxUsers: 100_000,
  maxHistory: 1_000,
  nickname: 128,
  presence: 8_192,
  sessionsPerNick: 32,
  nicksPerAccount: 16,
  reservedPlaces: 32,
  affiliations: 50_000,
  remembered: 1_000,
  history: 100,
  historyBytes: 262_144,
  requests: 1_000,
  invitations: 32,
};

export interface RoomOptions {
  /** room@service. */
  readonly jid: Jid;
  /** XEP-0421: stable for an account in this room, not to be guessed from outside, at most 128 characters. */
  readonly occupantId: (account: BareJid) => string;
  /** A new unguessable id for a stanza that the room makes. */
  readonly newId: () => string;
  readonly limits?: Partial<RoomLimits>;
}

/** A stanza's content as plain data. */
export interface KeptContent {
  readonly payload: Bytes;
  readonly index: ChildIndex;
  /** `xml:lang`, real text. */
  readonly lang?: string | undefined;
}

/** Who set the subject, when, and to what: the message as it was reflected (XEP-0045 §7.2.15). */
export interface SubjectData extends KeptContent {
  /** The occupant's address at that time. */
  readonly from: string;
  /** Milliseconds since 1970. */
  readonly stamp: number;
}

/** What is small and changes seldom: one row. */
export interface RoomSettings {
  readonly configuration: RoomConfiguration;
  readonly subject?: SubjectData | undefined;
  /** Waits for its first configuration (XEP-0045 §10.1). */
  readonly isLocked: boolean;
}

/** What a room knows of an account, whether it is there or not. */
export interface AffiliationRecord {
  readonly affiliation: Affiliation;
  /** The nickname that is reserved for it (XEP-0045 §7.10). */
  readonly nick?: string | undefined;
  /** Why it was banned. */
  readonly reason?: string | undefined;
  /** A moderator's word that outlasts a visit (XEP-0045 §5.1). */
  readonly voice?: "granted" | "revoked" | undefined;
  readonly hats?: readonly Hat[] | undefined;
}

/** All that a room is without its occupants, as plain data. */
export interface RoomData extends RoomSettings {
  readonly affiliations: readonly (readonly [BareJid, AffiliationRecord])[];
}

/** One client of an occupant, as plain data: what a room needs to have it back after a restart. */
export interface SessionData {
  /** The client's own address. */
  readonly jid: string;
  readonly nick: string;
  readonly role: OccupantRole;
  readonly priority: number;
  readonly presence: KeptContent;
  /** Have the others been told of the occupant? */
  readonly isShown: boolean;
  /** Grows with whatever clients say of themselves: of two with the same priority the later one stands for the occupant. */
  readonly order: number;
}

/** A row to be written; `value` undefined: to be deleted. */
export type RoomKeeping =
  | { readonly what: "room"; readonly value: RoomSettings }
  | { readonly what: "affiliation"; readonly jid: BareJid; readonly value: AffiliationRecord | undefined }
  /** May be written "soon": who is lost in a crash finds out by a self-ping, or is lost itself. */
  | { readonly what: "session"; readonly jid: FullJid | BareJid; readonly value: SessionData | undefined };

/** A message that was said to everybody. */
export interface HistoryEntry {
  /** As it was reflected: from the occupant, without `to` and without a stanza-id. */
  message: Message;
  /** When it was received, in milliseconds since 1970. */
  readonly stamp: number;
  /** The id that the room's archive gave it; whoever gives it sets it. */
  stanzaId: string | undefined;
  /** Who said it: the real address, for the archive. */
  readonly sender: Jid;
  /** Belongs into the room's archive (XEP-0313 §6.1.2: what has a body, and changes of the subject). */
  readonly isArchived: boolean;
}

export type RoomOutput =
  /** Every stanza to every recipient, in this order. The stanzas have a `from` and no `to`. */
  | { readonly is: "send"; readonly stanzas: readonly Stanza[]; readonly to: readonly Jid[] }
  /** A stanza that is complete. */
  | { readonly is: "route"; readonly stanza: Stanza }
  /** A message to everybody: has a `from`, an id and an occupant id, no `to` and no stanza-id. */
  | { readonly is: "say"; readonly message: Message; readonly to: readonly Jid[]; readonly entry: HistoryEntry }
  | { readonly is: "keep"; readonly keeping: RoomKeeping }
  /** The room is no more, nor is anything that was kept of it. */
  | { readonly is: "destroyed" };
export type RoomOutputs = readonly RoomOutput[];

export const NOTHING: RoomOutputs = [];

/** What follows from a change: what is to be written, what those who are removed are told, and what everybody else is. */
export interface Told {
  readonly kept: RoomOutputs;
  readonly toRemoved: RoomOutputs;
  readonly toOthers: RoomOutputs;
}
export const UNTOLD: Told = { kept: NOTHING, toRemoved: NOTHING, toOthers: NOTHING };

export const send = (stanzas: readonly Stanza[], to: readonly Jid[]): RoomOutputs =>
  stanzas.length === 0 || to.length === 0 ? NOTHING : [{ is: "send", stanzas, to }];
export const route = (stanza: Stanza): RoomOutput => ({ is: "route", stanza });
export const keep = (keeping: RoomKeeping): RoomOutput => ({ is: "keep", keeping });
