/** EXTERNAL (RFC 4422 Appendix A; XEP-0178): the TLS certificate says who it is. */
import { SaslError } from "../errors.ts";
import { andThen } from "../eventually.ts";
import { textOfUtf8, utf8 } from "./crypto.ts";
import type { ClientMechanism, Credentials, ServerBackend, ServerMechanism } from "./roles.ts";
import { singleMessageClient, singleMessageServer } from "./single-message.ts";

export const externalServer = (backend: ServerBackend): ServerMechanism =>
  singleMessageServer("EXTERNAL", (message) => {
    const text = textOfUtf8(message);
    if (text === undefined || text.includes("\0"))
      throw new SaslError("malformed-request", "not an authorization identity");
    const authzid = text === "" ? undefined : text;
    return andThen(backend.external(authzid), (username) => {
      if (username === undefined) throw new SaslError(authzid === undefined ? "not-authorized" : "invalid-authzid");
      return { username, authzid };
    });
  });

export const externalClient = ({ authzid = "" }: Credentials): ClientMechanism =>
  singleMessageClient("EXTERNAL", () => utf8(authzid));
