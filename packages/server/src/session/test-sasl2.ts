/** What tests of SASL2 share: a server with tokens, and what a client says. */
import { createHmac } from "node:crypto";
import { parseElement, readSasl2Server, type Sasl2ServerMessage } from "@kith/protocol";
import { ACCESS_RULES, type AccessRules, type AccessTokens, openAccessTokens } from "../access-tokens.ts";
import { nodeCrypto } from "../crypto.ts";
import { KeyUpgrades } from "../key-upgrades.ts";
import { memoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import type { InlineFeature } from "./inline-feature.ts";
import { base64, header, type MemoryOptions, PASSWORD, type Peer, World, type WorldOptions } from "./test-streams.ts";

export const NS = "urn:xmpp:sasl:2";
export const AGENT = "2f6c1f0e-3c59-4b5a-8a3b-0c5d7e9f1a2b";
export const OTHER_AGENT = "7d0a4c1e-9b57-4d53-b1f5-5a4c3b2a1908";
export const FROM = header("to='capulet.example' from='juliet@capulet.example' version='1.0'");
export const BINDINGS = new Map([
  ["tls-exporter", new Uint8Array(32).fill(5)],
  ["tls-server-end-point", new Uint8Array(32).fill(6)],
] as const);

export interface Sasl2World {
  readonly world: World;
  readonly access: AccessTokens;
  readonly store: Store;
  /** From now on nothing can be stored. */
  breakStore(): void;
  rules: AccessRules;
}

export interface Sasl2Options extends WorldOptions {
  readonly inline?: readonly InlineFeature[];
}

/** A server with tokens, upgrades and these inline features. */
export const sasl2World = async (options: Sasl2Options = {}): Promise<Sasl2World> => {
  const world = new World(options);
  const store = memoryStore();
  const broken = { from: Number.POSITIVE_INFINITY };
  breakFrom(store, broken);
  const scene: { rules: AccessRules } = { rules: ACCESS_RULES };
  const access = await openAccessTokens({
    store,
    crypto: nodeCrypto,
    now: () => world.clock,
    rules: () => scene.rules,
  });
  const upgrades = new KeyUpgrades({ store, crypto: nodeCrypto, iterations: () => 4096 });
  Object.assign(world.services, { access, upgrades, inline: options.inline ?? [] });
  const breakStore = (): void => {
    broken.from = 0;
  };
  return Object.assign(scene, { world, access, store, breakStore });
};

/** From some commit on, nothing can be stored. */
const breakFrom = (store: Store, broken: { from: number }): void => {
  const begin = store.begin.bind(store);
  let commits = 0;
  store.begin = () => {
    const unit = begin();
    const commit = unit.commit.bind(unit);
    unit.commit = (haste) => {
      const ticket = commit(haste);
      return ++commits > broken.from ? { state: "failed", onSettled: (listener) => listener(false) } : ticket;
    };
    return unit;
  };
};

/** A stream over TLS that has exchanged headers; what was announced is not looked at. */
export const opened = async (world: World, options: MemoryOptions = {}, opening = FROM): Promise<Peer> => {
  const peer = world.connectSecurely({ channelBindings: BINDINGS, ...options });
  await peer.sends(opening);
  peer.received();
  return peer;
};

export const authenticate = (mechanism: string, initial: string | undefined, more = "", agent = AGENT): string =>
  `<authenticate xmlns='${NS}' mechanism='${mechanism}'>${
    initial === undefined ? "" : `<initial-response>${initial}</initial-response>`
  }${agent === "" ? "" : `<user-agent id='${agent}'><software>Balcony</software><device>Tower</device></user-agent>`}${more}</authenticate>`;

/** With PLAIN. */
export const byPassword = (more = "", agent = AGENT, password = PASSWORD): string =>
  authenticate("PLAIN", base64(`\0juliet\0${password}`), more, agent);

export const requestToken = (mechanism = "HT-SHA-256-NONE"): string =>
  `<request-token xmlns='urn:xmpp:fast:0' mechanism='${mechanism}'/>`;

/** With a token. */
export const byToken = (
  token: string,
  { mechanism = "HT-SHA-256-NONE", fast = "", more = "", agent = AGENT, user = "juliet" } = {},
): string => {
  const type = mechanism.endsWith("EXPR") ? "tls-exporter" : mechanism.endsWith("ENDP") ? "tls-server-end-point" : "";
  const bound = BINDINGS.get(type as "tls-exporter") ?? new Uint8Array(0);
  const mac = createHmac("sha256", token).update("Initiator").update(bound).digest();
  const initial = Buffer.concat([Buffer.from(`${user}\0`), mac]).toString("base64");
  return authenticate(mechanism, initial, `<fast xmlns='urn:xmpp:fast:0' ${fast}/>${more}`, agent);
};

/** The first SASL2 message of what a peer has received, and the rest of it. */
export const answerOf = (peer: Peer): { readonly message: Sasl2ServerMessage; readonly rest: string } => {
  const text = peer.received();
  const [xml = ""] = /^<([a-z-]+)(?: [^>]*?)?(?:\/>|>.*?<\/\1>)/s.exec(text) ?? [];
  const message = xml === "" ? undefined : readSasl2Server(parseElement(xml));
  if (message === undefined) throw new Error(`no SASL2: ${text}`);
  return { message, rest: text.slice(xml.length) };
};

/** What success told. */
export const successOf = (peer: Peer): Extract<Sasl2ServerMessage, { is: "success" }> => {
  const { message } = answerOf(peer);
  if (message.is !== "success")
    throw new Error(`${message.is}: ${message.is === "failure" ? message.error.condition : ""}`);
  return message;
};
export const conditionOf = (peer: Peer): string => {
  const { message } = answerOf(peer);
  return message.is === "failure" ? message.error.condition : message.is;
};

/** The token in an answer, if there is one. */
export const tokenIn = ({ results }: Extract<Sasl2ServerMessage, { is: "success" }>): string | undefined =>
  results.find(({ name }) => name === "token")?.attributes.token;

/** Logs in by password on a new stream, asks for a token and leaves. */
export const newToken = async (world: World, mechanism = "HT-SHA-256-NONE", agent = AGENT): Promise<string> => {
  const peer = await opened(world);
  await peer.sends(byPassword(requestToken(mechanism), agent));
  const token = tokenIn(successOf(peer));
  if (token === undefined) throw new Error("no token");
  peer.stream.close();
  return token;
};

/** What the answer to a login by token on a new stream is. */
export const tryToken = async (world: World, ...how: Parameters<typeof byToken>): Promise<string> => {
  const peer = await opened(world);
  await peer.sends(byToken(...how));
  const condition = conditionOf(peer);
  peer.stream.close();
  return condition;
};
