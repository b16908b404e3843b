import {
  type Bytes,
  type ContentNamespace,
  checkStreamTag,
  type DomainJid,
  type Eventually,
  type HeaderToSend,
  headerOf,
  isPromise,
  NS_STREAMS,
  type RawElement,
  readElement,
  readStreamError,
  type ScannerLimits,
  STREAM_END,
  type StreamCondition,
  StreamError,
  type StreamHeader,
  type StreamTag,
  writeHeader,
  writeStreamError,
} from "@kith/protocol";
import { randomToken } from "../crypto.ts";
import type { Log } from "../router/log.ts";
import type { Backlogs } from "./backlogs.ts";
import type { HowEnded, Wire } from "./door.ts";
import type { Rate } from "./pace.ts";
import { type InputHandler, StreamInput } from "./stream-input.ts";
import { type Expiring, Timer, type Timers } from "./timer.ts";
import type { Transport, TransportListener } from "./transport.ts";

/**
 * Where a stream is in its life.
 * - "securing": TLS is being negotiated
 * - "opening": the peer's header is awaited, for the first time or after a restart (RFC 6120 §4.3.3)
 * - "open": headers have been exchanged
 * - "ending": the peer has closed its direction; what is due is being sent
 * - "closing": we have closed our direction and wait for the peer to close its own (§4.4)
 * - "closed": the connection is gone
 */
export type StreamState = "securing" | "opening" | "open" | "ending" | "closing" | "closed";

/** What every stream needs, whoever its peer is. */
export interface StreamServices {
  readonly limits: {
    readonly readAheadBytes: number;
    readonly tlsHandshakeMs: number;
    readonly negotiationMs: number;
    readonly closeMs: number;
    readonly rate: Rate | undefined;
    readonly keepAliveMs: number | undefined;
  };
  /** What waits for all of them. */
  readonly backlogs: Backlogs;
  readonly log: Log;
  readonly timers: Timers;
}

export interface StreamStart {
  readonly content: ContentNamespace;
  /** Limits of the XML reader until `raiseLimits`. */
  readonly scanner: ScannerLimits;
  /** Is TLS the first thing that happens (XEP-0368)? */
  readonly directTls: boolean;
}

/** RFC 6120 §4.7.3: unpredictable and never used again. */
const newStreamId = (): string => randomToken(16);

/** With these we close a stream for reasons that are none of the client's making: it may come back (XEP-0198 §5). */
const FORGIVEN: ReadonlySet<StreamCondition> = new Set([
  "connection-timeout",
  "reset",
  "see-other-host",
  "system-shutdown",
]);

/** A space between two elements (RFC 6120 §4.6.1, §11.7). */
const KEEP_ALIVE = " " as Bytes;

/**
 * An XML stream and the one in the other direction, on one connection (RFC 6120 §4): headers, errors, the closing
 * handshake, timeouts. What is negotiated and what stanzas mean is for the classes that extend it.
 *
 * Elements are handed on one by one: while one is being waited for, nothing is read.
 */
export abstract class Stream implements Wire, TransportListener, InputHandler, Expiring {
  readonly transport: Transport;
  readonly #services: StreamServices;
  readonly #content: ContentNamespace;
  readonly #input: StreamInput;
  readonly #deadline: Timer = new Timer(this);
  #state: StreamState;
  /** Of the response stream; new with every header we send. */
  #id = "";
  /** The peer's latest header, right or wrong, while there is something to negotiate. */
  #header: StreamHeader | undefined = undefined;
  /** Has our header been sent for the stream at hand? */
  #isAnswered = false;
  /** `undefined` once negotiation is over. */
  #negotiationEnds: number | undefined;
  /** Has anything come since the last look (see `keepAliveMs`)? */
  #isHeard = true;
  #end: { readonly done: Eventually<void> } | undefined = undefined;

