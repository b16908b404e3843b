import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Which way bytes go, seen from the client. */
export type Direction = "up" | "down";

/**
 * The network between one client and its server, which does what networks do. It listens at a port of its own; where there is
 * no server, nobody gets through.
 */
export class Network {
  readonly #server: Server;
  readonly #target: () => number | undefined;
  readonly #links = new Set<Link>();

  /** `target`: the server's port, while there is a server. */
  static async open(target: () => number | undefined): Promise<Network> {
    const network = new Network(target);
    network.#server.listen(0, "127.0.0.1");
    await once(network.#server, "listening");
    return network;
  }

  private constructor(target: () => number | undefined) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections, dead ones that one end still believes in included. */
  get links(): number {
    return this.#links.size;
  }

  /** Everything that goes through now breaks off, after so many further bytes to the client, or soon. */
  cut(after: number): void {
    for (const link of this.#links) link.cut(after);
  }

  /** Nothing goes through for so long, in milliseconds; then all that had to wait. */
  stall(ms: number): void {
    for (const link of this.#links) link.stall(ms);
  }

  /** One end loses its connection, and the other does not hear of it. */
  halfOpen(lost: "client" | "server"): void {
    for (const link of this.#links) link.halfOpen(lost);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const link of this.#links) link.destroy();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    const port = this.#target();
    if (port === undefined) {
      client.on("error", () => {}).destroy();
      return;
    }
    const link = new Link(client, connect({ port, host: "127.0.0.1", allowHalfOpen: true }), () =>
      this.#links.delete(link),
    );
    this.#links.add(link);
  }
}

/** How long something that nobody would notice may last, in milliseconds. */
const FORGOTTEN = 6_000;
/** A cut that waits for bytes which do not come happens all the same. */
const SOON = 200;

class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #gone: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Bytes to the client that may still pass; `undefined`: any number. */
  #left: number | undefined;
  #isStalled = false;
  /** Whose connection is left open although the other end is gone: what it says goes nowhere. */
  #forgotten: Socket | undefined;

  constructor(client: Socket, server: Socket, gone: () => void) {
    this.#client = client;
    this.#server = server;
    this.#gone = gone;
    this.#join(client, server, "up");
    this.#join(server, client, "down");
  }

  cut(after: number): void {
    this.#left = after;
    if (after === 0) this.destroy();
    else this.#later(SOON, () => this.destroy());
  }

  stall(ms: number): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
    this.#client.pause();
    this.#server.pause();
    this.#later(ms, () => {
      this.#isStalled = false;
      this.#client.resume();
      this.#server.resume();
    });
  }

  halfOpen(lost: "client" | "server"): void {
    const [losing, keeping] = lost === "client" ? [this.#client, this.#server] : [this.#server, this.#client];
    this.#forgotten = keeping;
    losing.destroy();
    this.#later(FORGOTTEN, () => this.destroy());
  }

  destroy(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#client.destroy();
    this.#server.destroy();
    this.#gone();
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    from.on("data", (data: Buffer) => this.#pass(from, to, data, direction));
    from.on("error", () => {});
    from.on("end", () => {
      if (this.#forgotten === undefined) to.end();
    });
    from.on("close", (hadError: boolean) => this.#closed(to, hadError));
  }

  #closed(other: Socket, hadError: boolean): void {
    if (this.#forgotten !== undefined) {
      if (other.destroyed) this.destroy();
    } else if (hadError) this.destroy();
    else if (other.destroyed) this.destroy();
    else other.end();
  }

  #pass(from: Socket, to: Socket, data: Buffer, direction: Direction): void {
    if (this.#forgotten === from || to.destroyed || to.writableEnded) return;
    if (direction === "up" || this.#left === undefined) {
      to.write(data);
      return;
    }
    to.write(data.subarray(0, this.#left));
    this.#left -= data.length;
    // What has been written is to arrive: first the end, then the cut.
    if (this.#left <= 0) to.end(() => this.destroy());
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
