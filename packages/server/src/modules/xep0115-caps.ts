import {
  type Bytes,
  Caps,
  capsNode,
  type DiscoInfo,
  type DomainJid,
  type EntityCaps,
  NS_CAPS,
  verificationInput,
} from "@kith/protocol";
import type { Module } from "../module.ts";

export interface CapsOptions {
  /** A URI that stands for the software. */
  readonly node: string;
  /** What the server says of itself at a virtual host. */
  readonly info: (domain: DomainJid) => DiscoInfo;
  /** SHA-1, in Base64. */
  readonly hash: (data: Bytes) => string;
}

export interface CapsModule extends Module {
  /** The node whose disco#info is the server's (§6.2). */
  readonly nodeOf: (domain: DomainJid) => string;
}

/**
 * XEP-0115 §6.3: tells clients that have authenticated what the server can do, so that they need not ask again. Made
 * anew for each stream: what it stands for may change when the configuration is read again.
 */
export const caps = ({ node, info, hash }: CapsOptions): CapsModule => {
  const capsOf = (domain: DomainJid): EntityCaps => ({
    node,
    ver: hash(verificationInput(info(domain))),
    hash: "sha-1",
  });
  return {
    name: "caps",
    xeps: [{ xep: "XEP-0115", version: "1.6.0" }],
    features: [NS_CAPS],
    streamFeatures: { authenticated: (domain) => [Caps.build(capsOf(domain))] },
    nodeOf: (domain) => capsNode(capsOf(domain)),
  };
};
