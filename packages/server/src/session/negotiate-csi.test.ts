import { parseElement, rawOf } from "@kith/protocol";
import { describe, expect, test } from "vitest";
import { clientStates, csiAnnouncement } from "./negotiate-csi.ts";
import type { Client, Peer } from "./negotiate-step.ts";

const raw = (xml: string) => rawOf(parseElement(xml));
const NS = "urn:xmpp:csi:0";

/** A client's stream, and what its session has been told. */
const clientAs = (is: Peer["is"]) => {
  const told: boolean[] = [];
  const client = { peer: { is, session: { setActive: (isActive: boolean) => told.push(isActive) } } };
  return { client: client as unknown as Client, told };
};

test("XEP-0352 §4.1: it is announced, and takes nothing before a resource is bound", () => {
  const { client } = clientAs("account");
  expect(csiAnnouncement.features?.(client)).toEqual([parseElement(`<csi xmlns='${NS}'/>`)]);
  expect(csiAnnouncement.takes(raw(`<active xmlns='${NS}'/>`))).toBe(false);
});

describe("XEP-0352 §4.2", () => {
  test("the session is told its client's state", () => {
    const { client, told } = clientAs("session");
    for (const name of ["inactive", "inactive", "active"])
      void clientStates.receive(client, raw(`<${name} xmlns='${NS}'/>`));
    expect(told).toEqual([false, false, true]);
  });

  test("nobody is told while there is no session", () => {
    for (const is of ["stranger", "account", "binding"] as const) {
      const { client, told } = clientAs(is);
      void clientStates.receive(client, raw(`<inactive xmlns='${NS}'/>`));
      expect(told).toEqual([]);
    }
  });

  test.each([
    ["<active xmlns='urn:xmpp:csi:0'/>", true],
    ["<inactive xmlns='urn:xmpp:csi:0'/>", true],
    ["<inactive xmlns='urn:xmpp:csi:0' more='x'>text</inactive>", true],
    ["<csi xmlns='urn:xmpp:csi:0'/>", false],
    ["<asleep xmlns='urn:xmpp:csi:0'/>", false],
    ["<active xmlns='urn:xmpp:csi:1'/>", false],
    ["<active xmlns='http://jabber.org/protocol/chatstates'/>", false],
    ["<message/>", false],
  ])("%s is for it: %s", (xml, isTaken) => {
    expect(clientStates.takes(raw(xml))).toBe(isTaken);
  });
});
