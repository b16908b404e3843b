/** What tests of streams share: a connection in memory, time moved by hand, a server behind the door that only notes what it is asked. */
import { createHash } from "node:crypto";
import {
  type Bytes,
  type ChannelBindings,
  type DomainJid,
  deriveScramKeys,
  type Eventually,
  type HashName,
  type Jid,
  jid,
  NO_CHANNEL_BINDINGS,
  parseElement,
  type RawElement,
  type ScramKeys,
  type Stanza,
  StanzaError,
  StreamError,
  toBytes,
  toText,
  toUint8Array,
  writeRaw,
} from "@kith/protocol";
import { nodeCrypto } from "../crypto.ts";
import { TimerWheel } from "../listen/timer-wheel.ts";
import type { Log } from "../router/log.ts";
import { type BacklogLimits, Backlogs } from "./backlogs.ts";
import type { BoundSession, Door, HowEnded, Managed, Resumption, Wire } from "./door.ts";
import { GuessLimiter, type GuessLimits } from "./guess-limiter.ts";
import { BACKLOG_LIMITS, type C2sServices, type Host, STREAM_LIMITS, type StreamLimits } from "./services.ts";
import { ClientStream } from "./stream-client.ts";
import type { PeerCertificate, Security, Transport, TransportListener } from "./transport.ts";
import { Turns } from "./turns.ts";

/** Monotonic time that is moved by hand. */
export class ManualTimers extends TimerWheel {
  static start(): ManualTimers {
    const time = { now: 1_000_000 };
    return new ManualTimers(time);
  }
  readonly #time: { now: number };
  private constructor(time: { now: number }) {
    super(() => time.now);
    this.#time = time;
  }
  /** Moves time and lets run out what is due, then lets whatever that began come to rest. */
  async pass(ms: number): Promise<void> {
    this.#time.now += ms;
    this.advance();
    await settled();
  }
}

/** Everything that has nothing to wait for but promises has been done. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface MemoryOptions {
  readonly address?: string;
  readonly channelBindings?: ChannelBindings;
  readonly protocol?: string;
  readonly serverName?: string;
  readonly peerCertificate?: PeerCertificate;
}

/** A connection without sockets: what the server writes is at hand at once, unless `isReading` is set to false. */
export class MemoryTransport implements Transport {
  readonly address: string;
  readonly #options: MemoryOptions;
  security: Security | undefined = undefined;
  isReading = true;
  isPaused = false;
  isVouched = false;
  state: "open" | "ended" | "destroyed" = "open";
  /** Written in the clear and not looked at by the test. */
  written = "";
  /** The domain TLS was begun for; it is established when the test calls `handshake`. */
  handshaking: { readonly domain: DomainJid | undefined } | undefined = undefined;
  listener: TransportListener | undefined = undefined;
  #unread = "";
  #waiting: (() => void)[] = [];

  constructor(options: MemoryOptions = {}) {
    this.#options = options;
    this.address = options.address ?? "192.0.2.7";
  }
  get isLoopback(): boolean {
    return this.address.startsWith("127.");
  }
  get backlog(): number {
    return this.#unread.length;
  }
  write(bytes: Bytes): void {
    if (this.state !== "open") return;
    if (this.isReading) this.written += bytes;
    else this.#unread += bytes;
  }
  whenFlushed(done: () => void): void {
    if (this.backlog === 0) done();
    else this.#waiting.push(done);
  }
  /** The peer reads what has been waiting for it. */
  read(): void {
    this.written += this.#unread;
    this.#unread = "";
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  startTls(domain: DomainJid | undefined): void {
    this.handshaking = { domain };
  }
  handshake(): void {
    const { channelBindings = NO_CHANNEL_BINDINGS, protocol = "TLSv1.3", serverName, peerCertificate } = this.#options;
    this.handshaking = undefined;
    this.security = { protocol, cipher: "TLS_AES_128_GCM_SHA256", serverName, channelBindings, peerCertificate };
    this.listener?.secured();
  }
  end(): void {
    if (this.state === "open") this.state = "ended";
  }
  destroy(): void {
    if (this.state === "destroyed") return;
    this.state = "destroyed";
    queueMicrotask(() => this.listener?.lost(undefined));
  }
  vouch(): void {
    this.isVouched = true;
  }
}

/** Notes what streams ask of the server; answers what tests tell it to. */
export class FakeDoor implements Door {
  /** Resourceparts that are taken. */
  readonly taken = new Set<string>();
  bindError: StanzaError | undefined = undefined;
  /** Bind waits for it. */
  bindDelay: Promise<void> | undefined = undefined;
  readonly sessions: FakeSession[] = [];
  readonly remote: Stanza[] = [];
  acceptDelay: Promise<void> | undefined = undefined;
  readonly domains = new Map<DomainJid, (stanza: Stanza) => void>();
  visitorAnswer: ((iq: Stanza) => Eventually<Bytes | undefined>) | undefined = undefined;
  readonly visits: Parameters<Door["visitorIq"]>[1][] = [];
  readonly features: Door["features"] = {
    visitor: () => [parseElement("<register xmlns='http://jabber.org/features/iq-register'/>")],
    authenticated: () => [parseElement("<ver xmlns='urn:xmpp:features:rosterver'/>")],
  };

