import type { BareJid, DomainJid, Eventually } from "@kith/protocol";
import type { AvailableResource, Context, SessionView } from "../module.ts";

export type BaseContext = Omit<Context, "session">;

/** A context bound to one session (or to none). Small, since every session has one: everything but the session is shared. */
export class RouterContext implements Context {
  readonly #base: BaseContext;
  readonly session: SessionView | undefined;

  constructor(base: BaseContext, session?: SessionView) {
    this.#base = base;
    this.session = session;
  }
  get now(): () => number {
    return this.#base.now;
  }
  get isLocal(): (domain: DomainJid) => boolean {
    return this.#base.isLocal;
  }
  get exists(): (account: BareJid) => Eventually<boolean> {
    return this.#base.exists;
  }
  get available(): (account: BareJid) => Eventually<readonly AvailableResource[]> {
    return this.#base.available;
  }
  get underWay(): Context["underWay"] {
    return this.#base.underWay;
  }
  get newId(): () => string {
    return this.#base.newId;
  }
}
