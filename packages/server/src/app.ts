import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import {
  type AdvertisedLimits,
  type BareJid,
  type Crypto,
  type DiscoItem,
  type DomainJid,
  type Eventually,
  parseJid,
  type ScannerLimits,
  StreamError,
  useIdna,
} from "@kith/protocol";
import { type AccessRules, type AccessTokens, openAccessTokens } from "./access-tokens.ts";
import { accountModules } from "./account-modules.ts";
import { type AccountRules, type AccountService, openAccounts } from "./accounts.ts";
import { archiveSettings } from "./archive-settings.ts";
import type { Config, ListenerConfig } from "./config.ts";
import { type Core, createCore } from "./core.ts";
import { idna, nodeCrypto, randomToken, saslprepOfQuery, saslprepOfStored } from "./crypto.ts";
import { LocalFabric } from "./fabric/local.ts";
import { fingerprint } from "./fingerprint.ts";
import { type InvitationRules, Invitations } from "./invitations.ts";
import { KeyUpgrades } from "./key-upgrades.ts";
import { type CertificateNews, Certificates } from "./listen/certificates.ts";
import { type ListenAt, type Listeners, openListeners, type Port } from "./listen/listeners.ts";
import { TimerWheel, turn } from "./listen/timer-wheel.ts";
import type { Effects, Module } from "./module.ts";
import { createModules } from "./modules/index.ts";
import { clientAccess } from "./modules/xep0494-client-access.ts";
import { ownModules } from "./own-modules.ts";
import { pushSettings } from "./push-settings.ts";
import type { Log } from "./router/log.ts";
import { Backlogs } from "./session/backlogs.ts";
import { GUESS_LIMITS, GuessLimiter } from "./session/guess-limiter.ts";
import type { InlineFeature } from "./session/inline-feature.ts";
import { inlineFeatures } from "./session/inline-features.ts";
import { STREAM_LIMITS, type StreamLimits } from "./session/services.ts";
import { SESSION_LIMITS, type SessionLimits } from "./session/session-services.ts";
import type { Timers } from "./session/timer.ts";
import { Turns } from "./session/turns.ts";
import { StanzaIds } from "./stanza-ids.ts";
import type { Store } from "./store/store.ts";

export interface AppOptions {
  readonly config: Config;
  /** Open; closed by whoever opened it. */
  readonly store: Store;
  readonly log: Log;
  /** Of the software, as it is told to whoever asks (XEP-0092). */
  readonly version: string;
  /** Modules of one's own; within a phase they come after the server's. */
  readonly modules?: (store: Store) => readonly Module[];
}

/** Where the server can be reached: what was asked for, with the port that was free where 0 was. */
export interface Listening {
  readonly kind: ListenerConfig["kind"];
  readonly address: string;
  readonly port: number;
}

/** A whole server: modules, accounts and, once it listens, streams. Without `listen` it serves the command line. */
export interface App {
  readonly accounts: AccountService;
  readonly invitations: Invitations;
  /** Opens every listener of the configuration. Rejects where one cannot be opened, with none of them open. */
  listen(): Promise<readonly Listening[]>;
  /** Carries out effects for an administrator, through the same router as everything else. Settles when they are durable. */
  perform(effects: () => Eventually<Effects>): Promise<void>;
  /** Cancels its subscriptions, ends its sessions, wipes what was kept of it. Settles when that is durable. */
  removeAccount(account: BareJid): Promise<void>;
  /** Reads certificates again. */
  reload(): Promise<CertificateNews>;
  /** Streams that are open. */
  readonly streams: number;
  /** Deadlines that are being waited for. */
  readonly timers: number;
  /** Closes every stream with `system-shutdown`, then stops the modules. The store stays open. */
  stop(): Promise<void>;
}

const SOFTWARE_URI = "https://kith.chat/";
/** At the same time, each on a core of its own: one core is for everybody who has logged in. */
const PASSWORD_TESTS = Math.min(4, Math.max(1, availableParallelism() - 1));
/** Unguessable, and short enough to be typed. */
const ID_BYTES = 9;

/** Puts a server together. Modules have started when this settles; nobody can connect before `listen`. */
export const createApp = async (options: AppOptions): Promise<App> => {
  const timers = new TimerWheel(() => performance.now());
  const parts = await assemble(options, { now: Date.now, crypto: nodeCrypto, timers });
  await parts.core.start();
  return new RunningApp(options, parts, timers);
};

/** What a server is made of, but for its listeners. */
export interface Parts {
  readonly accounts: AccountService;
  readonly invitations: Invitations;
  readonly access: AccessTokens;
  readonly upgrades: KeyUpgrades;
  readonly core: Core;
  readonly modules: readonly Module[];
}