  bind(account: Jid, resource: string | undefined, wire: Wire, lang: Bytes | undefined): Eventually<BoundSession> {
    if (this.bindError !== undefined) throw this.bindError;
    if (resource === "") throw new StanzaError("bad-request");
    if (resource !== undefined && this.taken.has(resource)) throw new StanzaError("conflict", { type: "modify" });
    const session = new FakeSession(jid(account.local, account.domain, resource ?? "made-by-server"), wire, lang);
    this.sessions.push(session);
    return this.bindDelay === undefined ? session : this.bindDelay.then(() => session);
  }
  /** Sessions that were ended, and how. */
  readonly ended: string[] = [];
  end(...[session, { condition }]: Parameters<Door["end"]>): Eventually<void> {
    this.ended.push(`${session} ${condition}`);
    return this.whenEnded?.();
  }
  whenEnded: (() => Eventually<void>) | undefined = undefined;
  visitorIq(...[iq, visitor]: Parameters<Door["visitorIq"]>): Eventually<Bytes | undefined> {
    this.visits.push(visitor);
    return this.visitorAnswer?.(iq);
  }
  /** What a wish to resume a stream leads to, by its SM-ID. */
  readonly resumable = new Map<string, () => Eventually<Resumption>>();
  resume(_account: Jid, previd: string): Eventually<Resumption> {
    return this.resumable.get(previd)?.() ?? { is: "refused", h: undefined };
  }
  acceptRemote(stanza: Stanza): Eventually<void> {
    this.remote.push(stanza);
    return this.acceptDelay;
  }
  bindDomain(domain: DomainJid, receive: (stanza: Stanza) => void): { release(): void } {
    if (this.domains.has(domain)) throw new StreamError("conflict");
    this.domains.set(domain, receive);
    return { release: () => this.domains.delete(domain) };
  }
  /** The latest session bound. */
  get session(): FakeSession {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error("nothing was bound");
    return session;
  }
}

export class FakeSession implements BoundSession {
  readonly jid: Jid;
  readonly wire: Wire;
  readonly lang: Bytes | undefined;
  readonly received: string[] = [];
  ends = 0;
  /** What the next elements lead to. */
  handle: (raw: RawElement) => Eventually<void> = () => {};
  whenEnded: () => Eventually<void> = () => {};
  constructor(jid: Jid, wire: Wire, lang: Bytes | undefined) {
    this.jid = jid;
    this.wire = wire;
    this.lang = lang;
  }
  receive(raw: RawElement): Eventually<void> {
    this.received.push(toText(writeRaw(raw)));
    return this.handle(raw);
  }
  ended(_wire: Wire, how: HowEnded): Eventually<void> {
    this.ends++;
    this.how = how;
    return this.whenEnded();
  }
  how: HowEnded | undefined = undefined;
  heard(): void {}
  isActive = true;
  setActive(isActive: boolean): void {
    this.isActive = isActive;
  }
  readonly marks = new Set<string>();
  mark(mark: string, on: boolean): void {
    if (on) this.marks.add(mark);
    else this.marks.delete(mark);
  }
  /** What it says of stream management, and what it is told. */
  readonly told: string[] = [];
  manager: Managed | undefined = undefined;
  manage(...[wanted, say]: Parameters<BoundSession["manage"]>): "managed" | "managed before" {
    if (this.manager !== undefined) return "managed before";
    const told = say(wanted.resume ? { id: "stream-7", max: wanted.max ?? 300 } : undefined);
    if (told !== undefined) this.wire.send(told);
    this.manager = {
      acknowledge: () => void this.told.push("r"),
      acknowledged: (h) => void this.told.push(`a ${h}`),
    };
    return "managed";
  }
}

export const PASSWORD = "wherefore art thou";
const HASHES: readonly HashName[] = ["SHA-1", "SHA-256", "SHA-512"];
const keysOf = async (password: string): Promise<Record<HashName, ScramKeys>> => {
  const salt = new Uint8Array(16).fill(7);
  const keys = await Promise.all(HASHES.map((hash) => deriveScramKeys(nodeCrypto, hash, password, salt, 4096)));
  return { "SHA-1": keys[0] as ScramKeys, "SHA-256": keys[1] as ScramKeys, "SHA-512": keys[2] as ScramKeys };
};
const KEYS = await keysOf(PASSWORD);
const OTHER_KEYS = await keysOf("made up");

export interface LogLine {
  readonly level: keyof Log;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>> & { readonly err?: unknown; readonly condition?: unknown };
}

export interface WorldOptions {
  readonly hosts?: readonly Host[];
  readonly limits?: Partial<StreamLimits>;
  readonly plaintextFromLoopback?: boolean;
  readonly guesses?: GuessLimits;
  readonly backlogs?: BacklogLimits;
  readonly accounts?: readonly string[];
}

export const domain = (text: string): DomainJid => text as DomainJid;

/** A server as streams see it. */
export class World {
  readonly timers = ManualTimers.start();
  readonly door = new FakeDoor();
  readonly lines: LogLine[] = [];
  readonly log: Log;
  readonly services: C2sServices;
  /** Passwords checked as such. */
  passwordChecks = 0;
  accountsFail = false;
  clock = Date.parse("2031-05-17T09:30:00Z");

