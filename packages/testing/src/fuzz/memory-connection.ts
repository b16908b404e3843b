import { type Bytes, type ChannelBindings, type DomainJid, NO_CHANNEL_BINDINGS, toUint8Array } from "@kith/protocol";
import type { Security, Transport, TransportListener } from "../../../server/src/session/transport.ts";

const NO_CERTIFICATE = { serverName: undefined, peerCertificate: undefined } as const;

/** The other end of a connection in memory. */
export interface Receiver {
  receive(bytes: Bytes): void;
  /** The server has closed its direction, or dropped the connection. */
  closed(): void;
}

/**
 * A connection without sockets that behaves as one: what is sent waits while the server does not read, but for a piece
 * that was on its way; what the server writes waits while the peer does not read.
 */
export class MemoryConnection implements Transport {
  readonly address: string;
  readonly isLoopback: boolean;
  security: Security | undefined = undefined;
  listener: TransportListener | undefined = undefined;
  readonly #receiver: Receiver;
  /** What the server has not read; `undefined` stands for the end. */
  #sent: (Uint8Array | undefined)[] = [];
  #isPaused = false;
  #isGone = false;
  #hasServerEnded = false;
  #hasPeerEnded = false;
  #isReading = true;
  #unread = "";
  #flushed: (() => void)[] = [];
  #isHandshakeDue: boolean;

  constructor(address: string, isSecure: boolean, receiver: Receiver) {
    this.address = address;
    this.isLoopback = address.startsWith("127.");
    this.#isHandshakeDue = isSecure;
    this.#receiver = receiver;
  }

  // As the server sees it.

  write(bytes: Bytes): void {
    if (this.#isGone || this.#hasServerEnded) return;
    this.#unread += bytes;
    if (this.#isReading) this.#deliver();
  }
  get backlog(): number {
    return this.#unread.length;
  }
  whenFlushed(done: () => void): void {
    if (this.#isGone) return;
    if (this.backlog === 0) done();
    else this.#flushed.push(done);
  }
  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
    setImmediate(() => this.#hand());
  }
  startTls(_domain: DomainJid | undefined): void {
    this.#isHandshakeDue = true;
  }
  end(): void {
    if (this.#hasServerEnded || this.#isGone) return;
    this.#hasServerEnded = true;
    this.#receiver.closed();
  }
  destroy(): void {
    this.vanish();
  }
  vouch(): void {
    // Nobody counts.
  }

  // As the peer sees it.

  get isGone(): boolean {
    return this.#isGone;
  }
  get isOpen(): boolean {
    return !this.#isGone && !this.#hasServerEnded;
  }
  /** Does nothing wait any more, in either direction? */
  get isQuiet(): boolean {
    return this.#isGone || (this.#unread === "" && this.#sent.length === 0 && !this.#isPaused);
  }

  send(bytes: Uint8Array): void {
    if (this.#isGone || this.#hasPeerEnded || this.#isHandshakeDue) return;
    this.#sent.push(bytes);
    // The first piece after a pause was under way when the pause began.
    if (this.#isPaused && this.#sent.length === 1) this.#hand(true);
    else this.#hand();
  }
  handshake(): void {
    if (!this.#isHandshakeDue || this.#isGone) return;
    this.#isHandshakeDue = false;
    const channelBindings: ChannelBindings = NO_CHANNEL_BINDINGS;
    this.security = { protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", channelBindings, ...NO_CERTIFICATE };
    this.listener?.secured();
  }
  /** Nothing more is sent. */
  halfClose(): void {
    if (this.#isGone || this.#hasPeerEnded) return;
    this.#hasPeerEnded = true;
    this.#sent.push(undefined);
    this.#hand();
  }
  /** The connection is gone. */
  vanish(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#sent = [];
    this.#flushed = [];
    this.#receiver.closed();
    queueMicrotask(() => this.listener?.lost(undefined));
  }
  read(on: boolean): void {
    this.#isReading = on;
    if (on) this.#deliver();
  }

  #hand(isUnderWay = false): void {
    while (this.#sent.length > 0 && (!this.#isPaused || isUnderWay) && !this.#isGone) {
      const bytes = this.#sent.shift();
      if (bytes === undefined) this.listener?.peerEnded();
      else this.listener?.received(bytes);
      bytes?.fill(0xff);
      isUnderWay = false;
    }
    if (this.#hasPeerEnded && this.#hasServerEnded) this.vanish();
  }

  #deliver(): void {
    const bytes = toUint8Array(this.#unread as Bytes);
    this.#unread = "";
    if (bytes.length > 0) this.#receiver.receive(Buffer.from(bytes).toString("latin1") as Bytes);
    const flushed = this.#flushed;
    this.#flushed = [];
    for (const done of flushed) done();
  }
}