/** Where a server finds itself; another one in tests. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly crypto: Crypto;
  readonly timers: Timers;
}

/** Accounts, modules and router, joined. Modules have not started yet. */
export const assemble = async (options: AppOptions, { now, crypto, timers }: Surroundings): Promise<Parts> => {
  const { config, store, log } = options;
  useIdna(idna);
  const stanzaIds = await StanzaIds.open(store);
  const access = await openAccessTokens({ store, crypto, now, rules: () => accessRules(config) });
  const upgrades = new KeyUpgrades({ store, crypto, iterations: () => config.scram.iterations });
  const accounts = await openAccounts({
    store,
    crypto,
    prepare: { stored: saslprepOfStored, query: saslprepOfQuery },
    rules: () => accountRules(config),
    now,
    passwordChanges: (account) => access.forgetting(account),
  });
  const invitations = new Invitations({ store, crypto, now, rules: () => invitationRules(config) });
  const modules: readonly Module[] = createModules({
    store,
    software: { name: "Kith", version: options.version },
    softwareUri: SOFTWARE_URI,
    sha1: (data) => createHash("sha1").update(data, "latin1").digest("base64"),
    stanzaIds,
    fingerprint,
    recogniseFor: config.archive.recogniseFor,
    archive: archiveSettings(config, timers, log),
    push: pushSettings(config, log),
    limits: config.limits,
    streamLimits: {
      visitor: advertised(config.limits.visitor),
      authenticated: advertised(config.limits.authenticated),
    },
    contactAddresses: (domain) => config.hosts.get(domain)?.contacts ?? {},
    items: (domain) => itemsOf(config, domain),
    more: () => [
      ...accountModules({ config, accounts, invitations, modules: () => modules }),
      clientAccess(access),
      ...ownModules(config.modules, { store, hosts: [...config.hosts.keys()], log }),
      ...(options.modules?.(store) ?? []),
    ],
  });
  const core = createCore({
    store,
    fabric: new LocalFabric(),
    modules,
    isLocal: (domain) => config.hosts.has(domain),
    isServed: (domain) => config.components.has(domain),
    now,
    newId: () => randomToken(ID_BYTES),
    stanzaIdOf: (row, side) => stanzaIds.idOf(row, side),
    timers,
    sessionLimits: sessionLimitsOf(config),
    log,
    conflict: config.resourceConflict,
    sessionsPerAccount: config.accounts.sessions,
    mostBytesForAbsent: config.limits.componentBytes,
  });
  return { accounts, invitations, access, upgrades, core, modules };
};

const accountRules = ({ passwords, scram, accounts }: Config): AccountRules => ({
  passwords,
  iterations: scram.iterations,
  addressRestMs: accounts.addressRest,
});

const invitationRules = ({ invitations }: Config): InvitationRules => ({
  expireMs: invitations.expireAfter,
  perUser: invitations.perUser,
  landingPage: invitations.landingPage,
});

class RunningApp implements App {
  readonly accounts: AccountService;
  readonly invitations: Invitations;
  readonly #options: AppOptions;
  readonly #core: Core;
  readonly #login: Pick<Parts, "access" | "upgrades"> & { readonly inline: readonly InlineFeature[] };
  readonly #timers: TimerWheel;
  readonly #turning: ReturnType<typeof turn>;
  #listeners: Listeners | undefined;

  constructor(
    options: AppOptions,
    { accounts, invitations, access, upgrades, core, modules }: Parts,
    timers: TimerWheel,
  ) {
    this.#options = options;
    this.#timers = timers;
    this.#turning = turn(timers);
    this.accounts = accounts;
    this.invitations = invitations;
    this.#core = core;
    this.#login = { access, upgrades, inline: inlineFeatures(modules) };
  }

