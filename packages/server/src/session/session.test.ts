import { parseElement, parseJid, rawOf, readStanza, type Stanza, toBytes, toText, writeStanza } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import type { Frame } from "../fabric/fabric.ts";
import type { Wire } from "./door.ts";
import { Session } from "./session.ts";
import type { SessionRouter, SessionServices } from "./session-services.ts";

/** A session whose router notes what it is given and whose wire notes what it is told. */
const newSession = (lang?: string) => {
  const accepted: string[] = [];
  const sent: string[] = [];
  const wire: Wire = {
    send: (bytes) => void sent.push(toText(bytes)),
    close: () => {},
    backlog: 0,
  };
  const settled: (readonly number[])[] = [];
  const router: Partial<SessionRouter> = {
    accept: (_: Session, stanza: Stanza) => void accepted.push(toText(writeStanza(stanza))),
    left: () => {},
    settle: (_, rows) => void settled.push(rows),
  };
  const services = { router: () => router, context: () => ({}), stanzaIdOf: (row: number) => `id-${row}` };
  const session = new Session(
    parseJid("mira@attic.example/desk"),
    lang === undefined ? undefined : toBytes(lang),
    wire,
    services as unknown as SessionServices,
  );
  return {
    session,
    wire,
    accepted,
    sent,
    settled,
    receive: (xml: string) => session.receive(rawOf(parseElement(xml))),
  };
};

const frameOf = (xml: string): Frame => ({ stanza: readStanza(rawOf(parseElement(xml))), for: "bound" });

describe("what a client sends", () => {
  test("RFC 6120 §8.1.2.1, §8.1.5: leaves with its full JID and its stream's language", async () => {
    const { receive, accepted } = newSession("de-CH");
    await receive("<message to='jonas@harbour.example'><body>Grüezi</body></message>");
    await receive("<message to='jonas@harbour.example' xml:lang='en'/>");
    expect(accepted).toEqual([
      "<message from='mira@attic.example/desk' to='jonas@harbour.example' xml:lang='de-CH'><body>Grüezi</body></message>",
      "<message from='mira@attic.example/desk' to='jonas@harbour.example' xml:lang='en'/>",
    ]);
  });

  test("RFC 6120 §4.8.4: what is no stanza ends the stream, unlooked at", () => {
    const { receive, accepted } = newSession();
    for (const xml of ["<message xmlns='urn:example:pigeons'/>", "<postcard/>"])
      expect(() => receive(xml)).toThrow(expect.objectContaining({ condition: "unsupported-stanza-type" }));
    expect(accepted).toEqual([]);
  });

  test("RFC 6120 §4.4: after the stream has ended nothing is taken from it, and nothing sent on it", async () => {
    const { session, wire, receive, accepted, sent } = newSession();
    await session.ended(wire, "lost");
    await receive("<message to='jonas@harbour.example'/>");
    session.send(frameOf("<message from='jonas@harbour.example' to='mira@attic.example'/>"));
    expect([accepted, sent]).toEqual([[], []]);
  });
});

describe("what is sent to a client", () => {
  test("RFC 6120 §8.1.1.1: 'to' is the one the sender gave, and the client's own where there is none", () => {
    const { session, sent } = newSession();
    session.send(frameOf("<message from='jonas@harbour.example' to='mira@attic.example'/>"));
    session.send(frameOf("<iq type='set' id='push'><query xmlns='jabber:iq:roster'/></iq>"));
    expect(sent).toEqual([
      "<message from='jonas@harbour.example' to='mira@attic.example'/>",
      "<iq to='mira@attic.example/desk' type='set' id='push'><query xmlns='jabber:iq:roster'/></iq>",
    ]);
  });
});
