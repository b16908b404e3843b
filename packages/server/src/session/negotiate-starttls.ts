import { type Bytes, NS_TLS, type RawElement, starttlsFeature } from "@kith/protocol";
import type { Client, Step } from "./negotiate-step.ts";

const PROCEED = `<proceed xmlns='${NS_TLS}'/>` as Bytes;
const FAILURE = `<failure xmlns='${NS_TLS}'/>` as Bytes;

const isStarttls = (raw: RawElement): boolean => raw.ns === NS_TLS && raw.name === "starttls";

/** RFC 6120 §5.4.2.2: the stream ends without a stream error. */
const refuse = (client: Client): void => {
  client.send(FAILURE);
  client.close();
};

/** White space after the command is against §5.3.3, but no attack; it is dropped. */
const isWhiteSpace = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);

const begin = async (client: Client): Promise<void> => {
  // One turn later: what came in the same piece lies with the reader now. It was sent in the clear, so nothing of it may be
  // read as if it had come over TLS; who sends it is no client that follows §5.4.3.1.
  await undefined;
  if (client.isOver) return;
  if (!isWhiteSpace(client.takeUnreadInput())) return refuse(client);
  client.send(PROCEED);
  client.beginTls(client.domain);
};

/** RFC 6120 §5, where TLS is to be had. */
export const starttls: Step = {
  name: "STARTTLS",
  features: (client) => [starttlsFeature(!client.services.plaintextFromLoopback || !client.transport.isLoopback)],
  takes: isStarttls,
  receive: (client, raw) => (raw.payload === "" ? begin(client) : refuse(client)),
};

/** RFC 6120 §5.4.2.2, where it is not: over TLS already, or too late. */
export const noStarttls: Step = { name: "no STARTTLS", takes: isStarttls, receive: refuse };
