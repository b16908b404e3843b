/** XEP-0202: what time it is where an entity is. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { formatDateTime, formatOffset, parseDateTime, parseOffset } from "./xep0082-datetime.ts";
import { element, elementsOf, textOfChild } from "./xml/element.ts";

export const NS_TIME = "urn:xmpp:time";

export interface LocalTime {
  /** Milliseconds since 1970. */
  readonly moment: number;
  /** Minutes by which the entity's clock is ahead of UTC. */
  readonly offset: number;
}

/** `undefined` in a request. */
export const EntityTime = payload({
  ns: NS_TIME,
  name: "time",
  places: ["iq-get", "iq-result"],
  parse: (time): LocalTime | undefined => {
    if (elementsOf(time).length === 0) return undefined;
    const moment = parseDateTime(textOfChild(time, "utc") ?? "");
    const offset = parseOffset(textOfChild(time, "tzo") ?? "");
    if (moment === undefined || offset === undefined)
      throw new StanzaError("bad-request", { text: "a time has tzo and utc" });
    return { moment, offset };
  },
  build: (time) =>
    element(
      NS_TIME,
      "time",
      {},
      time === undefined
        ? []
        : [
            element(NS_TIME, "tzo", {}, [formatOffset(time.offset)]),
            element(NS_TIME, "utc", {}, [formatDateTime(time.moment)]),
          ],
    ),
});
