import {
  type Bytes,
  type DomainJid,
  type Element,
  type Eventually,
  type HeaderToSend,
  isStanza,
  parseVersion,
  prepareDomainpart,
  type RawElement,
  responseVersion,
  StreamError,
  type StreamHeader,
  tryJid,
  writeFeatures,
} from "@kith/protocol";
import type { HowEnded } from "./door.ts";
import { featuresFor, negotiate } from "./negotiate.ts";
import { type Client, newVisit, type Peer, type Stage } from "./negotiate-step.ts";
import type { C2sServices, Host } from "./services.ts";
import { Stream } from "./stream.ts";
import { unsupported } from "./stream-elements.ts";
import { Timer } from "./timer.ts";
import type { Transport } from "./transport.ts";

/** The language of what we say to people (RFC 6120 §4.7.4). */
const LANGUAGE = "en";

/** A client's stream: from its first header to the resource it binds, and the way to and from its session after that. */
export class ClientStream extends Stream implements Client {
  readonly services: C2sServices;
  peer: Peer = { is: "stranger", visit: newVisit() };
  #host: Host | undefined = undefined;
  #expiry: { readonly timer: Timer; readonly error: StreamError } | undefined = undefined;

  constructor(transport: Transport, services: C2sServices, directTls: boolean) {
    super(transport, services, { content: "jabber:client", scanner: services.limits.visitor, directTls });
    this.services = services;
  }

  get host(): Host {
    if (this.#host === undefined) throw new TypeError("no header has come");
    return this.#host;
  }

  features(): readonly Element[] {
    return featuresFor(this);
  }

  get domain(): DomainJid {
    return this.host.domain;
  }

  get stage(): Stage {
    switch (this.peer.is) {
      case "stranger":
        return this.#isProtected ? "protected" : "cleartext";
      case "session":
        return "bound";
      default:
        return "authenticated";
    }
  }

  get #isProtected(): boolean {
    const { transport, services } = this;
    return transport.security !== undefined || (services.plaintextFromLoopback && transport.isLoopback);
  }

  override send(bytes: Bytes): void {
    if (this.peer.is === "binding") this.peer.held.push(bytes);
    else super.send(bytes);
  }

  closeAt(time: number, error: StreamError): void {
    const timer = new Timer(this);
    this.#expiry = { timer, error };
    this.services.timers.arm(timer, Math.max(0, time - this.services.now()));
  }

  override expired(timer: Timer): void {
    if (timer === this.#expiry?.timer) this.close(this.#expiry.error);
    else super.expired(timer);
  }

  protected responseTo(header: StreamHeader | undefined): Omit<HeaderToSend, "id" | "content"> {
    const { hosts } = this.services;
    const named = this.#hostNamed(header) ?? hosts.values().next().value;
    const from = header?.from === undefined ? undefined : tryJid(header.from);
    return {
      from: named?.domain ?? "",
      to: from?.bare,
      lang: LANGUAGE,
      version: header === undefined ? { major: 1, minor: 0 } : responseVersion(header.version),
    };
  }

  /** RFC 6120 §4.7.2: the host may also be named by TLS, and goes without saying where there is one only. */
  #hostNamed(header: StreamHeader | undefined): Host | undefined {
    const { hosts } = this.services;
    const to = header?.to ?? this.transport.security?.serverName;
    if (to === undefined) return hosts.size === 1 ? hosts.values().next().value : undefined;
    // Nearly everybody writes it as it is prepared.
    const host = hosts.get(to as DomainJid);
    if (host !== undefined) return host;
    const domain = prepareDomainpart(to);
    return domain === undefined ? undefined : hosts.get(domain);
  }

  protected headerReceived(header: StreamHeader): void {
    const host = this.#hostNamed(header);
    this.#checkAddresses(header, host);
    checkVersion(header);
    if (host === undefined) throw new StreamError("host-unknown");
    if (this.peer.is !== "stranger" && host !== this.#host) {
      throw new StreamError("not-authorized", "authenticated at another host");
    }
    this.#checkDomain(header, host);
    this.#host = host;
    this.answer(writeFeatures(this.features()));
  }

  /** XEP-0388 §2.1: who is at home elsewhere has nothing to log in to here. What is said in the clear counts for nothing. */
  #checkDomain({ from }: StreamHeader, host: Host): void {
    if (from === undefined || this.transport.security === undefined) return;
    if (tryJid(from)?.domain !== host.domain) throw new StreamError("invalid-from", "an address of another domain");
  }

  #checkAddresses({ to, from }: StreamHeader, host: Host | undefined): void {
    if (host === undefined && to !== undefined && prepareDomainpart(to) === undefined)
      throw new StreamError("improper-addressing", "to is no domain");
    if (from === undefined) return;
    const sender = tryJid(from);
    if (sender === undefined) throw new StreamError("improper-addressing", "from is no address");
    if (this.peer.is === "account" && sender.bare !== this.peer.account.bare && this.transport.security !== undefined) {
      throw new StreamError("invalid-from", "not the account that authenticated");
    }
  }

  protected elementReceived(raw: RawElement): Eventually<void> {
    const { peer } = this;
    // The way of nearly everything: a stanza of a bound client that negotiates nothing.
    if (peer.is === "session" && raw.name !== "iq" && isStanza(raw)) return peer.session.receive(raw);
    const done = negotiate(this, raw);
    if (done !== "untaken") return done;
    if (peer.is === "session" && isStanza(raw)) return peer.session.receive(raw);
    throw unsupported(raw);
  }

  override received(bytes: Uint8Array): void {
    if (this.peer.is === "session") this.peer.session.heard();
    super.received(bytes);
  }

  protected streamEnded(how: HowEnded): Eventually<void> {
    if (this.#expiry !== undefined) this.services.timers.disarm(this.#expiry.timer);
    return this.peer.is === "session" ? this.peer.session.ended(this, how) : undefined;
  }

  protected describe(): Readonly<Record<string, unknown>> {
    const { peer } = this;
    switch (peer.is) {
      case "stranger":
        return {};
      case "session":
        return { jid: peer.session.jid.bare };
      default:
        return { jid: peer.account.bare };
    }
  }
}

/** RFC 6120 §4.7.5, §4.9.3.25: another major version is another protocol, and so is 0.9, which no attribute stands for. */
const checkVersion = ({ version }: StreamHeader): void => {
  const asked = version === undefined ? undefined : parseVersion(version);
  if (asked?.major !== 1) throw new StreamError("unsupported-version");
};
