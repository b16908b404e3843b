import {
  andThen,
  type ChannelBindings,
  type ClientMessage,
  challengeElement,
  channelBindingElement,
  type Element,
  type Eventually,
  failureElement,
  type Identity,
  isPromise,
  jid,
  mechanismsElement,
  NO_CHANNEL_BINDINGS,
  NS_SASL,
  type Offer,
  offered,
  type RawElement,
  readClientMessage,
  readElement,
  type SaslCondition,
  SaslError,
  type Step as SaslStep,
  type ServerMechanism,
  StreamError,
  serverMechanism,
  successElement,
  tryJid,
  writeElement,
} from "@kith/protocol";
import { addressKey } from "./address.ts";
import type { Client, Step, Visit } from "./negotiate-step.ts";
import { certifiedLocalparts, checkGuesses, judged, saslBackend } from "./sasl-backend.ts";

const isSasl = (raw: RawElement): boolean => raw.ns === NS_SASL;

export const bindings = (client: Client): ChannelBindings =>
  client.transport.security?.channelBindings ?? NO_CHANNEL_BINDINGS;

/** What is announced of SASL on a stream, and as which elements. */
interface Announced {
  readonly offer: Offer;
  readonly features: readonly Element[];
}

/** Mechanisms and channel bindings to announce on this stream (RFC 6120 §6.3.4, XEP-0440). Equal offers are one object. */
export const offerTo = (client: Client): Offer => announcedTo(client).offer;

const announcedTo = (client: Client): Announced => {
  const { host } = client;
  const channelBindings = bindings(client);
  const mechanisms = offered({
    secure: client.stage === "protected",
    channelBindings,
    plain: host.plain === false ? "never" : "over-tls",
    external: certifiedLocalparts(client).length > 0,
    anonymous: host.anonymous === true,
  });
  const types = [...channelBindings.keys()];
  const key = `${mechanisms.join(" ")};${types.join(" ")}`;
  const known = ANNOUNCED.get(key);
  if (known !== undefined) return known;
  const made: Announced = {
    offer: { mechanisms, channelBindings: types },
    features: [...(types.length === 0 ? [] : [channelBindingElement(types)]), mechanismsElement(mechanisms)],
  };
  ANNOUNCED.set(key, made);
  return made;
};
/** As many as there are kinds of streams, which are few. */
const ANNOUNCED = new Map<string, Announced>();

const features = (client: Client): readonly Element[] => {
  const { peer } = client;
  if (peer.is !== "stranger") return [];
  const { offer, features } = announcedTo(client);
  peer.visit.offer = offer;
  return features;
};

const receive = (client: Client, raw: RawElement): Eventually<void> => {
  if (client.peer.is !== "stranger") throw new StreamError("not-authorized");
  const { visit } = client.peer;
  const fail = (error: unknown): Eventually<void> =>
    client.isOver ? undefined : failed(client, visit, error, sayFailure);
  try {
    const done = take(client, visit, raw);
    return isPromise(done) ? done.catch(fail) : done;
  } catch (error) {
    return fail(error);
  }
};

const take = (client: Client, visit: Visit, raw: RawElement): Eventually<void> => {
  const message = readClientMessage(readElement(raw));
  if (message === undefined) throw new StreamError("unsupported-stanza-type");
  return andThen(proceed(client, visit, message), (step) => {
    if (client.isOver) return;
    if (step.is === "challenge") {
      client.send(writeElement(challengeElement(step.data)));
      return;
    }
    // Only what could have been guessed is judged.
    const judgement = visit.claimed === undefined ? undefined : judged(client, visit.claimed, true);
    return andThen(judgement, () => {
      if (!client.isOver) succeed(client, visit, step);
    });
  });
};

const proceed = (client: Client, visit: Visit, message: ClientMessage): Eventually<SaslStep> => {
  switch (message.is) {
    case "auth": {
      // RFC 6120 §6.4.2: a handshake under way is discarded.
      visit.attempt = undefined;
      visit.claimed = undefined;
      visit.attempt = newAttempt(
        client,
        visit,
        message.mechanism,
        visit.offer ?? { mechanisms: [], channelBindings: [] },
      );
      return visit.attempt.start(message.initial);
    }
    case "response":
      if (visit.attempt === undefined) throw new SaslError("malformed-request", "no challenge was sent");
      checkGuesses(client, visit);
      return visit.attempt.next(message.data);
    case "abort":
      throw new SaslError("aborted");
  }
};

