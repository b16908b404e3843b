import { type ClientOptions, client, type Entity, type FastToken, type XmlElement, xml } from "@xmpp/client";
import { PATIENCE } from "../process/happenings.ts";
import { type At, type Credentials, localpartOf, Refused } from "./chat-client.ts";
import { startEntity } from "./xmpp-start.ts";
import { trust } from "./xmpp-trust.ts";

/** One login as it went over the wire, from `<authenticate/>` to `<success/>`. */
export interface Flights {
  /** Full. */
  readonly jid: string;
  /** What was sent and received, in its order: `">authenticate HT-SHA-256-NONE"`, `"<success"`. */
  readonly elements: readonly string[];
}

/**
 * A device with `@xmpp/client` on it, which keeps its token (XEP-0484) between logins. It has an identifier of its own, and
 * announces what it is called.
 */
export class Device {
  readonly #credentials: Credentials;
  readonly #userAgent: XmlElement;
  readonly #resource: string;
  /** What it would log in with the next time. */
  token: FastToken | undefined;
  #entity: Entity | undefined;
  /** Settles with the condition of the stream error that ended its latest stream, if one did. */
  disconnected: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(credentials: Credentials, id: string, name: string) {
    this.#credentials = credentials;
    this.#resource = name;
    this.#userAgent = xml("user-agent", { id }, xml("software", {}, "@xmpp/client"), xml("device", {}, name));
  }

  /** Connects and binds a resource. Rejects with `Refused`. */
  async login(at: At): Promise<Flights> {
    const entity = this.#open(at);
    const elements: string[] = [];
    const note = (line: string): void => {
      const isUnderWay = elements.length > 0 || line.startsWith(">authenticate");
      if (isUnderWay && !elements.includes("<success")) elements.push(line);
    };
    entity.on("send", (element) => note(`>${described(element)}`));
    entity.on("element", (element) => note(`<${described(element)}`));
    try {
      await startEntity(entity);
    } catch (error) {
      const { condition } = error as { condition?: string };
      throw condition === undefined ? error : new Refused(condition);
    }
    this.#entity = entity;
    return { jid: entity.jid?.toString() ?? "", elements: [...elements] };
  }

  #open({ certificateFile, port, tls }: At): Entity {
    trust(certificateFile);
    const { jid, password } = this.#credentials;
    const scheme = tls === "direct" ? "xmpps" : "xmpp";
    const options: ClientOptions = {
      service: `${scheme}://localhost:${port}`,
      domain: jid.slice(jid.indexOf("@") + 1),
      timeout: PATIENCE,
      username: localpartOf(jid),
      password,
      resource: this.#resource,
      userAgent: this.#userAgent,
    };
    const entity = client(options);
    entity.reconnect.stop();
    entity.fast.fetchToken = async () => this.token;
    entity.fast.saveToken = async (token) => {
      this.token = token;
    };
    entity.fast.deleteToken = async () => {
      this.token = undefined;
    };
    this.disconnected = disconnectedOf(entity);
    return entity;
  }

  /** Gives the result, or rejects with the error of the stanza. */
  request(iq: XmlElement): Promise<XmlElement> {
    if (this.#entity === undefined) throw new Error("not logged in");
    return this.#entity.iqCaller.request(iq, PATIENCE);
  }

  /** Closes its stream. */
  async leave(): Promise<void> {
    await this.#entity?.stop();
  }
}

const described = ({ name, attrs }: XmlElement): string =>
  attrs.mechanism === undefined ? name : `${name} ${attrs.mechanism}`;

const disconnectedOf = (entity: Entity): Promise<string | undefined> => {
  let condition: string | undefined;
  entity.on("error", (error) => {
    // What goes wrong with the connection afterwards has none.
    condition ??= error.condition;
  });
  return new Promise((resolve) => entity.on("disconnect", () => resolve(condition)));
};

export { xml as fastXml };
