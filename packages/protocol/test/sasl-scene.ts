import type { ChannelBindings } from "../src/sasl/channel-binding.ts";
import { clientMechanism } from "../src/sasl/client.ts";
import type { HashName } from "../src/sasl/crypto.ts";
import { bindsChannel, type MechanismName, type Offer, offered } from "../src/sasl/mechanisms.ts";
import type {
  ClientMechanism,
  ClientOptions,
  Credentials,
  Identity,
  ServerBackend,
  ServerMechanism,
  ServerOptions,
  Step,
} from "../src/sasl/roles.ts";
import { deriveScramKeys, isPasswordOf, type ScramKeys } from "../src/sasl/scram.ts";
import { serverMechanism } from "../src/sasl/server.ts";
import { nodeCrypto } from "./node-crypto.ts";

/** The channel bindings both ends of one TLS connection see. */
export const TLS: ChannelBindings = new Map([
  ["tls-exporter", Uint8Array.from({ length: 32 }, (_, at) => at)],
  ["tls-server-end-point", Uint8Array.from({ length: 32 }, (_, at) => 255 - at)],
]);

export const SALT = Uint8Array.from({ length: 16 }, (_, at) => at * 7);
export const ITERATIONS = 4096;

/** A server with accounts: prepared localpart → password. Who has a certificate is "external@scene.example". */
export const backendOf = (accounts: Readonly<Record<string, string>>): ServerBackend => {
  const kept = new Map<string, Promise<ScramKeys>>();
  const scramKeys = (localpart: string, hash: HashName): Promise<ScramKeys> => {
    const id = `${hash} ${localpart}`;
    // An account that does not exist has keys of a password that nobody knows.
    const password = accounts[localpart] ?? `nobody knows ${localpart}`;
    const keys = kept.get(id) ?? deriveScramKeys(nodeCrypto, hash, password, SALT, ITERATIONS);
    kept.set(id, keys);
    return keys;
  };
  return {
    scramKeys,
    verifyPassword: async (localpart, password) =>
      isPasswordOf(nodeCrypto, "SHA-256", await scramKeys(localpart, "SHA-256"), password),
    authorize: (localpart, authzid) => authzid === `${localpart}@scene.example`,
    external: (authzid) => (authzid === undefined || authzid === "external@scene.example" ? "external" : undefined),
    anonymous: () => "temporary-1",
  };
};

export const offerOf = (...mechanisms: readonly string[]): Offer => ({
  mechanisms,
  channelBindings: mechanisms.some((name) => name.endsWith("-PLUS")) ? [...TLS.keys()] : [],
});

/** All that can be offered on a TLS stream. */
export const FULL_OFFER: Offer = offerOf(
  ...offered({ secure: true, channelBindings: TLS, external: true, anonymous: true }),
);

/** A server's side whose steps always come as promises, so that tests need not care which of them had to be waited for. */
export interface WaitedFor extends ServerMechanism {
  start(initial: Uint8Array | undefined): Promise<Step>;
  next(response: Uint8Array): Promise<Step>;
}

export const serverOf = (name: string, backend: ServerBackend, options: Partial<ServerOptions> = {}): WaitedFor => {
  const mechanism = serverMechanism(name, {
    crypto: nodeCrypto,
    backend,
    offer: FULL_OFFER,
    channelBindings: TLS,
    secure: true,
    ...options,
  });
  return {
    name: mechanism.name,
    start: async (initial) => mechanism.start(initial),
    next: async (response) => mechanism.next(response),
  };
};

/** A client that uses this mechanism whatever it would choose, with "tls-exporter" where the mechanism binds. */
export const clientOf = (
  name: MechanismName,
  credentials: Credentials,
  options: Partial<ClientOptions> = {},
): ClientMechanism => {
  const data = TLS.get("tls-exporter") ?? new Uint8Array(0);
  const binding = bindsChannel(name) ? ({ is: "p", type: "tls-exporter", data } as const) : ({ is: "n" } as const);
  return clientMechanism(
    { name, binding },
    { crypto: nodeCrypto, credentials, offer: FULL_OFFER, channelBindings: TLS, ...options },
  );
};

/** Somebody between: sees every message and may change it. */
export type Between = (from: "client" | "server", message: Uint8Array) => Uint8Array;
const honest: Between = (_, message) => message;

/** Runs one exchange to its end. `late`: without the initial response, and the server's last word as a challenge. */
export const exchange = async (
  client: ClientMechanism,
  server: ServerMechanism,
  { late = false, between = honest }: { late?: boolean; between?: Between } = {},
): Promise<Identity> => {
  const initial = between("client", await client.initial());
  let step = await server.start(late ? undefined : initial);
  if (late && step.is === "challenge" && step.data.length === 0) step = await server.next(initial);
  while (step.is === "challenge") {
    const response = await client.challenge(between("server", step.data));
    step = await server.next(between("client", response));
  }
  const data = step.data === undefined ? undefined : between("server", step.data);
  if (late && data !== undefined) {
    const response = await client.challenge(data);
    if (response.length > 0) throw new Error("the client has more to say");
    await client.success(undefined);
  } else {
    await client.success(data);
  }
  return step.identity;
};
