import { manualWriter, memoryStore } from "./memory.ts";
import type { OpenedMessages } from "./messages.suite.ts";

export const openMemory = async (cacheOwners: number): Promise<OpenedMessages> => {
  const writer = manualWriter();
  writer.release();
  const clock = { now: 1_000_000 };
  return {
    store: memoryStore({ writer, cacheOwners, now: () => clock.now }),
    clock,
    hold: () => {
      writer.hold();
      return () => writer.release();
    },
    commitFailing: (unit) => {
      writer.failNext();
      return unit.commit();
    },
  };
};
