/** XEP-0199: is anybody there? */
import { payload } from "./payload.ts";
import { element } from "./xml/element.ts";

export const NS_PING = "urn:xmpp:ping";

export const Ping = payload({
  ns: NS_PING,
  name: "ping",
  places: ["iq-get"],
  parse: () => undefined,
  build: () => element(NS_PING, "ping"),
});
