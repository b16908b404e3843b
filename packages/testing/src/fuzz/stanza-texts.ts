/** Stanzas as strangers may write them: right, nearly right, and wrong in one place or many. */
import { type Element, element, isElement, type Node, parseElement, toText, writeElement } from "@kith/protocol";
import {
  BAD_ADDRESSES,
  COMPONENT,
  GOOD_ADDRESSES,
  HONEST,
  HOST,
  HOSTILE_TEXTS,
  NAMESPACES,
  STRANGERS,
} from "./hostile-values.ts";
import type { Random } from "./random.ts";

/** What is asked with an IQ, as the specifications have it. "{jid}", "{text}", "{name}" and "{ns}" stand for values. */
const REQUESTS: readonly (readonly ["get" | "set" | "either", string])[] = [
  ["get", "<query xmlns='jabber:iq:roster'/>"],
  ["get", "<query xmlns='jabber:iq:roster' ver='{text}'/>"],
  ["set", "<query xmlns='jabber:iq:roster'><item jid='{jid}' name='{text}'><group>{text}</group></item></query>"],
  ["set", "<query xmlns='jabber:iq:roster'><item jid='{jid}' subscription='remove'/></query>"],
  ["set", "<query xmlns='jabber:iq:roster'><item jid='{jid}' subscription='both' ask='subscribe'/></query>"],
  ["get", "<query xmlns='jabber:iq:private'><a xmlns='{ns}'/></query>"],
  ["set", "<query xmlns='jabber:iq:private'><a xmlns='{ns}'><b>{text}</b></a></query>"],
  ["get", "<query xmlns='jabber:iq:register'/>"],
  ["set", "<query xmlns='jabber:iq:register'><username>{name}</username><password>{text}</password></query>"],
  ["set", "<query xmlns='jabber:iq:register'><remove/></query>"],
  [
    "set",
    "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:register</value></field><field var='username'><value>{name}</value></field><field var='password'><value>{text}</value></field></x></query>",
  ],
  ["set", "<preauth xmlns='urn:xmpp:pars:0' token='{text}'/>"],
  ["get", "<query xmlns='jabber:iq:last'/>"],
  ["get", "<query xmlns='jabber:iq:version'/>"],
  ["either", "<query xmlns='jabber:iq:auth'><username>{name}</username></query>"],
  ["get", "<vCard xmlns='vcard-temp'/>"],
  ["set", "<vCard xmlns='vcard-temp'><FN>{text}</FN><JABBERID>{jid}</JABBERID></vCard>"],
  ["get", "<ping xmlns='urn:xmpp:ping'/>"],
  ["get", "<time xmlns='urn:xmpp:time'/>"],
  ["get", "<blocklist xmlns='urn:xmpp:blocking'/>"],
  ["set", "<block xmlns='urn:xmpp:blocking'><item jid='{jid}'/><item jid='{jid}'/></block>"],
  ["set", "<unblock xmlns='urn:xmpp:blocking'><item jid='{jid}'/></unblock>"],
  ["set", "<unblock xmlns='urn:xmpp:blocking'/>"],
  ["set", "<enable xmlns='urn:xmpp:carbons:2'/>"],
  ["get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"],
  ["get", "<query xmlns='http://jabber.org/protocol/disco#info' node='{text}'/>"],
  ["get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"],
  ["get", "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>"],
  ["set", "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite' action='execute'/>"],
  [
    "set",
    "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#create-account' sessionid='{text}'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>{name}</value></field></x></command>",
  ],
  ["set", "<command xmlns='http://jabber.org/protocol/commands' node='{text}' action='{text}'/>"],
  ["set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{text}</resource></bind>"],
  ["set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"],
  ["either", "<a xmlns='{ns}'/>"],
];

const PRESENCE_TYPES = ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "unavailable", "error"];
const MESSAGE_TYPES = ["chat", "normal", "headline", "groupchat", "error"];

