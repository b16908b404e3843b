/** XEP-0480: a client that has the password lets the server make the keys it lacks. */
import { SaslError, StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { decodeBase64, encodeBase64 } from "./sasl/base64.ts";
import { type Crypto, type HashName, utf8 } from "./sasl/crypto.ts";
import { type Saslprep, saslprep } from "./sasl/saslprep.ts";
import { clientKeysOfSalted, MIN_ITERATIONS, preparedPassword, type ScramKeys } from "./sasl/scram.ts";
import { type Element, element, textOf } from "./xml/element.ts";

export const NS_SASL_UPGRADE = "urn:xmpp:sasl:upgrade:0";
export const NS_SCRAM_UPGRADE = "urn:xmpp:scram-upgrade:0";

export type ScramUpgrade = `UPGR-SCRAM-${HashName}`;

/** The upgrades by the names of their tasks, the strongest first (§3). */
export const SCRAM_UPGRADES: Readonly<Record<ScramUpgrade, HashName>> = {
  "UPGR-SCRAM-SHA-512": "SHA-512",
  "UPGR-SCRAM-SHA-256": "SHA-256",
  "UPGR-SCRAM-SHA-1": "SHA-1",
};
export const isScramUpgrade = (task: string): task is ScramUpgrade => Object.hasOwn(SCRAM_UPGRADES, task);

/** `<upgrade/>`: in XEP-0388's feature what the server can do (§2.1), in `<authenticate/>` what the client asks for (§2.2). */
export const upgradeElement = (task: string): Element => element(NS_SASL_UPGRADE, "upgrade", {}, [task]);

/** The tasks that `<upgrade/>` names among these elements; each once. */
export const upgradesIn = (elements: readonly Element[]): readonly string[] => [
  ...new Set(
    elements
      .filter(({ ns, name }) => ns === NS_SASL_UPGRADE && name === "upgrade")
      .map((upgrade) => textOf(upgrade).trim()),
  ),
];

export interface ScramSalt {
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** In the server's `<task-data/>`: how the password is to be salted (§3). */
export const UpgradeSalt = payload<ScramSalt, "stream">({
  ns: NS_SCRAM_UPGRADE,
  name: "salt",
  places: ["stream"],
  parse: (salt) => {
    const { iterations = "" } = salt.attributes;
    if (!/^\d{1,10}$/.test(iterations) || Number(iterations) < MIN_ITERATIONS)
      throw new StanzaError("bad-request", { text: `iterations: ${MIN_ITERATIONS} or more` });
    return { salt: octetsIn(salt), iterations: Number(iterations) };
  },
  build: ({ salt, iterations }) => element(NS_SCRAM_UPGRADE, "salt", { iterations }, [encodeBase64(salt)]),
});

/** In the client's `<task-data/>`: SaltedPassword (RFC 5802 §3). */
export const UpgradeHash = payload<Uint8Array, "stream">({
  ns: NS_SCRAM_UPGRADE,
  name: "hash",
  places: ["stream"],
  parse: (hash) => octetsIn(hash),
  build: (salted) => element(NS_SCRAM_UPGRADE, "hash", {}, [encodeBase64(salted)]),
});

const octetsIn = (parent: Element): Uint8Array => {
  const octets = decodeBase64(textOf(parent).replace(/[ \t\r\n]+/g, ""));
  if (octets === undefined || octets.length === 0)
    throw new StanzaError("bad-request", { text: `<${parent.name}/> is base 64 and not empty` });
  return octets;
};

/**
 * The client's part: SaltedPassword of a password. Throws SaslError "not-authorized" where SASLprep prohibits the password,
 * "aborted" where more iterations are asked for than `maxIterations`.
 */
export const saltedPassword = async (
  crypto: Crypto,
  hash: HashName,
  password: string,
  { salt, iterations }: ScramSalt,
  {
    prepare = saslprep,
    maxIterations = 10_000_000,
  }: { readonly prepare?: Saslprep; readonly maxIterations?: number } = {},
): Promise<Uint8Array> => {
  if (iterations > maxIterations) throw new SaslError("aborted", `${iterations} iterations are too many`);
  return crypto.pbkdf2(hash, utf8(preparedPassword(prepare, password)), salt, iterations);
};

/** The server's part: the keys to store. Throws SaslError "malformed-request" where SaltedPassword is not as long as the hash. */
export const scramKeysOfSalted = async (
  crypto: Crypto,
  hash: HashName,
  salted: Uint8Array,
  { salt, iterations }: ScramSalt,
): Promise<ScramKeys> => {
  const { clientKey, serverKey } = await clientKeysOfSalted(crypto, hash, salted, salt, iterations);
  if (salted.length !== serverKey.length)
    throw new SaslError("malformed-request", `a SaltedPassword of ${hash} has ${serverKey.length} octets`);
  return { salt, iterations, storedKey: await crypto.hash(hash, clientKey), serverKey };
};
