/** XEP-0012: how long ago an entity was active; XEP-0256: the same said in presence. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { element, textOf } from "./xml/element.ts";

export const NS_LAST = "jabber:iq:last";

/** In a request both are missing. */
export interface LastActivity {
  /** Since logging out (account), being used (resource) or starting (server). */
  readonly seconds?: number | undefined;
  /** The status an account left with. */
  readonly status?: string | undefined;
}

export const LastQuery = payload({
  ns: NS_LAST,
  name: "query",
  places: ["iq-get", "iq-result", "presence"],
  parse: (query): LastActivity => {
    const { seconds } = query.attributes;
    if (seconds !== undefined && !/^\d{1,15}$/.test(seconds))
      throw new StanzaError("bad-request", { text: "seconds is a number" });
    const status = textOf(query);
    return { seconds: seconds === undefined ? undefined : Number(seconds), status: status === "" ? undefined : status };
  },
  build: ({ seconds, status }) => element(NS_LAST, "query", { seconds }, [status]),
});
