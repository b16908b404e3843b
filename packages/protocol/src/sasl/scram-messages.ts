/** The messages of SCRAM as text (RFC 5802 §5, §7). Reading is as strict as the grammar; what does not match is malformed. */
import { SaslError } from "../errors.ts";
import { decodeBase64 } from "./base64.ts";
import { textOfUtf8 } from "./crypto.ts";

/** The client's word on channel binding (§6): does not know it, knows it but saw no offer, uses it. */
export type Gs2Flag = { readonly is: "n" } | { readonly is: "y" } | { readonly is: "p"; readonly type: string };

export interface ClientFirst {
  readonly flag: Gs2Flag;
  readonly authzid: string | undefined;
  /** The GS2 header as it was sent, with both commas. */
  readonly header: string;
  /** All after the header: what the signatures cover. */
  readonly bare: string;
  readonly username: string;
  readonly nonce: string;
}
export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** The message as it was sent: what the signatures cover. */
  readonly text: string;
  /** Further attributes, by name. */
  readonly extensions: ReadonlyMap<string, string>;
}
export interface ClientFinal {
  /** GS2 header and channel binding data. */
  readonly binding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  readonly withoutProof: string;
}
export type ServerFinal =
  | { readonly is: "verifier"; readonly signature: Uint8Array }
  | { readonly is: "error"; readonly error: string };

const malformed = (text: string): never => {
  throw new SaslError("malformed-request", text);
};

// The character classes of §7. Surrogates are never there: the text comes from UTF-8.
const VALUE = "[^\\0,]+";
const SASLNAME = "(?:[^\\0,=]|=2C|=3D)+";
const NONCE = "[!-+\\--~]+";
const BASE64 = "[A-Za-z0-9+/=]+";
const EXTENSIONS = `((?:,[A-Za-z]=${VALUE})*)`;

const CLIENT_FIRST = new RegExp(
  `^((n|y|p=([A-Za-z0-9.-]+)),(?:a=(${SASLNAME}))?,)(n=(${SASLNAME}),r=(${NONCE})${EXTENSIONS})$`,
  "u",
);
const SERVER_FIRST = new RegExp(`^r=(${NONCE}),s=(${BASE64}),i=([1-9][0-9]{0,9})${EXTENSIONS}$`, "u");
const CLIENT_FINAL = new RegExp(`^(c=(${BASE64}),r=(${NONCE})${EXTENSIONS}),p=(${BASE64})$`, "u");
const SERVER_FINAL = new RegExp(`^(?:v=(${BASE64})|e=(${VALUE}))${EXTENSIONS}$`, "u");
/** "m=" asks for an extension that must be understood (§5.1); there is none so far. */
const MANDATORY_EXTENSION = /(?:^|,)m=/;

const match = (data: Uint8Array, grammar: RegExp, what: string): readonly (string | undefined)[] => {
  const text = textOfUtf8(data) ?? malformed(`${what} is not UTF-8`);
  const found = grammar.exec(text);
  if (MANDATORY_EXTENSION.test(text)) malformed("extensions-not-supported");
  return found ?? malformed(`${what} does not follow the grammar of SCRAM`);
};

const base64 = (text: string): Uint8Array => decodeBase64(text) ?? malformed("a SCRAM attribute is not base 64");

/** "," and "=" cannot stand in a name as they are (§5.1). */
export const escapeSaslname = (name: string): string => name.replaceAll("=", "=3D").replaceAll(",", "=2C");
const unescapeSaslname = (name: string): string => name.replaceAll("=2C", ",").replaceAll("=3D", "=");

export const gs2Header = (flag: Gs2Flag, authzid: string | undefined): string =>
  `${flag.is === "p" ? `p=${flag.type}` : flag.is},${authzid === undefined ? "" : `a=${escapeSaslname(authzid)}`},`;

export const readClientFirst = (data: Uint8Array): ClientFirst => {
  const [, header = "", flag, type, authzid, bare = "", username = "", nonce = ""] = match(
    data,
    CLIENT_FIRST,
    "the first message",
  );
  return {
    flag: type !== undefined ? { is: "p", type } : { is: flag === "y" ? "y" : "n" },
    authzid: authzid === undefined ? undefined : unescapeSaslname(authzid),
    header,
    bare,
    username: unescapeSaslname(username),
    nonce,
  };
};

export const readServerFirst = (data: Uint8Array): ServerFirst => {
  const [text = "", nonce = "", salt = "", iterations, extensions = ""] = match(
    data,
    SERVER_FIRST,
    "the server's first message",
  );
  return { text, nonce, salt: base64(salt), iterations: Number(iterations), extensions: readExtensions(extensions) };
};

const readExtensions = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(",")
      .filter((attribute) => attribute !== "")
      .map((attribute) => [attribute.charAt(0), attribute.slice(2)]),
  );

export const readClientFinal = (data: Uint8Array): ClientFinal => {
  const [, withoutProof = "", binding = "", nonce = "", , proof = ""] = match(data, CLIENT_FINAL, "the final message");
  return { binding: base64(binding), nonce, proof: base64(proof), withoutProof };
};

export const readServerFinal = (data: Uint8Array): ServerFinal => {
  const [, verifier, error = ""] = match(data, SERVER_FINAL, "the server's final message");
  return verifier === undefined ? { is: "error", error } : { is: "verifier", signature: base64(verifier) };
};
