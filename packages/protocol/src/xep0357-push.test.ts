import { describe, expect, test } from "vitest";
import { toBytes } from "./bytes.ts";
import { parseJid } from "./jid.ts";
import { type Message, readStanza } from "./stanza.ts";
import { fieldValue } from "./xep0004-data-forms.ts";
import { DisablePush, EnablePush, PushNotification, publishPush, revokedPush } from "./xep0357-push.ts";
import { element } from "./xml/element.ts";
import { parseElement, parseRaw } from "./xml/read.ts";

const NS = "xmlns='urn:xmpp:push:0'";
const FORM = "xmlns='jabber:x:data'";
const OPTIONS = `<x ${FORM} type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='secret'><value>s&amp;1</value></field></x>`;
const SERVICE = parseJid("push.example");

describe("XEP-0357 §5: <enable/>", () => {
  test("of a service, and of a node", () => {
    expect(EnablePush.parse(parseElement(`<enable ${NS} jid='push.example'/>`))).toEqual({ jid: SERVICE });
    expect(EnablePush.parse(parseElement(`<enable ${NS} jid='push.example' node=''/>`))).toEqual({ jid: SERVICE });
    expect(EnablePush.build({ jid: SERVICE, node: "n" })).toEqual(
      parseElement(`<enable ${NS} jid='push.example' node='n'/>`),
    );
  });

  test("with what the service wants to see", () => {
    const xml = parseElement(`<enable ${NS} jid='push.example' node='n'>${OPTIONS}</enable>`);
    const value = EnablePush.parse(xml);
    expect(value.options && fieldValue(value.options, "secret")).toBe("s&1");
    expect(EnablePush.build(value)).toEqual(xml);
  });

  test("whose form names no type, as the specification has it", () => {
    const xml = parseElement(`<enable ${NS} jid='push.example'>${OPTIONS.replace(" type='hidden'", "")}</enable>`);
    expect(EnablePush.parse(xml).options).toBeDefined();
  });
});

test.each([
  ["bad-request", ""],
  ["jid-malformed", "jid=''"],
  ["jid-malformed", "jid='@'"],
])("XEP-0357 §5, §6: %s for <enable %s/> and <disable/>", (condition, attributes) => {
  const refusal = expect.objectContaining({ condition });
  expect(() => EnablePush.parse(parseElement(`<enable ${NS} ${attributes}/>`))).toThrow(refusal);
  expect(() => DisablePush.parse(parseElement(`<disable ${NS} ${attributes}/>`))).toThrow(refusal);
});

test.each([
  `<x ${FORM}/>`,
  `<x ${FORM} type='submit'/>`,
  OPTIONS.replace("type='submit'", "type='form'"),
  OPTIONS.replace("#publish-options", "#node_config"),
])("XEP-0357 §5: no publish options: %s", (form) => {
  const enable = parseElement(`<enable ${NS} jid='push.example'>${form}</enable>`);
  expect(() => EnablePush.parse(enable)).toThrow(expect.objectContaining({ condition: "bad-request" }));
});

test("XEP-0357 §6: <disable/>", () => {
  for (const [xml, value] of [
    [`<disable ${NS} jid='push.example'/>`, { jid: SERVICE, node: undefined }],
    [`<disable ${NS} jid='push.example' node='n'/>`, { jid: SERVICE, node: "n" }],
  ] as const) {
    expect(DisablePush.parse(parseElement(xml))).toEqual(value);
    expect(DisablePush.build(value)).toEqual(parseElement(xml));
  }
});

const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;
const summary = (fields: string, attributes = "type='submit'"): string =>
  `<x ${FORM} ${attributes}><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>${fields}</x>`;

describe("XEP-0357 §7: a notification", () => {
  const all = {
    messageCount: 3,
    pendingSubscriptionCount: 0,
    lastMessageSender: parseJid("tom@example.net/pad"),
    lastMessageBody: "Tea?",
  };
  const fields =
    field("message-count", "3") +
    field("pending-subscription-count", "0") +
    field("last-message-sender", "tom@example.net/pad") +
    field("last-message-body", "Tea?");

  test("with everything", () => {
    const xml = parseElement(`<notification ${NS}>${summary(fields)}<more xmlns='urn:example:more'/></notification>`);
    const value = { summary: all, additional: [element("urn:example:more", "more")] };
    expect(PushNotification.parse(xml)).toEqual(value);
    expect(PushNotification.build(value)).toEqual(xml);
  });

  test("with nothing", () => {
    const xml = parseElement(`<notification ${NS}/>`);
    expect(PushNotification.parse(xml)).toEqual({ summary: undefined, additional: [] });
    expect(PushNotification.build({})).toEqual(xml);
  });

  test("whose form is of no type, as in the specification", () => {
    const xml = parseElement(`<notification ${NS}>${summary(fields, "")}</notification>`);
    expect(PushNotification.parse(xml).summary).toEqual(all);
  });

  test("that counts nonsense", () => {
    const odd = field("message-count", "-1") + field("last-message-sender", "@");
    const xml = parseElement(`<notification ${NS}>${summary(odd)}${summary(fields)}</notification>`);
    expect(PushNotification.parse(xml).summary).toEqual({});
  });
});

test("XEP-0357 §7: what is published, and with what", () => {
  const registration = EnablePush.parse(parseElement(`<enable ${NS} jid='push.example' node='n'>${OPTIONS}</enable>`));
  expect(publishPush(registration, { summary: { messageCount: 1 } })).toEqual(
    parseElement(
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item><notification ${NS}>${summary(field("message-count", "1"))}</notification></item></publish><publish-options>${OPTIONS}</publish-options></pubsub>`,
    ),
  );
  expect(publishPush({ jid: SERVICE }, {})).toEqual(
    parseElement(
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish><item><notification ${NS}/></item></publish></pubsub>`,
    ),
  );
});

describe("XEP-0357 §8: a service that takes no more", () => {
  const ACCOUNT = parseJid("mira@attic.example/desk");
  const message = (attributes: string, affiliation: string, node = "node='n'"): Message =>
    readStanza(
      parseRaw(
        toBytes(
          `<message ${attributes}><pubsub xmlns='http://jabber.org/protocol/pubsub' ${node}>${affiliation}</pubsub></message>`,
        ),
      ),
    ) as Message;
  const NONE = "<affiliation jid='mira@attic.example' affiliation='none'/>";

  test("of one node, or of all", () => {
    expect(revokedPush(message("from='push.example'", NONE), ACCOUNT)).toEqual({ jid: SERVICE, node: "n" });
    expect(revokedPush(message("from='push.example'", NONE, ""), ACCOUNT)).toEqual({ jid: SERVICE, node: undefined });
  });

  test.each([
    ["from='push.example'", "<affiliation jid='mira@attic.example' affiliation='publisher'/>"],
    ["from='push.example'", "<affiliation jid='tom@example.net' affiliation='none'/>"],
    ["from='push.example'", "<affiliation affiliation='none'/>"],
    ["from='push.example'", ""],
    ["from='push.example' type='error'", NONE],
    ["", NONE],
  ])("is not told by <message %s> with %s", (attributes, affiliation) => {
    expect(revokedPush(message(attributes, affiliation), ACCOUNT)).toBeUndefined();
  });

  test("is not told by some other message", () => {
    const other = readStanza(parseRaw(toBytes("<message from='push.example'><body>x</body></message>"))) as Message;
    expect(revokedPush(other, ACCOUNT)).toBeUndefined();
  });
});
