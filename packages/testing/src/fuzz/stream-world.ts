/** A whole server without sockets, two honest people who chat, and strangers who do what they are told. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { type Crypto, type HashName, parseJid, type RawElement } from "@kith/protocol";
import { type Log, memoryStore, readConfig } from "@kith/server";
import { assemble, type Parts, streamLimitsOf } from "../../../server/src/app.ts";
import { TimerWheel } from "../../../server/src/listen/timer-wheel.ts";
import { Backlogs } from "../../../server/src/session/backlogs.ts";
import { type ComponentServices, ComponentStream } from "../../../server/src/session/component.ts";
import { GUESS_LIMITS, GuessLimiter } from "../../../server/src/session/guess-limiter.ts";
import type { C2sServices } from "../../../server/src/session/services.ts";
import { SESSION_LIMITS } from "../../../server/src/session/session-services.ts";
import { ClientStream } from "../../../server/src/session/stream-client.ts";
import { Turns } from "../../../server/src/session/turns.ts";
import { type ManualWriter, manualWriter } from "../../../server/src/store/memory.ts";
import type { Store } from "../../../server/src/store/store.ts";
import { Broken, ensure } from "./broken.ts";
import { COMPONENT, HONEST, HOST, OTHER_HOST, STRANGERS } from "./hostile-values.ts";
import { Random } from "./random.ts";
import { type Asked, StreamPeer } from "./stream-peer.ts";
import { CLIENT_HEADER, COMPONENT_HEADER, type Door, PEERS, type Step } from "./stream-steps.ts";

const PASSWORD = "open sesame";
const SECRET = "a secret of components";

const DIGESTS: Readonly<Record<HashName, string>> = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512" };
const OCTETS: Readonly<Record<HashName, number>> = { "SHA-1": 20, "SHA-256": 32, "SHA-512": 64 };
/** As the server's own, but quick: passwords are hashed once, and at once. */
const quickCrypto: Crypto = {
  hash: (hash, data) => createHash(DIGESTS[hash]).update(data).digest(),
  hmac: (hash, key, data) => createHmac(DIGESTS[hash], key).update(data).digest(),
  pbkdf2: async (hash, password, salt) => pbkdf2Sync(password, salt, 1, OCTETS[hash], DIGESTS[hash]),
  random: (octets) => randomBytes(octets),
  timingSafeEqual,
};

const bindRequest = (resource: string): string =>
  `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("]]>", "]]&gt;")}</resource></bind></iq>`;
const plain = (account: string): string =>
  `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${Buffer.from(`\0${account}\0${PASSWORD}`).toString("base64")}</auth>`;

/** Long enough for everything that has a time limit to end, streams that might be resumed among it. */
const LONG = 900_000;
/** No attempt to log in is held up longer; nothing else waits for anything once connections are gone. */
const LONGEST_DELAY = GUESS_LIMITS.longestDelayMs + 100;
/** How long a session waits for its client to come back. */
const LONGEST_ABSENCE = SESSION_LIMITS.resumeMs + 100;
const MOST_PATIENCE = 100;
const TURNS = 4;

/** For statistics: of what is generated, enough must get somewhere. */
export interface StreamOutcome {
  /** Of strangers. */
  readonly streams: number;
  readonly bound: number;
  /** Requests that were answered. */
  readonly answers: number;
  /** Elements that strangers were sent. */
  readonly stanzas: number;
  /** Messages between the honest two. */
  readonly chats: number;
}

export class StreamWorld {
  readonly #time = { monotonic: 1_000_000, wall: Date.parse("2031-05-17T09:30:00Z") };
  readonly #timers = new TimerWheel(() => this.#time.monotonic);
  readonly #writer: ManualWriter;
  readonly #defects: string[] = [];
  readonly #random: Random;
  readonly #peers: (StreamPeer | undefined)[] = Array.from({ length: PEERS + 1 });
  readonly #gone: StreamPeer[] = [];
  readonly #asked = new Map<string, Asked>();
  readonly #answered = new Set<string>();
  readonly #store: Store;
  #parts!: Parts;
  #clients!: C2sServices;
  #components!: ComponentServices;
  #honest: readonly StreamPeer[] = [];
  /** Has the disk ever failed? */
  #hasFailed = false;
  #chats = 0;
  #wasComponent = false;

