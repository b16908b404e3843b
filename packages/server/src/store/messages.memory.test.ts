import { manualWriter, memoryStore } from "./memory.ts";
import { messagesSuite, type OpenedMessages } from "./messages.suite.ts";

const open = async (cacheOwners: number): Promise<OpenedMessages> => {
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

messagesSuite("the memory store", () => open(2000));
messagesSuite("the memory store that forgets every owner but one", () => open(1));
