import type { BareJid } from "@kith/protocol";
import type { Account } from "./store.ts";

/**
 * Accounts as they are on disk, of those that were asked for lately: whoever lost their connection comes back, and often
 * with a crowd. Whether there is an account is kept as well as what is in it, so that asking again takes as long for a
 * name that nobody has. Two generations, as in `OwnerCache`.
 */
export class RecentAccounts {
  #young = new Map<BareJid, Account | undefined>();
  #old = new Map<BareJid, Account | undefined>();
  readonly #perGeneration: number;

  constructor(perGeneration: number) {
    this.#perGeneration = perGeneration;
  }

  get(jid: BareJid, onDisk: () => Account | undefined): Account | undefined {
    const known = this.#young.get(jid);
    if (known !== undefined || this.#young.has(jid)) return known;
    const account = this.#old.has(jid) ? this.#old.get(jid) : onDisk();
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(jid, account);
    return account;
  }

  /** It is being changed or removed; what becomes of that is read from disk. */
  forget(jid: BareJid): void {
    this.#young.delete(jid);
    this.#old.delete(jid);
  }
}
