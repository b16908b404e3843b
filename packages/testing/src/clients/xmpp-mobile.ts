import { client, type Entity, type FastToken, type XmlElement, xml } from "@xmpp/client";
import { Happenings, PATIENCE } from "../process/happenings.ts";
import { type At, bareOf, type Credentials, localpartOf } from "./chat-client.ts";
import { startEntity } from "./xmpp-start.ts";
import { trust } from "./xmpp-trust.ts";

const NS_SM = "urn:xmpp:sm:3";
const NS_SASL2 = "urn:xmpp:sasl:2";
const NS_STREAM = "http://etherx.jabber.org/streams";
const NS_ARCHIVE = "urn:xmpp:mam:2";
const NS_RESULT_SET = "http://jabber.org/protocol/rsm";
const NS_STANZA_IDS = "urn:xmpp:sid:0";
const NS_DELAY = "urn:xmpp:delay";
/** How long it rests before it tries to connect again, in milliseconds. */
const REST = 20;

/**
 * How it gets its stream: by XEP-0388 with everything else inline, or by RFC 6120 and XEP-0198 one after the other, as with
 * a server that does not know XEP-0388.
 */
export type Way = "inline" | "classic";

/** What became of its stream. `elements`: what was sent and received for it, from authentication on. */
export type StreamHappening =
  | { readonly what: "lost" }
  | { readonly what: "bound" | "resumed"; readonly jid: string; readonly elements: readonly string[] }
  /** A stanza of its own was acknowledged; or it learnt that it cannot know what became of it. */
  | { readonly what: "acknowledged" | "given up"; readonly text: string };

/** A message with a body, as it was shown: live, or out of the archive. */
export interface Said {
  readonly from: string;
  readonly text: string;
  /** What the account's archive calls it. */
  readonly stanzaId: string | undefined;
  readonly isDelayed: boolean;
}

/**
 * A device with `@xmpp/client` on it that moves about: it uses stream management, connects again by itself whenever its
 * connection breaks, and goes on with its stream where that is possible.
 */
export class Mobile {
  /** Bare. */
  readonly jid: string;
  readonly stanzas = new Happenings<XmlElement>();
  readonly stream = new Happenings<StreamHappening>();
  /** `<stream:features/>`, in order, as it was shown them. */
  readonly features: XmlElement[] = [];
  /** How many stanzas it has got, each time that it has said so. */
  readonly acknowledged = new Happenings<number>();
  readonly #entity: Entity;
  #elements: string[] = [];
  #isNegotiating = false;
  #token: FastToken | undefined;

