import {
  type ChannelBindings,
  type ClientMessage,
  challengeElement,
  channelBindingElement,
  type Element,
  failureElement,
  type Identity,
  jid,
  mechanismsElement,
  NO_CHANNEL_BINDINGS,
  NS_SASL,
  type Offer,
  offered,
  type RawElement,
  readClientMessage,
  readElement,
  SaslError,
  type Step as SaslStep,
  StreamError,
  serverMechanism,
  successElement,
  tryJid,
  writeElement,
} from "@kith/protocol";
import { addressKey } from "./address.ts";
import type { Client, Step, Visit } from "./negotiate-step.ts";
import { certifiedLocalparts, saslBackend } from "./sasl-backend.ts";

const isSasl = (raw: RawElement): boolean => raw.ns === NS_SASL;

const bindings = (client: Client): ChannelBindings => client.transport.security?.channelBindings ?? NO_CHANNEL_BINDINGS;

/** Mechanisms and channel bindings to announce on this stream (RFC 6120 §6.3.4, XEP-0440). */
const offerTo = (client: Client): Offer => {
  const { host } = client;
  const channelBindings = bindings(client);
  const mechanisms = offered({
    secure: client.stage === "protected",
    channelBindings,
    plain: host.plain === false ? "never" : "over-tls",
    external: certifiedLocalparts(client).length > 0,
    anonymous: host.anonymous === true,
  });
  return { mechanisms, channelBindings: [...channelBindings.keys()] };
};

const features = (client: Client): readonly Element[] => {
  const { peer } = client;
  if (peer.is !== "stranger") return [];
  const offer = offerTo(client);
  peer.visit.offer = offer;
  const types = offer.channelBindings.length === 0 ? [] : [channelBindingElement(offer.channelBindings)];
  return [...types, mechanismsElement(offer.mechanisms)];
};

const receive = async (client: Client, raw: RawElement): Promise<void> => {
  if (client.peer.is !== "stranger") throw new StreamError("not-authorized");
  const { visit } = client.peer;
  try {
    const message = readClientMessage(readElement(raw));
    if (message === undefined) throw new StreamError("unsupported-stanza-type");
    const step = await proceed(client, visit, message);
    if (client.isOver) return;
    if (step.is === "challenge") client.send(writeElement(challengeElement(step.data)));
    else succeed(client, visit, step);
  } catch (error) {
    if (client.isOver) return;
    failAttempt(client, visit, error);
  }
};

const proceed = (client: Client, visit: Visit, message: ClientMessage): Promise<SaslStep> => {
  switch (message.is) {
    case "auth": {
      // RFC 6120 §6.4.2: a handshake under way is discarded.
      visit.attempt = undefined;
      visit.claimed = undefined;
      if (message.mechanism === "PLAIN" && client.host.plain === false) throw new SaslError("mechanism-too-weak");
      visit.attempt = serverMechanism(message.mechanism, {
        crypto: client.services.crypto,
        backend: saslBackend(client, visit),
        offer: visit.offer ?? { mechanisms: [], channelBindings: [] },
        channelBindings: bindings(client),
        secure: client.stage === "protected",
      });
      return visit.attempt.start(message.initial);
    }
    case "response":
      if (visit.attempt === undefined) throw new SaslError("malformed-request", "no challenge was sent");
      return visit.attempt.next(message.data);
    case "abort":
      throw new SaslError("aborted");
  }
};

