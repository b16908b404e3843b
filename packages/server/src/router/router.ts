import {
  type BareJid,
  type DomainJid,
  type Eventually,
  isPromise,
  type Jid,
  type Message,
  type Presence,
  presence,
  readdressed,
  type Stanza,
  StanzaError,
} from "@kith/protocol";
import type { Fabric } from "../fabric/fabric.ts";
import type { Context, Effect, Effects, Module, Verdict } from "../module.ts";
import type { Session } from "../session/session.ts";
import type { SessionRouter } from "../session/session-services.ts";
import type { StreamRecords } from "../session/stream-records.ts";
import type { RowId, Store, Ticket, Write } from "../store/store.ts";
import { priorityOf } from "./availability.ts";
import { Departure } from "./departure.ts";
import type { Log } from "./log.ts";
import { type Passed, type Phases, passPhases, phasesOf, runGuards } from "./phases.ts";
import { Recipient } from "./recipient.ts";
import type { SessionTable } from "./session-table.ts";
import type { Storing } from "./storing.ts";
import { PresenceTable } from "./tables.ts";
import { outputOf, Turn } from "./turn.ts";

export interface RouterOptions {
  readonly modules: readonly Module[];
  readonly store: Store;
  readonly fabric: Fabric;
  readonly sessions: SessionTable;
  readonly records: StreamRecords;
  readonly context: Context;
  readonly log: Log;
  /** Domains that a component or another server serves, connected or not. */
  readonly isServed: (domain: DomainJid) => boolean;
  /** What waits for such a domain while it is away, in bytes. */
  readonly mostBytesForAbsent?: number | undefined;
}

/** A moment in a session's life that modules may act on. */
type Moment = "bound" | "available" | "unavailable" | "detached" | "resumed" | "restored" | "closed";

/** Commits under way above which senders are slowed down. */
const MANY_COMMITS = 10_000;

/**
 * The way of every stanza, from the session that sent it to those that get it (ARCHITECTURE.md, "The way of a stanza").
 * Here: the doors, the sender's side, and the carrying out of effects. `Recipient` is the other side, `Departure` the end.
 */
export class Router implements SessionRouter {
  readonly #modules: readonly Module[];
  readonly #store: Store;
  readonly #sessions: SessionTable;
  readonly #records: StreamRecords;
  readonly #context: Context;
  readonly #sending: Phases;
  readonly #presences: PresenceTable;
  readonly #departure: Departure;
  readonly #recipient: Recipient;
  readonly #carry = (turn: Turn, effects: Eventually<Effects>, storing?: Storing): Eventually<void> =>
    this.carryOut(turn, effects, storing);

