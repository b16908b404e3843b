import {
  type BareJid,
  childOf,
  childrenOf,
  DEFAULT_ROOM_CONFIGURATION,
  type Element,
  type Jid,
  MucUserPayload,
  parseJid,
  parseRaw,
  type RoomConfiguration,
  readdressed,
  readElement,
  readStanza,
  type Stanza,
  StanzaError,
  textOf,
  toBytes,
  writeStanza,
} from "@kith/protocol";
import { expect } from "vitest";
import {
  type AffiliationRecord,
  type HistoryEntry,
  Room,
  type RoomKeeping,
  type RoomLimits,
  type RoomOptions,
  type RoomOutput,
  type RoomOutputs,
  type RoomSettings,
  type SessionData,
} from "./index.ts";

export const ROOM = "den@rooms.example";
export const MUC = "http://jabber.org/protocol/muc";
export const X = `<x xmlns='${MUC}'/>`;
export const ADMIN = `xmlns='${MUC}#admin'`;
export const OWNER = `xmlns='${MUC}#owner'`;
export const USER = `xmlns='${MUC}#user'`;

/** "ana" is ana@host.example/pad; "ana/phone" another client of hers. */
export const client = (name: string): Jid => {
  const [account = "", resource = "pad"] = name.split("/");
  return parseJid(`${account}@host.example/${resource}`);
};

export interface SceneOptions {
  readonly configuration?: Partial<RoomConfiguration>;
  readonly limits?: Partial<RoomLimits>;
  /** Default: open. */
  readonly locked?: boolean;
}

/**
 * A room, and everybody it talks to. Ola owns it. After every transition what was kept is compared with what the room is, and after every
 * refusal the room with what it was.
 */
export class RoomScene {
  room: Room;
  now = 1_000_000;
  readonly options: RoomOptions;
  settings: RoomSettings | undefined;
  readonly records = new Map<BareJid, AffiliationRecord>();
  readonly sessions = new Map<string, SessionData>();
  readonly said: HistoryEntry[] = [];
  isDestroyed = false;
  #ids = 0;
  #inboxes = new Map<string, Element[]>();

  constructor({ configuration = {}, limits = {}, locked = false }: SceneOptions = {}) {
    this.options = {
      jid: parseJid(ROOM),
      occupantId: (account) => `id-${account.split("@")[0]}`,
      newId: () => `new-${++this.#ids}`,
      limits,
    };
    this.room = Room.create(this.options, {
      creator: client("ola"),
      configuration: { ...DEFAULT_ROOM_CONFIGURATION, isPersistent: true, ...configuration },
      locked,
    });
  }

  /** The stanza, whose `from` is this client's. Nothing is refused. */
  sends(name: string, xml: string): void {
    const outputs = this.attempt(() => this.room.receive(this.stanza(name, xml), this.now));
    expect(outputs, "a stanza for the room").toBeDefined();
    this.carryOut(outputs ?? []);
  }

  /** The condition with which it is refused, its type and its text. */
  refusal(name: string, xml: string): string {
    try {
      this.sends(name, xml);
    } catch (error) {
      if (error instanceof StanzaError)
        return error.type === DEFAULT_TYPES[error.condition] ? error.condition : `${error.condition}/${error.type}`;
      throw error;
    }
    return "none";
  }

  stanza(name: string, xml: string): Stanza {
    const stanza = readStanza(parseRaw(toBytes(xml)));
    expect(stanza.problem).toBeUndefined();
    return readdressed(stanza, client(name), stanza.to);
  }

  attempt<T>(transition: () => T): T {
    const before = JSON.stringify([
      this.room.snapshot(),
      this.room.sessionsSnapshot(),
      this.room.history.entries.length,
    ]);
    try {
      return transition();
    } catch (error) {
      expect(
        JSON.stringify([this.room.snapshot(), this.room.sessionsSnapshot(), this.room.history.entries.length]),
      ).toBe(before);
      throw error;
    }
  }

  carryOut(outputs: RoomOutputs): void {
    for (const output of outputs) this.#carryOut(output);
    if (!this.isDestroyed) this.#compare();
  }

