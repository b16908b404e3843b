/** Somebody connected to the server that streams are tried on: what they are told, and whether they may be told it. */
import {
  type Bytes,
  type ContentNamespace,
  childCount,
  isStanza,
  type Jid,
  type RawElement,
  readElement,
  readStanza,
  resultOf,
  type ScannerLimits,
  type Stanza,
  StreamError,
  type StreamTag,
  toBytes,
  toText,
  toUint8Array,
  tryJid,
  writeRaw,
  writeStanza,
  XmlScanner,
} from "@kith/protocol";
import { Broken, ensure } from "./broken.ts";
import { COMPONENT, HONEST, HOST } from "./hostile-values.ts";
import { MemoryConnection } from "./memory-connection.ts";
import { CLIENT_HEADER } from "./stream-steps.ts";

const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const NS_TLS = "urn:ietf:params:xml:ns:xmpp-tls";
const NS_STREAMS = "http://etherx.jabber.org/streams";

/** What is sent on may be longer than it was: by the address of its sender, and by how it is escaped. */
const GENEROUS: ScannerLimits = {
  stanzaBytes: 4_194_304,
  depth: 1_024,
  attributes: 1_024,
  children: 65_536,
  prefixes: 1_024,
};

/** What peers share. */
export interface Ledger {
  /** Requests by id that have not been answered, with who asked. */
  readonly asked: Map<string, Asked>;
  readonly answered: Set<string>;
  /** Does this peer answer requests it is sent? */
  readonly answers: () => boolean;
}
export interface Asked {
  readonly by: StreamPeer;
  readonly to: Jid | undefined;
  readonly xml: string;
}

/** Ids of requests that are waited for. */
const TRACKED = /^q\d+-\d+$/;

export class StreamPeer {
  readonly connection: MemoryConnection;
  readonly isHonest: boolean;
  readonly #ledger: Ledger;
  readonly #isComponent: boolean;
  readonly #scanner: XmlScanner;
  /** Every first-level element since it connected. */
  readonly received: RawElement[] = [];
  /** The address it was bound to. */
  jid: Jid | undefined = undefined;
  /** Of the latest stream. */
  streamId = "";
  /** Has the server said the end of its stream? */
  isClosedByServer = false;
  /** Has it given somebody else's address as its own (RFC 6120 §8.1.2.1)? */
  hasLied = false;
  /** Has it sent half an element, or worse? */
  #isAstray = false;
  #toAnswer: Stanza[] = [];
  #broken: unknown;

  constructor(address: string, isSecure: boolean, content: ContentNamespace, ledger: Ledger, isHonest = false) {
    this.connection = new MemoryConnection(address, isSecure, this);
    this.isHonest = isHonest;
    this.#ledger = ledger;
    this.#isComponent = content === "jabber:component:accept";
    this.#scanner = new XmlScanner(this, { content, limits: GENEROUS });
  }

  get isOpen(): boolean {
    return this.connection.isOpen && !this.isClosedByServer;
  }

  /** Throws what was found wrong with what it was sent. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  send(text: string, piece = Number.POSITIVE_INFINITY): void {
    this.#track(text);
    this.#sendBytes(toUint8Array(toBytes(text)), piece);
  }

  /** Sends what may be anything. */
  sendJunk(bytes: Uint8Array): void {
    this.#isAstray = true;
    this.#sendBytes(bytes);
  }

