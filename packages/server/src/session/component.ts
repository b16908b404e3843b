import { createHash, timingSafeEqual } from "node:crypto";
import {
  type Bytes,
  type DomainJid,
  type Eventually,
  type HeaderToSend,
  isStanza,
  NS_CONTENT,
  prepareDomainpart,
  type RawElement,
  readElement,
  readStanza,
  type ScannerLimits,
  type Stanza,
  StreamError,
  type StreamHeader,
  textOf,
  writeStanza,
} from "@kith/protocol";
import type { Door } from "./door.ts";
import { Stream, type StreamServices } from "./stream.ts";
import { unsupported } from "./stream-elements.ts";
import type { Transport } from "./transport.ts";

/** Everything streams of components use. */
export interface ComponentServices extends StreamServices {
  readonly door: Door;
  /** The domains that components may take, each with its shared secret. */
  readonly components: ReadonlyMap<DomainJid, { readonly secret: string }>;
  readonly limits: StreamServices["limits"] & {
    readonly visitor: ScannerLimits;
    readonly authenticated: ScannerLimits;
  };
}

/** Who is at the other end. */
type Component =
  | { readonly is: "unknown" }
  | { readonly is: "claimed"; readonly domain: DomainJid; readonly secret: string }
  | { readonly is: "trusted"; readonly domain: DomainJid; readonly binding: { release(): void } };

const ACKNOWLEDGED = "<handshake/>" as Bytes;

/** The stream of an external component (XEP-0114): a header that names its domain, a handshake, then stanzas both ways. */
export class ComponentStream extends Stream {
  readonly #services: ComponentServices;
  #component: Component = { is: "unknown" };

  constructor(transport: Transport, services: ComponentServices) {
    super(transport, services, {
      content: "jabber:component:accept",
      scanner: services.limits.visitor,
      directTls: false,
    });
    this.#services = services;
  }

  protected responseTo(header: StreamHeader | undefined): Omit<HeaderToSend, "id" | "content"> {
    return { from: this.#named(header) ?? "", lang: "en" };
  }

  #named(header: StreamHeader | undefined): DomainJid | undefined {
    const domain = header?.to === undefined ? undefined : prepareDomainpart(header.to);
    return domain !== undefined && this.#services.components.has(domain) ? domain : undefined;
  }

  protected headerReceived(header: StreamHeader): void {
    if (header.to === undefined) throw new StreamError("improper-addressing", "the header has to name the component");
    const domain = this.#named(header);
    const known = domain === undefined ? undefined : this.#services.components.get(domain);
    if (domain === undefined || known === undefined) throw new StreamError("host-unknown");
    this.#component = { is: "claimed", domain, secret: known.secret };
    this.answer("" as Bytes);
  }

  protected elementReceived(raw: RawElement): Eventually<void> {
    const component = this.#component;
    if (component.is === "trusted") return this.#accept(raw, component.domain);
    if (raw.ns === NS_CONTENT && raw.name === "handshake" && component.is === "claimed") {
      return this.#shakeHands(textOf(readElement(raw)), component.domain, component.secret);
    }
    throw new StreamError("not-authorized");
  }

  #shakeHands(shown: string, domain: DomainJid, secret: string): void {
    const expected = createHash("sha1")
      .update(this.id + secret)
      .digest("hex");
    if (!isSame(shown, expected)) {
      this.#services.log.warn(
        { stream: this.id, address: this.transport.address, component: domain },
        "a component has the wrong secret",
      );
      throw new StreamError("not-authorized");
    }
    const binding = this.#services.door.bindDomain(domain, (stanza) => this.send(writeStanza(stanza)));
    this.#component = { is: "trusted", domain, binding };
    this.raiseLimits(this.#services.limits.authenticated);
    this.transport.vouch();
    this.established();
    this.#services.log.info(
      { stream: this.id, address: this.transport.address, component: domain },
      "a component is connected",
    );
    this.send(ACKNOWLEDGED);
  }

  /** XEP-0114 §3: both addresses are there, and `from` is one of the component's. */
  #accept(raw: RawElement, domain: DomainJid): Eventually<void> {
    if (!isStanza(raw)) throw unsupported(raw);
    const stanza: Stanza = readStanza(raw);
    if (stanza.from === undefined || stanza.to === undefined) throw new StreamError("improper-addressing");
    if (stanza.from.domain !== domain) throw new StreamError("invalid-from");
    return this.#services.door.acceptRemote(stanza);
  }

  protected streamEnded(): void {
    if (this.#component.is === "trusted") this.#component.binding.release();
  }

  protected describe(): Readonly<Record<string, unknown>> {
    return this.#component.is === "unknown" ? {} : { component: this.#component.domain };
  }
}

/** In constant time. */
const isSame = (shown: string, expected: string): boolean => {
  const given = Buffer.from(shown);
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};
