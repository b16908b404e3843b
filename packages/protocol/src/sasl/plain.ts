/** PLAIN (RFC 4616): the password as it is. */
import { SaslError } from "../errors.ts";
import { andThen } from "../eventually.ts";
import { prepareLocalpart } from "../jid.ts";
import { authorized } from "./authorize.ts";
import { textOfUtf8, utf8 } from "./crypto.ts";
import type { ClientMechanism, Credentials, ServerBackend, ServerMechanism } from "./roles.ts";
import { singleMessageClient, singleMessageServer } from "./single-message.ts";

const NUL = "\0";

export const plainServer = (backend: ServerBackend): ServerMechanism =>
  singleMessageServer("PLAIN", (message) => {
    const [authzid, authcid, password, ...rest] = textOfUtf8(message)?.split(NUL) ?? [];
    if (!authcid || !password || rest.length > 0) throw new SaslError("malformed-request", "not the message of PLAIN");
    const localpart = prepareLocalpart(authcid);
    if (localpart === undefined) throw new SaslError("not-authorized");
    return andThen(backend.verifyPassword(localpart, password), (isRight) => {
      if (!isRight) throw new SaslError("not-authorized");
      return authorized(backend, localpart, authzid);
    });
  });

export const plainClient = ({ username = "", password = "", authzid = "" }: Credentials): ClientMechanism => {
  if ([username, password, authzid].some((part) => part.includes(NUL)))
    throw new SaslError("malformed-request", "NUL in credentials");
  return singleMessageClient("PLAIN", () => utf8(authzid + NUL + username + NUL + password));
};
