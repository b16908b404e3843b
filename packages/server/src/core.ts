import {
  type BareJid,
  type DomainJid,
  type Element,
  type Eventually,
  type FullJid,
  type Iq,
  isPromise,
  type Stanza,
  StreamError,
} from "@kith/protocol";
import { DomainHolder } from "./fabric/domain-holder.ts";
import type { Binding, Fabric } from "./fabric/fabric.ts";
import type { Context, Effects, Module, SessionView } from "./module.ts";
import { deliverKept } from "./router/absent-domains.ts";
import { type BaseContext, RouterContext } from "./router/context.ts";
import type { Log } from "./router/log.ts";
import { Router } from "./router/router.ts";
import { type ConflictPolicy, SessionTable } from "./router/session-table.ts";
import { Visitors } from "./router/visitors.ts";
import type { Door } from "./session/door.ts";
import type { StanzaIdOf } from "./session/render.ts";
import type { Session } from "./session/session.ts";
import { SESSION_LIMITS, type SessionLimits } from "./session/session-services.ts";
import { StreamRecords } from "./session/stream-records.ts";
import type { Timers } from "./session/timer.ts";
import type { Store } from "./store/store.ts";

export interface CoreOptions {
  readonly store: Store;
  readonly fabric: Fabric;
  /** In order: within a phase, modules run as they are listed. */
  readonly modules: readonly Module[];
  readonly isLocal: (domain: DomainJid) => boolean;
  /** Domains that a component or another server serves, connected or not. */
  readonly isServed: (domain: DomainJid) => boolean;
  readonly now: () => number;
  /** Unguessable; for stanza ids and resources. */
  readonly newId: () => string;
  readonly log: Log;
  /** Of the archives' ids (XEP-0359). */
  readonly stanzaIdOf: StanzaIdOf;
  readonly timers: Timers;
  readonly sessionLimits?: SessionLimits;
  /** Whether streams that were left by a server that is gone wait here. Default true. */
  readonly restores?: boolean;
  readonly conflict?: ConflictPolicy;
  readonly sessionsPerAccount?: number;
  /** What waits for a domain that is served while it is away, in bytes. Default: 2 MiB. */
  readonly mostBytesForAbsent?: number;
}

/** Modules, router and sessions, joined; no sockets and no files. What an application puts its listeners and stores around. */
export interface Core {
  readonly door: Door;
  readonly sessions: Iterable<SessionView>;
  /** Runs every module's `started`. Before this nobody may be let in. */
  start(): Promise<void>;
  /** Carries out effects for an administrator. Settles when they are durable. */
  perform(effects: () => Eventually<Effects>): Promise<void>;
  /** Closes every session, sends what is due, stops the modules. */
  stop(error: StreamError): Promise<void>;
  readonly isIdle: boolean;
}

const SESSIONS_PER_ACCOUNT = 50;

export const createCore = (options: CoreOptions): Core => {
  const { store, fabric, modules, log } = options;
  const base: BaseContext = {
    now: options.now,
    isLocal: options.isLocal,
    exists: (account) => sessions.has(account) || store.accounts.exists(account),
    available: (account) => fabric.available(account),
    underWay: (account) => fabric.underWay(account),
    newId: options.newId,
  };
  const context = new RouterContext(base);
  const records = new StreamRecords(store);
  const sessions: SessionTable = new SessionTable({
    fabric,
    services: {
      router: () => router,
      context: (session) => new RouterContext(base, session),
      messages: store.messages,
      stanzaIdOf: options.stanzaIdOf,
      timers: options.timers,
      limits: options.sessionLimits ?? SESSION_LIMITS,
      records,
      newId: options.newId,
    },
    admit: admitOf(modules),
    newResource: options.newId,
    conflict: options.conflict ?? "replace",
    sessionsPerAccount: options.sessionsPerAccount ?? SESSIONS_PER_ACCOUNT,
  });
  const router: Router = new Router({
    modules,
    store,
    fabric,
    sessions,
    records,
    context,
    log,
    isServed: options.isServed,
    mostBytesForAbsent: options.mostBytesForAbsent,
  });
  const perform = async (effects: () => Eventually<Effects>): Promise<void> => {
    await router.perform(effects);
    await store.flush();
  };
  return {
    door: doorOf(options, context, sessions, router),
    sessions,
    start: async () => {
      if (options.restores !== false) await restoreStreams(records, sessions, router);
      for (const module of modules)
        if (module.started !== undefined) await perform(() => module.started?.(context) ?? []);
    },
    perform,
    stop: async (error) => {
      await Promise.all([...sessions].map((session) => suspended(session, error)));
      for (const module of modules) await module.stopped?.();
      await store.flush();
    },
    get isIdle() {
      return router.isIdle;
    },
  };
};

