import {
  andThen,
  type BareJid,
  type Bytes,
  type Element,
  type Eventually,
  element,
  isElement,
  isReservedNamespace,
  NS_PRIVATE,
  PrivateXml,
  readPayload,
  StanzaError,
  writeElement,
} from "@kith/protocol";
import { type Effect, type Module, onGet, onSet, write } from "../module.ts";
import type { Collection } from "../store/store.ts";

export interface PrivateXmlOptions {
  /** By `{namespace}name`: the elements of that name, one after the other, as they were stored. */
  readonly storage: Collection<Bytes>;
  /** How many names an account may use. Default 256. */
  readonly maxNames?: number;
  /** How much an account may store, in bytes. Default 1 MiB. */
  readonly maxBytes?: number;
}

/** XEP-0049: keeps XML for the account that stored it, and shows it to nobody else. */
export const privateXml = ({ storage, maxNames = 256, maxBytes = 1_048_576 }: PrivateXmlOptions): Module => {
  const stored = (account: BareJid, { ns, name }: Element): Eventually<readonly Element[]> =>
    andThen(storage.get(account, keyOf(ns, name)), (xml) =>
      xml === undefined ? [element(ns, name)] : readPayload(xml).filter(isElement),
    );

  const get = async (asked: readonly Element[], account: BareJid): Promise<readonly Element[]> => {
    const names = new Map(asked.map((query) => [keyOf(query.ns, query.name), query]));
    if (names.size === 0) throw new StanzaError("bad-request", { text: "which data?" });
    if (new Set(asked.map(({ ns }) => ns)).size > 1)
      throw new StanzaError("bad-request", { text: "one namespace at a time" });
    refuseReserved(asked);
    if (names.size > maxNames) throw new StanzaError("policy-violation", { text: `at most ${maxNames} names` });
    const found: Element[] = [];
    for (const query of names.values()) found.push(...(await stored(account, query)));
    return [PrivateXml.build(found)];
  };

  const set = (elements: readonly Element[], account: BareJid): Eventually<{ readonly before: readonly Effect[] }> => {
    if (elements.length === 0) throw new StanzaError("not-acceptable", { text: "no data" });
    refuseReserved(elements);
    const changes = byName(elements);
    return andThen(storage.all(account), (before) => {
      refuseExcess(before, changes);
      const writes = [...changes].map(([key, xml]) =>
        xml === "" ? storage.delete(account, key) : storage.put(account, key, xml),
      );
      return { before: writes.map(write) };
    });
  };

  const refuseExcess = (before: ReadonlyMap<string, Bytes>, changes: ReadonlyMap<string, Bytes>): void => {
    let bytes = 0;
    let names = 0;
    for (const xml of new Map([...before, ...changes]).values()) {
      bytes += xml.length;
      if (xml !== "") names++;
    }
    if (bytes > maxBytes) throw new StanzaError("policy-violation", { text: `at most ${maxBytes} bytes` });
    if (names > maxNames) throw new StanzaError("policy-violation", { text: `at most ${maxNames} names` });
  };

  return {
    name: "private-xml",
    xeps: [{ xep: "XEP-0049", version: "1.2" }],
    features: [NS_PRIVATE],
    // Somebody else's account answers service-unavailable as if it were not there (§2.3 allows it).
    iq: [
      onGet(PrivateXml, ["own-account"], (asked, { at }) => get(asked, at.bare)),
      onSet(PrivateXml, ["own-account"], (elements, { at }) => set(elements, at.bare)),
    ],
  };
};

const keyOf = (ns: string, name: string): string => `{${ns}}${name}`;

/** What a client stores under each name; nothing, where it is empty: an empty element is what is shown anyway. */
const byName = (elements: readonly Element[]): ReadonlyMap<string, Bytes> => {
  const changes = new Map<string, Bytes>();
  for (const item of elements) {
    const key = keyOf(item.ns, item.name);
    const isEmpty = item.children.length === 0 && Object.keys(item.attributes).length === 0;
    changes.set(key, `${changes.get(key) ?? ""}${isEmpty ? "" : writeElement(item)}` as Bytes);
  }
  return changes;
};

const refuseReserved = (elements: readonly Element[]): void => {
  const reserved = elements.find(({ ns }) => isReservedNamespace(ns));
  if (reserved !== undefined) throw new StanzaError("not-acceptable", { text: "this namespace is reserved" });
};
