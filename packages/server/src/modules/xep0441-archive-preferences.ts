import {
  type ArchiveDefault,
  ArchivePreferences,
  ArchivePreferencesRequest,
  type ArchivingPreferences,
  andThen,
  type BareJid,
  type Eventually,
  isKept,
  type Jid,
  parseJid,
  StanzaError,
} from "@kith/protocol";
import { type Module, onGet, onSet, write } from "../module.ts";
import type { Collection } from "../store/store.ts";

/** What an account has said; addresses as text. */
export interface StoredArchivePreferences {
  readonly default: ArchiveDefault;
  readonly always: readonly string[];
  readonly never: readonly string[];
}

export interface ArchivePreferencesOptions {
  readonly preferences: Collection<StoredArchivePreferences>;
  /** Is this address in the account's roster? */
  readonly isContact: (account: BareJid, other: BareJid) => Eventually<boolean>;
  /** What holds for accounts that have said nothing. Default "always". */
  readonly otherwise?: ArchiveDefault;
  /** How many addresses one account may name. Default 1000. */
  readonly limit?: number;
}

export interface ArchivePreferencesModule extends Module {
  /** Does the account keep what it exchanges with this address? */
  readonly isWanted: (account: BareJid, other: Jid) => Eventually<boolean>;
}

/** The one value that an account has in the collection. */
const KEY = "preferences";

/** XEP-0441: with whom an account's conversations are kept. */
export const archivePreferences = (options: ArchivePreferencesOptions): ArchivePreferencesModule => {
  const { preferences, isContact, otherwise = "always", limit = 1000 } = options;
  const unspoken: ArchivingPreferences = { default: otherwise, always: [], never: [] };
  const read = readerOf(unspoken);

  return {
    name: "archive-preferences",
    xeps: [{ xep: "XEP-0441", version: "0.2.0" }],
    iq: [
      onGet(ArchivePreferencesRequest, ["own-account"], (_, { at }) =>
        andThen(preferences.get(at.bare, KEY), (stored) => [ArchivePreferences.build(read(stored))]),
      ),
      onSet(ArchivePreferences, ["own-account"], (wanted, { at }) => {
        const applied = { default: wanted.default, always: distinct(wanted.always), never: distinct(wanted.never) };
        if (applied.always.length + applied.never.length > limit)
          throw new StanzaError("policy-violation", { text: `at most ${limit} addresses can be named` });
        return {
          before: [write(preferences.put(at.bare, KEY, stored(applied)))],
          result: [ArchivePreferences.build(applied)],
        };
      }),
    ],
    isWanted: (account, other) =>
      andThen(preferences.get(account, KEY), (said) => {
        if (said === undefined && otherwise === "always") return true;
        const wishes = read(said);
        return wishes.default === "roster"
          ? andThen(isContact(account, other.bare), (isIn) => isKept(wishes, other, () => isIn))
          : isKept(wishes, other, nobody);
      }),
  };
};

const nobody = (): boolean => false;

const stored = ({ default: otherwise, always, never }: ArchivingPreferences): StoredArchivePreferences => ({
  default: otherwise,
  always: always.map(({ full }) => full),
  never: never.map(({ full }) => full),
});

const distinct = (jids: readonly Jid[]): readonly Jid[] => [...new Map(jids.map((jid) => [jid.full, jid])).values()];

/** Reads what is stored; each value once, since every message asks. */
const readerOf = (unspoken: ArchivingPreferences) => {
  const known = new WeakMap<StoredArchivePreferences, ArchivingPreferences>();
  return (said: StoredArchivePreferences | undefined): ArchivingPreferences => {
    if (said === undefined) return unspoken;
    const found = known.get(said);
    if (found !== undefined) return found;
    const read = { default: said.default, always: said.always.map(parseJid), never: said.never.map(parseJid) };
    known.set(said, read);
    return read;
  };
};
