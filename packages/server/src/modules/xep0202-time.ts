import { EntityTime, NS_TIME } from "@kith/protocol";
import { type Module, onGet } from "../module.ts";

/** XEP-0202: tells the time, in UTC: the server's own time zone would tell where it stands (§6). */
export const time = (): Module => ({
  name: "time",
  xeps: [
    { xep: "XEP-0202", version: "2.0" },
    { xep: "XEP-0082", version: "1.1.1" },
  ],
  features: [NS_TIME],
  iq: [onGet(EntityTime, ["server"], (_, __, { now }) => [EntityTime.build({ moment: now(), offset: 0 })])],
});
