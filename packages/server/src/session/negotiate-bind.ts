import {
  Bind,
  Bound,
  bindFeature,
  childCount,
  type Element,
  type Eventually,
  errorOf,
  find,
  findChild,
  type Iq,
  isPromise,
  isStanza,
  type Jid,
  mayBeAnswered,
  NS_BIND,
  NS_SESSION,
  type RawElement,
  readStanza,
  resultOf,
  type Stanza,
  StanzaError,
  StreamError,
  sessionFeature,
  toBytes,
  writeStanza,
} from "@kith/protocol";
import type { BoundSession } from "./door.ts";
import { noteSession } from "./negotiate-bind2.ts";
import type { Client, Peer, Step } from "./negotiate-step.ts";

const isIqWith = (raw: RawElement, ns: string, name: string): boolean =>
  raw.name === "iq" && raw.ns === "" && childCount(raw) === 1 && findChild(raw, ns, name) === 0;

/** The client's own address: a full JID once it has one, and until then the account's. */
const ownOf = ({ peer }: Client): Jid | undefined => {
  if (peer.is === "stranger") return undefined;
  return peer.is === "session" ? peer.session.jid : peer.account;
};

/** RFC 6120 §8.1.2.1: `from` is the client's own address, or is not there. */
const readOwn = (client: Client, raw: RawElement): Stanza => {
  const stanza = readStanza(raw);
  if (stanza.from !== undefined && stanza.from.bare !== ownOf(client)?.bare) throw new StreamError("invalid-from");
  return stanza;
};

/**
 * Is this for the server, or for the client's own account? Before binding a resource of the account's counts as the account
 * (RFC 6120 §4.3.5, §7.1); afterwards it is somebody to deliver to (§10.5.4).
 */
const isHere = (client: Client, { to, problem }: Stanza): boolean => {
  if (to === undefined) return problem?.condition !== "jid-malformed";
  const own = ownOf(client);
  return to.full === client.domain || to.full === own?.bare || (client.peer.is !== "session" && to.bare === own?.bare);
};

/** What is for somebody else goes to them, and ends the stream of a client that has no address yet (RFC 6120 §7.1). */
const passOn = ({ peer }: Client, raw: RawElement): Eventually<void> => {
  if (peer.is === "session") return peer.session.receive(raw);
  throw new StreamError("not-authorized", "no resource has been bound");
};

const refuse = (client: Client, stanza: Stanza, error: StanzaError): void => {
  if (mayBeAnswered(stanza)) client.send(writeStanza(errorOf(stanza, error)));
};

/** Runs once, whatever comes of it, so that a stream waits for one bind at a time. */
const bind = (client: Client, request: Iq): Eventually<void> => {
  if (client.peer.is !== "account") return;
  const before = client.peer;
  const binding = { is: "binding", account: before.account, held: [], login: before.login } as const satisfies Peer;
  client.peer = binding;
  try {
    const session = open(client, request);
    if (!isPromise(session)) return bound(client, request, session);
    return session.then(
      (session) => bound(client, request, session),
      (error) => failed(client, request, before, error),
    );
  } catch (error) {
    return failed(client, request, before, error);
  }
};

const open = (client: Client, request: Iq): Eventually<BoundSession> => {
  const asked = find(request, Bind);
  if (asked === undefined || client.peer.is !== "binding") throw new StanzaError("bad-request");
  const { lang } = client.header ?? {};
  return client.services.door.bind(
    client.peer.account,
    asked.resource,
    client,
    lang === undefined ? undefined : toBytes(lang),
  );
};

const bound = (client: Client, request: Iq, session: BoundSession): Eventually<void> => {
  if (client.isOver || client.peer.is !== "binding") return session.ended(client, "lost");
  const { held, login } = client.peer;
  client.peer = { is: "session", session };
  noteSession(client, session, login);
  client.established();
  client.services.log.debug({ stream: client.id, jid: session.jid.bare }, "bound");
  client.send(writeStanza(resultOf(request, [Bound.build(session.jid)])));
  for (const bytes of held) client.send(bytes);
};

const failed = (client: Client, request: Iq, before: Extract<Peer, { is: "account" }>, error: unknown): void => {
  if (client.isOver) return;
  client.peer = before;
  if (!(error instanceof StanzaError)) throw error;
  refuse(client, request, error);
  if (++before.bindFailures > client.services.limits.bindRetries) {
    throw new StreamError("policy-violation", "too many failed attempts to bind a resource");
  }
};

/** RFC 6120 §7. */
export const binding: Step = {
  name: "resource binding",
  features: (): readonly Element[] => [bindFeature],
  takes: (raw) => isIqWith(raw, NS_BIND, "bind"),
  receive: (client, raw) => {
    const request = readOwn(client, raw);
    if (!isHere(client, request)) return passOn(client, raw);
    const problem = request.problem ?? (request.type === "set" ? undefined : new StanzaError("bad-request"));
    if (request.kind !== "iq" || problem !== undefined)
      return refuse(client, request, problem ?? new StanzaError("bad-request"));
    return bind(client, request);
  },
};

/** A stream has one resource (RFC 6120 §7.6.2.2: otherwise not allowed to bind). */
export const boundAlready: Step = {
  name: "bound already",
  takes: (raw) => isIqWith(raw, NS_BIND, "bind"),
  receive: (client, raw) => {
    const request = readOwn(client, raw);
    if (!isHere(client, request)) return passOn(client, raw);
    refuse(client, request, new StanzaError("not-allowed"));
  },
};

/** RFC 3921 §3: opens nothing that is not open already. */
export const legacySession: Step = {
  name: "legacy session",
  features: ({ peer }): readonly Element[] => (peer.is === "session" ? [] : [sessionFeature]),
  takes: (raw) => isIqWith(raw, NS_SESSION, "session"),
  receive: (client, raw) => {
    const request = readOwn(client, raw);
    if (!isHere(client, request)) return passOn(client, raw);
    if (request.kind === "iq" && request.type === "set" && request.problem === undefined)
      client.send(writeStanza(resultOf(request)));
    else refuse(client, request, request.problem ?? new StanzaError("bad-request"));
  },
};

/**
 * Stanzas between authentication and binding: what goes to anybody but the server and the client's own account ends
 * the stream (RFC 6120 §7.1); the rest comes too early, without an address to answer to.
 */
export const unboundStanzas: Step = {
  name: "stanzas before binding",
  takes: isStanza,
  receive: (client, raw) => {
    const stanza = readOwn(client, raw);
    if (!isHere(client, stanza)) return passOn(client, raw);
    refuse(client, stanza, new StanzaError("unexpected-request", { text: "no resource has been bound" }));
  },
};
