import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SaslError } from "./errors.ts";
import { parseJid } from "./jid.ts";
import { utf8 } from "./sasl/crypto.ts";
import {
  authenticationFeature,
  NS_SASL2,
  readAuthentication,
  readSasl2Client,
  readSasl2Server,
  type Sasl2ClientMessage,
  type Sasl2ServerMessage,
  sasl2ClientElement,
  sasl2ServerElement,
} from "./xep0388-sasl2.ts";
import { element } from "./xml/element.ts";
import { parseElement } from "./xml/read.ts";
import { writeElement } from "./xml/write.ts";

const condition = (is: string) => expect.objectContaining({ name: "SaslError", condition: is });
const extra = element("urn:example:lantern", "light", { colour: "green" });
const ID = "0b7e4f3a-1f0c-4c5e-9d2b-6a1d2c3e4f50";
const client = (xml: string) => readSasl2Client(parseElement(xml));
const server = (xml: string) => readSasl2Server(parseElement(xml));
const inSasl2 = (name: string, rest: string) => `<${name} xmlns='${NS_SASL2}'${rest}`;

describe("XEP-0388 §2.1: the feature", () => {
  test("names mechanisms, what may be asked for inline, and what others put beside them", () => {
    const feature = authenticationFeature({ mechanisms: ["SCRAM-SHA-256", "PLAIN"], inline: [extra], more: [extra] });
    expect(writeElement(feature)).toBe(
      "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism><mechanism>PLAIN</mechanism>" +
        "<inline><light xmlns='urn:example:lantern' colour='green'/></inline>" +
        "<light xmlns='urn:example:lantern' colour='green'/></authentication>",
    );
    expect(readAuthentication(feature)).toEqual({
      mechanisms: ["SCRAM-SHA-256", "PLAIN"],
      inline: [extra],
      more: [extra],
    });
  });
  test("has no inline element where nothing can be asked for", () => {
    const feature = authenticationFeature({ mechanisms: ["PLAIN"], inline: [], more: [] });
    expect(writeElement(feature)).toBe(
      "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>",
    );
    expect(readAuthentication(feature)).toEqual({ mechanisms: ["PLAIN"], inline: [], more: [] });
  });
});

const AGENT = { id: ID, software: "Lantern", device: "Watchman's phone" };
const CLIENT: readonly Sasl2ClientMessage[] = [
  { is: "authenticate", mechanism: "SCRAM-SHA-1", initial: utf8("n,,n=x,r=y"), userAgent: AGENT, inline: [extra] },
  { is: "authenticate", mechanism: "X", initial: undefined, userAgent: undefined, inline: [] },
  { is: "authenticate", mechanism: "X", initial: new Uint8Array(0), userAgent: undefined, inline: [extra, extra] },
  { is: "response", data: utf8("c=biws") },
  { is: "response", data: new Uint8Array(0) },
  { is: "abort", text: "changed my mind", more: [extra] },
  { is: "abort", text: undefined, more: [] },
  { is: "next", task: "UPGR-SCRAM-SHA-256", payload: [extra] },
  { is: "next", task: "T", payload: [] },
  { is: "task-data", payload: [extra] },
];
const SERVER: readonly Sasl2ServerMessage[] = [
  { is: "challenge", data: utf8("r=1") },
  { is: "success", data: utf8("v=1"), identity: parseJid("lampwick@fair.example/Lantern/7"), results: [extra] },
  { is: "success", data: undefined, identity: parseJid("lampwick@fair.example"), results: [] },
  { is: "success", data: new Uint8Array(0), identity: parseJid("lampwick@fair.example"), results: [] },
  { is: "failure", error: new SaslError("aborted", "as you wish"), more: [extra] },
  { is: "failure", error: new SaslError("credentials-expired"), more: [] },
  { is: "continue", data: utf8("v=1"), tasks: ["A", "B"], text: "one more thing" },
  { is: "continue", data: undefined, tasks: ["A"], text: undefined },
  { is: "task-data", payload: [extra] },
];

describe("XEP-0388 §2.3 to §2.6: messages", () => {
  test.each(CLIENT.map((message) => [message.is, message] as const))(
    "a client's %s comes back as it was",
    (_, message) => {
      const written = writeElement(sasl2ClientElement(message));
      expect(client(written)).toEqual(message);
    },
  );
  test.each(SERVER.map((message) => [message.is, message] as const))(
    "a server's %s comes back as it was",
    (_, message) => {
      const written = writeElement(sasl2ServerElement(message));
      expect(server(written)).toEqual(message);
    },
  );
  test("§2.3: authenticate is written as the example shows it", () => {
    const [message] = CLIENT;
    expect(writeElement(sasl2ClientElement(message as Sasl2ClientMessage))).toBe(
      "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'><initial-response>biwsbj14LHI9eQ==</initial-response>" +
        `<user-agent id='${ID}'><software>Lantern</software><device>Watchman's phone</device></user-agent>` +
        "<light xmlns='urn:example:lantern' colour='green'/></authenticate>",
    );
  });
  test("§2.6.2: failure carries the condition in the namespace of RFC 6120", () => {
    expect(writeElement(sasl2ServerElement(SERVER[4] as Sasl2ServerMessage))).toBe(
      "<failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" +
        "<light xmlns='urn:example:lantern' colour='green'/><text>as you wish</text></failure>",
    );
  });
});

