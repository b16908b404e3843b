import { StanzaError } from "../errors.ts";
import { type Jid, tryJid } from "../jid.ts";
import { payload } from "../payload.ts";
import { childrenOf, element, elementsOf, textOf } from "../xml/element.ts";
import { NS_BIND } from "./namespaces.ts";

/** What is asked of the server: a resourcepart as the client wrote it, or `undefined` for one of the server's making. */
export interface BindRequest {
  readonly resource: string | undefined;
}

/** RFC 6120 §7.6, §7.7. Whether the resourcepart is a valid one is for the receiver to see (§7.7.2.1). */
export const Bind = payload<BindRequest, "iq-set">({
  ns: NS_BIND,
  name: "bind",
  places: ["iq-set"],
  parse: (request) => {
    const [resource, ...more] = childrenOf(request, "resource");
    if (more.length > 0 || (resource !== undefined && elementsOf(resource).length > 0))
      throw new StanzaError("bad-request");
    return { resource: resource === undefined ? undefined : textOf(resource) };
  },
  build: ({ resource }) =>
    element(NS_BIND, "bind", {}, [resource !== undefined && element(NS_BIND, "resource", {}, [resource])]),
});

/** The full JID that a server bound (RFC 6120 §7.6.1). */
export const Bound = payload<Jid, "iq-result">({
  ns: NS_BIND,
  name: "bind",
  places: ["iq-result"],
  parse: (result) => {
    const [jid, ...more] = childrenOf(result, "jid");
    const bound = jid === undefined || more.length > 0 ? undefined : tryJid(textOf(jid).trim());
    if (bound?.isFull !== true) throw new StanzaError("bad-request");
    return bound;
  },
  build: (jid) => element(NS_BIND, "bind", {}, [element(NS_BIND, "jid", {}, [jid.full])]),
});
