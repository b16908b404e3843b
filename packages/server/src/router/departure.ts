import {
  andThen,
  type Eventually,
  errorOf,
  type FullJid,
  type Iq,
  isEligibleForCarbons,
  isPromise,
  type Jid,
  type Message,
  mayBeAnswered,
  type Stanza,
  StanzaError,
} from "@kith/protocol";
import type { Address, Aside, Fabric, Frame, Outcome } from "../fabric/fabric.ts";
import { faults } from "../faults.ts";
import type { Context, Shown } from "../module.ts";
import type { Session } from "../session/session.ts";
import type { Store, Ticket, Unit, Write } from "../store/store.ts";
import { keepForDomain, MOST_BYTES_FOR_ABSENT, waitsForDomain } from "./absent-domains.ts";
import type { Log } from "./log.ts";
import { type Draft, type Output, Turn } from "./turn.ts";

export interface DepartureOptions {
  readonly store: Store;
  readonly fabric: Fabric;
  readonly context: Context;
  readonly log: Log;
  /** What waits for a domain that is served, but by nobody now. */
  readonly mostBytesForAbsent?: number | undefined;
  /**
   * A message whose resource turned out to be gone is handled once more (RFC 6121 §8.5.3.2.1). `known`: it is certain that nobody
   * took it. `stored`: what is stored of it already.
   */
  readonly redeliver: (turn: Turn, message: Message, known: boolean, stored: Shown | undefined) => Eventually<void>;
  /** A message that only sessions without a connection hold. */
  readonly missed: readonly ((turn: Turn, message: Message) => Eventually<void>)[];
  /** What answers a request of the server's own. */
  readonly answered: (turn: Turn, answer: Iq) => Eventually<void>;
}

type Delivering = Output & { readonly kind: "deliver" };

/** What became of a delivery, to be acted on once its turn is over. */
interface Outlook {
  readonly output: Delivering;
  readonly stored: Shown | undefined;
  readonly outcome: Outcome;
}

/**
 * The end of every turn: commits what it stores, and sends what it sends in the order it was decided, released when
 * the commit is done. Also where exceptions become answers.
 */
export class Departure {
  readonly #options: DepartureOptions;
  #openCommits = 0;
  #openTasks = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  /** What sessions note of deliveries while a turn is being finished; committed right after it. */
  #notes: Unit | undefined;
  #isFinishing = false;

  constructor(options: DepartureOptions) {
    this.#options = options;
  }

  get openCommits(): number {
    return this.#openCommits;
  }
  /** No outcome awaited, no commit under way. */
  get isIdle(): boolean {
    return this.#openTasks === 0 && this.#openCommits === 0;
  }

  /** Settles when no commit is under way. */
  drained(): Eventually<void> {
    if (this.#openCommits === 0) return;
    this.#drained ??= Promise.withResolvers<void>();
    return this.#drained.promise;
  }

  /** Everything from the numbers to the commit happens at once, so that numbers are given in the order of commits. */
  finish(turn: Turn): void {
    const { origin } = turn;
    const change = origin?.change();
    turn.settleNumbers();
    const { unit } = turn;
    const after = unit === undefined || turn.haste === "soon" ? undefined : unit.ticket;
    const arrival = this.#arrivalOf(turn, after);
    const outlooks = this.#sendAll(turn, after, arrival);
    if (unit !== undefined) this.#commit(turn, unit);
    // What a session has become is stored right after what made it so, and keeps nothing waiting.
    if (change !== undefined) void this.note(change);
    if (this.#notes !== undefined) this.#commitNotes();
    if (turn.number > 0 && arrival?.isAwaited !== true) origin?.handled(turn.number, after, turn.isPlaced);
    this.#lookAfter(turn, outlooks);
  }

  /** What has turned out meanwhile is the beginning of other turns. */
  #lookAfter({ missed }: Turn, outlooks: readonly Outlook[] | undefined): void {
    if (missed !== undefined) for (const message of missed) this.missed(message);
    if (outlooks !== undefined) for (const outlook of outlooks) void this.#delivered(outlook);
  }

  #sendAll({ outputs }: Turn, after: Ticket | undefined, arrival: Arrival | undefined): Outlook[] | undefined {
    let outlooks: Outlook[] | undefined;
    this.#isFinishing = true;
    for (let at = 0; at < outputs.length; at++) {
      const outlook = this.#send(outputs[at] as Output, after, arrival);
      if (outlook === undefined) continue;
      if (outlooks === undefined) outlooks = [outlook];
      else outlooks.push(outlook);
    }
    this.#isFinishing = false;
    return outlooks;
  }

