import { Worker } from "node:worker_threads";
import { faults } from "../faults.ts";
import type { HandedUnit } from "./overlay.ts";
import { packUnits } from "./packed-message.ts";
import type { FailedUnit } from "./sqlite-writer.ts";
import type { Haste, RowId } from "./store.ts";
import type { AnswerTo, FromWriter, Question, ToWriter, WriterData } from "./writer-messages.ts";

type Line = (fields: Readonly<Record<string, unknown>>, text: string) => void;
/** What the store asks of a logger; pino is one. */
export interface StoreLog {
  readonly error: Line;
  readonly warn: Line;
  readonly info: Line;
}

export interface WriterThreadOptions extends Omit<WriterData, "isReplacement"> {
  readonly log: StoreLog;
  /** The script of the thread. */
  readonly script?: URL;
}

/** Run from source or built, the script lies beside this file and ends as it does. */
const SCRIPT = new URL(`./writer-worker${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);
/** How often in a row a thread may end without having settled anything before its units are given up. */
const MOST_FRUITLESS = 3;

/** How long what is to be written soon waits for company, in milliseconds. */
const SOON = 1_000;
/** So much company is enough. */
const MANY = 500;

interface Asked {
  readonly question: Question;
  readonly answer: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The main thread's end of the writer. Sends units once per turn of the loop, and settles them in order.
 *
 * Should the thread end by itself, another is started and told again all that had no answer. Nothing is lost or done
 * twice by that: units are made of changes that have no further effect when they are made again in the same order.
 */
export class WriterThread {
  readonly #options: WriterThreadOptions;
  #worker: Worker | undefined;
  #state: "open" | "closing" | "closed" = "open";
  /** Handed over, and sent at the end of the turn or, if nothing among it is urgent, a little later. */
  #collected: HandedUnit[] = [];
  #isSending = false;
  #patience: NodeJS.Timeout | undefined;
  /** Sent and not settled, oldest first. */
  #sent: HandedUnit[] = [];
  readonly #asked = new Map<number, Asked>();
  #questions = 0;
  #fruitless = 0;
  #isFailing = false;
  #isReplacement = false;
  /** So far messages can be found by their text, as far as the thread has said. */
  searchableThrough: RowId = 0;
  #lastError: unknown;
  readonly #ready = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  /** Rejects where the database cannot be opened. */
  static async start(options: WriterThreadOptions): Promise<WriterThread> {
    const thread = new WriterThread(options);
    thread.#start();
    await thread.#ready.promise;
    return thread;
  }

  private constructor(options: WriterThreadOptions) {
    this.#options = options;
  }

  write(unit: HandedUnit, haste: Haste = "now"): void {
    this.#collected.push(unit);
    if (haste === "now") this.hurry();
    else if (this.#collected.length >= MANY) this.hurry();
    else this.#patience ??= setTimeout(() => this.#send(), SOON).unref();
  }

  /** What has been handed over is sent at the end of this turn, whatever its haste. */
  hurry(): void {
    if (this.#isSending || this.#collected.length === 0) return;
    this.#isSending = true;
    if (faults?.commitsAfter === undefined) setImmediate(() => this.#send());
    else setTimeout(() => this.#send(), faults.commitsAfter);
  }

  /** `complete` is called when the answer comes, before anything that comes after it. */
  ask<Q extends Question, T>(question: Q, complete: (answer: AnswerTo<Q>) => T): Promise<T> {
    const number = ++this.#questions;
    return new Promise((resolve, reject) => {
      const answer = (answered: AnswerTo<Q>): void => {
        try {
          resolve(complete(answered));
        } catch (error) {
          reject(error);
        }
      };
      this.#asked.set(number, { question, answer, reject });
      this.#say({ say: "answer", number, question });
    });
  }

  /** After everything handed over and asked so far. */
  close(): Promise<void> {
    if (this.#state === "open") {
      this.#send();
      this.#state = "closing";
      if (this.#worker === undefined) this.#end();
      else this.#say({ say: "close" });
    }
    return this.#closed.promise;
  }

  #send(): void {
    const units = this.#collected;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#isSending = false;
    if (units.length === 0) return;
    this.#collected = [];
    for (const unit of units) this.#sent.push(unit);
    this.#say({ say: "commit", units: packUnits(units) });
  }

  #say(message: ToWriter): void {
    // A thread that starts is told all that is open, this among it.
    if (this.#worker === undefined) this.#start();
    else this.#worker.postMessage(message);
  }

  #start(): void {
    const { file, synchronous, script = SCRIPT } = this.#options;
    const workerData: WriterData = { file, synchronous, isReplacement: this.#isReplacement };
    this.#isReplacement = true;
    const worker = new Worker(script, { workerData, name: "kith-writer" });
    this.#worker = worker;
    worker.on("message", (message: FromWriter) => this.#receive(message));
    worker.on("error", (error) => {
      this.#lastError = error;
    });
    worker.on("exit", () => this.#ended());
    if (this.#sent.length > 0) this.#say({ say: "commit", units: packUnits(this.#sent) });
    for (const [number, { question }] of this.#asked) this.#say({ say: "answer", number, question });
    if (this.#state === "closing") this.#say({ say: "close" });
  }

  #receive(message: FromWriter): void {
    switch (message.say) {
      case "ready": {
        const { journalMode, synchronous } = message;
        this.#options.log.info({ file: this.#options.file, journalMode, synchronous }, "database open");
        this.#ready.resolve();
        break;
      }
      case "settled":
        this.#settled(message.units, message.failed);
        break;
      case "searchable":
        this.searchableThrough = message.through;
        break;
      case "failed":
        this.#options.log.warn({ reason: message.reason }, "work on stored messages did not succeed");
        break;
      case "answered":
        this.#taken(message.number)?.answer(message.answer as never);
        break;
      case "refused":
        this.#taken(message.number)?.reject(new Error(message.reason));
    }
  }

  #settled(count: number, failed: readonly FailedUnit[]): void {
    this.#fruitless = 0;
    this.#report(count, failed);
    const failures = failed.length === 0 ? undefined : new Set(failed.map(({ at }) => at));
    const units = this.#sent.splice(0, count);
    for (let at = 0; at < units.length; at++) units[at]?.settle(failures === undefined || !failures.has(at));
  }

  /** One line when writing begins to fail and one when it works again, however many units there are in between. */
  #report(count: number, failed: readonly FailedUnit[]): void {
    const { log } = this.#options;
    const [first] = failed;
    if (first !== undefined && !this.#isFailing)
      log.error({ failed: failed.length, of: count, reason: first.reason }, "could not store");
    else if (first === undefined && this.#isFailing) log.info({}, "storing again");
    this.#isFailing = first !== undefined;
  }

  #taken(number: number): Asked | undefined {
    const asked = this.#asked.get(number);
    this.#asked.delete(number);
    return asked;
  }

  #ended(): void {
    this.#worker = undefined;
    const hasWork = this.#sent.length > 0 || this.#asked.size > 0;
    if (this.#state === "closing" && !hasWork) this.#end();
    else this.#endedEarly(hasWork);
  }

  #endedEarly(hasWork: boolean): void {
    const error = this.#lastError ?? new Error("the writer's thread ended");
    this.#options.log.error({ err: error, open: this.#sent.length }, "the writer's thread ended by itself");
    this.#ready.reject(error);
    if (++this.#fruitless >= MOST_FRUITLESS) this.#giveUp();
    else if (hasWork) this.#start();
  }

  /** What is open fails. The next that is handed over starts another thread. */
  #giveUp(): void {
    this.#fruitless = 0;
    const units = this.#sent;
    const asked = [...this.#asked.values()];
    this.#sent = [];
    this.#asked.clear();
    for (const { reject } of asked) reject(new Error("the writer's thread ended"));
    for (const unit of units) unit.settle(false);
    if (this.#state === "closing" && this.#worker === undefined) this.#end();
  }

  #end(): void {
    this.#state = "closed";
    this.#closed.resolve();
  }
}