/** What may stand in messages and presence. */
const EXTENSIONS: readonly string[] = [
  "<body>{text}</body>",
  "<body xml:lang='{text}'>{text}</body>",
  "<subject>{text}</subject>",
  "<thread parent='{text}'>{text}</thread>",
  "<show>{text}</show>",
  "<status>{text}</status>",
  "<priority>{text}</priority>",
  "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='{text}' ver='{text}'/>",
  "<active xmlns='http://jabber.org/protocol/chatstates'/>",
  "<delay xmlns='urn:xmpp:delay' stamp='{text}' from='{jid}'/>",
  "<no-store xmlns='urn:xmpp:hints'/>",
  "<store xmlns='urn:xmpp:hints'/>",
  "<stanza-id xmlns='urn:xmpp:sid:0' by='{jid}' id='{text}'/>",
  "<x xmlns='jabber:x:data' type='{text}'><field var='{text}'><value>{text}</value></field></x>",
  "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
  "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='{jid}' to='{jid}'><body>{text}</body></message></forwarded>",
  "<preauth xmlns='urn:xmpp:pars:0' token='{text}'/>",
  "<message xmlns='jabber:server'><body>{text}</body></message>",
  "<a xmlns='{ns}'>{text}</a>",
];

/** First-level elements that are no stanzas, or not of this stream. */
const ODDITIES: readonly string[] = [
  "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>x</starttls>",
  "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>=</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-512'>{scram}</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1tYWxsb3J5LHI9YWJj</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>{text}</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1-PLUS'>cD10bHMtdW5pcXVlLCxuPWEscj1i</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{text}'/>",
  "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
  "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</response>",
  "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9YWJjLHA9ZEhWeWJYQT0=</response>",
  "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
  "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
  "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
  "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
  "<resume xmlns='urn:xmpp:sm:3' previd='{text}' h='{text}'/>",
  "<r xmlns='urn:xmpp:sm:3'/>",
  "<a xmlns='urn:xmpp:sm:3' h='{text}'/>",
  "<active xmlns='urn:xmpp:csi:0'/>",
  "<handshake>{text}</handshake>",
  "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
  "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",
  "<message xmlns='jabber:server' to='{jid}'/>",
  "<iq xmlns='jabber:component:accept' type='get' id='1'/>",
  "<iq xmlns='' type='get' id='1'/>",
  "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
  "<a xmlns='{ns}'>{text}</a>",
];

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;").replaceAll("]]>", "]]&gt;");

/** "polite": nothing that ends the stream it is sent on. */
export type Manners = "polite" | "rude";

