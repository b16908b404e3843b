import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import {
  CHANNEL_BINDING_TYPES,
  type ChannelBindings,
  type ChannelBindingType,
  type DomainJid,
  prepareDomainpart,
  TLS_EXPORTER,
} from "@kith/protocol";
import type { PeerCertificate, Security } from "../session/transport.ts";
import type { Certificates } from "./certificates.ts";
import { isVerifiedPeer } from "./runtime.ts";
import { xmppAddressesOf } from "./x509.ts";

export type SecureSocket = TLSSocket;

/** XEP-0368 §4. */
const ALPN = "xmpp-client";

/** TLS on accepted connections, as the server: right away or after STARTTLS, by the same rules. */
export class TlsServer {
  readonly #certificates: Certificates;
  readonly #choose: (serverName: string, done: (error: Error | null, context?: SecureContext) => void) => void;

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
    // RFC 6120 §5.4.3.1: the host may also be named by TLS. A name that is not served gets the certificate chosen without.
    this.#choose = (serverName, done) => {
      const domain = prepareDomainpart(serverName);
      done(null, domain === undefined ? undefined : certificates.contextFor(domain));
    };
  }

  /**
   * @param domain whose certificate to show where the client names no host in TLS
   * @param how on a port of its own, a client that offers protocols must offer ours (ALPN)
   */
  wrap(socket: Socket, domain: DomainJid | undefined, how: "direct" | "upgraded"): SecureSocket {
    const certificates = this.#certificates;
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: (domain === undefined ? undefined : certificates.contextFor(domain)) ?? certificates.fallback,
      SNICallback: this.#choose,
      ...(how === "direct" ? { ALPNProtocols: [ALPN] } : {}),
      requestCert: certificates.asksClients,
      rejectUnauthorized: false,
    });
  }

  securityOf(socket: SecureSocket): Security {
    return new SocketSecurity(socket, this.#certificates);
  }
}

class SocketSecurity implements Security {
  readonly #socket: TLSSocket;
  readonly #certificates: Certificates;
  #channelBindings: ChannelBindings | undefined = undefined;

  constructor(socket: TLSSocket, certificates: Certificates) {
    this.#socket = socket;
    this.#certificates = certificates;
  }

  get protocol(): string {
    return this.#socket.getProtocol() ?? "";
  }

  get cipher(): string {
    return this.#socket.getCipher()?.name ?? "";
  }

  get serverName(): string | undefined {
    const { servername } = this.#socket as TLSSocket & { readonly servername?: string | false | null };
    return typeof servername === "string" ? servername : undefined;
  }

  get channelBindings(): ChannelBindings {
    this.#channelBindings ??= this.#bind();
    return this.#channelBindings;
  }

  get peerCertificate(): PeerCertificate | undefined {
    if (!this.#certificates.asksClients || !isVerifiedPeer(this.#socket)) return undefined;
    const { raw, valid_to } = this.#socket.getPeerCertificate();
    return raw === undefined ? undefined : { xmppAddresses: xmppAddressesOf(raw), expires: Date.parse(valid_to) };
  }

  #bind(): ChannelBindings {
    const found = new Map<ChannelBindingType, Uint8Array>();
    for (const type of CHANNEL_BINDING_TYPES) {
      const data = type === "tls-exporter" ? this.#exported() : this.#certificates.endPointOf(this.#socket);
      if (data !== undefined) found.set(type, data);
    }
    return found;
  }

  /** RFC 9266: only with TLS 1.3, where the exporter is bound to the handshake whatever was negotiated. */
  #exported(): Uint8Array | undefined {
    if (this.protocol !== "TLSv1.3") return undefined;
    const { octets, label, context } = TLS_EXPORTER;
    return this.#socket.exportKeyingMaterial(octets, label, Buffer.from(context));
  }
}
