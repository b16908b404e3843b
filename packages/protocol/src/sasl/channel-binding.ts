/** Channel bindings for TLS (RFC 9266, RFC 5929) and how a server announces them (XEP-0440). */
import { childrenOf, type Element, element } from "../xml/element.ts";

export const NS_CHANNEL_BINDING = "urn:xmpp:sasl-cb:0";

/** Strongest first. "tls-unique" is left out: it is not defined for TLS 1.3 and broken before (RFC 7627). */
export const CHANNEL_BINDING_TYPES = ["tls-exporter", "tls-server-end-point"] as const;
export type ChannelBindingType = (typeof CHANNEL_BINDING_TYPES)[number];

/** What a TLS channel is bound by: the data of each type that can be had of it. */
export type ChannelBindings = ReadonlyMap<ChannelBindingType, Uint8Array>;
export const NO_CHANNEL_BINDINGS: ChannelBindings = new Map();

export const isChannelBindingType = (type: string): type is ChannelBindingType =>
  (CHANNEL_BINDING_TYPES as readonly string[]).includes(type);

/**
 * RFC 9266 §2: the arguments of the keying material exporter. Not to be used with TLS before 1.3, unless the
 * extended master secret was negotiated.
 */
export const TLS_EXPORTER = { label: "EXPORTER-Channel-Binding", context: new Uint8Array(0), octets: 32 } as const;

/**
 * RFC 5929 §4.1: the hash of a certificate that "tls-server-end-point" consists of, by the hash of the certificate's signature
 * algorithm: MD5 and SHA-1 give way to SHA-256.
 */
export const endPointHash = (signatureHash: string): string =>
  /^(?:md5|sha-?1)$/i.test(signatureHash) ? "SHA-256" : signatureHash;

/** <sasl-channel-binding/>, a stream feature beside <mechanisms/>. Give it one type at least (XEP-0440 §2). */
export const channelBindingElement = (types: readonly string[]): Element =>
  element(
    NS_CHANNEL_BINDING,
    "sasl-channel-binding",
    {},
    types.map((type) => element(NS_CHANNEL_BINDING, "channel-binding", { type })),
  );

/** The types that <sasl-channel-binding/> announces, known to us or not. */
export const readChannelBindings = (feature: Element): readonly string[] =>
  childrenOf(feature, "channel-binding").flatMap((child) => child.attributes.type ?? []);
