import type { Element, Eventually, RawElement } from "@kith/protocol";
import { binding, boundAlready, legacySession, unboundStanzas } from "./negotiate-bind.ts";
import { clientStates, csiAnnouncement } from "./negotiate-csi.ts";
import { noSasl, sasl, saslBeforeTls } from "./negotiate-sasl.ts";
import { noSasl2, sasl2, sasl2BeforeTls, sasl2UnderWay } from "./negotiate-sasl2.ts";
import { resumption, streamManagement } from "./negotiate-sm.ts";
import { noStarttls, starttls } from "./negotiate-starttls.ts";
import type { Client, Stage, Step } from "./negotiate-step.ts";
import { noStanzas, visitors } from "./negotiate-visitor.ts";

/** What modules announce to whoever has authenticated; nothing there is to be negotiated. */
const announcements: Step = {
  name: "announcements",
  features: (client) => client.services.door.features.authenticated(client.domain),
  takes: () => false,
  receive: () => {},
};

/**
 * All there is of stream negotiation, in the order of XEP-0170: what each stage announces, and what it understands.
 * The first step that takes an element gets it.
 */
const STEPS: Readonly<Record<Stage, readonly Step[]>> = {
  // RFC 6120 §5.3.1: while TLS is mandatory, nothing else is announced.
  cleartext: [starttls, saslBeforeTls, sasl2BeforeTls, noStanzas],
  protected: [visitors, sasl, sasl2, noStarttls],
  authenticated: [
    binding,
    resumption,
    csiAnnouncement,
    legacySession,
    announcements,
    unboundStanzas,
    noStarttls,
    noSasl,
    noSasl2,
  ],
  // What is announced here is announced to whoever has bound a resource while it authenticated (XEP-0388 §2.6.1).
  bound: [streamManagement, clientStates, boundAlready, legacySession, announcements, noStarttls, noSasl, noSasl2],
};

/** Where TLS is not demanded of a peer on this machine, it can still be had (RFC 6120 §5.4.1). */
const LOOPBACK: readonly Step[] = [starttls, visitors, sasl, sasl2BeforeTls];

/** XEP-0388 §2.4: from its beginning to its end an authentication has the stream to itself. */
const UNDER_WAY: readonly Step[] = [sasl2UnderWay];

const stepsOf = (client: Client): readonly Step[] => {
  const { stage, peer, transport } = client;
  if (peer.is === "stranger" && peer.visit.sasl2 !== undefined) return UNDER_WAY;
  return stage === "protected" && transport.security === undefined ? LOOPBACK : STEPS[stage];
};

export const featuresFor = (client: Client): readonly Element[] =>
  stepsOf(client).flatMap((step) => step.features?.(client) ?? []);

/** Hands an element to the step that takes it; `"untaken"` if there is none. */
export const negotiate = (client: Client, raw: RawElement): Eventually<void> | "untaken" => {
  for (const step of stepsOf(client)) if (step.takes(raw)) return step.receive(client, raw);
  return "untaken";
};
