/** What tests of listeners share: a server on ports of the loopback interface, and somebody at the other end. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { StreamError } from "@kith/protocol";
import { onTestFinished } from "vitest";
import { World, type WorldOptions } from "../session/test-streams.ts";
import { ADMISSION_LIMITS } from "./admission.ts";
import { type CertificateOptions, Certificates } from "./certificates.ts";
import { type Listeners, type ListenersOptions, openListeners, type Port } from "./listeners.ts";
import { type CertificateRequest, type Issued, issueCertificate } from "./x509.ts";

/** A folder of its own, gone after the test. */
export const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "kith-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

const FROM = new Date("2020-01-01T00:00:00Z");
const TO = new Date("2049-01-01T00:00:00Z");
export const issue = (commonName: string, more: Partial<CertificateRequest> = {}): Issued =>
  issueCertificate({ commonName, dnsNames: [commonName], from: FROM, to: TO, ...more });

export interface RealWorldOptions extends WorldOptions {
  readonly listeners?: Partial<ListenersOptions>;
  readonly certificates?: Partial<CertificateOptions>;
  readonly host?: string;
}

/** A world with sockets. Closed after the test. */
export class RealWorld extends World {
  listeners!: Listeners;
  certificates!: Certificates;

  static async open(options: RealWorldOptions = {}): Promise<RealWorld> {
    const world = new RealWorld(options);
    const host = options.host ?? "127.0.0.1";
    world.certificates = await Certificates.open({
      hosts: [...world.services.hosts.keys()],
      files: new Map(),
      dataDirectory: await temporaryFolder(),
      log: world.log,
      now: Date.now,
      ...options.certificates,
    });
    world.listeners = await openListeners({
      starttls: [{ host, port: 0 }],
      directTls: [{ host, port: 0 }],
      component: [],
      clients: world.services,
      certificates: world.certificates,
      admission: ADMISSION_LIMITS,
      writeStallMs: 30_000,
      ...options.listeners,
    });
    onTestFinished(() => world.shutDown());
    return world;
  }

  address(port: Port): AddressInfo {
    const [address] = this.listeners.addresses[port];
    if (address === undefined) throw new Error(`nothing listens for ${port}`);
    return address;
  }

  async shutDown(): Promise<void> {
    const closed = this.listeners.close(new StreamError("system-shutdown"));
    // Whoever does not answer is dropped when the time to close is over.
    await this.timers.pass(60_000);
    await this.timers.pass(60_000);
    await closed;
  }

  async dial(port: Port = "starttls", localAddress?: string): Promise<Caller> {
    const { address, port: number } = this.address(port);
    const socket = connect({ host: address, port: number, ...(localAddress === undefined ? {} : { localAddress }) });
    await once(socket, "connect");
    return new Caller(socket);
  }

  async dialTls(options: ConnectionOptions = {}): Promise<Caller> {
    const { address, port } = this.address("directTls");
    const socket = connectTls({ host: address, port, rejectUnauthorized: false, ...options });
    const caller = new Caller(socket);
    await once(socket, "secureConnect");
    return caller;
  }
}

/** A client of few words. */
export class Caller {
  socket: Socket;
  #text = "";
  #bytes = 0;
  #wake: (() => void)[] = [];
  isClosed = false;
  hasEnded = false;
  error: Error | undefined;
  /** What a TLS session can be resumed with. */
  session: Buffer | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen(socket);
    onTestFinished(() => void this.socket.destroy());
  }

  #listen(socket: Socket): void {
    socket.on("data", (data: Buffer) => {
      this.#text += data.toString("utf8");
      this.#bytes += data.length;
      this.#stir();
    });
    socket.on("end", () => {
      this.hasEnded = true;
      this.#stir();
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("session", (session: Buffer) => {
      this.session = session;
      this.#stir();
    });
    socket.on("close", () => {
      this.isClosed = true;
      this.#stir();
    });
  }

  #stir(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const go of wake) go();
  }

  get received(): string {
    return this.#text;
  }

  get bytesReceived(): number {
    return this.#bytes;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** All that came up to and with this text; what comes after it is kept. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#text.indexOf(text);
      if (at >= 0) {
        const taken = this.#text.slice(0, at + text.length);
        this.#text = this.#text.slice(at + text.length);
        return taken;
      }
      if (this.isClosed) throw new Error(`closed after ${this.#text}`);
      await this.#something();
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#something();
  }

  async resumable(): Promise<Buffer> {
    while (this.session === undefined) await this.#something();
    return this.session;
  }

  async ended(): Promise<void> {
    while (!this.hasEnded && !this.isClosed) await this.#something();
  }

  #something(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** STARTTLS from the command on. */
  async secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await this.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    this.socket.removeAllListeners("data").removeAllListeners("end").removeAllListeners("close");
    const secure = connectTls({ socket: this.socket, rejectUnauthorized: false, ...options });
    this.#listen(secure);
    this.socket = secure;
    await once(secure, "secureConnect");
    return secure;
  }

  get tls(): TLSSocket {
    return this.socket as TLSSocket;
  }
}

/** Lets the loop turn until it is so. */
export const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};
