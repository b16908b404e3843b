import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SASL_CONDITIONS, SaslError } from "../errors.ts";
import { type Element, element } from "../xml/element.ts";
import { channelBindingElement, endPointHash, readChannelBindings } from "./channel-binding.ts";
import { utf8 } from "./crypto.ts";
import {
  abortElement,
  authElement,
  challengeElement,
  failureElement,
  mechanismsElement,
  NS_SASL,
  readClientMessage,
  readMechanisms,
  readServerMessage,
  responseElement,
  successElement,
} from "./wire.ts";

const sasl = (name: string, text = "", attributes = {}): Element => element(NS_SASL, name, attributes, [text]);
const hello = utf8("hello");
const none = new Uint8Array(0);

describe("features", () => {
  test("RFC 6120 §6.4.1: mechanisms in their order", () => {
    const feature = mechanismsElement(["SCRAM-SHA-1", "PLAIN"]);
    expect(feature).toEqual(
      element(NS_SASL, "mechanisms", {}, [sasl("mechanism", "SCRAM-SHA-1"), sasl("mechanism", "PLAIN")]),
    );
    expect(readMechanisms(feature)).toEqual(["SCRAM-SHA-1", "PLAIN"]);
    const more = element(NS_SASL, "mechanisms", {}, [
      element("urn:example:x", "mechanism", {}, ["X"]),
      sasl("mechanism", "Y"),
      " ",
    ]);
    expect(readMechanisms(more)).toEqual(["Y"]);
  });

  test("XEP-0440 §2: channel binding types", () => {
    const ns = "urn:xmpp:sasl-cb:0";
    const feature = channelBindingElement(["tls-exporter", "tls-server-end-point"]);
    expect(feature).toEqual(
      element(ns, "sasl-channel-binding", {}, [
        element(ns, "channel-binding", { type: "tls-exporter" }),
        element(ns, "channel-binding", { type: "tls-server-end-point" }),
      ]),
    );
    expect(readChannelBindings(feature)).toEqual(["tls-exporter", "tls-server-end-point"]);
    const odd = element(ns, "sasl-channel-binding", {}, [
      element(ns, "channel-binding"),
      element(ns, "channel-binding", { type: "odd" }),
      "x",
    ]);
    expect(readChannelBindings(odd)).toEqual(["odd"]);
  });

  test("RFC 5929 §4.1: MD5 and SHA-1 give way to SHA-256", () => {
    expect(["MD5", "SHA1", "sha-1", "SHA-256", "SHA-384"].map(endPointHash)).toEqual([
      "SHA-256",
      "SHA-256",
      "SHA-256",
      "SHA-256",
      "SHA-384",
    ]);
  });
});

describe("what a client sends", () => {
  test("RFC 6120 §6.4.2: auth without, with empty and with an initial response", () => {
    expect(authElement("PLAIN", undefined)).toEqual(sasl("auth", "", { mechanism: "PLAIN" }));
    expect(authElement("EXTERNAL", none)).toEqual(sasl("auth", "=", { mechanism: "EXTERNAL" }));
    expect(authElement("PLAIN", hello)).toEqual(sasl("auth", "aGVsbG8=", { mechanism: "PLAIN" }));
    for (const initial of [undefined, none, hello]) {
      expect(readClientMessage(authElement("PLAIN", initial))).toEqual({ is: "auth", mechanism: "PLAIN", initial });
    }
  });

  test("RFC 6120 §6.4.3, §6.4.4: response and abort", () => {
    expect(responseElement(hello)).toEqual(sasl("response", "aGVsbG8="));
    expect(responseElement(none)).toEqual(sasl("response"));
    for (const data of [none, hello])
      expect(readClientMessage(responseElement(data))).toEqual({ is: "response", data });
    expect(readClientMessage(sasl("response", "="))).toEqual({ is: "response", data: none });
    expect(abortElement()).toEqual(sasl("abort"));
    expect(readClientMessage(abortElement())).toEqual({ is: "abort" });
  });

  test("RFC 6120 §6.5.7: no mechanism named", () => {
    for (const attributes of [{}, { mechanism: "" }]) {
      expect(() => readClientMessage(sasl("auth", "", attributes))).toThrow(
        expect.objectContaining({ condition: "invalid-mechanism" }),
      );
    }
  });

  test.each(["aGVsbG8", "aGVsbG8=\n", " aGVsbG8=", "aGVsbG9=", "==", "*", "\u00e9"])(
    "RFC 6120 §6.5.5: %j has an incorrect encoding",
    (text) => {
      for (const name of ["auth", "response"]) {
        expect(() => readClientMessage(sasl(name, text, { mechanism: "PLAIN" }))).toThrow(
          expect.objectContaining({ name: "SaslError", condition: "incorrect-encoding" }),
        );
      }
    },
  );

  test("RFC 6120 §6.4: anything else is none of SASL's", () => {
    for (const other of [
      sasl("challenge"),
      sasl("success"),
      sasl("failure"),
      sasl("x"),
      element("", "auth"),
      element("jabber:iq:auth", "auth"),
    ]) {
      expect(readClientMessage(other)).toBeUndefined();
    }
  });
});

