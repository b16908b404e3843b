import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { parseJid } from "./jid.ts";
import { answerTo, type Iq, mayBeAnswered, readStanza, resultOf, stamped, writeStanza } from "./stanza.ts";
import { errorOf } from "./stanza-error.ts";
import { parseRaw } from "./xml/read.ts";

const stanzaOf = (xml: string) => readStanza(parseRaw(toBytes(xml)));
const HELOISE = parseJid("heloise@abbey.example/cell");

describe("RFC 6120 §8.1: common attributes", () => {
  test.each([
    ["<message/>", "<message from='heloise@abbey.example/cell' xml:lang='fr'/>"],
    ["<message xml:lang='la'/>", "<message from='heloise@abbey.example/cell' xml:lang='la'/>"],
    ["<message xml:lang=''/>", "<message from='heloise@abbey.example/cell' xml:lang=''/>"],
    ["<presence from='heloise@abbey.example'/>", "<presence from='heloise@abbey.example/cell' xml:lang='fr'/>"],
  ])("RFC 6120 §8.1.2.1, §8.1.5: %s gets its sender, and the stream's language if it has none", (sent, leaves) => {
    expect(writeStanza(stamped(stanzaOf(sent), HELOISE, toBytes("fr")))).toBe(leaves);
  });

  test("RFC 6120 §4.7.4: a stream without a language adds none", () => {
    expect(writeStanza(stamped(stanzaOf("<message/>"), HELOISE, undefined))).toBe(
      "<message from='heloise@abbey.example/cell'/>",
    );
  });

  test("RFC 6120 §8.4: attributes and children that nobody here understands are kept as they are", () => {
    const child = "<p:letter xmlns:p='urn:example:letters' p:seal='wax'><ink xmlns=''/></p:letter>";
    const sent = `<message to='abelard@paraclete.example' type='chat' id='1' folded='twice'><body>Vale</body>${child}</message>`;
    const leaves = stamped(stanzaOf(sent), HELOISE, undefined);
    expect(writeStanza(leaves)).toBe(sent.replace("<message ", "<message from='heloise@abbey.example/cell' "));
  });
});

describe("RFC 6120 §8.3.1: errors", () => {
  const error = new StanzaError("forbidden");

  test("addresses are exchanged, kind and id stay", () => {
    const answer = errorOf(stanzaOf("<presence from='a@b.example' to='c@d.example' id='p'/>"), error);
    expect(writeStanza(answer)).toBe(
      "<presence from='c@d.example' to='a@b.example' type='error' id='p'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
  });

  test.each([
    ["<iq type='get'><q xmlns='urn:q'/></iq>", ""],
    ["<iq type='get' id=''><q xmlns='urn:q'/></iq>", ""],
    ["<iq type='get' id='&lt;1&gt;'><q xmlns='urn:q'/></iq>", "&lt;1>"],
    ["<message/>", undefined],
    ["<presence/>", undefined],
    ["<message id='m'/>", "m"],
  ])("the id of what is answered, empty for an IQ without one: %s", (sent, id) => {
    expect(errorOf(stanzaOf(sent), error).id).toBe(id);
  });

  test.each([
    ["<message type='error'/>", false],
    ["<presence type='error'/>", false],
    ["<iq type='error' id='1'/>", false],
    ["<iq type='result' id='1'/>", false],
    ["<iq type='set' id='1'/>", true],
    ["<iq id='1'/>", true],
    ["<iq type='ask' id='1'/>", true],
    ["<message type='nonsense'/>", true],
    ["<presence/>", true],
  ])("may %s be answered: %s", (sent, may) => {
    expect(mayBeAnswered(stanzaOf(sent))).toBe(may);
  });
});

describe("RFC 6120 §8.2.3: IQs", () => {
  test.each([
    "<iq type='get'><q xmlns='urn:q'/></iq>",
    "<iq id='1'><q xmlns='urn:q'/></iq>",
    "<iq id='1' type='GET'><q xmlns='urn:q'/></iq>",
    "<iq id='1' type='get'/>",
    "<iq id='1' type='set'>text</iq>",
    "<iq id='1' type='get'><q xmlns='urn:q'/><q xmlns='urn:q'/></iq>",
    "<iq id='1' type='result'><q xmlns='urn:q'/><q xmlns='urn:q'/></iq>",
  ])("%s is a bad request", (sent) => {
    expect(stanzaOf(sent).problem).toMatchObject({ condition: "bad-request", type: "modify" });
  });

  test.each([
    "<iq id='1' type='get'><q xmlns='urn:q'/></iq>",
    "<iq id='' type='set'> <q xmlns='urn:q'/> </iq>",
    "<iq id='1' type='result'/>",
    "<iq id='1' type='result'><q xmlns='urn:q'/></iq>",
    "<iq id='1' type='error'><q xmlns='urn:q'/><error type='cancel'/></iq>",
  ])("%s is none", (sent) => {
    expect(stanzaOf(sent).problem).toBeUndefined();
  });

  test("a result keeps the id and has no more than is asked for", () => {
    const request = stanzaOf("<iq from='a@b.example/c' type='get' id='&amp;'><q xmlns='urn:q'/></iq>") as Iq;
    expect(writeStanza(resultOf(request))).toBe("<iq to='a@b.example/c' type='result' id='&amp;'/>");
    expect(answerTo(request, "result", []).lang).toBeUndefined();
  });
});
