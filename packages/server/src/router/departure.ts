import {
  type Eventually,
  errorOf,
  type FullJid,
  isPromise,
  type Message,
  mayBeAnswered,
  type Stanza,
  StanzaError,
} from "@kith/protocol";
import type { Fabric, Outcome } from "../fabric/fabric.ts";
import type { Context } from "../module.ts";
import type { Store, Ticket } from "../store/store.ts";
import { keepForDomain, waitsForDomain } from "./absent-domains.ts";
import type { Log } from "./log.ts";
import { type Output, Turn } from "./turn.ts";

export interface DepartureOptions {
  readonly store: Store;
  readonly fabric: Fabric;
  readonly context: Context;
  readonly log: Log;
  /** A message whose resource turned out to be gone is handled once more (RFC 6121 §8.5.3.2.1). */
  readonly redeliver: (turn: Turn, message: Message, known: boolean) => Eventually<void>;
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

  finish(turn: Turn): void {
    const after = this.#commit(turn);
    const { outputs } = turn;
    for (let at = 0; at < outputs.length; at++) this.#send(outputs[at] as Output, after);
  }

  /** What the outputs wait for, if there is anything. */
  #commit(turn: Turn): Ticket | undefined {
    const ticket = turn.unit?.commit(turn.haste);
    if (ticket === undefined || turn.haste === "soon") return undefined;
    this.#openCommits++;
    ticket.onSettled((committed) => this.#committed(turn, committed));
    return ticket;
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
    if (!mayBeAnswered(stanza) || (stanza.type === "probe" && stanza !== turn.cause)) return;
    this.reply(turn, errorOf(stanza, error instanceof StanzaError ? error : new StanzaError("internal-server-error")));
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
      outputs.push({ kind: "session", session: origin, stanza: answer });
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
    } else if (to.local !== undefined && answer.kind === "presence") {
      // Of all errors to a bare JID only one about a subscription is of use to anybody (RFC 6121 §8.5.2.1).
      outputs.push({
        kind: "cast",
        address: { kind: "account", bare: to.bare },
        frame: { stanza: answer, for: "available" },
      });
    }
  }

  #committed(turn: Turn, committed: boolean): void {
    this.#openCommits--;
    if (this.#openCommits === 0) {
      this.#drained?.resolve();
      this.#drained = undefined;
    }
    if (committed || turn.cause === undefined) return;
    const apology = new Turn(this.#options.store, turn.origin, undefined);
    this.refuse(apology, turn.cause, new StanzaError("resource-constraint"));
    this.finish(apology);
  }

  #send(output: Output, after: Ticket | undefined): void {
    if (output.kind === "session") output.session.send(output.stanza, after);
    else if (output.kind === "deliver") this.#deliver(output, after);
    else if (output.kind === "cast") this.#options.fabric.cast(output.address, output.frame, after);
    else this.#end(output, after);
  }

  #deliver(output: Output & { kind: "deliver" }, after: Ticket | undefined): void {
    const outcome = this.#options.fabric.deliver(output.address, output.frame, after);
    if (isPromise(outcome)) this.#watch(outcome.then((settled) => this.#delivered(output, settled)));
    else if (outcome.is !== "accepted") void this.#delivered(output, outcome);
  }

  #end({ account, ending }: Output & { kind: "end" }, after: Ticket | undefined): void {
    const end = (): void => {
      const ended = this.#options.fabric.end(account, ending);
      if (isPromise(ended)) this.#watch(ended);
    };
    if (after === undefined) end();
    else after.onSettled((committed) => committed && end());
  }

  /** Nobody took it, or it cannot be known whether somebody did. */
  #delivered({ frame: { stanza }, otherwise }: Output & { kind: "deliver" }, outcome: Outcome): Eventually<void> {
    if (outcome.is === "accepted" || otherwise === "ignore") return;
    const known = outcome.is === "nobody";
    const turn = new Turn(this.#options.store, undefined, stanza);
    if (otherwise === "resource is gone") {
      return this.perform(turn, () => this.#options.redeliver(turn, stanza as Message, known));
    }
    if (otherwise === "domain is absent" && waitsForDomain(stanza)) {
      return this.perform(turn, () =>
        keepForDomain(turn, this.#options.store.spool, stanza, this.#options.context.now()),
      );
    }
    this.refuse(
      turn,
      stanza,
      new StanzaError(known && otherwise === "unavailable" ? "service-unavailable" : "remote-server-timeout"),
    );
    this.finish(turn);
  }
}
