/** XEP-0388: SASL without a new stream afterwards, with what else is wanted in the same flight, and with more to do if need be. */
import {
  type Authenticate,
  authenticationFeature,
  Bind2,
  type Bind2Request,
  type Element,
  type Eventually,
  Fast,
  FastFeature,
  type FastUse,
  type HtMechanismName,
  htServer,
  isHtMechanismName,
  isMechanismName,
  jid,
  MECHANISMS,
  type MechanismName,
  NS_SASL2,
  type Offer,
  type Payload,
  type RawElement,
  readElement,
  readSasl2Client,
  type Sasl2ClientMessage,
  type Sasl2ServerMessage,
  SaslError,
  type Step as SaslStep,
  type ServerMechanism,
  StanzaError,
  StreamError,
  sasl2ServerElement,
  Token,
  TokenRequest,
  tryJid,
  usableHt,
  writeElement,
  writeFeatures,
} from "@kith/protocol";
import type { KnownToken } from "../access-tokens.ts";
import type { Login } from "./inline-feature.ts";
import { bindFeatures, type Inlined, inlined, noteSession } from "./negotiate-bind2.ts";
import { bindings, failed, newAttempt, offerTo } from "./negotiate-sasl.ts";
import type { Client, Peer, Step, Visit } from "./negotiate-step.ts";
import {
  beginTask,
  finishTask,
  missingHashes,
  saltElement,
  type Tasks,
  tasksFor,
  upgradeFeatures,
} from "./negotiate-upgrade.ts";
import { checkGuesses, judged } from "./sasl-backend.ts";
import type { C2sServices } from "./services.ts";

/** What a client asks for with its authentication, as far as it is read before that succeeds. */
export interface Sasl2Request {
  readonly authenticate: Authenticate;
  readonly bind: Bind2Request | undefined;
  /** It is done with a token. */
  readonly fast: FastUse | undefined;
  /** What a token is wanted for. */
  readonly token: HtMechanismName | undefined;
  /** Passwords changed on this server before it began. */
  readonly since: number;
}

/** An exchange under way: between `<authenticate/>` and the end of it nothing else is taken from the client. */
export interface Sasl2Exchange {
  readonly request: Sasl2Request;
  tasks: Tasks | undefined;
}

const isSasl2 = (raw: RawElement): boolean => raw.ns === NS_SASL2;

const say = (client: Client, message: Sasl2ServerMessage): void =>
  client.send(writeElement(sasl2ServerElement(message)));
const sayFailure = (client: Client, error: SaslError): void => say(client, { is: "failure", error, more: [] });

// ── What is announced ──────────────────────────────────────────────────────────────────────────────────────────────

const features = (client: Client): readonly Element[] => {
  const { peer, services } = client;
  if (peer.is !== "stranger") return [];
  const offer = sasl2OfferTo(client);
  if (offer.mechanisms.length === 0) return [];
  peer.visit.sasl2Offer = offer;
  const ofServices = ANNOUNCED.get(services) ?? new WeakMap<Offer, readonly Element[]>();
  ANNOUNCED.set(services, ofServices);
  const announced = ofServices.get(offer) ?? [announcement(client, offer)];
  ofServices.set(offer, announced);
  return announced;
};
/** By what is offered, since equal offers are one object and the rest is the same for all streams. */
const ANNOUNCED = new WeakMap<C2sServices, WeakMap<Offer, readonly Element[]>>();

const announcement = (client: Client, offer: Offer): Element => {
  const fast =
    client.services.access === undefined
      ? []
      : [FastFeature.build({ mechanisms: usableHt(bindings(client)), earlyData: false })];
  const inline = [...bindFeatures(client), ...fast];
  return authenticationFeature({ mechanisms: offer.mechanisms, inline, more: upgradeFeatures(client) });
};

/** §2.1: only what can be offered to the address that the stream says it is from, if that is one of ours. */
const sasl2OfferTo = (client: Client): Offer => {
  const offer = offerTo(client);
  const from = client.header?.from === undefined ? undefined : tryJid(client.header.from);
  if (from === undefined || from.local === undefined) return offer;
  const missing = missingHashes(client, from.toBare());
  if (missing.length === 0) return offer;
  const hasKeys = (name: string): boolean => {
    const mechanism = isMechanismName(name) ? MECHANISMS[name] : undefined;
    // A password sent as it is would be compared with the keys of SHA-256.
    if (mechanism?.kind === "plain") return !missing.includes("SHA-256");
    return mechanism?.kind !== "scram" || !missing.includes(mechanism.hash);
  };
  return { ...offer, mechanisms: offer.mechanisms.filter(hasKeys) };
};

// ── The exchange ───────────────────────────────────────────────────────────────────────────────────────────────────

const receive = async (client: Client, raw: RawElement): Promise<void> => {
  if (client.peer.is !== "stranger") throw new StreamError("not-authorized");
  const { visit } = client.peer;
  try {
    const message = readSasl2Client(readElement(raw));
    if (message === undefined) throw new StreamError("unsupported-stanza-type");
    await proceed(client, visit, message);
  } catch (error) {
    // Whoever is in cannot fail to get in any more: what goes wrong then ends the stream.
    if (client.peer.is !== "stranger") throw error;
    visit.sasl2 = undefined;
    if (!client.isOver) await failed(client, visit, error, sayFailure);
  }
};

