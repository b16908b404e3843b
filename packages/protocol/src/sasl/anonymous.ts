/** ANONYMOUS (RFC 4505; XEP-0175): a temporary account. */
import { SaslError } from "../errors.ts";
import { andThen } from "../eventually.ts";
import { NO_DATA, textOfUtf8 } from "./crypto.ts";
import type { ClientMechanism, ServerBackend, ServerMechanism } from "./roles.ts";
import { singleMessageClient, singleMessageServer } from "./single-message.ts";

/** RFC 4505 §2: at most 255 characters, none of them a control; read and forgotten (XEP-0175 §3). */
const TRACE = /^\P{Cc}{0,255}$/u;

export const anonymousServer = (backend: ServerBackend): ServerMechanism =>
  singleMessageServer("ANONYMOUS", (message) => {
    const trace = textOfUtf8(message);
    if (trace === undefined || !TRACE.test(trace)) throw new SaslError("malformed-request", "not trace information");
    return andThen(backend.anonymous(), (username) => ({ username, authzid: undefined }));
  });

/** Sends no trace information (XEP-0175 §3). */
export const anonymousClient = (): ClientMechanism => singleMessageClient("ANONYMOUS", () => NO_DATA);