  private constructor(random: Random) {
    this.#random = random;
    this.#writer = manualWriter();
    this.#writer.release();
    this.#store = memoryStore({ writer: this.#writer, onDefect: (error) => this.defect(error) });
  }

  /** @param seed decides the server's limits, and which requests of others strangers answer */
  static async open(seed: number): Promise<StreamWorld> {
    const world = new StreamWorld(new Random(seed));
    await world.#open();
    return world;
  }

  async #open(): Promise<void> {
    const config = readConfig(configOf(this.#random), { file: undefined, directory: "/nowhere" });
    const log = this.#log();
    const options = { config, store: this.#store, log, version: "1.0" };
    this.#parts = await assemble(options, { now: () => this.#time.wall, crypto: quickCrypto, timers: this.#timers });
    const { core, accounts } = this.#parts;
    await core.start();
    for (const name of [...STRANGERS, ...HONEST]) await accounts.create(parseJid(`${name}@${HOST}`).bare, PASSWORD);
    const limits = streamLimitsOf(config);
    const backlogs = new Backlogs({ each: config.limits.outboxBytes, all: config.limits.allOutboxBytes });
    const shared = { door: core.door, limits, backlogs, log, timers: this.#timers };
    this.#clients = {
      ...shared,
      accounts,
      crypto: quickCrypto,
      hosts: config.hosts,
      plaintextFromLoopback: config.plaintextFromLoopback,
      guesses: new GuessLimiter(GUESS_LIMITS),
      passwordTests: new Turns(1),
      now: () => this.#time.wall,
    };
    this.#components = { ...shared, components: config.components, limits: { ...limits, rate: undefined } };
    this.#honest = await Promise.all(HONEST.map((name) => this.#honestPeer(name)));
  }

  /** Something that must never be, from wherever it comes. */
  defect(error: unknown): void {
    this.#defects.push(error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error));
  }

  #log(): Log {
    const nothing = (): void => undefined;
    return {
      error: ({ err, ...fields }, text) => {
        this.defect(new Broken(`${text} ${JSON.stringify(fields)}: ${err instanceof Error ? err.stack : String(err)}`));
      },
      warn: nothing,
      info: nothing,
      debug: nothing,
    };
  }

  async #honestPeer(name: string): Promise<StreamPeer> {
    const peer = this.#connect("direct TLS", "198.51.100.1", true);
    await this.#login(peer, name, "home", false);
    peer.send("<presence/>");
    await this.#rest();
    ensure(peer.jid !== undefined, `${name} cannot log in`);
    return peer;
  }

  #connect(door: Door, address: string, isHonest = false): StreamPeer {
    const isComponent = door === "component";
    const peer = new StreamPeer(
      address,
      door === "direct TLS",
      isComponent ? "jabber:component:accept" : "jabber:client",
      {
        asked: this.#asked,
        answered: this.#answered,
        answers: () => !isHonest && this.#random.oneIn(2),
      },
      isHonest,
    );
    const { connection } = peer;
    connection.listener = isComponent
      ? new ComponentStream(connection, this.#components)
      : new ClientStream(connection, this.#clients, door === "direct TLS");
    return peer;
  }
  // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async take(step: Step): Promise<void> {
    await this.#take(step);
    await this.#rest();
    for (const peer of [...this.#everybody()]) peer.check();
    const [defect] = this.#defects;
    if (defect !== undefined) throw new Broken(defect);
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case "connect":
        return this.#arrive(step.peer, step.door, step.address);
      case "pass":
        return this.#pass(step.ms);
      case "set clock":
        this.#time.wall += step.ms;
        return;
      case "disk":
        return this.#disk(step.how);
      case "chat":
        return this.#chat();
      case "remove account":
        // Not waited for: the disk may be holding.
        void this.#removeAccount(step.account);
        return;
      default:
        return this.#act(step, this.#peers[step.peer]);
    }
  }

  async #act(step: Step & { readonly peer: number }, peer: StreamPeer | undefined): Promise<void> {
    if (peer === undefined) return;
    switch (step.do) {
      case "send":
        return peer.send(step.text, step.piece);
      case "junk":
        return peer.sendJunk(Uint8Array.from(Buffer.from(step.bytes, "latin1")));
      case "login":
        return this.#login(peer, step.account, step.resource, step.inOnePiece);
      case "handshake":
        return peer.connection.handshake();
      case "half-close":
        return peer.connection.halfClose();
      case "vanish":
        return peer.connection.vanish();
      case "read":
        return peer.connection.read(step.on);
    }
  }

