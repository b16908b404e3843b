import { type Element, type Iq, isStanza, readStanza, StreamError } from "@kith/protocol";
import type { Visitor } from "../module.ts";
import type { Client, Step } from "./negotiate-step.ts";

const visitor = (client: Client): Visitor => ({
  stream: client,
  domain: client.domain,
  address: client.transport.address,
  secure: client.stage === "protected",
});

const notAuthorized = (): StreamError => new StreamError("not-authorized");

const answer = async (client: Client, iq: Iq): Promise<void> => {
  const bytes = await client.services.door.visitorIq(iq, visitor(client));
  if (bytes === undefined) throw notAuthorized();
  client.send(bytes);
};

/**
 * Stanzas of somebody who has not authenticated: the few IQs that are meant for that (XEP-0077, XEP-0445). Any other
 * stanza ends the stream, unlooked at (RFC 6120 §4.9.3.12).
 */
export const visitors: Step = {
  name: "visitors",
  features: (client): readonly Element[] => client.services.door.features.visitor(visitor(client)),
  takes: isStanza,
  receive: (client, raw) => {
    const { peer, services, domain } = client;
    const stanza = readStanza(raw);
    const isRequest =
      stanza.kind === "iq" && (stanza.type === "get" || stanza.type === "set") && stanza.problem === undefined;
    if (!isRequest || peer.is !== "stranger") throw notAuthorized();
    if (stanza.to !== undefined && stanza.to.full !== domain) throw notAuthorized();
    if (++peer.visit.iqs > services.limits.visitorIqs) throw new StreamError("policy-violation", "too many requests");
    return answer(client, stanza);
  },
};

/** The same where not even that is allowed yet. */
export const noStanzas: Step = {
  name: "no stanzas",
  takes: isStanza,
  receive: () => {
    throw notAuthorized();
  },
};
