import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { EntityTime } from "./xep0202-time.ts";
import { parseElement } from "./xml/read.ts";

test.each([
  ["", undefined],
  ["<tzo>-06:00</tzo><utc>2031-05-17T17:58:35Z</utc>", { moment: Date.UTC(2031, 4, 17, 17, 58, 35), offset: -360 }],
])("XEP-0202 §2: %s", (children, value) => {
  const time = parseElement(`<time xmlns='urn:xmpp:time'>${children}</time>`);
  expect(EntityTime.parse(time)).toEqual(value);
  expect(EntityTime.build(value)).toEqual(time);
});

test.each(["<utc>2031-05-17T17:58:35Z</utc>", "<tzo>-06:00</tzo>", "<tzo>CST</tzo><utc>2031-05-17T17:58:35Z</utc>"])(
  "XEP-0202 §2: %s is no time",
  (children) => {
    expect(() => EntityTime.parse(parseElement(`<time xmlns='urn:xmpp:time'>${children}</time>`))).toThrow(StanzaError);
  },
);
