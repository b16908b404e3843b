/** XEP-0045: a room. What comes in goes to one transition; what it gives is carried out by the service. */
import {
  type Affiliation,
  type BareJid,
  type Destruction,
  type DiscoInfo,
  FEATURE_SELF_PING,
  type FullJid,
  type Hat,
  type Jid,
  NS_HATS,
  NS_OCCUPANT_ID,
  NS_REGISTER,
  type Role,
  type RoomConfiguration,
  roomFeatures,
  roomInfoForm,
  type Stanza,
  type StatusCode,
  textNamed,
} from "@kith/protocol";
import { affiliateByOperator } from "./room-admin.ts";
import type { AffiliationChange } from "./room-affiliations.ts";
import type { RoomHistory } from "./room-history.ts";
import { leave, removeEverybody } from "./room-leaving.ts";
import { affiliatedAs } from "./room-lists.ts";
import {
  type HistoryEntry,
  NOTHING,
  type RoomData,
  type RoomOptions,
  type RoomOutputs,
  type SessionData,
  type SubjectData,
} from "./room-model.ts";
import { checkModerator, moderate } from "./room-moderation.ts";
import { announce, configure, destroy } from "./room-owner.ts";
import { standingNews, tellAll } from "./room-presence.ts";
import { receive } from "./room-receiving.ts";
import { presenceFrom } from "./room-stanzas.ts";
import { RoomState } from "./room-state.ts";

/** An occupant, as others may know it. */
export interface OccupantView {
  readonly nick: string;
  /** The occupant's address. */
  readonly jid: Jid;
  readonly role: Role;
  readonly affiliation: Affiliation;
  readonly occupantId: string;
}

/** An account that belongs to the room, or must not enter it. */
export interface AffiliatedView {
  readonly jid: Jid;
  readonly nick?: string | undefined;
  readonly reason?: string | undefined;
}

/**
 * A room: every transition changes it in one go and says what is to be sent and kept, in order; one that throws `StanzaError` has changed
 * nothing. It knows no clock and waits for nothing. Cost: a message is one stanza, whoever many hear it; somebody who enters costs one look
 * at each occupant, none of whose presence is written anew.
 */
export class Room {
  readonly #state: RoomState;

  private constructor(state: RoomState) {
    this.#state = state;
  }

  /**
   * A room that does not exist yet (§10.1): its creator owns it and is to enter it next. `locked`: nobody else may, until it has been
   * configured.
   */
  static create(
    options: RoomOptions,
    initial: { readonly creator: Jid; readonly configuration: RoomConfiguration; readonly locked: boolean },
  ): Room {
    const affiliations: RoomData["affiliations"] = [[initial.creator.bare, { affiliation: "owner" }]];
    const data: RoomData = { configuration: initial.configuration, isLocked: initial.locked, affiliations };
    return new Room(new RoomState(options, data, "created"));
  }

  /** A room as it was, with those who were in it, without a word to anybody. */
  static restore(
    options: RoomOptions,
    data: RoomData,
    there: { readonly sessions?: readonly SessionData[]; readonly history?: readonly HistoryEntry[] } = {},
  ): Room {
    const state = new RoomState(options, data, data.isLocked ? "locked" : "open", there.history);
    state.restoreSessions(there.sessions ?? []);
    return new Room(state);
  }

  // --- Transitions ---

