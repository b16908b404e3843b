/** XEP-0425: a message that a room's moderator does away with. */
import { StanzaError } from "./errors.ts";
import { type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { NS_RETRACTION, Retracted, Retraction, type Tombstone } from "./xep0424-retraction.ts";
import { childOf, type Element, element, textOfChild } from "./xml/element.ts";

export const NS_MODERATION = "urn:xmpp:message-moderate:1";

/** What a moderator asks of a room (§3). */
export interface ModerationRequest {
  /** The id the room gave the message. */
  readonly id: string;
  readonly reason?: string | undefined;
}

/** `<moderate/>` (§3). Throws StanzaError "feature-not-implemented" for anything but a retraction. */
export const Moderate = payload<ModerationRequest, "iq-set">({
  ns: NS_MODERATION,
  name: "moderate",
  places: ["iq-set"],
  parse: (moderate) => {
    const { id } = moderate.attributes;
    if (!id) throw new StanzaError("bad-request", { text: "which message?" });
    if (childOf(moderate, "retract", NS_RETRACTION) === undefined)
      throw new StanzaError("feature-not-implemented", { text: "messages can be retracted, nothing else" });
    return { id, reason: textOfChild(moderate, "reason") };
  },
  build: ({ id, reason }) =>
    element(NS_MODERATION, "moderate", { id }, [
      element(NS_RETRACTION, "retract"),
      reason !== undefined && element(NS_MODERATION, "reason", {}, [reason]),
    ]),
});

/** Who did away with a message, and why (§3.1, §4). Only the room itself is to be believed (§5). */
export interface Moderation {
  readonly by?: Jid | undefined;
  /** XEP-0421. */
  readonly occupantId?: string | undefined;
  readonly reason?: string | undefined;
}

const NS_OCCUPANT_ID = "urn:xmpp:occupant-id:0";

/** What `<retract/>` or `<retracted/>` says of a moderator; `undefined` where it was the sender. */
export const moderationIn = (retraction: Element): Moderation | undefined => {
  const moderated = childOf(retraction, "moderated", NS_MODERATION);
  if (moderated === undefined) return undefined;
  const { by } = moderated.attributes;
  return {
    by: by === undefined ? undefined : parseJid(by),
    occupantId: childOf(moderated, "occupant-id", NS_OCCUPANT_ID)?.attributes.id,
    reason: textOfChild(retraction, "reason"),
  };
};

/** `<retract/>` as a room tells it to everybody (§3.1). */
export const moderatedRetraction = (id: string, moderation: Moderation): Element =>
  withModeration(Retraction.build(id), moderation);

/** `<retracted/>` as an archive keeps it (§4). */
export const moderatedTombstone = (tombstone: Tombstone, moderation: Moderation): Element =>
  withModeration(Retracted.build(tombstone), moderation);

const withModeration = (retraction: Element, { by, occupantId, reason }: Moderation): Element => {
  const occupant = occupantId !== undefined && element(NS_OCCUPANT_ID, "occupant-id", { id: occupantId });
  return element(retraction.ns, retraction.name, retraction.attributes, [
    element(NS_MODERATION, "moderated", { by: by?.full }, [occupant]),
    reason !== undefined && element(retraction.ns, "reason", {}, [reason]),
  ]);
};
