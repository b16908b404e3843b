/** XEP-0386 and XEP-0198 §9: from authentication to a session without another flight. */
import {
  Bind2Feature,
  type Bind2Request,
  Bound2,
  type Element,
  type FullJid,
  prepareResourcepart,
  StanzaError,
  StreamError,
  toBytes,
} from "@kith/protocol";
import { randomToken } from "../crypto.ts";
import type { BoundSession } from "./door.ts";
import type { Login, SessionFeature } from "./inline-feature.ts";
import type { Client } from "./negotiate-step.ts";

/** What came of the requests beside an authentication: children of `<success/>`, and the session if there is one now. */
export interface Inlined {
  readonly results: readonly Element[];
  readonly session: BoundSession | undefined;
  /** Is it an earlier session? */
  readonly isResumed: boolean;
}

/** For `<inline/>` in the feature: binding with what it offers, and resumption. */
export const bindFeatures = ({ services }: Client): readonly Element[] => {
  const inline = services.inline ?? [];
  const bind = Bind2Feature.build(inline.flatMap((feature) => (feature.at === "bind" ? feature.feature : [])));
  return [bind, ...inline.flatMap((feature) => (feature.at === "resume" ? feature.announced : []))];
};

/** Resumes if that is asked for and can be done; binds if that is asked for otherwise. Rejects with StreamError alone. */
export const inlined = async (
  client: Client,
  login: Login,
  requests: readonly Element[],
  bind: Bind2Request | undefined,
): Promise<Inlined> => {
  const { result, session } = await resumed(client, login, requests);
  const results = result === undefined ? [] : [result];
  if (session !== undefined) return { results, session, isResumed: true };
  const bound = bind === undefined || client.isOver ? undefined : await bound2(client, login, bind);
  if (bound === undefined) return { results, session: undefined, isResumed: false };
  return { results: [...results, bound.result], session: bound.session, isResumed: false };
};

const resumed = async (
  client: Client,
  login: Login,
  requests: readonly Element[],
): Promise<{ readonly result?: Element; readonly session?: BoundSession | undefined }> => {
  for (const feature of client.services.inline ?? []) {
    const request = feature.at === "resume" ? requests.find(feature.takes) : undefined;
    if (feature.at !== "resume" || request === undefined) continue;
    const resumption = await unlessDefect(client, feature.name, () => feature.resume(request, login, client));
    if (resumption !== undefined) return resumption;
  }
  return {};
};

const bound2 = async (
  client: Client,
  login: Login,
  bind: Bind2Request,
): Promise<{ readonly result: Element; readonly session: BoundSession } | undefined> => {
  await endEarlier(client, login);
  const session = await bindResource(client, login, bind.tag);
  if (session === undefined) return undefined;
  try {
    return { result: Bound2.build(await setUp(client, login, session, bind.requests)), session };
  } catch (error) {
    await session.ended(client, "lost");
    throw error;
  }
};

/** XEP-0386 §3.2: a client has one session; one that it has lost makes room. */
const endEarlier = async ({ services }: Client, { account, clientId }: Login): Promise<void> => {
  if (clientId === undefined) return;
  for (const session of services.access?.sessionsOf(account.bare, clientId) ?? [])
    await services.door.end(session, { condition: "conflict", text: "Replaced by a new connection." });
};

/** Nothing is bound where the server refuses; the client may still ask in the old way, and is told why then. */
const bindResource = async (
  client: Client,
  login: Login,
  tag: string | undefined,
): Promise<BoundSession | undefined> => {
  const { services, header } = client;
  const lang = header?.lang === undefined ? undefined : toBytes(header.lang);
  try {
    return await services.door.bind(login.account, resourceOf(login, tag), client, lang);
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    services.log.info({ stream: client.id, jid: login.account.bare, condition: error.condition }, "not bound");
    return undefined;
  }
};

/** As long as the identifier of a client. */
const SUFFIX_OCTETS = 9;

/** XEP-0386 §3.2.1: the client's tag where it can stand there, and what is the same for the same client every time. */
const resourceOf = ({ clientId }: Login, tag: string | undefined): string => {
  const suffix = clientId ?? randomToken(SUFFIX_OCTETS);
  const tagged = `${tag}/${suffix}`;
  return tag === undefined || prepareResourcepart(tagged) === undefined ? suffix : tagged;
};

/** Everything that was asked for, in the order of the server's own list; then what is told unasked. */
const setUp = async (
  client: Client,
  login: Login,
  session: BoundSession,
  requests: readonly Element[],
): Promise<readonly Element[]> => {
  const results: (Element | undefined)[] = [];
  for (const feature of client.services.inline ?? []) {
    if (feature.at === "bind") results.push(await handled(client, login, session, feature, requests));
    else if (feature.at === "bound")
      results.push(await unlessDefect(client, feature.name, () => feature.report(session, login)));
  }
  return results.filter((result) => result !== undefined);
};

const handled = async (
  client: Client,
  login: Login,
  session: BoundSession,
  feature: SessionFeature,
  requests: readonly Element[],
): Promise<Element | undefined> => {
  const request = requests.find(feature.takes);
  if (request === undefined) return undefined;
  return unlessDefect(client, feature.name, () => feature.handle(request, session, login, client));
};

const unlessDefect = async <T>(
  { services, id }: Client,
  name: string,
  step: () => T | Promise<T>,
): Promise<T | undefined> => {
  try {
    return await step();
  } catch (error) {
    if (error instanceof StreamError) throw error;
    // A request that is no good is the client's fault, and no defect.
    if (error instanceof StanzaError) services.log.debug({ stream: id, feature: name, err: error }, "refused inline");
    else services.log.error({ stream: id, feature: name, err: error }, "an inline feature failed");
    return undefined;
  }
};

/** The session is known by its client from now on (XEP-0494). */
export const noteSession = ({ services }: Client, { jid }: BoundSession, login: Login): void =>
  services.access?.began(jid.bare, jid.full as FullJid, login);
