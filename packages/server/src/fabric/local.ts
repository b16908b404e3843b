import type { BareJid, Eventually } from "@kith/protocol";
import type { AvailableResource } from "../module.ts";
import type { RowId, Ticket } from "../store/store.ts";
import {
  type Address,
  type Aside,
  type Binding,
  type Ending,
  type Fabric,
  type Frame,
  type Holder,
  NOBODY,
  type Outcome,
} from "./fabric.ts";

const NONE: readonly AvailableResource[] = [];

/** Everybody is in this process: the handler gets the live object, at once. */
export class LocalFabric implements Fabric {
  readonly #accounts = new Map<string, Holder>();
  readonly #domains = new Map<string, Holder>();

  bind(address: Address, holder: Holder): Binding {
    const holders = address.kind === "account" ? this.#accounts : this.#domains;
    const key = address.kind === "account" ? address.bare : address.domain;
    if (holders.has(key)) throw new Error(`${key} is bound already`);
    holders.set(key, holder);
    return { release: () => holders.get(key) === holder && holders.delete(key) };
  }

  cast(address: Address, frame: Frame, after?: Ticket, aside?: Aside): void {
    void this.#holder(address)?.receive(frame, after, aside);
  }

  deliver(address: Address, frame: Frame, after?: Ticket, aside?: Aside): Eventually<Outcome> {
    return this.#holder(address)?.receive(frame, after, aside) ?? NOBODY;
  }

  available(account: BareJid): readonly AvailableResource[] {
    return this.#accounts.get(account)?.available() ?? NONE;
  }

  underWay(account: BareJid): ReadonlySet<RowId> {
    const rows = new Set<RowId>();
    this.#accounts.get(account)?.underWay(rows);
    return rows;
  }

  end(account: BareJid, ending: Ending): Eventually<void> {
    return this.#accounts.get(account)?.end(ending);
  }

  #holder(address: Address): Holder | undefined {
    return address.kind === "account" ? this.#accounts.get(address.bare) : this.#domains.get(address.domain);
  }
}
