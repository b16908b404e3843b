/** XEP-0359: ids that somebody vouches for. */
import type { Bytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { type Jid, jidOfBytes, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { type Stanza, withRawChild } from "./stanza.ts";
import { withoutChildren } from "./stanza-children.ts";
import { type Element, element } from "./xml/element.ts";
import { childCount, findChild, isChild } from "./xml/raw.ts";
import { childAttribute } from "./xml/read.ts";
import { escapeAttribute } from "./xml/write.ts";

export const NS_STANZA_IDS = "urn:xmpp:sid:0";

/** An id, and the account or room that gave it. Only as true as it is known that `by` strips those it did not give (§6). */
export interface GivenStanzaId {
  readonly id: string;
  readonly by: Jid;
}

/** `<stanza-id/>` (§2.1). */
export const StanzaId = payload<GivenStanzaId, "message" | "presence">({
  ns: NS_STANZA_IDS,
  name: "stanza-id",
  places: ["message", "presence"],
  parse: (stanzaId) => ({ id: idIn(stanzaId), by: parseJid(stanzaId.attributes.by ?? "") }),
  build: ({ id, by }) => element(NS_STANZA_IDS, "stanza-id", { by: by.full, id }),
});

/** `<origin-id/>` (§2.2): the id its sender gave it. Anybody can claim any. */
export const OriginId = payload<string, "message" | "presence">({
  ns: NS_STANZA_IDS,
  name: "origin-id",
  places: ["message", "presence"],
  parse: (originId) => idIn(originId),
  build: (id) => element(NS_STANZA_IDS, "origin-id", { id }),
});

/** `<referenced-stanza/>` (§4). */
export const ReferencedStanza = payload<{ readonly id: string; readonly by?: Jid | undefined }, "message">({
  ns: NS_STANZA_IDS,
  name: "referenced-stanza",
  places: ["message"],
  parse: (reference) => {
    const { by } = reference.attributes;
    return { id: idIn(reference), by: by === undefined ? undefined : parseJid(by) };
  },
  build: ({ id, by }) => element(NS_STANZA_IDS, "referenced-stanza", { by: by?.full, id }),
});

const idIn = ({ attributes: { id } }: Element): string => {
  if (!id) throw new StanzaError("bad-request", { text: "an id is missing" });
  return id;
};

/** The id that this address gave the stanza; `undefined` where it gave none. */
export const stanzaIdBy = (stanza: Stanza, by: Jid): string | undefined => {
  for (let at = findChild(stanza, NS_STANZA_IDS, "stanza-id"); at >= 0 && at < childCount(stanza); at++) {
    if (!isChild(stanza, at, NS_STANZA_IDS, "stanza-id")) continue;
    if (giverOf(stanza, at)?.full !== by.full) continue;
    const id = childAttribute(stanza, at, "id");
    if (id) return id;
  }
  return undefined;
};

/** The id that the stanza's sender gave it; `undefined` where there is none, or an empty one. */
export const originIdOf = (stanza: Stanza): string | undefined => {
  const at = findChild(stanza, NS_STANZA_IDS, "origin-id");
  return at < 0 ? undefined : childAttribute(stanza, at, "id") || undefined;
};

/** The stanza with one more id. Whoever adds one removes others by the same address first (§3). */
export const withStanzaId = <S extends Stanza>(stanza: S, id: string, by: Jid): S =>
  withRawChild(
    stanza,
    `<stanza-id xmlns='${NS_STANZA_IDS}' by='${by.attribute}' id='${escapeAttribute(id)}'/>` as Bytes,
  );

/**
 * The stanza without the ids that claim to be given by one of ours, since ours are given by ourselves alone (§3). Those of others stay,
 * as does one by what is no address.
 */
export const withoutStanzaIds = <S extends Stanza>(stanza: S, isOurs: (by: Jid) => boolean): S => {
  if (findChild(stanza, NS_STANZA_IDS, "stanza-id") < 0) return stanza;
  return withoutChildren(stanza, (at) => {
    if (!isChild(stanza, at, NS_STANZA_IDS, "stanza-id")) return false;
    const by = giverOf(stanza, at);
    return by !== undefined && isOurs(by);
  });
};

/** Through the cache of addresses: the few that give ids give very many. */
const giverOf = (stanza: Stanza, at: number): Jid | undefined => {
  const by = childAttribute(stanza, at, "by");
  return by === undefined ? undefined : jidOfBytes(escapeAttribute(by));
};
