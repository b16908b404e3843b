/** What passes through a room: what clients may say of themselves, and nothing that is a room's to say (XEP-0045 §17.3). */
import {
  childAttribute,
  detached,
  hasChild,
  hasHint,
  idOf,
  isChild,
  type Jid,
  type Message,
  message,
  NS_CONTENT,
  NS_DELAY,
  NS_HATS,
  NS_MUC,
  NS_MUC_USER,
  NS_OCCUPANT_ID,
  NS_RETRACTION,
  NS_STANZA_IDS,
  occupantIdBytes,
  type Presence,
  presence,
  type Stanza,
  textNamed,
  tryJid,
  unescape as unescaped,
  withoutChildren,
  withPayload,
  withRawChild,
} from "@kith/protocol";
import type { KeptContent } from "./room-model.ts";

/** Content that outlives the stanza it came in, as plain data. */
export const contentOf = ({ payload, index, lang }: Stanza): KeptContent =>
  lang === undefined
    ? { payload: detached(payload), index }
    : { payload: detached(payload), index, lang: unescaped(detached(lang)) };

/** Presence without addresses around this content. */
export const presenceFrom = ({ payload, index, lang }: KeptContent): Presence =>
  withPayload(presence({ lang }), payload, index);

/** What a client says of itself, to be kept: not what only a room says, nor the request to enter. */
export const ownPresence = (received: Presence, isStatusShown: boolean): Presence => {
  const own = withoutChildren(
    received,
    (at) =>
      isChild(received, at, NS_MUC, "x") ||
      isChild(received, at, NS_MUC_USER, "x") ||
      isChild(received, at, NS_OCCUPANT_ID, "occupant-id") ||
      isChild(received, at, NS_HATS, "hats") ||
      (!isStatusShown && isChild(received, at, NS_CONTENT, "status")),
  );
  return presenceFrom(contentOf(own));
};

/** RFC 6121 §4.7.2.3: -128 to 127; what is none counts as 0. */
export const priorityOf = (received: Presence): number => {
  const text = textNamed(received, "priority")?.trim() ?? "";
  const number = PRIORITY.test(text) ? Number(text) : 0;
  return number >= -128 && number <= 127 ? number : 0;
};
const PRIORITY = /^[+-]?\d{1,3}$/;

/**
 * A message without what a room alone may say: statuses and items, whose it is, the ids and stamps that are the room's to give
 * (XEP-0045 §17.3, XEP-0421 §5, XEP-0359 §3).
 */
export const ownMessage = <S extends Message>(received: S, room: Jid): S =>
  withoutChildren(
    received,
    (at) =>
      isChild(received, at, NS_MUC_USER, "x") ||
      isChild(received, at, NS_OCCUPANT_ID, "occupant-id") ||
      (isChild(received, at, NS_STANZA_IDS, "stanza-id") && isBy(received, at, "by", room)) ||
      (isChild(received, at, NS_DELAY, "delay") && isBy(received, at, "from", room)),
  );

const isBy = (received: Message, at: number, attribute: string, room: Jid): boolean => {
  const by = childAttribute(received, at, attribute);
  return by !== undefined && tryJid(by)?.bare === room.bare;
};

/** The message as the room reflects it, addressed to nobody yet; with an id in any case, which is the sender's where it gave one (§7.4). */
export const reflected = (own: Message, from: Jid, occupantId: string, newId: () => string): Message => {
  const named = message({ type: own.type, from, id: idOf(own) ?? newId(), lang: langOf(own) });
  return withRawChild(withPayload(named, own.payload, own.index), occupantIdBytes(occupantId));
};

/** The same message, holding on to nothing of the stanza it came in. */
export const keptMessage = (said: Message): Message => {
  const { type, from, index, payload } = said;
  return withPayload(
    message({ type, from, id: apart(idOf(said)), lang: apart(langOf(said)) }),
    detached(payload),
    index,
  );
};

const apart = (text: string | undefined): string | undefined => (text === undefined ? undefined : detached(text));

const langOf = ({ lang }: Stanza): string | undefined => (lang === undefined ? undefined : unescaped(lang));

/** §8.1: a subject without body or thread changes the subject. */
export const isSubjectChange = (received: Message): boolean =>
  hasChild(received, NS_CONTENT, "subject") &&
  !hasChild(received, NS_CONTENT, "body") &&
  !hasChild(received, NS_CONTENT, "thread");

/**
 * Is it shown to those who enter later, and archived (XEP-0313 §6.1.2, XEP-0334)? Whatever has a body, and what changes something that has
 * been said: who has not seen that would see what was said as it is no more.
 */
export const isHistoric = (received: Message): boolean => {
  if (hasHint(received, "no-store") || hasHint(received, "no-permanent-store")) return false;
  return (
    hasChild(received, NS_CONTENT, "body") ||
    hasHint(received, "store") ||
    hasChild(received, NS_RETRACTION, "retract") ||
    hasChild(received, NS_REACTIONS, "reactions")
  );
};
/** XEP-0444. */
const NS_REACTIONS = "urn:xmpp:reactions:0";