  async listen(): Promise<readonly Listening[]> {
    const { config, log } = this.#options;
    const limits = streamLimitsOf(config);
    const backlogs = new Backlogs({ each: config.limits.outboxBytes, all: config.limits.allOutboxBytes });
    const door = this.#core.door;
    const timers = this.#timers;
    this.#listeners = await openListeners({
      starttls: placesOf(config, "c2s"),
      directTls: placesOf(config, "c2s-tls"),
      component: placesOf(config, "component"),
      certificates: await this.#certificates(),
      admission: {
        strangersPerAddress: config.limits.unauthenticatedPerAddress,
        strangers: config.limits.unauthenticated,
        connectsPerMinute: config.limits.connectsPerMinute,
      },
      writeStallMs: config.timeouts.writeStall,
      clients: {
        door,
        accounts: this.accounts,
        ...this.#login,
        crypto: nodeCrypto,
        hosts: config.hosts,
        limits,
        plaintextFromLoopback: config.plaintextFromLoopback,
        guesses: new GuessLimiter(config.limits.guessing ? GUESS_LIMITS : undefined),
        backlogs,
        passwordTests: new Turns(PASSWORD_TESTS),
        log,
        timers,
        now: Date.now,
      },
      components: {
        door,
        components: config.components,
        limits: { ...limits, rate: undefined },
        backlogs,
        log,
        timers,
      },
    });
    return this.#listening(this.#listeners);
  }

  perform(effects: () => Eventually<Effects>): Promise<void> {
    return this.#core.perform(effects);
  }

  removeAccount(account: BareJid): Promise<void> {
    return this.perform(() => [{ do: "removeAccount", account }]);
  }

  async reload(): Promise<CertificateNews> {
    return (await this.#listeners?.reload()) ?? { replaced: [], problems: [] };
  }

  get streams(): number {
    return this.#listeners?.count ?? 0;
  }

  get timers(): number {
    return this.#timers.size;
  }

  async stop(): Promise<void> {
    const reason = new StreamError("system-shutdown");
    await this.#listeners?.close(reason);
    await this.#core.stop(reason);
    this.#turning.stop();
  }

  #certificates(): Promise<Certificates> {
    const { config, log } = this.#options;
    const own = [...config.hosts.values()].flatMap(({ domain, files }) =>
      files === undefined ? [] : [[domain, files] as const],
    );
    return Certificates.open({
      hosts: [...config.hosts.keys()],
      files: new Map(own),
      defaultFiles: config.files,
      dataDirectory: config.storage.directory,
      clientAuthorities: config.clientAuthorities,
      log,
      now: Date.now,
    });
  }

  #listening({ addresses }: Listeners): readonly Listening[] {
    return (Object.entries(PORTS) as [ListenerConfig["kind"], Port][]).flatMap(([kind, port]) =>
      addresses[port].map(({ address, port: number }) => ({ kind, address, port: number })),
    );
  }
}

const PORTS = { c2s: "starttls", "c2s-tls": "directTls", component: "component" } as const satisfies Record<
  ListenerConfig["kind"],
  Port
>;

/** A listener without addresses listens at all of this machine's. */
const placesOf = (config: Config, wanted: ListenerConfig["kind"]): readonly ListenAt[] =>
  config.listeners
    .filter(({ kind }) => kind === wanted)
    .flatMap(({ addresses, port }) =>
      addresses.length === 0 ? [{ port }] : addresses.map((host) => ({ host, port })),
    );

/** What one client may do, by the configuration. */
export const streamLimitsOf = ({ limits, timeouts }: Config): StreamLimits => ({
  ...STREAM_LIMITS,
  visitor: limits.visitor,
  authenticated: limits.authenticated,
  readAheadBytes: limits.readAheadBytes,
  tlsHandshakeMs: timeouts.tlsHandshake,
  negotiationMs: timeouts.negotiation,
  closeMs: timeouts.close,
  visitorIqs: limits.visitorRequests,
  rate: limits.rate,
  keepAliveMs: timeouts.keepAlive,
});

const accessRules = ({ clients }: Config): AccessRules => ({
  tokenLifetimeMs: clients.tokenLifetime,
  tokenRotationMs: clients.tokenRotation,
  clientsKeptMs: clients.rememberFor,
  clientsPerAccount: clients.perAccount,
  describeClients: clients.descriptions,
});

/** How long a client may be silent or away, by the configuration. */
const sessionLimitsOf = ({ limits, timeouts }: Config): SessionLimits => ({
  ...SESSION_LIMITS,
  resumeMs: timeouts.resume ?? 0,
  unacknowledged: limits.unacknowledged,
  unacknowledgedBytes: limits.unacknowledgedBytes,
  deadMs: timeouts.answer,
  missedMs: Math.min(SESSION_LIMITS.missedMs, timeouts.answer),
  idleMs: timeouts.idle,
});

const advertised = ({ stanzaBytes }: ScannerLimits): AdvertisedLimits => ({ maxBytes: stanzaBytes });

/** The components below a virtual host; where there is but one host, all of them. */
const itemsOf = ({ hosts, components }: Config, domain: DomainJid): readonly DiscoItem[] =>
  [...components.keys()]
    .filter((component) => hosts.size === 1 || component.endsWith(`.${domain}`))
    .map((component) => ({ jid: parseJid(component) }));
