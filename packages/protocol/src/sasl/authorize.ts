import { SaslError } from "../errors.ts";
import { andThen, type Eventually } from "../eventually.ts";
import type { Identity, ServerBackend } from "./roles.ts";

/** Lets somebody who has been authenticated act as somebody else, if at all (RFC 6120 §6.3.8). Empty is absent (§6.6). */
export const authorized = (
  backend: ServerBackend,
  username: string,
  authzid: string | undefined,
): Eventually<Identity> => {
  if (!authzid) return { username, authzid: undefined };
  return andThen(backend.authorize(username, authzid), (isAllowed) => {
    if (!isAllowed) throw new SaslError("invalid-authzid");
    return { username, authzid };
  });
};
