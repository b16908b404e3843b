import { childCount, type Iq, NAME_END, NAME_START, NS_END, NS_START, type PresenceType } from "@kith/protocol";
import type { Addressee, IqHandler, Module, PresenceHandler, VisitorHandler } from "../module.ts";

/** Exact matches are looked up, never searched; two modules that answer the same request are a mistake found at start. */
class Table<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly owner: string }>();
  add(key: string, value: T, owner: string): void {
    const other = this.#entries.get(key);
    if (other !== undefined) throw new Error(`modules "${other.owner}" and "${owner}" both handle ${key}`);
    this.#entries.set(key, { value, owner });
  }
  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }
}

const requestKey = (type: string, ns: string, name: string): string => `${type} {${ns}}${name}`;

/** Type, namespace and name of a request's payload as a key. Reads the index only. */
const keyOf = (request: Iq): string => {
  if (childCount(request) === 0) return "";
  const { payload, index } = request;
  const ns =
    (index[NS_START] as number) < 0 ? "" : payload.substring(index[NS_START] as number, index[NS_END] as number);
  return requestKey(request.type, ns, payload.substring(index[NAME_START] as number, index[NAME_END] as number));
};

export class IqTable {
  readonly #table = new Table<IqHandler>();
  constructor(modules: readonly Module[]) {
    for (const module of modules) for (const handler of module.iq ?? []) this.#add(module, handler);
  }
  #add(module: Module, handler: IqHandler): void {
    const { ns, name } = handler.payload;
    for (const at of handler.at)
      this.#table.add(`${requestKey(handler.type, ns, name)} at ${at}`, handler, module.name);
  }
  get(request: Iq, addressee: Addressee): IqHandler | undefined {
    return this.#table.get(`${keyOf(request)} at ${addressee}`);
  }
}

export class VisitorTable {
  readonly #table = new Table<VisitorHandler>();
  constructor(modules: readonly Module[]) {
    for (const module of modules) {
      for (const handler of module.visitorIq ?? []) {
        this.#table.add(requestKey(handler.type, handler.payload.ns, handler.payload.name), handler, module.name);
      }
    }
  }
  get(request: Iq): VisitorHandler | undefined {
    return this.#table.get(keyOf(request));
  }
}

export class PresenceTable {
  readonly #table = new Table<PresenceHandler>();
  constructor(modules: readonly Module[]) {
    for (const module of modules) {
      for (const handler of module.presence ?? []) {
        for (const type of handler.types) this.#table.add(`${handler.place} ${type} presence`, handler, module.name);
      }
    }
  }
  get(place: PresenceHandler["place"], type: PresenceType): PresenceHandler | undefined {
    return this.#table.get(`${place} ${type} presence`);
  }
}
