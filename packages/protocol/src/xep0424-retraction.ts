/** XEP-0424: a message that its sender would like not to have sent. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { idOf, type Message, withChildren } from "./stanza.ts";
import { childrenOfStanza, find } from "./stanza-children.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { haveSameSender, type SenderScope } from "./xep0308-correction.ts";
import { NS_STANZA_IDS, originIdOf, stanzaIdBy } from "./xep0359-stanza-ids.ts";
import { type Element, element } from "./xml/element.ts";

export const NS_RETRACTION = "urn:xmpp:message-retract:1";
/** The feature of an archive that keeps tombstones (§4). */
export const RETRACTION_TOMBSTONES = `${NS_RETRACTION}#tombstone`;

/** `<retract/>` (§3): the id of the message; in a room, the one the room gave it (§5.1). */
export const Retraction = payload<string, "message">({
  ns: NS_RETRACTION,
  name: "retract",
  places: ["message"],
  parse: ({ attributes: { id } }) => {
    if (!id) throw new StanzaError("bad-request", { text: "which message is retracted?" });
    return id;
  },
  build: (id) => element(NS_RETRACTION, "retract", { id }),
});

/** What an archive keeps in place of a message (§4). */
export interface Tombstone {
  /** The id of the message that retracted it; a room's moderator needs none (XEP-0425 §4). */
  readonly id?: string | undefined;
  readonly by?: Jid | undefined;
  /** When it was retracted, in milliseconds since 1970. */
  readonly stamp?: number | undefined;
}

/** `<retracted/>` (§4). */
export const Retracted = payload<Tombstone, "message">({
  ns: NS_RETRACTION,
  name: "retracted",
  places: ["message"],
  parse: ({ attributes: { id, by, stamp } }) => {
    const moment = stamp === undefined ? undefined : parseDateTime(stamp);
    if (id === "" || (stamp !== undefined && moment === undefined))
      throw new StanzaError("bad-request", { text: "by which message, and when?" });
    return { id, by: by === undefined ? undefined : parseJid(by), stamp: moment };
  },
  build: ({ id, by, stamp }) =>
    element(NS_RETRACTION, "retracted", {
      by: by?.full,
      id,
      stamp: stamp === undefined ? undefined : formatDateTime(stamp),
    }),
});

/** The id by which a message is retracted (§5.1): in a room the room's or else its sender's, otherwise that of the stanza. */
export const retractableId = (message: Message): string | undefined => {
  if (message.type !== "groupchat") return idOf(message);
  return (message.from && stanzaIdBy(message, message.from.toBare())) ?? originIdOf(message);
};

/** May `retraction` do away with `original` (§5)? Moderators may more: XEP-0425. */
export const mayRetract = (original: Message, retraction: Message, scope: SenderScope): boolean => {
  if (!haveSameSender(original, retraction, scope)) return false;
  const id = retractableId(original);
  return id !== undefined && find(retraction, Retraction) === id;
};

const NS_OCCUPANT_ID = "urn:xmpp:occupant-id:0";

/**
 * What is left of a message: its envelope, its ids and the tombstone (§4). `retracted` is a `Retracted`, with or without what a moderator says.
 */
export const tombstoneOf = (original: Message, retracted: Element): Message =>
  withChildren(original, [
    ...childrenOfStanza(original).filter(({ ns }) => ns === NS_STANZA_IDS || ns === NS_OCCUPANT_ID),
    retracted,
  ]);
