/** XEP-0421: who an occupant is, whatever nickname they go by, without saying who they are. */
import type { Bytes } from "./bytes.ts";
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { type Stanza, withRawChild } from "./stanza.ts";
import { withoutChildren } from "./stanza-children.ts";
import { element } from "./xml/element.ts";
import { findChild, isChild } from "./xml/raw.ts";
import { escapeAttribute } from "./xml/write.ts";

export const NS_OCCUPANT_ID = "urn:xmpp:occupant-id:0";

/** Characters an id has at most (§5.1). */
export const MAX_OCCUPANT_ID = 128;

/** `<occupant-id/>`: an opaque text. Only to be believed of a room that announces the feature (§5). */
export const OccupantId = payload<string, "message" | "presence">({
  ns: NS_OCCUPANT_ID,
  name: "occupant-id",
  places: ["message", "presence"],
  parse: ({ attributes: { id } }) => {
    if (!id || id.length > MAX_OCCUPANT_ID) throw new StanzaError("bad-request", { text: "no occupant's id" });
    return id;
  },
  build: (id) => element(NS_OCCUPANT_ID, "occupant-id", { id }),
});

/** The stanza with the id that its room gives, in place of any that was claimed (§5). */
export const withOccupantId = <S extends Stanza>(stanza: S, id: string): S =>
  withRawChild(withoutOccupantId(stanza), occupantIdBytes(id));

/** The element as it stands in a stanza. */
export const occupantIdBytes = (id: string): Bytes =>
  `<occupant-id xmlns='${NS_OCCUPANT_ID}' id='${escapeAttribute(id)}'/>` as Bytes;

const withoutOccupantId = <S extends Stanza>(stanza: S): S =>
  findChild(stanza, NS_OCCUPANT_ID, "occupant-id") < 0
    ? stanza
    : withoutChildren(stanza, (at) => isChild(stanza, at, NS_OCCUPANT_ID, "occupant-id"));