  /**
   * A stanza to the room or an occupant, received at this moment (milliseconds since 1970). `undefined`: an IQ that is none of a room's, for
   * the service to answer. Throws StanzaError: the answer to the stanza.
   */
  receive(stanza: Stanza, at: number): RoomOutputs | undefined {
    return receive(this.#state, stanza, at);
  }

  /** A client is gone, or cannot be reached (status 333, §11.1). */
  remove(jid: FullJid | BareJid, why: "gone" | "error"): RoomOutputs {
    const session = this.#state.sessions.get(jid);
    if (session === undefined) return NOTHING;
    return leave(this.#state, session, why === "error" ? { statuses: [333] } : {});
  }

  /** By whoever runs the server (§10.9). */
  destroy(destruction: Destruction = {}): RoomOutputs {
    return destroy(this.#state, destruction);
  }

  /** By whoever runs the server. Throws StanzaError "not-acceptable". */
  configure(change: Partial<RoomConfiguration>): RoomOutputs {
    const configuration = { ...this.#state.configuration, ...change };
    return configure(this.#state, { configuration }, undefined, NOTHING);
  }

  /** By whoever runs the server. Throws StanzaError "conflict" where no owner would be left. */
  affiliate(changes: readonly AffiliationChange[]): RoomOutputs {
    return affiliateByOperator(this.#state, changes);
  }

  /** Nobody has configured the room for long enough: it is as it is (§10.1.1). */
  unlock(): RoomOutputs {
    return this.isLocked ? [this.#state.open()] : NOTHING;
  }

  /** The service ends (§11.2). */
  shutDown(): RoomOutputs {
    return removeEverybody(this.#state, { statuses: [332] });
  }

  /** XEP-0317: what somebody wears from now on. */
  setHats(account: BareJid, hats: readonly Hat[]): RoomOutputs {
    const state = this.#state;
    const kept = state.setRecord(account, { ...state.recordOf(account), hats: hats.length === 0 ? undefined : hats });
    const told = state.occupantsOf(account).flatMap((occupant) => {
      occupant.shown = {};
      return tellAll(state, occupant, standingNews(state, occupant));
    });
    return [...kept, ...told];
  }

  /** XEP-0425: does away with a message that the archive has under this id. Throws "forbidden", "not-acceptable". */
  moderate(who: Jid, stanzaId: string, reason: string | undefined, at: number): RoomOutputs {
    return moderate(this.#state, who, stanzaId, reason, at);
  }

  /** Throws what `moderate` throws, before anything is looked for. */
  checkModerator(who: Jid): void {
    checkModerator(this.#state, who);
  }

  /** Tells everybody that something has changed (§10.2.1), such as the avatar (XEP-0486). */
  announce(statuses: readonly StatusCode[]): RoomOutputs {
    return announce(this.#state, statuses);
  }

  // --- Questions ---

  get jid(): Jid {
    return this.#state.jid;
  }

  get isLocked(): boolean {
    return this.#state.phase === "created" || this.#state.phase === "locked";
  }

  get isDestroyed(): boolean {
    return this.#state.phase === "destroyed";
  }

  get isEmpty(): boolean {
    return this.#state.occupantCount === 0;
  }

  get occupantCount(): number {
    return this.#state.occupantCount;
  }

  get configuration(): RoomConfiguration {
    return this.#state.configuration;
  }

  get subject(): SubjectData | undefined {
    return this.#state.subject;
  }

  get history(): RoomHistory {
    return this.#state.history;
  }

  snapshot(): RoomData {
    return this.#state.data;
  }

  sessionsSnapshot(): readonly SessionData[] {
    return this.#state.sessionsData;
  }

  affiliationOf(jid: Jid): Affiliation {
    return this.#state.affiliationOf(jid);
  }

  affiliated(affiliation: Affiliation): readonly AffiliatedView[] {
    return affiliatedAs(this.#state, affiliation).map(({ jid, nick, reason }) => ({
      jid: jid ?? this.jid,
      nick,
      reason,
    }));
  }

  /** The occupant whose client this is. */
  occupantOf(jid: Jid): OccupantView | undefined {
    const occupant = this.#state.sessionOf(jid)?.occupant;
    if (occupant === undefined) return undefined;
    const { nick, role, occupantId, account } = occupant;
    return { nick, jid: occupant.jid, role, affiliation: this.#state.affiliationOf(account), occupantId };
  }

  /** The clients of whoever has this nickname. */
  clientsAt(nick: string): readonly Jid[] {
    return this.#state.occupantAt(nick)?.sessions.map(({ jid }) => jid) ?? [];
  }

  /** The nickname that somebody has registered (§7.12). */
  reservedNick(account: BareJid): string | undefined {
    return this.#state.recordOf(account).nick;
  }

  hatsOf(account: BareJid): readonly Hat[] {
    return this.#state.recordOf(account).hats ?? [];
  }

  mayEnter(jid: Jid): boolean {
    return this.#state.mayEnter(jid);
  }

  isModerator(jid: Jid): boolean {
    return this.#state.sessionOf(jid)?.occupant.role === "moderator";
  }

  /** Of an occupant's client, or of somebody who is not there: by what they would be. */
  maySeeJids(jid: Jid): boolean {
    const { role, affiliation } = this.#state.standingOf(jid);
    return this.#state.seesAddresses(role) || affiliation === "owner" || affiliation === "admin";
  }

  /** What the room says of itself (§6.4). What other modules add, such as an archive or an avatar, is theirs. */
  info(): DiscoInfo {
    const { configuration, occupantCount } = this.#state;
    const { name, description, language, changeSubject, maxHistory, pubsub, slowMode } = configuration;
    return {
      identities: [{ category: "conference", type: "text", ...(name === "" ? {} : { name }) }],
      features: [...roomFeatures(configuration), NS_REGISTER, NS_OCCUPANT_ID, NS_HATS, FEATURE_SELF_PING],
      forms: [
        roomInfoForm({
          description: told(description),
          subject: told(this.#subjectText()),
          subjectMay: changeSubject,
          occupants: occupantCount,
          language: told(language),
          maxHistory,
          pubsub: told(pubsub),
          slowMode,
        }),
      ],
    };
  }

  #subjectText(): string {
    const { subject } = this.#state;
    return subject === undefined ? "" : (textNamed(presenceFrom(subject), "subject") ?? "");
  }
}

const told = (text: string): string | undefined => (text === "" ? undefined : text);
