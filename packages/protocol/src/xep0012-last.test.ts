import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { LastQuery } from "./xep0012-last.ts";
import { parseElement } from "./xml/read.ts";

test.each([
  ["<query xmlns='jabber:iq:last'/>", { seconds: undefined, status: undefined }],
  ["<query xmlns='jabber:iq:last' seconds='0'/>", { seconds: 0, status: undefined }],
  [
    "<query xmlns='jabber:iq:last' seconds='903'>Gone to the friar</query>",
    { seconds: 903, status: "Gone to the friar" },
  ],
])("XEP-0012 §2, §3: %s", (xml, value) => {
  expect(LastQuery.parse(parseElement(xml))).toEqual(value);
  expect(LastQuery.build(value)).toEqual(parseElement(xml));
});

test.each(["-1", "1.5", "", "ten", "1e3", "9".repeat(400)])("XEP-0012 §11: %j is no number of seconds", (seconds) => {
  expect(() => LastQuery.parse(parseElement(`<query xmlns='jabber:iq:last' seconds='${seconds}'/>`))).toThrow(
    StanzaError,
  );
});
