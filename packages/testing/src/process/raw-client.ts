import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { PATIENCE } from "./happenings.ts";

export interface ConnectOptions {
  readonly port: number;
  readonly host?: string;
  /** The address to come from, such as "127.0.0.2". */
  readonly from?: string | undefined;
  /** TLS from the first byte. */
  readonly tls?: boolean;
}

export const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const NS_BIND = "urn:ietf:params:xml:ns:xmpp-bind";

export const streamHeader = (domain: string): string =>
  `<stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
export const plainAuth = (localpart: string, password: string, authzid = ""): string =>
  `<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${Buffer.from(`${authzid}\0${localpart}\0${password}`).toString("base64")}</auth>`;
export const bindRequest = (resource: string): string =>
  `<iq type='set' id='bind'><bind xmlns='${NS_BIND}'><resource>${resource}</resource></bind></iq>`;

/** A client that says what it is told to, right or wrong, and shows what it is answered as text. */
export class RawClient {
  #socket: Socket;
  #text = "";
  #bytes = 0;
  #hasEnded = false;
  #isClosed = false;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  static async connect({ port, host = "127.0.0.1", from, tls = false }: ConnectOptions): Promise<RawClient> {
    const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
    // What goes wrong shows as a connection that is closed.
    socket.on("error", () => {});
    await connected(socket);
    const client = new RawClient(socket);
    if (tls) await client.secure();
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** All that has come and was not taken by `until`. */
  get received(): string {
    return this.#text;
  }
  get bytesReceived(): number {
    return this.#bytes;
  }
  /** Is the connection gone, or has the server closed its direction? */
  get isClosed(): boolean {
    return this.#isClosed || this.#hasEnded;
  }

  send(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  /** Takes away and gives all that came, up to and with this text. */
  async until(text: string): Promise<string> {
    return this.#wait(`"${text}"`, () => {
      const at = this.#text.indexOf(text);
      if (at < 0) return undefined;
      const taken = this.#text.slice(0, at + text.length);
      this.#text = this.#text.slice(at + text.length);
      return taken;
    });
  }

  /** Settles when the server has closed the connection, or its direction of it, with all that had come. */
  async closed(): Promise<string> {
    await this.#wait("the end", () => (this.isClosed ? true : undefined));
    return this.#text;
  }

  /** Reads no more, so that what the server sends piles up. */
  stopReading(): void {
    this.#socket.pause();
  }
  readOn(): void {
    this.#socket.resume();
  }

  /** Negotiates TLS on the connection at hand. */
  async secure(): Promise<void> {
    this.#socket.removeAllListeners("data").removeAllListeners("end").removeAllListeners("close");
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    secure.on("error", () => {});
    this.#socket = secure;
    this.#listen(secure);
    await connected(secure, "secureConnect");
  }

  async startTls(domain: string): Promise<void> {
    this.send(`${streamHeader(domain)}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
    await this.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await this.secure();
  }

  /** Opens a stream and authenticates. */
  async authenticate(localpart: string, password: string, domain = "localhost"): Promise<void> {
    this.send(streamHeader(domain) + plainAuth(localpart, password));
    await this.until("<success");
    this.send(streamHeader(domain));
    await this.until("</stream:features>");
  }

  /** Authenticates and binds. */
  async login(localpart: string, password: string, resource: string, domain = "localhost"): Promise<void> {
    await this.authenticate(localpart, password, domain);
    this.send(bindRequest(resource));
    await this.until("</jid></bind></iq>");
  }

  /** Makes an account, where anybody may (XEP-0077). The stream goes on without it. */
  async register(localpart: string, password: string, domain = "localhost"): Promise<void> {
    this.send(
      `${streamHeader(domain)}<iq type='set' id='register'><query xmlns='jabber:iq:register'><username>${localpart}</username><password>${password}</password></query></iq>`,
    );
    const answer = await this.until("id='register'");
    if (answer.includes("type='error'")) throw new Error(`no account ${localpart}: ${await this.until("</iq>")}`);
  }

  /** Ends what is sent; the other direction stays open. */
  halfClose(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on("data", (data: Buffer) => {
      this.#text += data.toString("latin1");
      this.#bytes += data.length;
      this.#stir();
    });
    socket.on("end", () => {
      this.#hasEnded = true;
      this.#stir();
    });
    socket.on("close", () => {
      this.#isClosed = true;
      this.#stir();
    });
  }

  #stir(): void {
    const wake = this.#wake;
    this.#wake = Promise.withResolvers();
    wake.resolve();
  }

  async #wait<T>(what: string, look: () => T | undefined): Promise<T> {
    const tooLong = Promise.withResolvers<never>();
    const timer = setTimeout(() => tooLong.reject(this.#missed(what, `${PATIENCE} ms`)), PATIENCE);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#isClosed) throw this.#missed(what, "the connection was closed");
        await Promise.race([this.#wake.promise, tooLong.promise]);
      }
    } finally {
      clearTimeout(timer);
      tooLong.promise.catch(() => {});
    }
  }

  #missed(what: string, why: string): Error {
    return new Error(`${what} did not come: ${why}. What came: ${JSON.stringify(this.#text.slice(-2_000))}`);
  }
}

const connected = async (socket: Socket, event: "connect" | "secureConnect" = "connect"): Promise<void> => {
  const closed = Promise.withResolvers<never>();
  const onClose = (): void => closed.reject(new Error("the connection was refused"));
  socket.once("close", onClose);
  closed.promise.catch(() => {});
  await Promise.race([once(socket, event), closed.promise]);
  socket.off("close", onClose);
};
