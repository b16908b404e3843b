import type { BareJid, Eventually } from "@kith/protocol";
import type { AvailableResource } from "../module.ts";
import type { Ticket } from "../store/store.ts";
import type { Address, Binding, Ending, Fabric, Frame, Holder, Outcome } from "./fabric.ts";

const NOBODY: Outcome = { is: "nobody" };
const ONE: Outcome = { is: "accepted", live: 1 };
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

  cast(address: Address, frame: Frame, after?: Ticket): void {
    void this.#holder(address)?.receive(frame, after);
  }

  deliver(address: Address, frame: Frame, after?: Ticket): Eventually<Outcome> {
    const holder = this.#holder(address);
    if (holder === undefined) return NOBODY;
    const live = holder.receive(frame, after);
    return typeof live === "number" ? outcome(live) : live.then(outcome);
  }

  available(account: BareJid): readonly AvailableResource[] {
    return this.#accounts.get(account)?.available() ?? NONE;
  }

  end(account: BareJid, ending: Ending): Eventually<void> {
    return this.#accounts.get(account)?.end(ending);
  }

  #holder(address: Address): Holder | undefined {
    return address.kind === "account" ? this.#accounts.get(address.bare) : this.#domains.get(address.domain);
  }
}

const outcome = (live: number): Outcome => (live === 0 ? NOBODY : live === 1 ? ONE : { is: "accepted", live });