const proceed = async (client: Client, visit: Visit, message: Sasl2ClientMessage): Promise<void> => {
  const { sasl2 } = visit;
  switch (message.is) {
    case "authenticate":
      if (sasl2 !== undefined) throw new StreamError("not-authorized", "an authentication is under way");
      return proved(client, visit, await begin(client, visit, message));
    case "response":
      if (sasl2 === undefined || sasl2.tasks !== undefined || visit.attempt === undefined)
        throw new SaslError("malformed-request", "no challenge was sent");
      checkGuesses(client, visit);
      return proved(client, visit, await visit.attempt.next(message.data));
    case "next": {
      const tasks = beginTask(client, tasksOf(sasl2), message.task);
      if (sasl2 !== undefined) sasl2.tasks = tasks;
      return say(client, { is: "task-data", payload: [saltElement(tasks.salt)] });
    }
    case "task-data":
      return goOn(client, visit, await finishTask(client, tasksOf(sasl2), message.payload), undefined);
    case "abort":
      throw new SaslError("aborted");
  }
};

const tasksOf = (exchange: Sasl2Exchange | undefined): Tasks => {
  if (exchange?.tasks === undefined) throw new SaslError("malformed-request", "there is no task to be done");
  return exchange.tasks;
};

const begin = (client: Client, visit: Visit, authenticate: Authenticate): Eventually<SaslStep> => {
  visit.attempt = undefined;
  visit.claimed = undefined;
  const request = requestOf(client, authenticate);
  visit.sasl2 = { request, tasks: undefined };
  visit.attempt = attemptOf(client, visit, request);
  return visit.attempt.start(authenticate.initial);
};

const requestOf = (client: Client, authenticate: Authenticate): Sasl2Request => {
  const { inline } = authenticate;
  const token = read(inline, TokenRequest);
  return {
    authenticate,
    bind: read(inline, Bind2),
    fast: read(inline, Fast),
    // A token for what was not announced is not given (XEP-0484 §3.2).
    token: usableHt(bindings(client)).find((name) => name === token),
    since: client.services.access?.changes ?? 0,
  };
};

/** Throws SaslError where it is there twice or cannot be read. */
const read = <T>(requests: readonly Element[], payload: Payload<T>): T | undefined => {
  const [request, ...more] = requests.filter(({ ns, name }) => ns === payload.ns && name === payload.name);
  if (more.length > 0) throw new SaslError("malformed-request", `more than one ${payload.name}`);
  try {
    return request === undefined ? undefined : payload.parse(request);
  } catch (error) {
    throw error instanceof StanzaError ? new SaslError("malformed-request", error.options.text) : error;
  }
};

type Attempt = ServerMechanism<MechanismName | HtMechanismName>;

const attemptOf = (client: Client, visit: Visit, request: Sasl2Request): Attempt => {
  const { mechanism } = request.authenticate;
  const { fast } = request;
  if (isHtMechanismName(mechanism)) {
    // XEP-0484 §3.4: a token is announced as one.
    if (fast === undefined || !usableHt(bindings(client)).includes(mechanism)) throw new SaslError("invalid-mechanism");
    return tokenAttempt(client, visit, request, mechanism, fast);
  }
  if (fast !== undefined) throw new SaslError("malformed-request", "there is no token in this mechanism");
  return newAttempt(client, visit, mechanism, visit.sasl2Offer ?? { mechanisms: [], channelBindings: [] });
};

const tokenAttempt = (
  client: Client,
  visit: Visit,
  { authenticate }: Sasl2Request,
  mechanism: HtMechanismName,
  fast: FastUse,
): Attempt => {
  const { access, crypto } = client.services;
  const agent = authenticate.userAgent?.id;
  if (access === undefined) throw new SaslError("invalid-mechanism");
  if (agent === undefined) throw new SaslError("malformed-request", "a token belongs to a user agent with an id");
  const accountOf = (localpart: string) => jid(localpart, client.domain);
  return htServer<KnownToken>(mechanism, {
    crypto,
    bindings: bindings(client),
    tokens: async (localpart) => {
      const account = accountOf(localpart);
      visit.claimed = account;
      checkGuesses(client, visit);
      return access.candidates(account.bare, await access.clientId(account.bare, agent), mechanism);
    },
    accept: (localpart, token) => access.use(accountOf(localpart).bare, token, fast),
  });
};

