import {
  andThen,
  type BareJid,
  byOctets,
  type DiscoInfo,
  DiscoInfoQuery,
  type DiscoItem,
  DiscoItemsQuery,
  type DomainJid,
  type Eventually,
  Form,
  isFrom,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  StanzaError,
  type Subscription,
} from "@kith/protocol";
import { type Context, type DiscoNode, type Module, onGet, type Request } from "../module.ts";

export interface DiscoOptions {
  /** Every module there is; what is said of the server and its accounts is what they declare. */
  readonly modules: () => readonly Module[];
  /** The server's name, for people. */
  readonly name: string;
  /** The components and services of a virtual host. */
  readonly items: (domain: DomainJid) => Eventually<readonly DiscoItem[]>;
  readonly subscriptionOf: (account: BareJid, contact: BareJid) => Eventually<Subscription>;
  /** The node under which the server's information is asked for as well (XEP-0115 §6.2). */
  readonly capsNode?: (domain: DomainJid) => string;
}

/** XEP-0030: what the server and its accounts are and can do. Resources answer for themselves. */
export const disco = (options: DiscoOptions): Module => {
  const { modules, name, capsNode } = options;

  const infoOf = (request: Request, node: string | undefined, context: Context): Eventually<DiscoInfo> => {
    const { addressee, at } = request;
    const isCapsNode = addressee === "server" && node !== undefined && node === capsNode?.(at.domain);
    if (node !== undefined && !isCapsNode) {
      return andThen(nodeOf(modules(), node, request, context), ({ info }) => {
        if (info === undefined) throw new StanzaError("item-not-found");
        return { ...info, node };
      });
    }
    return addressee === "server" ? { ...serverInfo(modules(), at.domain, name), node } : accountInfo(modules());
  };

  const itemsOf = (request: Request, node: string | undefined, context: Context): Eventually<readonly DiscoItem[]> => {
    const { addressee, at } = request;
    if (node !== undefined) return andThen(nodeOf(modules(), node, request, context), ({ items = [] }) => items);
    if (addressee === "server") return options.items(at.domain);
    return andThen(context.available(at.bare), (resources) => resources.map(({ jid }) => ({ jid })));
  };

  return {
    name: "disco",
    xeps: [
      { xep: "XEP-0030", version: "2.5.0" },
      { xep: "XEP-0128", version: "1.0.1" },
    ],
    features: [NS_DISCO_INFO, NS_DISCO_ITEMS],
    accountFeatures: [NS_DISCO_INFO, NS_DISCO_ITEMS],
    iq: [
      onGet(DiscoInfoQuery, ["server", "own-account", "account"], ({ node }, request, context) =>
        andThen(mayAsk(options, request), () =>
          andThen(infoOf(request, node, context), (info) => [DiscoInfoQuery.build(info)]),
        ),
      ),
      onGet(DiscoItemsQuery, ["server", "own-account", "account"], ({ node }, request, context) =>
        andThen(mayAsk(options, request), () =>
          andThen(itemsOf(request, node, context), (items) => [DiscoItemsQuery.build({ items, node })]),
        ),
      ),
    ],
  };
};

/** What the first module that knows a node of the server has to say of it; an account has no nodes. */
const nodeOf = (
  modules: readonly Module[],
  node: string,
  request: Request,
  context: Context,
  first = 0,
): Eventually<DiscoNode> => {
  const own =
    request.addressee === "server" ? modules.slice(first).find((module) => module.node !== undefined) : undefined;
  if (own === undefined) throw new StanzaError("item-not-found");
  return andThen(
    own.node?.(node, request, context),
    (found) => found ?? nodeOf(modules, node, request, context, modules.indexOf(own) + 1),
  );
};

/**
 * §8: an account answers nobody but itself and whoever sees its presence; to others it might as well not exist. For
 * disco#items §8 would have an empty list in both cases, but RFC 6121 §8.5.1 wants service-unavailable where there is
 * no account, and the two must look the same.
 */
const mayAsk = ({ subscriptionOf }: DiscoOptions, { addressee, at, from }: Request): Eventually<void> => {
  if (addressee !== "account") return;
  return andThen(subscriptionOf(at.bare, from.bare), (subscription) => {
    if (!isFrom(subscription)) throw new StanzaError("service-unavailable");
  });
};

/** What the server is and can do at one of its virtual hosts: what its modules declare. */
export const serverInfo = (modules: readonly Module[], domain: DomainJid, name: string): DiscoInfo => ({
  identities: [{ category: "server", type: "im", name }, ...modules.flatMap(({ identities = [] }) => identities)],
  features: sortedOnce(modules.flatMap(({ features = [] }) => features)),
  forms: modules.flatMap(({ infoForms }) => (infoForms?.(domain) ?? []).map(Form.parse)),
});

/** What every account is and can do, as its server answers for it (§3.1). */
export const accountInfo = (modules: readonly Module[]): DiscoInfo => ({
  identities: [{ category: "account", type: "registered" }],
  features: sortedOnce(modules.flatMap(({ accountFeatures = [] }) => accountFeatures)),
  forms: [],
});

const sortedOnce = (features: readonly string[]): readonly string[] => [...new Set(features)].sort(byOctets);
