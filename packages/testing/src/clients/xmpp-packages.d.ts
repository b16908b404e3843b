/** As much of the types of @xmpp/client and @xmpp/component as the tests use; the packages bring none. */
declare module "@xmpp/client" {
  export interface XmlElement {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string | undefined>>;
    is(name: string, namespace?: string): boolean;
    getChild(name: string, namespace?: string): XmlElement | undefined;
    getChildren(name: string, namespace?: string): XmlElement[];
    getChildText(name: string, namespace?: string): string | null;
    getChildElements(): XmlElement[];
    remove(child: XmlElement): void;
    toString(): string;
  }
  export type Content = XmlElement | string;
  export const xml: (
    name: string,
    attributes?: Readonly<Record<string, string | undefined>>,
    ...children: Content[]
  ) => XmlElement;

  export interface ClientOptions {
    readonly service: string;
    readonly domain: string;
    readonly resource?: string;
    readonly username?: string;
    readonly password?: string;
    readonly credentials?: (
      authenticate: (credentials: object, mechanism: string) => Promise<void>,
      mechanisms: readonly string[],
    ) => Promise<void>;
    /** `<user-agent/>` of XEP-0388; with an identifier of its own making unless given. */
    readonly userAgent?: XmlElement;
    /** Milliseconds. */
    readonly timeout?: number;
  }

  /** A token of XEP-0484 as the client keeps it. */
  export interface FastToken {
    readonly mechanism: string;
    readonly token: string;
    readonly expiry: string;
  }

  export interface Entity {
    readonly fast: {
      fetchToken(): Promise<FastToken | undefined>;
      saveToken(token: FastToken): Promise<void>;
      deleteToken(): Promise<void>;
    };
    readonly jid: { bare(): { toString(): string }; toString(): string } | null;
    readonly socket: { destroy?(): void; socket?: { destroy(): void } } | null;
    readonly reconnect: {
      /** Milliseconds. */
      delay: number;
      stop(): void;
    };
    readonly streamManagement: {
      readonly enabled: boolean;
      /** Stanzas that have come. */
      inbound: number;
      on(event: "resumed", listener: () => void): void;
      /** An own stanza is acknowledged; or it is not known whether it was handled. */
      on(event: "ack" | "fail", listener: (stanza: XmlElement) => void): void;
    };
    readonly iqCaller: { request(iq: XmlElement, timeout?: number): Promise<XmlElement> };
    readonly iqCallee: {
      get(namespace: string, name: string, handle: () => XmlElement | true): void;
      set(
        namespace: string,
        name: string,
        handle: (context: { readonly element: XmlElement; readonly stanza: XmlElement }) => XmlElement | true,
      ): void;
    };
    on(event: "error", listener: (error: Error & { readonly condition?: string }) => void): void;
    on(event: "stanza" | "element" | "send", listener: (stanza: XmlElement) => void): void;
    on(event: "connect" | "online", listener: () => void): void;
    on(event: "disconnect", listener: (how: { readonly clean: boolean }) => void): void;
    setMaxListeners(count: number): void;
    prependListener(event: "element", listener: (element: XmlElement) => void): void;
    readonly options: { readonly service: string; readonly domain: string };
    connect(service: string): Promise<unknown>;
    open(options: { readonly domain: string }): Promise<unknown>;
    stop(): Promise<unknown>;
    send(stanza: XmlElement): Promise<void>;
  }
  export const client: (options: ClientOptions) => Entity;
}

declare module "@xmpp/component" {
  import type { Entity, xml as Xml } from "@xmpp/client";
  export interface ComponentOptions {
    readonly service: string;
    readonly domain: string;
    readonly password: string;
  }
  export const component: (options: ComponentOptions) => Entity;
  export const xml: typeof Xml;
}
