/**
 * Who has been told that a resource is there and has to be told when it goes (RFC 6121 §4.6.1), in a form that outlives
 * a crash. Not a module: it is handed to those that need it.
 */
import { andThen, type BareJid, type Eventually, type Jid } from "@kith/protocol";
import { type AvailableResource, type Effect, write } from "../module.ts";
import type { Collection, Store } from "../store/store.ts";

export interface LedgerEntry {
  /** It is available, and contacts elsewhere know. */
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
  ): readonly Effect[] {
    if (available === was.available && directed === was.directed) return [];
    const isEmpty = !available && directed.length === 0;
    return [
      write(
        isEmpty ? this.#entries.delete(bare, resource) : this.#entries.put(bare, resource, { available, directed }),
      ),
    ];
  }

  /** Notes that contacts elsewhere have been told of these resources. */
  shown(account: BareJid, resources: readonly AvailableResource[]): Eventually<readonly Effect[]> {
    return andThen(this.#entries.all(account), (entries) =>
      resources.flatMap(({ jid }) => this.change(jid, entries.get(jid.resource ?? "") ?? NOTHING, { available: true })),
    );
  }

  clear(account: BareJid): Effect {
    return write(this.#entries.clear(account));
  }

  /** Accounts with entries. Only for start. */
  accounts(): Promise<readonly string[]> {
    return this.#entries.owners();
  }
}