  #carryOut(output: RoomOutput): void {
    switch (output.is) {
      case "send":
        for (const stanza of output.stanzas) this.#deliverTo(stanza, output.to);
        break;
      case "say":
        this.said.push(output.entry);
        output.entry.stanzaId = `sid-${this.said.length}`;
        this.#deliverTo(output.message, output.to);
        break;
      case "route":
        this.#deliver(output.stanza);
        break;
      case "keep":
        this.#keep(output.keeping);
        break;
      case "destroyed":
        this.isDestroyed = true;
    }
  }

  #deliverTo(stanza: Stanza, recipients: readonly Jid[]): void {
    expect(recipients.length, "somebody to send to").toBeGreaterThan(0);
    expect(stanza.to).toBeUndefined();
    for (const to of recipients) this.#deliver(readdressed(stanza, stanza.from, to));
  }

  #deliver(stanza: Stanza): void {
    const { to } = stanza;
    expect(stanza.from, "whoever sends").toBeDefined();
    if (to === undefined) throw new Error("a stanza to nobody");
    const inbox = this.#inboxes.get(to.full) ?? [];
    // As it arrives: written and read again.
    const arrived = parseRaw(writeStanza(stanza));
    expect(arrived.index, "an index that is right").toEqual(stanza.index);
    const element = readElement(arrived);
    inbox.push({ ...element, attributes: { ...element.attributes, type: stanza.type } });
    this.#inboxes.set(to.full, inbox);
  }

  #keep(keeping: RoomKeeping): void {
    if (keeping.what === "room") this.settings = keeping.value;
    else if (keeping.what === "affiliation") put(this.records, keeping.jid, keeping.value);
    else put(this.sessions, keeping.jid, keeping.value);
  }

  #compare(): void {
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    const { affiliations, ...settings } = this.room.snapshot();
    if (this.settings !== undefined) expect(plain(this.settings)).toEqual(plain(settings));
    if (this.settings !== undefined)
      expect(plain(Object.fromEntries(this.records))).toEqual(plain(Object.fromEntries(affiliations)));
    const sessions = this.room.sessionsSnapshot().map((session): [string, SessionData] => [session.jid, session]);
    expect(plain(Object.fromEntries(this.sessions))).toEqual(plain(Object.fromEntries(sessions)));
  }

  /** The room after a restart: only what was kept is left, in whatever order. */
  restart(): void {
    if (this.settings === undefined) throw new Error("nothing was kept");
    const data = JSON.parse(JSON.stringify({ ...this.settings, affiliations: [...this.records] }));
    const sessions = JSON.parse(JSON.stringify([...this.sessions.values()].reverse()));
    this.room = Room.restore(this.options, data, {
      sessions,
      history: this.said.filter(({ isArchived }) => isArchived),
    });
  }

  /** Enters, and does not listen to what comes of it. */
  enters(name: string, nick: string, inside = X): void {
    this.sends(name, `<presence to='${ROOM}/${nick}'>${inside}</presence>`);
    this.quiet();
  }

  /** What a client has received since it was last asked, each in a few words. */
  hears(name: string): readonly string[] {
    return this.stanzasFor(name).map(inShort);
  }

  stanzasFor(name: string): readonly Element[] {
    const key = name.includes("@") ? name : client(name).full;
    const inbox = this.#inboxes.get(key) ?? [];
    this.#inboxes.delete(key);
    return inbox;
  }

  quiet(): void {
    this.#inboxes.clear();
  }

  /** Whoever has something they were not asked about. */
  get unheard(): readonly string[] {
    return [...this.#inboxes.keys()];
  }

  /** A request of this client: the short form of what it is answered, which comes last. */
  asks(name: string, inside: string, type: "get" | "set" = "set", id = "q"): void {
    this.sends(name, `<iq to='${ROOM}' type='${type}' id='${id}'>${inside}</iq>`);
  }

  refuses(name: string, inside: string, type: "get" | "set" = "set"): string {
    return this.refusal(name, `<iq to='${ROOM}' type='${type}' id='q'>${inside}</iq>`);
  }

  /** Affiliations as the operator wills, unheard. */
  affiliates(affiliations: Readonly<Record<string, "owner" | "admin" | "member" | "none" | "outcast">>): void {
    const changes = Object.entries(affiliations).map(([name, affiliation]) => ({
      account: client(name).toBare(),
      affiliation,
    }));
    this.carryOut(this.room.affiliate(changes));
    this.quiet();
  }
}

