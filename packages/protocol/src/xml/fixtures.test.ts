import { describe, expect, test } from "vitest";
import { toText } from "../bytes.ts";
import { type Element, isElement } from "./element.ts";
import { childCount, findChild } from "./raw.ts";
import { readChild, readElement } from "./read.ts";
import { everyNth, HEADER, infoset, plain, scan, utf8 } from "./test-support.ts";
import { rawOf, writeElement, writeRaw } from "./write.ts";

/** What goes over streams, modelled on the examples of the specifications, with people of our own. */
const FIXTURES: readonly (readonly [string, string])[] = [
  [
    "RFC 6120 §5.4.2.1: STARTTLS",
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
  ],
  [
    "RFC 6120 §6.3.3: mechanisms",
    `<stream:features>
       <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>
         <mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism>
       </mechanisms>
       <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>
     </stream:features>`,
  ],
  [
    "RFC 6120 §6.4.2: authentication",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AG1pcmEAdGVhLWFuZC1jYWtl</auth>",
  ],
  [
    "RFC 6120 §7.6.1: binding",
    "<iq id='b-1' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>Küche</resource></bind></iq>",
  ],
  [
    "RFC 6120 §4.9.1.1: a stream error",
    `<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>
       <text xml:lang='en' xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Nobody of that name lives here</text></stream:error>`,
  ],
  [
    "RFC 6120 §8.3.2: a stanza error",
    `<iq from='attic.example' id='e7' to='mira@attic.example/desk' type='error'>
       <error by='attic.example' type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
         <too-early xmlns='https://attic.example/errors'/></error></iq>`,
  ],
  [
    "RFC 6121 §5.2.3: a message in two languages",
    `<message from='mira@attic.example/desk' id='m&amp;1' to='jonas@harbour.example' type='chat' xml:lang='en'>
       <subject>Tea?</subject><subject xml:lang='cs'>Čaj?</subject>
       <body>Is 4 &lt; 5 o&apos;clock? &#x1F375;</body><body xml:lang='cs'>Je 4 &lt; 5?</body>
       <thread parent='e0ffe42b'>0e3141cd</thread></message>`,
  ],
  [
    "RFC 6121 §4.7: presence",
    "<presence xml:lang='en'><show>dnd</show><status>Baking</status><status xml:lang='de'>Bäckt</status><priority>-1</priority></presence>",
  ],
  [
    "RFC 6121 §2.1.4: a roster",
    `<iq id='r1' to='mira@attic.example/desk' type='result'><query xmlns='jabber:iq:roster' ver='v11'>
       <item jid='jonas@harbour.example' name='Jonas "J" O&apos;Hara' subscription='both'><group>Friends &amp; Family</group></item>
       <item ask='subscribe' jid='ada@mill.example' subscription='none'/></query></iq>`,
  ],
  [
    "XEP-0004 §2: a form",
    `<message to='mira@attic.example'><x type='form' xmlns='jabber:x:data'><title>Order</title>
       <field label='Sort' type='list-single' var='sort'><option label='Black'><value>b</value></option><value>b</value><required/></field>
       </x></message>`,
  ],
  [
    "XEP-0030 §3.1: discovery",
    `<iq id='d1' to='mira@attic.example/desk' type='result'><query node='http://attic.example/#v1' xmlns='http://jabber.org/protocol/disco#info'>
       <identity category='server' name='Attic' type='im'/><feature var='urn:xmpp:ping'/></query></iq>`,
  ],
  [
    "XEP-0045 §7.2.2: entering a room",
    `<presence from='kitchen@rooms.example/Mira' id='p1' to='jonas@harbour.example/boat'>
       <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' jid='mira@attic.example/desk' role='moderator'/>
       <status code='110'/></x></presence>`,
  ],
  [
    "XEP-0054 §3.1: a vCard, in capitals",
    "<iq id='v1' type='set'><vCard xmlns='vcard-temp'><FN>Mira Novák</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORw0KGgo=\n</BINVAL></PHOTO></vCard></iq>",
  ],
  [
    "XEP-0060 §7.1.1: an item in a vocabulary of its own",
    `<iq id='ps1' to='news.example' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='tides'><item id='i1'>
       <entry xmlns='http://www.w3.org/2005/Atom' xmlns:tide='urn:example:tide' tide:height='3.2'>
         <title>High water</title><tide:port tide:code='HH'>Hamburg</tide:port></entry></item></publish></pubsub></iq>`,
  ],
  [
    "XEP-0071 §9: XHTML",
    `<message to='jonas@harbour.example'><body>Hi!</body><html xmlns='http://jabber.org/protocol/xhtml-im'>
       <body xmlns='http://www.w3.org/1999/xhtml'><p style='font-weight:bold'>Hi<br/><em>!</em></p></body></html></message>`,
  ],
  [
    "XEP-0077 §3.1: registration",
    "<iq id='reg' type='set'><query xmlns='jabber:iq:register'><username>mira</username><password>&lt;&amp;\"&apos;></password></query></iq>",
  ],
  ["XEP-0114 §3: a component's handshake", "<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>"],
  [
    "XEP-0115 §1: capabilities",
    "<presence><c hash='sha-1' node='https://attic.example/client' ver='QgayPKawpkPSDYmwT/WM94uAlu0=' xmlns='http://jabber.org/protocol/caps'/></presence>",
  ],
  [
    "XEP-0124 §7: a body around a stanza with its own namespace",
    "<body rid='1573741820' sid='s1' xmlns='http://jabber.org/protocol/httpbind'><message to='a@b.example' xmlns='jabber:client'><body>x</body></message></body>",
  ],
  [
    "XEP-0198 §3: stream management",
    "<enabled xmlns='urn:xmpp:sm:3' id='tide-1' location='[2001:db8::9]:5222' max='600' resume='true'/>",
  ],
  [
    "XEP-0220 §2.1.1: dialback, by prefix",
    "<db:result from='attic.example' to='harbour.example' xmlns:db='jabber:server:dialback'>98a3e2</db:result>",
  ],
  [
    "XEP-0280 §6: a carbon",
    `<message from='mira@attic.example' to='mira@attic.example/phone' type='chat'><received xmlns='urn:xmpp:carbons:2'>
       <forwarded xmlns='urn:xmpp:forward:0'><message from='jonas@harbour.example/boat' to='mira@attic.example/desk' type='chat' xmlns='jabber:client'>
         <body>Ahoy</body><thread>0e31</thread></message></forwarded></received></message>`,
  ],
  [
    "XEP-0313 §4.2: a message from the archive",
    `<message id='aeb213' to='mira@attic.example/desk'><result id='28482-98726-73623' queryid='f27' xmlns='urn:xmpp:mam:2'>
       <forwarded xmlns='urn:xmpp:forward:0'><delay stamp='2026-01-10T23:08:25Z' xmlns='urn:xmpp:delay'/>
         <message from='jonas@harbour.example/boat' xmlns='jabber:client'><body>Storm&#10;coming</body></message></forwarded></result></message>`,
  ],
  [
    "XEP-0384 §5: an encrypted message",
    `<message to='jonas@harbour.example'><encrypted xmlns='urn:xmpp:omemo:2'><header sid='27183'>
       <keys jid='jonas@harbour.example'><key rid='31415'>Y2lwaGVy</key></keys></header><payload>Zm9n</payload></encrypted>
       <encryption namespace='urn:xmpp:omemo:2' xmlns='urn:xmpp:eme:0'/><store xmlns='urn:xmpp:hints'/></message>`,
  ],
];

