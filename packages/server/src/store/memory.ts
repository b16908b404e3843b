import type { BareJid, Bytes, DomainJid } from "@kith/protocol";
import type { Account, Accounts, Collection, RowId, Spool, Store, StoredStanza, Target, Ticket, Unit, Write } from "./store.ts";

class MemoryTicket implements Ticket {
  state: Ticket["state"] = "open";
  #listeners: ((committed: boolean) => void)[] = [];
  onSettled(listener: (committed: boolean) => void): void {
    if (this.state === "open") this.#listeners.push(listener);
    else listener(this.state === "committed");
  }
  settle(): void {
    this.state = "committed";
    for (const listener of this.#listeners.splice(0)) listener(true);
  }
}
const EMPTY: ReadonlyMap<string, never> = new Map();
const targetKey = (t: Target): string => ("account" in t ? `a ${t.account}` : `d ${t.domain}`);

export const memoryStore = (): Store => {
  const names = new Set<string>();
  const data = new Map<string, Map<string, Map<string, unknown>>>();
  const accountRows = new Map<BareJid, Account>();
  const removed = new Map<BareJid, number>();
  const spooled = new Map<string, StoredStanza[]>();
  let last: RowId = 0;
  const open = new Set<MemoryTicket>();
  const owned = (collection: string, owner: string) => data.get(collection)?.get(owner);
  const apply = (w: Write): void => {
    switch (w.op) {
      case "put": {
        const owners = data.get(w.collection) ?? new Map();
        data.set(w.collection, owners);
        owners.set(w.owner, new Map(owners.get(w.owner) ?? []).set(w.key, w.value));
        return;
      }
      case "delete": {
        const next = new Map(owned(w.collection, w.owner) ?? []);
        next.delete(w.key);
        data.get(w.collection)?.set(w.owner, next);
        return;
      }
      case "clear": data.get(w.collection)?.delete(w.owner); return;
      case "account": accountRows.set(w.account.jid, w.account); return;
      case "removeAccount":
        accountRows.delete(w.jid); removed.set(w.jid, w.at);
        for (const owners of data.values()) owners.delete(w.jid);
        spooled.delete(`a ${w.jid}`);
        return;
      case "spool": spooled.set(targetKey(w.target), [...(spooled.get(targetKey(w.target)) ?? []), w.stored]); return;
      case "settle": spooled.set(targetKey(w.target), (spooled.get(targetKey(w.target)) ?? []).filter((s) => !w.rows.includes(s.row)));
    }
  };
  const accounts: Accounts = {
    exists: (jid) => accountRows.has(jid),
    get: (jid) => accountRows.get(jid),
    removedAt: (jid) => removed.get(jid),
    put: (account) => ({ op: "account", account }),
    remove: (jid, at) => ({ op: "removeAccount", jid, at }),
    list: async (domain?: DomainJid) => [...accountRows.keys()].filter((j) => domain === undefined || j.endsWith(`@${domain}`)).sort(),
  };
  const spool: Spool = {
    keep: (target, stanza: Bytes, stamp) => { const row = ++last; return { row, write: { op: "spool", target, stored: { row, stanza, stamp } } }; },
    pending: (target, after = 0, limit = Number.POSITIVE_INFINITY) => (spooled.get(targetKey(target)) ?? []).filter((s) => s.row > after).slice(0, limit),
    count: (target) => spooled.get(targetKey(target))?.length ?? 0,
    settle: (target, rows) => ({ op: "settle", target, rows }),
  };
  return {
    accounts, spool,
    collection<T>(name: string): Collection<T> {
      if (names.has(name)) throw new Error(`collection "${name}" is open already`);
      names.add(name);
      return {
        name,
        all: (owner) => (owned(name, owner) ?? EMPTY) as ReadonlyMap<string, T>,
        get: (owner, key) => owned(name, owner)?.get(key) as T | undefined,
        put: (owner, key, value) => ({ op: "put", collection: name, owner, key, value }),
        delete: (owner, key) => ({ op: "delete", collection: name, owner, key }),
        clear: (owner) => ({ op: "clear", collection: name, owner }),
        owners: async () => [...(data.get(name)?.keys() ?? [])],
      };
    },
    begin(): Unit {
      let empty = true;
      let done = false;
      return {
        add(w) { empty = false; apply(w); },
        get isEmpty() { return empty; },
        commit() {
          if (done) throw new Error("a unit is committed once");
          done = true;
          const ticket = new MemoryTicket();
          open.add(ticket);
          queueMicrotask(() => { open.delete(ticket); ticket.settle(); });
          return ticket;
        },
      };
    },
    async flush() { while (open.size > 0) await Promise.resolve(); },
    async close() { await Promise.resolve(); },
  };
};
