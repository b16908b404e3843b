import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toText } from "../bytes.ts";
import { type Element, isElement } from "./element.ts";
import type { RawElement } from "./raw.ts";
import { childCount, findChild, isChild } from "./raw.ts";
import { readChild, readElement, readPayload } from "./read.ts";
import { stanzaText } from "./test-documents.ts";
import { infoset, plain, scan } from "./test-support.ts";
import { rawOf, writeElement, writeRaw } from "./write.ts";

const CONTENT = ["jabber:client", "jabber:server", "jabber:component:accept"];
const NS_STREAM = "http://etherx.jabber.org/streams";

const headerOf = (content: string, more = ""): string =>
  `<stream:stream xmlns='${content}' xmlns:stream='${NS_STREAM}'${more}>`;
/** The stream on which things are received declares more than it should. */
const RECEIVED_ON = headerOf("jabber:client", " xmlns:p='urn:p' xmlns:q='urn:q' xmlns:c='jabber:client'");

/** The only stanza of a stream, as saxes reads it. */
const stanzaOn = (header: string, stanza: string): Element => {
  const found = infoset(`${header}${stanza}</stream:stream>`).children.find(isElement);
  if (found === undefined) throw new Error("no stanza");
  return found;
};

/** RFC 6120 §4.8.3 in a few lines: what comes down from the stanza changes, what an extension holds does not. */
const rescoped = (element: Element, to: string): Element =>
  CONTENT.includes(element.ns)
    ? { ...element, ns: to, children: element.children.map((node) => (isElement(node) ? rescoped(node, to) : node)) }
    : element;

const received = (stanza: string): RawElement | undefined => {
  const { elements, error } = scan(RECEIVED_ON + stanza);
  const [raw] = elements;
  return error === undefined && raw !== undefined && raw.ns === "" ? raw : undefined;
};

/** Runs on every generated stanza that saxes accepts and that is in the content namespace. */
const forEveryStanza = (runs: number, check: (raw: RawElement, meant: Element) => void): void => {
  fc.assert(
    fc.property(stanzaText, (stanza) => {
      let meant: Element | undefined;
      try {
        meant = stanzaOn(RECEIVED_ON, stanza);
      } catch {
        expect(scan(RECEIVED_ON + stanza).error).toBeDefined();
      }
      fc.pre(meant !== undefined && meant.ns === "jabber:client");
      const raw = received(stanza);
      expect(raw).toBeDefined();
      if (raw !== undefined && meant !== undefined) check(raw, meant);
    }),
    { numRuns: runs },
  );
};

/** Many runs, on a machine that may be busy. */
const PATIENCE = { timeout: 60_000 };

describe("what is forwarded means what was received", () => {
  test.each(CONTENT)("RFC 6120 §4.8.3: onto a stream of %s", PATIENCE, (content) => {
    forEveryStanza(1000, (raw, meant) => {
      const forwarded = stanzaOn(headerOf(content), toText(writeRaw(raw)));
      expect(plain(forwarded)).toEqual(plain(rescoped(meant, content)));
    });
  });

  test("RFC 7395 §3.3.3: as a document of its own", PATIENCE, () => {
    forEveryStanza(500, (raw, meant) => {
      expect(plain(infoset(toText(writeRaw(raw, "jabber:client"))))).toEqual(plain(rescoped(meant, "jabber:client")));
    });
  });

  test("XEP-0297 §3.1: inside an extension, where its namespace is kept", PATIENCE, () => {
    forEveryStanza(500, (raw, meant) => {
      const carbon = `<message><forwarded xmlns='urn:xmpp:forward:0'>${toText(writeRaw(raw, "jabber:client"))}</forwarded></message>`;
      const again = received(carbon);
      expect(again).toBeDefined();
      if (again === undefined) return;
      const [forwarded] = stanzaOn(headerOf("jabber:server"), toText(writeRaw(again))).children;
      const [inner] = typeof forwarded === "object" ? forwarded.children : [];
      expect(typeof inner === "object" && plain(inner)).toEqual(plain(rescoped(meant, "jabber:client")));
    });
  });

  test("a second hop changes no byte", PATIENCE, () => {
    forEveryStanza(500, (raw) => {
      const again = scan(headerOf("jabber:server") + toText(writeRaw(raw)), [], {}).elements[0];
      expect(again).toEqual(raw);
    });
  });
});

describe("trees and stanzas", () => {
  test("reading a stanza as a tree gives what saxes gives", PATIENCE, () => {
    forEveryStanza(1000, (raw, meant) => {
      expect(plain(readElement(raw))).toEqual(plain(rescoped(meant, "")));
    });
  });

  test("a tree that is written and read is the same tree", PATIENCE, () => {
    forEveryStanza(1000, (raw) => {
      const tree = readElement(raw);
      const written = received(toText(writeElement(tree)));
      expect(written === undefined ? undefined : plain(readElement(written))).toEqual(plain(tree));
      expect(rawOf(tree).payload).toBe(written?.payload);
      expect(rawOf(tree).index).toEqual(written?.index);
    });
  });

  test("the index finds every child by name and namespace, and each child reads as in the whole", PATIENCE, () => {
    forEveryStanza(1000, (raw) => {
      const children = readPayload(raw.payload).filter(isElement);
      expect(childCount(raw)).toBe(children.length);
      children.forEach((child, at) => {
        expect(plain(readChild(raw, at))).toEqual(plain(child));
        const name = bytesOf(child.name);
        // The index holds namespaces as they are escaped.
        const ns = bytesOf(child.ns).replaceAll("&", "&amp;");
        expect(isChild(raw, at, ns, name)).toBe(true);
        expect(isChild(raw, findChild(raw, ns, name), ns, name)).toBe(true);
        expect(isChild(raw, at, `${ns}x`, name)).toBe(false);
        expect(isChild(raw, at, ns, `${name}x`)).toBe(false);
      });
    });
  });
});

const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");
