import {
  andThen,
  type BareJid,
  type Bytes,
  type Eventually,
  isPromise,
  type Jid,
  prepareResourcepart,
  StanzaError,
} from "@kith/protocol";
import type { Binding, Fabric } from "../fabric/fabric.ts";
import type { Resumption, Wire } from "../session/door.ts";
import { Session } from "../session/session.ts";
import type { SessionServices } from "../session/session-services.ts";
import { jidOf, type StreamRecord } from "../session/stream-records.ts";
import { AccountSessions, type Admit } from "./account-sessions.ts";
import { EndedStreams } from "./ended-streams.ts";

/** What happens when a client asks for a resource that is in use (RFC 6120 §7.7.2.2). */
export type ConflictPolicy =
  /** The session that has it is closed with `conflict`. */
  | "replace"
  /** The newcomer is refused with `conflict`. */
  | "refuse"
  /** The newcomer gets a resource of the server's making. */
  | "rename";

export interface SessionTableOptions {
  readonly fabric: Fabric;
  readonly services: SessionServices;
  readonly admit: Admit;
  readonly newResource: () => string;
  readonly conflict: ConflictPolicy;
  readonly sessionsPerAccount: number;
}

/** Every bound session that this process holds. */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #accounts = new Map<BareJid, { readonly sessions: AccountSessions; readonly binding: Binding }>();
  readonly #ended = new EndedStreams();

  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  has(account: BareJid): boolean {
    return this.#accounts.has(account);
  }

  find(full: string): Session | undefined {
    const slash = full.indexOf("/");
    return this.#accounts.get(full.slice(0, slash) as BareJid)?.sessions.find(full);
  }

  *[Symbol.iterator](): Generator<Session> {
    for (const { sessions } of this.#accounts.values()) yield* sessions;
  }

  /** RFC 6120 §7.6, §7.7. The server makes a resource where none is asked for, or what cannot be one (§7.7.2.1). Throws `StanzaError`. */
  bind(account: Jid, resource: string | undefined, wire: Wire, lang: Bytes | undefined): Eventually<Session> {
    const { newResource, sessionsPerAccount, conflict } = this.#options;
    const held = this.#accounts.get(account.bare)?.sessions;
    const asked = resource === undefined ? undefined : prepareResourcepart(resource);
    const jid = account.withResource(asked ?? newResource());
    const other = held?.find(jid.full);
    if (other === undefined) {
      if (held !== undefined && held.count >= sessionsPerAccount) return this.#addInstead(held, jid, wire, lang);
      return this.#add(jid, wire, lang);
    }
    if (conflict === "refuse") throw new StanzaError("conflict");
    if (conflict === "rename") return this.#add(account.withResource(newResource()), wire, lang);
    const ended = this.#options.fabric.end(account.bare, {
      condition: "conflict",
      text: "Replaced by a new connection.",
      only: other.jid.full as never,
    });
    return isPromise(ended) ? ended.then(() => this.bind(account, resource, wire, lang)) : this.#add(jid, wire, lang);
  }

  /** Nothing is free; but a client that lost its connection may have come back as another one. */
  #addInstead(held: AccountSessions, jid: Jid, wire: Wire, lang: Bytes | undefined): Eventually<Session> {
    const oldest = [...held].find(({ isDetached }) => isDetached);
    if (oldest === undefined) throw new StanzaError("resource-constraint");
    return andThen(oldest.ended(undefined, "closed"), () => this.#add(jid, wire, lang));
  }

  /** XEP-0198 §5: the stream that an account had under this SM-ID goes on with another wire. */
  async resume(account: BareJid, previd: string, h: number, wire: Wire): Promise<Resumption> {
    const session = this.#resumable(account, previd);
    if (session === undefined) return { is: "refused", h: this.#ended.h(account, previd) };
    return { is: "resumed", session, ...(await session.resume(h, wire)) };
  }

  #resumable(account: BareJid, previd: string): Session | undefined {
    for (const session of this.#accounts.get(account)?.sessions ?? [])
      if (session.resumable?.id === previd && !session.isEnded) return session;
    return undefined;
  }

  /** A session that was left by a server that is gone. */
  restore(account: BareJid, id: string, record: StreamRecord): Session {
    const session = this.#add(jidOf(account, record), undefined, record.lang);
    session.restore(record, id);
    return session;
  }

  #add(jid: Jid, wire: Wire | undefined, lang: Bytes | undefined): Session {
    const session = new Session(jid, lang, wire, this.#options.services);
    let entry = this.#accounts.get(jid.bare);
    if (entry === undefined) {
      const sessions = new AccountSessions(jid.bare, this.#options.admit);
      entry = { sessions, binding: this.#options.fabric.bind({ kind: "account", bare: jid.bare }, sessions) };
      this.#accounts.set(jid.bare, entry);
    }
    entry.sessions.add(session);
    return session;
  }

  remove(session: Session): void {
    this.#ended.add(session);
    const entry = this.#accounts.get(session.jid.bare);
    if (entry === undefined) return;
    entry.sessions.remove(session);
    if (!entry.sessions.isEmpty) return;
    entry.binding.release();
    this.#accounts.delete(session.jid.bare);
  }
}
