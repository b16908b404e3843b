import {
  type Affiliation,
  type BareJid,
  detached,
  type HistoryRequest,
  hasAffiliation,
  type Jid,
  type Message,
  type OccupantRole,
  type Presence,
  parseJid,
  type Role,
  type RoomConfiguration,
  StanzaError,
} from "@kith/protocol";
import { RoomHistory } from "./room-history.ts";
import {
  type AffiliationRecord,
  type HistoryEntry,
  keep,
  NOTHING,
  ROOM_LIMITS,
  type RoomData,
  type RoomLimits,
  type RoomOptions,
  type RoomOutput,
  type RoomOutputs,
  type RoomSettings,
  type SessionData,
  type SubjectData,
} from "./room-model.ts";
import { nickKey } from "./room-nicknames.ts";
import { dataOf, type ForwardedRequest, Occupant, type Session } from "./room-occupants.ts";
import { presenceFrom } from "./room-stanzas.ts";

/** "created": nobody has been told yet; "locked": waits for its first configuration (§10.1); "destroyed": is no more. */
export type RoomPhase = "created" | "locked" | "open" | "destroyed";

const NO_RECORD: AffiliationRecord = { affiliation: "none" };

/**
 * The state of one room: maps that only the room's transitions change, each in one go and only after everything that could be refused
 * has been looked at. A class and not a persistent structure, so that a room of ten thousand is not copied when one of them moves.
 */
export class RoomState {
  readonly jid: Jid;
  readonly options: RoomOptions;
  readonly limits: RoomLimits;
  readonly history: RoomHistory;
  phase: RoomPhase;
  /** Whether its first occupant has to configure it before others get in (§10.1). */
  readonly #startsLocked: boolean;
  /** Clients by their own address. */
  readonly sessions = new Map<string, Session>();
  readonly forwarded = new Map<string, ForwardedRequest>();
  /** When accounts have said something last, and last asked for voice; as far as it matters. */
  readonly spoke = new Map<BareJid, number>();
  readonly askedForVoice = new Map<BareJid, number>();
  #configuration: RoomConfiguration;
  #subject: SubjectData | undefined;
  readonly #occupants = new Map<string, Occupant>();
  readonly #accounts = new Map<BareJid, Occupant[]>();
  readonly #records: Map<BareJid, AffiliationRecord>;
  readonly #reserved = new Map<string, BareJid>();
  #remembered = 0;
  #order = 0;
  #everyone: readonly Jid[] | undefined;

  constructor(options: RoomOptions, data: RoomData, phase: RoomPhase, history: readonly HistoryEntry[] = []) {
    this.options = options;
    this.jid = options.jid.toBare();
    this.limits = { ...ROOM_LIMITS, ...options.limits };
    this.phase = phase;
    this.#startsLocked = data.isLocked;
    this.#configuration = data.configuration;
    this.#subject = data.subject;
    this.#records = new Map(data.affiliations);
    for (const [account, record] of data.affiliations) this.#noteRecord(account, record);
    this.history = new RoomHistory(this.jid, this.limits.history, this.limits.historyBytes, history);
  }

  // --- What is kept ---

  get configuration(): RoomConfiguration {
    return this.#configuration;
  }

  get subject(): SubjectData | undefined {
    return this.#subject;
  }

