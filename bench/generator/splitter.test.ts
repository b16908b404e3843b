import { describe, expect, test } from "vitest";
import { attributeOf, endOfElement, endOfTag, INCOMPLETE, textOfChild } from "./splitter.ts";

const ELEMENTS = [
  "<presence/>",
  "<presence from='a@b/c' to=\"d@e\"/>",
  "<message to='a@b'><body>hello</body></message>",
  "<message><body>1 > 0</body></message>",
  "<message id='a>b' to=\"it's/>\"><body/></message>",
  "<a><b><c/><d></d></b><b/>text</a>",
  "<a><![CDATA[</a> <b> ]]></a>",
  "<a xmlns='x'>\n  <b y = 'z' />\n</a>",
] as const;

describe("splitter", () => {
  test.each(ELEMENTS)("finds the end of %s, whatever follows", (element) => {
    for (const rest of ["", "<", "</stream:stream>", "<presence/>", " \n"])
      expect(endOfElement(element + rest, 0)).toBe(element.length);
  });

  test.each(ELEMENTS)("waits for the rest of %s, wherever it is cut", (element) => {
    for (let length = 1; length < element.length; length++)
      expect(endOfElement(element.slice(0, length), 0)).toBe(INCOMPLETE);
  });

  test("finds elements one after the other, from where it is told", () => {
    const text = ELEMENTS.join(" ");
    let at = 0;
    for (const element of ELEMENTS) {
      const start = text.indexOf("<", at);
      at = endOfElement(text, start);
      expect(text.slice(start, at)).toBe(element);
    }
  });

  test("a tag ends at its own >", () => {
    expect(endOfTag("<?xml version='1.0'?><x>", 0)).toBe(21);
    expect(endOfTag("<a b='>'><c>", 0)).toBe(9);
    expect(endOfTag("</a ><c>", 0)).toBe(5);
    expect(endOfTag("<a b='>", 0)).toBe(INCOMPLETE);
  });

  test("reads attributes of the first tag only, by their whole name", () => {
    const element = "<iq xid='no' id=\"yes\"\n from='a@b' type=''><x to='no'/></iq>";
    expect(["id", "from", "type", "to", "yes"].map((name) => attributeOf(element, name))).toEqual([
      "yes",
      "a@b",
      "",
      undefined,
      undefined,
    ]);
  });

  test("reads the text of a child", () => {
    const element = "<iq><bind xmlns='urn:x'><jid>a@b/c</jid></bind></iq>";
    expect([textOfChild(element, "jid"), textOfChild(element, "bind"), textOfChild(element, "j")]).toEqual([
      "a@b/c",
      undefined,
      undefined,
    ]);
  });
});