describe("what a server sends", () => {
  test("RFC 6120 §6.4.3, §6.4.6: challenge and success", () => {
    expect(challengeElement(hello)).toEqual(sasl("challenge", "aGVsbG8="));
    for (const data of [none, hello])
      expect(readServerMessage(challengeElement(data))).toEqual({ is: "challenge", data });
    expect(successElement(undefined)).toEqual(sasl("success"));
    expect(successElement(none)).toEqual(sasl("success", "="));
    for (const data of [undefined, none, hello])
      expect(readServerMessage(successElement(data))).toEqual({ is: "success", data });
    expect(() => readServerMessage(sasl("challenge", "?"))).toThrow(
      expect.objectContaining({ condition: "incorrect-encoding" }),
    );
  });

  test.each(SASL_CONDITIONS)("RFC 6120 §6.5: failure with %s", (condition) => {
    expect(failureElement(new SaslError(condition))).toEqual(element(NS_SASL, "failure", {}, [sasl(condition)]));
    const read = readServerMessage(failureElement(new SaslError(condition, "words")));
    expect(read).toMatchObject({ is: "failure", error: { condition, text: "words" } });
  });

  test("RFC 6120 §6.5: text says its language; an unknown condition is not-authorized", () => {
    expect(failureElement(new SaslError("aborted", "words"))).toEqual(
      element(NS_SASL, "failure", {}, [sasl("aborted"), sasl("text", "words", { "xml:lang": "en" })]),
    );
    for (const children of [
      [],
      [sasl("brand-new")],
      [element("urn:example:x", "aborted")],
      [sasl("text", "words")],
      [sasl("text"), sasl("toString")],
    ]) {
      const read = readServerMessage(element(NS_SASL, "failure", {}, children));
      expect(read).toMatchObject({ is: "failure", error: { condition: "not-authorized" } });
    }
    expect(readServerMessage(sasl("auth", "", { mechanism: "PLAIN" }))).toBeUndefined();
    expect(readServerMessage(element("", "success"))).toBeUndefined();
  });
});

test("RFC 6120 §6.5: whatever the element, nothing but SaslError is thrown", () => {
  const anyElement = fc
    .record({
      name: fc.constantFrom("auth", "response", "challenge", "success", "failure", "abort", "x"),
      text: fc.string(),
      mechanism: fc.string(),
    })
    .map(({ name, text, mechanism }) => sasl(name, text, { mechanism }));
  fc.assert(
    fc.property(anyElement, (any) => {
      for (const read of [readClientMessage, readServerMessage]) {
        try {
          read(any);
        } catch (error) {
          expect(error).toBeInstanceOf(SaslError);
        }
      }
    }),
  );
});
