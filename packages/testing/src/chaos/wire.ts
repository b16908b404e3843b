import { connect, type Socket } from "node:net";
import { type Bytes, type RawElement, XmlScanner } from "@kith/protocol";

const HEADER =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/** A connection of a client: elements one by one while the stream is negotiated, then all of them to one who takes them. */
export class Wire {
  readonly #socket: Socket;
  readonly #scanner: XmlScanner;
  readonly #untaken: RawElement[] = [];
  #taker: ((raw: RawElement) => void) | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>;
  #isClosed = false;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#scanner = new XmlScanner(
      { opened: () => {}, element: (raw) => this.#take(raw), closed: () => this.#socket.end() },
      { content: "jabber:client" },
    );
    this.#socket.on("data", (data: Buffer) => this.#feed(data));
    this.#socket.on("error", () => {});
    this.#socket.on("end", () => this.#socket.destroy());
    this.closed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#isClosed = true;
        this.#wake.resolve();
        resolve();
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Opens a stream, or opens it anew after authentication. */
  open(): void {
    this.#scanner.reset();
    this.send(HEADER as Bytes);
  }

  send(bytes: Bytes): void {
    if (!this.#isClosed) this.#socket.write(bytes, "latin1");
  }

  /** The next element that nobody has taken. Rejects when the connection is gone. */
  async next(): Promise<RawElement> {
    for (;;) {
      const raw = this.#untaken.shift();
      if (raw !== undefined) return raw;
      if (this.#isClosed) throw new Error("the connection is gone");
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  /** From now on everything goes to one who takes it at once, what has come so far first. */
  takenBy(taker: (raw: RawElement) => void): void {
    this.#taker = taker;
    for (const raw of this.#untaken.splice(0)) taker(raw);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Takes leave as one should. */
  leave(): void {
    if (!this.#isClosed) this.#socket.end("</stream:stream>", "latin1");
  }

  #feed(data: Buffer): void {
    // What comes after the connection was given up is not read any more.
    if (!this.#socket.destroyed) this.#scanner.feed(data);
  }

  #take(raw: RawElement): void {
    if (this.#taker !== undefined) {
      this.#taker(raw);
      return;
    }
    this.#untaken.push(raw);
    this.#wake.resolve();
  }
}
