import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { StreamError } from "@kith/protocol";
import { type ComponentServices, ComponentStream } from "../session/component.ts";
import type { C2sServices } from "../session/services.ts";
import type { Stream } from "../session/stream.ts";
import { ClientStream } from "../session/stream-client.ts";
import { type Expiring, Timer } from "../session/timer.ts";
import { Admission, type AdmissionLimits } from "./admission.ts";
import type { CertificateNews, Certificates } from "./certificates.ts";
import { type SocketServices, SocketTransport } from "./socket.ts";
import { TlsServer } from "./tls.ts";
import { FileWatch } from "./watch.ts";

/** An address to listen at. */
export interface ListenAt {
  /** An IP address or a host name; without it all addresses, IPv6 and IPv4. */
  readonly host?: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * - "starttls": clients that begin in the clear, port 5222
 * - "directTls": clients that begin with TLS, port 5223 (XEP-0368)
 * - "component": external components, port 5347 (XEP-0114)
 */
export type Port = "starttls" | "directTls" | "component";

export interface ListenersOptions {
  readonly starttls: readonly ListenAt[];
  readonly directTls: readonly ListenAt[];
  /** Empty unless there are components. */
  readonly component: readonly ListenAt[];
  readonly clients: C2sServices;
  readonly components?: ComponentServices | undefined;
  readonly certificates: Certificates;
  readonly admission: AdmissionLimits;
  /** How long a peer may take nothing of what waits for it, in milliseconds. */
  readonly writeStallMs: number;
}

export interface Listeners {
  /** Where each kind of port can be reached; with the ports that were free where 0 was asked for. */
  readonly addresses: Readonly<Record<Port, readonly AddressInfo[]>>;
  /** Streams there are now. */
  readonly count: number;
  /** Reads certificates again, as when their files change. */
  reload(): Promise<CertificateNews>;
  /** Stops listening and ends every stream with this error; settles when all connections are gone. */
  close(reason: StreamError): Promise<void>;
}

const PORTS = ["starttls", "directTls", "component"] as const satisfies readonly Port[];
const DAY = 86_400_000;
const KEEP_ALIVE_MS = 60_000;
const BACKLOG = 4096;

/** Begins to accept connections. Rejects where an address cannot be had, with none of them open. */
export const openListeners = async (options: ListenersOptions): Promise<Listeners> => {
  const opened = new OpenListeners(options);
  try {
    await opened.open();
  } catch (error) {
    await opened.abandon();
    throw error;
  }
  return opened;
};

class OpenListeners implements Listeners, Expiring {
  readonly #options: ListenersOptions;
  readonly #admission: Admission;
  readonly #sockets: SocketServices;
  readonly #streams = new Map<SocketTransport, Stream>();
  readonly #servers: Server[] = [];
  readonly addresses: Readonly<Record<Port, AddressInfo[]>> = { starttls: [], directTls: [], component: [] };
  readonly #daily = new Timer(this);
  #watch: FileWatch | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;
  #allGone: () => void = () => {};

  constructor(options: ListenersOptions) {
    const { clients, admission, certificates, writeStallMs } = options;
    const { timers } = clients;
    this.#options = options;
    this.#admission = new Admission(admission, () => timers.now);
    this.#sockets = {
      timers,
      writeStallMs,
      tls: new TlsServer(certificates),
      vouched: (transport) => this.#admission.leave(transport),
      gone: (transport) => this.#gone(transport),
    };
  }

  async open(): Promise<void> {
    const { certificates, clients } = this.#options;
    for (const port of PORTS) for (const at of this.#options[port]) await this.#listen(port, at);
    this.#watch = await FileWatch.open(certificates.files, () => void this.reload(), clients.timers, clients.log);
    clients.timers.arm(this.#daily, DAY);
  }

  /** Opening has failed half-way. */
  async abandon(): Promise<void> {
    await this.#stopListening();
  }

  get count(): number {
    return this.#streams.size;
  }

  reload(): Promise<CertificateNews> {
    return this.#options.certificates.reload();
  }

  close(reason: StreamError): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: StreamError): Promise<void> {
    this.#watch?.close();
    this.#options.clients.timers.disarm(this.#daily);
    const stopped = this.#stopListening();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#allGone = resolve;
    for (const stream of [...this.#streams.values()]) stream.close(reason);
    if (this.#streams.size === 0) resolve();
    await promise;
    await stopped;
  }

  expired(): void {
    this.#options.certificates.rotateTickets();
    this.#options.clients.timers.arm(this.#daily, DAY);
  }

  async #listen(port: Port, { host, port: number }: ListenAt): Promise<void> {
    const server = createServer(
      {
        allowHalfOpen: true,
        pauseOnConnect: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
      },
      (socket) => this.#accept(port, socket),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: number, backlog: BACKLOG, ...(host === undefined ? {} : { host }) }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", (error) => this.#options.clients.log.error({ err: error, port }, "a listener failed"));
    this.#servers.push(server);
    this.addresses[port].push(server.address() as AddressInfo);
  }

  #accept(port: Port, socket: Socket): void {
    const transport = new SocketTransport(socket, this.#sockets);
    // A connection that was lost at once has no address any more.
    if (this.#closing !== undefined || transport.address === "" || !this.#admission.admit(transport)) {
      socket.destroy();
      return;
    }
    const stream = this.#streamOn(transport, port);
    this.#streams.set(transport, stream);
    if (port === "directTls") transport.attachSecurely(stream);
    else transport.attach(stream);
  }

  #streamOn(transport: SocketTransport, port: Port): Stream {
    const { clients, components } = this.#options;
    if (port === "component" && components !== undefined) return new ComponentStream(transport, components);
    return new ClientStream(transport, clients, port === "directTls");
  }

  #gone(transport: SocketTransport): void {
    this.#admission.leave(transport);
    this.#streams.delete(transport);
    if (this.#streams.size === 0) this.#allGone();
  }

  async #stopListening(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}
