import {
  type BareJid,
  type DomainJid,
  parseElement,
  parseJid,
  rawOf,
  readStanza,
  type Stanza,
  StreamError,
  toText,
  writeStanza,
} from "@kith/protocol";
import {
  type Account,
  type Core,
  createCore,
  type Fabric,
  type HowEnded,
  LocalFabric,
  type Log,
  type Module,
  memoryStore,
  type SessionMark,
  StanzaIds,
  type Store,
  type Visitor,
  type Wire,
} from "@kith/server";
import { describe, expect } from "vitest";
import { ManualClock } from "./clock.ts";
import { SplitFabric, SplitHub } from "./split-fabric.ts";
import { comparable } from "./xml.ts";

/** Either fabric: everybody in one router, or sessions dealt to two routers in turn. */
export type FabricKind = "LocalFabric" | "SplitFabric";

export interface SceneOptions {
  /** Called once for each router, with the same store. The values of a test's own closures are shared, so make them here. */
  readonly modules: (store: Store, tools: SceneTools) => readonly Module[];
  readonly accounts?: readonly string[];
  /** The server's virtual hosts. */
  readonly domains?: readonly string[];
  /** Domains served by components, whether connected or not. */
  readonly components?: readonly string[];
  readonly store?: Store;
}
export interface SceneTools {
  readonly clock: ManualClock;
  /** The modules of this router, once they are all made. */
  readonly modules: () => readonly Module[];
}

/** Opens a scene on one kind of fabric. */
export type Open = (options: SceneOptions) => Promise<Scene>;

/** Describes the same scenes on both fabrics. A module whose scenes pass on both can live in a cluster. */
export const eachFabric = (name: string, scenes: (open: Open, kind: FabricKind) => void): void => {
  describe.each(["LocalFabric", "SplitFabric"] as const)(`${name} on %s`, (kind) =>
    scenes((options) => Scene.open(kind, options), kind),
  );
};

/** What somebody in a scene has been sent since last asked. */
class Inbox {
  #stanzas: string[] = [];
  put(xml: string): void {
    this.#stanzas.push(xml);
  }
  /** Takes away what came, as XML text. */
  received(): string[] {
    return this.#stanzas.splice(0);
  }
  /** Takes away what came and asserts that it was this, in this order, and nothing else. "*" stands for any text or value. */
  receives(...expected: readonly string[]): void {
    const compared = comparable(this.received(), expected);
    expect(compared.actual).toEqual(compared.expected);
  }
  /** As `receives`, in whatever order. */
  receivesInAnyOrder(...expected: readonly string[]): void {
    const received = this.received();
    const matched: string[] = [];
    for (const xml of expected) {
      const at = received.findIndex((candidate) => {
        const compared = comparable([candidate], [xml]);
        return compared.actual[0] === compared.expected[0];
      });
      matched.push(...(at < 0 ? [] : received.splice(at, 1)));
    }
    const compared = comparable([...matched, ...received], expected);
    expect(compared.actual.toSorted()).toEqual(compared.expected.toSorted());
  }
  receivesNothing(): void {
    expect(this.received()).toEqual([]);
  }
}

/** A client with a bound session. */
export class Party extends Inbox implements Wire {
  readonly jid: string;
  /** The stream error with which the server closed the stream. */
  closedBy: StreamError | undefined;
  isClosed = false;
  readonly backlog = 0;
  readonly #scene: Scene;
  #session: Awaited<ReturnType<Core["door"]["bind"]>> | undefined;

