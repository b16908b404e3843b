import {
  type BareJid,
  childNamed,
  hasChild,
  idOf,
  type Message,
  mayRetract,
  NS_RETRACTION,
  parseRaw,
  RETRACTION_TOMBSTONES,
  Retracted,
  readStanza,
  type Stanza,
  tombstoneOf,
  writeStanza,
} from "@kith/protocol";
import { type Effects, type Module, write } from "../module.ts";
import type { Messages, StoredMessage } from "../store/messages.ts";

export interface RetractionOptions {
  readonly messages: Pick<Messages, "findById" | "replace">;
}

const NOTHING: Effects = [];

/**
 * XEP-0424: where somebody takes back what they said, their archive and that of whom they said it to keep a tombstone in its place, and the
 * retraction itself.
 */
export const retraction = ({ messages }: RetractionOptions): Module => {
  /** What is to be done in the archive of `owner` about a retraction by whoever `from` is. */
  const retract = async (
    retracted: Message,
    owner: BareJid,
    isFor: (found: StoredMessage) => boolean,
    now: number,
  ): Promise<Effects> => {
    const target = targetOf(retracted);
    const id = idOf(retracted);
    if (target === undefined || id === undefined || retracted.from === undefined) return NOTHING;
    const found = await messages.findById(owner, retracted.from.bare, target);
    if (found === undefined || !isFor(found)) return NOTHING;
    const original = readStanza(parseRaw(found.stanza)) as Message;
    if (!isRetractable(original) || !mayRetract(original, retracted, "account") || !isSamePair(original, retracted))
      return NOTHING;
    const tombstone = tombstoneOf(original, Retracted.build({ id, stamp: now }));
    return [write(messages.replace(found.row, writeStanza(tombstone)))];
  };

  return {
    name: "retraction",
    xeps: [
      { xep: "XEP-0424", version: "0.4.2" },
      { xep: "XEP-0308", version: "1.2.1" },
    ],
    features: [NS_RETRACTION],
    accountFeatures: [NS_RETRACTION, RETRACTION_TOMBSTONES],
    sending: {
      // What the other side's archive has too is left to that side, which may refuse the retraction.
      copy: (stanza, { now }) =>
        isRetraction(stanza) && stanza.from !== undefined
          ? retract(stanza, stanza.from.bare, ({ isArchived }) => !isArchived.received, now())
          : NOTHING,
    },
    receiving: {
      copy: (stanza, { now }) =>
        isRetraction(stanza) && stanza.to !== undefined ? retract(stanza, stanza.to.bare, () => true, now()) : NOTHING,
    },
  };
};

const targetOf = (retracted: Message): string | undefined =>
  childNamed(retracted, NS_RETRACTION, "retract")?.attributes.id || undefined;

/** A message to one is not taken back by telling another, whatever id that one has. */
const isSamePair = (original: Message, retracted: Message): boolean => original.to?.bare === retracted.to?.bare;

/** A retraction stays (§5), and what has been retracted cannot be once more. */
const isRetractable = (original: Message): boolean =>
  !hasChild(original, NS_RETRACTION, "retract") && !hasChild(original, NS_RETRACTION, "retracted");

/** In rooms it is the room's business. */
const isRetraction = (stanza: Stanza): stanza is Message =>
  stanza.kind === "message" &&
  (stanza.type === "chat" || stanza.type === "normal") &&
  hasChild(stanza, NS_RETRACTION, "retract");
