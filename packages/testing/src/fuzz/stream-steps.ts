/** What strangers do to a server, step by step: plain data, so that steps can be left out and the rest done again. */
import {
  BAD_ADDRESSES,
  COMPONENT,
  GOOD_ADDRESSES,
  HOST,
  HOSTILE_TEXTS,
  OTHER_HOST,
  RESOURCES,
  STRANGERS,
} from "./hostile-values.ts";
import { mutated } from "./mutate.ts";
import type { Random } from "./random.ts";
import { type Manners, StanzaTexts } from "./stanza-texts.ts";
import { XmlDocuments } from "./xml-documents.ts";

export type Door = "starttls" | "direct TLS" | "component";

export type Step =
  | { readonly do: "connect"; readonly peer: number; readonly door: Door; readonly address: string }
  /** In pieces of so many bytes. */
  | { readonly do: "send"; readonly peer: number; readonly text: string; readonly piece: number }
  /** Bytes as latin1. */
  | { readonly do: "junk"; readonly peer: number; readonly bytes: string }
  /** From whatever state to a bound resource, one thing after the other, or all of it in one piece. */
  | {
      readonly do: "login";
      readonly peer: number;
      readonly account: string;
      readonly resource: string;
      readonly inOnePiece: boolean;
    }
  | { readonly do: "handshake"; readonly peer: number }
  /** Closes its direction of the connection. */
  | { readonly do: "half-close"; readonly peer: number }
  | { readonly do: "vanish"; readonly peer: number }
  | { readonly do: "read"; readonly peer: number; readonly on: boolean }
  /** Time as streams count it. */
  | { readonly do: "pass"; readonly ms: number }
  /** The clock on the wall is set, forwards or backwards. */
  | { readonly do: "set clock"; readonly ms: number }
  | { readonly do: "disk"; readonly how: "holds" | "commits" | "fails" | "is prompt" }
  /** The honest two exchange a message. */
  | { readonly do: "chat" }
  | { readonly do: "remove account"; readonly account: string };

/** How many connections strangers have at a time; the component is one more, with this number. */
export const PEERS = 5;

const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "127.0.0.1", "::ffff:192.0.2.1"];
const TLS_HEADER =
  "<stream:stream to='example.org' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

export class StreamSteps {
  readonly #random: Random;
  readonly #manners: Manners;
  readonly #stanzas: StanzaTexts;

  constructor(random: Random) {
    this.#random = random;
    this.#manners = random.pick(["polite", "rude"]);
    this.#stanzas = new StanzaTexts(random, this.#manners);
  }

