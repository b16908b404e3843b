/** XEP-0092: which software an entity runs. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { element, elementsOf, textOfChild } from "./xml/element.ts";

export const NS_VERSION = "jabber:iq:version";

export interface SoftwareVersion {
  readonly name: string;
  readonly version: string;
  readonly os?: string | undefined;
}

/** `undefined` in a request. */
export const VersionQuery = payload({
  ns: NS_VERSION,
  name: "query",
  places: ["iq-get", "iq-result"],
  parse: (query): SoftwareVersion | undefined => {
    if (elementsOf(query).length === 0) return undefined;
    const name = textOfChild(query, "name");
    const version = textOfChild(query, "version");
    if (name === undefined || version === undefined)
      throw new StanzaError("bad-request", { text: "a version has name and version" });
    return { name, version, os: textOfChild(query, "os") };
  },
  build: (software) =>
    element(
      NS_VERSION,
      "query",
      {},
      software === undefined
        ? []
        : [
            element(NS_VERSION, "name", {}, [software.name]),
            element(NS_VERSION, "version", {}, [software.version]),
            software.os !== undefined && element(NS_VERSION, "os", {}, [software.os]),
          ],
    ),
});
