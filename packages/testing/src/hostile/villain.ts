/** One hostile connection: a socket, and what is done with it a step at a time. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { plainAuth, streamHeader } from "../process/raw-client.ts";

export const DOMAIN = "localhost";

/** Where to connect, and who may be pretended to be. */
export interface Target {
  readonly port: number;
  readonly tlsPort: number;
  /** An account of the attackers' own. */
  readonly own: { readonly name: string; readonly password: string };
  /** Names of accounts that are not theirs. */
  readonly victims: readonly string[];
}

/** What a villain does next; called again and again, so many times a second. Ends when it has nothing left to do. */
export type Script = Generator<void, void>;

/** No more than so much waits to be sent: a villain has little memory too. */
const MOST_UNSENT = 65_536;

export class Villain {
  readonly address: string;
  readonly target: Target;
  /** All that has come and was not taken. */
  received = "";
  #socket: Socket;
  #isConnected = false;
  #script: Script | undefined;
  #isGone = false;
  readonly #gone: (villain: Villain) => void;

  /** @param gone told once, when the connection is no more */
  constructor(address: string, target: Target, port: number, gone: (villain: Villain) => void) {
    this.address = address;
    this.target = target;
    this.#gone = gone;
    this.#socket = connect({ host: "127.0.0.1", port, localAddress: address, noDelay: true });
    this.#socket.once("connect", () => {
      this.#isConnected = true;
    });
    this.#watch(this.#socket);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  play(script: Script): void {
    this.#script = script;
  }

  step(): void {
    if (this.#isConnected && !this.#isGone) this.#script?.next();
  }

  /** `false` where too much waits to be sent already. */
  send(data: string | Uint8Array): boolean {
    if (this.#isGone || this.#socket.writableLength > MOST_UNSENT) return false;
    this.#socket.write(data);
    return true;
  }

  /** Reads no more. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Has this come? Takes away all up to and with it. */
  hears(text: string): boolean {
    const at = this.received.indexOf(text);
    if (at >= 0) this.received = this.received.slice(at + text.length);
    return at >= 0;
  }

  /** A whole handshake of TLS on the connection at hand. */
  secure(): void {
    this.#isConnected = false;
    const plain = this.#socket.removeAllListeners("data").removeAllListeners("close");
    this.#socket = connectTls({ socket: plain, rejectUnauthorized: false, servername: DOMAIN });
    this.#socket.once("secureConnect", () => {
      this.#isConnected = true;
    });
    plain.once("close", () => this.#end());
    this.#watch(this.#socket);
  }

  /** Without a word; in the clear with a reset, so that the port is free again at once. */
  destroy(): void {
    if (this.#isGone || !this.#isConnected || this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
    this.#end();
  }

  #watch(socket: Socket): void {
    socket.on("data", (data: Buffer) => {
      this.received = (this.received + data.toString("latin1")).slice(-REMEMBERED);
    });
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.once("close", () => this.#end());
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#script = undefined;
    this.received = "";
    this.#gone(this);
  }
}
const REMEMBERED = 16_384;

/** Waits for an answer of the server. */
export function* until(villain: Villain, text: string): Script {
  while (!villain.hears(text)) yield;
}

/** A stream with features. */
export function* opened(villain: Villain): Script {
  villain.send(streamHeader(DOMAIN));
  yield* until(villain, "</stream:features>");
}

/** With the attackers' own account, and a resource. Stops for ever where that is refused. */
export function* loggedIn(villain: Villain, resource: string): Script {
  const { name, password } = villain.target.own;
  yield* opened(villain);
  villain.send(plainAuth(name, password));
  yield* until(villain, "<success");
  yield* opened(villain);
  villain.send(
    `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`,
  );
  yield* until(villain, "</iq>");
}
