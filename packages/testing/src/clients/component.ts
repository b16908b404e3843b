import type { Entity, XmlElement } from "@xmpp/client";
import { component, xml } from "@xmpp/component";
import { Happenings, PATIENCE } from "../process/happenings.ts";
import { Refused } from "./chat-client.ts";
import { startEntity } from "./xmpp-start.ts";

/** `@xmpp/component`: an external component (XEP-0114). It answers pings. */
export class ExternalComponent {
  readonly stanzas = new Happenings<XmlElement>();
  readonly domain: string;
  readonly #entity: Entity;

  private constructor(domain: string, entity: Entity) {
    this.domain = domain;
    this.#entity = entity;
    entity.reconnect.stop();
    entity.on("error", () => {
      // `start` rejects with it.
    });
    entity.on("stanza", (stanza) => this.stanzas.add(stanza));
    entity.iqCallee.get("urn:xmpp:ping", "ping", () => true);
  }

  /** Settles when the server has accepted its secret. Rejects with `Refused` and the condition of the stream error. */
  static async connect(domain: string, secret: string, port: number): Promise<ExternalComponent> {
    const entity = component({ service: `xmpp://127.0.0.1:${port}`, domain, password: secret });
    const connected = new ExternalComponent(domain, entity);
    try {
      await startEntity(entity);
    } catch (error) {
      const { condition } = error as { condition?: string };
      throw condition === undefined ? error : new Refused(condition);
    }
    return connected;
  }

  /** Answers requests of type set with this payload: by an empty result, or with the error that is given. */
  answers(namespace: string, name: string, answer: () => XmlElement | true): void {
    this.#entity.iqCallee.set(namespace, name, answer);
  }

  async send(stanza: XmlElement): Promise<void> {
    await this.#entity.send(stanza);
  }

  request(iq: XmlElement): Promise<XmlElement> {
    return this.#entity.iqCaller.request(iq, PATIENCE);
  }

  async stop(): Promise<void> {
    await this.#entity.stop();
  }
}

export { xml as componentXml };
