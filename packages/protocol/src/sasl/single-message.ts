import { SaslError } from "../errors.ts";
import { andThen, type Eventually } from "../eventually.ts";
import { NO_DATA } from "./crypto.ts";
import type { MechanismName } from "./mechanisms.ts";
import type { ClientMechanism, Identity, ServerMechanism, Step } from "./roles.ts";

/** The server's side of a mechanism that is one message of the client: it is asked for if it did not come at once (RFC 4422 §5). */
export const singleMessageServer = (
  name: MechanismName,
  accept: (message: Uint8Array) => Eventually<Identity>,
): ServerMechanism => {
  let state: "new" | "asked" | "over" = "new";
  const finish = (message: Uint8Array): Eventually<Step> => {
    state = "over";
    return andThen(accept(message), (identity) => ({ is: "success", identity }));
  };
  return {
    name,
    start: (initial) => {
      if (state !== "new") throw new SaslError("malformed-request", "begun already");
      if (initial !== undefined) return finish(initial);
      state = "asked";
      return { is: "challenge", data: NO_DATA };
    },
    next: (response) => {
      if (state !== "asked") throw new SaslError("malformed-request", "no response was asked for");
      return finish(response);
    },
  };
};

/** The client's side of it. A challenge can only be a server's that overlooked the initial response, so it gets that again. */
export const singleMessageClient = (name: MechanismName, message: () => Uint8Array): ClientMechanism => ({
  name,
  initial: async () => message(),
  challenge: async (data) => {
    if (data.length > 0) throw new SaslError("malformed-request", `${name} has no challenges`);
    return message();
  },
  success: async (data) => {
    if (data !== undefined && data.length > 0)
      throw new SaslError("malformed-request", `${name} has no data with success`);
  },
});
