import { expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { StanzaError, StreamError } from "./errors.ts";
import type { Payload } from "./payload.ts";
import { readStreamError, writeStreamError } from "./stream/error.ts";
import {
  ACK_REQUEST,
  Enable,
  Enabled,
  Failed,
  handledCountTooHigh,
  isAck,
  isAckRequest,
  Resume,
  Resumed,
  readAck,
  streamManagementFeature,
  writeAck,
} from "./xep0198-stream-management.ts";
import { element } from "./xml/element.ts";
import { parseElement, parseRaw, readElement } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:sm:3'";
const read = (start: string, children = "") => parseElement(`<${start}>${children}</${start.split(" ")[0]}>`);
const bothWays = <T>(payload: Payload<T>, value: T, start: string, children = ""): void => {
  expect(payload.parse(read(start, children))).toEqual(value);
  expect(payload.build(value)).toEqual(read(start, children));
};
const badRequest = expect.objectContaining({ name: "StanzaError", condition: "bad-request" });

test("XEP-0198 §2: the stream feature", () => {
  expect(streamManagementFeature).toEqual(read(`sm ${NS}`));
});

test("XEP-0198 §3: <enable/>, with the wish to resume and without", () => {
  bothWays(Enable, { resume: false, max: undefined }, `enable ${NS}`);
  bothWays(Enable, { resume: true, max: undefined }, `enable ${NS} resume='true'`);
  bothWays(Enable, { resume: true, max: 600 }, `enable ${NS} resume='true' max='600'`);
});

test.each([
  ["1", true],
  ["true", true],
  ["0", false],
  [" false\n", false],
])("XEP-0198 §3: both styles of booleans (%j)", (resume, value) => {
  expect(Enable.parse(read(`enable ${NS} resume='${resume}'`)).resume).toBe(value);
});

test("XEP-0198 §3: a time longer than a number can say is as good as for ever", () => {
  expect(Enable.parse(read(`enable ${NS} max='${"9".repeat(400)}'`)).max).toBe(4_294_967_295);
});

test("XEP-0198 §3: what a server grants is told in whole seconds", () => {
  expect(Enabled.build({ resume: false, max: 299.2 })).toEqual(read(`enabled ${NS} max='300'`));
});

test.each(["max='0'", "max=''", "max='-5'", "max='soon'", "max='1.5'", "resume='yes'", "resume=''"])(
  "XEP-0198 §6: refuses <enable %s/>",
  (attributes) => {
    expect(() => Enable.parse(read(`enable ${NS} ${attributes}`))).toThrow(badRequest);
  },
);

test("XEP-0198 §3, §5: <enabled/>, with everything and with nothing", () => {
  bothWays(Enabled, { id: undefined, resume: false, max: undefined, location: undefined }, `enabled ${NS}`);
  bothWays(
    Enabled,
    { id: "st&1", resume: true, max: 300, location: "[2001:db8::7]:5222" },
    `enabled ${NS} id='st&amp;1' resume='true' max='300' location='[2001:db8::7]:5222'`,
  );
});

test.each(["resume='true'", "resume='1' id=''", "resume='maybe' id='x'", "max='0'"])(
  "XEP-0198 §5: refuses <enabled %s/>",
  (attributes) => {
    expect(() => Enabled.parse(read(`enabled ${NS} ${attributes}`))).toThrow(StanzaError);
  },
);

test.each([
  ["resume", Resume],
  ["resumed", Resumed],
] as const)("XEP-0198 §5: <%s/>", (name, payload) => {
  bothWays(payload, { previd: "stream 7", h: 0 }, `${name} ${NS} h='0' previd='stream 7'`);
  bothWays(payload, { previd: "é", h: 4_294_967_295 }, `${name} ${NS} h='4294967295' previd='é'`);
});

test.each([
  "",
  "h='1'",
  "h='1' previd=''",
  "previd='x'",
  "previd='x' h=''",
  "previd='x' h='-1'",
  "previd='x' h='4294967296'",
  "previd='x' h='NaN'",
  "previd='x' h='1e2'",
])("XEP-0198 §5: refuses <resume %s/>", (attributes) => {
  expect(() => Resume.parse(read(`resume ${NS} ${attributes}`))).toThrow(badRequest);
  expect(() => Resumed.parse(read(`resumed ${NS} ${attributes}`))).toThrow(badRequest);
});

const STANZAS = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";

test("XEP-0198 §5, §6: <failed/>", () => {
  bothWays(
    Failed,
    { condition: "unexpected-request", text: undefined, h: undefined },
    `failed ${NS}`,
    `<unexpected-request ${STANZAS}/>`,
  );
  bothWays(
    Failed,
    { condition: "item-not-found", text: "too late", h: 21 },
    `failed ${NS} h='21'`,
    `<item-not-found ${STANZAS}/><text ${STANZAS} xml:lang='en'>too late</text>`,
  );
});

test.each([
  "",
  "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>x</text>",
  `<what ${STANZAS}/>`,
  "<gone/>",
  "<toString/>",
])("XEP-0198 §6: no condition that is known (%s)", (children) => {
  expect(Failed.parse(read(`failed ${NS}`, children)).condition).toBe("undefined-condition");
});

test.each(["", "-1", "4294967296", "x"])("XEP-0198 §5: in <failed/>, h=%j is no help", (h) => {
  expect(Failed.parse(read(`failed ${NS} h='${h}'`)).h).toBeUndefined();
});

test("XEP-0198 §4: asking for an acknowledgement", () => {
  const raw = parseRaw(ACK_REQUEST);
  expect(readElement(raw)).toEqual(read(`r ${NS}`));
  expect([isAckRequest(raw), isAck(raw)]).toEqual([true, false]);
});

test.each([0, 1, 999_999_999, 1_000_000_000, 4_294_967_295])("XEP-0198 §4: acknowledging %d", (h) => {
  const raw = parseRaw(writeAck(h));
  expect(readElement(raw)).toEqual(read(`a ${NS} h='${h}'`));
  expect([isAckRequest(raw), isAck(raw), readAck(raw)]).toEqual([false, true, h]);
});

test.each(["<r/>", "<a xmlns='urn:xmpp:sm:2' h='1'/>", "<r xmlns='urn:xmpp:sm:2'/>", `<enable ${NS}/>`])(
  "XEP-0198 §4: %s is no ack element",
  (xml) => {
    const raw = parseRaw(toBytes(xml));
    expect([isAckRequest(raw), isAck(raw)]).toEqual([false, false]);
  },
);

test.each([
  ["007", 7],
  ["0000000012", 12],
  [" 12&#9;", 12],
  ["+5", 5],
])("XEP-0198 §4: %j is an unsignedInt too", (h, value) => {
  expect(readAck(parseRaw(toBytes(`<a ${NS} x='' h='${h}'/>`)))).toBe(value);
});

test.each([undefined, "", "-1", "1.0", "a1", "1a", "4294967296", "99999999999999999999", "&#65;", "٣"])(
  "XEP-0198 §4: h=%j ends the stream",
  (h) => {
    const raw = parseRaw(toBytes(h === undefined ? `<a ${NS}/>` : `<a ${NS} h='${h}'/>`));
    expect(() => readAck(raw)).toThrow(expect.objectContaining({ name: "StreamError", condition: "bad-format" }));
  },
);

test("XEP-0198 §6: more acknowledged than sent", () => {
  const error = handledCountTooHigh(10, 8);
  expect(error).toBeInstanceOf(StreamError);
  expect(error.condition).toBe("undefined-condition");
  expect(error.extra).toEqual(element("urn:xmpp:sm:3", "handled-count-too-high", { h: 10, "send-count": 8 }));
  const written = `<e xmlns:stream='http://etherx.jabber.org/streams'>${writeStreamError(error)}</e>`;
  const [received] = parseElement(written).children;
  expect(readStreamError(received as ReturnType<typeof element>)).toEqual(error);
});