const succeed = (client: Client, visit: Visit, step: Extract<SaslStep, { is: "success" }>): void => {
  const { services, transport } = client;
  const account = accountOf(client, step.identity);
  const mechanism = visit.attempt?.name;
  if (mechanism !== "ANONYMOUS") checkHeader(client, account.bare);
  if (mechanism === "EXTERNAL") {
    const expires = transport.security?.peerCertificate?.expires;
    if (expires !== undefined) client.closeAt(expires, new StreamError("reset", "the certificate has expired"));
  }
  // Only what could have been guessed was counted when the attempt began.
  if (visit.claimed !== undefined) services.guesses.succeeded(addressKey(transport.address), account.bare);
  services.log.info(
    {
      stream: client.id,
      jid: account.bare,
      address: transport.address,
      mechanism,
      tls: transport.security?.protocol,
    },
    "authenticated",
  );
  client.peer = { is: "account", account, bindFailures: 0 };
  client.send(writeElement(successElement(step.data)));
  client.raiseLimits(services.limits.authenticated);
  transport.vouch();
  client.restart();
};

const accountOf = (client: Client, { username }: Identity) => jid(username, client.domain);

/** RFC 6120 §6.4.6: does the identity fit the `from` of a header that came over TLS? */
const checkHeader = (client: Client, account: string): void => {
  const from = client.header?.from;
  if (from === undefined || client.transport.security === undefined) return;
  if (tryJid(from)?.bare !== account) throw new StreamError("invalid-from", "not the account that authenticated");
};

/** Answers a failed attempt; too many of them end the stream (RFC 6120 §6.4.5). */
const failAttempt = (client: Client, visit: Visit, error: unknown): void => {
  if (error instanceof StreamError) throw error;
  const failure = error instanceof SaslError ? error : faultOfOurs(client, visit, error);
  if (isMisfit(visit) && visit.misfits < MISFITS) {
    visit.misfits++;
    visit.attempt = undefined;
    client.send(writeElement(failureElement(failure)));
    return;
  }
  if (failure.condition === "not-authorized" || failure.condition === "invalid-authzid")
    noteRefusal(client, visit, failure);
  visit.attempt = undefined;
  visit.claimed = undefined;
  visit.failures++;
  client.send(writeElement(failureElement(failure)));
  if (visit.failures > client.services.limits.saslRetries) {
    throw new StreamError("policy-violation", "too many failed attempts");
  }
};

/**
 * SCRAM that came to nothing before anybody was named: the channel binding does not suit, say. No password was tried, and
 * clients go through all they have until something fits; some know no binding but tls-unique, which TLS 1.3 does not have.
 */
const isMisfit = ({ attempt, claimed }: Visit): boolean =>
  claimed === undefined && attempt !== undefined && attempt.name.startsWith("SCRAM-");
/** As many as there are variants of SCRAM, and some. */
const MISFITS = 10;

const faultOfOurs = (client: Client, { claimed }: Visit, error: unknown): SaslError => {
  const { log, guesses } = client.services;
  log.error({ stream: client.id, err: error }, "authentication failed through a fault of ours");
  if (claimed !== undefined) guesses.forgiven(addressKey(client.transport.address), claimed.bare);
  return new SaslError("temporary-auth-failure");
};

const noteRefusal = (client: Client, { claimed }: Visit, { condition }: SaslError): void => {
  const { log, guesses, timers } = client.services;
  const { address } = client.transport;
  // An attempt that named an account has been counted when it began.
  if (claimed === undefined) guesses.failed(addressKey(address), timers.now);
  log.info({ stream: client.id, address, jid: claimed?.bare, condition }, "not authenticated");
};

/** RFC 6120 §6. */
export const sasl: Step = { name: "SASL", features, takes: isSasl, receive };

/** RFC 6120 §6.5.4, §6.3.4: nothing is to be had of it before TLS. */
export const saslBeforeTls: Step = {
  name: "SASL before TLS",
  takes: isSasl,
  receive: (client) => {
    if (client.peer.is === "stranger") failAttempt(client, client.peer.visit, new SaslError("encryption-required"));
  },
};

/** SASL happens once (RFC 6120 §4.9.3.12: not authorized to perform an action related to stream negotiation). */
export const noSasl: Step = {
  name: "no SASL",
  takes: isSasl,
  receive: () => {
    throw new StreamError("not-authorized", "authenticated already");
  },
};
