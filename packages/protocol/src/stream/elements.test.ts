import { describe, expect, test } from "vitest";
import { toText } from "../bytes.ts";
import { STREAM_CONDITIONS, StanzaError, StreamError } from "../errors.ts";
import { parseJid } from "../jid.ts";
import { element } from "../xml/element.ts";
import { parseElement } from "../xml/read.ts";
import { writeElement } from "../xml/write.ts";
import { Bind, Bound } from "./bind.ts";
import { readStreamError, writeStreamError } from "./error.ts";
import { bindFeature, sessionFeature, starttlsFeature, writeFeatures } from "./features.ts";
import { NS_BIND } from "./namespaces.ts";

/** Stream-level elements as a stream that declares the prefix would read them. */
const parsed = (bytes: string) =>
  parseElement(bytes.replaceAll("stream:", "").replace(/^<(\w+)/, "<$1 xmlns='http://etherx.jabber.org/streams'"));

describe("RFC 6120 §4.9.2: stream errors", () => {
  test.each(STREAM_CONDITIONS)("RFC 6120 §4.9.3: %s, written and read", (condition) => {
    const bytes = writeStreamError(new StreamError(condition));
    expect(bytes).toBe(`<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`);
    const read = readStreamError(parsed(bytes));
    expect(read).toMatchObject({ condition, text: undefined, extra: undefined });
  });

  test("RFC 6120 §4.9.2, §4.9.4: text, and a condition of the application's own", () => {
    const extra = element("urn:xmpp:errors", "stanza-too-big");
    const bytes = writeStreamError(new StreamError("policy-violation", "too <big> & ünwieldy", extra));
    expect(toText(bytes)).toBe(
      "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>too &lt;big&gt; &amp; ünwieldy</text>" +
        "<stanza-too-big xmlns='urn:xmpp:errors'/></stream:error>",
    );
    const read = readStreamError(parsed(toText(bytes)));
    expect(read).toMatchObject({ condition: "policy-violation", text: "too <big> & ünwieldy", extra });
  });

  test.each([
    ["an unknown condition", "<stream:error><too-wet xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
    ["a condition in another namespace", "<stream:error><conflict xmlns='urn:example'/></stream:error>"],
    [
      "the name it had in RFC 3920",
      "<stream:error><xml-not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    ],
    ["nothing", "<stream:error/>"],
    ["text alone", "<stream:error><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>alas</text></stream:error>"],
    [
      "the name of a property",
      "<stream:error><constructor xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    ],
  ])("RFC 6120 §4.9.2: %s counts as undefined-condition", (_, bytes) => {
    expect(readStreamError(parsed(bytes)).condition).toBe("undefined-condition");
  });
});

describe("RFC 6120 §4.3.2: stream features", () => {
  test("RFC 6120 §4.3.5: none", () => {
    expect(writeFeatures([])).toBe("<stream:features/>");
  });

  test("RFC 6120 §5.4.1: STARTTLS, wanted or demanded", () => {
    expect(writeFeatures([starttlsFeature(false)])).toBe(
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
    );
    expect(writeFeatures([starttlsFeature(true)])).toBe(
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
    );
  });

  test("RFC 6120 §7.4, RFC 3921 §3: binding and session", () => {
    expect(writeFeatures([bindFeature, sessionFeature])).toBe(
      "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" +
        "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session></stream:features>",
    );
  });
});

describe("RFC 6120 §7: resource binding", () => {
  const bind = (content: string) => parseElement(`<bind xmlns='${NS_BIND}'>${content}</bind>`);

  test.each([
    ["", undefined],
    ["<resource>balcony</resource>", "balcony"],
    ["<resource> with space </resource>", " with space "],
    ["<resource/>", ""],
    ["<resource>a&lt;b</resource>", "a<b"],
    ["<required xmlns='urn:example'/>", undefined],
    ["<resource xmlns='urn:example'>no</resource>", undefined],
  ])("RFC 6120 §7.6.1, §7.7.1: a request: %s", (content, resource) => {
    expect(Bind.parse(bind(content))).toEqual({ resource });
  });

  test("RFC 6120 §7.7.2.1: a request that means nothing", () => {
    expect(() => Bind.parse(bind("<resource>a</resource><resource>b</resource>"))).toThrow(StanzaError);
    expect(() => Bind.parse(bind("<resource><b/></resource>"))).toThrow(StanzaError);
  });

  test.each([undefined, "balcony", "Ünter den <Linden> & 'weiter'"])(
    "RFC 6120 §7.7.1: a request written is read: %s",
    (resource) => {
      expect(Bind.parse(parseElement(toText(writeElement(Bind.build({ resource })))))).toEqual({ resource });
    },
  );

  test("RFC 6120 §7.6.1: a result, with white space or without", () => {
    const jid = parseJid("juliet@capulet.example/balcony");
    expect(toText(writeElement(Bound.build(jid)))).toBe(
      `<bind xmlns='${NS_BIND}'><jid>juliet@capulet.example/balcony</jid></bind>`,
    );
    expect(Bound.parse(Bound.build(jid)).full).toBe(jid.full);
    expect(Bound.parse(bind("\n  <jid>\n juliet@capulet.example/balcony 4db06f06\n </jid>")).resource).toBe(
      "balcony 4db06f06",
    );
  });

  test.each(["", "<jid/>", "<jid>juliet@capulet.example</jid>", "<jid>@@</jid>", "<jid>a@b/c</jid><jid>a@b/d</jid>"])(
    "RFC 6120 §7.6.1: no full JID, no result: %s",
    (content) => {
      expect(() => Bound.parse(bind(content))).toThrow(StanzaError);
    },
  );
});
