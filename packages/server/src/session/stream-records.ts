import {
  type BareJid,
  type Bytes,
  type Eventually,
  type Jid,
  type Presence,
  parseJid,
  parseRaw,
  readStanza,
  writeStanza,
} from "@kith/protocol";
import type { SessionMark } from "../module.ts";
import type { Collection, RowId, Store, Write } from "../store/store.ts";

/** What is kept of a stream that can be resumed, so that it can be after a restart too. */
export interface StreamRecord {
  readonly resource: string;
  readonly lang: Bytes | undefined;
  /** In seconds. */
  readonly max: number;
  /** How often the stanzas sent have been numbered; `delivered` and `deliveries` of older generations mean nothing any more. */
  readonly generation: number;
  /** How many of the client's stanzas had been handled when this was written; later ones that were stored say so themselves. */
  readonly received: number;
  /** Nothing stored up to and with this row matters any more. */
  readonly since: RowId;
  /** As it is broadcast. */
  readonly presence: Bytes | undefined;
  readonly priority: number;
  readonly shownAt: number;
  readonly marks: readonly SessionMark[];
}

/** By account and SM-ID. */
export class StreamRecords {
  readonly #records: Collection<StreamRecord>;

  constructor(store: Pick<Store, "collection">) {
    this.#records = store.collection("streams");
  }

  put(account: BareJid, id: string, record: StreamRecord): Write {
    return this.#records.put(account, id, record);
  }

  remove(account: BareJid, id: string): Write {
    return this.#records.delete(account, id);
  }

  /** Only for start. */
  accounts(): Promise<readonly string[]> {
    return this.#records.owners();
  }

  of(account: BareJid): Eventually<ReadonlyMap<string, StreamRecord>> {
    return this.#records.all(account);
  }
}

export const jidOf = (account: BareJid, { resource }: StreamRecord): Jid => parseJid(account).withResource(resource);

export const writePresence = (presence: Presence | undefined): Bytes | undefined =>
  presence === undefined ? undefined : writeStanza(presence);

export const readPresence = ({ presence }: StreamRecord): Presence | undefined =>
  presence === undefined ? undefined : (readStanza(parseRaw(presence)) as Presence);
