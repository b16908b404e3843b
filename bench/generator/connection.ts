/** A client's stream: bytes in, elements out; what is sent in one turn of the event loop leaves in one write. */
import { connect, type Socket } from "node:net";
import { createSecureContext, connect as secure } from "node:tls";
import { endOfElement, endOfTag, INCOMPLETE } from "./splitter.ts";

/** Whoever is told what a stream brings. */
export interface Receiver {
  /** A first-level element, from `start` to `end` of the text. */
  element(text: string, start: number, end: number): void;
  /** The connection has ended; with an error unless we had asked for it. Called once. */
  ended(error: Error | undefined): void;
}

const HOST = "127.0.0.1";
export const DOMAIN = "localhost";
const HEADER =
  `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `version='1.0' to='${DOMAIN}'>`;

/** All connections are read into this one: what arrives is used before the next one is read. */
const readBuffer = Buffer.allocUnsafeSlow(128 * 1_024);
/** The servers' certificates are made for the run, and nobody signs them. */
const secureOptions = { secureContext: createSecureContext(), rejectUnauthorized: false, servername: DOMAIN } as const;

const waiting: Connection[] = [];

const flushAll = (): void => {
  for (const connection of waiting) connection.flush();
  waiting.length = 0;
};

const SLASH = 0x2f;
const LETTER_S = 0x73;

export class Connection {
  receiver: Receiver;
  #socket: Socket;
  /** What has arrived of an element that is not complete. */
  #tail = "";
  #outbox = "";
  /** Has the server's stream header been read? */
  #isOpen = false;
  #state: "open" | "closing" | "ended" = "open";
  #error: Error | undefined;

  constructor(port: number, receiver: Receiver) {
    this.receiver = receiver;
    const callback = (length: number): boolean => {
      this.#read(readBuffer.toString("latin1", 0, length));
      return true;
    };
    const socket = connect({ host: HOST, port, noDelay: true, onread: { buffer: readBuffer, callback } });
    this.#socket = socket;
    socket.once("connect", () => this.restart());
    this.#watch(socket);
  }

  /** Sends a stream header; the answer begins a new stream. */
  restart(): void {
    this.#isOpen = false;
    this.#tail = "";
    this.send(HEADER);
  }

  /** Goes on inside TLS, with a new stream. */
  startTls(): void {
    const plain = this.#socket;
    plain.removeAllListeners("close");
    const socket = secure({ ...secureOptions, socket: plain });
    this.#socket = socket;
    socket.once("secureConnect", () => this.restart());
    socket.on("data", (data: Buffer) => this.#read(data.toString("latin1")));
    this.#watch(socket);
  }

  /** Sends latin1 text (a character a byte) at the end of this turn. */
  send(text: string): void {
    if (this.#outbox === "") {
      if (waiting.length === 0) setImmediate(flushAll);
      waiting.push(this);
    }
    this.#outbox += text;
  }

  flush(): void {
    const text = this.#outbox;
    this.#outbox = "";
    if (this.#state !== "ended") this.#socket.write(text, "latin1");
  }

  /** Ends the stream in an orderly way. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.send("</stream:stream>");
  }

  /** Ends the connection at once. */
  destroy(): void {
    if (this.#state === "open") this.#state = "closing";
    this.#socket.destroy();
  }

  #watch(socket: Socket): void {
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.once("close", () => this.#end());
  }

  #end(): void {
    if (this.#state === "ended") return;
    const wasAskedFor = this.#state === "closing";
    this.#state = "ended";
    this.receiver.ended(wasAskedFor ? undefined : (this.#error ?? new Error("the server has closed the connection")));
  }

  #read(chunk: string): void {
    const text = this.#tail === "" ? chunk : this.#tail + chunk;
    this.#tail = "";
    for (let at = text.indexOf("<"); at >= 0; ) {
      const end = this.#isOpen ? this.#endOfNext(text, at) : endOfTag(text, at);
      if (end < 0) {
        this.#tail = text.slice(at);
        return;
      }
      this.#take(text, at, end);
      at = text.indexOf("<", end);
    }
  }

  #endOfNext(text: string, at: number): number {
    if (at + 1 === text.length) return INCOMPLETE;
    return text.charCodeAt(at + 1) === SLASH ? endOfTag(text, at) : endOfElement(text, at);
  }

  #take(text: string, start: number, end: number): void {
    if (!this.#isOpen) {
      this.#isOpen = text.startsWith("<stream:stream", start);
      return;
    }
    const code = text.charCodeAt(start + 1);
    if (code === SLASH) {
      this.#socket.end();
      return;
    }
    if (code === LETTER_S && text.startsWith("<stream:error", start)) {
      this.#error = new Error(`the server says ${text.slice(start, end)}`);
      return;
    }
    this.receiver.element(text, start, end);
  }
}
