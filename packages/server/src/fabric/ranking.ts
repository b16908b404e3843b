import type { AvailableResource } from "../module.ts";

/**
 * Most available first: by priority, then whoever has a connection, then by whose presence came last (RFC 6121
 * §8.5.2.1.1 leaves the choice to us).
 */
export const byAvailability = (a: AvailableResource, b: AvailableResource): number =>
  b.priority - a.priority || Number(a.isDetached) - Number(b.isDetached) || b.since - a.since;