describe("XEP-0388 §2.2: data", () => {
  test("white space in base 64 does no harm", () => {
    expect(client(inSasl2("response", ">\n  Yz1i\r\n\taXdz  </response>"))).toEqual({
      is: "response",
      data: utf8("c=biws"),
    });
  });
  test.each(["?", "Yz1", "Yz1iaXdz=", "=", "Yz1iaXdzü"])("%j is an incorrect encoding", (text) => {
    const bad = condition("incorrect-encoding");
    expect(() => client(inSasl2("response", `>${text}</response>`))).toThrow(bad);
    expect(() => server(inSasl2("challenge", `>${text}</challenge>`))).toThrow(bad);
    const initial = `><initial-response>${text}</initial-response></authenticate>`;
    expect(() => client(inSasl2("authenticate", ` mechanism='X'${initial}`))).toThrow(bad);
  });
});

describe("XEP-0388 §2.3: who is connecting", () => {
  const agentOf = (agent: string) => {
    const message = client(inSasl2("authenticate", ` mechanism='X'>${agent}</authenticate>`));
    return message?.is === "authenticate" ? message.userAgent : undefined;
  };
  test("an identifier is a UUID of version 4, in any case", () => {
    expect(agentOf(`<user-agent id='${ID.toUpperCase()}'/>`)?.id).toBe(ID);
  });
  test.each([
    "",
    "1",
    "not-a-uuid",
    `${ID}0`,
    "0b7e4f3a-1f0c-1c5e-9d2b-6a1d2c3e4f50",
    "0b7e4f3a-1f0c-4c5e-cd2b-6a1d2c3e4f50",
  ])("%j is no such identifier, and is not there", (id) =>
    expect(agentOf(`<user-agent id='${id}'/>`)).toEqual({ id: undefined, software: undefined, device: undefined }),
  );
  test("descriptions are cut at 128 characters, and never inside one", () => {
    const agent = agentOf(
      `<user-agent><software>${"🏮".repeat(500)}</software><device> ${"d".repeat(9999)}</device></user-agent>`,
    );
    expect(agent?.software).toBe("🏮".repeat(128));
    expect(agent?.device).toBe("d".repeat(128));
  });
  test("empty descriptions are none", () => {
    expect(agentOf("<user-agent><software>  </software><device/></user-agent>")).toEqual({
      id: undefined,
      software: undefined,
      device: undefined,
    });
  });
});

describe("what cannot be read", () => {
  test.each([
    ["authenticate without a mechanism", "authenticate", "/>", "invalid-mechanism"],
    ["an empty mechanism", "authenticate", " mechanism=''/>", "invalid-mechanism"],
    [
      "two initial responses",
      "authenticate",
      " mechanism='X'><initial-response/><initial-response/></authenticate>",
      "malformed-request",
    ],
    [
      "two user agents",
      "authenticate",
      " mechanism='X'><user-agent/><user-agent/></authenticate>",
      "malformed-request",
    ],
    ["next without a task", "next", "/>", "malformed-request"],
    ["next with an empty task", "next", " task=''/>", "malformed-request"],
  ])("XEP-0388 §2.3: %s fails", (_, name, rest, is) => {
    expect(() => client(inSasl2(name, rest))).toThrow(condition(is));
  });
  test.each([
    ["success for nobody", "success", "/>"],
    [
      "success for what is no address",
      "success",
      "><authorization-identifier>a@b@c</authorization-identifier></success>",
    ],
    ["a continuation without tasks", "continue", "/>"],
    ["a continuation with no task in it", "continue", "><tasks/></continue>"],
    [
      "additional data twice",
      "continue",
      "><additional-data/><additional-data/><tasks><task>A</task></tasks></continue>",
    ],
  ])("XEP-0388 §2.6: %s fails", (_, name, rest) => {
    expect(() => server(inSasl2(name, rest))).toThrow(condition("malformed-request"));
  });
  test("RFC 6120 §6.5: an unknown failure counts as not-authorized; text is taken from either namespace", () => {
    const failure = server(
      inSasl2(
        "failure",
        "><text xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>no</text><odd xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>",
      ),
    );
    expect(failure).toEqual({ is: "failure", error: new SaslError("not-authorized", "no"), more: [] });
    expect(server(inSasl2("failure", "/>"))).toEqual({
      is: "failure",
      error: new SaslError("not-authorized"),
      more: [],
    });
  });
  test("what belongs to others is nothing of ours", () => {
    for (const xml of ["<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'/>", inSasl2("features", "/>")]) {
      expect(client(xml)).toBeUndefined();
      expect(server(xml)).toBeUndefined();
    }
  });
  test("whatever is sent, nothing but SaslError is thrown", () => {
    const names = [
      "authenticate",
      "response",
      "abort",
      "next",
      "task-data",
      "challenge",
      "success",
      "failure",
      "continue",
    ];
    const unit = fc.constantFrom(
      "a",
      "Z",
      "9",
      "=",
      "/",
      "@",
      " ",
      "\n",
      "\0",
      "é",
      "\u0301",
      "🏮",
      "\ud800",
      "\u202e",
    );
    const text = fc.string({ unit, maxLength: 16 });
    const child = fc.tuple(
      fc.constantFrom(NS_SASL2, "urn:x"),
      fc.constantFrom(
        "initial-response",
        "user-agent",
        "text",
        "tasks",
        "task",
        "additional-data",
        "authorization-identifier",
      ),
      text,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        text,
        fc.array(child, { maxLength: 4 }),
        text,
        (name, mechanism, children, data) => {
          const message = element(NS_SASL2, name, { mechanism, task: mechanism }, [
            data,
            ...children.map(([ns, of, inside]) => element(ns, of, { id: inside }, [inside])),
          ]);
          for (const read of [readSasl2Client, readSasl2Server]) {
            try {
              read(message);
            } catch (error) {
              if (!(error instanceof SaslError)) throw error;
            }
          }
        },
      ),
    );
  });
});
