/** XEP-0045 §7.2: entering a room. */
import { parseUnsigned } from "./datatypes.ts";
import { payload } from "./payload.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { childOf, type Element, element, textOfChild } from "./xml/element.ts";

export const NS_MUC = "http://jabber.org/protocol/muc";
/** The room gives its reflections the ids that the senders gave (§7.4). */
export const FEATURE_STABLE_ID = "http://jabber.org/protocol/muc#stable_id";
/** The rooms somebody is in (§6.7), the nickname somebody has registered (§7.12), what a room lets through (§18.1.1). */
export const NODE_ROOMS = "http://jabber.org/protocol/muc#rooms";
export const NODE_RESERVED_NICK = "x-roomuser-item";
export const NODE_TRAFFIC = "http://jabber.org/protocol/muc#traffic";

/** How much of what was said before somebody wants to be sent (§7.2.14); all that is given holds at once. */
export interface HistoryRequest {
  /** Characters of whole stanzas. 0: no history. */
  readonly maxChars?: number | undefined;
  readonly maxStanzas?: number | undefined;
  /** What was received in the last so many seconds. */
  readonly seconds?: number | undefined;
  /** What was received since then, in milliseconds since 1970. */
  readonly since?: number | undefined;
}

export interface JoinRequest {
  readonly password?: string | undefined;
  readonly history?: HistoryRequest | undefined;
}

/**
 * `<x/>` in the presence by which a room is entered (§7.2.1). A limit that is none that can be understood is as good as not given:
 * the room has its own.
 */
export const MucJoin = payload<JoinRequest, "presence" | "error">({
  ns: NS_MUC,
  name: "x",
  places: ["presence", "error"],
  parse: (x) => {
    const history = childOf(x, "history");
    return { password: textOfChild(x, "password"), history: history === undefined ? undefined : historyOf(history) };
  },
  build: ({ password, history }) =>
    element(NS_MUC, "x", {}, [
      history !== undefined && historyElement(history),
      password !== undefined && element(NS_MUC, "password", {}, [password]),
    ]),
});

const historyOf = ({ attributes: { maxchars, maxstanzas, seconds, since } }: Element): HistoryRequest => ({
  maxChars: numberOf(maxchars),
  maxStanzas: numberOf(maxstanzas),
  seconds: numberOf(seconds),
  since: since === undefined ? undefined : parseDateTime(since.trim()),
});

/** xs:int. */
const MAX_INT = 0x7fff_ffff;
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseUnsigned(text, MAX_INT);

const historyElement = ({ maxChars, maxStanzas, seconds, since }: HistoryRequest): Element =>
  element(NS_MUC, "history", {
    maxchars: maxChars,
    maxstanzas: maxStanzas,
    seconds,
    since: since === undefined ? undefined : formatDateTime(since),
  });