  constructor(jid: string, scene: Scene) {
    super();
    this.jid = jid;
    this.#scene = scene;
  }
  async bind(core: Core, full: string): Promise<void> {
    const address = parseJid(full);
    this.#session = await core.door.bind(address.toBare(), address.resource, this, undefined);
  }
  /** One stanza, as a client writes it. Settles when everything that follows from it has happened. */
  async sends(xml: string): Promise<void> {
    await this.sendsUnsettled(xml);
    await this.#scene.settled();
  }
  async sendsUnsettled(xml: string): Promise<void> {
    this.#session?.heard();
    await this.#session?.receive(rawOf(parseElement(xml)));
  }
  /** Shows that it is there, and says nothing. */
  async livens(): Promise<void> {
    this.#session?.heard();
    await this.#scene.settled();
  }
  /** The stream is lost; or closed, as when the client says goodbye. */
  async ends(how: HowEnded = "lost"): Promise<void> {
    this.isClosed = true;
    await this.#session?.ended(this, how);
    await this.#scene.settled();
  }
  /** Asks for stream management (XEP-0198). Answers the SM-ID. */
  manages(max?: number): string {
    let id = "";
    this.#session?.manage({ resume: true, max }, (resumable) => {
      id = resumable?.id ?? "";
      return undefined;
    });
    return id;
  }
  /** `<a/>` */
  async acknowledges(h: number): Promise<void> {
    this.#session?.heard();
    this.#session?.manager?.acknowledged(h);
    await this.#scene.settled();
  }
  /** `<r/>` */
  asks(): void {
    this.#session?.heard();
    this.#session?.manager?.acknowledge();
  }
  marks(mark: SessionMark): void {
    this.#session?.mark(mark, true);
  }
  setActive(isActive: boolean): void {
    this.#session?.setActive(isActive);
  }
  /** Comes back to a stream that was lost. Answers how many of its stanzas were handled, or `undefined` where it is refused. */
  async resume(core: Core, previd: string, h: number): Promise<number | undefined> {
    const resumption = await core.door.resume(parseJid(this.jid).toBare(), previd, h, this);
    if (resumption.is === "refused") return undefined;
    this.#session = resumption.session;
    resumption.replay();
    return resumption.h;
  }
  send(bytes: Parameters<Wire["send"]>[0]): void {
    if (!this.isClosed) this.put(toText(bytes));
  }
  close(error?: StreamError): void {
    this.isClosed = true;
    this.closedBy ??= error;
  }
}

/** A component: whatever is at one domain. */
export class Outsider extends Inbox {
  readonly #scene: Scene;
  readonly #core: Core;
  constructor(scene: Scene, core: Core, domain: string) {
    super();
    this.#scene = scene;
    this.#core = core;
    core.door.bindDomain(domain as DomainJid, (stanza) => this.put(toText(writeStanza(stanza))));
  }
  async sends(xml: string): Promise<void> {
    await this.#core.door.acceptRemote(readStanza(rawOf(parseElement(xml))) as Stanza);
    await this.#scene.settled();
  }
}

/** Somebody whose stream has not authenticated. */
export class Stranger extends Inbox {
  readonly #scene: Scene;
  readonly #core: Core;
  readonly #visitor: Visitor;

  constructor(scene: Scene, core: Core, visitor: Omit<Visitor, "stream">) {
    super();
    this.#scene = scene;
    this.#core = core;
    this.#visitor = { ...visitor, stream: this };
  }
  /** One request. Its answer is received, unless nobody answers such a request, which ends a real stream. */
  async sends(xml: string): Promise<void> {
    await this.sendsUnsettled(xml);
    await this.#scene.settled();
  }
  async sendsUnsettled(xml: string): Promise<void> {
    const iq = readStanza(rawOf(parseElement(xml)));
    const answer = iq.kind === "iq" ? await this.#core.door.visitorIq(iq, this.#visitor) : undefined;
    if (answer !== undefined) this.put(toText(answer));
  }
  /** What modules announce to it. */
  features(): string[] {
    return this.#core.door.features.visitor(this.#visitor).map(({ ns, name }) => `{${ns}}${name}`);
  }
}

/** A server without sockets: routers, modules and a store in memory, and people to play in it. */
export class Scene {
  readonly clock: ManualClock;
  readonly store: Store;
  /** What was logged as an error; a scene that ends with any has met a defect. */
  readonly defects: unknown[];
  readonly #cores: readonly Core[];
  readonly #hub: SplitHub | undefined;
  #logins = 0;

