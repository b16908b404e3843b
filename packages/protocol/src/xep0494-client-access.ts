/** XEP-0494: which clients have access to an account, and taking it from them. */
import { StanzaError } from "./errors.ts";
import { payload } from "./payload.ts";
import { formatDateTime, parseDateTime } from "./xep0082-datetime.ts";
import { childOf, childrenOf, type Element, element, elementsOf, textOfChild } from "./xml/element.ts";

export const NS_CLIENT_ACCESS = "urn:xmpp:cam:0";

const AUTHENTICATIONS = ["password", "grant", "fast"] as const;
/** How a client has got in, or could: with the password, by a grant, with a token of XEP-0484. */
export type ClientAuthentication = (typeof AUTHENTICATIONS)[number];

const PERMISSIONS = ["unrestricted", "normal", "restricted"] as const;
export type ClientPermission = (typeof PERMISSIONS)[number];

/** A client as its account's owner sees it (§3.1). Times in milliseconds since 1970. */
export interface AccessClient {
  /** Good for nothing but revoking its access. */
  readonly id: string;
  /** "session": there is or was one; "access": it has only been let in. */
  readonly type: "session" | "access";
  readonly connected: boolean;
  readonly firstSeen: number | undefined;
  readonly lastSeen: number | undefined;
  readonly authentications: readonly ClientAuthentication[];
  readonly permission: ClientPermission;
  readonly software: string | undefined;
  readonly uri: string | undefined;
  readonly device: string | undefined;
}

/** Asks for the clients (§3.1). */
export const ListClients = payload<undefined, "iq-get">({
  ns: NS_CLIENT_ACCESS,
  name: "list",
  places: ["iq-get"],
  parse: () => undefined,
  build: () => element(NS_CLIENT_ACCESS, "list"),
});

/** The clients (§3.1). What of one cannot be understood throws. */
export const Clients = payload<readonly AccessClient[], "iq-result">({
  ns: NS_CLIENT_ACCESS,
  name: "clients",
  places: ["iq-result"],
  parse: (clients) => childrenOf(clients, "client").map(readClient),
  build: (clients) => element(NS_CLIENT_ACCESS, "clients", {}, clients.map(clientElement)),
});

/** Takes a client's access; the id is one of the list (§3.2). */
export const RevokeClient = payload<string, "iq-set">({
  ns: NS_CLIENT_ACCESS,
  name: "revoke",
  places: ["iq-set"],
  parse: ({ attributes: { id } }) => {
    if (!id) throw new StanzaError("bad-request", { text: "whose access?" });
    return id;
  },
  build: (id) => element(NS_CLIENT_ACCESS, "revoke", { id }),
});

/** With "service-unavailable": it knows the password, so that only a new one shuts it out (§3.2). */
export const passwordResetRequired: Element = element(NS_CLIENT_ACCESS, "password-reset-required");

const of = (name: string, text: string | undefined): Element | undefined =>
  text === undefined ? undefined : element(NS_CLIENT_ACCESS, name, {}, [text]);
const timeOf = (name: string, moment: number | undefined): Element | undefined =>
  of(name, moment === undefined ? undefined : formatDateTime(moment));

const clientElement = (client: AccessClient): Element => {
  const { id, type, connected, authentications, permission, software, uri, device } = client;
  const userAgent = [of("software", software), of("uri", uri), of("device", device)].filter(
    (part) => part !== undefined,
  );
  return element(NS_CLIENT_ACCESS, "client", { connected, id, type }, [
    timeOf("first-seen", client.firstSeen),
    timeOf("last-seen", client.lastSeen),
    element(
      NS_CLIENT_ACCESS,
      "auth",
      {},
      authentications.map((name) => element(NS_CLIENT_ACCESS, name)),
    ),
    element(NS_CLIENT_ACCESS, "permission", { status: permission }),
    userAgent.length > 0 && element(NS_CLIENT_ACCESS, "user-agent", {}, userAgent),
  ]);
};

const readClient = (client: Element): AccessClient => {
  const { id, type, connected = "" } = client.attributes;
  const auth = childOf(client, "auth");
  const status = childOf(client, "permission")?.attributes.status;
  const permission = PERMISSIONS.find((name) => name === status);
  if (!id || (type !== "session" && type !== "access") || auth === undefined || permission === undefined)
    throw new StanzaError("bad-request", { text: "not a client as XEP-0494 describes it" });
  const userAgent = childOf(client, "user-agent");
  const about = (name: string): string | undefined => (userAgent && textOfChild(userAgent, name)?.trim()) || undefined;
  return {
    id,
    type,
    connected: connected === "true" || connected === "1",
    firstSeen: timeIn(client, "first-seen"),
    lastSeen: timeIn(client, "last-seen"),
    authentications: AUTHENTICATIONS.filter((name) =>
      elementsOf(auth).some((child) => child.ns === NS_CLIENT_ACCESS && child.name === name),
    ),
    permission,
    software: about("software"),
    uri: about("uri"),
    device: about("device"),
  };
};

const timeIn = (client: Element, name: string): number | undefined =>
  parseDateTime(textOfChild(client, name)?.trim() ?? "");
