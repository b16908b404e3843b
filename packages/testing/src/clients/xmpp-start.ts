import type { Entity } from "@xmpp/client";
import { PATIENCE } from "../process/happenings.ts";

/**
 * Connects and settles when the stream is negotiated. In place of the entity's own `start`, which misses an answer that
 * comes before its own write is reported as done, and leaves a rejection behind that nobody can handle.
 */
export const startEntity = async (entity: Entity): Promise<void> => {
  const { service, domain } = entity.options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`not online within ${PATIENCE} ms`)), PATIENCE);
  entity.on("online", resolve);
  entity.on("error", reject);
  entity.on("disconnect", () => reject(new Error("the server closed the connection")));
  // What becomes of the stream is seen by these events.
  entity.connect(service).then(() => entity.open({ domain }).catch(() => {}), reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
};
