import { expect, test } from "vitest";
import { HAT_COMMANDS, Hats, hatCommandNode, parseHue } from "./xep0317-hats.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:hats:0'";

test("XEP-0317 §3.1: two hats, one with everything there is", () => {
  const xml = parseElement(
    `<hats ${NS}><hat title='Host' uri='urn:example:host' hue='327.25' xml:lang='en'><badge xmlns='urn:example:badges' level='3'/></hat><hat title='' uri='urn:example:guest'/></hats>`,
  );
  const hats = [
    {
      uri: "urn:example:host",
      title: "Host",
      lang: "en",
      hue: 327.25,
      extensions: [element("urn:example:badges", "badge", { level: 3 })],
    },
    { uri: "urn:example:guest", title: "" },
  ];
  expect(Hats.build(hats)).toEqual(xml);
  expect(Hats.parse(xml)).toMatchObject(hats);
  expect(Hats.parse(parseElement(`<hats ${NS}/>`))).toEqual([]);
});

test.each([`<hat title='Host'/>`, `<hat title='Host' uri=''/>`, `<hat uri='urn:example:host'/>`])(
  "XEP-0317 §3.1: %s is no hat",
  (hat) => {
    expect(() => Hats.parse(parseElement(`<hats ${NS}>${hat}</hats>`))).toThrow(
      expect.objectContaining({ condition: "bad-request" }),
    );
  },
);

test.each([
  ["0", 0],
  ["360", 360],
  ["171.430664", 171.430664],
  ["360.1", undefined],
  ["-1", undefined],
  ["1e2", undefined],
  ["red", undefined],
  ["", undefined],
  [undefined, undefined],
])("XEP-0317 §3.1: a hue of %s is %s", (text, hue) => {
  expect(parseHue(text)).toBe(hue);
});

test("XEP-0317 §3: the nodes of the commands", () => {
  expect(HAT_COMMANDS.map(hatCommandNode)).toEqual([
    "urn:xmpp:hats:commands:create",
    "urn:xmpp:hats:commands:destroy",
    "urn:xmpp:hats:commands:list",
    "urn:xmpp:hats:commands:assign",
    "urn:xmpp:hats:commands:unassign",
    "urn:xmpp:hats:commands:list-assigned",
  ]);
});
