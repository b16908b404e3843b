import { SaslError } from "../errors.ts";
import type { Identity, ServerBackend } from "./roles.ts";

/** Lets somebody who has been authenticated act as somebody else, if at all (RFC 6120 §6.3.8). Empty is absent (§6.6). */
export const authorized = async (
  backend: ServerBackend,
  username: string,
  authzid: string | undefined,
): Promise<Identity> => {
  if (!authzid) return { username, authzid: undefined };
  if (!(await backend.authorize(username, authzid))) throw new SaslError("invalid-authzid");
  return { username, authzid };
};