  /** XEP-0198: with nothing stored of it, a message that may not be lost counts once the client it went to has acknowledged it. */
  #arrivalOf(turn: Turn, after: Ticket | undefined): Arrival | undefined {
    const { number, origin, cause, isWorthKeeping } = turn;
    if (number === 0 || origin === undefined || after !== undefined || cause?.kind !== "message" || !isWorthKeeping)
      return undefined;
    return new Arrival(origin, number);
  }

  #commit(turn: Turn, unit: Unit): void {
    faults?.passes("between read and commit");
    const ticket = unit.commit(turn.haste);
    if (turn.haste === "soon") return;
    this.#openCommits++;
    ticket.onSettled((committed) => this.#committed(turn, committed));
  }

  /** What a session notes of a stanza it sends, which waits for the ticket. */
  note(write: Write): Ticket {
    const isFirst = this.#notes === undefined;
    const notes = this.#notes ?? this.#options.store.begin();
    this.#notes = notes;
    notes.add(write);
    if (isFirst && !this.#isFinishing) queueMicrotask(() => this.#notes === notes && this.#commitNotes());
    return notes.ticket;
  }

  #commitNotes(): void {
    const notes = this.#notes;
    this.#notes = undefined;
    if (notes === undefined) return;
    this.#openCommits++;
    notes.commit().onSettled(() => this.#closedOne());
  }

  /** Runs a task of the server's own to its end, then finishes its turn. Defects are logged. */
  perform(turn: Turn, task: () => Eventually<void>): Eventually<void> {
    let done: Eventually<void>;
    try {
      done = task();
    } catch (error) {
      this.#logDefect(error);
      done = undefined;
    }
    if (!isPromise(done)) return this.finish(turn);
    return this.#track(done.catch((error: unknown) => this.#logDefect(error)).then(() => this.finish(turn)));
  }

  #track(task: Promise<void>): Promise<void> {
    this.#openTasks++;
    return task.finally(() => {
      this.#openTasks--;
    });
  }

  /** Something that nobody waits for. */
  #watch(task: Promise<void>): void {
    void this.#track(task.catch((error: unknown) => this.#logDefect(error)));
  }

  /**
   * The one place where exceptions become answers (RFC 6120 §8.3). Anything but a `StanzaError` is a defect: logged, and
   * answered as one.
   */
  refuse(turn: Turn, stanza: Stanza, error: unknown): void {
    if (!(error instanceof StanzaError)) this.#logDefect(error, stanza);
    // Nobody is told of every contact that a probe of the server's own did not reach.
    if (stanza === turn.cause) turn.refused();
    if (!mayBeAnswered(stanza) || (stanza.type === "probe" && stanza !== turn.cause)) return;
    const answer = errorOf(stanza, error instanceof StanzaError ? error : new StanzaError("internal-server-error"));
    this.reply(turn, answer);
    if (stanza.kind === "message") this.#copyRefusal(turn, stanza, answer as Message);
  }

  /** Whoever has a copy of what another client of theirs sent hears that it did not arrive (XEP-0280 §6.1). */
  #copyRefusal(turn: Turn, refused: Message, answer: Message): void {
    const { from } = refused;
    if (from?.resource === undefined || !this.#options.context.isLocal(from.domain)) return;
    const isCopied = turn.origin === undefined ? isEligibleForCarbons(refused, "sent") : turn.hasCopied(from.bare);
    if (!isCopied) return;
    turn.copyTo(from.bare, answer, "received", undefined);
    turn.deliversTo(from.bare, [from.full as FullJid]);
  }

  #logDefect(error: unknown, stanza?: Stanza): void {
    const about = stanza === undefined ? {} : { kind: stanza.kind, type: stanza.type, from: stanza.from?.bare };
    this.#options.log.error({ err: error, ...about }, "defect");
  }

  /** Sends an answer back to where its stanza came from. No phase runs: nobody blocks the answer to what they asked. */
  reply(turn: Turn, answer: Stanza): void {
    const { to } = answer;
    const { origin, outputs } = turn;
    if (to === undefined) return;
    if (origin !== undefined && to.full === origin.jid.full) {
      outputs.push({ kind: "session", session: origin, frame: { stanza: answer, for: "bound" } });
    } else if (!this.#options.context.isLocal(to.domain)) {
      outputs.push({
        kind: "cast",
        address: { kind: "domain", domain: to.domain },
        frame: { stanza: answer, for: "bound" },
      });
    } else if (to.resource !== undefined) {
      outputs.push({
        kind: "cast",
        address: { kind: "account", bare: to.bare },
        frame: { stanza: answer, for: to.full as FullJid },
      });
    } else if (answer.kind === "iq") {
      void this.answered(answer);
    } else if (to.local !== undefined && answer.kind === "presence") {
      // Of all errors to a bare JID only one about a subscription is of use to anybody (RFC 6121 §8.5.2.1).
      outputs.push({
        kind: "cast",
        address: { kind: "account", bare: to.bare },
        frame: { stanza: answer, for: "available" },
      });
    }
  }

  /** An answer to what the server itself has asked, or what claims to be one. */
  answered(answer: Iq): Eventually<void> {
    const turn = new Turn(this.#options.store, undefined, undefined);
    return this.perform(turn, () => this.#options.answered(turn, answer));
  }

  #committed(turn: Turn, committed: boolean): void {
    faults?.passes("after commit, before the write");
    this.#closedOne();
    if (committed || turn.cause === undefined) return;
    const apology = new Turn(this.#options.store, turn.origin, undefined);
    this.refuse(apology, turn.cause, new StanzaError("resource-constraint"));
    this.finish(apology);
  }

  #closedOne(): void {
    this.#openCommits--;
    if (this.#openCommits > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** Answers what became of a delivery, where something is to be done about it. */
  #send(output: Output, after: Ticket | undefined, arrival: Arrival | undefined): Outlook | undefined {
    if (output.kind === "session") output.session.send(output.frame, after);
    else if (output.kind === "deliver") return this.#deliver(output, after, arrival);
    else if (output.kind === "cast") this.#cast(output, after);
    else this.#end(output, after);
    return undefined;
  }

  #cast({ address, frame }: Output & { kind: "cast" }, after: Ticket | undefined): void {
    const { storing } = frame;
    const kept = storing?.kept;
    if (kept === undefined) this.#options.fabric.cast(address, frame, after);
    else this.#options.fabric.cast(address, finished(address, frame), after, { open: kept });
  }

  #deliver(output: Delivering, after: Ticket | undefined, arrival: Arrival | undefined): Outlook | undefined {
    const { address, frame } = output;
    const kept = frame.storing?.kept;
    const sent = kept === undefined ? frame : finished(address, frame);
    const aside = kept === undefined ? arrival : { open: kept };
    const outcome = this.#options.fabric.deliver(address, sent, after, aside);
    if (isPromise(outcome)) {
      this.#watch(
        outcome.then((settled) => this.#deliveredLater({ output, stored: sent.stored, outcome: settled }, after)),
      );
      return undefined;
    }
    if (output.carbons !== undefined && outcome.is === "accepted") {
      for (const carbon of output.carbons) this.#cast(carbon, after);
    }
    return outcome.is === "accepted" && outcome.live > 0 ? undefined : { output, stored: sent.stored, outcome };
  }

  #end({ account, ending }: Output & { kind: "end" }, after: Ticket | undefined): void {
    const end = (): void => {
      const ended = this.#options.fabric.end(account, ending);
      if (isPromise(ended)) this.#watch(ended);
    };
    if (after === undefined) end();
    else after.onSettled((committed) => committed && end());
  }

  /** The unit of its turn is no longer open. */
  #deliveredLater(outlook: Outlook, after: Ticket | undefined): Eventually<void> {
    const { output, outcome } = outlook;
    if (outcome.is === "accepted") {
      for (const { address, frame } of output.carbons ?? [])
        this.#options.fabric.cast(address, finished(address, frame), after);
    }
    return this.#delivered(outlook);
  }

  /** Nobody took it, or it cannot be known whether somebody did, or only somebody who is away. */
  #delivered({ output: { frame, otherwise, carbons }, stored, outcome }: Outlook): Eventually<void> {
    const { stanza } = frame;
    if (outcome.is === "accepted") return this.#held(stanza, outcome);
    if (otherwise === "ignore") return;
    const known = outcome.is === "nobody";
    const turn = new Turn(this.#options.store, undefined, stanza);
    if (otherwise === "resource is gone") {
      const message = stanza as Message;
      if (carbons !== undefined) turn.adopt(carbons, stored);
      const done = this.perform(turn, () => this.#options.redeliver(turn, message, known, stored));
      return andThen(done, () =>
        turn.isRefused && stored !== undefined ? this.#takeBack(message, stored) : undefined,
      );
    }
    if (otherwise === "domain is absent" && waitsForDomain(stanza)) {
      return this.perform(turn, () =>
        keepForDomain(turn, this.#options.store.spool, stanza, {
          now: this.#options.context.now(),
          mostBytes: this.#options.mostBytesForAbsent ?? MOST_BYTES_FOR_ABSENT,
        }),
      );
    }
    this.refuse(
      turn,
      stanza,
      new StanzaError(known && otherwise === "unavailable" ? "service-unavailable" : "remote-server-timeout"),
    );
    this.finish(turn);
  }

  /** It was stored, and then refused: nobody waits for it, and sent again it is a new message. */
  #takeBack({ from, to }: Message, { row }: Shown): void {
    const { messages } = this.#options.store;
    messages.settle((to as Jid).bare, [row]);
    if (from !== undefined && this.#options.context.isLocal(from.domain)) this.note(messages.forgetKey(from.bare, row));
  }

  #held(stanza: Stanza, { live, held }: Outcome & { is: "accepted" }): Eventually<void> {
    if (stanza.kind === "message" && live === 0 && held > 0) return this.missed(stanza);
  }

  /** A message that its account has not been shown. Whoever wakes somebody up has a turn of their own, since some wait for others' servers. */
  missed(message: Message): void {
    for (const wake of this.#options.missed) {
      const turn = new Turn(this.#options.store, undefined, undefined);
      void this.perform(turn, () => wake(turn, message));
    }
  }

  /** Back from a session that is gone: a message looks for somebody else, a request is answered, anything else was for the session alone. */
  returned(stanza: Stanza, done: (() => void) | undefined): Eventually<void> {
    const turn = new Turn(this.#options.store, undefined, stanza);
    const finished = this.#lookAround(turn, stanza);
    if (done === undefined) return finished;
    const ticket = turn.unit?.ticket;
    const then = (): void => (ticket === undefined ? done() : ticket.onSettled(done));
    return isPromise(finished) ? finished.then(then) : then();
  }

  #lookAround(turn: Turn, stanza: Stanza): Eventually<void> {
    if (stanza.kind === "message") {
      return this.perform(turn, () => this.#options.redeliver(turn, stanza, true, undefined));
    }
    if (stanza.kind === "iq") this.refuse(turn, stanza, new StanzaError("recipient-unavailable"));
    this.finish(turn);
  }
}

/** With its number, as its account is shown it. */
const finished = (address: Address, { storing, ...frame }: Draft): Frame => ({
  ...frame,
  stored: address.kind === "account" ? storing?.shownTo(address.bare) : undefined,
});

/** Waits for the first client that acknowledges a message of which nothing is stored. */
class Arrival implements Aside {
  readonly open = undefined;
  readonly #origin: Session;
  readonly #number: number;
  /** Has a session taken it that will say so? */
  isAwaited = false;

  constructor(origin: Session, number: number) {
    this.#origin = origin;
    this.#number = number;
  }

  awaitArrival(): () => void {
    this.isAwaited = true;
    return () => this.#origin.handled(this.#number, undefined, false);
  }
}