  static async open(kind: FabricKind, options: SceneOptions): Promise<Scene> {
    const scene = new Scene(kind, options);
    const accounts = scene.store.accounts;
    for (const account of options.accounts ?? [])
      await commit(scene.store, accounts.put(accountOf(account, scene.clock.now())));
    for (const core of scene.#cores) await core.start();
    return scene;
  }

  private constructor(kind: FabricKind, options: SceneOptions) {
    const clock = new ManualClock();
    const store = sharable(options.store ?? memoryStore({ now: clock.now }));
    const hub = kind === "SplitFabric" ? new SplitHub() : undefined;
    const fabrics: readonly Fabric[] =
      hub === undefined ? [new LocalFabric()] : [new SplitFabric(hub), new SplitFabric(hub)];
    const domains = new Set(options.domains ?? ["example.org"]);
    const components = new Set(options.components ?? []);
    const defects: unknown[] = [];
    const log: Log = {
      error: (fields) => defects.push(fields),
      warn: () => undefined,
      info: () => undefined,
      debug: () => undefined,
    };
    const ids = idsOn(store);
    const stanzaIds = new StanzaIds(new Uint8Array(16));
    this.#cores = fabrics.map((fabric, node) => {
      const modules: Module[] = [];
      modules.push(...options.modules(store, { clock, modules: () => modules }));
      return createCore({
        store,
        fabric,
        modules,
        log,
        isLocal: (domain) => domains.has(domain),
        isServed: (domain) => components.has(domain),
        now: clock.now,
        newId: () => `id-${++ids.given}`,
        timers: clock.timers,
        restores: node === 0,
        stanzaIdOf: (row, side) => stanzaIds.idOf(row, side),
      });
    });
    this.clock = clock;
    this.store = store;
    this.defects = defects;
    this.#hub = hub;
  }

  /** Binds a resource for an account. No presence is sent. */
  async login(full: string): Promise<Party> {
    const core = this.#nextCore();
    const party = new Party(full, this);
    await party.bind(core, full);
    await this.settled();
    return party;
  }

  /** As `login`, with initial presence sent and whatever came of it taken away. */
  async online(full: string, presence = "<presence/>"): Promise<Party> {
    const party = await this.login(full);
    await party.sends(presence);
    party.received();
    return party;
  }

  /** A client comes back on a new connection to a stream that it has lost (XEP-0198 §5). `h`: how many stanzas it has had. */
  async resume(lost: Party, previd: string, h: number): Promise<{ party: Party; h: number | undefined }> {
    const party = new Party(lost.jid, this);
    for (const core of this.#cores) {
      const handled = await party.resume(core, previd, h);
      await this.settled();
      if (handled !== undefined) return { party, h: handled };
    }
    return { party, h: undefined };
  }

  /** The server ends, as it does for an update; open another scene on the same store to start it again. */
  async stop(): Promise<void> {
    for (const core of this.#cores) await core.stop(new StreamError("system-shutdown"));
    await this.settled();
  }

  /** Opens a stream that does not authenticate; over TLS unless told otherwise. */
  stranger({ domain = "example.org", address = "192.0.2.1", secure = true } = {}): Stranger {
    return new Stranger(this, this.#nextCore(), { domain: domain as DomainJid, address, secure });
  }

  component(domain: string): Outsider {
    return new Outsider(this, this.#cores[0] as Core, domain);
  }

  async end(party: Party, how?: HowEnded): Promise<void> {
    await party.ends(how);
  }

  /** Removes an account as an administrator would. */
  async removeAccount(account: string): Promise<void> {
    await this.#cores[0]?.perform(() => [{ do: "removeAccount", account: account as BareJid }]);
    await this.settled();
  }

  /** Waits until nothing is under way any more: no frame between routers, no commit, no answer. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await this.store.flush();
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#isIdle() ? quiet + 1 : 0;
    }
  }

  #isIdle(): boolean {
    return (this.#hub?.isIdle ?? true) && this.#cores.every((core) => core.isIdle);
  }

  #nextCore(): Core {
    return this.#cores[this.#logins++ % this.#cores.length] as Core;
  }
}

const commit = (store: Store, write: Parameters<ReturnType<Store["begin"]>["add"]>[0]): Promise<boolean> => {
  const unit = store.begin();
  unit.add(write);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  unit.commit().onSettled(resolve);
  return promise;
};

const NO_KEY = {
  salt: new Uint8Array(16),
  iterations: 4096,
  storedKey: new Uint8Array(20),
  serverKey: new Uint8Array(20),
};
const accountOf = (account: string, created: number): Account => ({
  jid: parseJid(account).bare,
  keys: { "SHA-1": NO_KEY, "SHA-256": NO_KEY, "SHA-512": NO_KEY },
  created,
});

/** Of scenes one after the other on the same store none gives an id that another has given. */
const IDS = new WeakMap<Store, { given: number }>();
const idsOn = (store: Store): { given: number } => {
  const ids = IDS.get(store) ?? { given: 0 };
  IDS.set(store, ids);
  return ids;
};

/** Two routers, and scenes one after the other, open the same collections; a store itself gives each to one owner only. */
const SHARED = new WeakMap<Store, Store>();
const sharable = (store: Store): Store => {
  const shared = SHARED.get(store) ?? sharing(store);
  SHARED.set(store, shared);
  return shared;
};
const sharing = (store: Store): Store => {
  const opened = new Map<string, ReturnType<Store["collection"]>>();
  return Object.assign(Object.create(store) as Store, {
    collection: (name: string) => {
      const collection = opened.get(name) ?? store.collection(name);
      opened.set(name, collection);
      return collection;
    },
    begin: () => store.begin(),
    flush: () => store.flush(),
    close: () => store.close(),
    accounts: store.accounts,
    spool: store.spool,
    messages: store.messages,
  });
};
