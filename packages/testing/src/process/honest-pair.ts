import { RawClient } from "./raw-client.ts";
import type { KithServer } from "./server.ts";

const PASSWORD = "of good character";
/** How long each rests between two messages, in milliseconds. */
const REST = 20;

/** What an honest pair has seen. */
export interface Conversation {
  /** Messages that arrived, each once and in order. */
  readonly messages: number;
  /** The longest that one was under way, in milliseconds. */
  readonly slowest: number;
}

/**
 * Two who chat all the time, one message at a time, while others do their worst. Accounts are made in-band, so the server
 * has to let anybody register, and has to let this machine log in without TLS.
 */
export class HonestPair {
  readonly #one: RawClient;
  readonly #other: RawClient;
  #messages = 0;
  #slowest = 0;
  #isOver = false;
  readonly #talk: Promise<void>;
  #fault: unknown;

  static async meet(server: KithServer): Promise<HonestPair> {
    const [one, other] = await Promise.all(["alice", "bob"].map((name) => arrive(server, name)));
    return new HonestPair(one as RawClient, other as RawClient);
  }

  private constructor(one: RawClient, other: RawClient) {
    this.#one = one;
    this.#other = other;
    this.#talk = this.#chat().catch((error: unknown) => {
      if (!this.#isOver) this.#fault = error;
    });
  }

  /**
   * What has been seen since last asked, once `more` further messages have arrived. Rejects where one was lost, came
   * twice or out of order, or a stream was closed.
   */
  async seen(more = 3): Promise<Conversation> {
    const enough = this.#messages + more;
    while (this.#messages < enough && this.#fault === undefined) await rest(REST);
    if (this.#fault !== undefined) throw this.#fault;
    const seen = { messages: this.#messages, slowest: Math.round(this.#slowest) };
    this.#slowest = 0;
    return seen;
  }

  async part(): Promise<void> {
    this.#isOver = true;
    this.#one.destroy();
    this.#other.destroy();
    await this.#talk;
  }

  async #chat(): Promise<void> {
    while (!this.#isOver) {
      await this.#say(this.#one, this.#other, "bob");
      await this.#say(this.#other, this.#one, "alice");
      await rest(REST);
    }
  }

  async #say(from: RawClient, to: RawClient, name: string): Promise<void> {
    const body = `<body>message ${this.#messages + 1}</body>`;
    const sent = performance.now();
    from.send(`<message type='chat' to='${name}@localhost/home'>${body}</message>`);
    const received = await to.until(body);
    if (received.split("<body>message ").length !== 2) throw new Error(`not ${body} alone: ${received}`);
    this.#messages++;
    this.#slowest = Math.max(this.#slowest, performance.now() - sent);
  }
}

const arrive = async (server: KithServer, name: string): Promise<RawClient> => {
  const registering = await RawClient.connect({ port: server.port("c2s") });
  await registering.register(name, PASSWORD);
  registering.destroy();
  const client = await RawClient.connect({ port: server.port("c2s") });
  await client.login(name, PASSWORD, "home");
  client.send("<presence/>");
  return client;
};

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
