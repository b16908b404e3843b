import {
  andThen,
  type BareJid,
  type Bytes,
  type Element,
  type Eventually,
  isElement,
  NS_VCARD,
  readPayload,
  type StanzaCondition,
  StanzaError,
  VCard,
  writeElement,
} from "@kith/protocol";
import { type Module, onGet, onSet, write } from "../module.ts";
import type { Collection } from "../store/store.ts";

export interface VCardOptions {
  readonly cards: Collection<Bytes>;
  /** The largest card, in bytes as it is stored. Default 196 608. */
  readonly maxBytes?: number;
}

const KEY = "vCard";

/** XEP-0054: keeps an account's card and shows it to anybody. */
export const vcard = ({ cards, maxBytes = 196_608 }: VCardOptions): Module => {
  const cardOf = (account: BareJid, otherwise: StanzaCondition): Eventually<readonly Element[]> =>
    andThen(cards.get(account, KEY), (xml) => {
      if (xml === undefined) throw new StanzaError(otherwise);
      return readPayload(xml).filter(isElement);
    });

  return {
    name: "vcard",
    xeps: [{ xep: "XEP-0054", version: "1.3.0" }],
    features: [NS_VCARD],
    accountFeatures: [NS_VCARD],
    iq: [
      onGet(VCard, ["own-account"], (_, { at }) => cardOf(at.bare, "item-not-found")),
      // §3.3: as where there is no such account, so that nobody can find out which there are.
      onGet(VCard, ["account"], (_, { at }) => cardOf(at.bare, "service-unavailable")),
      onSet(VCard, ["own-account"], (card, { at }) => {
        if (card.children.length === 0) return { before: [write(cards.delete(at.bare, KEY))] };
        const xml = writeElement(card);
        if (xml.length > maxBytes)
          throw new StanzaError("policy-violation", { text: `a card has at most ${maxBytes} bytes` });
        return { before: [write(cards.put(at.bare, KEY, xml))] };
      }),
      onSet(VCard, ["account"], () => {
        throw new StanzaError("forbidden");
      }),
    ],
  };
};
