/**
 * XEP-0106: how names with characters that a localpart must not have become localparts, and how such localparts are shown
 * to people. Never for comparing addresses, never for domainparts or resourceparts.
 */

/** The feature an entity announces that knows this. Yes, with the escape in it. */
export const NS_JID_ESCAPING = "jid\\20escaping";

/** Space and what RFC 7622 §3.3.1 excludes. */
const DISALLOWED = /[ "&'/:<>@]/g;
/** A backslash that would be taken for the beginning of an escape; also one that will be, once the case is mapped. */
const AMBIGUOUS_BACKSLASH = /\\(?=2[0267f]|3[ace]|40|5c)/gi;
const ESCAPE = /\\(2[0267f]|3[ace]|40|5c)/g;
const SPACE = "\\20";

/** A name → the localpart it is written as, not yet prepared. `undefined` where a space is first or last (§3.2). */
export const escapeLocalpart = (name: string): string | undefined =>
  name.startsWith(" ") || name.endsWith(" ")
    ? undefined
    : name
        .replace(AMBIGUOUS_BACKSLASH, "\\5c")
        .replace(DISALLOWED, (character) => `\\${character.charCodeAt(0).toString(16)}`);

/** A prepared localpart → the name to show. An escaped space that is first or last is none (§3.2) and stays as it is. */
export const unescapeLocalpart = (localpart: string): string =>
  localpart.replace(ESCAPE, (sequence: string, hex: string, at: number) =>
    sequence === SPACE && (at === 0 || at === localpart.length - SPACE.length)
      ? sequence
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