/** An attempt with one of the mechanisms of an offer. Throws SaslError where it is none of them. */
export const newAttempt = (client: Client, visit: Visit, mechanism: string, offer: Offer): ServerMechanism => {
  if (mechanism === "PLAIN" && client.host.plain === false) throw new SaslError("mechanism-too-weak");
  return serverMechanism(mechanism, {
    crypto: client.services.crypto,
    backend: saslBackend(client, visit),
    offer,
    channelBindings: bindings(client),
    secure: client.stage === "protected",
  });
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
  const login = { account, mechanism, agent: undefined, clientId: undefined };
  client.peer = { is: "account", account, bindFailures: 0, login };
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

/** How a failure is put into words: RFC 6120's, or XEP-0388's. */
export type SayFailure = (client: Client, error: SaslError) => void;
const sayFailure: SayFailure = (client, error) => client.send(writeElement(failureElement(error)));

/** An attempt has failed, whatever the reason. Throws or rejects with StreamError where there have been too many. */
export const failed = (client: Client, visit: Visit, error: unknown, say: SayFailure): Eventually<void> => {
  const isRefusal = error instanceof SaslError && REFUSALS.has(error.condition) && !isMisfit(visit);
  return andThen(isRefusal ? refused(client, visit, error) : error, (failure) => {
    if (!client.isOver) failAttempt(client, visit, failure, say);
  });
};

/** What tells somebody whether a password is the right one. */
const REFUSALS: ReadonlySet<SaslCondition> = new Set(["not-authorized", "invalid-authzid"]);

/** What is to be said to somebody who is not let in, when it may be said. */
const refused = async (client: Client, { claimed }: Visit, refusal: SaslError): Promise<unknown> => {
  const { log, guesses, timers } = client.services;
  const { address } = client.transport;
  log.info({ stream: client.id, address, jid: claimed?.bare, condition: refusal.condition }, "not authenticated");
  try {
    if (claimed === undefined) guesses.failed(addressKey(address), timers.now);
    else await judged(client, claimed, false);
    return refusal;
  } catch (error) {
    return error;
  }
};

/** Answers a failed attempt; too many of them end the stream (RFC 6120 §6.4.5). */
const failAttempt = (client: Client, visit: Visit, error: unknown, say: SayFailure): void => {
  if (error instanceof StreamError) throw error;
  const failure = error instanceof SaslError ? error : faultOfOurs(client, error);
  if (isMisfit(visit)) visit.misfits++;
  else visit.failures++;
  visit.attempt = undefined;
  visit.claimed = undefined;
  say(client, failure);
  if (visit.failures > client.services.limits.saslRetries) {
    throw new StreamError("policy-violation", "too many failed attempts");
  }
};

/**
 * SCRAM that came to nothing before anybody was named: the channel binding does not suit, say. No password was tried, and
 * clients go through all they have until something fits; some know no binding but tls-unique, which TLS 1.3 does not have.
 */
const isMisfit = ({ attempt, claimed, misfits }: Visit): boolean =>
  claimed === undefined && attempt !== undefined && attempt.name.startsWith("SCRAM-") && misfits < MISFITS;
/** As many as there are variants of SCRAM, and some. */
const MISFITS = 10;

const faultOfOurs = ({ services, id }: Client, error: unknown): SaslError => {
  services.log.error({ stream: id, err: error }, "authentication failed through a fault of ours");
  return new SaslError("temporary-auth-failure");
};

/** RFC 6120 §6. */
export const sasl: Step = { name: "SASL", features, takes: isSasl, receive };

/** RFC 6120 §6.5.4, §6.3.4: nothing is to be had of it before TLS. */
export const saslBeforeTls: Step = {
  name: "SASL before TLS",
  takes: isSasl,
  receive: (client) => {
    if (client.peer.is === "stranger")
      failAttempt(client, client.peer.visit, new SaslError("encryption-required"), sayFailure);
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
