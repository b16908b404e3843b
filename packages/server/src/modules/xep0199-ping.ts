import { NS_PING, Ping } from "@kith/protocol";
import { type Module, onGet } from "../module.ts";

/** XEP-0199: answers pings to the server and to the sender's own account. */
export const ping = (): Module => ({
  name: "ping",
  xeps: [{ xep: "XEP-0199", version: "2.0.1" }],
  features: [NS_PING],
  iq: [onGet(Ping, ["server", "own-account"], () => [])],
});
