import { expect, test } from "vitest";
import { message } from "./stanza.ts";
import { childrenOfStanza } from "./stanza-children.ts";
import { OccupantId, withOccupantId } from "./xep0421-occupant-id.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:occupant-id:0'";

test("XEP-0421 §4: <occupant-id/>", () => {
  const xml = parseElement(`<occupant-id ${NS} id='dd7&apos;'/>`);
  expect(OccupantId.parse(xml)).toBe("dd7'");
  expect(OccupantId.build("dd7'")).toEqual(xml);
});

test.each([`<occupant-id ${NS}/>`, `<occupant-id ${NS} id=''/>`, `<occupant-id ${NS} id='${"a".repeat(129)}'/>`])(
  "XEP-0421 §5.1: an id has 1 to 128 characters: %.40s",
  (xml) => {
    expect(() => OccupantId.parse(parseElement(xml))).toThrow(expect.objectContaining({ condition: "bad-request" }));
  },
);

test("XEP-0421 §5: what is claimed is replaced, and there is one", () => {
  const forged = message({}, [
    OccupantId.build("mine"),
    element("", "body", {}, ["hello"]),
    OccupantId.build("mine too"),
  ]);
  const children = childrenOfStanza(withOccupantId(forged, "a'b"));
  expect(children).toEqual([element("", "body", {}, ["hello"]), OccupantId.build("a'b")]);
  expect(childrenOfStanza(withOccupantId(message({}), "x"))).toEqual([OccupantId.build("x")]);
});
