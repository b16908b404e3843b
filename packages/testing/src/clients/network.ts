import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { At } from "./chat-client.ts";

/** Which way bytes go, seen from the client. */
type Direction = "up" | "down";

/**
 * The network between one client and a server, which a test takes away and brings back. It has a port of its own, at which
 * it stays when the server's changes.
 */
export class Network implements AsyncDisposable {
  readonly #listener: Server;
  readonly #server: () => At;
  readonly #links = new Set<Link>();
  #isDown = false;

  /** `server`: where the server is at the moment. */
  static async open(server: () => At): Promise<Network> {
    const network = new Network(server);
    network.#listener.listen(0, "127.0.0.1");
    await once(network.#listener, "listening");
    return network;
  }

  private constructor(server: () => At) {
    this.#server = server;
    this.#listener = createServer((client) => this.#accept(client));
  }

  /** Where the client finds the server. */
  get at(): At {
    return { ...this.#server(), port: (this.#listener.address() as AddressInfo).port };
  }

  /** Ends every connection at both ends; until `mend` no other comes about. */
  cut(): void {
    this.#isDown = true;
    for (const link of this.#links) link.destroy();
  }

  mend(): void {
    this.#isDown = false;
  }

  /** From now on what goes this way on the present connections gets lost, and nobody is told. */
  lose(direction: Direction): void {
    for (const link of this.#links) link.lost.add(direction);
  }

  /** Ends every connection at the client's end. The server goes on to believe in it. */
  cutUnnoticed(): void {
    for (const link of this.#links) link.destroyUnnoticed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await once(this.#listener, "close");
  }

  #accept(client: Socket): void {
    client.on("error", () => {});
    if (this.#isDown) {
      client.destroy();
      return;
    }
    const server = connect({ port: this.#server().port, host: "127.0.0.1", noDelay: true });
    const link = new Link(client.setNoDelay(true), server, () => this.#links.delete(link));
    this.#links.add(link);
  }
}

/** One connection. */
class Link {
  /** What gets lost. */
  readonly lost = new Set<Direction>();
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #gone: () => void;
  #isHalf = false;

  constructor(client: Socket, server: Socket, gone: () => void) {
    this.#client = client;
    this.#server = server;
    this.#gone = gone;
    this.#pass(client, server, "up");
    this.#pass(server, client, "down");
    client.on("close", () => {
      if (!this.#isHalf) this.destroy();
    });
    server.on("close", () => this.destroy());
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
    this.#gone();
  }

  destroyUnnoticed(): void {
    this.#isHalf = true;
    this.#client.destroy();
  }

  #pass(from: Socket, to: Socket, direction: Direction): void {
    from.on("data", (data: Buffer) => {
      if (!this.lost.has(direction) && !to.destroyed) to.write(data);
    });
    from.on("end", () => {
      if (!this.#isHalf) to.end();
    });
    from.on("error", () => {});
  }
}