/** Of a stanza, by default. */
const MOST_BYTES = 262_144;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export class StanzaTexts {
  readonly #random: Random;
  readonly #isPolite: boolean;
  #ids = 0;
  /** Whoever sends, where both addresses have to be said (XEP-0114 §3). */
  #sender: string | undefined;

  constructor(random: Random, manners: Manners) {
    this.#random = random;
    this.#isPolite = manners === "polite";
  }

  /** A stanza, or something else at the first level. Requests have an id that no other has. */
  any(): string {
    return this.#random.choose([
      [6, () => this.request()],
      [4, () => this.presence()],
      [4, () => this.message()],
      [2, () => this.#answer()],
      [this.#isPolite ? 0 : 1, () => this.oddity()],
    ]);
  }

  /** The same from an address of the component's. */
  fromComponent(): string {
    const random = this.#random;
    this.#sender = random.pick([COMPONENT, COMPONENT, `room@${COMPONENT}`, `room@${COMPONENT}/mallory`]);
    const text = random.choose([
      [2, () => this.request()],
      [2, () => this.presence()],
      [2, () => this.message()],
      [1, () => this.#answer()],
    ]);
    this.#sender = undefined;
    return text;
  }

  request(): string {
    const random = this.#random;
    const [kind, payload] = random.pick(REQUESTS);
    const right = kind === "either" ? random.pick(["get", "set"]) : kind;
    const type = random.oneIn(15) ? random.pick(["get", "set", "", "GET", "query"]) : right;
    const id = random.oneIn(30) ? this.#text() : `q${++this.#ids}-${random.int(1_000_000)}`;
    const attributes = `type='${type}'${random.oneIn(40) ? "" : ` id='${id}'`}${this.#addresses(2)}`;
    const more = random.oneIn(40) ? this.#fill(random.pick(EXTENSIONS)) : "";
    return `<iq ${attributes}>${random.oneIn(60) ? "" : this.#payload(payload)}${more}</iq>`;
  }

  presence(): string {
    const random = this.#random;
    const type = random.oneIn(3) ? "" : ` type='${random.oneIn(20) ? this.#text() : random.pick(PRESENCE_TYPES)}'`;
    const children = random.several(0, 2, () => this.#payload(random.pick(EXTENSIONS)));
    return this.#stretched(`<presence${type}${this.#addresses(3)}`, `${children.join("")}</presence>`);
  }

  message(): string {
    const random = this.#random;
    const type = random.oneIn(4) ? "" : ` type='${random.oneIn(20) ? this.#text() : random.pick(MESSAGE_TYPES)}'`;
    const lang = random.oneIn(6) ? ` xml:lang='${this.#text()}'` : "";
    const other = random.oneIn(10) ? ` xmlns:p='urn:p' p:${random.pick(["a", "to", "from"])}='${this.#text()}'` : "";
    const children = random.several(0, 3, () => this.#payload(random.pick(EXTENSIONS)));
    return this.#stretched(`<message${type}${lang}${other}${this.#addresses(8)}`, `${children.join("")}</message>`);
  }

  /** Now and then as many attributes or bytes as may just be. */
  #stretched(start: string, rest: string): string {
    const random = this.#random;
    if (random.oneIn(25)) {
      const attributes = random.between(58, 64) - (start.match(/=/g)?.length ?? 0);
      return `${start}${Array.from({ length: attributes }, (_, at) => ` a${at}=''`).join("")}>${rest}`;
    }
    if (random.oneIn(200)) {
      const bytes = MOST_BYTES - Buffer.byteLength(start + rest) - random.between(1, 20);
      return `${start}>${random.pick(["x", "'", '"']).repeat(Math.max(0, bytes))}${rest}`;
    }
    return `${start}>${rest}`;
  }

  oddity(): string {
    return this.#fill(this.#random.pick(ODDITIES));
  }

  /** A result or an error, that nobody or somebody may have asked for. */
  #answer(): string {
    const random = this.#random;
    const type = random.pick(["result", "error"]);
    const payload = random.oneIn(3) ? "" : this.#payload(random.pick(REQUESTS)[1]);
    return `<iq type='${type}' id='${this.#text()}'${this.#addresses(4)}>${payload}</iq>`;
  }

  /** `to` most of the time, `from` seldom and then most often a lie. */
  #addresses(oftenTo: number): string {
    const random = this.#random;
    if (this.#sender !== undefined) return ` from='${this.#sender}' to='${this.#address()}'`;
    const to = random.int(10) < oftenTo || random.oneIn(3) ? ` to='${this.#address()}'` : "";
    const from = !this.#isPolite && random.oneIn(20) ? ` from='${this.#address()}'` : "";
    return to + from;
  }

  #address(): string {
    const random = this.#random;
    const address = random.choose([
      [5, () => random.pick(GOOD_ADDRESSES)],
      [2, () => `${random.pick(STRANGERS)}@${HOST}/${random.pick(["a", "b"])}`],
      [3, () => `${random.pick(STRANGERS)}@${HOST}`],
      [1, () => `${random.pick(HONEST)}@${HOST}/home`],
      [1, () => random.pick([HOST, COMPONENT])],
      [1, () => random.pick(BAD_ADDRESSES)],
    ]);
    return escaped(address);
  }

  #text(): string {
    const random = this.#random;
    return escaped(random.oneIn(3) ? `t${random.int(50)}` : random.pick(HOSTILE_TEXTS));
  }

  #fill(template: string): string {
    const random = this.#random;
    return template
      .replaceAll("{jid}", () => this.#address())
      .replaceAll("{text}", () => this.#text())
      .replaceAll("{name}", () =>
        escaped(random.oneIn(3) ? random.pick(STRANGERS) : random.oneIn(3) ? this.#text() : `new${random.int(30)}`),
      )
      .replaceAll("{plain}", () => base64([this.#odd(), this.#odd(), this.#odd()].join("\0")))
      .replaceAll("{scram}", () =>
        base64(`n,${random.oneIn(2) ? "" : `a=${this.#odd()}`},n=${this.#odd()},r=${this.#odd()}`),
      )
      .replaceAll("{ns}", () => escaped(random.oneIn(3) ? random.pick(NAMESPACES) : `urn:x:${random.int(9)}`));
  }

  /** What may stand in a name or password. */
  #odd(): string {
    const random = this.#random;
    return random.oneIn(3) ? random.pick(STRANGERS) : random.pick([...HOSTILE_TEXTS, ...BAD_ADDRESSES]);
  }

  /** What the template says, now and then changed in one place. */
  #payload(template: string): string {
    const filled = this.#fill(template);
    if (!this.#random.oneIn(3)) return filled;
    return toText(writeElement(this.#changed(parseElement(filled)), "", "jabber:client"));
  }

  /** Another attribute, namespace, name, child, text; one left out, or very many. */
  #changed(tree: Element): Element {
    const random = this.#random;
    const inner = tree.children.filter(isElement);
    const chosen = inner.length > 0 && random.oneIn(2) ? random.pick(inner) : undefined;
    if (chosen !== undefined) {
      const children = tree.children.map((node) => (node === chosen ? this.#changed(chosen) : node));
      return { ...tree, children };
    }
    return random.choose([
      [3, () => ({ ...tree, attributes: this.#changedAttributes(tree.attributes) })],
      [1, () => ({ ...tree, ns: random.pick(NAMESPACES.filter((ns) => ns !== "")) })],
      [1, () => ({ ...tree, name: random.pick(["query", "item", "x", "__proto__", "größe"]) })],
      [2, () => ({ ...tree, children: this.#changedChildren(tree.children) })],
      [1, () => ({ ...tree, children: [] })],
      [1, () => ({ ...tree, children: [...tree.children, this.#unexpected()] })],
    ]);
  }

  #changedAttributes(attributes: Element["attributes"]): Element["attributes"] {
    const random = this.#random;
    const names = [
      ...Object.keys(attributes),
      "jid",
      "node",
      "ver",
      "subscription",
      "__proto__",
      "xml:lang",
      "{urn:p}a",
    ];
    const name = random.pick(names);
    const others = Object.entries(attributes).filter(([other]) => other !== name);
    const value = random.oneIn(2) ? random.pick(BAD_ADDRESSES) : random.pick(HOSTILE_TEXTS);
    return Object.fromEntries(random.oneIn(3) ? others : [...others, [name, value]]);
  }

  #changedChildren(children: readonly Node[]): readonly Node[] {
    const random = this.#random;
    const some = children.length === 0 ? [this.#unexpected()] : children;
    return random.choose([
      [2, () => some.flatMap((node) => [node, node])],
      [1, () => Array.from({ length: random.oneIn(20) ? 1_500 : 30 }, () => random.pick(some)).filter(isShort)],
      [2, () => some.map((node) => (typeof node === "string" ? random.pick(HOSTILE_TEXTS) : node))],
      [1, () => [random.pick(HOSTILE_TEXTS), ...some]],
      [1, () => [nested(random.between(1, 60))]],
    ]);
  }

  #unexpected(): Element {
    const random = this.#random;
    return element(random.pick(NAMESPACES.filter((ns) => ns !== "")), random.pick(["item", "query", "x", "a"]), {}, [
      random.pick(HOSTILE_TEXTS),
    ]);
  }
}

/** Not even many of them are much. */
const isShort = (node: Node): boolean => typeof node !== "string" || node.length < 100;

const nested = (depth: number): Element => element("urn:example:deep", "a", {}, depth <= 1 ? [] : [nested(depth - 1)]);
