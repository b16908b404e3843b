import type { Account } from "./account.ts";
import type { Findings } from "./findings.ts";
import type { Ledger, Said } from "./ledger.ts";

/** How something came to a device. */
export type Way = "live" | "carbon" | "from offline storage";

/** What a device sees of the wire: notices needless copies, and what has overtaken something. */
export class Witness {
  readonly #ledger: Ledger;
  readonly #findings: Findings;
  readonly #account: Account;
  readonly #device: string;
  /** On which of its streams it first saw what. */
  readonly #seen = new Map<string, { stream: number; copies: number }>();
  /** The latest of each lane on this stream. */
  readonly #latest = new Map<string, Said>();
  #stream = 0;

  constructor(ledger: Ledger, findings: Findings, account: Account, device: string) {
    this.#ledger = ledger;
    this.#findings = findings;
    this.#account = account;
    this.#device = device;
  }

  /** It has bound anew: a stream that is none of those before. */
  began(): void {
    this.#stream++;
    this.#latest.clear();
  }

  saw(said: Said, way: Way, stanzaId: string | undefined): void {
    this.#ledger.note(said, `${this.#account.name}/${this.#device} sees it, ${way}, on its stream ${this.#stream}`);
    const key = stanzaId ?? said.id;
    const seen = this.#seen.get(key);
    if (seen !== undefined) {
      this.#sawAgain(said, seen);
      return;
    }
    this.#seen.set(key, { stream: this.#stream, copies: 1 });
    if (way !== "from offline storage") this.#inOrder(said);
  }

  #sawAgain(said: Said, seen: { stream: number; copies: number }): void {
    if (said.kind !== "kept" && seen.copies < said.sendings) this.#findings.copied("sent again");
    else if (seen.stream !== this.#stream) this.#findings.copied("after binding anew");
    else if (this.#account.hasLostAnother(this.#device, said.at)) this.#findings.copied("from another device");
    else this.#findings.violated("needless copy", `at ${this.#account.name}/${this.#device}`, said);
    seen.copies++;
    seen.stream = this.#stream;
  }

  /** Of what was said, once, while the account's devices neither came nor went: otherwise it may have been on its way to another one. */
  #inOrder(said: Said): void {
    const latest = this.#latest.get(said.lane.name);
    if (latest !== undefined && latest.number > said.number) {
      const isPlain = (one: Said): boolean => one.sendings === 1 && this.#account.isUnchangedSince(one.at);
      if (isPlain(said) && isPlain(latest))
        this.#findings.violated(
          "out of order",
          `at ${this.#account.name}/${this.#device}, behind ${latest.id}`,
          said,
          latest,
        );
      return;
    }
    this.#latest.set(said.lane.name, said);
  }
}
