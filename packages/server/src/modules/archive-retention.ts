import type { Eventually } from "@kith/protocol";
import type { Module } from "../module.ts";
import type { Expiry, Messages } from "../store/messages.ts";

export interface RetentionOptions {
  readonly messages: Pick<Messages, "expire">;
  /** How long messages are kept, in milliseconds; `undefined`: for good. */
  readonly keepFor: number | undefined;
  /** How many of the newest each archive keeps; `undefined`: all. */
  readonly keepNewest: number | undefined;
  /** How often what is too old is looked for, in milliseconds. */
  readonly every: number;
  /** Calls once after so many milliseconds, unless it is told not to; does not keep the process alive. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** It did not work; it is tried again the next time. */
  readonly failed: (error: unknown) => void;
}

/**
 * XEP-0313 §3.2: archives lose what is too old, and what is too much, always the oldest first. In the background, in small steps; what still
 * waits for somebody stays.
 */
export const archiveRetention = (options: RetentionOptions): Module => {
  const { messages, keepFor, keepNewest, every, after, failed } = options;
  let disarm: (() => void) | undefined;
  let running: Promise<unknown> | undefined;
  let isStopped = false;

  const expire = async (now: () => number): Promise<void> => {
    const expiry: Expiry = {
      ...(keepFor === undefined ? {} : { before: now() - keepFor }),
      ...(keepNewest === undefined ? {} : { keep: keepNewest }),
    };
    await messages.expire(expiry).catch(failed);
  };

  const arm = (now: () => number): void => {
    if (isStopped) return;
    disarm = after(every, () => {
      running = expire(now).finally(() => arm(now));
    });
  };

  return {
    name: "archive-retention",
    xeps: [],
    started: ({ now }) => {
      if (keepFor !== undefined || keepNewest !== undefined) arm(now);
      return [];
    },
    stopped: (): Eventually<void> => {
      isStopped = true;
      disarm?.();
      return running?.then(() => undefined);
    },
  };
};
