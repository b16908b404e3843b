import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { toText } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import type { DataForm } from "./xep0004-data-forms.ts";
import { type DiscoInfo, DiscoInfoQuery } from "./xep0030-disco.ts";
import { byOctets, Caps, capsNode, isVerifiable, verificationInput } from "./xep0115-caps.ts";
import { parseElement } from "./xml/read.ts";

const ver = (info: DiscoInfo): string => createHash("sha1").update(verificationInput(info), "latin1").digest("base64");
const infoOf = (children: string): DiscoInfo =>
  DiscoInfoQuery.parse(parseElement(`<query xmlns='http://jabber.org/protocol/disco#info'>${children}</query>`));

const FEATURES = ["muc", "disco#items", "caps", "disco#info"]
  .map((name) => `<feature var='http://jabber.org/protocol/${name}'/>`)
  .join("");

test("XEP-0115 §5.2: the simple example", () => {
  const info = infoOf(`${FEATURES}<identity category='client' type='pc' name='Exodus 0.9.1'/>`);
  expect(ver(info)).toBe("QgayPKawpkPSDYmwT/WM94uAlu0=");
});

test("XEP-0115 §5.3: the complex example, given in another order", () => {
  const info = infoOf(
    `<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>` +
      `${FEATURES}<x xmlns='jabber:x:data' type='result'>` +
      `<field var='software_version'><value>0.11</value></field><field var='os'><value>Mac</value></field>` +
      `<field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>` +
      `<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>` +
      `<field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field></x>`,
  );
  expect(ver(info)).toBe("q07IKJEyjvHSyhy//CH0CxmKi8w=");
});

const EMPTY: DiscoInfo = { identities: [], features: [], forms: [] };
const formOf = (type: "hidden" | "text-single" | undefined, ...formTypes: readonly string[]): DataForm => ({
  type: "result",
  fields: [
    { var: "FORM_TYPE", type, values: formTypes },
    { var: "a", values: ["1"] },
  ],
});

describe("XEP-0115 §5.1: what is hashed", () => {
  const input = (info: Partial<DiscoInfo>): string => toText(verificationInput({ ...EMPTY, ...info }));

  test("is sorted by octets, not by UTF-16 and not by language", () => {
    expect(input({ features: ["é", "z", "Z", "\u{1f331}", "\uff5e"] })).toBe("Z<z<é<\uff5e<\u{1f331}<");
    expect(byOctets("\uff5e", "\u{1f331}")).toBe(-1);
  });
  test("has identities by category, then type, then language", () => {
    const identities = [
      { category: "client-x", type: "a" },
      { category: "client", type: "web", lang: "de" },
      { category: "client", type: "pc", name: "B" },
      { category: "client", type: "web" },
    ];
    expect(input({ identities })).toBe("client/pc//B<client/web//<client/web/de/<client-x/a//<");
  });
  test("has forms by their FORM_TYPE, and leaves out those without", () => {
    expect(
      input({
        forms: [formOf("hidden", "z"), formOf("hidden", "b"), formOf(undefined, "c"), formOf("text-single", "d")],
      }),
    ).toBe("b<a<1<z<a<1<");
  });
  test("has fields without values, and without names, as empty as they are", () => {
    const form = formOf("hidden", "b");
    expect(
      input({ forms: [{ ...form, fields: [...form.fields, { type: "fixed", values: ["z", "y"] }, { var: "0" }] }] }),
    ).toBe("b<<y<z<0<a<1<");
  });
  test("takes an escaped '<' in a text literally", () => {
    expect(input({ features: ["a&lt;b"] })).toBe("a&lt;b<");
  });
});

describe("XEP-0115 §5.4: an answer that says something twice proves nothing", () => {
  test("identities", () => {
    const identity = { category: "client", type: "pc", lang: "en", name: "A" };
    expect(isVerifiable({ ...EMPTY, identities: [identity, { ...identity, lang: "de" }] })).toBe(true);
    expect(isVerifiable({ ...EMPTY, identities: [identity, { ...identity }] })).toBe(false);
  });
  test("features", () => {
    expect(isVerifiable({ ...EMPTY, features: ["a", "b"] })).toBe(true);
    expect(isVerifiable({ ...EMPTY, features: ["a", "b", "a"] })).toBe(false);
  });
  test("forms, unless they are ignored", () => {
    expect(isVerifiable({ ...EMPTY, forms: [formOf("hidden", "b"), formOf("hidden", "c")] })).toBe(true);
    expect(isVerifiable({ ...EMPTY, forms: [formOf("hidden", "b"), formOf("hidden", "b")] })).toBe(false);
    expect(isVerifiable({ ...EMPTY, forms: [formOf("hidden", "b"), formOf(undefined, "b")] })).toBe(true);
  });
  test("a FORM_TYPE with two meanings", () => {
    expect(isVerifiable({ ...EMPTY, forms: [formOf("hidden", "b", "b")] })).toBe(true);
    expect(isVerifiable({ ...EMPTY, forms: [formOf("hidden", "b", "c")] })).toBe(false);
  });
});

test("XEP-0115 §4: the element and the node to ask for", () => {
  const xml =
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://garden.example' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>";
  const caps = Caps.parse(parseElement(xml));
  expect(caps).toEqual({ hash: "sha-1", node: "https://garden.example", ver: "QgayPKawpkPSDYmwT/WM94uAlu0=" });
  expect(Caps.build(caps)).toEqual(parseElement(xml));
  expect(capsNode(caps)).toBe("https://garden.example#QgayPKawpkPSDYmwT/WM94uAlu0=");
});

test("XEP-0115 §13: the legacy format has no hash; without node or ver there is nothing", () => {
  const legacy = "<c xmlns='http://jabber.org/protocol/caps' node='https://garden.example' ver='0.9' ext='a b'/>";
  expect(Caps.parse(parseElement(legacy)).hash).toBeUndefined();
  expect(() => Caps.parse(parseElement("<c xmlns='http://jabber.org/protocol/caps' ver='0.9'/>"))).toThrow(StanzaError);
  expect(() => Caps.parse(parseElement("<c xmlns='http://jabber.org/protocol/caps' node='a'/>"))).toThrow(StanzaError);
});
