import { type ClientOptions, client, type Entity, type XmlElement, xml } from "@xmpp/client";
import { Happenings, PATIENCE } from "../process/happenings.ts";
import {
  type At,
  bareOf,
  type ChatClient,
  type ClientKind,
  type Contact,
  type Credentials,
  type Heard,
  localpartOf,
  Refused,
} from "./chat-client.ts";
import { startEntity } from "./xmpp-start.ts";
import { trust } from "./xmpp-trust.ts";

const NS_ROSTER = "jabber:iq:roster";
const NS_BLOCKING = "urn:xmpp:blocking";
const NS_REGISTER = "jabber:iq:register";
const NS_PREAUTH = "urn:xmpp:pars:0";
const NS_DELAY = "urn:xmpp:delay";
const NS_ARCHIVE = "urn:xmpp:mam:2";
const NS_FORWARD = "urn:xmpp:forward:0";
const NS_RESULT_SET = "http://jabber.org/protocol/rsm";

/** The last message that each account of a server has had from its archive, as a program keeps it between its runs. */
const SEEN = new Map<string, string>();

/** `@xmpp/client`, over STARTTLS or direct TLS, with the server's certificate checked. */
export const xmppJs: ClientKind = {
  name: "@xmpp/client",
  missing: undefined,
  takesInvitations: true,
  registersOver: ["starttls", "direct"],
  login: (credentials, at) => XmppJs.login(credentials, at),
  register: (credentials, at, token) => XmppJs.register(credentials, at, token),
};

/** An `@xmpp/client`, with more than other kinds can do: raw stanzas. */
export class XmppJs implements ChatClient {
  readonly jid: string;
  readonly stanzas = new Happenings<XmlElement>();
  /** Settles with the condition of the stream error that ended its stream, if one did, when the connection is gone. */
  readonly disconnected: Promise<string | undefined>;
  readonly #entity: Entity;
  /** The file that the server's certificate lies in: there is one of each server. */
  readonly #certificate: string;
  readonly #roster = new Map<string, Contact>();
  readonly #contacts = new Happenings<Contact>();

  private constructor(jid: string, entity: Entity, certificate: string) {
    this.jid = jid;
    this.#certificate = certificate;
    this.#entity = entity;
    this.disconnected = disconnectedOf(entity);
    entity.reconnect.stop();
    entity.on("stanza", (stanza) => this.stanzas.add(archived(stanza) ?? stanza));
    entity.iqCallee.set(NS_ROSTER, "query", ({ element }) => this.#pushed(element));
  }

  static login({ jid, password }: Credentials, at: At): Promise<XmppJs> {
    return XmppJs.#start(jid, entityOf(jid, at, { username: localpartOf(jid), password }), at);
  }

  static register({ jid, password }: Credentials, at: At, token?: string): Promise<XmppJs> {
    const username = localpartOf(jid);
    // Called when the server has offered its mechanisms: the moment at which one registers.
    const entity: Entity = entityOf(jid, at, {
      credentials: async (authenticate, [mechanism = ""]) => {
        await register(entity, username, password, token);
        await authenticate({ username, password }, mechanism);
      },
    });
    return XmppJs.#start(jid, entity, at);
  }

  static async #start(jid: string, entity: Entity, { certificateFile }: At): Promise<XmppJs> {
    const started = new XmppJs(jid, entity, certificateFile);
    try {
      await startEntity(entity);
      await started.#arrive();
    } catch (error) {
      await started.kill();
      throw refusal(error);
    }
    return started;
  }