  constructor(options: RouterOptions) {
    const { modules, store, fabric, context, log, isServed } = options;
    this.#modules = modules;
    this.#store = store;
    this.#sessions = options.sessions;
    this.#records = options.records;
    this.#context = context;
    this.#sending = phasesOf(modules, "sending");
    this.#presences = new PresenceTable(modules);
    this.#departure = new Departure({
      store,
      fabric,
      context,
      log,
      mostBytesForAbsent: options.mostBytesForAbsent,
      redeliver: (turn, message, known, stored) =>
        this.#orRefuse(turn, message, () =>
          known
            ? this.#recipient.deliverToAccount(turn, message, { stored })
            : this.#recipient.keep(turn, message, { stored }),
        ),
      missed: modules.flatMap(({ missed }) =>
        missed === undefined
          ? []
          : (turn, message) => this.carryOut(turn, missed(message, (message.to as Jid).bare, context)),
      ),
      answered: (turn, answer) => this.#recipient.answered(turn, answer),
    });
    this.#recipient = new Recipient({
      modules,
      fabric,
      context,
      isServed,
      presences: this.#presences,
      departure: this.#departure,
      isOnline: (account) => options.sessions.has(account),
      exists: (account) => this.#exists(account, false),
      carryOut: this.#carry,
    });
  }

  /** A stanza from a local session, `from` stamped. Never waits for the disk; waits for a read only where it must. */
  accept(session: Session, stanza: Stanza, number: number): Eventually<void> {
    const turn = new Turn(this.#store, session, stanza, number);
    let done: Eventually<void>;
    try {
      done = this.#leave(turn, session, stanza);
    } catch (error) {
      this.#departure.refuse(turn, stanza, error);
      done = undefined;
    }
    if (isPromise(done)) return this.#finishLater(turn, stanza, done);
    this.#departure.finish(turn);
    if (this.#departure.openCommits > MANY_COMMITS) return this.#departure.drained();
  }

  /** A stanza from a component or another server, whose `from` has been checked: the recipient's side only. */
  acceptRemote(stanza: Stanza): Eventually<void> {
    const turn = new Turn(this.#store, undefined, stanza);
    return this.#departure.perform(turn, () =>
      this.#orRefuse(turn, stanza, () => {
        if (stanza.problem !== undefined) throw stanza.problem;
        return this.#recipient.arrive(turn, stanza);
      }),
    );
  }

  /** Carries out effects that no stanza asked for: at start, or for an administrator. Settles when they are on their way. */
  perform(effects: () => Eventually<Effects>): Eventually<void> {
    const turn = new Turn(this.#store, undefined, undefined);
    return this.#departure.perform(turn, async () => this.carryOut(turn, await effects()));
  }

  /** A session has been bound. */
  bound(session: Session): Eventually<void> {
    const turn = new Turn(this.#store, session, undefined);
    return this.#departure.perform(turn, () => this.#moment(turn, "bound", session));
  }

  /** RFC 6121 §4.5.3: a session whose stream is gone has become unavailable, whether it said so or not. */
  left(session: Session): Eventually<void> {
    const keeps = this.#exists(session.jid.bare, false);
    return isPromise(keeps) ? keeps.then((settled) => this.#left(session, settled)) : this.#left(session, keeps);
  }

  /** Its connection is gone, and its client may come back. */
  detached(session: Session): Eventually<void> {
    return this.#at(session, "detached");
  }

  /** Its client has come back. */
  resumed(session: Session): Eventually<void> {
    return this.#at(session, "resumed");
  }

  /** It was left by a server that is gone. */
  restored(session: Session): Eventually<void> {
    return this.#at(session, "restored");
  }

  #at(session: Session, moment: Moment): Eventually<void> {
    const turn = new Turn(this.#store, session, undefined);
    return this.#departure.perform(turn, () => this.#moment(turn, moment, session));
  }

  settle(session: Session, rows: readonly RowId[]): void {
    this.#store.messages.settle(session.jid.bare, rows);
  }

  note(write: Write): Ticket {
    return this.#departure.note(write);
  }

  noteSoon(write: Write): void {
    const unit = this.#store.begin();
    unit.add(write);
    unit.commit("soon");
  }

  /** XEP-0198 §5: what a session's client never acknowledged is handled as if its resource had been gone when it came. */
  returned(stanza: Stanza, done: (() => void) | undefined): Eventually<void> {
    return this.#departure.returned(stanza, done);
  }

  missed(message: Message): Eventually<void> {
    return this.#departure.missed(message);
  }

  /** No outcome awaited, no commit under way. */
  get isIdle(): boolean {
    return this.#departure.isIdle;
  }

  #leave(turn: Turn, session: Session, stanza: Stanza): Eventually<void> {
    if (stanza.problem !== undefined) throw stanza.problem;
    // RFC 6120 §10.3.1: a message to nobody is one to the sender's own bare JID.
    const toSelf = stanza.kind === "message" && stanza.to === undefined;
    const addressed = toSelf ? readdressed(stanza, stanza.from, session.jid.toBare()) : stanza;
    const verdict = runGuards(this.#sending.guard, addressed, session.context);
    if (isPromise(verdict)) return verdict.then((settled) => this.#leaveGuarded(turn, session, addressed, settled));
    return this.#leaveGuarded(turn, session, addressed, verdict);
  }

  #leaveGuarded(turn: Turn, session: Session, stanza: Stanza, verdict: Verdict): Eventually<void> {
    if (verdict === "drop") return;
    const passed = passPhases(
      { phases: this.#sending, side: "sent", turn, context: session.context, carryOut: this.#carry },
      stanza,
    );
    if (isPromise(passed)) return passed.then((settled) => this.#dispatch(turn, session, settled));
    return this.#dispatch(turn, session, passed);
  }

  #dispatch(turn: Turn, session: Session, { stanza, storing }: Passed): Eventually<void> {
    if (stanza.kind !== "presence") return this.#recipient.arrive(turn, stanza, storing);
    if (stanza.to === undefined) return this.#broadcast(turn, session, stanza);
    const handler = this.#presences.get("directed", stanza.type);
    if (handler === undefined) return this.#recipient.arrive(turn, stanza);
    return this.carryOut(turn, handler.handle(stanza, session.context));
  }

  /** RFC 6121 §4.2, §4.4, §4.5: the resource is (or is no longer) available; then whoever is to know is told. */
  #broadcast(turn: Turn, session: Session, sent: Presence): Eventually<void> {
    const { type } = sent;
    if (type === "error") return;
    if (type !== "available" && type !== "unavailable")
      throw new StanzaError("bad-request", { text: `"${type}" needs an addressee` });
    const before = session.presence;
    session.show(type === "available" ? sent : undefined, priorityOf(sent), this.#context.now());
    const handler = this.#presences.get("broadcast", type);
    const told = handler === undefined ? undefined : this.carryOut(turn, handler.handle(sent, session.context));
    if ((before === undefined) === (type === "unavailable")) return told;
    return isPromise(told) ? told.then(() => this.#moment(turn, type, session)) : this.#moment(turn, type, session);
  }

  /** One moment of a session's life, for every module in turn. */
  #moment(turn: Turn, moment: Moment, session: Session, first = 0): Eventually<void> {
    for (let at = first; at < this.#modules.length; at++) {
      const effects = this.#modules[at]?.[moment]?.(session, session.context);
      const done = effects === undefined ? undefined : this.carryOut(turn, effects);
      if (isPromise(done)) return done.then(() => this.#moment(turn, moment, session, at + 1));
    }
  }

  /** Depth first: what follows from an effect is done before the next, so that cause comes before effect. */
  carryOut(turn: Turn, effects: Eventually<Effects>, storing?: Storing, first = 0): Eventually<void> {
    if (isPromise(effects)) return effects.then((settled) => this.carryOut(turn, settled, storing));
    for (let at = first; at < effects.length; at++) {
      const done = this.#carryOutOne(turn, effects[at] as Effect, storing);
      if (isPromise(done)) return done.then(() => this.carryOut(turn, effects, storing, at + 1));
    }
  }

  /** `storing`: of the message at hand, for effects that are about it. */
  #carryOutOne(turn: Turn, effect: Effect, storing: Storing | undefined): Eventually<void> {
    switch (effect.do) {
      case "route":
        return this.#orRefuse(turn, effect.stanza, () => this.#recipient.arrive(turn, effect.stanza));
      case "write":
        return turn.write(effect.write, effect.haste);
      case "mark":
        return this.#sessions.find(effect.session)?.mark(effect.mark, effect.on);
      case "carbon":
        return turn.copyTo(effect.account, effect.message, effect.carbon, storing);
      case "wait":
        return (storing ?? turn.storing(effect.message)).await((effect.message.to as Jid).bare, effect.message);
      case "removeAccount":
        return this.#removeAccount(turn, effect.account);
      default:
        turn.outputs.push(outputOf(effect, turn));
    }
  }

  async #removeAccount(turn: Turn, account: BareJid): Promise<void> {
    for (const module of this.#modules) {
      if (module.accountRemoved !== undefined) await this.carryOut(turn, module.accountRemoved(account, this.#context));
    }
    turn.write(this.#store.accounts.remove(account, this.#context.now()));
    turn.outputs.push({
      kind: "end",
      account,
      ending: { condition: "not-authorized", text: "The account has been removed." },
    });
  }

  #left(session: Session, keeps: boolean): Eventually<void> {
    const turn = new Turn(this.#store, undefined, undefined, 0, keeps);
    return this.#departure.perform(turn, () => {
      this.#forgetStream(turn, session);
      const told = this.#broadcast(turn, session, presence({ type: "unavailable", from: session.jid }));
      const forget = (): Eventually<void> => {
        this.#sessions.remove(session);
        return this.#moment(turn, "closed", session);
      };
      const forgotten = isPromise(told) ? told.then(forget) : forget();
      if (keeps) return forgotten;
      return isPromise(forgotten) ? forgotten.then(() => this.#wipe(session)) : this.#wipe(session);
    });
  }

  #forgetStream(turn: Turn, { jid, resumable, manager }: Session): void {
    if (resumable === undefined || manager === undefined) return;
    turn.write(this.#records.remove(jid.bare, resumable.id));
    turn.write(this.#store.messages.forget(manager.management.key));
  }

  /** Whatever an account that has no row left behind, a temporary one (XEP-0175) or one that has been removed, goes with its last session. */
  #wipe({ jid }: Session): void {
    if (this.#sessions.has(jid.bare)) return;
    const turn = new Turn(this.#store, undefined, undefined);
    turn.write(this.#store.accounts.remove(jid.bare, undefined));
    this.#departure.finish(turn);
  }

  async #finishLater(turn: Turn, stanza: Stanza, left: Promise<void>): Promise<void> {
    await left.catch((error: unknown) => this.#departure.refuse(turn, stanza, error));
    this.#departure.finish(turn);
  }

  #orRefuse(turn: Turn, stanza: Stanza, step: () => Eventually<void>): Eventually<void> {
    try {
      const done = step();
      return isPromise(done) ? done.catch((error: unknown) => this.#departure.refuse(turn, stanza, error)) : done;
    } catch (error) {
      this.#departure.refuse(turn, stanza, error);
    }
  }

  /** `online`: an account that is logged in exists, even if it has no row (SASL ANONYMOUS). */
  #exists(account: BareJid, online = this.#sessions.has(account)): Eventually<boolean> {
    return online || this.#store.accounts.exists(account);
  }
}
