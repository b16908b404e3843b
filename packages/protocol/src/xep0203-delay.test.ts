import { expect, test } from "vitest";
import { StanzaError } from "./errors.ts";
import { parseJid } from "./jid.ts";
import { Delay } from "./xep0203-delay.ts";
import { parseElement } from "./xml/read.ts";

test("XEP-0203 §2: a delay with everything, and with only what it must have", () => {
  const xml = "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2031-05-17T09:30:05Z'>kept for you</delay>";
  const value = { stamp: Date.UTC(2031, 4, 17, 9, 30, 5), from: parseJid("example.org"), reason: "kept for you" };
  expect(Delay.parse(parseElement(xml))).toEqual(value);
  expect(Delay.build(value)).toEqual(parseElement(xml));

  const least = "<delay xmlns='urn:xmpp:delay' stamp='2031-05-17T11:30:05+02:00'/>";
  expect(Delay.parse(parseElement(least))).toEqual({ stamp: value.stamp, from: undefined, reason: undefined });
});

test.each(["", "stamp=''", "stamp='yesterday'", "stamp='20310517T09:30:05'", "stamp='2031-05-17T09:30:05Z' from='@'"])(
  "XEP-0203 §2: refuses <delay %s/>",
  (attributes) => {
    expect(() => Delay.parse(parseElement(`<delay xmlns='urn:xmpp:delay' ${attributes}/>`))).toThrow(StanzaError);
  },
);