const DEFAULT_TYPES: Readonly<Record<string, string>> = {
  "service-unavailable": "cancel",
  "not-acceptable": "modify",
  "not-allowed": "cancel",
  "not-authorized": "auth",
  "registration-required": "auth",
  forbidden: "auth",
  conflict: "cancel",
  "item-not-found": "cancel",
  "bad-request": "modify",
  "jid-malformed": "modify",
  "policy-violation": "modify",
  "resource-constraint": "wait",
};

const put = <K, V>(map: Map<K, V>, key: K, value: V | undefined): void => {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
};

/** `available Ana member/participant ana@host.example/pad ->Ana2 by Bo (reason) [110 201]`, `groupchat Ana: hello`, `result q`. */
export const inShort = (stanza: Element): string => {
  const { from = "", type = "" } = stanza.attributes;
  const nick = from.includes("/") ? from.slice(from.indexOf("/") + 1) : from;
  const x = childOf(stanza, "x", `${MUC}#user`);
  const about = x === undefined ? "" : userInShort(x);
  if (stanza.name === "iq") return `${type} ${stanza.attributes.id}`;
  const body = childOf(stanza, "body", "");
  const subject = childOf(stanza, "subject", "");
  const status = childOf(stanza, "status", "");
  const words = [
    `${type} ${nick}`,
    about,
    body === undefined ? "" : `: ${textOf(body)}`,
    subject === undefined ? "" : `about ${textOf(subject)}`,
    status === undefined ? "" : `"${textOf(status)}"`,
  ];
  return words
    .filter((word) => word !== "")
    .join(" ")
    .replace(" : ", ": ");
};

const userInShort = (x: Element): string => {
  const { items = [], statuses = [], invites = [], decline, destroy, password } = MucUserPayload.parse(x);
  const words = [
    ...items.map(({ affiliation, role, jid, nick, actor, reason }) =>
      [
        `${affiliation}/${role}`,
        jid?.full,
        nick === undefined ? undefined : `->${nick}`,
        actor === undefined ? undefined : `by ${[actor.nick, actor.jid?.full].filter(Boolean).join(" ")}`,
        reason === undefined ? undefined : `(${reason})`,
      ]
        .filter((word) => word !== undefined)
        .join(" "),
    ),
    ...invites.map(({ from, reason }) => `invited by ${from?.full}${reason === undefined ? "" : ` (${reason})`}`),
    decline === undefined
      ? ""
      : `declined by ${decline.from?.full}${decline.reason === undefined ? "" : ` (${decline.reason})`}`,
    destroy === undefined
      ? ""
      : `destroyed ${[destroy.alternate?.full, destroy.password, destroy.reason].filter(Boolean).join(" ")}`.trim(),
    password === undefined ? "" : `password ${password}`,
    statuses.length === 0 ? "" : `[${statuses.join(" ")}]`,
  ];
  return words.filter((word) => word !== "").join(" ");
};

/** A form that is submitted, of these fields. */
export const submitted = (formType: string, fields: Readonly<Record<string, string | readonly string[]>>): string =>
  `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>${formType}</value></field>${Object.entries(
    fields,
  )
    .map(
      ([name, values]) =>
        `<field var='${name}'>${[values]
          .flat()
          .map((value) => `<value>${value}</value>`)
          .join("")}</field>`,
    )
    .join("")}</x>`;

export const itemsOf = (result: Element | undefined): readonly string[] => {
  const query = result === undefined ? undefined : childOf(result, "query", `${MUC}#admin`);
  return query === undefined
    ? []
    : childrenOf(query, "item").map(({ attributes: { affiliation, role, nick, jid } }) =>
        [affiliation, role, nick, jid].filter((word) => word !== undefined).join(" "),
      );
};
