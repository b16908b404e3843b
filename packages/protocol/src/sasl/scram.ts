/** The arithmetic of SCRAM (RFC 5802 §3, RFC 7677). */
import { SaslError } from "../errors.ts";
import { type Crypto, type HashName, sameOctets, utf8 } from "./crypto.ts";
import { prepared, type Saslprep, saslprep } from "./saslprep.ts";

/** What a server keeps of a password, one for each hash. Whoever has it can play the server, but not log in. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** What a client may keep instead of the password (XEP-0438), valid for one account, hash, salt and count. */
export interface ClientKeys {
  readonly hash: HashName;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** RFC 7677 §4: no fewer iterations than this. */
export const MIN_ITERATIONS = 4096;

const CLIENT_KEY = utf8("Client Key");
const SERVER_KEY = utf8("Server Key");

/** Both keys of a prepared password: SaltedPassword is forgotten. */
export const clientKeys = async (
  crypto: Crypto,
  hash: HashName,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ClientKeys> =>
  clientKeysOfSalted(crypto, hash, await crypto.pbkdf2(hash, utf8(password), salt, iterations), salt, iterations);

export const clientKeysOfSalted = async (
  crypto: Crypto,
  hash: HashName,
  salted: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<ClientKeys> => ({
  hash,
  salt,
  iterations,
  clientKey: await crypto.hmac(hash, salted, CLIENT_KEY),
  serverKey: await crypto.hmac(hash, salted, SERVER_KEY),
});

/**
 * The keys to store for a password. Throws SaslError "not-authorized" where SASLprep prohibits the password or leaves
 * nothing of it.
 * @param salt at least 16 unpredictable octets, of this account and hash alone (XEP-0438).
 */
export const deriveScramKeys = async (
  crypto: Crypto,
  hash: HashName,
  password: string,
  salt: Uint8Array,
  iterations: number,
  prepare: Saslprep = saslprep,
): Promise<ScramKeys> => {
  const keys = await clientKeys(crypto, hash, preparedPassword(prepare, password), salt, iterations);
  return { salt, iterations, storedKey: await crypto.hash(hash, keys.clientKey), serverKey: keys.serverKey };
};

export const preparedPassword = (prepare: Saslprep, password: string): string => {
  const ready = prepared(prepare, password);
  if (ready === undefined) throw new SaslError("not-authorized", "the password is empty or has prohibited characters");
  return ready;
};

/** Is this the password that the keys were made of? For PLAIN, where only keys are kept. */
export const isPasswordOf = async (
  crypto: Crypto,
  hash: HashName,
  keys: ScramKeys,
  password: string,
  prepare: Saslprep = saslprep,
): Promise<boolean> => {
  const ready = prepared(prepare, password);
  // The work is done for a prohibited password too, so that nobody can tell it from a wrong one by the time it takes.
  const derived = await clientKeys(crypto, hash, ready ?? "", keys.salt, keys.iterations);
  const same = sameOctets(crypto, await crypto.hash(hash, derived.clientKey), keys.storedKey);
  return same && ready !== undefined;
};

/** What the signatures of both sides cover (§3). */
export const authMessage = (
  clientFirstBare: string,
  serverFirst: string,
  clientFinalWithoutProof: string,
): Uint8Array => utf8(`${clientFirstBare},${serverFirst},${clientFinalWithoutProof}`);

/** ClientProof = ClientKey XOR ClientSignature; and back. Both of one length. */
export const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((octet, at) => octet ^ (b[at] ?? 0));
