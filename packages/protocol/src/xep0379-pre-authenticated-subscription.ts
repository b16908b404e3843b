/** XEP-0379: a token that stands for an invitation, in a subscription request or before registering (XEP-0445). */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { element } from "./xml/element.ts";

export const NS_PREAUTH = "urn:xmpp:pars:0";

/** No token is longer; what is sent is looked up, so it is bounded. */
const LONGEST = 1_024;

/** Throws StanzaError "bad-request" where there is no token. */
export const Preauth = payload({
  ns: NS_PREAUTH,
  name: "preauth",
  places: ["iq-set", "presence"],
  parse: (preauth): { readonly token: string } => {
    const { token = "" } = preauth.attributes;
    if (token === "" || token.length > LONGEST) throw new StanzaError("bad-request", { text: "a token is expected" });
    return { token };
  },
  build: ({ token }) => element(NS_PREAUTH, "preauth", { token }),
});
