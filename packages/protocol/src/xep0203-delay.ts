/** XEP-0203: when a stanza was sent that arrives late. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { element, textOf } from "./xml/element.ts";

export const NS_DELAY = "urn:xmpp:delay";

export interface DelayedDelivery {
  /** When it was sent, in milliseconds since 1970. */
  readonly stamp: number;
  /** Who sent it, or delayed it. Anybody can claim anything here (§5). */
  readonly from?: Jid | undefined;
  readonly reason?: string | undefined;
}

export const Delay = payload({
  ns: NS_DELAY,
  name: "delay",
  places: ["message", "presence"],
  parse: (delay): DelayedDelivery => {
    const { stamp, from } = delay.attributes;
    const moment = parseDateTime(stamp ?? "");
    if (moment === undefined) throw new StanzaError("bad-request", { text: "a delay needs a stamp" });
    const reason = textOf(delay).trim();
    return {
      stamp: moment,
      from: from === undefined ? undefined : parseJid(from),
      reason: reason === "" ? undefined : reason,
    };
  },
  build: ({ stamp, from, reason }) =>
    element(NS_DELAY, "delay", { from: from?.full, stamp: formatDateTime(stamp) }, [reason]),
});
