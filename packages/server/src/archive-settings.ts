import type { Config } from "./config.ts";
import type { ArchiveSettings } from "./modules/index.ts";
import type { Log } from "./router/log.ts";
import { Timer, type Timers } from "./session/timer.ts";

/** What the configuration says of archives; `undefined` where there are none. */
export const archiveSettings = ({ archive }: Config, timers: Timers, log: Log): ArchiveSettings | undefined => {
  const { enabled, recogniseFor: _, retention, ...settings } = archive;
  if (!enabled) return undefined;
  return {
    ...settings,
    retention: {
      keepFor: retention.keepFor,
      keepNewest: retention.keepNewest,
      every: retention.every,
      after: (ms, run) => {
        const timer = new Timer({ expired: run });
        timers.arm(timer, ms);
        return () => timers.disarm(timer);
      },
      failed: (error) => log.error({ err: error }, "old messages could not be removed"),
    },
  };
};
