/** SCRAM, the client's side (RFC 5802, RFC 7677; XEP-0474). */
import { SaslError } from "../errors.ts";
import { encodeBase64 } from "./base64.ts";
import { concat, NO_DATA, sameOctets, utf8 } from "./crypto.ts";
import type { Mechanism, MechanismName } from "./mechanisms.ts";
import type { ClientMechanism, ClientOptions } from "./roles.ts";
import { prepared, saslprep } from "./saslprep.ts";
import { authMessage, type ClientKeys, clientKeys, MIN_ITERATIONS, preparedPassword, xor } from "./scram.ts";
import { escapeSaslname, gs2Header, readServerFinal, readServerFirst, type ServerFirst } from "./scram-messages.ts";
import { DOWNGRADE_ATTRIBUTE, downgradeHash } from "./xep0474-downgrade.ts";

type Scram = Extract<Mechanism, { kind: "scram" }>;

/** How the client uses channel binding in this attempt; see `chooseMechanism`. */
export type Binding =
  | { readonly is: "n" | "y" }
  | { readonly is: "p"; readonly type: string; readonly data: Uint8Array }
  /** None of the types announced is ours: only a server that proves it announced exactly those is believed (XEP-0474 §6). */
  | { readonly is: "n-if-protected" };

const NONCE_OCTETS = 18;
const MAX_ITERATIONS = 10_000_000;

type State =
  | { readonly is: "new" | "over" | "proved" }
  | { readonly is: "begun"; readonly bare: string; readonly nonce: string }
  | { readonly is: "answered"; readonly keys: ClientKeys; readonly serverSignature: Uint8Array };

export const scramClient = (
  name: MechanismName,
  scram: Scram,
  binding: Binding,
  options: ClientOptions,
): ClientMechanism => {
  const header = headerOf(binding, options.credentials.authzid);
  let state: State = { is: "new" };

  /** The server's last word: either it knows the keys of this account, or it is not the server. */
  const verify = (data: Uint8Array, { keys, serverSignature }: Extract<State, { is: "answered" }>): void => {
    const final = readServerFinal(data);
    if (final.is === "error") throw new SaslError("not-authorized", `the server says: ${final.error}`);
    if (!sameOctets(options.crypto, final.signature, serverSignature)) {
      throw new SaslError("not-authorized", "the server does not know this account's keys");
    }
    state = { is: "proved" };
    options.onKeys?.(keys);
  };

  return {
    name,
    initial: async () => {
      if (state.is !== "new") throw new SaslError("malformed-request", "begun already");
      const nonce = encodeBase64(options.crypto.random(NONCE_OCTETS));
      const bare = `n=${escapeSaslname(preparedUsername(options))},r=${nonce}`;
      state = { is: "begun", bare, nonce };
      return utf8(header + bare);
    },
    challenge: async (data) => {
      const before = state;
      state = { is: "over" };
      if (before.is === "answered") {
        verify(data, before);
        return NO_DATA;
      }
      if (before.is !== "begun") throw new SaslError("malformed-request", "no challenge was expected");
      const answer = await respond(scram, binding, header, before, data, options);
      state = { is: "answered", keys: answer.keys, serverSignature: answer.serverSignature };
      return utf8(answer.message);
    },
    success: async (data) => {
      const before = state;
      state = { is: "over" };
      if (before.is === "answered" && data !== undefined) verify(data, before);
      else if (before.is !== "proved" || (data?.length ?? 0) > 0) {
        throw new SaslError("not-authorized", "success without the server's proof");
      }
    },
  };
};

const headerOf = (binding: Binding, authzid: string | undefined): string =>
  gs2Header(binding.is === "n-if-protected" ? { is: "n" } : binding, authzid);

const preparedUsername = ({ credentials, saslprep: prepare = saslprep }: ClientOptions): string => {
  const username = prepared(prepare, credentials.username ?? "");
  if (username === undefined || username.includes("\0"))
    throw new SaslError("not-authorized", "the user name cannot be used");
  return username;
};

const respond = async (
  scram: Scram,
  binding: Binding,
  header: string,
  begun: Extract<State, { is: "begun" }>,
  data: Uint8Array,
  options: ClientOptions,
): Promise<{ message: string; keys: ClientKeys; serverSignature: Uint8Array }> => {
  const { crypto } = options;
  const { hash } = scram;
  const first = readServerFirst(data);
  await check(first, begun.nonce, scram, binding, options);
  const keys = await keysFor(scram, first, options);
  const bound = concat(utf8(header), binding.is === "p" ? binding.data : NO_DATA);
  const withoutProof = `c=${encodeBase64(bound)},r=${first.nonce}`;
  const signed = authMessage(begun.bare, first.text, withoutProof);
  const clientSignature = await crypto.hmac(hash, await crypto.hash(hash, keys.clientKey), signed);
  const message = `${withoutProof},p=${encodeBase64(xor(keys.clientKey, clientSignature))}`;
  return { message, keys, serverSignature: await crypto.hmac(hash, keys.serverKey, signed) };
};

const check = async (
  first: ServerFirst,
  nonce: string,
  scram: Scram,
  binding: Binding,
  options: ClientOptions,
): Promise<void> => {
  const { crypto, offer, maxIterations = MAX_ITERATIONS } = options;
  if (!first.nonce.startsWith(nonce) || first.nonce.length === nonce.length) {
    throw new SaslError("not-authorized", "the server did not add to our nonce");
  }
  if (first.iterations < MIN_ITERATIONS)
    throw new SaslError("mechanism-too-weak", `only ${first.iterations} iterations`);
  if (first.iterations > maxIterations) throw new SaslError("aborted", `${first.iterations} iterations are too many`);
  const claimed = first.extensions.get(DOWNGRADE_ATTRIBUTE);
  if (claimed === undefined && binding.is !== "n-if-protected") return;
  if (claimed !== (await downgradeHash(crypto, scram.hash, offer))) {
    throw new SaslError("mechanism-too-weak", "somebody changed what the server offers");
  }
};

const keysFor = async (scram: Scram, first: ServerFirst, options: ClientOptions): Promise<ClientKeys> => {
  const { crypto, credentials, saslprep: prepare = saslprep } = options;
  const { keys, password } = credentials;
  const fit =
    keys?.hash === scram.hash && keys.iterations === first.iterations && sameOctets(crypto, keys.salt, first.salt);
  if (keys !== undefined && fit) return keys;
  if (password === undefined) throw new SaslError("credentials-expired", "the keys kept do not fit any more");
  return clientKeys(crypto, scram.hash, preparedPassword(prepare, password), first.salt, first.iterations);
};
