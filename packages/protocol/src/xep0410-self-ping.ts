/** XEP-0410: asking a room whether one is still in it. The question is a ping (XEP-0199) to one's own occupant address. */

/** The room answers by itself and asks no other client (§3.3). */
export const FEATURE_SELF_PING = "http://jabber.org/protocol/muc#self-ping-optimization";
