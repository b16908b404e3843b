import { type AdvertisedLimits, type Element, StreamLimits } from "@kith/protocol";
import type { Module } from "../module.ts";

export interface StreamLimitsOptions {
  /** What holds until a client has authenticated. */
  readonly visitor: AdvertisedLimits;
  /** What holds from then on. */
  readonly authenticated: AdvertisedLimits;
}

/** XEP-0478: advertises the limits that streams have anyway. */
export const streamLimits = (options: StreamLimitsOptions): Module => {
  const visitor = advertised(options.visitor);
  const authenticated = advertised(options.authenticated);
  return {
    name: "stream-limits",
    xeps: [{ xep: "XEP-0478", version: "0.2.0" }],
    streamFeatures: { visitor: () => visitor, authenticated: () => authenticated },
  };
};

const advertised = (limits: AdvertisedLimits): readonly Element[] =>
  limits.maxBytes === undefined && limits.idleSeconds === undefined ? [] : [StreamLimits.build(limits)];
