/** XEP-0045 §17.1, §14.6: what may be a nickname, and which are too much alike. */
import { StanzaError } from "@kith/protocol";

/**
 * What tells nicknames apart: not case, not width, not the spaces around and between words. Who looks the same is the same
 * (§14.6, attack 7). `""` for a nickname that cannot be seen.
 */
export const nickKey = (nick: string): string => nick.normalize("NFKC").toLowerCase().replace(SPACES, " ").trim();
const SPACES = /\s+/g;

/** Throws StanzaError "jid-malformed" for one that cannot be seen (§17.1), "not-acceptable" for one that is too long. */
export const checkNickname = (nick: string, maxLength: number): void => {
  if (nickKey(nick) === "") throw new StanzaError("jid-malformed", { text: "a nickname has to be seen" });
  if (nick.length > maxLength)
    throw new StanzaError("not-acceptable", { text: `a nickname has at most ${maxLength} characters` });
};
