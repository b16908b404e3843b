import { faults } from "../faults.ts";

/** Whatever was appended to connections during one turn of the loop is written at its end, one write a connection. */
export interface Flushable {
  flush(): void;
}

let dirty: Flushable[] = [];

const flushAll = (): void => {
  const flushing = dirty;
  dirty = [];
  for (let at = 0; at < flushing.length; at++) (flushing[at] as Flushable).flush();
  faults?.passes("after the write");
};

/** Flushes at the end of this turn of the loop. Once a turn for each. */
export const flushSoon = (connection: Flushable): void => {
  if (dirty.push(connection) === 1) setImmediate(flushAll);
};