  /** Interested in the roster and available, in that order (RFC 6121 §2.2). */
  async #arrive(): Promise<void> {
    const result = await this.request(xml("iq", { type: "get" }, xml("query", { xmlns: NS_ROSTER })));
    for (const item of result.getChild("query", NS_ROSTER)?.getChildren("item") ?? []) this.#take(item);
    await this.#catchUp();
    await this.send(xml("presence"));
    await this.#settled();
  }

  /**
   * XEP-0386 §4: to whoever binds by Bind 2, as this library does where it can, nothing is sent that the archive has. What
   * came meanwhile is asked for, as if it were being sent now.
   */
  async #catchUp(): Promise<void> {
    const account = `${bareOf(this.jid)} ${this.#certificate}`;
    for (let isComplete = false; !isComplete; ) {
      const after = SEEN.get(account);
      const set = xml("set", { xmlns: NS_RESULT_SET }, ...(after === undefined ? [] : [xml("after", {}, after)]));
      const result = await this.request(setIq(xml("query", { xmlns: NS_ARCHIVE }, set)));
      const fin = result.getChild("fin", NS_ARCHIVE);
      const last = fin?.getChild("set", NS_RESULT_SET)?.getChildText("last");
      if (last) SEEN.set(account, last);
      isComplete = !last || fin?.attrs.complete === "true";
    }
  }

  /** What was sent so far has been handled: stanzas of one stream are, in order. */
  async #settled(): Promise<void> {
    await this.request(xml("iq", { type: "get", to: domainOf(this.jid) }, xml("ping", { xmlns: "urn:xmpp:ping" })));
  }

  async send(stanza: XmlElement): Promise<void> {
    await this.#entity.send(stanza);
  }

  /** Gives the result. Rejects with `Refused`. */
  request(iq: XmlElement): Promise<XmlElement> {
    return requestOf(this.#entity, iq);
  }

  async addContact(jid: string, name: string): Promise<void> {
    await this.request(setIq(xml("query", { xmlns: NS_ROSTER }, xml("item", { jid, name }))));
    await this.whenContact({ jid, name, subscription: "none" });
  }

  async whenContact(wanted: Contact): Promise<void> {
    const isWanted = ({ jid, name, subscription }: Contact): boolean =>
      jid === wanted.jid && name === wanted.name && subscription === wanted.subscription;
    const known = this.#roster.get(wanted.jid);
    if (known === undefined || !isWanted(known)) await this.#contacts.next(JSON.stringify(wanted), isWanted);
  }

  askForPresence(of: string): Promise<void> {
    return this.send(xml("presence", { type: "subscribe", to: of }));
  }

  async whenAsked(by: string): Promise<void> {
    await this.#presence("subscribe", by);
  }

  allowPresence(to: string): Promise<void> {
    return this.send(xml("presence", { type: "subscribed", to }));
  }

  async whenAvailable(jid: string): Promise<void> {
    await this.#presence(undefined, jid);
  }

  async whenUnavailable(jid: string): Promise<void> {
    await this.#presence("unavailable", jid);
  }

  say(to: string, text: string): Promise<void> {
    return this.send(xml("message", { to, type: "chat" }, xml("body", {}, text)));
  }

  async whenTold(by: string, text: string): Promise<Heard> {
    const message = await this.stanzas.next(`${by} says ${text}`, (stanza) => isSaying(stanza, by, text));
    return { delayed: message.getChild("delay", NS_DELAY) !== undefined };
  }

  async wasTold(by: string, text: string): Promise<boolean> {
    await this.#settled();
    return this.stanzas.all.some((stanza) => isSaying(stanza, by, text));
  }

  async whenRefused(to: string): Promise<void> {
    const error = await this.stanzas.next(
      `an error from ${to}`,
      ({ name, attrs }) => name === "message" && attrs.type === "error" && bareOf(attrs.from ?? "") === to,
    );
    const condition = error.getChild("error")?.getChildElements()[0]?.name;
    if (condition !== "service-unavailable") throw new Refused(condition ?? "nothing");
  }

  async block(jid: string): Promise<void> {
    await this.request(setIq(xml("block", { xmlns: NS_BLOCKING }, xml("item", { jid }))));
  }

  async unblock(jid: string): Promise<void> {
    await this.request(setIq(xml("unblock", { xmlns: NS_BLOCKING }, xml("item", { jid }))));
  }

  async leave(): Promise<void> {
    await this.send(xml("presence", { type: "unavailable" }));
    await this.#entity.stop();
  }

  async kill(): Promise<void> {
    const { socket } = this.#entity;
    (socket?.socket ?? socket)?.destroy?.();
  }

  async #presence(type: string | undefined, from: string): Promise<void> {
    await this.stanzas.next(
      `presence ${type ?? "available"} of ${from}`,
      ({ name, attrs }) => name === "presence" && attrs.type === type && bareOf(attrs.from ?? "") === from,
    );
  }

  #pushed(query: XmlElement): true {
    for (const item of query.getChildren("item")) this.#take(item);
    return true;
  }

  #take({ attrs: { jid = "", name, subscription = "none" } }: XmlElement): void {
    if (subscription === "remove") {
      this.#roster.delete(jid);
      return;
    }
    const contact = { jid, name, subscription: subscription as Contact["subscription"] };
    this.#roster.set(jid, contact);
    this.#contacts.add(contact);
  }
}

const entityOf = (
  jid: string,
  { certificateFile, port, tls }: At,
  options: Pick<ClientOptions, "username" | "password" | "credentials">,
): Entity => {
  trust(certificateFile);
  const scheme = tls === "direct" ? "xmpps" : "xmpp";
  return client({ service: `${scheme}://localhost:${port}`, domain: domainOf(jid), timeout: PATIENCE, ...options });
};

const register = async (entity: Entity, username: string, password: string, token?: string): Promise<void> => {
  if (token !== undefined) await requestOf(entity, setIq(xml("preauth", { xmlns: NS_PREAUTH, token })));
  await requestOf(entity, xml("iq", { type: "get" }, xml("query", { xmlns: NS_REGISTER })));
  const fields = [xml("username", {}, username), xml("password", {}, password)];
  await requestOf(entity, setIq(xml("query", { xmlns: NS_REGISTER }, ...fields)));
};

const setIq = (payload: XmlElement): XmlElement => xml("iq", { type: "set" }, payload);

const requestOf = async (entity: Entity, iq: XmlElement): Promise<XmlElement> => {
  try {
    return await entity.iqCaller.request(iq, PATIENCE);
  } catch (error) {
    throw refusal(error);
  }
};

const refusal = (error: unknown): unknown => {
  const condition = (error as { condition?: unknown }).condition;
  return typeof condition === "string" && !(error instanceof Refused) ? new Refused(condition) : error;
};

const disconnectedOf = (entity: Entity): Promise<string | undefined> => {
  let condition: string | undefined;
  entity.on("error", (error) => {
    // What goes wrong with the connection afterwards has none.
    condition ??= error.condition;
  });
  return new Promise((resolve) => entity.on("disconnect", () => resolve(condition)));
};

/** What an archive holds, as if it had been sent late. */
const archived = (stanza: XmlElement): XmlElement | undefined => {
  const forwarded = stanza.getChild("result", NS_ARCHIVE)?.getChild("forwarded", NS_FORWARD);
  const message = forwarded?.getChild("message");
  const delay = forwarded?.getChild("delay", NS_DELAY);
  if (message === undefined || delay === undefined) return undefined;
  return xml("message", message.attrs, ...message.getChildElements(), delay);
};

const isSaying = (stanza: XmlElement, by: string, text: string): boolean =>
  stanza.name === "message" &&
  stanza.attrs.type !== "error" &&
  bareOf(stanza.attrs.from ?? "") === by &&
  stanza.getChildText("body") === text;

const domainOf = (jid: string): string => jid.slice(jid.indexOf("@") + 1);
