/** XEP-0441: with whom conversations are kept. */
import { StanzaError } from "./errors.ts";
import { type BareJid, type Jid, parseJid } from "./jid.ts";
import { payload } from "./payload.ts";
import { NS_ARCHIVE } from "./xep0313-archive-form.ts";
import { childOf, childrenOf, type Element, element, textOf } from "./xml/element.ts";

/** The node of an ad-hoc command that says more (§2.2). */
export const ARCHIVE_CONFIGURE_NODE = "urn:xmpp:mam#configure";

const DEFAULTS = ["always", "never", "roster"] as const;
/** What holds for addresses in neither list (§2.1.1); "roster": kept with contacts. */
export type ArchiveDefault = (typeof DEFAULTS)[number];

export interface ArchivingPreferences {
  readonly default: ArchiveDefault;
  readonly always: readonly Jid[];
  readonly never: readonly Jid[];
}

/** `<prefs/>` that asks (§2.1). */
export const ArchivePreferencesRequest = payload<undefined, "iq-get">({
  ns: NS_ARCHIVE,
  name: "prefs",
  places: ["iq-get"],
  parse: () => undefined,
  build: () => element(NS_ARCHIVE, "prefs"),
});

/** `<prefs/>` that tells (§2.1). A list that is missing is empty. */
export const ArchivePreferences = payload<ArchivingPreferences, "iq-set" | "iq-result">({
  ns: NS_ARCHIVE,
  name: "prefs",
  places: ["iq-set", "iq-result"],
  parse: (prefs) => {
    const otherwise = DEFAULTS.find((known) => known === prefs.attributes.default);
    if (otherwise === undefined) throw new StanzaError("bad-request", { text: "default: always, never or roster" });
    return { default: otherwise, always: listed(prefs, "always"), never: listed(prefs, "never") };
  },
  build: (preferences) =>
    element(NS_ARCHIVE, "prefs", { default: preferences.default }, [
      list("always", preferences.always),
      list("never", preferences.never),
    ]),
});

const listed = (prefs: Element, name: string): readonly Jid[] => {
  const found = childOf(prefs, name);
  return found === undefined ? [] : childrenOf(found, "jid").map((jid) => parseJid(textOf(jid).trim()));
};

const list = (name: string, jids: readonly Jid[]): Element =>
  element(
    NS_ARCHIVE,
    name,
    {},
    jids.map((jid) => element(NS_ARCHIVE, "jid", {}, [jid.full])),
  );

/**
 * Is a message to or from this address kept (§2.3)? What is said of just this resource counts before what is said of the whole account; where
 * both lists say something, "never".
 */
export const isKept = (
  { default: otherwise, always, never }: ArchivingPreferences,
  target: Jid,
  isContact: (account: BareJid) => boolean,
): boolean => {
  for (const address of [target.full, target.bare]) {
    if (never.some(({ full }) => full === address)) return false;
    if (always.some(({ full }) => full === address)) return true;
  }
  return otherwise === "roster" ? isContact(target.bare) : otherwise === "always";
};