  constructor(options: WorldOptions = {}) {
    const { hosts = [{ domain: domain("capulet.example") }, { domain: domain("montague.example") }], limits = {} } =
      options;
    const accounts = new Set(options.accounts ?? ["juliet@capulet.example", "romeo@montague.example"]);
    const line = (level: keyof Log) => (fields: LogLine["fields"], text: string) =>
      void this.lines.push({ level, text, fields });
    this.log = { error: line("error"), warn: line("warn"), info: line("info"), debug: line("debug") };
    this.services = {
      door: this.door,
      accounts: {
        exists: (account) => accounts.has(account),
        scramKeys: (account, hash) => {
          if (this.accountsFail) throw new Error("the store is gone");
          return (accounts.has(account) ? KEYS : OTHER_KEYS)[hash];
        },
        verifyPassword: async (account, password) => {
          this.passwordChecks++;
          return accounts.has(account) && password === PASSWORD;
        },
      },
      crypto: nodeCrypto,
      hosts: new Map(hosts.map((host) => [host.domain, host])),
      limits: { ...STREAM_LIMITS, ...limits },
      plaintextFromLoopback: options.plaintextFromLoopback ?? false,
      guesses: new GuessLimiter(options.guesses),
      backlogs: new Backlogs(options.backlogs ?? BACKLOG_LIMITS),
      passwordTests: new Turns(1),
      log: this.log,
      timers: this.timers,
      now: () => this.clock,
    };
  }

  /** Somebody connects on port 5222. */
  connect(options: MemoryOptions = {}): Peer {
    return this.#connect(options, false);
  }
  /** Somebody connects on port 5223 and has done the TLS handshake. */
  connectSecurely(options: MemoryOptions = {}): Peer {
    const peer = this.#connect(options, true);
    peer.transport.handshake();
    return peer;
  }
  /** Over TLS, authenticated and bound. */
  async login(resource = "balcony", options: MemoryOptions = {}): Promise<Peer> {
    const peer = this.connectSecurely(options);
    await peer.sends(HEADER);
    await peer.sends(plainAuth("juliet", PASSWORD));
    await peer.sends(HEADER);
    await peer.sends(
      `<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`,
    );
    peer.received();
    return peer;
  }
  #connect(options: MemoryOptions, directTls: boolean): Peer {
    const transport = new MemoryTransport(options);
    const stream = new ClientStream(transport, this.services, directTls);
    transport.listener = stream;
    return new Peer(transport, stream);
  }
}

/** The other end of a connection: sends text, receives text. */
export class Peer<S extends TransportListener = ClientStream> {
  readonly transport: MemoryTransport;
  readonly stream: S;
  constructor(transport: MemoryTransport, stream: S) {
    this.transport = transport;
    this.stream = stream;
  }
  /** Sends in one piece and lets the server come to rest. */
  async sends(text: string): Promise<void> {
    this.sendsNow(text);
    await settled();
    for (let turn = 0; turn < 3; turn++) await settled();
  }
  /** Sends without waiting for anything. */
  sendsNow(text: string): void {
    this.stream.received(toUint8Array(toBytes(text)));
  }
  async sendsBytes(bytes: Uint8Array): Promise<void> {
    this.stream.received(bytes);
    await settled();
  }
  /** What came since last asked; stream ids and the XML declaration taken out. */
  received(): string {
    const text = toText(this.transport.written as Bytes);
    this.transport.written = "";
    return text.replace(/ id='[A-Za-z0-9_-]{22}'/g, " id='…'").replaceAll("<?xml version='1.0'?>", "");
  }
  /** The same, as it came. */
  receivedRaw(): string {
    const text = toText(this.transport.written as Bytes);
    this.transport.written = "";
    return text;
  }
}

export const HEADER = header("to='capulet.example' version='1.0'");
export function header(attributes: string, content = "jabber:client"): string {
  return `<?xml version='1.0'?><stream:stream ${attributes} xmlns='${content}' xmlns:stream='http://etherx.jabber.org/streams'>`;
}
export const RESPONSE =
  "<stream:stream from='capulet.example' id='…' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
export const streamError = (condition: string, text?: string): string =>
  `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>${
    text === undefined ? "" : `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>${text}</text>`
  }</stream:error></stream:stream>`;

export const base64 = (text: string): string => Buffer.from(text).toString("base64");
export const plainAuth = (localpart: string, password: string, authzid = ""): string =>
  `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${base64(`${authzid}\0${localpart}\0${password}`)}</auth>`;
export const sha1Hex = (text: string): string => createHash("sha1").update(text).digest("hex");