  constructor(transport: Transport, services: StreamServices, { content, scanner, directTls }: StreamStart) {
    const { limits, timers } = services;
    const { rate, readAheadBytes, negotiationMs, tlsHandshakeMs } = limits;
    this.transport = transport;
    this.#services = services;
    this.#content = content;
    this.#input = new StreamInput(this, transport, timers, { content, limits: scanner, rate, readAheadBytes });
    this.#state = directTls ? "securing" : "opening";
    this.#negotiationEnds = timers.now + negotiationMs;
    timers.arm(this.#deadline, directTls ? Math.min(tlsHandshakeMs, negotiationMs) : negotiationMs);
  }

  /** Our header for the peer's, or for none that came (RFC 6120 §4.9.1.2, §4.9.1.3); without `id`. */
  protected abstract responseTo(header: StreamHeader | undefined): Omit<HeaderToSend, "id" | "content">;
  /** A header that is right as far as XML goes. Answers it, with features if there are any to send; throws StreamError. */
  protected abstract headerReceived(header: StreamHeader): void;
  /** One first-level element; the next one waits until this settles. Throws or rejects with StreamError. */
  protected abstract elementReceived(raw: RawElement): Eventually<void>;
  /** The stream is going or gone; called once. */
  protected abstract streamEnded(how: HowEnded): Eventually<void>;
  /** For log lines: who it is, as far as is known. */
  protected abstract describe(): Readonly<Record<string, unknown>>;

  get id(): string {
    return this.#id;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Does it do nothing any longer but come to its end? */
  get isOver(): boolean {
    return this.#state === "closing" || this.#state === "closed";
  }

  get header(): StreamHeader | undefined {
    return this.#header;
  }

  // What the session sees of it: Wire.

  get backlog(): number {
    return this.transport.backlog;
  }

  send(bytes: Bytes): void {
    if (this.isOver) return;
    this.transport.write(bytes);
    this.#services.backlogs.grew(this, bytes.length);
  }

  close(error?: StreamError): void {
    if (this.isOver) return;
    if (this.#state === "securing") {
      this.#drop(error);
      return;
    }
    this.#say("the stream is being closed", error);
    const header = this.#isAnswered ? "" : this.#writeHeader();
    this.#state = "closing";
    this.transport.write((header + (error === undefined ? "" : writeStreamError(error)) + STREAM_END) as Bytes);
    this.transport.end();
    this.#input.stop();
    this.#services.timers.arm(this.#deadline, this.#services.limits.closeMs);
    void this.#ended(error !== undefined && FORGIVEN.has(error.condition) ? "lost" : "closed");
  }

  // What negotiation does with it.

  /** Sends our header; features follow in the same breath. */
  answer(features: Bytes): void {
    this.transport.write((this.#writeHeader() + features) as Bytes);
  }

  /** The peer is to send a new header; the next byte is the first of it (RFC 6120 §4.3.3). */
  restart(): void {
    this.#input.restart();
    this.#state = "opening";
    this.#isAnswered = false;
  }

  /** Begins TLS. What was sent in the clear after the element at hand must have been dealt with: see `takeUnreadInput`. */
  beginTls(domain: DomainJid): void {
    const { limits, timers } = this.#services;
    this.#state = "securing";
    this.#header = undefined;
    this.#isAnswered = false;
    timers.arm(this.#deadline, Math.min(limits.tlsHandshakeMs, this.#timeLeft()));
    this.transport.startTls(domain);
  }

  /** Bytes that came after the element at hand, while it is waited for; they are forgotten. Not from inside `elementReceived`. */
  takeUnreadInput(): Uint8Array {
    return this.#input.takeUnread();
  }

  raiseLimits(scanner: ScannerLimits): void {
    this.#input.limits = scanner;
  }

  /** Negotiation is over: no deadline any longer, only a look now and then. */
  established(): void {
    const { limits, timers } = this.#services;
    this.#negotiationEnds = undefined;
    this.#header = undefined;
    timers.disarm(this.#deadline);
    if (limits.keepAliveMs !== undefined) timers.arm(this.#deadline, limits.keepAliveMs);
  }

  // What the transport says.

  received(bytes: Uint8Array): void {
    this.#isHeard = true;
    this.#input.feed(bytes);
  }

  secured(): void {
    if (this.#state !== "securing") return;
    this.restart();
    this.#services.timers.arm(this.#deadline, this.#timeLeft());
  }

  peerEnded(): void {
    if (this.#state === "securing") this.#drop(undefined);
    // XEP-0198 §7: whoever closes no more than the connection has not closed the stream.
    else if (this.#state === "opening" || this.#state === "open") this.#peerClosed("lost");
  }

  stalled(): void {
    this.close(new StreamError("connection-timeout", "the peer does not read"));
    this.transport.destroy();
  }

  lost(error: Error | undefined): void {
    if (this.#state === "closed") return;
    this.#say("the connection is gone", error);
    this.#state = "closed";
    this.#services.backlogs.forget(this);
    this.#services.timers.disarm(this.#deadline);
    this.#input.stop();
    void this.#ended("lost");
  }

  // What the XML reader finds.

  opened(tag: StreamTag): void {
    if (this.#state !== "opening") return;
    const header = headerOf(tag);
    this.#header = header;
    this.#state = "open";
    checkStreamTag(tag, this.#content);
    this.headerReceived(header);
  }

  element(raw: RawElement): void {
    if (this.#state !== "open") return;
    this.#input.countElement();
    if (raw.ns === NS_STREAMS && raw.name === "error") {
      this.#peerFailed(raw);
      return;
    }
    const done = this.elementReceived(raw);
    if (isPromise(done)) this.#input.await(done);
  }

  closed(): void {
    if (this.#state === "open") this.#peerClosed("closed");
  }

  /** Anything thrown, at its right reach: a StreamError ends the stream, anything else is a fault of ours. */
  failed(error: unknown): void {
    if (this.isOver) return;
    if (!(error instanceof StreamError)) this.#services.log.error({ ...this.#fields(), err: error }, "a stream failed");
    this.close(error instanceof StreamError ? error : new StreamError("internal-server-error"));
  }

  expired(_timer: Timer): void {
    switch (this.#state) {
      case "securing":
        this.#drop(new StreamError("connection-timeout", "no TLS handshake in time"));
        break;
      case "opening":
      case "open":
        this.#timeIsUp();
        break;
      case "ending":
        this.close();
        break;
      default:
        this.transport.destroy();
    }
  }

  /** The time to negotiate is over, or an established stream is due to be looked at. */
  #timeIsUp(): void {
    const { limits, timers } = this.#services;
    if (this.#negotiationEnds !== undefined) {
      this.close(new StreamError("connection-timeout", "negotiation took too long"));
      return;
    }
    if (limits.keepAliveMs === undefined) return;
    if (!this.#isHeard) this.send(KEEP_ALIVE);
    this.#isHeard = false;
    timers.arm(this.#deadline, limits.keepAliveMs);
  }

  #timeLeft(): number {
    return Math.max(0, (this.#negotiationEnds ?? 0) - this.#services.timers.now);
  }

  /** RFC 6120 §4.9.1.1: the peer has found an error; the stream is closed, without another one. */
  #peerFailed(raw: RawElement): void {
    this.#say("the peer reports an error", readStreamError(readElement(raw)));
    this.close();
  }

  /** RFC 6120 §4.4: what is due is sent before our own direction is closed. */
  #peerClosed(how: HowEnded): void {
    const { limits, timers } = this.#services;
    this.#state = "ending";
    const done = this.#ended(how);
    if (!isPromise(done)) {
      this.close();
      return;
    }
    this.#input.hold();
    timers.arm(this.#deadline, limits.closeMs);
    void done.then(() => this.close());
  }

  /** Tells whoever uses the stream, once. Does not fail. */
  #ended(how: HowEnded): Eventually<void> {
    this.#end ??= { done: this.#tellEnd(how) };
    return this.#end.done;
  }

  #tellEnd(how: HowEnded): Eventually<void> {
    const failed = (error: unknown): void =>
      this.#services.log.error({ ...this.#fields(), err: error }, "a stream failed while it ended");
    try {
      const done = this.streamEnded(how);
      return isPromise(done) ? done.catch(failed) : done;
    } catch (error) {
      failed(error);
    }
  }

  /** Without a word: the fault lies below XML (RFC 6120 §5.4.3.2). */
  #drop(error: StreamError | undefined): void {
    this.#say("the connection is dropped", error);
    this.#state = "closing";
    this.#input.stop();
    this.transport.destroy();
    void this.#ended("lost");
  }

  #writeHeader(): Bytes {
    this.#id = newStreamId();
    this.#isAnswered = true;
    return writeHeader({ ...this.responseTo(this.#header), content: this.#content, id: this.#id });
  }

  #fields(): Readonly<Record<string, unknown>> {
    return { stream: this.#id, address: this.transport.address, ...this.describe() };
  }

  #say(text: string, error: Error | undefined): void {
    const reason =
      error instanceof StreamError ? { condition: error.condition, reason: error.text } : { reason: error?.message };
    this.#services.log.debug({ ...this.#fields(), ...reason }, text);
  }
}