/** A step of the mechanism is done. */
const proved = async (client: Client, visit: Visit, step: SaslStep): Promise<void> => {
  if (client.isOver) return;
  if (step.is === "challenge") return say(client, { is: "challenge", data: step.data });
  const exchange = visit.sasl2;
  const mechanism = visit.attempt?.name;
  if (exchange === undefined || mechanism === undefined) return;
  // Only what could have been guessed is judged.
  if (visit.claimed !== undefined) await judged(client, visit.claimed, true);
  if (client.isOver) return;
  const account = jid(step.identity.username, client.domain);
  checkFrom(client, mechanism, account.bare);
  const agent = exchange.request.authenticate.userAgent;
  const { access } = client.services;
  const clientId = agent?.id === undefined ? undefined : await access?.clientId(account.bare, agent.id);
  const login: Login = { account, mechanism, agent, clientId };
  const tasks = await tasksFor(client, login, exchange.request.authenticate.inline);
  if (client.isOver) return;
  if (tasks !== undefined) return goOn(client, visit, tasks, step.data);
  return complete(client, exchange.request, login, step.data);
};

/** §2.3, §5.4: whoever says whom the stream is from is that, or nobody. */
const checkFrom = ({ header }: Client, mechanism: string, account: string): void => {
  if (mechanism === "ANONYMOUS" || header?.from === undefined) return;
  if (tryJid(header.from)?.bare !== account) throw new SaslError("invalid-authzid", "the stream is from somebody else");
};

/** The next task, or the end. */
const goOn = (client: Client, visit: Visit, tasks: Tasks, data: Uint8Array | undefined): void | Promise<void> => {
  const exchange = visit.sasl2;
  if (client.isOver || exchange === undefined) return;
  const [task] = tasks.upgrades;
  if (task === undefined) return complete(client, exchange.request, tasks.login, data);
  exchange.tasks = tasks;
  say(client, { is: "continue", data, tasks: [task], text: undefined });
};

// ── Success ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Everything that was asked for is done before the client is told; what is sent to it meanwhile follows. */
const complete = async (
  client: Client,
  request: Sasl2Request,
  login: Login,
  data: Uint8Array | undefined,
): Promise<void> => {
  const { account } = login;
  welcome(client, login);
  const binding = { is: "binding", account, held: [], login } as const satisfies Peer;
  client.peer = binding;
  const token = await tokenFor(client, request, login);
  const done = await inlined(client, login, request.authenticate.inline, request.bind);
  if (client.isOver) {
    await done.session?.ended(client, "lost");
    return;
  }
  const { session, results, isResumed } = done;
  settle(client, login, done);
  say(client, {
    is: "success",
    data,
    identity: session?.jid ?? account,
    results: [...results, ...(token === undefined ? [] : [token])],
  });
  // XEP-0198 §9: a stream that is taken up again has negotiated everything.
  if (!isResumed) client.send(writeFeatures(client.features()));
  for (const bytes of binding.held) client.send(bytes);
};

const welcome = (client: Client, { account, mechanism }: Login): void => {
  const { services, transport } = client;
  const { security, address } = transport;
  if (mechanism === "EXTERNAL" && security?.peerCertificate !== undefined)
    client.closeAt(security.peerCertificate.expires, new StreamError("reset", "the certificate has expired"));
  services.log.info(
    { stream: client.id, jid: account.bare, address, mechanism, tls: security?.protocol },
    "authenticated",
  );
  client.raiseLimits(services.limits.authenticated);
  transport.vouch();
};

const settle = (client: Client, login: Login, { session }: Inlined): void => {
  if (session === undefined) {
    client.peer = { is: "account", account: login.account, bindFailures: 0, login };
    return;
  }
  client.peer = { is: "session", session };
  noteSession(client, session, login);
  client.established();
};

/** What the client proves itself with the next time (XEP-0484 §3.3, §3.5). Without one it still has what it came with. */
const tokenFor = async (
  { services, id }: Client,
  { fast, token, since }: Sasl2Request,
  login: Login,
): Promise<Element | undefined> => {
  const { mechanism, account } = login;
  // Who has no password has nothing to be spared, and a certificate ends when it says.
  if (mechanism === "ANONYMOUS" || mechanism === "EXTERNAL") return undefined;
  try {
    const wish = { wanted: token, gaveUp: fast?.invalidate === true, since };
    const given = await services.access?.loggedIn(account.bare, login, wish);
    return given === undefined ? undefined : Token.build(given);
  } catch (error) {
    services.log.error({ stream: id, err: error }, "no token was given");
    return undefined;
  }
};

// ── The steps ──────────────────────────────────────────────────────────────────────────────────────────────────────

export const sasl2: Step = { name: "SASL2", features, takes: isSasl2, receive };

/** §2.4: while an exchange is under way, anything else ends the stream. */
export const sasl2UnderWay: Step = {
  name: "SASL2 under way",
  takes: () => true,
  receive: (client, raw) => {
    if (!isSasl2(raw)) throw new StreamError("not-authorized", "an authentication is under way");
    return receive(client, raw);
  },
};

/** §6: it is to be had over TLS alone. */
export const sasl2BeforeTls: Step = {
  name: "SASL2 before TLS",
  takes: isSasl2,
  receive: (client) => {
    if (client.peer.is === "stranger")
      return failed(client, client.peer.visit, new SaslError("encryption-required"), sayFailure);
  },
};

/** §5.7: it happens once. */
export const noSasl2: Step = {
  name: "no SASL2",
  takes: isSasl2,
  receive: () => {
    throw new StreamError("not-authorized", "authenticated already");
  },
};
