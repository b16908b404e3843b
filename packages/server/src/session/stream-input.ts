import { type Bytes, type ContentNamespace, type ScannerHandler, type ScannerLimits, XmlScanner } from "@kith/protocol";
import { Pace, type Rate } from "./pace.ts";
import { type Expiring, Timer, type Timers } from "./timer.ts";
import type { Transport } from "./transport.ts";

/** Who the elements are for, and whoever must know that the input is no good. */
export interface InputHandler extends ScannerHandler {
  failed(error: unknown): void;
}

export interface InputOptions {
  readonly content: ContentNamespace;
  readonly limits: ScannerLimits;
  /** `undefined`: as fast as the peer likes. */
  readonly rate: Rate | undefined;
  /** With more than so many bytes waiting for the peer, nothing is read from it. */
  readonly readAheadBytes: number;
}

/** How long what one peer has sent may be dealt with in one go, and how often that is looked at. */
const SLICE_MS = 5;
const LOOK_EVERY = 4;

const toLatin1 = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string;
const latin1 = (array: Uint8Array, start: number, end: number): Bytes => toLatin1.call(array, start, end) as Bytes;

/**
 * The peer's direction of a stream: from bytes to elements, no faster than they can be dealt with. While there is a
 * reason to wait (an element being handled, too much sent too fast, too little read), nothing is read from the connection.
 */
export class StreamInput implements Expiring {
  readonly #handler: InputHandler;
  readonly #transport: Transport;
  readonly #timers: Timers;
  readonly #scanner: XmlScanner;
  readonly #readAheadBytes: number;
  readonly #pace: Pace | undefined;
  #paceTimer: Timer | undefined = undefined;
  /** Reasons to wait. */
  #holds = 0;
  /** Elements handed on since reading went on, and until when others can wait for their turn. */
  #handed = 0;
  #sliceEnds = 0;
  #isStopped = false;

  constructor(handler: InputHandler, transport: Transport, timers: Timers, options: InputOptions) {
    const { content, limits, rate, readAheadBytes } = options;
    this.#handler = handler;
    this.#transport = transport;
    this.#timers = timers;
    this.#readAheadBytes = readAheadBytes;
    this.#scanner = new XmlScanner(handler, { content, limits, latin1, prefixedStanzas: "refused" });
    this.#pace = rate === undefined ? undefined : new Pace(rate, timers.now);
  }

  set limits(limits: ScannerLimits) {
    this.#scanner.limits = limits;
  }

  feed(bytes: Uint8Array): void {
    if (this.#isStopped) return;
    this.#handed = 0;
    try {
      this.#scanner.feed(bytes);
    } catch (error) {
      this.#handler.failed(error);
    }
    if (this.#isStopped) return;
    if (this.#pace !== undefined) this.#slowDown(this.#pace, bytes.length);
    if (this.#transport.backlog > this.#readAheadBytes) this.#awaitReader();
  }

  /** One more element is being handed on. A reason to wait holds back the very next, not only the next piece that is read. */
  countElement(): void {
    const pace = this.#pace;
    if (pace !== undefined && !pace.countElement()) this.#slowDown(pace, 0);
    if (this.#transport.backlog > this.#readAheadBytes) this.#awaitReader();
    if (++this.#handed % LOOK_EVERY === 0) this.#takeTurns();
  }

  /** Hands on nothing more until this settles. */
  await(done: Promise<void>): void {
    this.hold();
    done.then(
      () => this.#release(),
      (error) => this.#handler.failed(error),
    );
  }

  hold(): void {
    if (this.#holds++ > 0) return;
    this.#scanner.pause();
    this.#transport.pause();
  }

  /** A new stream begins with the next byte (RFC 6120 §4.3.3). */
  restart(): void {
    this.#scanner.reset();
  }

  /** Bytes that came after the element that is being awaited; they are forgotten. */
  takeUnread(): Uint8Array {
    return this.#scanner.remainder();
  }

  /** Whatever comes from now on does not matter, only that it ends: the connection is read, and nothing is made of it. */
  stop(): void {
    this.#isStopped = true;
    if (this.#paceTimer !== undefined) this.#timers.disarm(this.#paceTimer);
    this.#transport.resume();
  }

  expired(): void {
    this.#release();
  }

  #release(): void {
    if (this.#isStopped || --this.#holds > 0) return;
    this.#handed = 0;
    try {
      this.#scanner.resume();
    } catch (error) {
      this.#handler.failed(error);
    }
    if (this.#holds === 0) this.#transport.resume();
  }

  #slowDown(pace: Pace, bytes: number): void {
    const rest = pace.rest(bytes, this.#timers.now);
    if (rest === 0 || this.#paceTimer?.isArmed === true) return;
    this.#paceTimer ??= new Timer(this);
    this.hold();
    this.#timers.arm(this.#paceTimer, rest);
  }

  /** One read may bring thousands of elements, and each of them work for a thousand sessions: others are served in between. */
  #takeTurns(): void {
    const { now } = this.#timers;
    if (this.#handed === LOOK_EVERY) {
      this.#sliceEnds = now + SLICE_MS;
    } else if (now >= this.#sliceEnds) {
      this.hold();
      this.#releaseSoon();
    }
  }

  /** Who sends but does not read is not read from either. */
  #awaitReader(): void {
    this.hold();
    // A peer that reads as fast as it is written to would otherwise never let go of the turn.
    this.#transport.whenFlushed(() => this.#releaseSoon());
  }

  /** In a turn of its own. */
  #releaseSoon(): void {
    setImmediate(() => this.#release());
  }
}
