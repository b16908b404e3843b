import type { Socket } from "node:net";
import type { Bytes, DomainJid } from "@kith/protocol";
import { isLoopback, plainAddress } from "../session/address.ts";
import { type Expiring, Timer, type Timers } from "../session/timer.ts";
import type { Security, Transport, TransportListener } from "../session/transport.ts";
import type { Stranger } from "./admission.ts";
import { type Flushable, flushSoon } from "./flush.ts";
import { readWith } from "./runtime.ts";
import type { SecureSocket, TlsServer } from "./tls.ts";

/** What all connections of a listener share. */
export interface SocketServices {
  readonly timers: Timers;
  /** `undefined` where TLS is not to be had. */
  readonly tls: TlsServer | undefined;
  /** How long the peer may take nothing of what waits for it. */
  readonly writeStallMs: number;
  /** It counts among the unauthenticated no more. */
  readonly vouched: (transport: SocketTransport) => void;
  readonly gone: (transport: SocketTransport) => void;
}

/** What is given to a socket at once. While the kernel takes it, the rest waits here, where it can still be counted. */
const PIECE = 65_536;

const kTransport = Symbol("transport");
interface Carrying {
  [kTransport]?: SocketTransport;
}

// One function each for all sockets: `this` is the socket, which knows its transport.
function onBytes(this: Socket & Carrying, length: number, buffer: Uint8Array): void {
  this[kTransport]?.read(this, length === buffer.length ? buffer : buffer.subarray(0, length));
}
function onEnd(this: Socket & Carrying): void {
  this[kTransport]?.readEnded(this);
}
function onClose(this: Socket & Carrying): void {
  this[kTransport]?.closed(this);
}
function onError(this: Socket & Carrying, error: Error): void {
  this[kTransport]?.failed(this, error);
}
function onSecure(this: SecureSocket & Carrying): void {
  this[kTransport]?.handshaken(this);
}

interface Waiter {
  /** How much must have been taken. */
  readonly taken: number;
  readonly done: () => void;
}

/** A connection over a socket of `node:net`, later one of `node:tls`. */
export class SocketTransport implements Transport, Stranger, Flushable, Expiring {
  readonly address: string;
  readonly #services: SocketServices;
  #socket: Socket;
  #listener: TransportListener | undefined = undefined;
  #security: Security | undefined = undefined;
  #error: Error | undefined = undefined;
  /** Not given to the socket yet. */
  #rope = "";
  /**
   * What waits before it, while the kernel takes its time: left in the pieces it came in, so that what was sent to many is
   * held once, and that nothing is copied again with every piece that is taken.
   */
  #pieces: string[] | undefined = undefined;
  #piecesLength = 0;
  #isDirty = false;
  /** May the socket have more than the kernel has taken? Asked with every stanza, and the socket lies far away in memory. */
  #isHeldUp = false;
  /** Is a write under way whose end we are told? */
  #isAwaited = false;
  #isEnding = false;
  /** Has the socket been told? It takes nothing any more then. */
  #isEnded = false;
  #isGone = false;
  /** All bytes ever appended. */
  #appended = 0;
  #waiters: Waiter[] | undefined = undefined;
  #written: ((error?: Error | null) => void) | undefined = undefined;
  #stall: Timer | undefined = undefined;
  #takenAtLastLook = 0;

  constructor(socket: Socket, services: SocketServices) {
    this.address = plainAddress(socket.remoteAddress ?? "");
    this.#services = services;
    this.#socket = socket;
    this.#adopt(socket);
  }

  get isLoopback(): boolean {
    return isLoopback(this.address);
  }

  get security(): Security | undefined {
    return this.#security;
  }

  get backlog(): number {
    const here = this.#piecesLength + this.#rope.length;
    return this.#isHeldUp ? here + this.#heldUp() : here;
  }

