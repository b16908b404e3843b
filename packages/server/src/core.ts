import { type DomainJid, type Eventually, type Iq, isPromise, type Stanza, StreamError } from "@kith/protocol";
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
  readonly conflict?: ConflictPolicy;
  readonly sessionsPerAccount?: number;
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
    newId: options.newId,
  };
  const context = new RouterContext(base);
  const sessions: SessionTable = new SessionTable({
    fabric,
    router: () => router,
    context: (session) => new RouterContext(base, session),
    admit: admitOf(modules),
    newResource: options.newId,
    conflict: options.conflict ?? "replace",
    sessionsPerAccount: options.sessionsPerAccount ?? SESSIONS_PER_ACCOUNT,
  });
  const router: Router = new Router({ modules, store, fabric, sessions, context, log, isServed: options.isServed });
  const perform = async (effects: () => Eventually<Effects>): Promise<void> => {
    await router.perform(effects);
    await store.flush();
  };
  return {
    door: doorOf(options, context, sessions, router),
    sessions,
    start: async () => {
      for (const module of modules)
        if (module.started !== undefined) await perform(() => module.started?.(context) ?? []);
    },
    perform,
    stop: async (error) => {
      await Promise.all([...sessions].map((session) => session.close(error)));
      for (const module of modules) await module.stopped?.();
      await store.flush();
    },
    get isIdle() {
      return router.isIdle;
    },
  };
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
    visitorIq: (iq, visitor) => visitors.answer(iq, visitor),
    features: {
      visitor: (visitor) => modules.flatMap((module) => module.streamFeatures?.visitor?.(visitor) ?? []),
      authenticated: (domain) => modules.flatMap((module) => module.streamFeatures?.authenticated?.(domain) ?? []),
    },
    acceptRemote: (stanza) => router.acceptRemote(stanza),
    bindDomain: (domain, receive) => {
      const binding = bindDomain(fabric, domain, receive);
      void deliverKept(options.store, domain, receive);
      return binding;
    },
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
