/** People and strangers who come and go. */
import { Random } from "../fuzz/random.ts";
import { RawClient, streamHeader } from "../process/raw-client.ts";
import type { KithServer } from "../process/server.ts";

export const PASSWORD = "of passing interest";

/** What was done, by name. */
export type Done = Record<string, number>;

/** Somebody with accounts to log in with, one session after another. */
export class Visitor {
  readonly #server: KithServer;
  readonly #random: Random;
  readonly #accounts: readonly string[];
  readonly #done: Done;
  #ids = 0;

  constructor(server: KithServer, seed: number, accounts: readonly string[], done: Done) {
    this.#server = server;
    this.#random = new Random(seed);
    this.#accounts = accounts;
    this.#done = done;
  }

  /** Comes and goes until told. */
  async until(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const client = await this.#connect();
      try {
        if (this.#random.oneIn(5)) await this.#misbehave(client);
        else await this.#live(client, isOver);
      } catch (error) {
        // Somebody has logged in to the same resource.
        if (!client.received.includes("<conflict ")) throw error;
        this.#count("replacements");
      } finally {
        client.destroy();
      }
    }
  }

  #count(what: string): void {
    this.#done[what] = (this.#done[what] ?? 0) + 1;
  }

  /** In the clear on this machine, over STARTTLS, or over TLS from the first byte. */
  async #connect(): Promise<RawClient> {
    const how = this.#random.pick(["plain", "plain", "STARTTLS", "direct TLS"]);
    this.#count(how);
    const port = this.#server.port(how === "direct TLS" ? "c2s-tls" : "c2s");
    const client = await RawClient.connect({ port, tls: how === "direct TLS" });
    if (how === "STARTTLS") await client.startTls("localhost");
    return client;
  }

  async #live(client: RawClient, isOver: () => boolean): Promise<void> {
    const random = this.#random;
    await client.login(random.pick(this.#accounts), PASSWORD, `r${random.int(4)}`);
    this.#count("logins");
    client.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>");
    await client.until("id='roster'");
    const acts = random.between(1, 25);
    for (let act = 0; act < acts && !isOver() && !client.isClosed; act++) await this.#act(client);
    if (random.oneIn(2)) client.send("</stream:stream>");
    if (random.oneIn(2)) client.halfClose();
    else client.destroy();
    this.#count("departures");
  }

  /** One stanza or a few, and a request whose answer says that they have been dealt with. */
  async #act(client: RawClient): Promise<void> {
    const random = this.#random;
    const id = `a${++this.#ids}`;
    const other = `${random.pick(this.#accounts)}@localhost`;
    const stanzas = random.choose([
      [6, () => `<message type='chat' to='${other}'><body>${"word ".repeat(random.between(1, 60))}</body></message>`],
      [2, () => `<message type='chat' to='${other}/r${random.int(4)}'><body>hello</body></message>`],
      [2, () => `<presence><show>${random.pick(["away", "xa", "dnd"])}</show></presence>`],
      [1, () => "<presence type='unavailable'/><presence/>"],
      [1, () => `<presence type='${random.pick(["subscribe", "subscribed", "unsubscribe"])}' to='${other}'/>`],
      [1, () => `<presence to='${other}'/>`],
      [1, () => rosterSet(id, `friend${random.int(30)}@localhost`, random.oneIn(3))],
      [1, () => `<iq type='get' id='i${id}' to='${other}'><vCard xmlns='vcard-temp'/></iq>`],
      [
        1,
        () => `<iq type='get' id='i${id}' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
      ],
      [
        1,
        () =>
          `<iq type='set' id='b${id}'><block xmlns='urn:xmpp:blocking'><item jid='foe${random.int(9)}@localhost'/></block></iq>`,
      ],
      [1, () => `<iq type='set' id='b${id}'><unblock xmlns='urn:xmpp:blocking'/></iq>`],
    ]);
    client.send(`${stanzas}<iq type='get' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`);
    await client.until(`id='${id}'`);
    this.#count("acts");
  }

  /** A stream that gets nowhere. */
  async #misbehave(client: RawClient): Promise<void> {
    const random = this.#random;
    this.#count("misdeeds");
    const deed = random.pick([
      "",
      "<",
      streamHeader("localhost").slice(0, 30),
      `${streamHeader("localhost")}<message>`,
      `${streamHeader("localhost")}<!DOCTYPE a>`,
      `${streamHeader("elsewhere.example")}`,
      `${streamHeader("localhost")}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>`,
      "\u0016\u0003\u0001",
    ]);
    client.send(deed);
    await new Promise((resolve) => setTimeout(resolve, random.int(50)));
  }
}

const rosterSet = (id: string, contact: string, isRemoved: boolean): string =>
  `<iq type='set' id='r${id}'><query xmlns='jabber:iq:roster'><item jid='${contact}'${isRemoved ? " subscription='remove'" : " name='A friend'"}/></query></iq>`;