  #sendBytes(bytes: Uint8Array, piece = Number.POSITIVE_INFINITY): void {
    for (let at = 0; at < bytes.length; at += piece) this.connection.send(bytes.slice(at, at + piece));
  }

  // What the connection says.

  receive(bytes: Bytes): void {
    try {
      this.#scanner.feed(toUint8Array(bytes));
    } catch (error) {
      const what = error instanceof StreamError ? `the server sent what is no stream: ${error.message}` : error;
      this.#broken ??= error instanceof Broken ? error : new Broken(`${what}: ${toText(bytes).slice(0, 500)}`);
    }
    if (this.#toAnswer.length > 0) setImmediate(() => this.#answerAll());
  }

  closed(): void {
    if (!this.connection.isGone) this.isClosedByServer = true;
  }

  // What the reader finds.

  opened(header: StreamTag): void {
    this.streamId = header.attributes.id ?? "";
    if (header.name !== "stream" || header.ns !== NS_STREAMS) throw new Broken(`a header <${header.name}/>`);
  }

  element(raw: RawElement): void {
    this.received.push(raw);
    if ((raw.ns === NS_SASL && raw.name === "success") || (raw.ns === NS_TLS && raw.name === "proceed"))
      this.#scanner.reset();
    if (isStanza(raw)) this.#stanza(readStanza(raw), raw);
  }

  #stanza(stanza: Stanza, raw: RawElement): void {
    const xml = toText(writeRaw(raw));
    if (stanza.problem !== undefined && stanza.type !== "error")
      throw new Broken(`a stanza that is none (${stanza.problem.message}): ${xml}`);
    if (this.jid === undefined && !this.#isComponent) this.#bound(stanza, raw);
    else ensure(this.#isMeant(stanza), `for somebody else: ${xml}`);
    if (stanza.kind === "iq" && (stanza.type === "result" || stanza.type === "error")) this.#answered(stanza, xml);
    if (stanza.kind === "iq" && (stanza.type === "get" || stanza.type === "set")) this.#asked(stanza);
    if (!this.isHonest) checkPrivacy(stanza, xml);
  }

  #isMeant({ to }: Stanza): boolean {
    return this.#isComponent ? to?.domain === COMPONENT : to === undefined || to.bare === this.jid?.bare;
  }

  #bound(stanza: Stanza, raw: RawElement): void {
    if (stanza.type !== "result" || childCount(raw) !== 1) return;
    const [bind] = readElement(raw).children;
    if (typeof bind !== "object" || bind.name !== "bind") return;
    const [jid] = bind.children;
    const [text] = typeof jid === "object" ? jid.children : [];
    this.jid = typeof text === "string" ? tryJid(text) : undefined;
    if (this.jid?.isFull !== true) throw new Broken(`bound to ${text}`);
  }

  #answered(stanza: Stanza, xml: string): void {
    const id = stanza.id as string;
    if (!TRACKED.test(id)) return;
    const asked = this.#ledger.asked.get(id);
    // Whoever was asked may send an answer back that nobody waits for any more.
    if (asked !== undefined && asked.by !== this) return;
    if (this.#ledger.answered.has(id)) throw new Broken(`answered twice: ${xml}`);
    this.#ledger.answered.add(id);
    this.#ledger.asked.delete(id);
  }

  #asked(stanza: Stanza): void {
    if (this.#ledger.answers()) this.#toAnswer.push(stanza);
  }

  #answerAll(): void {
    const stanzas = this.#toAnswer;
    this.#toAnswer = [];
    for (const stanza of stanzas) {
      if (stanza.kind === "iq" && stanza.from !== undefined) this.send(toText(writeStanza(resultOf(stanza))));
    }
  }

  /** Notes requests whose answers will be waited for; none any more once something was sent that is not whole. */
  #track(text: string): void {
    if (this.jid === undefined || !this.isOpen || this.#isAstray) return;
    const elements = wholeElements(text);
    if (elements === undefined) this.#isAstray = true;
    else for (const raw of elements) if (isStanza(raw)) this.#sends(readStanza(raw), toText(writeRaw(raw)));
  }

  #sends(stanza: Stanza, xml: string): void {
    if (stanza.from !== undefined && stanza.from.bare !== this.jid?.bare) this.hasLied = true;
    this.#ask(stanza, xml);
  }

  #ask(stanza: Stanza, xml: string): void {
    const id = stanza.id as string | undefined;
    if (stanza.kind !== "iq" || id === undefined || !TRACKED.test(id)) return;
    if (stanza.type === "result" || stanza.type === "error" || this.#ledger.answered.has(id)) return;
    this.#ledger.asked.set(id, { by: this, to: stanza.to, xml });
  }
}

/** The first-level elements that text is made of, or `undefined` where it is something else. */
const wholeElements = (text: string): readonly RawElement[] | undefined => {
  const elements: RawElement[] = [];
  let isStream = true;
  const scanner = new XmlScanner(
    {
      opened: () => {},
      element: (raw) => elements.push(raw),
      closed: () => {
        isStream = false;
      },
    },
    { content: "jabber:client" },
  );
  try {
    scanner.feed(toUint8Array(toBytes(`${CLIENT_HEADER}${text}`)));
  } catch {
    return undefined;
  }
  return isStream && scanner.held === 0 ? elements : undefined;
};

const HONEST_ACCOUNTS: ReadonlySet<string> = new Set(HONEST.map((name) => `${name}@${HOST}`));

/** Nobody but each other is told by the honest two that they are there, and nobody speaks in their name. */
const checkPrivacy = (stanza: Stanza, xml: string): void => {
  if (stanza.from === undefined || !HONEST_ACCOUNTS.has(stanza.from.bare)) return;
  if (stanza.kind === "message" && stanza.type !== "error") throw new Broken(`in the name of somebody else: ${xml}`);
  if (stanza.kind === "presence" && stanza.type === "available") throw new Broken(`seen by a stranger: ${xml}`);
  if (stanza.kind === "iq" && (stanza.type === "get" || stanza.type === "set"))
    throw new Broken(`asked in the name of somebody else: ${xml}`);
};