  get settings(): RoomSettings {
    const isLocked = this.phase === "locked" || (this.phase === "created" && this.#startsLocked);
    return { configuration: this.#configuration, subject: this.#subject, isLocked };
  }

  get data(): RoomData {
    return { ...this.settings, affiliations: [...this.#records] };
  }

  configure(configuration: RoomConfiguration): RoomOutput {
    this.#configuration = apart(configuration);
    return keep({ what: "room", value: this.settings });
  }

  open(): RoomOutput {
    this.phase = "open";
    return keep({ what: "room", value: this.settings });
  }

  /** Its creator has come in (§10.1). */
  begin(): void {
    this.phase = this.#startsLocked ? "locked" : "open";
  }

  setSubject(subject: SubjectData): RoomOutput {
    this.#subject = subject;
    return keep({ what: "room", value: this.settings });
  }

  // --- Accounts ---

  recordOf(account: BareJid): AffiliationRecord {
    return this.#records.get(account) ?? NO_RECORD;
  }

  /** §9.2: the account itself counts before its domain, of which only a ban is known. */
  affiliationOf(jid: Jid): Affiliation {
    const { affiliation } = this.recordOf(jid.bare);
    return affiliation === "none" ? this.recordOf(jid.domain).affiliation : affiliation;
  }

  get affiliated(): ReadonlyMap<BareJid, AffiliationRecord> {
    return this.#records;
  }

  /** Writes down what is known of an account, and forgets it where that is nothing. */
  setRecord(account: BareJid, record: AffiliationRecord): RoomOutputs {
    const before = this.#records.get(account);
    this.#forgetRecord(account);
    if (isNothing(record)) {
      return before === undefined ? NOTHING : [keep({ what: "affiliation", jid: account, value: undefined })];
    }
    const kept = apart(record);
    this.#records.set(account, kept);
    this.#noteRecord(account, kept);
    return [keep({ what: "affiliation", jid: account, value: kept }), ...this.#forgetOldest()];
  }

  #noteRecord(account: BareJid, { affiliation, nick }: AffiliationRecord): void {
    if (affiliation === "none") this.#remembered++;
    if (nick !== undefined) this.#reserved.set(nickKey(nick), account);
  }

  #forgetRecord(account: BareJid): void {
    const record = this.#records.get(account);
    if (record === undefined) return;
    this.#records.delete(account);
    if (record.affiliation === "none") this.#remembered--;
    if (record.nick !== undefined) this.#reserved.delete(nickKey(record.nick));
  }

  /** Strangers are not remembered in any number. */
  #forgetOldest(): RoomOutputs {
    if (this.#remembered <= this.limits.remembered) return NOTHING;
    for (const [account, { affiliation }] of this.#records) {
      if (affiliation !== "none") continue;
      this.#forgetRecord(account);
      return [keep({ what: "affiliation", jid: account, value: undefined })];
    }
    return NOTHING;
  }

  /** For whom a nickname is reserved. */
  reservedFor(nick: string): BareJid | undefined {
    return this.#reserved.get(nickKey(nick));
  }

  // --- Occupants ---

  get occupants(): Iterable<Occupant> {
    return this.#occupants.values();
  }

  get occupantCount(): number {
    return this.#occupants.size;
  }

  /** Whoever is addressed by this very nickname. */
  occupantAt(nick: string): Occupant | undefined {
    const occupant = this.#occupants.get(nickKey(nick));
    return occupant?.nick === nick ? occupant : undefined;
  }

  /** Whoever has this nickname, or one that looks the same. */
  occupantLike(nick: string): Occupant | undefined {
    return this.#occupants.get(nickKey(nick));
  }

  sessionOf(jid: Jid): Session | undefined {
    return this.sessions.get(jid.full);
  }

  occupantsOf(account: BareJid): readonly Occupant[] {
    return this.#accounts.get(account) ?? [];
  }

  addOccupant(account: Jid, nick: string, role: OccupantRole): Occupant {
    const bare = account.toBare();
    const occupant = new Occupant(bare, nick, this.jid.withResource(nick), role, this.options.occupantId(bare.bare));
    this.#occupants.set(nickKey(nick), occupant);
    const siblings = this.#accounts.get(bare.bare);
    if (siblings === undefined) this.#accounts.set(bare.bare, [occupant]);
    else siblings.push(occupant);
    return occupant;
  }

  addSession(occupant: Occupant, jid: Jid, presence: Presence, priority: number): Session {
    const session: Session = { jid, occupant, presence, priority, order: ++this.#order };
    occupant.sessions.push(session);
    this.sessions.set(jid.full, session);
    this.#everyone = undefined;
    occupant.shown = {};
    return session;
  }

  /** What the client says of itself now. */
  updateSession(session: Session, presence: Presence, priority: number): void {
    session.presence = presence;
    session.priority = priority;
    session.order = ++this.#order;
    session.occupant.shown = {};
  }

  /** Takes the client out, and the occupant with its last one. */
  removeSession(session: Session): RoomOutput {
    const { occupant, jid } = session;
    this.sessions.delete(jid.full);
    this.#everyone = undefined;
    occupant.sessions.splice(occupant.sessions.indexOf(session), 1);
    occupant.shown = {};
    if (occupant.sessions.length === 0) this.#removeOccupant(occupant);
    return keep({ what: "session", jid: jid.full, value: undefined });
  }

  #removeOccupant(occupant: Occupant): void {
    this.#occupants.delete(nickKey(occupant.nick));
    const { bare } = occupant.account;
    const siblings = this.occupantsOf(bare).filter((sibling) => sibling !== occupant);
    if (siblings.length === 0) this.#accounts.delete(bare);
    else this.#accounts.set(bare, [...siblings]);
  }

  rename(occupant: Occupant, nick: string): void {
    this.#occupants.delete(nickKey(occupant.nick));
    occupant.nick = nick;
    occupant.jid = this.jid.withResource(nick);
    occupant.shown = {};
    this.#occupants.set(nickKey(nick), occupant);
  }

  setRole(occupant: Occupant, role: OccupantRole): void {
    occupant.role = role;
    occupant.shown = {};
  }

  /** The rows of an occupant's clients, as they are now. */
  keepOccupant(occupant: Occupant): RoomOutputs {
    return occupant.sessions.map((session) => keep({ what: "session", jid: session.jid.full, value: dataOf(session) }));
  }

  /** Those who were there, in whatever order their rows come. */
  restoreSessions(rows: readonly SessionData[]): void {
    for (const row of rows.toSorted((one, other) => one.order - other.order)) {
      const jid = parseJid(row.jid);
      const occupant = this.occupantAt(row.nick) ?? this.addOccupant(jid, row.nick, row.role);
      occupant.isShown = row.isShown;
      this.addSession(occupant, jid, presenceFrom(row.presence), row.priority).order = row.order;
      this.#order = row.order;
    }
  }

  get sessionsData(): readonly SessionData[] {
    return [...this.sessions.values()].map(dataOf);
  }

  // --- Who is sent what ---

  /** All clients, for what is the same for all; one array until somebody comes or goes. */
  get everyone(): readonly Jid[] {
    this.#everyone ??= Array.from(this.sessions.values(), ({ jid }) => jid);
    return this.#everyone;
  }

  /** §7.2.3, §7.2.4: everybody in a non-anonymous room, moderators in a semi-anonymous one. */
  seesAddresses(role: Role): boolean {
    return this.#configuration.whois === "anyone" || role === "moderator";
  }

  /** The clients of all but one occupant, by whether they see real addresses. */
  others(than: Occupant | undefined): { readonly named: readonly Jid[]; readonly unnamed: readonly Jid[] } {
    const named: Jid[] = [];
    const unnamed: Jid[] = [];
    for (const { jid, occupant } of this.sessions.values()) {
      if (occupant === than) continue;
      if (this.seesAddresses(occupant.role)) named.push(jid);
      else unnamed.push(jid);
    }
    return { named, unnamed };
  }

  moderators(): readonly Jid[] {
    return Array.from(this.sessions.values())
      .filter(({ occupant }) => occupant.role === "moderator")
      .map(({ jid }) => jid);
  }

  // --- Standing ---

  /** What somebody may act as: with the affiliation, and the highest role that they have here (§8, §9). */
  standingOf(jid: Jid): { readonly role: Role; readonly affiliation: Affiliation } {
    let role: Role = this.sessionOf(jid)?.occupant.role ?? "none";
    for (const occupant of this.occupantsOf(jid.bare)) {
      if (occupant.role === "moderator" || role === "none") role = occupant.role;
    }
    return { role, affiliation: this.affiliationOf(jid) };
  }

  mayEnter(jid: Jid): boolean {
    const affiliation = this.affiliationOf(jid);
    if (affiliation === "outcast") return false;
    if (this.phase !== "open") return affiliation === "owner";
    return !this.#configuration.isMembersOnly || hasAffiliation(affiliation, "member");
  }

  /** The session of whoever sends; throws `condition` where it is none. */
  sessionFor(jid: Jid, condition: "not-acceptable" | "forbidden"): Session {
    const session = this.sessionOf(jid);
    if (session === undefined) throw new StanzaError(condition, { text: "you are not in the room" });
    return session;
  }

  historyFor(reader: Jid, request: HistoryRequest, at: number): readonly Message[] {
    return this.history.select(reader, this.#configuration.maxHistory, request, at);
  }
}

/** The same, its texts holding on to nothing of the stanza they came in. */
const apart = <T extends object>(value: T): T =>
  Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, typeof part === "string" ? detached(part) : part]),
  ) as T;

const isNothing = ({ affiliation, nick, voice, hats = [] }: AffiliationRecord): boolean =>
  affiliation === "none" && nick === undefined && voice === undefined && hats.length === 0;
