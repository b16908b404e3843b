/** XEP-0474 0.5: what was announced becomes part of what SCRAM signs, so that nobody between can have changed it. */
import { toBytes } from "../bytes.ts";
import { andThen, type Eventually } from "../eventually.ts";
import { encodeBase64 } from "./base64.ts";
import { type Crypto, type HashName, utf8 } from "./crypto.ts";
import type { Offer } from "./mechanisms.ts";

/** The SCRAM attribute of the server's first message that carries the hash. */
export const DOWNGRADE_ATTRIBUTE = "h";

const BETWEEN_ITEMS = "\x1e";
const BETWEEN_LISTS = "\x1f";

/** "i;octet" (RFC 4790 §9.3). */
const sorted = (list: readonly string[]): string => list.toSorted(byOctets).join(BETWEEN_ITEMS);
const byOctets = (a: string, b: string): number => (toBytes(a) < toBytes(b) ? -1 : toBytes(a) > toBytes(b) ? 1 : 0);

/** XEP-0474 §5.1: the hash of an offer in base 64, by the hash of the mechanism in use. Worked out once for each offer. */
export const downgradeHash = (crypto: Crypto, hash: HashName, offer: Offer): Eventually<string> => {
  const ofOffer = known.get(offer) ?? new Map<HashName, Eventually<string>>();
  known.set(offer, ofOffer);
  const made = ofOffer.get(hash) ?? andThen(crypto.hash(hash, hashed(offer)), encodeBase64);
  ofOffer.set(hash, made);
  return made;
};
const known = new WeakMap<Offer, Map<HashName, Eventually<string>>>();

const hashed = ({ mechanisms, channelBindings }: Offer): Uint8Array =>
  utf8(sorted(mechanisms) + (channelBindings.length === 0 ? "" : BETWEEN_LISTS + sorted(channelBindings)));
