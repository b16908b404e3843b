/** Logging in and registering, from the first byte on. */
import { Connection, DOMAIN, type Receiver } from "./connection.ts";
import { type KeyCache, ScramExchange } from "./scram.ts";
import { attributeOf, textOfChild } from "./splitter.ts";

/** The password of every account. */
export const PASSWORD = "correct-horse";

export interface Server {
  readonly port: number;
  /** Inside TLS, by STARTTLS? */
  readonly tls: boolean;
  readonly keys: KeyCache;
}

export interface Client {
  readonly connection: Connection;
  readonly user: string;
  /** Full JID. */
  readonly jid: string;
}

const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

/** What is waited for, and how it begins. */
const EXPECTED = {
  features: "<stream:features",
  proceed: "<proceed",
  challenge: "<challenge",
  success: "<success",
  "features after SASL": "<stream:features",
  bound: "<iq",
} as const;
type State = keyof typeof EXPECTED;

/** Resolves with a client that is bound and has sent no presence; rejects with what came instead. */
export const logIn = (server: Server, user: string, resource: string): Promise<Client> =>
  new Promise((resolve, reject) => {
    const login = new Login(server, user, resource, resolve, reject);
    login.begin();
  });

class Login implements Receiver {
  readonly #server: Server;
  readonly #user: string;
  readonly #resource: string;
  readonly #scram: ScramExchange;
  readonly #done: (client: Client) => void;
  readonly #failed: (error: Error) => void;
  #connection: Connection | undefined;
  #state: State = "features";
  #isSecure = false;

  constructor(
    server: Server,
    user: string,
    resource: string,
    done: (client: Client) => void,
    failed: (error: Error) => void,
  ) {
    this.#server = server;
    this.#user = user;
    this.#resource = resource;
    this.#scram = new ScramExchange(user, PASSWORD, server.keys);
    this.#done = done;
    this.#failed = failed;
  }

  begin(): void {
    this.#connection = new Connection(this.#server.port, this);
  }

  element(text: string, start: number, end: number): void {
    const element = text.slice(start, end);
    try {
      this.#step(element);
    } catch (error) {
      this.#fail(`${String(error)} (${element})`);
    }
  }

  ended(error: Error | undefined): void {
    this.#failed(
      new Error(`${this.#user} could not log in: ${error?.message ?? "closed"} (while in "${this.#state}")`),
    );
  }

  #step(element: string): void {
    if (!element.startsWith(EXPECTED[this.#state])) throw new Error(`this is not a ${EXPECTED[this.#state]}>`);
    switch (this.#state) {
      case "features":
        this.#negotiate(element);
        break;
      case "proceed":
        this.#isSecure = true;
        this.#state = "features";
        this.#connection?.startTls();
        break;
      case "challenge":
        this.#respond(textOfChild(element, "challenge") ?? "");
        break;
      case "success":
        if (!this.#scram.isProved(textOfChild(element, "success") ?? "")) throw new Error("bad server signature");
        this.#state = "features after SASL";
        this.#connection?.restart();
        break;
      case "features after SASL":
        this.#send("bound", bind(this.#resource));
        break;
      case "bound":
        this.#bound(element);
        break;
    }
  }

  #respond(challenge: string): void {
    this.#send("success", `<response ${SASL}>${this.#scram.final(challenge)}</response>`);
  }

  #negotiate(features: string): void {
    if (this.#server.tls && !this.#isSecure) {
      this.#send("proceed", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      return;
    }
    if (!/<mechanism>SCRAM-SHA-1<\/mechanism>/.test(features)) throw new Error("SCRAM-SHA-1 is not offered");
    this.#send("challenge", `<auth ${SASL} mechanism='SCRAM-SHA-1'>${this.#scram.first()}</auth>`);
  }

  #bound(element: string): void {
    const jid = textOfChild(element, "jid");
    const connection = this.#connection;
    if (jid === undefined || connection === undefined) throw new Error("no address was bound");
    this.#done({ connection, user: this.#user, jid });
  }

  #send(next: State, text: string): void {
    this.#state = next;
    this.#connection?.send(text);
  }

  #fail(reason: string): void {
    this.#failed(new Error(`${this.#user} could not log in: ${reason}`));
    this.#connection?.destroy();
  }
}

const bind = (resource: string): string =>
  `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind></iq>`;

/** Makes an account in-band (XEP-0077) on a connection of its own; one that is there already is left as it is. */
export const register = (port: number, user: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let isDone = false;
    const connection = new Connection(port, {
      element: (text, start, end) => {
        const element = text.slice(start, end);
        if (element.startsWith("<stream:features")) connection.send(registration(user));
        else {
          isDone = attributeOf(element, "type") === "result" || element.includes("<conflict");
          if (!isDone) reject(new Error(`${user} could not be registered: ${element}`));
          connection.close();
        }
      },
      ended: (error) => {
        if (isDone) resolve();
        else reject(new Error(`${user} could not be registered: ${error?.message ?? "closed"}`));
      },
    });
  });

const registration = (user: string): string =>
  `<iq type='set' id='register' to='${DOMAIN}'><query xmlns='jabber:iq:register'>` +
  `<username>${user}</username><password>${PASSWORD}</password></query></iq>`;