  /** Connects and binds a resource. */
  static async login(credentials: Credentials, at: At, way: Way = "inline"): Promise<Mobile> {
    const mobile = new Mobile(credentials, at, way);
    await startEntity(mobile.#entity);
    return mobile;
  }

  private constructor({ jid, password }: Credentials, { certificateFile, port, tls }: At, way: Way) {
    trust(certificateFile);
    this.jid = jid;
    const scheme = tls === "direct" ? "xmpps" : "xmpp";
    const entity = client({
      service: `${scheme}://localhost:${port}`,
      domain: jid.slice(jid.indexOf("@") + 1),
      timeout: PATIENCE,
      username: localpartOf(jid),
      password,
      userAgent: xml("user-agent", { id: crypto.randomUUID() }),
    });
    this.#entity = entity;
    entity.reconnect.delay = REST;
    // Every attempt that comes to nothing leaves some behind for a while.
    entity.setMaxListeners(0);
    entity.fast.fetchToken = async () => this.#token;
    entity.fast.saveToken = async (token) => {
      this.#token = token;
    };
    entity.fast.deleteToken = async () => {
      this.#token = undefined;
    };
    if (way === "classic") entity.prependListener("element", withoutSasl2);
    this.#listen();
  }

  /** Full. */
  get fullJid(): string {
    return this.#entity.jid?.toString() ?? "";
  }

  async send(stanza: XmlElement): Promise<void> {
    await this.#entity.send(stanza);
  }

  say(to: string, text: string): Promise<void> {
    return this.send(xml("message", { to, type: "chat" }, xml("body", {}, text)));
  }

  /** Gives the result, or rejects with the error of the stanza. */
  request(iq: XmlElement): Promise<XmlElement> {
    return this.#entity.iqCaller.request(iq, PATIENCE);
  }

  /** What was sent to it and by it so far has been handled: stanzas of one stream are, in order. */
  async settle(): Promise<void> {
    const to = this.jid.slice(this.jid.indexOf("@") + 1);
    await this.request(xml("iq", { type: "get", to }, xml("ping", { xmlns: "urn:xmpp:ping" })));
  }

  /** Everything that somebody said to it, in order, however often. */
  heard(from: string): readonly Said[] {
    return this.stanzas.all.flatMap((stanza) => saidOf(stanza, this.jid) ?? []).filter((said) => said.from === from);
  }

  async whenTold(from: string, text: string): Promise<void> {
    await this.stanzas.next(`${from} says ${text}`, (stanza) => {
      const said = saidOf(stanza, this.jid);
      return said?.from === from && said.text === text;
    });
  }

  /** Presence of somebody: `"available"` or its type, in order. */
  presence(from: string): readonly string[] {
    return this.stanzas.all
      .filter(({ name, attrs }) => name === "presence" && bareOf(attrs.from ?? "") === from)
      .map(({ attrs }) => attrs.type ?? "available");
  }

  async whenPresent(from: string, type?: string): Promise<void> {
    await this.stanzas.next(
      `presence ${type ?? "available"} of ${from}`,
      ({ name, attrs }) => name === "presence" && attrs.type === type && bareOf(attrs.from ?? "") === from,
    );
  }

  /** XEP-0313: everything in its archive, or what came after an id. */
  async archive(after?: string): Promise<readonly Said[]> {
    const from = this.stanzas.all.length;
    const set = xml("set", { xmlns: NS_RESULT_SET }, ...(after === undefined ? [] : [xml("after", {}, after)]));
    await this.request(xml("iq", { type: "set" }, xml("query", { xmlns: NS_ARCHIVE }, set)));
    return this.stanzas.all.slice(from).flatMap((stanza) => archivedOf(stanza) ?? []);
  }

  /** Settles when its stream has broken, is resumed or is bound anew. */
  whenStream<W extends StreamHappening["what"]>(what: W): Promise<Extract<StreamHappening, { what: W }>> {
    const happened = this.stream.next(`that its stream is ${what}`, (one) => one.what === what);
    return happened as Promise<Extract<StreamHappening, { what: W }>>;
  }

  /** The texts of its own messages that were acknowledged so far, or given up. */
  textsOf(what: "acknowledged" | "given up"): readonly string[] {
    return this.stream.all.flatMap((one) => (one.what === what && one.text !== "" ? [one.text] : []));
  }

  async whenAcknowledged(text: string): Promise<void> {
    await this.stream.next(`an acknowledgement of ${text}`, (one) => one.what === "acknowledged" && one.text === text);
  }

  /** Closes its stream. */
  async leave(): Promise<void> {
    this.#entity.reconnect.stop();
    await this.#entity.stop();
  }

  /** Ends it, however. */
  kill(): void {
    this.#entity.reconnect.stop();
    const { socket } = this.#entity;
    (socket?.socket ?? socket)?.destroy?.();
  }

  #listen(): void {
    const entity = this.#entity;
    const manager = entity.streamManagement;
    countAll(entity);
    entity.on("stanza", (stanza) => this.stanzas.add(stanza));
    entity.on("connect", () => {
      this.#elements = [];
      this.#isNegotiating = true;
    });
    entity.on("send", (element) => {
      this.#note(">", element);
      if (element.is("a", NS_SM)) this.acknowledged.add(Number(element.attrs.h));
    });
    entity.on("element", (element) => {
      this.#note("<", element);
      if (element.is("features", NS_STREAM)) this.features.push(element);
    });
    // What breaks shows as a stream that is lost.
    entity.on("error", () => {});
    let isThere = false;
    const got = (what: "bound" | "resumed"): void => {
      isThere = true;
      this.stream.add({ what, jid: this.fullJid, elements: [...this.#elements] });
    };
    entity.on("online", () => got("bound"));
    manager.on("resumed", () => got("resumed"));
    entity.on("disconnect", () => {
      if (isThere) this.stream.add({ what: "lost" });
      isThere = false;
    });
    manager.on("ack", (stanza) => this.stream.add({ what: "acknowledged", text: textOf(stanza) }));
    manager.on("fail", (stanza) => this.stream.add({ what: "given up", text: textOf(stanza) }));
  }

  #note(direction: "<" | ">", element: XmlElement): void {
    if (!this.#isNegotiating || BEFORE.has(element.name)) return;
    this.#elements.push(direction + described(element));
    const isResult = element.attrs.type === "result";
    if (element.is("success", NS_SASL2) || element.is("resumed", NS_SM) || isResult) this.#isNegotiating = false;
  }
}

/** The name of an element of negotiation, and of what it has inline. */
const described = (element: XmlElement): string => {
  const { mechanism } = element.attrs;
  const inline = element.getChildElements().filter((child) => INLINE.has(child.name));
  return [element.name, ...(mechanism === undefined ? [] : [mechanism]), ...inline.map(({ name }) => name)].join(" ");
};
const BEFORE = new Set(["stream:features", "starttls", "proceed"]);
const INLINE = new Set(["resume", "resumed", "failed", "bind", "bound"]);

const textOf = (stanza: XmlElement): string => stanza.getChildText("body") ?? "";

const saidOf = (message: XmlElement, account: string): Said | undefined => {
  const text = message.getChildText("body");
  if (message.name !== "message" || message.attrs.type === "error" || text === null) return undefined;
  const ids = message.getChildren("stanza-id", NS_STANZA_IDS).filter(({ attrs }) => attrs.by === account);
  if (ids.length > 1) throw new Error(`two ids by ${account}: ${message}`);
  const isDelayed = message.getChild("delay", NS_DELAY) !== undefined;
  return { from: bareOf(message.attrs.from ?? ""), text, stanzaId: ids[0]?.attrs.id, isDelayed };
};

const archivedOf = (stanza: XmlElement): Said | undefined => {
  const result = stanza.getChild("result", NS_ARCHIVE);
  const message = result?.getChild("forwarded", "urn:xmpp:forward:0")?.getChild("message");
  const text = message?.getChildText("body");
  if (message === undefined || text === null || text === undefined) return undefined;
  return { from: bareOf(message.attrs.from ?? ""), text, stanzaId: result?.attrs.id, isDelayed: true };
};

/** The library does not count the answers to its own requests, and would be sent them, and what came before them, again. */
const countAll = (entity: Entity): void => {
  const manager = entity.streamManagement;
  let before = 0;
  entity.prependListener("element", () => {
    before = manager.inbound;
  });
  entity.on("element", ({ name }) => {
    if (name === "iq" && manager.enabled && manager.inbound === before) manager.inbound++;
  });
};

/** It is shown the features of a stream as if XEP-0388 was not among them. */
const withoutSasl2 = (element: XmlElement): void => {
  if (!element.is("features", NS_STREAM)) return;
  const offered = element.getChild("authentication", NS_SASL2);
  if (offered !== undefined) element.remove(offered);
};