  /** Begins to read. */
  attach(listener: TransportListener): void {
    this.#listener = listener;
    readWith(this.#socket, onBytes);
    this.#socket.resume();
  }

  /** TLS first, then the stream (XEP-0368). */
  attachSecurely(listener: TransportListener): void {
    this.#listener = listener;
    this.#wrap(undefined, "direct");
  }

  write(bytes: Bytes): void {
    if (this.#isGone || this.#isEnding) return;
    this.#rope += bytes;
    this.#appended += bytes.length;
    if (this.#isAwaited && this.#rope.length >= PIECE) this.#putBehind();
    if (this.#isDirty || this.#isAwaited) return;
    this.#isDirty = true;
    flushSoon(this);
  }

  flush(): void {
    this.#isDirty = false;
    if (this.#isGone || this.#isAwaited || this.#isEnded) return;
    const socket = this.#socket;
    const piece = this.#takePiece();
    const isMore = this.#rope !== "" || this.#pieces !== undefined;
    if (isMore || this.#waiters !== undefined || socket.writableLength >= PIECE) this.#writeAwaited(piece);
    else if (piece !== "") socket.write(piece, "latin1");
    if (socket.writableLength > 0) this.#watch();
    if (this.#isEnding && !isMore) this.#endSocket(socket);
  }

  whenFlushed(done: () => void): void {
    if (this.#isGone) return;
    if (this.backlog === 0) {
      done();
      return;
    }
    this.#waiters ??= [];
    this.#waiters.push({ taken: this.#appended, done });
    if (!this.#isDirty && !this.#isAwaited) this.flush();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isGone) this.#socket.resume();
  }

  startTls(domain: DomainJid | undefined): void {
    // The last thing in the clear must be out before TLS takes over the socket.
    this.#socket.pause();
    this.whenFlushed(() => {
      if (!this.#isGone) this.#wrap(domain, "upgraded");
    });
    if (this.#isDirty) this.flush();
  }

  end(): void {
    if (this.#isEnding || this.#isGone) return;
    this.#isEnding = true;
    this.flush();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  vouch(): void {
    this.#services.vouched(this);
  }

  // What the socket says. Once TLS has taken over, the socket below it has nothing to say.

  read(socket: Socket, bytes: Uint8Array): void {
    if (socket === this.#socket) this.#listener?.received(bytes);
  }

  readEnded(socket: Socket): void {
    if (socket === this.#socket) this.#listener?.peerEnded();
  }

  failed(socket: Socket, error: Error): void {
    if (socket !== this.#socket) return;
    this.#error = error;
    // Nearly every error has destroyed it already; no connection outlives the others.
    socket.destroy();
  }

  handshaken(socket: SecureSocket): void {
    if (this.#security !== undefined) return;
    this.#security = this.#services.tls?.securityOf(socket);
    this.#listener?.secured();
  }

  closed(socket: Socket): void {
    if (socket !== this.#socket || this.#isGone) return;
    this.#isGone = true;
    this.#rope = "";
    this.#pieces = undefined;
    this.#piecesLength = 0;
    this.#waiters = undefined;
    if (this.#stall !== undefined) this.#services.timers.disarm(this.#stall);
    this.#services.gone(this);
    this.#listener?.lost(this.#error);
  }

  expired(timer: Timer): void {
    if (this.#isGone || this.backlog === 0) return;
    const taken = this.#appended - this.backlog;
    if (taken === this.#takenAtLastLook) this.#listener?.stalled();
    else this.#services.timers.arm(timer, this.#services.writeStallMs);
    this.#takenAtLastLook = taken;
  }

  #adopt(socket: Socket & Carrying): void {
    socket[kTransport] = this;
    socket.on("end", onEnd).on("close", onClose).on("error", onError);
  }

  #wrap(domain: DomainJid | undefined, how: "direct" | "upgraded"): void {
    const { tls } = this.#services;
    if (tls === undefined) {
      this.destroy();
      return;
    }
    const secure = tls.wrap(this.#socket, domain, how);
    this.#socket = secure;
    this.#adopt(secure);
    secure.on("secure", onSecure);
    readWith(secure, onBytes);
    secure.resume();
  }

  /** The rest, and whoever waits, goes on when the kernel has taken this. */
  #writeAwaited(piece: string): void {
    this.#isAwaited = true;
    this.#written ??= (error) => {
      this.#isAwaited = false;
      // Written once more it would fail once more, and so on before anybody hears that the connection is gone.
      if (error) return;
      this.#settle();
      if (this.#rope !== "" || this.#pieces !== undefined || this.#waiters !== undefined || this.#isEnding)
        this.flush();
    };
    this.#socket.write(piece, "latin1", this.#written);
  }

  /** What is next, about as much as may be given to the socket at once. */
  #takePiece(): string {
    if (this.#pieces === undefined && this.#rope.length <= PIECE) {
      const rope = this.#rope;
      this.#rope = "";
      return rope;
    }
    if (this.#pieces === undefined) this.#putBehind();
    const pieces = this.#pieces ?? [];
    const [first = ""] = pieces;
    const piece = first.length <= 2 * PIECE ? first : first.slice(0, PIECE);
    if (piece === first) pieces.shift();
    else pieces[0] = first.slice(PIECE);
    if (pieces.length === 0) this.#pieces = undefined;
    this.#piecesLength -= piece.length;
    return piece;
  }

  #endSocket(socket: Socket): void {
    this.#isEnded = true;
    socket.end(() => this.#settle());
  }

  #putBehind(): void {
    this.#pieces ??= [];
    this.#pieces.push(this.#rope);
    this.#piecesLength += this.#rope.length;
    this.#rope = "";
  }

  #settle(): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    const taken = this.#appended - this.backlog;
    const settled = waiters.findIndex((waiter) => waiter.taken > taken);
    this.#waiters = settled < 0 ? undefined : waiters.slice(settled);
    for (const { done } of settled < 0 ? waiters : waiters.slice(0, settled)) done();
  }

  #heldUp(): number {
    const length = this.#socket.writableLength;
    if (length === 0) this.#isHeldUp = false;
    return length;
  }

  #watch(): void {
    this.#isHeldUp = true;
    this.#stall ??= new Timer(this);
    if (this.#stall.isArmed) return;
    this.#takenAtLastLook = this.#appended - this.backlog;
    this.#services.timers.arm(this.#stall, this.#services.writeStallMs);
  }
}