/** What was left by a server that is gone waits for its clients as if it had been here all the time. */
const restoreStreams = async (records: StreamRecords, sessions: SessionTable, router: Router): Promise<void> => {
  for (const account of (await records.accounts()) as readonly BareJid[])
    for (const [id, record] of await records.of(account)) await router.restored(sessions.restore(account, id, record));
};

/** One that can be resumed waits for the next server; all others are over. */
const suspended = (session: Session, error: StreamError): Eventually<void> => {
  if (session.resumable === undefined) return session.close(error);
  session.suspend(error);
};

const doorOf = (options: CoreOptions, context: RouterContext, sessions: SessionTable, router: Router): Door => {
  const { modules, fabric } = options;
  const visitors = new Visitors(modules, options.store, context, options.log, router);
  return {
    bind: (account, resource, wire, lang) => {
      const bound = sessions.bind(account, resource, wire, lang);
      const announce = (session: Awaited<typeof bound>): Eventually<Awaited<typeof bound>> => {
        const announced = router.bound(session);
        return isPromise(announced) ? announced.then(() => session) : session;
      };
      return isPromise(bound) ? bound.then(announce) : announce(bound);
    },
    end: (session, ending) => fabric.end(bareOf(session), { ...ending, only: session }),
    resume: (account, previd, h, wire) => sessions.resume(account.bare, previd, h, wire),
    visitorIq: (iq, visitor) => visitors.answer(iq, visitor),
    features: {
      visitor: (visitor) => modules.flatMap((module) => module.streamFeatures?.visitor?.(visitor) ?? []),
      authenticated: authenticatedFeatures(modules, options.now),
    },
    acceptRemote: (stanza) => router.acceptRemote(stanza),
    bindDomain: (domain, receive) => {
      const binding = bindDomain(fabric, domain, receive);
      void deliverKept(options.store, domain, receive);
      return binding;
    },
  };
};

const bareOf = (full: FullJid): BareJid => full.slice(0, full.indexOf("/")) as BareJid;

/** What modules announce may change when the configuration is read again, but need not be asked for by each of a crowd. */
const ANNOUNCED_FOR_MS = 1_000;

const authenticatedFeatures = (
  modules: readonly Module[],
  now: () => number,
): ((domain: DomainJid) => readonly Element[]) => {
  const announced = new Map<DomainJid, { readonly features: readonly Element[]; readonly at: number }>();
  return (domain) => {
    const at = now();
    const known = announced.get(domain);
    // A clock that was set back must not make it last.
    if (known !== undefined && at >= known.at && at - known.at < ANNOUNCED_FOR_MS) return known.features;
    const features = modules.flatMap((module) => module.streamFeatures?.authenticated?.(domain) ?? []);
    announced.set(domain, { features, at });
    return features;
  };
};

const bindDomain = (fabric: Fabric, domain: DomainJid, receive: (stanza: Stanza) => void): Binding => {
  try {
    return fabric.bind({ kind: "domain", domain }, new DomainHolder(receive));
  } catch {
    throw new StreamError("conflict");
  }
};

/** Every module must agree. */
const admitOf = (modules: readonly Module[]) => {
  const admits = modules.flatMap((module) => module.admit ?? []);
  const ask = (request: Iq, session: SessionView & { readonly context: Context }, first = 0): Eventually<boolean> => {
    for (let at = first; at < admits.length; at++) {
      const admitted = admits[at]?.(request, session, session.context) ?? true;
      if (isPromise(admitted)) return admitted.then((yes) => yes && ask(request, session, at + 1));
      if (!admitted) return false;
    }
    return true;
  };
  return ask;
};
