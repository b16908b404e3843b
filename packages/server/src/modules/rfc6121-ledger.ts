/**
 * Who has been told that a resource is there and has to be told when it goes (RFC 6121 §4.6.1), in a form that outlives
 * a crash. Not a module: it is handed to those that need it.
 */
import { andThen, type BareJid, type Eventually, type Jid } from "@kith/protocol";
import type { AvailableResource, Effect } from "../module.ts";
import type { Collection, Haste, Store } from "../store/store.ts";

export interface LedgerEntry {
  /** It is available, and contacts know. */
  readonly available: boolean;
  /** Whom it sent directed presence, as they were addressed. */
  readonly directed: readonly string[];
}

const NOTHING: LedgerEntry = { available: false, directed: [] };

/** One entry for each resource that owes somebody a last word; none for all others. */
export class Ledger {
  readonly #entries: Collection<LedgerEntry>;

  constructor(store: Pick<Store, "collection">) {
    this.#entries = store.collection("presence-ledger");
  }

  entries(account: BareJid): Eventually<ReadonlyMap<string, LedgerEntry>> {
    return this.#entries.all(account);
  }

  entry({ bare, resource = "" }: Jid): Eventually<LedgerEntry> {
    return andThen(this.#entries.get(bare, resource), (entry) => entry ?? NOTHING);
  }

  /** The entry as it is to be from now on; nothing at all if that is what it says already. */
  change(
    { bare, resource = "" }: Jid,
    was: LedgerEntry,
    { available = was.available, directed = was.directed }: Partial<LedgerEntry>,
    haste: Haste = "now",
  ): readonly Effect[] {
    const isEmpty = !available && directed.length === 0;
    const wasEmpty = !was.available && was.directed.length === 0;
    if ((isEmpty && wasEmpty) || (available === was.available && directed === was.directed)) return [];
    const change = isEmpty
      ? this.#entries.delete(bare, resource)
      : this.#entries.put(bare, resource, { available, directed });
    return [{ do: "write", write: change, haste }];
  }

  /** Notes that contacts have been told of these resources. */
  shown(account: BareJid, resources: readonly AvailableResource[], haste: Haste): Eventually<readonly Effect[]> {
    return andThen(this.#entries.all(account), (entries) =>
      resources.flatMap(({ jid }) =>
        this.change(jid, entries.get(jid.resource ?? "") ?? NOTHING, { available: true }, haste),
      ),
    );
  }

  /** Nothing is owed for these resources any longer. */
  remove(account: BareJid, resources: readonly string[]): readonly Effect[] {
    return resources.map((resource) => ({ do: "write", write: this.#entries.delete(account, resource) }));
  }

  /** Accounts with entries. Only for start. */
  accounts(): Promise<readonly string[]> {
    return this.#entries.owners();
  }
}
