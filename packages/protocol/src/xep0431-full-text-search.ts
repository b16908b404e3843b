/** XEP-0431: the words to look for in an archive. */

/** The feature (§2.1). */
export const NS_FULL_TEXT = "urn:xmpp:fulltext:0";

/** The field of an archive's form (§3.1); what is found by it is for the server to say. */
export const FULL_TEXT_FIELD = `{${NS_FULL_TEXT}}fulltext`;