/** As saxes reads it, with the content namespace called "" down from the stanza. */
const meaning = (stanza: string): Element => {
  const found = infoset(`${HEADER}${stanza}</stream:stream>`).children.find(isElement);
  if (found === undefined) throw new Error("no element");
  return relative(found);
};
const relative = (element: Element): Element =>
  element.ns === "jabber:client"
    ? { ...element, ns: "", children: element.children.map((node) => (isElement(node) ? relative(node) : node)) }
    : element;

const receive = (stanza: string, size = Number.POSITIVE_INFINITY) => {
  const bytes = utf8(HEADER + stanza);
  const { elements, error } = scan(bytes, Number.isFinite(size) ? everyNth(bytes.length, size) : []);
  expect(error).toBeUndefined();
  expect(elements.length).toBe(1);
  const [raw] = elements;
  if (raw === undefined) throw new Error("no element");
  return raw;
};

describe("stanzas and other elements of the specifications", () => {
  test.each(FIXTURES)("%s: read whole and one byte at a time", (_, stanza) => {
    const raw = receive(stanza);
    expect(plain(readElement(raw))).toEqual(plain(meaning(stanza)));
    expect(receive(stanza, 1)).toEqual(raw);
  });

  test.each(FIXTURES)("%s: written back, as bytes and as a tree, it means the same", (_, stanza) => {
    const raw = receive(stanza);
    expect(plain(meaning(toText(writeRaw(raw))))).toEqual(plain(meaning(stanza)));
    const tree = readElement(raw);
    expect(plain(meaning(toText(writeElement(tree))))).toEqual(plain(meaning(stanza)));
    expect(plain(readElement(rawOf(tree)))).toEqual(plain(tree));
  });

  test.each(FIXTURES)("%s: each child is found by name and namespace", (_, stanza) => {
    const raw = receive(stanza);
    const children = meaning(stanza).children.filter(isElement);
    expect(childCount(raw)).toBe(children.length);
    for (const [at, child] of children.entries()) {
      expect(plain(readChild(raw, at))).toEqual(plain(child));
      const found = findChild(raw, child.ns, child.name);
      expect(found).toBe(children.findIndex(({ name, ns }) => name === child.name && ns === child.ns));
    }
  });
});