  #arrive(at: number, door: Door, address: string): void {
    const before = this.#peers[at];
    before?.connection.vanish();
    if (before !== undefined) this.#gone.push(before);
    this.#wasComponent ||= door === "component";
    this.#peers[at] = this.#connect(door, address);
  }

  async #login(peer: StreamPeer, account: string, resource: string, inOnePiece: boolean): Promise<void> {
    peer.connection.handshake();
    if (peer === this.#peers[PEERS]) return this.#joinAsComponent(peer);
    if (peer.connection.security === undefined && !inOnePiece) await this.#startTls(peer);
    const steps = [CLIENT_HEADER, plain(account), CLIENT_HEADER, bindRequest(resource)];
    for (const text of inOnePiece ? [steps.join("")] : steps) {
      peer.send(text);
      await this.#rest();
    }
  }

  async #startTls(peer: StreamPeer): Promise<void> {
    peer.send(CLIENT_HEADER);
    peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await this.#rest();
    peer.connection.handshake();
  }

  async #joinAsComponent(peer: StreamPeer): Promise<void> {
    peer.send(COMPONENT_HEADER);
    await this.#rest();
    const proof = createHash("sha1")
      .update(peer.streamId + SECRET)
      .digest("hex");
    peer.send(`<handshake>${proof}</handshake>`);
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 5_000) {
      this.#time.monotonic += Math.min(left, 5_000);
      this.#time.wall += Math.min(left, 5_000);
      this.#timers.advance();
      await this.#rest();
    }
  }

  async #removeAccount(name: string): Promise<void> {
    const account = parseJid(`${name}@${HOST}`).bare;
    await this.#parts.core.perform(() => [{ do: "removeAccount", account }]);
  }

  #disk(how: (Step & { readonly do: "disk" })["how"]): void {
    if (how === "holds") this.#writer.hold();
    else if (how === "commits") this.#writer.commit();
    else if (how === "fails") this.#fail();
    else this.#writer.release();
  }

  #fail(): void {
    this.#hasFailed = true;
    if (this.#writer.waiting > 0) this.#writer.fail(this.#writer.waiting);
    else this.#writer.failNext(2);
  }

  #chat(): void {
    const number = ++this.#chats;
    const [one, other] = number % 2 === 0 ? this.#honest : [...this.#honest].reverse();
    one?.send(`<message type='chat' to='${other?.jid?.bare}' id='c${number}'><body>message ${number}</body></message>`);
  }

  /** Everything that does not wait for time, for the disk or for a peer has been done. */
  async #rest(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  *#everybody(): Generator<StreamPeer> {
    yield* this.#honest;
    for (const peer of this.#peers) if (peer !== undefined) yield peer;
    yield* this.#gone;
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The disk works again, everybody reads, time passes: what can be answered has been. Then all go, and nothing is left. */
  async end(): Promise<void> {
    this.#writer.release();
    for (const peer of this.#everybody()) peer.connection.read(true);
    await this.#pass(20_000);
    // Whoever has sent too much too fast is read from in time.
    for (let more = 0; more < MOST_PATIENCE && !this.#isQuiet; more++) await this.#pass(20_000);
    await this.take({ do: "chat" });
    this.#checkAnswers();
    this.#checkChats();
    await this.#leave();
    this.#checkEmpty();
  }

  get #isQuiet(): boolean {
    return [...this.#everybody()].every(({ isOpen, connection }) => !isOpen || connection.isQuiet);
  }

  #checkAnswers(): void {
    for (const peer of this.#everybody()) ensure(!peer.isOpen || !peer.hasLied, "a stream survived a false `from`");
    for (const [id, asked] of this.#asked) {
      if (asked.by.isOpen && !this.#isForSomebodyElse(asked))
        throw new Broken(`request ${id} was never answered: ${asked.xml}`);
    }
  }

  /** It was for whoever is, or was, at that address; they need not answer. */
  #isForSomebodyElse({ to }: Asked): boolean {
    if (to === undefined) return false;
    if (to.domain === COMPONENT && this.#wasComponent) return true;
    return [...this.#everybody()].some(({ jid }) => jid?.full === to.full);
  }

  /** Each arrives once and in order; or, where it had to be archived and the disk did not take it, is refused for now. */
  #checkChats(): void {
    const messages = this.#honest.map((peer) => peer.received.filter(({ name }) => name === "message"));
    const idsOf = (found: readonly RawElement[]): readonly (string | undefined)[] =>
      found.map(({ attributes }) => attributes[attributes.indexOf("id" as never) + 1]);
    const refused = new Set(
      idsOf(messages.flat().filter(({ payload }) => this.#hasFailed && payload.includes("<resource-constraint "))),
    );
    const expected = Array.from({ length: this.#chats }, (_, at) => `c${at + 1}`);
    const ids = messages.map((found) => idsOf(found.filter(({ payload }) => payload.startsWith("<body>message "))));
    const wanted = [0, 1].map((side) => expected.filter((id, at) => at % 2 === side && !refused.has(id)));
    ensure(JSON.stringify(ids) === JSON.stringify(wanted), `messages of the honest: ${JSON.stringify(ids)}`);
    for (const peer of this.#honest) ensure(peer.isOpen, "the stream of somebody honest was closed");
  }

  /** What it came to. */
  get outcome(): StreamOutcome {
    const peers = [...this.#everybody()].filter(({ isHonest }) => !isHonest);
    return {
      streams: peers.length,
      bound: peers.filter(({ jid }) => jid !== undefined).length,
      answers: this.#answered.size,
      stanzas: peers.reduce((sum, { received }) => sum + received.length, 0),
      chats: this.#chats,
    };
  }

  /** All at once, or in peace and as they should. */
  async #leave(): Promise<void> {
    if (this.#random.oneIn(2)) {
      for (const peer of this.#everybody()) {
        if (this.#random.oneIn(2)) peer.send("</stream:stream>");
        if (this.#random.oneIn(2)) peer.connection.halfClose();
      }
      await this.take({ do: "pass", ms: LONG });
    }
    for (const peer of this.#everybody()) peer.connection.vanish();
    await this.take({ do: "pass", ms: LONGEST_DELAY });
    await this.take({ do: "pass", ms: LONGEST_ABSENCE });
  }

  #checkEmpty(): void {
    const { core } = this.#parts;
    const sessions = [...core.sessions].map(({ jid }) => jid.full);
    ensure(sessions.length === 0, `sessions are left: ${sessions.join(", ")}`);
    ensure(this.#timers.size === 0, `${this.#timers.size} timers are left`);
    ensure(core.isIdle, "the router is not idle");
  }
}

/** Small limits now and then, so that they are met. */
const configOf = (random: Random): Record<string, unknown> => {
  const isTight = random.oneIn(4);
  return {
    hosts: {
      [HOST]: { registration: random.pick(["closed", "invitation", "open"]) },
      [OTHER_HOST]: { anonymous: true },
    },
    components: { [COMPONENT]: { secret: SECRET } },
    plaintextFromLoopback: random.oneIn(2),
    passwords: { minimumLength: 1 },
    accounts: { sessions: isTight ? 2 : 50 },
    administrators: [`${STRANGERS[0]}@${HOST}`],
    resourceConflict: random.pick(["replace", "refuse", "rename"]),
    registration: { perAddress: false },
    limits: {
      rate: random.oneIn(4)
        ? { bytesPerSecond: 4_096, burstBytes: 16_384, stanzasPerSecond: 5, burstStanzas: 20 }
        : false,
      ...(isTight
        ? {
            rosterItems: 3,
            rosterGroups: 2,
            subscriptionRequests: 2,
            blockedAddresses: 2,
            offlineMessages: 2,
            privateNames: 2,
          }
        : {}),
      ...(isTight ? { outboxBytes: 65_536, readAheadBytes: 16_384, privateBytes: 1_024, vcardBytes: 1_024 } : {}),
    },
    timeouts: { keepAlive: random.oneIn(3) ? 10_000 : false },
  };
};