  sequence(length: number): readonly Step[] {
    const random = this.#random;
    const peers = random.between(1, PEERS);
    const logins = Array.from({ length: peers }, (_, peer) => (random.oneIn(4) ? [] : this.#arrival(peer))).flat();
    const steps: Step[] = [...logins];
    while (steps.length < length) steps.push(...this.#next(random.int(peers)));
    return steps;
  }

  #arrival(peer: number): readonly Step[] {
    const random = this.#random;
    const arrival = [this.#connection(peer, random.oneIn(3) ? "starttls" : "direct TLS"), this.#login(peer)];
    if (random.oneIn(4)) return arrival;
    const roster = random.oneIn(2) ? "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>" : "";
    return [...arrival, { do: "send", peer, text: `${roster}<presence/>`, piece: 100_000 }];
  }

  #next(peer: number): readonly Step[] {
    const random = this.#random;
    const often = this.#manners === "rude" ? 2 : 0;
    return random.choose<readonly Step[]>([
      [30, () => [{ do: "send", peer, text: this.#stanzas.any(), piece: this.#piece() }]],
      [6, () => [{ do: "send", peer, text: this.#burst(), piece: this.#piece() }]],
      [3, () => this.#arrival(peer)],
      [4, () => this.#component()],
      [2 * often, () => this.#insult(peer)],
      [1, () => [{ do: "half-close", peer }]],
      [2, () => [{ do: "vanish", peer }]],
      [2, () => [{ do: "read", peer, on: random.oneIn(2) }]],
      [3, () => [{ do: "pass", ms: random.pick([1, 200, 1_500, 5_000, 20_000, 61_000]) }]],
      [
        1,
        () => [{ do: "set clock", ms: random.pick([1, -1, 1_000, -3_600_000, 86_400_000, -86_400_000, 3e10, -3e10]) }],
      ],
      [3, () => [{ do: "disk", how: random.pick(["holds", "commits", "commits", "fails", "is prompt"]) }]],
      [4, () => [{ do: "chat" }]],
      [random.oneIn(10) ? 1 : 0, () => [{ do: "remove account", account: random.pick(STRANGERS) }]],
    ]);
  }

  /** Most often the end of the stream. */
  #insult(peer: number): readonly Step[] {
    const random = this.#random;
    const piece = this.#piece();
    return random.choose<readonly Step[]>([
      [2, () => [this.#connection(peer, random.pick(["starttls", "direct TLS"]))]],
      [2, () => [this.#connection(peer, "starttls"), { do: "send", peer, text: this.#header(), piece }]],
      [2, () => [this.#connection(peer, "starttls"), { do: "send", peer, text: this.#opening(), piece }]],
      [1, () => [{ do: "send", peer, text: this.#header(), piece }]],
      [2, () => [{ do: "send", peer, text: this.#stanzas.oddity(), piece }]],
      [2, () => [{ do: "handshake", peer }]],
      [2, () => [this.#login(peer)]],
      [2, () => [{ do: "junk", peer, bytes: this.#junk() }]],
      [1, () => [{ do: "send", peer, text: random.pick(["</stream:stream>", " \n ", "</", "<"]), piece }]],
    ]);
  }

  #component(): readonly Step[] {
    const random = this.#random;
    const connection = this.#connection(PEERS, "component");
    return random.choose<readonly Step[]>([
      [2, () => [connection, this.#login(PEERS)]],
      [6, () => [{ do: "send", peer: PEERS, text: this.#stanzas.fromComponent(), piece: this.#piece() }]],
      [1, () => [{ do: "send", peer: PEERS, text: this.#stanzas.any(), piece: this.#piece() }]],
      [1, () => [connection, { do: "send", peer: PEERS, text: this.#opening(), piece: this.#piece() }]],
    ]);
  }

  #piece(): number {
    return this.#random.oneIn(3) ? this.#random.pick([1, 2, 7, 50]) : 100_000;
  }

  #connection(peer: number, door: Door): Step {
    return { do: "connect", peer, door, address: this.#random.pick(ADDRESSES) };
  }

  #login(peer: number): Step {
    const random = this.#random;
    const resource = random.oneIn(8) ? random.pick(HOSTILE_TEXTS) : random.pick(RESOURCES.slice(0, 4));
    return { do: "login", peer, account: random.pick(STRANGERS), resource, inOnePiece: random.oneIn(3) };
  }

  #burst(): string {
    return this.#random.several(2, 12, () => this.#stanzas.any()).join("");
  }

  #header(): string {
    const random = this.#random;
    const value = (): string =>
      random
        .pick(random.oneIn(2) ? GOOD_ADDRESSES : random.oneIn(2) ? BAD_ADDRESSES : HOSTILE_TEXTS)
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll("'", "&apos;");
    const to = random.oneIn(3)
      ? random.pick(["", ` to='${value()}'`])
      : ` to='${random.pick([HOST, HOST, OTHER_HOST])}'`;
    const from = random.oneIn(3) ? ` from='${value()}'` : "";
    const version = random.oneIn(5)
      ? random.pick(["", " version='0.9'", " version='1.99'", " version='x'"])
      : " version='1.0'";
    const lang = random.oneIn(4) ? ` xml:lang='${random.pick(["en", "de-CH", "x'".slice(0, 1), "123456789"])}'` : "";
    const content = random.oneIn(8) ? random.pick(["jabber:server", "urn:x", ""]) : "jabber:client";
    const declaration = random.oneIn(4) ? "<?xml version='1.0'?>" : "";
    return `${declaration}<stream:stream${to}${from}${version}${lang} xmlns='${content}' xmlns:stream='http://etherx.jabber.org/streams'>`;
  }

  /** Several things that belong one after the other, sent without waiting. */
  #opening(): string {
    const random = this.#random;
    const header = random.oneIn(2) ? this.#header() : TLS_HEADER;
    return header + random.several(1, 4, () => (random.oneIn(3) ? this.#header() : this.#stanzas.oddity())).join("");
  }

  #junk(): string {
    const random = this.#random;
    const source = random.oneIn(2) ? this.#stanzas.any() : new XmlDocuments(random).streams();
    const bytes = mutated(new TextEncoder().encode(source), random, random.between(1, 4));
    return Buffer.from(bytes).toString("latin1");
  }
}

/** What a component says before anything else. */
export const COMPONENT_HEADER = `<stream:stream to='${COMPONENT}' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>`;
export const CLIENT_HEADER = TLS_HEADER;
